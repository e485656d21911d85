"""The terminal UI in a real terminal: keys in, screen out, and the terminal as it was before when it is over."""

from __future__ import annotations

import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from hcloud_reassign.simulator import Fault, Simulator, load_scenario
from tests.cli.process import INI, ROOT

pytest.importorskip("uvicorn")
pytest.importorskip("textual")

from hcloud_reassign.simulator.asgi import RunningServer  # noqa: E402

pytestmark = pytest.mark.skipif(which("tmux") is None, reason="tmux is not installed")

PATIENCE_S = 20.0
PROGRAM = shlex.join([sys.executable, "-m", "hcloud_reassign"])
BREAKS = """\
from hcloud_reassign_tui.screens.holders import HoldersPage
HoldersPage.action_sort = lambda page: {}[page.owner.desks[0].project.token().reveal()]
from hcloud_reassign.__main__ import main
main()
"""
BREAKING = shlex.join([sys.executable, "-c", BREAKS])
"""The program with a key that is broken, in a way that quotes the token."""


class Terminal:
    """A shell in tmux."""

    def __init__(self, folder: Path, size: tuple[int, int], environ: dict[str, str]) -> None:
        self._tmux = ["tmux", "-f", "/dev/null", "-S", str(folder / "tmux")]
        set_ = [f"{name}={value}" for name, value in environ.items()]
        shell = ["env", "-i", *set_, "sh"]
        width, height = size
        self._do("new-session", "-d", "-x", str(width), "-y", str(height), "-s", "it", shlex.join(shell))

    def _do(self, *words: str) -> str:
        done = subprocess.run([*self._tmux, *words], capture_output=True, text=True, timeout=20)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def screen(self) -> str:
        return self._do("capture-pane", "-p", "-t", "it")

    def flag(self, name: str) -> str:
        """What tmux knows of the terminal: cursor_flag, alternate_on, mouse_any_flag."""
        return self._do("display-message", "-p", "-t", "it", f"#{{{name}}}").strip()

    def press(self, *keys: str) -> None:
        self._do("send-keys", "-t", "it", *keys)

    def type(self, text: str) -> None:
        self._do("send-keys", "-t", "it", "-l", text)

    def run(self, command: str) -> None:
        """Have the shell do something, and say how it ended."""
        self.line(f"{command}; echo ended with $?")

    def line(self, command: str) -> None:
        self.type(command)
        self.press("Enter")

    def until(self, said: str) -> str:
        end = time.monotonic() + PATIENCE_S
        while said not in (text := self.screen()):
            assert time.monotonic() < end, f"not seen: {said!r}\n{text}"
            time.sleep(0.05)
        return text

    def as_before(self) -> None:
        """Back in the shell: its screen, a cursor, an echo, no mouse."""
        self.line("stty -a | grep -ow -e '-echo' -e echo; echo back again")
        screen = self.until("\nback again")
        assert "\necho\n" in screen
        flags = {name: self.flag(name) for name in ("cursor_flag", "alternate_on", "mouse_any_flag")}
        assert flags == {"cursor_flag": "1", "alternate_on": "0", "mouse_any_flag": "0"}

    def close(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, timeout=20)


@pytest.fixture
def environ(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "HCLOUD_REASSIGN_STATE": str(home / "state"),
        "LANG": "C.UTF-8",
        "TERM": "screen-256color",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tui")]),
        "PS1": "$ ",
    }


@pytest.fixture
def sim(environ: dict[str, str]) -> Iterator[Simulator]:
    sim = Simulator(load_scenario("pair"), clock=time.time, rng=random.Random(1), action_time=(0.01, 0.02))
    with RunningServer(sim) as server:
        environ.update(HCLOUD_ENDPOINT=server.url, HCLOUD_TOKEN="simulated-token")
        yield sim


@pytest.fixture
def terminal(home: Path, environ: dict[str, str], sim: Simulator) -> Iterator[Terminal]:
    (home / "prod.ini").write_text(INI)
    (home / "prod.ini").chmod(0o600)
    opened = Terminal(home, (80, 24), environ)
    opened.until("$")
    yield opened
    opened.close()


