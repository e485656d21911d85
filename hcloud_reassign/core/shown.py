"""Values as people read them, on any screen, and foreign text made harmless."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timezone

LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))

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


_HIDDEN = "***"
# 64 letters and digits, capitals and others among them: a token that lost its place, before anybody knows it as one.
_TOKEN = re.compile(r"(?<![A-Za-z0-9])(?=[a-z0-9]*[A-Z])(?=[A-Z0-9]*[a-z])[A-Za-z0-9]{64}(?![A-Za-z0-9])")


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """A text with every known secret hidden, and whatever looks like a token.

    To be asked before the text is escaped for some format: escapes take a secret apart for a search, not for eyes.
    """
    # The longest first: one may be a part of another.
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return _TOKEN.sub(_HIDDEN, text)


def width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def moment(ms: int, now_ms: int | None = None) -> str:
    """A time for people, from unix milliseconds; with `now_ms` how long ago it was. Labels may hold any number."""
    told = datetime.fromtimestamp(min(max(ms, 0), LAST_MS) // 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
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
