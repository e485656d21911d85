"""What TAB offers: names of sections and groups, from the configuration file that would be used."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

import typer

_HEADER = re.compile(r"^\s*\[([^\[\]]+)\]", re.MULTILINE)
_NOT_TO_MOVE = re.compile(r"(client|robot|tui|watch|gateway|DEFAULT)$|(watch|gateway\.client|trigger)\.")
_TRIGGER = "trigger."
_PLAIN = re.compile(r"[\w./][\w.:@/+-]*")
"""What no shell expands, splits or takes for an option. The script for zsh evaluates what it is offered, so that a name
with `$(...)` in a file of somebody else would be carried out by TAB."""


def config_files(incomplete: str) -> list[str]:
    """Folders and .ini files that go on from what was typed."""
    folder, _, start = incomplete.rpartition("/")
    prefix = f"{folder}/" if "/" in incomplete else ""
    try:
        entries = sorted(os.scandir(prefix or "."), key=lambda entry: entry.name)
    except OSError:
        return []
    return _offered(
        f"{prefix}{entry.name}{'/' if entry.is_dir() else ''}"
        for entry in entries
        if entry.name.startswith(start) and (entry.is_dir() or entry.name.endswith(".ini"))
    )


def names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Sections and groups."""
    return _offered(name for name in _sections(ctx) if name.startswith(incomplete) and not _NOT_TO_MOVE.match(name))


def triggers(ctx: typer.Context, incomplete: str) -> list[str]:
    """The NAME of each [trigger.NAME]."""
    found = [name.removeprefix(_TRIGGER) for name in _sections(ctx) if name.startswith(_TRIGGER)]
    return _offered(name for name in found if name.startswith(incomplete))


def _offered(found: Iterable[str]) -> list[str]:
    return [text for text in found if _PLAIN.fullmatch(text)]


def _sections(ctx: typer.Context) -> list[str]:
    """The file is only skimmed: a fault in it must not stop a completion."""
    found = list[str]()
    for file in _files(ctx):
        try:
            with open(file, encoding="utf-8", errors="replace") as opened:
                found += _HEADER.findall(opened.read(1 << 20))
        except OSError:
            continue
    return [name.strip() for name in found]


def _files(ctx: typer.Context) -> list[str]:
    given = [
        file for params in (ctx.params, ctx.parent.params if ctx.parent else {}) for file in params.get("config") or ()
    ]
    if given:
        return given
    from hcloud_reassign.project import find_file

    found = find_file(os.environ)
    return [found] if found else []
