"""A section as written -> its values, by the declared keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hcloud_reassign.config.faults import Faults, shown_key
from hcloud_reassign.config.ini import Block
from hcloud_reassign.config.sections import defaults, key_named
from hcloud_reassign.config.urls import in_clear_text
from hcloud_reassign.config.values import BadValue, converted
from hcloud_reassign.core.declare import Key
from hcloud_reassign.core.errors import UsageError


def values(block: Block, keys: Iterable[Key], faults: Faults, folder: str) -> dict[str, Any]:
    """Every key of a section with its value or default.

    Raises:
        UsageError: an unknown key, a missing one, or a value that is not of the key's type.
    """
    by_name = {key.name: key for key in keys}
    given = _known(block, by_name, faults)
    found = defaults(by_name.values())
    for name, key in given.items():
        if key.ignored:
            faults.warn(f"{name!r} in [{block.name}] is ignored; take it out", block.line_of(name))
        elif block.has(name):
            found[name] = _value(block, name, key, faults, folder)
    _require(block, by_name.values(), faults)
    return found


def _known(block: Block, by_name: Mapping[str, Key], faults: Faults) -> dict[str, Key]:
    known = {}
    for name, entry in block.entries.items():
        key = key_named(by_name, name)
        if key is None:
            raise faults.error(
                f"unknown key {shown_key(name)!r} in [{block.name}]",
                entry.line,
                section=block.name,
                key=shown_key(name),
                given=name,
                known=(word for word in by_name if not word.endswith("*")),
            )
        known[name] = key
    return known


def _value(block: Block, name: str, key: Key, faults: Faults, folder: str) -> Any:
    text, line = block.entries[name]
    try:
        value = converted(key, text, folder)
    except BadValue as error:
        bad = error
    else:
        if key.type == "url" and in_clear_text(value):
            faults.warn(f"{name!r} in [{block.name}] is http, so secrets are sent in clear text; use https", line)
        return value
    raise faults.error(f"{name!r}: {bad.message}", line, section=block.name, key=name, suggestion=bad.suggestion)


def _require(block: Block, keys: Iterable[Key], faults: Faults) -> None:
    for key in keys:
        if key.required and not block.has(key.name):
            raise missing(block, key, faults)


def missing(block: Block, key: Key, faults: Faults) -> UsageError:
    """The error for a key that must be there."""
    example = " | ".join(key.choices) or "..."
    return faults.error(
        f"{key.name!r} is missing in [{block.name}]",
        block.line_of(key.name),
        section=block.name,
        key=key.name,
        next=f"write '{key.name} = {example}' in [{block.name}]",
    )
