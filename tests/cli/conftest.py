"""The real command in a process of its own, against a simulated project in a thread of the test's."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from hcloud_reassign.simulator import Simulator, load_scenario
from hcloud_reassign.simulator.asgi import RunningServer
from tests.cli.process import ROOT, Cli, Done


@pytest.fixture
def sim() -> Simulator:
    """The project `pair`, with quick actions."""
    return Simulator(load_scenario("pair"), clock=time.time, rng=random.Random(1), action_time=(0.02, 0.06))


@pytest.fixture
def api(sim: Simulator) -> Iterator[RunningServer]:
    with RunningServer(sim) as server:
        yield server


@pytest.fixture
def alone(home: Path) -> Cli:
    """The command where no API is to be asked: any request would fail."""
    return _cli(home, {"HCLOUD_ENDPOINT": "http://127.0.0.1:1/v1", "HCLOUD_TOKEN": "no-token-is-needed"})


@pytest.fixture
def cli(home: Path, api: RunningServer) -> Cli:
    """The command with the token of the simulated project in its environment."""
    return _cli(home, {"HCLOUD_ENDPOINT": api.url, "HCLOUD_TOKEN": "simulated-token"})


def _cli(home: Path, more: Mapping[str, str]) -> Cli:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "HCLOUD_REASSIGN_STATE": str(home / "state"),
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
        **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
        **more,
    }

    def run(*words: str, stdin: str = "", env: Mapping[str, str | None] | None = None) -> Done:
        changed = {**environ, **(env or {})}
        done = subprocess.run(
            [sys.executable, "-m", "hcloud_reassign", *words],
            cwd=home,
            env={name: value for name, value in changed.items() if value is not None},
            input=stdin.encode(),
            capture_output=True,
            timeout=60,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return Cli(run, home, environ)
