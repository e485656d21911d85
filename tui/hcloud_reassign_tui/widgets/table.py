"""A table that draws what is in view and nothing else: a list of thousands costs no more than one of twenty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from hcloud_reassign_tui.view.listed import Key, Listed
from hcloud_reassign_tui.view.rows import COLUMNS, Row
from hcloud_reassign_tui.view.signs import Cell, Style

if TYPE_CHECKING:
    from hcloud_reassign_tui.app import ReassignApp

L = TypeVar("L", bound=Listed)

_WIDTHS: Mapping[str, tuple[int, int]] = {
    "project": (10, 10),
    "kind": (10, 10),
    "address": (15, 40),
    "holder": (14, 32),
    "other": (12, 32),
    "state": (18, 22),
    "name": (18, 40),
    "moved": (11, 11),
}
"""The least and the most that a column takes. They never follow the content: measuring it stops the screen."""

_ORDER = ("project", "kind", "address", "holder", "other", "state", "name", "moved")
_DISPENSABLE = ("moved", "name", "other")


class ListTable(ScrollView, Generic[L], can_focus=True):
    """Rows that are shown again and again, below a line of headings. Foreign text is a plain cell, never markup."""

    HEADINGS: ClassVar[Mapping[str, str]]
    COMPONENT_CLASSES = {"list--headings", "list--cursor"}
    DEFAULT_CSS = """
    ListTable { background: $surface; overflow-x: hidden; }
    ListTable > .list--headings { text-style: bold; background: $panel; }
    ListTable > .list--cursor { text-style: bold; }
    ListTable:focus > .list--cursor { text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", "Up", show=False),
        Binding("down,j", "cursor_down", "Down", show=False),
        Binding("pageup,ctrl+b", "page_up", "Page up", show=False),
        Binding("pagedown,ctrl+f", "page_down", "Page down", show=False),
        Binding("home,g", "first", "First row", show=False),
        Binding("end,G", "last", "Last row", show=False),
    ]

    cursor_row: reactive[int] = reactive(0)

    class Highlighted(Message):
        """The cursor stands on another row than before, or on none."""

    def __init__(self, styles: Mapping[Style, str], *, id: str) -> None:
        super().__init__(id=id)
        self._styles = styles
        self._parsed: dict[Style, RichStyle] = {}
        self._rows: tuple[L, ...] = ()
        self.columns: dict[str, int] = {}
        """The columns that are shown, and how wide they are."""
        self.drawn_lines = 0
        """How many lines were made since the start."""

    def columns_for(self, width: int) -> dict[str, int]:
        """Which columns fit into so many columns of the terminal, and how wide they are."""
        raise NotImplementedError

    @property
    def row_count(self) -> int:
        return len(self._rows)

    @property
    def current(self) -> L | None:
        """The row under the cursor."""
        return self._rows[self.cursor_row] if self.cursor_row < len(self._rows) else None

    def fit(self, width: int) -> None:
        """Choose columns and their widths for so many columns of the terminal."""
        columns = self.columns_for(width)
        if columns != self.columns:
            self.columns = columns
            self.refresh()

    def show(self, rows: Sequence[L]) -> None:
        """Show these rows, in this order. The cursor stays on its row, and the rows in view where they are."""
        before, at, index = self._rows, self.current, self.cursor_row
        self._rows = tuple(rows)
        self.virtual_size = Size(0, len(self._rows) + 1)
        found = self._place(at.key) if at is not None else 0
        with self.prevent(self.Highlighted):
            self.cursor_row = min(index, max(len(rows) - 1, 0)) if found is None else found
        moved = self.cursor_row - index
        if moved and found is not None:
            self.scroll_to(y=self.scroll_y + moved, animate=False, force=True)
        self._into_view()
        self._draw_changes(before)
        if self.current is not at:
            self.post_message(self.Highlighted())

    def _place(self, key: Key) -> int | None:
        near = self.cursor_row
        if near < len(self._rows) and self._rows[near].key == key:
            return near
        return next((index for index, row in enumerate(self._rows) if row.key == key), None)

    def _draw_changes(self, before: Sequence[L]) -> None:
        """Draw the lines in view that differ: a slow line carries no others."""
        top = self._top
        for line in range(1, self.size.height):
            index = top + line - 1
            old = before[index] if index < len(before) else None
            new = self._rows[index] if index < len(self._rows) else None
            if old is not new and (old is None or new is None or old.cells != new.cells):
                self.refresh(Region(0, line, self.size.width, 1))

    def go_to(self, key: Key) -> None:
        """Put the cursor on a row."""
        found = self._place(key)
        if found is not None:
            self.cursor_row = found

    # The cursor

    def validate_cursor_row(self, row: int) -> int:
        return max(0, min(row, len(self._rows) - 1))

    def watch_cursor_row(self, before: int, now: int) -> None:
        self._into_view()
        for row in (before, now):
            self.refresh(Region(0, row - self._top + 1, self.size.width, 1))
        self.post_message(self.Highlighted())

    @property
    def _top(self) -> int:
        """The row below the headings."""
        return round(self.scroll_y)

    @property
    def _page(self) -> int:
        return max(self.size.height - 1, 1)

    def _into_view(self) -> None:
        if not self.size.height:
            return
        top = max(min(self._top, self.cursor_row), self.cursor_row - self._page + 1)
        if top != self._top:
            self.scroll_to(y=top, animate=False, force=True)

    def action_cursor_up(self) -> None:
        self.cursor_row -= 1

    def action_cursor_down(self) -> None:
        self.cursor_row += 1

    def action_page_up(self) -> None:
        self.cursor_row -= self._page

    def action_page_down(self) -> None:
        self.cursor_row += self._page

    def action_first(self) -> None:
        self.cursor_row = 0

    def action_last(self) -> None:
        self.cursor_row = len(self._rows) - 1

    def on_click(self, event: Click) -> None:
        row = self._top + event.y - 1
        if event.y > 0 and row < len(self._rows):
            self.cursor_row = row

    def on_resize(self) -> None:
        self._into_view()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """A line of what is in view; the first one has the headings."""
        self.drawn_lines += 1
        width = self.size.width
        if y == 0:
            style = self.get_component_rich_style("list--headings")
            return self._line([(self.HEADINGS[name], style, wide) for name, wide in self.columns.items()], style, width)
        index = self._top + y - 1
        if index >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        row, style = self._rows[index], self.rich_style
        if index == self.cursor_row:
            style += self.get_component_rich_style("list--cursor")
        cells = [(row.cells[name], wide) for name, wide in self.columns.items()]
        return self._line([(cell.text, style + self._style(cell), wide) for cell, wide in cells], style, width)

    def _line(self, cells: Sequence[tuple[str, RichStyle, int]], style: RichStyle, width: int) -> Strip:
        segments = [Segment(f" {self._cut(text, wide)} ", of_cell) for text, of_cell, wide in cells]
        return Strip(segments).adjust_cell_length(width, style)

    def _cut(self, text: str, width: int) -> str:
        if cell_len(text) <= width:
            return set_cell_size(text, width)
        more = cast("ReassignApp", self.app).signs["busy"]
        return set_cell_size(text, width - 1) + more

    def _style(self, cell: Cell) -> RichStyle:
        if cell.style not in self._parsed:
            self._parsed[cell.style] = RichStyle.parse(self._styles[cell.style])
        return self._parsed[cell.style]


