"""A table that changes only what differs, and keeps cursor and scroll where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from rich.text import Text
from textual.widgets import DataTable

from hcloud_reassign_tui.view.difference import difference
from hcloud_reassign_tui.view.listed import Key, Listed
from hcloud_reassign_tui.view.rows import COLUMNS, Row
from hcloud_reassign_tui.view.signs import Cell, Style

L = TypeVar("L", bound=Listed)

SLICE = 80
"""Rows drawn at a time: a screenful comes at once, and no slice blocks a key."""

_WIDTHS: Mapping[str, tuple[int, int]] = {
    "project": (10, 10),
    "kind": (10, 10),
    "address": (15, 40),
    "holder": (14, 32),
    "other": (12, 32),
    "state": (17, 20),
    "name": (18, 40),
    "moved": (11, 11),
}
"""The least and the most that a column takes. They never follow the content: measuring it stops the screen."""

_ORDER = ("project", "kind", "address", "holder", "other", "state", "name", "moved")
_DISPENSABLE = ("moved", "name")


class ListTable(DataTable[Text], Generic[L]):
    """Rows that are shown again and again. Foreign text is `rich.text.Text` and so never markup."""

    HEADINGS: ClassVar[Mapping[str, str]]

    def __init__(self, styles: Mapping[Style, str], *, id: str) -> None:
        super().__init__(id=id, cursor_type="row")
        self._styles = styles
        self._rows: tuple[L, ...] = ()
        self._by_name: dict[str, L] = {}
        self._widths: dict[str, int] = {}
        self._drawing = 0

    def columns_for(self, width: int) -> dict[str, int]:
        """Which columns fit into so many columns of the terminal, and how wide they are."""
        raise NotImplementedError

    @property
    def current(self) -> L | None:
        """The row under the cursor."""
        if not self.row_count or not self.is_valid_row_index(self.cursor_row):
            return None
        return self._by_name.get(str(self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value))

    def fit(self, width: int) -> None:
        """Choose columns and their widths for so many columns of the terminal."""
        widths = self.columns_for(width)
        if widths == self._widths:
            return
        self._widths = widths
        rows, self._rows = self._rows, ()
        at = self.current
        self.clear(columns=True)
        for name, wide in widths.items():
            self.add_column(self.HEADINGS[name], width=wide, key=name)
        self._draw_anew(rows, at.key if at else None)

    def show(self, rows: Sequence[L]) -> None:
        """Show these rows, in this order."""
        rows = tuple(rows)
        change = difference(self._rows, rows)
        if not change:
            self._rows = rows
            return
        at = self.current
        if change.anew or self._drawing:
            self._draw_anew(rows, at.key if at else None)
            return
        self._rows, self._by_name = rows, {_name(row.key): row for row in rows}
        for key in change.removed:
            self.remove_row(_name(key))
        for row in change.added:
            self._add(row)
        for key, column, cell in change.changed:
            if column in self._widths:
                self.update_cell(_name(key), column, self._text(cell, column))
        if change.removed and at is not None:
            self._go_to(at.key)

    def _draw_anew(self, rows: tuple[L, ...], at: Key | None) -> None:
        """Draw everything, a slice at a time; what is asked for meanwhile begins anew."""
        self.clear()
        self._rows, self._by_name = rows, {_name(row.key): row for row in rows}
        self._drawing += 1
        self._draw_slice(self._drawing, 0, at)

    def _draw_slice(self, drawing: int, start: int, at: Key | None) -> None:
        if drawing != self._drawing:
            return
        rows = self._rows[start : start + SLICE]
        for row in rows:
            self._add(row)
        if at is not None and any(row.key == at for row in rows):
            self._go_to(at, scroll=True)
        if start + SLICE < len(self._rows):
            self.call_after_refresh(self._draw_slice, drawing, start + SLICE, at)
        else:
            self._drawing = 0

    def _add(self, row: L) -> None:
        self.add_row(*(self._text(row.cells[name], name) for name in self._widths), key=_name(row.key))

    def _go_to(self, key: Key, scroll: bool = False) -> None:
        if _name(key) in self._by_name:
            self.move_cursor(row=self.get_row_index(_name(key)), scroll=scroll)

    def _text(self, cell: Cell, column: str) -> Text:
        text = Text(cell.text, style=self._styles[cell.style], no_wrap=True, end="")
        text.truncate(self._widths[column], overflow="ellipsis")
        return text


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


def _name(key: Key) -> str:
    return "\x1f".join(key)
