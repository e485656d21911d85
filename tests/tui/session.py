"""How a test plays a session: keys in, text out, and waiting for what it names instead of for time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot

from hcloud_reassign.project import Project
from hcloud_reassign_tui.app import ReassignApp
from hcloud_reassign_tui.options import Options
from tests.harness import START

PATIENCE_S = 20.0


class Session:
    """A session under way."""

    def __init__(self, app: ReassignApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    def text(self) -> str:
        """The whole screen as text, as a terminal would show it."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    def flat(self) -> str:
        """All of it on one line, without the frames: a sentence may go over several."""
        return " ".join(self.text().replace("│", " ").split())

    def line(self, word: str) -> str:
        """The first line of the screen that has a word."""
        return next((line for line in self.text().splitlines() if word in line), "")

    async def press(self, *keys: str) -> None:
        for key in keys:
            driver = self.app._driver
            assert driver is not None
            driver.send_message(_key(key))
            await self.settled()

    async def type(self, text: str) -> None:
        await self.press(*("space" if letter == " " else letter for letter in text))

    async def settled(self) -> None:
        """Wait until every message that was sent is dealt with, and what that sent, and the screen shows it.

        The pilot waits until the process does little instead: that takes 40 ms a key, and is a guess.
        """
        for _ in range(2):
            if self.app.failure is not None:
                raise self.app.failure
            reached = asyncio.Event()
            if self.app.call_later(reached.set):
                while not reached.is_set() and not (self.app._exit or self.app.failure):
                    await asyncio.sleep(0)
            await self.pilot._wait_for_screen()
        for screen in (*self.app._background_screens, self.app.screen):
            screen._on_timer_update()

    async def until(self, said: str | Callable[[], bool], *, what: str = "") -> None:
        """Wait until the screen says something, or something is so."""
        end = time.monotonic() + PATIENCE_S
        while True:
            await self.settled()
            if said in self.text() if isinstance(said, str) else said():
                return
            if time.monotonic() > end:
                raise AssertionError(f"not seen: {what or said!r}\n{self.text()}")
            await asyncio.sleep(0.02)


def _key(name: str) -> Key:
    """A key as a terminal sends it; one letter stands for itself."""
    if len(name) == 1:
        return Key(_character_to_key(name), name)
    return Key(name, " " if name == "space" else None)


def play(
    projects: Project | Sequence[Project],
    script: Callable[[Session], Awaitable[None]],
    *,
    size: tuple[int, int] = (80, 24),
    options: Options | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Open the terminal UI, wait for its first table, and play a script on it."""

    async def run() -> None:
        opened = [projects] if isinstance(projects, Project) else projects
        app = ReassignApp(opened, options, monotonic=monotonic, wall=lambda: START)
        async with app.run_test(size=size, notifications=True) as pilot:
            await script(Session(app, pilot))

    asyncio.run(run())
