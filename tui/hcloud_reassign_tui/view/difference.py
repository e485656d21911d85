"""What has to be redrawn: rows compared by their keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from hcloud_reassign_tui.view.listed import Key, Listed
from hcloud_reassign_tui.view.signs import Cell

L = TypeVar("L", bound=Listed)

MOST_SINGLE = 250
"""More rows than this that come or go are drawn anew at once: a table removes single rows slowly."""


@dataclass(frozen=True)
class Difference(Generic[L]):
    """`anew`: everything has to be drawn; else what to remove, to add at the end, and which cells to change."""

    anew: bool = False
    removed: tuple[Key, ...] = ()
    added: tuple[L, ...] = ()
    changed: tuple[tuple[Key, str, Cell], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.anew or self.removed or self.added or self.changed)


def difference(old: Sequence[L], new: Sequence[L]) -> Difference[L]:
    """How to come from the old rows to the new ones with the least drawing. The order of the new ones is kept."""
    before, after = {row.key: row for row in old}, {row.key: row for row in new}
    removed = tuple(key for key in before if key not in after)
    added = tuple(row for row in new if row.key not in before)
    kept = [key for key in before if key in after]
    in_order = [row.key for row in new] == [*kept, *(row.key for row in added)]
    if not in_order or len(removed) + len(added) > MOST_SINGLE:
        return Difference(anew=True)
    changed = tuple(
        (key, column, cell)
        for key in kept
        for column, cell in after[key].cells.items()
        if before[key].cells[column] != cell
    )
    return Difference(removed=removed, added=added, changed=changed)
