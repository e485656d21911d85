"""Rows that are kept from one picture to the next: only what shows something else is made anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hcloud_reassign_tui.view.rows import Key, Progress, Row, moved_text, row_of
from hcloud_reassign_tui.view.signs import Signs

if TYPE_CHECKING:
    from hcloud_reassign.project import Standing


class Shelf:
    """The rows of one project, in its order: what is configured comes first."""

    def __init__(self, project: str, signs: Signs) -> None:
        self._project, self._signs = project, signs
        self._kept: dict[str, tuple[object, Row]] = {}

    def rows(self, standings: Sequence[Standing], now_ms: int, progress: Mapping[Key, Progress]) -> tuple[Row, ...]:
        """The rows of these standings. One that shows the same is the same object as before."""
        kept: dict[str, tuple[object, Row]] = {}
        for standing in standings:
            name = standing.name
            going = progress.get((self._project, name)) if progress else None
            shown = (id(standing), going, moved_text(standing, now_ms))
            known = self._kept.get(name)
            if known is None or known[0] != shown:
                # The row keeps the standing alive, so that no other one gets its id.
                known = (shown, row_of(self._project, standing, self._signs, now_ms, going))
            kept[name] = known
        self._kept = kept
        return tuple(row for _, row in kept.values())


def with_known(old: Sequence[Standing], new: Sequence[Standing]) -> tuple[Standing, ...]:
    """The new standings, but the old objects where nothing is different: then nobody has to compare them again."""
    known = {standing.name: standing for standing in old}
    return tuple(known[one.name] if known.get(one.name) == one else one for one in new)
