"""The rows of the home screen: one for every resource of every project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from hcloud_reassign.core.model import Assignment, Holder
from hcloud_reassign.core.shown import moment
from hcloud_reassign_tui.view.listed import Key as Key
from hcloud_reassign_tui.view.signs import Cell, Sign, Signs, Style

if TYPE_CHECKING:
    from hcloud_reassign.project import Standing

COLUMNS: Sequence[tuple[str, str]] = (
    ("project", "PROJECT"),
    ("kind", "KIND"),
    ("address", "ADDRESS"),
    ("holder", "HOLDER"),
    ("other", "OTHER"),
    ("state", "STATE"),
    ("name", "NAME"),
    ("moved", "LAST MOVED"),
)
"""Every column that there can be, with its heading; a screen shows those that it has room for."""

_KINDS = {"ip_floating": "floating", "ip_public": "primary", "ip_alias": "alias", "route": "route"}

STATES: Mapping[str | None, tuple[Sign, Style, str]] = {
    "at-source": ("ok", "good", "at source"),
    "at-destination": ("ok", "good", "at destination"),
    "member": ("ok", "good", "at a member"),
    "elsewhere": ("warn", "warn", "elsewhere"),
    "nobody": ("warn", "warn", "nobody has it"),
    "unreadable": ("unknown", "bad", "cannot be read"),
    "unfinished": ("bad", "bad", "unfinished move"),
    "held": ("warn", "warn", "held by a person"),
    None: ("none", "dim", "not configured"),
}


@dataclass(frozen=True)
class Row:
    """One resource as it is shown. `cells` has every column; `words` is what the filter looks through.

    `moving`: a move from here says more of it than the last look, which came in the middle.
    """

    key: Key
    standing: Standing
    cells: Mapping[str, Cell]
    moving: bool = False

    @property
    def assignment(self) -> Assignment:
        return self.standing.assignment

    @property
    def others(self) -> tuple[str, ...]:
        """Who else may have it, by its section."""
        holder = self.standing.holder.name if self.standing.holder else None
        return tuple(name for name in self.assignment.listed if name != holder)

    @property
    def unfinished(self) -> bool:
        """Whether a move of it was begun, and nobody is at it."""
        return self.standing.state == "unfinished" and not self.moving

    @cached_property
    def words(self) -> str:
        """All that is shown of it, in lower case."""
        return " ".join(cell.text for cell in self.cells.values()).lower()


@dataclass(frozen=True)
class Progress:
    """A move that is under way, or one that has just ended, on its row."""

    sign: Sign
    style: Style
    text: str
    wanted: str | None = None


def row_of(project: str, standing: Standing, signs: Signs, now_ms: int, going: Progress | None = None) -> Row:
    """One resource of a project as it is now."""
    key = (project, standing.name)
    resource = standing.resource
    cells = {
        "project": Cell(signs.text(project)),
        "kind": Cell(_KINDS.get(standing.assignment.type, signs.text(standing.assignment.type))),
        "address": Cell(signs.text(resource.address or resource.name or resource.id or ""), "bold"),
        "holder": _holder(standing, signs),
        "other": Cell(signs.text(_other(standing)), "dim"),
        "state": _state(standing, signs),
        "name": Cell(signs.text(standing.name), "plain" if standing.configured else "dim"),
        "moved": Cell(moved_text(standing, now_ms), "dim"),
    }
    if going is not None:
        cells = {**cells, **_moving(cells, going, signs)}
    return Row(key, standing, cells, moving=going is not None and going.style != "bad")


def moved_text(standing: Standing, now_ms: int) -> str:
    """How long ago it was moved, where that is known."""
    last = standing.last_move
    return moment(last.time_ms, now_ms).partition(" (")[0] if last and last.time_ms else ""


def _holder(standing: Standing, signs: Signs) -> Cell:
    if standing.found is None:
        return Cell("?", "bad")
    if standing.holder is None:
        return Cell("nobody", "warn")
    odd = standing.server_status not in (None, "running")
    return Cell(signs.text(holder_name(standing.holder)) + (f" ({standing.server_status})" if odd else ""))


def holder_name(holder: Holder | None) -> str:
    """A holder as everybody calls it; a gateway by its server where that is known."""
    if holder is None:
        return "nobody"
    return holder.name or str(holder)


def _other(standing: Standing) -> str:
    """Who else may have it."""
    holder = standing.holder.name if standing.holder else None
    others = [name for name in standing.assignment.listed if name != holder]
    return ", ".join(others)


def _state(standing: Standing, signs: Signs) -> Cell:
    sign, style, word = STATES[standing.state]
    odd = standing.server_status not in (None, "running")
    if odd and standing.state in ("at-source", "at-destination", "member", None):
        sign, style, word = "warn", "warn", f"holder is {standing.server_status}"
    return Cell(f"{signs[sign]} {word}", style)


def _moving(cells: Mapping[str, Cell], progress: Progress, signs: Signs) -> dict[str, Cell]:
    state = Cell(f"{signs[progress.sign]} {progress.text}", progress.style)
    if progress.wanted is None:
        return {"state": state}
    return {"state": state, "other": Cell(f"{signs['arrow']} {signs.text(progress.wanted)}", "bold")}


def with_marks(row: Row, signs: Signs, *, marked: bool, changed: bool) -> Row:
    """A row that is selected, or whose holder has changed since the last look, says so by a sign before its kind."""
    if not (marked or changed):
        return row
    sign = signs["marked" if marked else "new"]
    kind = Cell(f"{sign} {row.cells['kind'].text}", "bold")
    return replace(row, cells={**row.cells, "kind": kind})
