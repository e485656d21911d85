"""Foreign text made harmless, pieces of text with a meaning, and columns that line up."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Literal

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))

Style = Literal["plain", "good", "warn", "bad", "dim", "bold"]

# What a terminal obeys instead of showing: control characters, marks that turn text around, lone surrogates.
_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def clean(text: object) -> str:
    """Text on one line in which everything that a terminal would obey is shown as an escape."""
    return _OBEYED.sub(lambda found: _escape(found[0]), str(text))


def _escape(letter: str) -> str:
    if letter in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": " "}[letter]
    code = ord(letter)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


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


def moment(ms: int, now_ms: int | None = None) -> str:
    """A time for people, from unix milliseconds; with `now_ms` how long ago it was."""
    told = datetime.fromtimestamp(ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    if now_ms is None or now_ms < ms:
        return told
    past = (now_ms - ms) // 1000
    unit, size = next((unit, size) for unit, size in _UNITS if past >= size or size == 1)
    return f"{past // size} {unit} ago ({told})"


def seconds(ms: int | None) -> str:
    """A duration for people, from milliseconds; empty when it is not known."""
    if ms is None:
        return ""
    return f"{ms} ms" if ms < 1000 else f"{ms / 1000:.1f} s"
