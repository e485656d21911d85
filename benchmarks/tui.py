"""The terminal UI on a simulated project: how long it blocks, what it sends when idle, what it takes to start.

For information: nothing passes or fails by it. Large: 1,000 servers, 500 floating IPs, 2,502 rows.

    python benchmarks/tui.py
"""

from __future__ import annotations

import asyncio
import fcntl
import gc
import json
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from textual.pilot import Pilot

from hcloud_reassign.project import Overrides, bare_project
from hcloud_reassign_tui.app import ReassignApp
from hcloud_reassign_tui.screens.holders import HoldersPage

TOKEN = "simulated-token"
ROOT = Path(__file__).resolve().parent.parent
SIZE = (120, 40)
CHANGED = 30
IDLE_S = 12.0
OURS = [sys.executable, "-m", "hcloud_reassign", "tui"]
SHELL_AGAIN = b"\x1b[?1049l"
"""What a terminal is sent to show the screen that it had before."""
SCENARIOS = (("pair", b"192.0.2.10", 7, ("0.3 s", "0.6 s")), ("thousand", b"192.0.2.1", 3, ("", "")))
"""Which project, a row to wait for, how many starts, and what the starts may take."""
BARE = [sys.executable, str(ROOT / "benchmarks" / "bare_table.py")]


def say(what: str, value: str, limit: str = "") -> None:
    """One row of the table; `limit` is what is asked for."""
    print(f"| {what} | {value} | {limit} |", flush=True)


def heading(what: str) -> None:
    print(f"\n| {what} | measured | limit |\n|---|---|---|", flush=True)


