"""The version: what is installed, or what the changelog of a checkout says."""

from __future__ import annotations

from functools import cache


@cache
def version() -> str:
    """The version as text, from the installed metadata, else from `debian/changelog`, else "unknown"."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("hcloud-reassign")
    except PackageNotFoundError:
        return _of_the_checkout()


def _of_the_checkout() -> str:
    import re
    from pathlib import Path

    changelog = Path(__file__).parents[1] / "debian" / "changelog"
    try:
        found = re.match(r"hcloud-reassign \(([0-9][^)~-]*)", changelog.read_text(encoding="utf-8"))
    except OSError:
        return "unknown"
    return found.group(1) if found else "unknown"
