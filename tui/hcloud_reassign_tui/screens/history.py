"""What was moved, from this machine and by others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hcloud_reassign.core.guards import clock_time
from hcloud_reassign.core.objects import Network
from hcloud_reassign_tui.desk import Desk, told_of
from hcloud_reassign_tui.screens.listing import ListPage
from hcloud_reassign_tui.view.detail import Lines
from hcloud_reassign_tui.view.listed import Key
from hcloud_reassign_tui.view.past import COLUMNS, MOST, PastRow, about_past, history
from hcloud_reassign_tui.view.rows import Row
from hcloud_reassign_tui.view.signs import Style
from hcloud_reassign_tui.widgets.table import ListTable, shared_out

if TYPE_CHECKING:
    from hcloud_reassign.project import Past

MOST_ASKED = 25
"""The API is asked about so many objects: each costs a request."""

_WIDTHS: Mapping[str, tuple[int, int]] = {
    "project": (10, 10),
    "time": (16, 16),
    "name": (16, 32),
    "move": (17, 40),
    "outcome": (9, 11),
    "who": (10, 20),
    "action": (10, 24),
    "what": (20, 24),
}

Names = dict[tuple[type, int], str]


class HistoryTable(ListTable[PastRow]):
    """What happened, the newest first."""

    HEADINGS = dict(COLUMNS)

    def __init__(self, styles: Mapping[Style, str], *, several: bool, id: str) -> None:
        super().__init__(styles, id=id)
        self._several = several

    def columns_for(self, width: int) -> dict[str, int]:
        ranges = {name: wide for name, wide in _WIDTHS.items() if self._several or name != "project"}
        return shared_out(width, ranges, ("what", "action", "who"))


class HistoryPage(ListPage[PastRow]):
    """The journal of this machine and the API's own actions. `about` is the row that is asked about first."""

    NOUN = "move"
    WORD = "history"

    def __init__(self, first: Key | None = None) -> None:
        super().__init__()
        self._first = first
        self._found: dict[str, tuple[PastRow, ...]] = {}
        self._notes: dict[str, str] = {}
        self._reading: set[str] = set()

    def made_table(self) -> HistoryTable:
        return HistoryTable(self.owner.styles_of_cells, several=len(self.owner.desks) > 1, id="resources")

    def on_mount(self) -> None:
        for desk in self.owner.desks:
            self._read(desk)

    def refreshed(self) -> None:
        for desk in self.owner.desks:
            if desk.changed or (desk.status and desk.name not in self._found):
                self._read(desk)
        super().refreshed()

    def action_refresh(self) -> None:
        super().action_refresh()
        for desk in self.owner.desks:
            self._read(desk)

    def seen(self) -> tuple[PastRow, ...]:
        rows = [row for desk in self.owner.desks for row in self._found.get(desk.name, ())]
        rows.sort(key=lambda row: row.happened.time_ms, reverse=True)
        return tuple(rows[:MOST])

    def about(self, row: PastRow) -> Lines:
        return about_past(row, self.owner.signs, self.owner.now_ms())

    def data_of(self, row: PastRow) -> dict[str, Any]:
        happened = row.happened
        return {
            "project": row.key[0],
            "time": clock_time(happened.time_ms),
            "name": happened.name,
            "what": happened.what,
            "before": happened.before,
            "after": happened.after,
            "outcome": happened.outcome,
            "who": happened.who,
            "actions": list(happened.actions),
            "notes": list(happened.notes),
        }

    def nothing(self) -> str:
        if self._reading:
            return "reading ..."
        notes = [note for note in self._notes.values() if note]
        return "\n".join(["nothing was moved yet, as far as this machine and the API remember", *notes])

    def parts_of_status(self) -> list[str]:
        return [*(["reading ..."] if self._reading else []), *(note for note in self._notes.values() if note)]

    def _read(self, desk: Desk) -> None:
        """Have the journal and the API's memory read, unless that is under way."""
        if desk.name in self._reading:
            return
        self._reading.add(desk.name)
        objects, names, left_out = self._objects(desk)
        if left_out:
            self._notes[desk.name] = f"the API was asked about {len(objects)} of {len(objects) + left_out}"

        def done(answer: tuple[Journal, tuple[Past, ...], str] | None, error: Exception | None) -> None:
            self._reading.discard(desk.name)
            self._take(desk, names, answer, error)

        desk.questions.submit(lambda: _read(desk, objects), done)

    def _take(
        self, desk: Desk, names: Names, answer: tuple[Journal, tuple[Past, ...], str] | None, error: Exception | None
    ) -> None:
        if answer is None:
            self._notes[desk.name] = self.owner.signs.text(told_of(error))
        else:
            journal, pasts, failure = answer
            unread = [f"{names[type(past.of), past.of.id]}: {past.unread}" for past in pasts if past.unread]
            if failure or unread:
                self._notes[desk.name] = self.owner.signs.text(failure or f"not all could be read: {unread[0]}")
            servers = {server.id: server.name for server in desk.status.servers} if desk.status else {}
            self._found[desk.name] = history(desk.name, journal, pasts, names, servers, self.owner.signs)
        if self.is_attached:
            super().refreshed()

    def _objects(self, desk: Desk) -> tuple[list[Any], Names, int]:
        """What the API is asked about: what is under the cursor at home first, then in the order of the file."""
        rows = [row for row in self.owner.rows() if row.key[0] == desk.name]
        rows.sort(key=lambda row: row.key != self._first)
        found: dict[tuple[type, int], Any] = {}
        names: Names = {}
        for row in rows:
            labelled = row.standing.found.labelled if row.standing.found else None
            if labelled is not None:
                key = (type(labelled), labelled.id)
                found.setdefault(key, labelled)
                names.setdefault(key, _name(row, labelled))
        objects = list(found.values())
        return objects[:MOST_ASKED], names, max(len(objects) - MOST_ASKED, 0)


Journal = Sequence[Mapping[str, Any]]


def _read(desk: Desk, objects: list[Any]) -> tuple[Journal, tuple[Past, ...], str]:
    """On the lane. The journal is told also when the API is not there."""
    journal = desk.project.history()
    try:
        return journal, desk.project.actions(objects), ""
    except Exception as error:  # noqa: BLE001 - one of the edges: it is shown beside what the journal knows
        return journal, (), told_of(error)


def _name(row: Row, labelled: Any) -> str:
    return f"network {labelled.name}" if isinstance(labelled, Network) else row.standing.name
