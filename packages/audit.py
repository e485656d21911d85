"""Asks osv.dev whether a version in the pins is known to be vulnerable.

`python packages/audit.py [FILE]...`, by a Python that has pip-audit; else packages/vendor.txt, which is what packages
contain, and constraints.txt, which is what `make` installs. OSV_URL names another service with the same interface.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
FILES = ("packages/vendor.txt", "constraints.txt")
OSV = "https://api.osv.dev/v1/query"

NONE_KNOWN, VULNERABLE, NOT_ASKED = 0, 1, 2


class NotAskedError(Exception):
    """Whether something is vulnerable is not known; the words say why."""


def pinned(files: Iterable[Path]) -> dict[tuple[str, str], list[str]]:
    """Each project and version, with the files that have it. Markers are left out: each version is asked for."""
    found: dict[tuple[str, str], list[str]] = {}
    for file in files:
        for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", file.read_text("utf-8"), re.MULTILINE):
            places = found.setdefault((name, version), [])
            if str(file) not in places:
                places.append(str(file))
    return found


def lists(pins: Iterable[tuple[str, str]]) -> Iterator[list[str]]:
    """The pins as requirements in as many lists as a project has versions: pip-audit takes one of each."""
    left = list(pins)
    while left:
        first = dict(reversed(left))
        yield [f"{name}=={version}" for name, version in first.items()]
        left = [pin for pin in left if pin not in first.items()]


def asked(requirements: Sequence[str], url: str) -> Iterator[dict[str, Any]]:
    """What pip-audit says of each project.

    Raises:
        NotAskedError: the service did not answer for all of them.
    """
    with TemporaryDirectory() as folder:
        pins, answer = Path(folder, "pins.txt"), Path(folder, "answer.json")
        pins.write_text("\n".join(requirements) + "\n", encoding="utf-8")
        options = ["--no-deps", "--disable-pip", "--strict", "--progress-spinner=off", "--vulnerability-service=osv"]
        files = ["--osv-url", url, "--requirement", str(pins), "--format=json", "--output", str(answer)]
        command = (sys.executable, "-m", "pip_audit", *options, *files)
        done = subprocess.run(command, capture_output=True, encoding="utf-8")
        if not answer.exists():
            reasons = re.findall(r"^(?!pip_audit)\S+: .+", done.stderr, re.MULTILINE)
            raise NotAskedError(reasons[-1] if reasons else f"exit code {done.returncode}")
        answers: list[dict[str, Any]] = json.loads(answer.read_text("utf-8"))["dependencies"]
    if len(answers) != len(requirements) or any("vulns" not in each for each in answers):
        raise NotAskedError(f"{len(requirements)} projects were asked for, and {len(answers)} answered")
    yield from answers


def told(name: str, version: str, files: Sequence[str], vulnerability: dict[str, Any]) -> str:
    names = " = ".join(dict.fromkeys((vulnerability["id"], *sorted(vulnerability["aliases"]))))
    fixed = ", ".join(vulnerability["fix_versions"]) or "no version"
    renewed = f"make constraints PROJECT={name} && make vendor audit"
    return (
        f"error: {name} {version} in {' and '.join(files)}: {names}, fixed in {fixed}\n"
        f"next:  {renewed if vulnerability['fix_versions'] else 'see docs/releasing.md#an-advisory'}\n"
    )


def main(arguments: Sequence[str]) -> int:
    """0 when nothing is known against any pin, 1 when something is, 2 when that could not be found out."""
    url, files = os.environ.get("OSV_URL", OSV), arguments or FILES
    os.chdir(PROJECT)
    try:
        pins = pinned(map(Path, files))
        if not pins:
            raise NotAskedError(f"no name==version in {' '.join(files)}")
        answers = [answer for requirements in lists(pins) for answer in asked(requirements, url)]
    except (NotAskedError, OSError) as error:
        sys.stderr.write(
            f"error: not audited by {url}: {error}; nothing is known\nnext:  make audit, when it answers\n"
        )
        return NOT_ASKED
    lines = [
        told(answer["name"], answer["version"], pins[answer["name"], answer["version"]], vulnerability)
        for answer in answers
        for vulnerability in answer["vulns"]
    ]
    sys.stderr.write("".join(lines))
    if lines:
        return VULNERABLE
    sys.stdout.write(f"{len(pins)} versions, and no vulnerability is known\n")
    return NONE_KNOWN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
