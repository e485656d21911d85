"""`status` for people: where each resource is, in lines that agree with those of `run`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from hcloud_reassign.cli.render import holder_name, resource_name
from hcloud_reassign.cli.session import now_ms
from hcloud_reassign.cli.text import Line, Piece, Style, columns, indented, line, moment
from hcloud_reassign.cli.writer import Writer

if TYPE_CHECKING:
    from hcloud_reassign.project import Standing

_SHOWN: Mapping[str | None, tuple[str, Style]] = {
    "at-source": ("done", "good"),
    "at-destination": ("done", "good"),
    "member": ("done", "good"),
    "elsewhere": ("refused", "warn"),
    "nobody": ("unchanged", "warn"),
    "unreadable": ("unknown", "bad"),
    "unfinished": ("pending", "bad"),
    "held": ("refused", "warn"),
    None: ("done", "plain"),
}


def table(standings: Sequence[Standing], writer: Writer, *, prefix: Sequence[str] = ()) -> list[Line]:
    """The rows; with several projects each name has its project before it."""
    pairs = list(zip(standings, list(prefix) or [""] * len(standings), strict=True))
    # Apart, because the names that nobody chose are long.
    lines = []
    for part in ([pair for pair in pairs if pair[0].configured], [pair for pair in pairs if not pair[0].configured]):
        rows = columns([_row(standing, project, writer) for standing, project in part])
        for row, (standing, _) in zip(rows, part, strict=True):
            lines += [row, *indented(_below(standing), 4)]
    return lines


def _row(standing: Standing, project: str, writer: Writer) -> list[Piece]:
    symbol, style = _SHOWN[standing.state]
    word = standing.state.replace("-", " ") if standing.state else "not configured"
    return [
        Piece(f"{writer.symbol(symbol)} {word}", style),
        Piece(f"{project}:{standing.name}" if project else standing.name, "bold"),
        Piece(resource_name(standing.resource)),
        Piece(_holder(standing)),
        Piece(_listed(standing, writer.symbol("arrow")), "dim"),
    ]


def _holder(standing: Standing) -> str:
    if standing.found is None:
        return "?"
    odd = standing.server_status not in (None, "running")
    return holder_name(standing.holder) + (f" ({standing.server_status})" if odd else "")


def _listed(standing: Standing, arrow: str) -> str:
    assignment = standing.assignment
    if assignment.members:
        return f"members {', '.join(assignment.members)}"
    ends = [assignment.source or "anybody", assignment.destination or "--to"]
    return f"{ends[0]} {arrow} {ends[1]}" if standing.configured else ""


def _below(standing: Standing) -> Iterator[Line]:
    if standing.message:
        yield line(standing.message)
    if standing.held_until_ms is not None:
        yield line(Piece("held", "warn"), f" until {moment(standing.held_until_ms)}: triggered requests are refused")
    if standing.state == "unfinished":
        yield line("an earlier move was not finished: run it again to finish it")
    last = standing.last_move
    if last is not None and last.time_ms is not None:
        to = f" to {last.server}" if last.server else ""
        who = f" by {last.who}" if last.who else ""
        yield line(Piece(f"last moved{to}{who} {moment(last.time_ms, now_ms())}", "dim"))
