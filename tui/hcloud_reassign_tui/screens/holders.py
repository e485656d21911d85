"""The home screen: every resource, who has it, and what there is to say about the one under the cursor."""

from __future__ import annotations

from collections.abc import Sequence

from hcloud_reassign_tui.screens.listing import ListPage
from hcloud_reassign_tui.view.detail import Lines, detail_of
from hcloud_reassign_tui.view.rows import Key, Row, with_marks
from hcloud_reassign_tui.widgets.table import ResourceTable


class HoldersPage(ListPage[Row]):
    """Who holds what."""

    NOUN = "resources"

    def __init__(self) -> None:
        super().__init__()
        self._marked: dict[Key, None] = {}

    def made_table(self) -> ResourceTable:
        return ResourceTable(self.owner.styles_of_cells, several=len(self.owner.desks) > 1, id="resources")

    def seen(self) -> tuple[Row, ...]:
        rows = self.owner.rows()
        known = {row.key for row in rows}
        self._marked = {key: None for key in self._marked if key in known}
        return rows

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

    # Selecting

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
