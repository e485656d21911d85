"""The real command in a process of its own, against a simulated project in a thread of the test's."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from hcloud_reassign.simulator import Simulator, load_scenario
from hcloud_reassign.simulator.asgi import RunningServer
from tests.cli.process import ROOT, Cli
from tests.system.site import Machine


@pytest.fixture
def sim() -> Simulator:
    """The project `pair`, with quick actions."""
    return Simulator(load_scenario("pair"), clock=time.time, rng=random.Random(1), action_time=(0.02, 0.06))


@pytest.fixture
def api(sim: Simulator) -> Iterator[RunningServer]:
    with RunningServer(sim) as server:
        yield server


@pytest.fixture
def started_by(request: pytest.FixtureRequest) -> type[Machine]:
    """By a fork, but where how Python starts matters: such a module says STARTED_BY = Cold."""
    kind: type[Machine] = getattr(request.module, "STARTED_BY", Machine)
    return kind


@pytest.fixture
def alone(home: Path, started_by: type[Machine]) -> Cli:
    """The command where no API is to be asked: any request would fail."""
    return _cli(home, started_by, {"HCLOUD_ENDPOINT": "http://127.0.0.1:1/v1", "HCLOUD_TOKEN": "no-token-is-needed"})


@pytest.fixture
def cli(home: Path, started_by: type[Machine], api: RunningServer) -> Cli:
    """The command with the token of the simulated project in its environment."""
    return _cli(home, started_by, {"HCLOUD_ENDPOINT": api.url, "HCLOUD_TOKEN": "simulated-token"})


def _cli(home: Path, started_by: type[Machine], more: Mapping[str, str]) -> Cli:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "HCLOUD_REASSIGN_STATE": str(home / "state"),
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
        **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
        **more,
    }
    return Cli(started_by(home, environ), home, environ)
