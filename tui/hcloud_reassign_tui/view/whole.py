"""Everything about one resource, in sections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hcloud_reassign.core.claims import PREFIX
from hcloud_reassign.core.objects import Network
from hcloud_reassign.core.shown import moment, width
from hcloud_reassign_tui.view.detail import Lines
from hcloud_reassign_tui.view.plans import KINDS
from hcloud_reassign_tui.view.rows import Row, holder_name
from hcloud_reassign_tui.view.signs import Cell, Signs, Style

Facts = Iterable[tuple[str, object]]


def whole(row: Row, signs: Signs, now_ms: int) -> Lines:
    """The resource, its last move, its section, its labels; a part is there only when it says something."""
    address = row.standing.resource.address or row.standing.resource.name or row.standing.name
    return (
        (Cell(signs.text(address), "bold"), row.cells["state"]),
        *_part(_resource(row), signs),
        *_part(_message(row), signs, "bad"),
        *_part(_moved(row, now_ms), signs, heading="Last move"),
        *_part(_section(row), signs, heading="Section"),
        *_part(_labels(row, ours=False), signs, heading="Labels"),
        *_part(_labels(row, ours=True), signs, heading="Labels of this program"),
    )


def _part(
    facts: Facts, signs: Signs, style: Style = "plain", *, heading: str | None = None
) -> Iterator[tuple[Cell, ...]]:
    known = [(signs.text(name), signs.text(value)) for name, value in facts if value not in (None, "", ())]
    if known and heading:
        yield (Cell(heading, "bold"),)
    wide = max((width(name) for name, _ in known), default=0)
    for name, value in known:
        yield (Cell(f"  {name}{' ' * (wide - width(name))}", "dim"), Cell(value, style))


def _resource(row: Row) -> Iterator[tuple[str, object]]:
    standing, resource = row.standing, row.standing.resource
    labelled = standing.found.labelled if standing.found else None
    yield "type", KINDS.get(standing.assignment.type, standing.assignment.type)
    yield "name", resource.name
    yield "id", resource.id
    yield "location", getattr(labelled, "location", None)
    yield "network", labelled.name if isinstance(labelled, Network) else None
    yield "holder", holder_name(standing.holder) if standing.found else "cannot be read"
    yield "server is", standing.server_status
    if standing.held_until_ms is not None:
        yield "held until", f"{moment(standing.held_until_ms)}: triggered requests are refused"


def _message(row: Row) -> Iterator[tuple[str, object]]:
    yield "trouble", row.standing.message
    if row.unfinished:
        yield "trouble", "an earlier move was not finished: move it again to finish it"


def _moved(row: Row, now_ms: int) -> Iterator[tuple[str, object]]:
    last = row.standing.last_move
    if last is None:
        return
    yield "when", moment(last.time_ms, now_ms) if last.time_ms else None
    yield "to", last.server
    yield "who", last.who
    yield "command", last.command
    if last.claim_ms is not None:
        yield "claimed", f"for {last.claimed_for}, {moment(last.claim_ms, now_ms)}"


def _section(row: Row) -> Iterator[tuple[str, object]]:
    assignment = row.assignment
    if not row.standing.configured:
        return
    where = assignment.where
    yield "section", f"[{assignment.name}]"
    yield "file", f"{where.file}:{where.line}" if where.file and where.line else where.file
    yield "source", assignment.source
    yield "destination", assignment.destination
    yield "members", ", ".join(assignment.members)
    yield "network", assignment.options.get("network")
    yield "note", assignment.note


def _labels(row: Row, *, ours: bool) -> Iterator[tuple[str, object]]:
    labels = row.standing.found.labels if row.standing.found else {}
    for name, value in sorted(labels.items()):
        if name.startswith(PREFIX) == ours:
            yield name, value or '""'