class ResourceTable(ListTable[Row]):
    """The rows of the home screen."""

    HEADINGS = dict(COLUMNS)

    def __init__(self, styles: Mapping[Style, str], *, several: bool, id: str) -> None:
        super().__init__(styles, id=id)
        self._several = several

    def columns_for(self, width: int) -> dict[str, int]:
        return fitted(width, several=self._several)


def fitted(width: int, *, several: bool) -> dict[str, int]:
    """The columns of the home screen that fit."""
    names = [name for name in _ORDER if several or name != "project"]
    return shared_out(width, {name: _WIDTHS[name] for name in names}, _DISPENSABLE)


def shared_out(width: int, ranges: Mapping[str, tuple[int, int]], dispensable: Sequence[str]) -> dict[str, int]:
    """The columns that fit, the least dispensable first, and how the room that is left is shared out."""
    names = list(ranges)
    for name in dispensable:
        if sum(ranges[one][0] + 2 for one in names) > width:
            names.remove(name)
    widths = {name: ranges[name][0] for name in names}
    left = width - sum(wide + 2 for wide in widths.values()) - 1
    while left > 0:
        growing = [name for name in names if widths[name] < ranges[name][1]]
        if not growing:
            break
        for name in growing[:left]:
            widths[name] += 1
        left -= len(growing[:left])
    return widths
