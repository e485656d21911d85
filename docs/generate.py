"""Writes the parts of the documentation that come from the code: `python docs/generate.py`, or `--check` to compare."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from difflib import unified_diff
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tui")]

from docs import manual  # noqa: E402 - the path to it is made above
from hcloud_reassign import triggers  # noqa: E402
from hcloud_reassign.config.reference import reference  # noqa: E402
from hcloud_reassign.kinds import WORDS, kind  # noqa: E402
from hcloud_reassign.triggers import trigger  # noqa: E402
from hcloud_reassign_tui.view.registry import by_group, key_names  # noqa: E402

FIRST_TAB = """
# zsh reads this file at the first TAB, which has to be answered, too.
[[ $funcstack[1] != _hcloud-reassign ]] || _hcloud_reassign_completion "$@"
"""

BEGIN, END = "<!-- keys: begin -->\n", "<!-- keys: end -->\n"


def documents() -> Mapping[str, str]:
    """Every generated document, by its path."""
    sections = reference([kind(word).section for word in WORDS], [trigger(word).section for word in triggers.WORDS])
    return {"docs/configuration.md": sections, "docs/tui.md": _with_keys(), **manual.pages(), **_completions()}


def _completions() -> Mapping[str, str]:
    """What the program itself gives a shell; for zsh in the form of a file that is read at the first TAB."""
    ask = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = {}
    for shell in ("bash", "zsh", "fish"):
        command = [sys.executable, "-m", "hcloud_reassign"]
        asked = {**ask, "_HCLOUD_REASSIGN_COMPLETE": f"source_{shell}"}
        done = subprocess.run(command, env=asked, capture_output=True, text=True, check=True)
        found[f"packages/completions/{shell}"] = f"{done.stdout.strip()}\n{FIRST_TAB if shell == 'zsh' else ''}"
    return found


def _with_keys() -> str:
    """The page about the terminal UI, with the actions of its registry between two marks."""
    before, _, rest = (ROOT / "docs/tui.md").read_text("utf-8").partition(BEGIN)
    table = ["| key | `key.` | what it does |\n", "|---|---|---|\n"]
    for group, acts in by_group():
        table.append(f"| **{group}** | | |\n")
        table += [f"| {key_names(act.keys)} | `{act.id}` | {act.help} |\n" for act in acts]
    return f"{before}{BEGIN}{''.join(table)}{END}{rest.partition(END)[2]}"


def differences(path: str, wanted: str) -> str:
    """What would change in a document; nothing when it is current."""
    target = ROOT / path
    present = target.read_text("utf-8") if target.exists() else ""
    lines = unified_diff(present.splitlines(True), wanted.splitlines(True), f"{path} (is)", f"{path} (should be)")
    return "".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Write the documents, or with --check tell which are stale: 0 when all are current, else 1."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python docs/generate.py [--check]\n")
        return 2
    stale = {path: text for path, text in documents().items() if differences(path, text)}
    for path, text in stale.items():
        if arguments:
            sys.stdout.write(differences(path, text))
        else:
            (ROOT / path).write_text(text, "utf-8")
            sys.stdout.write(f"written: {path}\n")
    return 1 if arguments and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
