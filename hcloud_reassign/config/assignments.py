"""A section with a free name -> an assignment of its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hcloud_reassign.config.faults import Faults, shown
from hcloud_reassign.config.ini import Block
from hcloud_reassign.config.reading import missing, values
from hcloud_reassign.config.sections import LATER, SECTIONS
from hcloud_reassign.core.declare import ASSIGNMENT_KEYS, Key, Section
from hcloud_reassign.core.errors import UsageError, nearest
from hcloud_reassign.core.model import Assignment, Where

SectionOf = Callable[[str], Section | None]

# Keys whose value is a field of every assignment; all others are options of the kind.
_FIELDS = {
    "resource": "resource",
    "source": "source",
    "destination": "destination",
    "members": "members",
    "cooldown": "cooldown_s",
    "max_age": "max_age_s",
    "max_moves_per_hour": "max_moves_per_hour",
    "timeout": "timeout_s",
    "before": "before",
    "after": "after",
    "note": "note",
}


def assignment(block: Block, section_of: SectionOf, words: Sequence[str], faults: Faults, folder: str) -> Assignment:
    """The assignment that a section describes. Raises UsageError for whatever is wrong in it."""
    section = _kind(block, section_of, words, faults)
    keys = (*section.keys, *ASSIGNMENT_KEYS)
    found = values(block, keys, faults, folder)
    _check_holders(block, {key.name: key for key in section.keys}, found, faults)
    fields = {field: found[name] for name, field in _FIELDS.items() if name in found}
    options = {name: value for name, value in found.items() if name not in _FIELDS and name != "type"}
    return Assignment(block.name, section.word, options=options, where=Where(faults.file, block.line), **fields)


def _kind(block: Block, section_of: SectionOf, words: Sequence[str], faults: Faults) -> Section:
    if not block.has("type"):
        raise _untyped(block, words, faults)
    word, line = block.entries["type"]
    section = section_of(word)
    if section is not None:
        return section
    if word in LATER:
        raise faults.error(
            f"type {word!r} is not in this version",
            line,
            section=block.name,
            key="type",
            next=f"take [{block.name}] out of this file",
        )
    raise faults.error(
        f"unknown type {shown(word)!r} in [{block.name}]", line, section=block.name, key="type", given=word, known=words
    )


def _untyped(block: Block, words: Sequence[str], faults: Faults) -> UsageError:
    """Without a type it is a section whose name is mistyped, or an assignment that forgot it."""
    head, dot, tail = block.name.rpartition(".")
    near = nearest(
        (head + dot or tail)[:64], [section.word for section in SECTIONS if section.word.endswith(".") == bool(dot)]
    )
    if near is None:
        return missing(block, Key("type", "", choices=tuple(words)), faults)
    return faults.error(
        f"unknown section [{shown(block.name)}], and no type in it",
        block.line,
        section=block.name,
        suggestion=near + tail if dot else near,
    )


def _check_holders(block: Block, keys: dict[str, Key], found: dict[str, Any], faults: Faults) -> None:
    ends = [name for name in ("source", "destination") if found.get(name)]
    if found.get("members") and ends:
        raise faults.error(
            f"[{block.name}] has 'members' and also {ends[0]!r}",
            max(block.line_of("members"), block.line_of(ends[0])),
            section=block.name,
            key="members",
            next=f"keep either 'members' or 'source' and 'destination' in [{block.name}]",
        )
    if "destination" in keys and not found.get("members") and not found.get("destination"):
        raise missing(block, keys["destination"], faults)
    if len(ends) == 2 and found["source"] == found["destination"]:
        faults.warn(f"[{block.name}] has the same source and destination", block.line_of("destination"))
