"""PUT: name, labels and the other plain fields of an object (Hetzner's API description)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from .call import Call, Result
from .errors import ApiError, invalid
from .labels import checked_labels


class Named(Protocol):
    """What an object needs to be updated."""

    id: int
    name: str
    labels: dict[str, str]


N = TypeVar("N", bound=Named)
Checks = Mapping[str, Callable[[Any], Any]]


def boolean(name: str) -> Callable[[Any], bool]:
    """A check for a field that must be true or false."""

    def check(value: Any) -> bool:
        if not isinstance(value, bool):
            raise invalid(name, "must be a boolean")
        return value

    return check


def description(value: Any) -> str | None:
    """A check for a text that may be null."""
    if value is not None and not isinstance(value, str):
        raise invalid("description", "must be a string")
    return value


def update(
    call: Call,
    table: str,
    key: str,
    item: N,
    others: Iterable[Named],
    shape: Callable[[N], Any],
    more: Checks | None = None,
) -> Result:
    """Applies the fields given; labels replace the whole map. Raises 422 invalid_input, 409 uniqueness_error."""
    changes: dict[str, Any] = {}
    if "name" in call.fields:
        changes["name"] = _free_name(call.text("name"), item, others)
    if "labels" in call.fields:
        changes["labels"] = checked_labels(call.fields["labels"])
    for name, check in (more or {}).items():
        if name in call.fields:
            changes[name] = check(call.fields[name])

    def apply(at: float) -> None:
        call.cloud.note(at, table, item.id)
        for name, value in changes.items():
            setattr(item, name, value)

    shown: N = dataclasses.replace(item, **changes)  # type: ignore[type-var]
    call.commit(apply)
    return Result(200, {key: shape(shown)})


def _free_name(name: str, item: Named, others: Iterable[Named]) -> str:
    if any(other.name == name and other.id != item.id for other in others):
        raise ApiError(409, "uniqueness_error", "name is already used", {"fields": [{"name": "name"}]})
    return name
