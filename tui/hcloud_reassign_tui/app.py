"""The program: projects, lanes for work, and which screen is shown. It owns no rule."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import on
from textual.app import App, SystemCommand
from textual.filter import NoColor
from textual.message import Message
from textual.screen import Screen

from hcloud_reassign.core.shown import without_secrets
from hcloud_reassign_tui.desk import Desk, Lane
from hcloud_reassign_tui.options import Options
from hcloud_reassign_tui.palette import Finder
from hcloud_reassign_tui.screens.changing import Changing
from hcloud_reassign_tui.screens.help import HelpPage
from hcloud_reassign_tui.screens.history import HistoryPage
from hcloud_reassign_tui.screens.holders import HoldersPage
from hcloud_reassign_tui.screens.log import LogPage
from hcloud_reassign_tui.screens.page import Page, spaced
from hcloud_reassign_tui.screens.servers import HoldingsPage, ServersPage
from hcloud_reassign_tui.view.detail import Lines
from hcloud_reassign_tui.view.logged import Log, Seen, noted, stamped
from hcloud_reassign_tui.view.registry import ACTS, key_names
from hcloud_reassign_tui.view.rows import Key, Progress, Row, holder_name
from hcloud_reassign_tui.view.servers import ServerRow, servers_of
from hcloud_reassign_tui.view.shelf import Shelf
from hcloud_reassign_tui.view.signs import Signs, Style

if TYPE_CHECKING:
    from hcloud_reassign.core.model import Group
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
    COMMANDS = {Finder}
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
        if self.no_color:
            # Textual chose shades of grey before it knew the theme: those make a terminal's own colours black on black.
            self._filters = [NoColor()]
        self.signs = Signs(self.options.ascii)
        self._monotonic, self._wall = monotonic, wall
        self.desks = [
            Desk(project, self.on_screen_thread, monotonic, self.options.refresh_s, lambda: self.locked)
            for project in projects
        ]
        self._shelves = {desk.name: Shelf(desk.name, self.signs) for desk in self.desks}
        self.moves = Lane("move", self.on_screen_thread)
        """Changes, one at a time, whatever project they are in."""
        self.progress: dict[Key, Progress] = {}
        self.changing = Changing(self)
        self.locked = self.options.read_only
        self._to_redraw = False
        self.paused = False
        self.logged = Log()
        self._noted: dict[str, Seen] = {}
        self.on_first_picture: Callable[[], None] = lambda: None
        """Called once, when all that there is has been seen and shown."""
        self._is_first = True
        self.failure: Exception | None = None
        """What broke the screen, once it did."""
        self.last_words = ""
        """What came of what was under way, for the terminal that was there before. Textual would break its lines."""

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

    def on_unmount(self) -> None:
        self.moves.end()
        for desk in self.desks:
            desk.close()

    def on_screen_thread(self, call: Callable[[], None]) -> bool:
        """Have something done on the thread of the screen; from any thread, and without effect after the end."""
        return self.post_message(Told(call))

    @on(Told)
    def _do(self, message: Told) -> None:
        if self.is_running:
            message.call()

    @property
    def page(self) -> Page | None:
        """The full screen that is shown, or on which a dialog stands."""
        return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, Page)), None)

    @property
    def _page_to_draw(self) -> Page | None:
        """The page, as long as there is something of it to draw on: not before its beginning, nor after its end."""
        return self.page if self.page and self.page.query("#head") else None

    # Looking

    def now_ms(self) -> int:
        return int(self._wall() * 1000)

    def look_now(self) -> None:
        self.forget_marks()
        for desk in self.desks:
            desk.look(self.seen)

    def _tick(self) -> None:
        for desk in self.desks:
            if desk.due() and not self.paused:
                desk.look(self.seen, glance=True)
        if self._page_to_draw:
            self._page_to_draw.tick()

    def seen(self) -> None:
        for desk in self.desks:
            self._note(desk)
        if self._page_to_draw:
            self._page_to_draw.refreshed()
        if self._is_first and all(desk.status for desk in self.desks):
            self._is_first = False
            self.on_first_picture()

    def rows(self) -> tuple[Row, ...]:
        """Everything that was seen, project by project."""
        return tuple(
            row
            for desk in self.desks
            if desk.status
            for row in self._shelves[desk.name].rows(desk.status.standings, self.now_ms(), self.progress)
        )

    def servers(self) -> tuple[ServerRow, ...]:
        """Every server that was seen, and what it holds."""
        rows = self.rows()
        return tuple(
            row
            for desk in self.desks
            if desk.status
            for row in servers_of(
                desk.name, desk.status.servers, [row for row in rows if row.key[0] == desk.name], self.signs
            )
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

    # The log

    def log_line(self, text: str) -> None:
        """Keep a line for the log, without secrets and without anything that a terminal would obey."""
        self.logged.add(stamped(self.now_ms(), self.signs.text(self.hidden(text))))

    def hidden(self, text: str) -> str:
        """A text without the secrets that are known by now."""
        return without_secrets(text, (secret for desk in self.desks for secret in desk.project.known_secrets()))

    def _note(self, desk: Desk) -> None:
        """What a look is worth in the log. The same picture is told once, however often it is drawn."""
        before = self._noted.get(desk.name, Seen())
        status, error = desk.status, desk.freshness.error
        if before.picture is status and before.error == error:
            return
        standings = status.standings if status else ()
        now = Seen(status, {one.name: holder_name(one.holder) for one in standings if one.found}, error)
        for line in noted(desk.name, before, now):
            self.log_line(line)
        self._noted[desk.name] = now

    # Going from page to page

    def go(self, id: str, first: Key | None = None) -> None:
        """Show a page that is reached from everywhere; home is below each of them. `first` is what matters most."""
        if type(self.screen) is _PAGES[id]:
            return
        while len(self.screen_stack) > 2:
            self.pop_screen()
        if id != "holders":
            self.push_screen(HistoryPage(first) if id == "history" else _PAGES[id]())

    def go_to_resource(self, key: Key) -> None:
        """Show a resource at home."""
        self.go("holders")
        if isinstance(self.screen, HoldersPage):
            self.screen.show_row(key)

    def go_to_server(self, key: Key) -> None:
        """Show what a server holds."""
        self.go("servers")
        self.push_screen(HoldingsPage(key))

    def help_about(self, page: Page) -> None:
        self.push_screen(HelpPage(page))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What ctrl+p finds: the actions of the page, and the themes."""
        yield SystemCommand("Theme", "Other colours, for this session.", self.action_change_theme)
        if not isinstance(screen, Page):
            return
        for act in ACTS:
            if screen.offers(act.id):
                keys = key_names(self.options.keys.get(act.id, act.keys))
                yield SystemCommand(act.label, f"{act.help} ({keys})", getattr(screen, f"action_{act.id}"))

    # The head

    def head(self, width: int) -> Text:
        """Program, projects, lock and age; on every screen."""
        left = Text("hcloud-reassign", style="bold")
        left.append(f"  project: {', '.join(self.signs.text(desk.name) for desk in self.desks)}", style="")
        if self.locked:
            left.append("  LOCKED read-only", style=self.styles_of_cells["bad"])
        if self.changing.leaving:
            left.append("  LEAVING when it is done", style=self.styles_of_cells["warn"])
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

    # Changes

    def start_move(self, rows: Sequence[Row], groups: Sequence[Group] = ()) -> None:
        """Ask where these shall go, as one plan."""
        self.changing.move(rows, groups)

    def seconds(self) -> float:
        return self._monotonic()

    def warn(self, text: str) -> None:
        """Why something that was asked for is not done."""
        self.notify(self.signs.text(text), severity="warning", markup=False)

    def lock(self, why: str) -> None:
        """Lock the screen to read-only because of something that was found out."""
        self.locked = True
        self.warn(f"LOCKED read-only: {why}; L unlocks the screen")

    def forget_marks(self) -> None:
        """Take off the rows what ended changes left there: from now on the look tells."""
        self.progress = {key: going for key, going in self.progress.items() if going.wanted is not None}

    def redraw_soon(self) -> None:
        """Draw the rows anew; however many events come, a few times a second."""
        if not self._to_redraw:
            self._to_redraw = True
            self.set_timer(0.1, self._redraw)

    def _redraw(self) -> None:
        self._to_redraw = False
        self.seen()

    async def action_quit(self) -> None:
        self.changing.leave()

    def action_help_quit(self) -> None:
        self.changing.leave()

    # What every page can do

    def turn_lock(self) -> None:
        self.locked = not self.locked
        self.seen()

    def turn_pause(self) -> None:
        self.paused = not self.paused
        self.seen()


_PAGES: Mapping[str, type[Page]] = {
    "holders": HoldersPage,
    "servers": ServersPage,
    "history": HistoryPage,
    "log": LogPage,
}


def _rich(colour: str) -> str:
    """A colour of a theme as rich calls it."""
    if colour.startswith("ansi_"):
        return colour.removeprefix("ansi_")
    return colour if colour.startswith("#") else ""
