"""The examples, run as their readers would run them: as programs, against a served simulator."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hcloud_reassign.simulator import Simulator, load_scenario

pytest.importorskip("uvicorn")

from hcloud_reassign.simulator.asgi import RunningServer  # noqa: E402

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "library.py"

INI = """\
[floating.web]
type = ip_floating
resource = web
source = srv-a
destination = srv-b
"""


@pytest.fixture
def server() -> Iterator[RunningServer]:
    sim = Simulator(load_scenario("pair"), clock=time.time, rng=random.Random(1), action_time=(0.01, 0.02))
    with RunningServer(sim) as running:
        yield running


def ran(server: RunningServer, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    file = home / "prod.ini"
    file.write_text(INI, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLE), str(file), *arguments],
        env={**os.environ, "HCLOUD_ENDPOINT": server.url, "HCLOUD_TOKEN": "simulated-token"},
        cwd=EXAMPLE.parents[1],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_library_example_shows_its_plan_and_carries_it_out(server: RunningServer, home: Path) -> None:
    done = ran(server, home, "floating.web")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "floating.web: srv-a -> srv-b, pending",
        "  step.started: assign floating IP web to srv-b",
        "  step.done: assign floating IP web to srv-b",
        "floating.web: done, with srv-b",
    ]
    assert server.sim.state.floating_ips[501].server_id == 11


def test_the_library_example_ends_with_the_code_of_what_came_of_it(server: RunningServer, home: Path) -> None:
    refused = ran(server, home, "floating.web", "--to", "srv-c")
    assert refused.returncode == 3
    assert "not-listed: srv-c is not listed for it" in refused.stdout
    missing = ran(server, home, "floating.wep")
    assert missing.returncode == 2
    assert "did you mean 'floating.web'" in missing.stderr
