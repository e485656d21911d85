"""All keys, made from the registry; those of the screen that it was asked on come first."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from hcloud_reassign_tui.screens.page import Page
from hcloud_reassign_tui.view.keys import keys_of
from hcloud_reassign_tui.widgets.lines import Line


class HelpPage(Page):
    """Help for a page."""

    AUTO_FOCUS = "#all"

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._about = page

    def body(self) -> ComposeResult:
        with VerticalScroll(id="all"):
            yield Line("text")

    def on_mount(self) -> None:
        super().on_mount()
        lines = keys_of(self._about.offers, self.owner.options.keys)
        self.query_one("#text", Line).say(self.owner.drawn(lines))

    def action_help(self) -> None:
        self.action_back()
