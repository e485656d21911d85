"""Two real uWSGI nodes and an arbiter, with the files of the example: who is lord has the floating IP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.pipeline import Pipeline, environment, pipeline_in, program, put_trigger
from tests.examples.programs import EXAMPLES

EXAMPLE = EXAMPLES / "uwsgi-legion"
UWSGI = program("uwsgi-core")
ADDRESSES = {"srv-a": "10.0.1.2:4001", "srv-b": "10.0.1.3:4001", "arbiter": "10.0.1.4:4001"}

pytestmark = pytest.mark.skipif(UWSGI is None, reason="uWSGI (package uwsgi-core) is not installed")


def free_ports(number: int) -> list[int]:
    """UDP ports of 127.0.0.1 that nobody has: uWSGI cannot be told to take any."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(number)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


@dataclass
class Legion:
    """The three of them, each in a session of its own. `step_back_s` is the 60 s of the example."""

    folder: Path
    pipeline: Pipeline
    step_back_s: int = 60
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ports = dict(zip(ADDRESSES.values(), free_ports(len(ADDRESSES)), strict=True))
        for file in EXAMPLE.glob("*.ini"):
            text = file.read_text()
            for address, port in ports.items():
                text = text.replace(address, f"127.0.0.1:{port}")
            (self.folder / file.name).write_text(text.replace("step_back=60", f"step_back={self.step_back_s}"))
        put_trigger(EXAMPLE / "trigger.ini", self.folder, self.pipeline.gitlab)
        (self.folder / "legion-secret").write_text("0123456789abcdef0123456789abcdef\n")

    def start(self, name: str) -> None:
        assert UWSGI
        with self.logs[name].open("ab") as log:
            self.running[name] = subprocess.Popen(
                [UWSGI, "--die-on-term", "--ini", str(self.folder / f"{name}.ini")],
                env=environment(self.folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def end(self, name: str, number: int) -> None:
        process = self.running.pop(name)
        os.killpg(process.pid, number)
        process.wait(30)

    def end_all(self) -> None:
        for name in list(self.running):
            with suppress(ProcessLookupError):
                self.end(name, signal.SIGKILL)

    def until(self, name: str) -> float:
        """Seconds until this server has the floating IP."""
        return self.pipeline.until_held_by(name, self.logs)

    def until_said(self, name: str, words: str, times: int = 1) -> None:
        log = self.logs[name]
        self.pipeline.wait_until(lambda: log.read_text().count(words) >= times, f"{name}: {words}", self.logs)

    @property
    def logs(self) -> Mapping[str, Path]:
        return {name: self.folder / f"{name}.log" for name in ADDRESSES}


@pytest.fixture
def pipeline(home: Path) -> Iterator[Pipeline]:
    with pipeline_in(home) as running:
        yield running


def test_who_is_lord_has_it_whatever_ends_the_other(home: Path, pipeline: Pipeline) -> None:
    legion = Legion(home, pipeline)
    try:
        for name in ADDRESSES:
            legion.start(name)
        legion.until("srv-a")

        legion.end("srv-a", signal.SIGTERM)
        told = legion.until("srv-b")
        legion.start("srv-a")
        legion.until("srv-a")

        legion.end("srv-a", signal.SIGKILL)
        killed = legion.until("srv-b")
        print(f"the other one has it {told:.1f} s after SIGTERM, {killed:.1f} s after SIGKILL")
    finally:
        legion.end_all()
    assert "/actions/unassign" not in "".join(request.path for request in pipeline.site.writes)
    assert pipeline.moves() == ["srv-a", "srv-b", "srv-a", "srv-b"]


def test_a_node_whose_request_is_not_accepted_steps_back_and_comes_back(home: Path, pipeline: Pipeline) -> None:
    legion = Legion(home, pipeline, step_back_s=3)
    right, pipeline.gitlab.token = pipeline.gitlab.token, "another"
    try:
        for name in ADDRESSES:
            legion.start(name)
        for name in ("srv-a", "srv-b"):
            legion.until_said(name, 'suspending myself from Legion "web" for 3 seconds')
        assert pipeline.executor.holder() is None
        assert not pipeline.gitlab.runs
        legion.until_said("srv-a", "lord hook returned: 1", times=2)

        pipeline.gitlab.token = right
        legion.until("srv-a")
    finally:
        legion.end_all()
