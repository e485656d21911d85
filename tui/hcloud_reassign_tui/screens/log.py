"""What happened in this session: moves, changes that were seen, and errors."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import RichLog

from hcloud_reassign_tui.screens.export import TakingPage
from hcloud_reassign_tui.view.filtering import many
from hcloud_reassign_tui.view.logged import MOST
from hcloud_reassign_tui.widgets.lines import Line


class LogPage(TakingPage):
    """The newest line is at the end."""

    AUTO_FOCUS = "#log"
    WORD = "log"

    def __init__(self) -> None:
        super().__init__()
        self._written = 0

    def body(self) -> ComposeResult:
        yield RichLog(id="log", max_lines=MOST, min_width=1, wrap=True, markup=False, highlight=False)
        yield Line("status")

    def refreshed(self) -> None:
        self.tick()

    def tick(self) -> None:
        super().tick()
        fresh = self.owner.logged.since(self._written)
        self._written = self.owner.logged.count
        log = self.query_one(RichLog)
        for line in fresh:
            log.write(Text(line), scroll_end=log.is_vertical_scroll_end)
        self.query_one("#status", Line).say(
            f"{many(len(self.owner.logged.lines), 'line')} of this session; times are UTC"
        )

    def copied(self) -> str:
        return "\n".join(self.owner.logged.lines)

    def exported(self) -> list[Any]:
        return list(self.owner.logged.lines)
