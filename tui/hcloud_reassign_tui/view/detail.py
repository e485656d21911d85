"""Everything there is to say about one resource, as lines for the pane below the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hcloud_reassign.core.shown import moment
from hcloud_reassign_tui.view.rows import Row, holder_name
from hcloud_reassign_tui.view.signs import Cell, Signs

Lines = tuple[tuple[Cell, ...], ...]


def detail_of(row: Row, signs: Signs, now_ms: int) -> Lines:
    """What the row has no room for: where it is, its labels, the last move, what is wrong."""
    return tuple(_lines(row, signs, now_ms))


def _lines(row: Row, signs: Signs, now_ms: int) -> Iterator[tuple[Cell, ...]]:
    standing, resource = row.standing, row.standing.resource
    holder = holder_name(standing.holder) if standing.found else "cannot be read"
    known = (resource.name, f"id {resource.id}" if resource.id is not None else None, _location(row))
    yield (
        Cell(signs.text(resource.address or resource.name or ""), "bold"),
        *(Cell(signs.text(text)) for text in known if text and text != resource.address),
        Cell(f"held by {signs.text(holder)}"),
    )
    if standing.message:
        yield (Cell(signs.text(standing.message), "bad"),)
    if row.unfinished:
        yield (Cell("an earlier move was not finished: move it again to finish it", "bad"),)
    if standing.held_until_ms is not None:
        until = moment(standing.held_until_ms)
        yield (Cell(f"held by a person until {until}: triggered requests are refused", "warn"),)
    yield from _last_move(row, signs, now_ms)
    if standing.assignment.note:
        yield (Cell(signs.text(standing.assignment.note)),)
    labels = " ".join(f"{key}={value}" for key, value in _labels(row).items())
    if labels:
        yield (Cell("labels", "dim"), Cell(signs.text(labels), "dim"))


def _location(row: Row) -> str | None:
    labelled = row.standing.found.labelled if row.standing.found else None
    location: str | None = getattr(labelled, "location", None)
    return location


def _labels(row: Row) -> Mapping[str, str]:
    return row.standing.found.labels if row.standing.found else {}


def _last_move(row: Row, signs: Signs, now_ms: int) -> Iterator[tuple[Cell, ...]]:
    last = row.standing.last_move
    if last is None or last.time_ms is None:
        return
    to = f" to {signs.text(last.server)}" if last.server else ""
    who = f" by {signs.text(last.who)}" if last.who else ""
    yield (Cell(f"last moved{to}{who} {moment(last.time_ms, now_ms)}", "dim"),)
