"""The program's entry: answers --version before anything heavy is imported, and ends without ceremony."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
from typing import NoReturn

_COLLECT_AFTER = 100_000
"""Objects made before the first look for garbage: importing makes 60,000 that all stay. Saves 10 ms of every start."""


def main() -> None:
    """Run the command line and end the process with its exit code."""
    if sys.argv[1:] == ["--version"]:
        from hcloud_reassign.version import version

        _say(f"hcloud-reassign {version()}\n")
        return
    gc.set_threshold(_COLLECT_AFTER, 10, 10)
    from hcloud_reassign.cli.main import run

    _end(run(sys.argv[1:]))


def _end(code: int) -> NoReturn:
    """End now. Taking the interpreter apart, object by object, would cost every command 30 ms."""
    atexit._run_exitfuncs()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        # A reader that went away: the command line has said what there is to say about its own output.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _say(text: str) -> None:
    """Write past Python's buffer: it would complain at exit about a reader that went away."""
    with contextlib.suppress(OSError):
        os.write(1, text.encode())


if __name__ == "__main__":
    main()
