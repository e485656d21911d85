"""What a person is told while an API that refuses is asked again and again."""

from __future__ import annotations

import fcntl
import io
import os
import re
import struct
import termios
from dataclasses import dataclass, field
from typing import Any

import pytest

from hcloud_reassign.cli.progress import Progress
from hcloud_reassign.cli.writer import Writer
from hcloud_reassign.simulator import Fault
from tests.cli.inside import call
from tests.cli.process import Done
from tests.engine.samples import FLOAT, PUBLIC, TRIO
from tests.harness import Lab
from tests.system.site import Machine

LIMIT = "limit of 3600 requests per hour reached"
STILL = re.compile(r"still trying after (\d+) s: (.*); at most (\d+) s more")


def refused(times: int | None = None, method: str = "*") -> list[Fault]:
    return [Fault(method, "*", times=times, status=429)]


@pytest.fixture
def here(home: Any) -> Machine:
    return Machine(home, {})


def told(done: Done) -> list[tuple[int, str, int]]:
    """What was said about waiting: after how long, why, and for how long at most."""
    found = [STILL.fullmatch(line) for line in done.err.splitlines() if line.startswith("still")]
    return [(int(match[1]), match[2], int(match[3])) for match in found if match]


@pytest.mark.parametrize(
    "words", [("run",), ("plan",), ("status",), ("check",), ("hold", "floating.web", "--for", "1h")]
)
@pytest.mark.parametrize("output", ["text", "json"])
def test_every_command_says_what_it_waits_for_and_how_it_ended(
    here: Machine, words: tuple[str, ...], output: str
) -> None:
    lab = Lab(TRIO, faults=refused())
    done = call(lab, *words, "-c", here.file(FLOAT.section()), "-o", output)
    assert done.code == 1
    said = told(done)
    assert 2 <= len(said) <= 6
    assert 3 <= said[0][0] <= 5
    assert all(LIMIT in why for _, why, _ in said)
    assert "try again in a minute" in done.out + done.err
    assert lab.clock.monotonic() <= 120


def test_five_minutes_are_a_handful_of_lines(here: Machine) -> None:
    done = call(Lab(TRIO, faults=refused()), "run", "-c", here.file(PUBLIC.section()))
    said = told(done)
    assert 5 <= len(said) <= 9
    assert [waited for waited, _, _ in said] == sorted(waited for waited, _, _ in said)
    assert all(abs(waited + left - 270) <= 5 for waited, _, left in said)
    assert done.err.splitlines()[-1].startswith("nothing was done; ")


def test_what_passes_within_three_seconds_is_not_worth_a_line(here: Machine) -> None:
    done = call(Lab(TRIO, faults=refused(times=2)), "run", "-c", here.file(FLOAT.section()))
    assert done.code == 0
    assert told(done) == []


def test_a_move_that_waits_is_named(here: Machine) -> None:
    done = call(Lab(TRIO, faults=refused(method="POST")), "run", "-c", here.file(FLOAT.section()))
    assert done.code == 1
    assert told(done)[0][1] == f"floating.web: {LIMIT}"
    assert "next:    hcloud-reassign run -c prod.ini floating.web --to srv-b" in done.out


def test_quiet_is_quiet(here: Machine) -> None:
    done = call(Lab(TRIO, faults=refused()), "status", "-q", "-c", here.file(FLOAT.section()))
    assert told(done) == []


def test_with_verbose_every_try_is_a_line(here: Machine) -> None:
    done = call(Lab(TRIO, faults=refused(times=6)), "status", "-v", "-c", here.file(FLOAT.section()))
    assert done.code == 0
    assert done.err.count(f"{LIMIT} (rate_limit_exceeded); at most ") == 6


@pytest.mark.parametrize("words", [("run",), ("plan",), ("status",)])
def test_json_lines_have_every_try(here: Machine, words: tuple[str, ...]) -> None:
    done = call(Lab(TRIO, faults=refused(times=6)), *words, "-o", "jsonl", "-c", here.file(FLOAT.section()))
    tries = [line for line in done.lines if line["event"] == "step.retried"]
    assert len(tries) == 6
    assert all(LIMIT in line["reason"] and line["wait_ms"] > 0 and line["left_ms"] > 0 for line in tries)
    assert done.lines[-1]["exit_code"] == 0


def test_warnings_of_a_look_are_said_once(here: Machine) -> None:
    done = call(Lab(TRIO), "status", "-c", here.file(FLOAT.section()))
    assert done.err.count("clear text") == 1


@dataclass
class Told:
    """An event as the engine makes it."""

    event: str
    time_ms: int = 0
    data: dict[str, Any] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        return {"event": self.event, **self.data}


class Screen(io.StringIO):
    """What is written, to a terminal that has a width and nothing else."""

    def __init__(self, terminal: int) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._terminal


def at_a_terminal(columns: int, *events: Told) -> str:
    """What a terminal of this width is sent."""
    ours, theirs = os.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        screen = Screen(theirs)
        with Progress(Writer(None, screen, {"TERM": "xterm"}), 0) as progress:
            for event in events:
                progress(event)
        return screen.getvalue()
    finally:
        os.close(ours)
        os.close(theirs)


TRY = {"reason": f"read all Server: {LIMIT} (rate_limit_exceeded)", "wait_ms": 1000, "left_ms": 86_000}


@pytest.mark.parametrize("columns", [40, 80])
def test_a_living_line_is_never_wrapped(columns: int) -> None:
    sent = at_a_terminal(columns, *[Told("step.retried", second * 1000, TRY) for second in range(30)])
    drawn = sent.split("\r\033[K")
    assert len(drawn) == 32
    assert {len(line) for line in drawn[1:-1]} <= set(range(20, columns))
    assert "\n" not in sent
    assert drawn[-1] == ""


def test_a_living_line_begins_with_what_matters() -> None:
    told = f"waiting, at most 86 s more: {LIMIT}"
    assert told in at_a_terminal(80, Told("step.retried", 0, TRY))
    move = {**TRY, "name": "route.lan", "reason": f"add route 192.168.77.0/24 via 10.0.1.3 to internal: {LIMIT}"}
    assert f"{told}; route.lan" in at_a_terminal(100, Told("step.retried", 0, move))
    assert told in at_a_terminal(80, Told("step.retried", 0, {**TRY, "reason": LIMIT}))


def test_what_goes_on_in_between_starts_the_waiting_anew() -> None:
    err = io.StringIO()
    progress = Progress(Writer(None, err, {}), 0)
    for second in range(20):
        progress(Told("step.retried", second * 1000, TRY))
        if second % 2:
            progress(Told("step.done", second * 1000, {"what": "assign"}))
    assert err.getvalue() == ""
