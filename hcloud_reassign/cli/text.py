"""Pieces of text with a meaning, and columns that line up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from hcloud_reassign.core.shown import clean as clean
from hcloud_reassign.core.shown import moment as moment
from hcloud_reassign.core.shown import seconds as seconds
from hcloud_reassign.core.shown import width as width

Style = Literal["plain", "good", "warn", "bad", "dim", "bold"]


@dataclass(frozen=True)
class Piece:
    """Some text of one style. It is made harmless when it is written, wherever it came from."""

    text: str
    style: Style = "plain"


Line = tuple[Piece, ...]


def line(*pieces: str | Piece) -> Line:
    return tuple(piece if isinstance(piece, Piece) else Piece(piece) for piece in pieces)


def columns(rows: Sequence[Sequence[Piece]], gap: int = 2) -> list[Line]:
    """Rows with every cell as wide as the widest of its column; nothing after the last cell that says something."""
    widths: dict[int, int] = {}
    for row in rows:
        for number, cell in enumerate(row):
            widths[number] = max(widths.get(number, 0), width(clean(cell.text)))
    return [tuple(_padded(row, widths, gap)) for row in rows]


def _padded(row: Sequence[Piece], widths: dict[int, int], gap: int) -> Iterable[Piece]:
    last = max((number for number, cell in enumerate(row) if cell.text), default=-1)
    for number, cell in enumerate(row[: last + 1]):
        yield cell
        if number < last and widths[number]:
            yield Piece(" " * (widths[number] - width(clean(cell.text)) + gap))


def indented(lines: Iterable[Line], by: int) -> list[Line]:
    return [(Piece(" " * by), *pieces) for pieces in lines]