def test_it_shows_who_holds_what_and_leaves_the_terminal_as_it_was(terminal: Terminal) -> None:
    terminal.run(f"{PROGRAM} tui -c prod.ini")
    screen = terminal.until("12 resources")
    assert "project: prod" in screen and "192.0.2.10" in screen
    assert terminal.flag("alternate_on") == "1"
    terminal.press("/")
    terminal.type("route")
    terminal.until("2 of 12 resources")
    terminal.press("Enter", "Escape")
    terminal.until("\n 12 resources")
    terminal.press("q")
    terminal.until("ended with 0")
    terminal.as_before()


def test_it_goes_to_the_background_and_comes_back(terminal: Terminal) -> None:
    terminal.line(f"{PROGRAM} tui -c prod.ini")
    terminal.until("12 resources")
    terminal.press("C-z")
    terminal.until("Stopped")
    terminal.as_before()
    terminal.line("fg; echo ended with $?")
    terminal.until("12 resources")
    terminal.press("q")
    terminal.until("ended with 0")


def test_after_a_breakdown_the_terminal_is_as_it_was_and_the_journal_is_named(terminal: Terminal, home: Path) -> None:
    (home / "breaking.sh").write_text(f"{BREAKING} tui -c prod.ini\n")
    terminal.run("sh breaking.sh")
    terminal.until("12 resources")
    terminal.press("o")
    screen = terminal.until("ended with 1")
    assert "internal error: KeyError: '***'" in screen
    assert "state/journal.jsonl" in screen.replace("\n", "")
    assert "simulated-token" not in screen
    terminal.as_before()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_in_order(terminal: Terminal, home: Path, number: int) -> None:
    terminal.run(f"sh -c 'echo $$ > pid; exec {PROGRAM} tui -c prod.ini'")
    terminal.until("12 resources")
    os.kill(int((home / "pid").read_text()), number)
    terminal.until("ended with 130")
    terminal.as_before()


@pytest.mark.parametrize("hidden", [False, True], ids=["in its dialog", "on its row"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_waits_for_what_moves_and_says_what_came_of_it(
    terminal: Terminal, sim: Simulator, home: Path, number: int, hidden: bool
) -> None:
    sim.faults.append(Fault(method="POST", path="/v1/floating_ips/*/actions/assign", stuck_action=True))
    terminal.run(f"sh -c 'echo $$ > pid; exec {PROGRAM} tui -c prod.ini'")
    terminal.until("12 resources")
    terminal.press("m")
    terminal.until("can get it")
    terminal.press("Enter")
    terminal.until("Move 1 address")
    terminal.press("Tab", "Enter")
    terminal.until("step 1 of 1")
    if hidden:
        terminal.press("Escape")
        terminal.until("moving 1/1")
    os.kill(int((home / "pid").read_text()), number)
    terminal.until("LEAVING")
    (moving,) = sim.cloud.running.values()
    sim.finish_action(moving.id)
    screen = terminal.until("ended with 130")
    assert "move 192.0.2.10 to srv-b: " in screen and "1 done" in screen
    terminal.as_before()


def test_the_demonstration_has_something_going_on_and_touches_no_real_project(terminal: Terminal, home: Path) -> None:
    terminal.run(f"{PROGRAM} demo --tui")
    screen = terminal.until("192.0.2.20")
    assert "project: demo" in screen
    terminal.until("• floating  192.0.2.20")
    terminal.until("srv-c (off)")
    terminal.press("q")
    terminal.until("ended with 0")
    terminal.as_before()
    assert not (home / "state").exists()


def test_without_a_terminal_it_says_what_to_do_instead(home: Path, environ: dict[str, str], sim: Simulator) -> None:
    done = subprocess.run(
        [*shlex.split(PROGRAM), "tui"], env=environ, cwd=home, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr and "hcloud-reassign status" in done.stderr
