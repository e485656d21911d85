"""What the filter leaves on the screen, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from hcloud_reassign_tui.view.listed import Listed

L = TypeVar("L", bound=Listed)


@dataclass(frozen=True)
class Filter:
    """Words that a row must all have. `sort` is a column, None: the order of the file."""

    text: str = ""
    sort: str | None = None
    descending: bool = False

    def __call__(self, rows: Iterable[L]) -> tuple[L, ...]:
        words = self.text.lower().split()
        found = [row for row in rows if all(word in row.words for word in words)] if words else list(rows)
        if self.sort is not None:
            column = self.sort
            found.sort(key=lambda row: row.cells[column].text, reverse=self.descending)
        return tuple(found)


def counted(shown: int, of: int, noun: str) -> str:
    """`12 of 340 moves`, or `340 moves` when nothing is left out, or `1 move`."""
    return many(of, noun) if shown == of else f"{shown} of {many(of, noun)}"


def many(count: int, noun: str) -> str:
    """`1 move`, `2 moves`."""
    return f"{count} {noun}{'s' * (count != 1)}"
