"""A project as a configuration would describe it: every resource with its holder, and who could have it instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hcloud_reassign.core.errors import Ambiguous, UsageError
from hcloud_reassign.core.kind import Kind
from hcloud_reassign.core.model import Assignment, Found, Holder, Unreadable, World
from hcloud_reassign.core.objects import Server

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
Candidates = dict[tuple[str, int | None], list[tuple[str, Holder]]]
"""Which servers could have what belongs to one network, or to none, by kind: alike for all of these, and many."""


@dataclass(frozen=True)
class Draft:
    """A section to be written. `keys` in order; `holder` has the resource, `others` could have it instead."""

    name: str
    keys: tuple[tuple[str, str], ...]
    holder: str | None = None
    others: tuple[str, ...] = ()


def drafts(world: World, kinds: Iterable[Kind]) -> tuple[Draft, ...]:
    """A section for every resource that could be read and that anybody could have. Pure."""
    found: dict[str, Draft] = {}
    candidates: Candidates = {}
    for kind in kinds:
        for assignment, item in _resources(world, kind):
            others = _others(world, kind, item, candidates)
            draft = _draft(world, kind, assignment, item, _free(assignment.name, found), others)
            if draft.holder or draft.others:
                found[draft.name] = draft
    return tuple(found.values())


def _resources(world: World, kind: Kind) -> Iterator[tuple[Assignment, Found]]:
    try:
        assignments: Sequence[Assignment] = kind.inventory(world)
    except Unreadable:
        return
    for assignment in assignments:
        try:
            yield assignment, kind.find(world, assignment)
        except (Unreadable, Ambiguous, UsageError):
            continue


def _free(wanted: str, taken: Iterable[str]) -> str:
    """A name that INI takes and that no other section has."""
    return numbered(_NOT_IN_NAMES.sub("-", wanted).strip("-.") or "resource", taken)


def numbered(wanted: str, taken: Iterable[str]) -> str:
    """The name, with a number behind it where it is taken."""
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _draft(world: World, kind: Kind, assignment: Assignment, found: Found, name: str, others: tuple[str, ...]) -> Draft:
    keys = [("type", kind.word)]
    network = assignment.options.get("network")
    if network is not None:
        keys.append(("network", str(network) if _plain(str(network)) else str(found.labelled.id)))
    keys.append(("resource", _resource(world, kind, assignment, found)))
    holder = _holder(found) if found.holder is not None and found.movable else None
    return Draft(name, tuple(keys), holder, others)


def _resource(world: World, kind: Kind, assignment: Assignment, found: Found) -> str:
    """The name where it means the same resource, else what is sure: the id."""
    name = found.resource.name
    by_name = Assignment(assignment.name, kind.word, name, options=assignment.options)
    try:
        same = bool(name) and kind.word != "ip_alias" and kind.find(world, by_name).resource == found.resource
    except (UsageError, Ambiguous, Unreadable):
        same = False
    return str(name) if same and _plain(str(name)) else str(assignment.resource)


def _plain(text: str) -> bool:
    """Whether a text means itself in INI."""
    return text.isprintable() and text == text.strip() and not re.search(r"(?:^|\s)[;#]", text)


def _holder(found: Found) -> str:
    holder = found.holder
    assert holder is not None
    if holder.name and _plain(holder.name):
        return holder.name
    return holder.address if holder.type == "gateway" and holder.address else str(holder.id)


def _others(world: World, kind: Kind, found: Found, candidates: Candidates) -> tuple[str, ...]:
    """The servers that could have it instead, as far as a name shows it."""
    network = None if found.key == "claim" else found.labelled.id
    key = (kind.word, network)
    if key not in candidates:
        candidates[key] = list(_candidates(world, kind, found, network))
    return tuple(name for name, holder in candidates[key] if found.holder is None or holder.key != found.holder.key)


def _candidates(world: World, kind: Kind, found: Found, network: int | None) -> Iterator[tuple[str, Holder]]:
    for server in world.all(Server):
        if not _plain(server.name) or (network is not None and server.place_in(network) is None):
            continue
        try:
            yield server.name, kind.holder_named(world, found, server.name)
        except (UsageError, Ambiguous, Unreadable):
            continue
