"""The program's entry: answers --version before anything heavy is imported."""

from __future__ import annotations

import contextlib
import os
import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    if sys.argv[1:] == ["--version"]:
        from hcloud_reassign.version import version

        _say(f"hcloud-reassign {version()}\n")
        return
    from hcloud_reassign.cli.main import run

    sys.exit(run(sys.argv[1:]))


def _say(text: str) -> None:
    """Write past Python's buffer: it would complain at exit about a reader that went away."""
    with contextlib.suppress(OSError):
        os.write(1, text.encode())


if __name__ == "__main__":
    main()
