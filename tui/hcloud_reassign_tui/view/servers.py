"""The rows of the servers' screen: what each server holds, and what can be taken from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hcloud_reassign.core.objects import Server
from hcloud_reassign_tui.view.detail import Lines
from hcloud_reassign_tui.view.listed import Key
from hcloud_reassign_tui.view.rows import Row
from hcloud_reassign_tui.view.signs import Cell, Signs

COLUMNS: Sequence[tuple[str, str]] = (
    ("project", "PROJECT"),
    ("name", "SERVER"),
    ("status", "STATUS"),
    ("location", "LOCATION"),
    ("ip_floating", "FLOATING"),
    ("ip_public", "PRIMARY"),
    ("ip_alias", "ALIAS"),
    ("route", "ROUTE"),
    ("addresses", "HOLDS"),
)
_COUNTED = {"ip_floating": 8, "ip_public": 7, "ip_alias": 5, "route": 5}
"""The types that are counted, and how wide their columns are."""
STAYS = "ip_public"
"""The type that an evacuation leaves where it is: to move one, servers have to be stopped."""


@dataclass(frozen=True)
class ServerRow:
    """One server, and the rows of what it holds."""

    key: Key
    server: Server
    holds: tuple[Row, ...]
    cells: Mapping[str, Cell]
    words: str


@dataclass(frozen=True)
class Evacuation:
    """What goes when everything shall go, and what stays nevertheless."""

    goes: tuple[Row, ...]
    stays: tuple[Row, ...]


def servers_of(project: str, servers: Iterable[Server], rows: Iterable[Row], signs: Signs) -> tuple[ServerRow, ...]:
    """The servers of one project by their names."""
    held: dict[int, list[Row]] = {}
    for row in rows:
        holder = row.standing.holder
        if holder is not None and holder.type in ("server", "gateway") and holder.id is not None:
            held.setdefault(holder.id, []).append(row)
    return tuple(
        _row(project, server, tuple(held.get(server.id, ())), signs)
        for server in sorted(servers, key=lambda one: (one.name, one.id))
    )


def _row(project: str, server: Server, holds: tuple[Row, ...], signs: Signs) -> ServerRow:
    cells = {
        "project": Cell(signs.text(project)),
        "name": Cell(signs.text(server.name), "bold"),
        "status": _status(server, signs),
        "location": Cell(signs.text(server.location or "")),
        **{type: _count(type, wide, holds) for type, wide in _COUNTED.items()},
        "addresses": Cell(", ".join(row.cells["address"].text for row in holds), "dim"),
    }
    words = " ".join(cell.text for cell in cells.values()).lower()
    return ServerRow((project, str(server.id)), server, holds, cells, words)


def _status(server: Server, signs: Signs) -> Cell:
    running = server.status == "running"
    return Cell(f"{signs['ok' if running else 'warn']} {signs.text(server.status)}", "good" if running else "warn")


def _count(type: str, wide: int, holds: Sequence[Row]) -> Cell:
    """A number, on the right and so in order when it is sorted as text; nothing for none."""
    number = sum(row.assignment.type == type for row in holds)
    return Cell(f"{number:>{wide}}" if number else "")


def about_server(row: ServerRow, signs: Signs) -> Lines:
    """The server, and what it holds, a line for each."""
    server = row.server
    named = (f"id {server.id}", server.location, server.ipv4, server.ipv6)
    head = (Cell(signs.text(server.name), "bold"), *(Cell(signs.text(word)) for word in named if word))
    if not row.holds:
        return (head, (Cell("holds nothing that could be moved", "dim"),))
    return (head, *((held.cells["kind"], held.cells["address"], held.cells["name"]) for held in row.holds))


def evacuation(row: ServerRow) -> Evacuation:
    """Everything goes anywhere: what sections say about source, destination and members is left aside.

    No section means such a move, and so no command line names it.
    """
    goes = tuple(_anywhere(held) for held in row.holds if held.assignment.type != STAYS)
    return Evacuation(goes, tuple(held for held in row.holds if held.assignment.type == STAYS))


def _anywhere(row: Row) -> Row:
    assignment = replace(row.assignment, source=None, destination=None, members=(), anybody=True)
    return replace(row, standing=replace(row.standing, assignment=assignment, configured=False))
