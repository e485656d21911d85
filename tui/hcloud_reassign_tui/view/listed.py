"""What every table shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from hcloud_reassign_tui.view.signs import Cell

Key = tuple[str, str]
"""What makes a row the same one: its project, and its name in there."""


class Listed(Protocol):
    """A row. `cells` has every column that there can be; `words` is what the filter looks through."""

    @property
    def key(self) -> Key: ...

    @property
    def cells(self) -> Mapping[str, Cell]: ...

    @property
    def words(self) -> str: ...
