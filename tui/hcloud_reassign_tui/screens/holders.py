"""The home screen: every resource, who has it, and what there is to say about the one under the cursor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hcloud_reassign_tui.screens.details import DetailsPage
from hcloud_reassign_tui.screens.listing import ListPage
from hcloud_reassign_tui.view.detail import Lines, detail_of
from hcloud_reassign_tui.view.plans import command_of
from hcloud_reassign_tui.view.rows import Key, Row, with_marks
from hcloud_reassign_tui.widgets.table import ResourceTable


class HoldersPage(ListPage[Row]):
    """Who holds what."""

    NOUN = "resource"
    WORD = "holders"

    def __init__(self) -> None:
        super().__init__()
        self._marked: dict[Key, None] = {}

    def made_table(self) -> ResourceTable:
        return ResourceTable(self.owner.styles_of_cells, several=len(self.owner.desks) > 1, id="resources")

    def seen(self) -> tuple[Row, ...]:
        rows = self.rows()
        known = {row.key for row in rows}
        self._marked = {key: None for key in self._marked if key in known}
        return rows

    def rows(self) -> tuple[Row, ...]:
        """What this page is about."""
        return self.owner.rows()

    def about(self, row: Row) -> Lines:
        return detail_of(row, self.owner.signs, self.owner.now_ms())

    def drawn(self, rows: tuple[Row, ...]) -> Sequence[Row]:
        changed = {key for desk in self.owner.desks for key in desk.changed}
        signs = self.owner.signs
        return [with_marks(row, signs, marked=row.key in self._marked, changed=row.key in changed) for row in rows]

    def parts_of_status(self) -> list[str]:
        return [f"{len(self._marked)} selected"] if self._marked else []

    def marked(self) -> tuple[Row, ...]:
        """The rows that were selected, in the order of the file."""
        return tuple(row for row in self._rows if row.key in self._marked)

    # Going on, taking along

    def action_history(self) -> None:
        row = self.current()
        self.owner.go("history", row.key if row else None)

    def action_details(self) -> None:
        row = self.current()
        if row is not None:
            self.owner.push_screen(DetailsPage(row.key))

    def action_copy_command(self) -> None:
        row = self.current()
        if row is None:
            return
        if not row.standing.configured:
            self.tell("no section names it, so no command line does: `hcloud-reassign init` writes one", warn=True)
            return
        to = next(iter(row.others), None)
        if to is None:
            self.tell("its section names nobody else to move it to", warn=True)
            return
        begin = self.owner.desk_of(row.key).project.invocation("run")
        self.copy(command_of(begin, [row], (), to), "the command")

    def data_of(self, row: Row) -> dict[str, Any]:
        return {"project": row.key[0], **row.standing.data()}

    # Changing

    def action_move(self) -> None:
        row = self.current()
        if row is not None:
            self.owner.start_move([row])

    def action_move_marked(self) -> None:
        row = self.current()
        if self._marked:
            self.owner.start_move(self.marked())
        elif row is not None:
            self._move_group_of(row)

    def _move_group_of(self, row: Row) -> None:
        groups = self.owner.desk_of(row.key).project.settings.groups
        group = next((one for one in groups if row.standing.configured and row.standing.name in one.members), None)
        if group is None:
            self.owner.warn(f"nothing is selected, and {row.standing.name} is in no group: Space selects")
            return
        project = row.key[0]
        members = [one for one in self.owner.rows() if one.key in {(project, name) for name in group.members}]
        self.owner.start_move(members, [group])

    def action_revert(self) -> None:
        row = self.current()
        if row is not None:
            self.owner.changing.revert(row)

    def action_hold(self) -> None:
        row = self.current()
        if row is not None:
            self.owner.changing.hold(self.marked() or [row])

    # Selecting

    def unmark(self, keys: Iterable[Key]) -> None:
        """Take rows out of the selection: what was to be done with them has begun."""
        for key in keys:
            self._marked.pop(key, None)

    def action_back(self) -> None:
        if self._marked and not self.filtering:
            self._marked.clear()
            self._show()
        else:
            super().action_back()

    def action_mark(self) -> None:
        row = self.table.current
        if row is None:
            return
        if self._marked.pop(row.key, row) is row:
            self._marked[row.key] = None
        self._show()
        self.table.action_cursor_down()
