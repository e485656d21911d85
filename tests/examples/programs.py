"""What the tests of the examples share: the shells, the real command on a PATH of its own, processes."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.cli.process import ROOT, Done
from tests.shells import in_shells

EXAMPLES = ROOT / "examples"
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
"""What daemons give their scripts; no virtual environment is in it."""
LIMIT_S = 60.0

every_shell = in_shells("dash", "busybox")


def put_command(folder: Path) -> Path:
    """The command of this checkout, as a program in a folder; returns the program."""
    program = folder / "hcloud-reassign"
    python = shlex.quote(sys.executable)
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {python} -m hcloud_reassign "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    return program


def ended(words: list[str], env: Mapping[str, str], cwd: Path) -> Done:
    """Run it with this environment and no other."""
    done = subprocess.run(words, env=dict(env), cwd=cwd, capture_output=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL)
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())
