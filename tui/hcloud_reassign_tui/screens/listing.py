"""A full screen with one table: a filter, an order, and more about the row under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Generic, TypeVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.widgets import Input

from hcloud_reassign_tui.screens.export import TakingPage
from hcloud_reassign_tui.view.detail import Lines
from hcloud_reassign_tui.view.filtering import Filter, counted
from hcloud_reassign_tui.view.listed import Key, Listed
from hcloud_reassign_tui.widgets.lines import Line
from hcloud_reassign_tui.widgets.table import ListTable

L = TypeVar("L", bound=Listed)


class ListPage(TakingPage, Generic[L]):
    """What a screen of this kind says of itself: its table, its rows, and what there is to say about one."""

    AUTO_FOCUS = "#resources"
    NOUN: ClassVar[str]
    """What each of its rows is."""

    def __init__(self) -> None:
        super().__init__()
        self._filter = Filter()
        self._rows: tuple[L, ...] = ()

    def made_table(self) -> ListTable[L]:
        """The table, with the id `resources`."""
        raise NotImplementedError

    def seen(self) -> tuple[L, ...]:
        """All rows, as they are known now."""
        raise NotImplementedError

    def about(self, row: L) -> Lines:
        """What the row has no room for."""
        raise NotImplementedError

    def drawn(self, rows: tuple[L, ...]) -> Sequence[L]:
        """The rows with the marks that they are shown with."""
        return rows

    def nothing(self) -> str:
        """What stands where there are no rows at all."""
        return "\n".join(self.owner.troubles()) or self.owner.nothing_yet()

    def parts_of_status(self) -> list[str]:
        """What else the status line says."""
        return []

    def body(self) -> ComposeResult:
        yield Input(placeholder="words that a row must have", id="filter", compact=True)
        yield self.made_table()
        yield Line("empty")
        with VerticalScroll(id="pane", can_focus=False):
            yield Line("detail")
        yield Line("status")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#filter").display = False
        self.table.fit(self.app.size.width)
        self.refreshed()

    @property
    def table(self) -> ListTable[L]:
        return self.query_one("#resources", ListTable)

    @on(Resize)
    def fit(self) -> None:
        self.table.fit(self.size.width)
        self.tick()

    def refreshed(self) -> None:
        self._rows = self.seen()
        self._show()

    def _show(self) -> None:
        shown = self.drawn(self._filter(self._rows))
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
        return Text(self.nothing())

    def _say_status(self, shown: int) -> None:
        parts = [counted(shown, len(self._rows), self.NOUN)] if self._rows else []
        if self._filter.text:
            parts.append(f"filter: {self.owner.signs.text(self._filter.text)}")
        if self._filter.sort:
            heading = self.table.HEADINGS[self._filter.sort].lower()
            parts.append(f"sorted by {heading}{' (down)' * self._filter.descending}")
        parts += self.parts_of_status()
        text = Text("   ".join(parts))
        troubles = self.owner.troubles()
        if troubles and self._rows:
            text = Text("   ".join([troubles[0], *parts]), style=self.owner.styles_of_cells["warn"])
        self.query_one("#status", Line).say(text)

    @on(ListTable.Highlighted)
    def _say_detail(self) -> None:
        row = self.table.current
        self.query_one("#detail", Line).say("" if row is None else self.owner.drawn(self.about(row)))

    def current(self) -> L | None:
        """The row that an action is about, as it is without its marks."""
        row = self.table.current
        return next((one for one in self._rows if row is not None and one.key == row.key), None)

    # Taking along

    def copied(self) -> str | None:
        row = self.current()
        return None if row is None else "  ".join(cell.text.strip() for cell in row.cells.values() if cell.text.strip())

    def exported(self) -> list[dict[str, Any]]:
        return [self.data_of(row) for row in self._filter(self._rows)]

    def data_of(self, row: L) -> dict[str, Any]:
        """A row as plain data."""
        raise NotImplementedError

    # Looking

    def show_row(self, key: Key) -> None:
        """Put the cursor on a row, also when the filter leaves it out."""
        if self.filtering:
            ListPage.action_back(self)
        self.table.go_to(key)

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

    @property
    def filtering(self) -> bool:
        """Whether the filter is open or leaves something out."""
        return bool(self._filter.text) or self.query_one("#filter").display

    def action_back(self) -> None:
        if self.filtering:
            field = self.query_one("#filter", Input)
            field.value = ""
            field.display = False
            self._filter = replace(self._filter, text="")
            self.table.focus()
            self._show()
        else:
            super().action_back()

    def action_sort(self) -> None:
        columns = [None, *(name for name in self.table.HEADINGS if name in self.table.columns)]
        at = columns.index(self._filter.sort) if self._filter.sort in columns else 0
        self._filter = replace(self._filter, sort=columns[(at + 1) % len(columns)], descending=False)
        self._show()

    def action_sort_back(self) -> None:
        self._filter = replace(self._filter, descending=not self._filter.descending)
        self._show()
