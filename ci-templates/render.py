"""Writes check.sh, install.sh and run.sh into the templates: `python ci-templates/render.py`, or `--check` to compare.

Each platform takes one file that needs no other, so the shell text is in all of them; here is the one place of it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import indent

HERE = Path(__file__).resolve().parent
TEMPLATES = (
    "gitlab/reassign.yml",
    "gitlab/reassign-variables.yml",
    "github/action.yml",
    "jenkins/Jenkinsfile",
    "tekton/task.yaml",
)
MARKED = re.compile(r"^( *)# (\w+\.sh): begin\n(?:.*\n)*?\1# \2: end\n", re.MULTILINE)


def rendered(template: str) -> str:
    """A template's text with the parts as they are now, at the depth of their marks."""
    return MARKED.sub(_part, (HERE / template).read_text("utf-8"))


def _part(marked: re.Match[str]) -> str:
    text = (HERE / marked[2]).read_text("utf-8")
    return indent(f"# {marked[2]}: begin\n{text}# {marked[2]}: end\n", marked[1])


def main(arguments: Sequence[str]) -> int:
    """Write the templates, or with --check tell which are stale: 0 when all are current, else 1."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python ci-templates/render.py [--check]\n")
        return 2
    stale = [name for name in TEMPLATES if rendered(name) != (HERE / name).read_text("utf-8")]
    for name in stale:
        if not arguments:
            (HERE / name).write_text(rendered(name), "utf-8")
        sys.stdout.write(f"{'stale' if arguments else 'written'}: {name}\n")
    return 1 if arguments and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
