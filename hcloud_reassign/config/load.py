"""Reads a configuration file into frozen settings."""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from hcloud_reassign.config.assignments import SectionOf, assignment
from hcloud_reassign.config.faults import Faults, quoted
from hcloud_reassign.config.hidden import Secret
from hcloud_reassign.config.ini import Block, decoded, parse
from hcloud_reassign.config.links import Linked, check_references, groups
from hcloud_reassign.config.reading import values
from hcloud_reassign.config.sections import CLIENT, SECRET_PATHS, TOKEN_KEYS, TRIGGER, declared, defaults
from hcloud_reassign.config.settings import Exposed, Settings
from hcloud_reassign.config.triggers import trigger
from hcloud_reassign.core.model import Assignment

_LARGEST_FILE = 1 << 20


def load(
    path: Path | str,
    section_of: SectionOf,
    words: Sequence[str],
    *,
    trigger_of: SectionOf = lambda word: None,
    ungroupable: Container[str] = (),
) -> Settings:
    """The settings of one file.

    Args:
        section_of: the declared section of a `type`, None for an unknown one.
        words: all types of this version, for suggestions.
        trigger_of: the declared section of a trigger's `type`, None for one of a later version.
        ungroupable: types that cannot be in a group that is undone.

    Raises:
        UsageError: the first thing that is wrong, with file, line, section, key, the nearest word and what to do.
    """
    faults = Faults(os.fspath(path))
    data, open_to_all = _read(faults)
    blocks = parse(decoded(data, faults), faults)
    linked = _linked(blocks, section_of, words, trigger_of, faults)
    grouped = groups(linked, ungroupable)
    check_references(linked)
    client = _client(linked)
    return Settings(
        file=faults.file,
        project=client["project"],
        client=client,
        sections={name: section for name, section in linked.values.items() if name != CLIENT.word},
        assignments=tuple(linked.assignments.values()),
        groups=grouped,
        exposed=_exposed(linked, open_to_all),
        warnings=tuple(faults.warnings),
        lines=_lines(blocks),
    )


def _read(faults: Faults) -> tuple[bytes, bool]:
    """The bytes of a file, and whether everybody on this machine may read them."""
    try:
        with open(faults.file, "rb") as file:
            data = file.read(_LARGEST_FILE + 1)
            if len(data) <= _LARGEST_FILE:
                return data, bool(os.fstat(file.fileno()).st_mode & stat.S_IROTH)
        why = "it is larger than 1 MiB"
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "this is not a path"
    raise faults.error(f"cannot read the configuration: {why}", next=f"ls -l {quoted(faults.file)}")


def _linked(
    blocks: Mapping[str, Block], section_of: SectionOf, words: Sequence[str], trigger_of: SectionOf, faults: Faults
) -> Linked:
    """Every section read, in the order of the file, so that the first fault in it is the one told."""
    folder = os.path.dirname(os.path.abspath(faults.file))
    named: dict[str, dict[str, Any]] = {}
    free: dict[str, Assignment] = {}
    for name, block in blocks.items():
        section = declared(name)
        if section is None:
            free[name] = assignment(block, section_of, words, faults, folder)
        elif name == section.word and name.endswith("."):
            raise faults.error(f"[{name}] has no name behind the dot", block.line, section=name)
        elif section is TRIGGER:
            named[name] = trigger(block, trigger_of, faults, folder)
        else:
            named[name] = values(block, section.keys, faults, folder)
    return Linked(blocks, named, free, faults)


def _client(linked: Linked) -> dict[str, Any]:
    client = {**defaults(CLIENT.keys), **linked.values.get(CLIENT.word, {})}
    client["project"] = client["project"] or Path(linked.faults.file).stem
    used, *others = [key for key in TOKEN_KEYS if client[key]] or [""]
    if others:
        linked.faults.warn(
            f"{used!r} in [client] is used, {others[0]!r} is not", linked.blocks[CLIENT.word].line_of(others[0])
        )
    return client


def _exposed(linked: Linked, in_the_open: bool) -> tuple[Exposed, ...]:
    """Which secrets everybody on this machine may read; each is a warning too."""
    found: dict[str, Exposed] = {}
    for name, section in linked.values.items():
        for key, value in section.items():
            if isinstance(value, Secret) and in_the_open:
                found[linked.faults.file] = Exposed(linked.faults.file, name, key)
            elif key in SECRET_PATHS and value and open_to_all(value):
                found[value] = Exposed(value, name, key)
    for item in found.values():
        linked.faults.warn(str(item), linked.blocks[item.section or ""].line_of(item.key))
    return tuple(found.values())


def open_to_all(path: str) -> bool:
    """Whether everybody on this machine may read a file; one that is not there, nobody."""
    try:
        return bool(os.stat(path).st_mode & stat.S_IROTH)
    except (OSError, ValueError):
        return False


def _lines(blocks: Mapping[str, Block]) -> dict[tuple[str, str | None], int]:
    lines: dict[tuple[str, str | None], int] = {}
    for name, block in blocks.items():
        lines[name, None] = block.line
        lines.update({(name, key): entry.line for key, entry in block.entries.items() if entry.value})
    return lines