@contextmanager
def simulated(scenario: str) -> Iterator[str]:
    """A simulator in a process of its own, so that it takes nothing from the one that is measured."""
    command = [sys.executable, "-m", "hcloud_reassign", "simulate", "--listen", "127.0.0.1:0", "-o", "jsonl"]
    process = subprocess.Popen([*command, "--scenario", scenario], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait()


def assign(url: str, floating_ip: int, server: int) -> None:
    request = urllib.request.Request(
        f"{url}/floating_ips/{floating_ip}/actions/assign",
        json.dumps({"server": server}).encode(),
        {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()


# How long the screen's thread is blocked, inside the program


class Heart:
    """Beats on the loop of the screen; `longest` is the longest time between two beats, in milliseconds.

    `busiest` is the same in time of the processor: what other threads and programs took is not in it.
    """

    def __init__(self) -> None:
        self.longest = self.busiest = 0.0
        self._task = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        while True:
            before, used = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, (time.perf_counter() - before) * 1000)
            self.busiest = max(self.busiest, (time.thread_time() - used) * 1000)

    def anew(self) -> None:
        self.longest = self.busiest = 0.0

    def __str__(self) -> str:
        return f"longest block {self.longest:.0f} ms ({self.busiest:.0f} ms of the processor)"

    def stop(self) -> None:
        self._task.cancel()


async def until(so: Callable[[], bool]) -> float:
    """Wait for something; returns the milliseconds that it took."""
    started = time.perf_counter()
    while not so():
        if time.perf_counter() - started > 60:
            raise TimeoutError
        await asyncio.sleep(0.002)
    return (time.perf_counter() - started) * 1000


def screen_text(app: ReassignApp) -> str:
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


Script = Callable[[ReassignApp, "Pilot[int]", Heart], Awaitable[None]]


def inside(url: str, script: Script) -> None:
    async def run() -> None:
        app = ReassignApp([bare_project("large", Overrides(token=TOKEN, api_url=url))])
        app.on_first_picture = gc.freeze
        async with app.run_test(size=SIZE) as pilot:
            heart = Heart()
            await script(app, pilot, heart)
            heart.stop()

    asyncio.run(run())


def blocking(url: str) -> None:
    async def script(app: ReassignApp, pilot: Pilot[int], heart: Heart) -> None:
        page = app.page
        assert isinstance(page, HoldersPage)
        await until(lambda: page.table.row_count > 0)
        say("first picture", str(heart))
        desk = app.desks[0]

        async def looked(turn: int) -> None:
            numbers = range(turn * CHANGED, (turn + 1) * CHANGED)
            await asyncio.gather(*(asyncio.to_thread(assign, url, 20001 + n, 10001 + n) for n in numbers))
            await asyncio.sleep(3)
            seen = desk.freshness.seen
            heart.anew()
            app.look_now()
            await until(lambda: desk.freshness.seen != seen)
            await pilot.pause()

        page.table.cursor_row = 1500
        await pilot.pause(0.5)
        at, scroll = page.table.current, page.table.scroll_y
        for turn in range(3):
            await looked(turn)
            kept = page.table.current is not None and at is not None and page.table.current.key == at.key
            say(
                f"refresh that changes {CHANGED} rows",
                f"{heart}; cursor and scroll kept: {'yes' if kept and page.table.scroll_y == scroll else 'NO'}",
                "block 100 ms; kept",
            )
        heart.anew()
        seen = desk.freshness.seen
        app.look_now()
        await until(lambda: desk.freshness.seen != seen)
        await pilot.pause()
        say("refresh that changes nothing", str(heart), "block 100 ms")
        await filtering(app, page, pilot, heart)

    inside(url, script)


async def filtering(app: ReassignApp, page: HoldersPage, pilot: Pilot[int], heart: Heart) -> None:
    field = page.query_one("#filter")
    page.action_filter()
    await pilot.pause(0.2)
    text = ""
    for letter in "node-07":
        text += letter
        heart.anew()
        field.value = text  # type: ignore[attr-defined]
        first = await until(lambda text=text: f"filter: {text}" in screen_text(app) and text in screen_text(app))  # type: ignore[misc]
        await pilot.pause(0.3)
        say(f"filter `{text}`: first match on the screen", f"{first:.0f} ms; {heart}", "150 ms; block 50 ms")
    heart.anew()
    field.value = ""  # type: ignore[attr-defined]
    await until(lambda: page.table.row_count > 2500)
    say("filter taken away", str(heart), "block 50 ms")


# The process in a terminal


class Screen:
    """A process in a pseudo terminal."""

    def __init__(self, command: list[str], environ: Mapping[str, str]) -> None:
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, dict(environ))
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))

    def read(self, seconds: float, until: bytes | None = None) -> bytes:
        """What it sends in so many seconds, or until it says something."""
        end, said = time.perf_counter() + seconds, b""
        while (left := end - time.perf_counter()) > 0:
            if select.select([self._fd], [], [], left)[0]:
                try:
                    said += os.read(self._fd, 65536)
                except OSError:
                    break
                if until is not None and until in said:
                    break
        return said

    def press(self, keys: bytes) -> None:
        os.write(self._fd, keys)

    @property
    def processor_s(self) -> float:
        """The time of the processor that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def resident_mib(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def end(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)


def environment(url: str, home: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tui")])
    return {
        **kept,
        "HCLOUD_ENDPOINT": url,
        "HCLOUD_TOKEN": TOKEN,
        "HOME": home,
        "TERM": "xterm-256color",
        "PYTHONPATH": paths,
    }


def starting(url: str, home: str, row: bytes, times: int, limits: tuple[str, str]) -> None:
    for name, command, limit in (("bare Textual table", BARE, limits[0]), ("hcloud-reassign tui", OURS, limits[1])):
        took, used = [], []
        for number in range(times + 1):
            screen = Screen(command, environment(url, home))
            screen.read(30, row)
            if number:
                took.append(time.perf_counter() - screen.started)
                used.append(screen.processor_s)
            screen.end()
        say(
            f"start to the first row: {name}",
            f"{statistics.median(took):.2f} s ({statistics.median(used):.2f} s of the processor)",
            limit,
        )


def idling(url: str, home: str, row: bytes) -> None:
    screen = Screen(OURS, environment(url, home))
    screen.read(30, row)
    screen.read(8)
    before = requests_left(url)
    said = len(screen.read(IDLE_S))
    used = before - requests_left(url) + IDLE_S
    say("sent to the terminal when idle", f"{said / IDLE_S:.0f} bytes a second", "the age of the data")
    say("requests when idle", f"{used / IDLE_S * 60:.0f} a minute", "a look every 5 s at most")
    took = []
    for key in [b"j", b"k"] * 10:
        screen.read(0.15)
        pressed = time.perf_counter()
        screen.press(key)
        screen.read(2, b"\x1b")
        took.append((time.perf_counter() - pressed) * 1000)
    say("from a key to the screen", f"{statistics.median(took):.0f} ms, slowest {max(took):.0f} ms")
    say("memory", f"{screen.resident_mib:.0f} MiB", "110 MB")
    pressed = time.perf_counter()
    screen.press(b"q")
    screen.read(10, SHELL_AGAIN)
    say("from q to the terminal as it was", f"{(time.perf_counter() - pressed) * 1000:.0f} ms", "at once")
    screen.end()


def requests_left(url: str) -> float:
    request = urllib.request.Request(f"{url}/locations", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return float(answer.headers["RateLimit-Remaining"])


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        for scenario, row, times, limits in SCENARIOS:
            heading(scenario)
            with simulated(scenario) as url:
                starting(url, home, row, times, limits)
                idling(url, home, row)
        heading("thousand, on the screen's thread")
        with simulated("thousand") as url:
            blocking(url)


if __name__ == "__main__":
    main()
