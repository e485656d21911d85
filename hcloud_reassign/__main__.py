"""The program's entry: answers --version before anything heavy is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    if sys.argv[1:] == ["--version"]:
        from hcloud_reassign.version import version

        print(f"hcloud-reassign {version()}")
        return
    from hcloud_reassign.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
