"""The home screen: every resource, who has it, and what there is to say about the one under the cursor."""

from __future__ import annotations

from dataclasses import replace

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.widgets import DataTable, Input

from hcloud_reassign_tui.screens.page import Page
from hcloud_reassign_tui.view.detail import detail_of
from hcloud_reassign_tui.view.filtering import Filter, counted
from hcloud_reassign_tui.view.rows import COLUMNS, Key, Row, with_marks
from hcloud_reassign_tui.widgets.lines import Line
from hcloud_reassign_tui.widgets.table import ResourceTable


class HoldersPage(Page):
    """Who holds what."""

    AUTO_FOCUS = "#resources"

    def __init__(self) -> None:
        super().__init__()
        self._filter = Filter()
        self._rows: tuple[Row, ...] = ()
        self._marked: dict[Key, None] = {}

    def body(self) -> ComposeResult:
        yield Input(placeholder="words that a row must have", id="filter", compact=True)
        yield ResourceTable(self.owner.styles_of_cells, several=len(self.owner.desks) > 1, id="resources")
        yield Line("empty")
        with VerticalScroll(id="pane", can_focus=False):
            yield Line("detail")
        yield Line("status")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#filter").display = False
        self.refreshed()

    @property
    def table(self) -> ResourceTable:
        return self.query_one(ResourceTable)

    @on(Resize)
    def fit(self) -> None:
        self.table.fit(self.size.width)
        self.tick()

    def refreshed(self) -> None:
        self._rows = self.owner.rows()
        self._marked = {key: None for key in self._marked if any(row.key == key for row in self._rows)}
        self._show()

    def _show(self) -> None:
        changed = {key for desk in self.owner.desks for key in desk.changed}
        signs = self.owner.signs
        shown = [
            with_marks(row, signs, marked=row.key in self._marked, changed=row.key in changed)
            for row in self._filter(self._rows)
        ]
        self.table.show(shown)
        self._say_empty(bool(shown))
        self._say_status(len(shown))
        self._say_detail()
        self.tick()

    def _say_empty(self, any_shown: bool) -> None:
        self.table.display = any_shown
        line = self.query_one("#empty", Line)
        line.display = not any_shown
        if not any_shown:
            line.say(self._why_empty())

    def _why_empty(self) -> Text:
        if self._filter.text and self._rows:
            return Text(f"nothing matches {self._filter.text!r}; Esc shows everything again")
        return Text("\n".join(self.owner.troubles()) or self.owner.nothing_yet())

    def _say_status(self, shown: int) -> None:
        parts = [f"{counted(shown, len(self._rows))} resources"]
        if self._filter.text:
            parts.append(f"filter: {self.owner.signs.text(self._filter.text)}")
        if self._filter.sort:
            parts.append(f"sorted by {dict(COLUMNS)[self._filter.sort].lower()}{' (down)' * self._filter.descending}")
        if self._marked:
            parts.append(f"{len(self._marked)} selected")
        text = Text("   ".join(parts))
        troubles = self.owner.troubles()
        if troubles and self._rows:
            text = Text("   ".join([troubles[0], *parts]), style=self.owner.styles_of_cells["warn"])
        self.query_one("#status", Line).say(text)

    @on(DataTable.RowHighlighted)
    def _say_detail(self) -> None:
        row = self.table.current
        if row is None:
            self.query_one("#detail", Line).say("")
            return
        text = Text("\n").join(
            Text("  ").join(Text(cell.text, style=self.owner.styles_of_cells[cell.style]) for cell in line)
            for line in detail_of(row, self.owner.signs, self.owner.now_ms())
        )
        self.query_one("#detail", Line).say(text)

    def current(self) -> Row | None:
        """The row that an action is about, as it is without its marks."""
        row = self.table.current
        return next((one for one in self._rows if row is not None and one.key == row.key), None)

    def marked(self) -> tuple[Row, ...]:
        """The rows that were selected, in the order of the file."""
        return tuple(row for row in self._rows if row.key in self._marked)

    # Looking

    def action_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.display = True
        field.focus()

    @on(Input.Changed, "#filter")
    def _filtered(self, event: Input.Changed) -> None:
        self._filter = replace(self._filter, text=event.value)
        self._show()

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self.table.focus()
        self.query_one("#filter").display = bool(self._filter.text)

    def action_back(self) -> None:
        field = self.query_one("#filter", Input)
        if self._filter.text or field.display:
            field.value = ""
            field.display = False
            self._filter = replace(self._filter, text="")
            self.table.focus()
        elif self._marked:
            self._marked.clear()
        self._show()

    def action_sort(self) -> None:
        columns = [None, *(name for name, _ in COLUMNS if name in self.table.columns or name == "kind")]
        at = columns.index(self._filter.sort) if self._filter.sort in columns else 0
        self._filter = replace(self._filter, sort=columns[(at + 1) % len(columns)], descending=False)
        self._show()

    def action_sort_back(self) -> None:
        self._filter = replace(self._filter, descending=not self._filter.descending)
        self._show()

    def action_mark(self) -> None:
        row = self.table.current
        if row is None:
            return
        if self._marked.pop(row.key, row) is row:
            self._marked[row.key] = None
        self._show()
        self.table.action_cursor_down()
