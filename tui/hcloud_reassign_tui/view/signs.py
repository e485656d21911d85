"""Signs and styles: what something means is a sign and a word; colour comes third."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hcloud_reassign.core.shown import clean

Style = Literal["plain", "good", "warn", "bad", "dim", "bold"]
Sign = Literal["ok", "warn", "bad", "unknown", "busy", "new", "marked", "arrow", "none"]

_SIGNS: Mapping[Sign, tuple[str, str]] = {
    "ok": ("●", "o"),
    "warn": ("▲", "!"),
    "bad": ("✖", "x"),
    "unknown": ("?", "?"),
    "busy": ("…", "~"),
    "new": ("•", "*"),
    "marked": ("■", "#"),
    "arrow": ("→", "->"),
    "none": (" ", " "),
}


@dataclass(frozen=True)
class Signs:
    """The signs of this terminal; `ascii` for one that shows nothing else."""

    ascii: bool = False

    def __getitem__(self, sign: Sign) -> str:
        return _SIGNS[sign][self.ascii]

    def text(self, foreign: object) -> str:
        """Foreign text made harmless; in ASCII what cannot be shown becomes an escape."""
        harmless = clean(foreign)
        return harmless.encode("ascii", "backslashreplace").decode() if self.ascii else harmless


@dataclass(frozen=True)
class Cell:
    """One cell of a table. Its text is harmless and never markup."""

    text: str
    style: Style = "plain"
