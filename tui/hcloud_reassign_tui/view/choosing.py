"""Where something could go: the servers to choose from, and which of them is meant most likely. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hcloud_reassign.core.shown import width
from hcloud_reassign_tui.view.rows import Row
from hcloud_reassign_tui.view.signs import Cell, Signs

if TYPE_CHECKING:
    from hcloud_reassign.core.objects import Server
    from hcloud_reassign.project import Choice, Standing

_WIDEST = 30


@dataclass(frozen=True)
class Target:
    """A server to choose. `to` is what a request calls it; `here`: it has everything already."""

    to: str
    name: str
    line: tuple[Cell, ...]
    eligible: bool = True
    here: bool = False

    @property
    def words(self) -> str:
        return " ".join(cell.text for cell in self.line).lower()


def targets(choices: Iterable[Choice], signs: Signs) -> tuple[Target, ...]:
    """Every server: first those that can get it, then who has it, then the others with the reason."""
    found = tuple(choices)
    column = min(max((width(choice.server.name) for choice in found), default=0), _WIDEST)
    return tuple(_target(choice, signs, column) for choice in found)


def _target(choice: Choice, signs: Signs, column: int) -> Target:
    server = choice.server
    name = signs.text(server.name)
    padded = name + " " * max(column - width(name), 0)
    eligible = choice.hindrance is None and not choice.here
    if choice.here:
        line = (Cell(signs["none"]), Cell(padded, "dim"), Cell("has it now", "dim"))
    elif eligible:
        line = (Cell(signs["ok"], "good"), Cell(padded, "bold"), Cell(signs.text(server.status)))
    else:
        line = (Cell(signs["bad"], "dim"), Cell(padded, "dim"), Cell(signs.text(_hindrance(choice)), "dim"))
    return Target(str(server.id), server.name, line, eligible, choice.here)


def _hindrance(choice: Choice) -> str:
    """Why it cannot get it; its name stands before that already."""
    return (choice.hindrance or "").removeprefix(f"{choice.server.name} ")


def preferred(found: Sequence[Target], rows: Sequence[Row]) -> int:
    """Which of them is meant most likely: the other end of the section, else the first that can get it."""
    ends = {_other_end(row) for row in rows}
    end = ends.pop() if len(ends) == 1 else None
    named = [number for number, target in enumerate(found) if end and end in (target.name, target.to)]
    able = [number for number, target in enumerate(found) if target.eligible]
    return next((number for number in (*named, *able)), 0)


def _other_end(row: Row) -> str | None:
    assignment = row.assignment
    return assignment.source if row.standing.state == "at-destination" else assignment.destination


def matching(found: Sequence[Target], typed: str) -> tuple[Target, ...]:
    """Those that have every word that was typed."""
    words = typed.lower().split()
    return tuple(target for target in found if all(word in target.words for word in words))


@dataclass(frozen=True)
class Back:
    """Where a resource was before its last move, and in words what is known of that move."""

    to: str
    name: str
    told: str


def way_back(
    standing: Standing, history: Iterable[Mapping[str, Any]], servers: Sequence[Server], signs: Signs
) -> Back | str:
    """Where the last move would be reverted to; or why it cannot be."""
    entry = _last_move(standing, history)
    if entry is None:
        return "the journal of this machine knows no move of it"
    before, after = entry.get("before"), entry.get("after") or {}
    if not before:
        return "nobody had it before its last move: it can be moved, not given back"
    to, name = _holder(before, servers)
    holder = standing.holder
    if holder is not None and _key(before) == (holder.type, holder.id, holder.address):
        return f"it is with {signs.text(name)} already, where it was before its last move"
    if to is None:
        return f"it was with {signs.text(name)} before its last move, and there is no such server any more"
    told = f"the last move from here: {signs.text(name)} {signs['arrow']} {signs.text(_name(after))}"
    told += f", {str(entry.get('time', ''))[:19].replace('T', ' ')} UTC"
    if holder is not None and _key(after) != (holder.type, holder.id, holder.address):
        told += "; somebody else has moved it since"
    return Back(to, name, told)


def _last_move(standing: Standing, history: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    found = None
    for entry in history:
        resource = entry.get("resource") or {}
        same = (entry.get("type"), resource.get("id"), resource.get("address")) == standing.identity
        if entry.get("event") == "move.done" and entry.get("outcome") == "done" and same:
            found = entry
    return found


def _holder(data: Mapping[str, Any], servers: Sequence[Server]) -> tuple[str | None, str]:
    """What a request calls a holder of the journal, and what people call it."""
    known = {server.id: server.name for server in servers}
    id = data.get("id")
    if id in known:
        return str(id), known[id]
    if data.get("type") == "gateway" and id is None and data.get("address"):
        return str(data["address"]), str(data["address"])
    return None, _name(data)


def _name(data: Mapping[str, Any]) -> str:
    return str(data.get("name") or data.get("address") or data.get("id") or "nobody")


def _key(data: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return (data.get("type"), data.get("id"), data.get("address"))
