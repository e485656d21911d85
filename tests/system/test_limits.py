"""A used-up rate limit and a large project, met by the real program."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from hcloud_reassign.simulator import Fault
from tests.engine.samples import FLOAT, ROUTE, A, B
from tests.engine.test_limits import LAST, large
from tests.system.conftest import Serve
from tests.system.site import LIMIT_S, Machine, Site, machine

MOST_MB = 100.0
"""What a process may take for a project of 1,000 servers; measured: 45."""


def test_a_used_up_limit_is_said_in_a_pipe_and_asked_little(serve: Serve, home: Path) -> None:
    site = serve(faults=[Fault("*", "*", times=None, status=429)])
    cli = machine(home, site)
    file = cli.file(FLOAT.section() + ROUTE.section())
    began = time.monotonic()
    started = {word: cli.start(word, "-c", file, "--timeout", "14") for word in ("run", "plan", "status", "check")}
    for word, process in started.items():
        with process:
            done = process.ended()
        assert done.code == 1, word
        assert re.search(
            r"^still trying after \d s: read all \w+: limit of 3600 .*; at most \d+ s more$", done.err, re.M
        )
        assert done.err.count("still trying") <= 3
        assert "try again in a minute" in done.out + done.err
    took = time.monotonic() - began
    assert len(site.sim.requests) <= len(started) * (took + 3)
    assert not site.writes


def test_a_limit_in_the_middle_of_a_move_is_told_as_events_and_waited_for(serve: Serve, home: Path) -> None:
    site = serve(faults=[Fault("POST", "*", nth=2, times=2, status=429)])
    cli = machine(home, site)
    done = cli("run", "-c", cli.file(ROUTE.section()), "-o", "jsonl")
    assert done.code == 0
    tries = [line for line in done.lines if line["event"] == "step.retried"]
    assert [(line["name"], line["wait_ms"]) for line in tries] == [("route.default", 1000), ("route.default", 2000)]
    assert all("add route 0.0.0.0/0 via 10.0.1.3" in line["reason"] for line in tries)
    assert ROUTE.holder(site) == B


def test_too_little_time_leaves_all_as_it_was_and_says_what_to_type(serve: Serve, home: Path) -> None:
    site = serve(faults=[Fault("POST", "*", times=None, status=429)])
    cli = machine(home, site)
    done = cli("run", "-c", cli.file(ROUTE.section()), "--timeout", "10")
    assert done.code == 1
    assert "limit of 3600 requests per hour reached" in done.out
    assert "it is with 10.0.1.2 (srv-a) as before" in done.out
    assert "next:    hcloud-reassign run -c prod.ini route.default --to 10.0.1.3" in done.out
    assert ROUTE.holder(site) == A


@pytest.fixture
def fleet(serve: Serve) -> Site:
    """1,000 servers, 500 floating IPs."""
    return serve(large())


MEASURING = """\
import resource, subprocess, sys
ended = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(ended.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
"""
"""A small process between: the kernel counts as a child's what its parent had when it was forked."""


def measured(cli: Machine, *words: str) -> tuple[str, float]:
    """What a command that succeeds prints, and the most memory it had, in MB."""
    command = [sys.executable, "-c", MEASURING, sys.executable, "-m", "hcloud_reassign", *words]
    ended = subprocess.run(command, cwd=cli.home, env=dict(cli.environ), capture_output=True, text=True)
    code, most_kb = ended.stderr.split()
    assert code == "0"
    return ended.stdout, int(most_kb) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel counts memory in other units")
@pytest.mark.parametrize(
    ("words", "shown", "most_requests"),
    [
        (("run",), "srv-499 → srv-999", 50),
        (("plan",), "srv-499 → srv-999", 30),
        (("status",), "at source", 32),
        (("status", "--all"), "ip-498", 40),
        (("check",), "the token may do is not known", 30),
    ],
)
def test_a_large_project_is_read_page_by_page_and_fits_into_memory(
    fleet: Site, home: Path, words: tuple[str, ...], shown: str, most_requests: int
) -> None:
    cli = machine(home, fleet)
    began = time.monotonic()
    out, used_mb = measured(cli, *words, "-c", cli.file(LAST))
    assert shown in out
    assert used_mb < MOST_MB
    assert time.monotonic() - began < LIMIT_S
    assert len(fleet.sim.requests) <= most_requests
    pages = Counter(item.query for item in fleet.sim.requests if item.path == "/v1/servers")
    assert len(pages) == 20 and set(pages.values()) == {1}
