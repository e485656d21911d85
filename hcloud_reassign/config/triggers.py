"""A section [trigger.NAME]: its keys are those of every trigger, and those of the platform that its type names."""

from __future__ import annotations

from typing import Any

from hcloud_reassign.config.assignments import SectionOf
from hcloud_reassign.config.faults import Faults
from hcloud_reassign.config.ini import Block
from hcloud_reassign.config.reading import values
from hcloud_reassign.config.sections import TRIGGER


def trigger(block: Block, trigger_of: SectionOf, faults: Faults, folder: str) -> dict[str, Any]:
    """The values of a section. Raises UsageError for whatever is wrong in it, its type first."""
    typed = {name: entry for name, entry in block.entries.items() if name == "type"}
    word = values(block._replace(entries=typed), TRIGGER.keys, faults, folder)["type"]
    section = trigger_of(word)
    if section is None:
        raise faults.error(
            f"type {word!r} is not in this version",
            block.line_of("type"),
            section=block.name,
            key="type",
            next=f"take [{block.name}] out of this file",
        )
    found = values(block, (*TRIGGER.keys, *section.keys), faults, folder)
    if not found["timeout"]:
        raise faults.error(
            "an answer needs a time above 0",
            block.line_of("timeout"),
            section=block.name,
            key="timeout",
            next="timeout = 10",
        )
    return found
