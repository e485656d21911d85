"""The program: projects, lanes for work, and which screen is shown. It owns no rule."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.app import App
from textual.message import Message

from hcloud_reassign_tui.desk import Desk, Lane
from hcloud_reassign_tui.options import Options
from hcloud_reassign_tui.screens.holders import HoldersPage
from hcloud_reassign_tui.screens.page import Page, spaced
from hcloud_reassign_tui.view.detail import Lines
from hcloud_reassign_tui.view.rows import Key, Progress, Row
from hcloud_reassign_tui.view.shelf import Shelf
from hcloud_reassign_tui.view.signs import Signs, Style

if TYPE_CHECKING:
    from hcloud_reassign.project import Project

_VARIABLES: Mapping[Style, tuple[str, str]] = {
    "good": ("text-success", ""),
    "warn": ("text-warning", "bold"),
    "bad": ("text-error", "bold"),
}
_PLAIN: Mapping[Style, str] = {"plain": "", "dim": "dim", "bold": "bold"}


class Told(Message):
    """Something to be done on the thread of the screen."""

    def __init__(self, call: Callable[[], None]) -> None:
        super().__init__()
        self.call = call


class ReassignApp(App[int]):
    """Who holds what, and moving it by hand. Times: `monotonic` in seconds, `wall` in unix seconds."""

    CSS_PATH = "app.tcss"
    TITLE = "hcloud-reassign"
    HORIZONTAL_BREAKPOINTS = [(0, "-small"), (60, "-narrow"), (110, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (15, "-low"), (30, "-high")]

    def __init__(
        self,
        projects: Sequence[Project],
        options: Options | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.options = options or Options()
        self.signs = Signs(self.options.ascii)
        self._monotonic, self._wall = monotonic, wall
        self.desks = [Desk(project, self.on_screen_thread, monotonic, self.options.refresh_s) for project in projects]
        self._shelves = {desk.name: Shelf(desk.name, self.signs) for desk in self.desks}
        self.moves = Lane("move", self.on_screen_thread)
        """Changes, one at a time, whatever project they are in."""
        self.progress: dict[Key, Progress] = {}
        self.locked = self.options.read_only
        self.paused = False
        self.failure: Exception | None = None
        """What broke the screen, once it did."""

    def _handle_exception(self, error: Exception) -> None:
        self.failure = self.failure or error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Ends without Textual's traceback: it prints the values of variables, and one of them may be a secret."""
        self._close_messages_no_wait()

    def on_mount(self) -> None:
        self.theme = self.options.theme
        self.set_keymap(dict(self.options.keys))
        self.push_screen(HoldersPage())
        self.look_now()
        self.set_interval(1.0, self._tick)

    def on_screen_thread(self, call: Callable[[], None]) -> bool:
        """Have something done on the thread of the screen; from any thread, and without effect after the end."""
        return self.post_message(Told(call))

    @on(Told)
    def _do(self, message: Told) -> None:
        message.call()

    @property
    def page(self) -> Page | None:
        """The full screen that is shown, or on which a dialog stands."""
        return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, Page)), None)

    # Looking

    def now_ms(self) -> int:
        return int(self._wall() * 1000)

    def look_now(self) -> None:
        for desk in self.desks:
            desk.look(self._seen)

    def _tick(self) -> None:
        for desk in self.desks:
            if desk.due() and not self.paused:
                desk.look(self._seen)
        if self.page:
            self.page.tick()

    def _seen(self) -> None:
        if self.page:
            self.page.refreshed()

    def rows(self) -> tuple[Row, ...]:
        """Everything that was seen, project by project."""
        return tuple(
            row
            for desk in self.desks
            if desk.status
            for row in self._shelves[desk.name].rows(desk.status.standings, self.now_ms(), self.progress)
        )

    def desk_of(self, key: Key) -> Desk:
        """The desk of a row's project."""
        return next(desk for desk in self.desks if desk.name == key[0])

    def troubles(self) -> list[str]:
        """Why the picture is not the newest one, for each project where that is so."""
        now = self._monotonic()
        several = len(self.desks) > 1
        return [
            f"{self.signs['bad']} {f'{desk.name}: ' * several}"
            + ("" if desk.denied else f"{desk.freshness.next_try(now)}: ")
            + self.signs.text(desk.freshness.error)
            for desk in self.desks
            if desk.freshness.error
        ]

    def nothing_yet(self) -> str:
        """What stands where nothing is shown."""
        if any(desk.status is None for desk in self.desks):
            return "looking ..."
        return "there is nothing in this project that could be moved: no floating IP, primary IP, alias IP or route"

    # The head

    def head(self, width: int) -> Text:
        """Program, projects, lock and age; on every screen."""
        left = Text("hcloud-reassign", style="bold")
        left.append(f"  project: {', '.join(self.signs.text(desk.name) for desk in self.desks)}", style="")
        if self.locked:
            left.append("  LOCKED read-only", style=self.styles_of_cells["bad"])
        return spaced(left, self._age(), width)

    def _age(self) -> Text:
        now = self._monotonic()
        oldest = min((desk.freshness for desk in self.desks), key=lambda one: one.seen if one.seen is not None else -1)
        told = oldest.told(now, self.signs["warn"])
        if self.paused:
            told = f"PAUSED, {told}"
        return Text(told, style=self.styles_of_cells["warn" if oldest.stale(now) or self.paused else "dim"])

    @property
    def styles_of_cells(self) -> Mapping[Style, str]:
        """What the styles look like in this theme; without colour they stay apart by weight and by their signs."""
        variables = self.theme_variables
        themed = {
            style: f"{weight} {_rich(variables.get(variable, ''))}".strip()
            for style, (variable, weight) in _VARIABLES.items()
        }
        return {**_PLAIN, **themed}

    def drawn(self, lines: Lines) -> Text:
        """Lines of cells as a text in the colours of this theme."""
        styles = self.styles_of_cells
        return Text("\n").join(
            Text("  ").join(Text(cell.text, style=styles[cell.style]) for cell in line) for line in lines
        )

    # What every page can do

    def turn_lock(self) -> None:
        self.locked = not self.locked
        self._seen()

    def turn_pause(self) -> None:
        self.paused = not self.paused
        self._seen()


def _rich(colour: str) -> str:
    """A colour of a theme as rich calls it."""
    if colour.startswith("ansi_"):
        return colour.removeprefix("ansi_")
    return colour if colour.startswith("#") else ""
