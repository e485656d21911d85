"""An API that does not answer as it should: never a traceback, the right exit code, and within the time limit."""

from __future__ import annotations

import contextlib
import shlex
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from hcloud_reassign.simulator import Fault
from tests.cli.process import Done, assert_fits
from tests.engine.samples import SAMPLES, B, statuses
from tests.system.conftest import Serve
from tests.system.listeners import certificate, closed_port, silent
from tests.system.site import AtHand, Machine, Site, machine, only

TIMEOUT_S = 3
COMMANDS = ("run", "plan", "status")
TRIO_INI = "".join(sample.section() for sample in SAMPLES)

WAYS: dict[str, Fault] = {
    "HTML": Fault(status=502, body="html", times=None),
    "HTML that says 200": Fault(status=200, body="html", times=None),
    "JSON of another API": Fault(status=200, body='{"hello": "world"}', times=None),
    "half a body": Fault(status=200, body="half", times=None),
    "nothing": Fault(drop="before", times=None),
    "429 for ever": Fault(status=429, times=None),
}


def all_end_in_time(cli: Machine, **env: str) -> dict[str, Done]:
    """`run`, `plan` and `status` at once: each ends by itself, without a traceback, and with its document."""
    file = cli.file(TRIO_INI)
    words = ("-c", file, "-o", "json", "-vv", "--timeout", str(TIMEOUT_S))
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        started = {name: stack.enter_context(cli.start(name, *words, env=env)) for name in COMMANDS}
        ended = {name: process.ended() for name, process in started.items()}
    took = time.monotonic() - began
    # The interpreter's own start counts too, three at once, on a machine that is busy.
    assert took < TIMEOUT_S + 2 + 5
    for name, done in ended.items():
        assert "Traceback" not in done.err and "internal error" not in done.err + done.out, name
        assert_fits(done.document, "status" if name == "status" else "run")
        assert done.document.get("exit_code", done.code) == done.code
    return ended


def told_time_ms(done: Done) -> int:
    """How long a run took by its own account."""
    times = [datetime.fromisoformat(done.document[key].replace("Z", "+00:00")) for key in ("started", "finished")]
    return round((times[1] - times[0]).total_seconds() * 1000)


def assert_failed(ended: dict[str, Done]) -> None:
    for name, done in ended.items():
        assert done.code == 1, (name, done)
        error = done.document["error"]
        assert error and error["message"], name
    for name in ("run", "plan"):
        assert told_time_ms(ended[name]) < (TIMEOUT_S + 2) * 1000


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_an_api_that_answers_nonsense(way: Fault, cli: Machine, site: Site) -> None:
    site.sim.faults.append(replace(way))
    assert_failed(all_end_in_time(cli))
    assert not site.writes


def test_an_api_that_accepts_and_never_answers(cli: Machine) -> None:
    with silent() as url:
        assert_failed(all_end_in_time(cli, HCLOUD_ENDPOINT=url))


def test_an_api_of_a_closed_port(cli: Machine) -> None:
    ended = all_end_in_time(cli, HCLOUD_ENDPOINT=closed_port())
    assert_failed(ended)
    assert "refuses the connection" in ended["run"].document["error"]["message"]


def test_an_api_of_a_name_that_does_not_exist(cli: Machine) -> None:
    assert_failed(all_end_in_time(cli, HCLOUD_ENDPOINT="https://no-such-host.invalid/v1"))


def test_a_certificate_that_is_not_trusted(serve: Serve, home: Path, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    site = serve(tls_cert=str(cert), tls_key=str(key))
    ended = all_end_in_time(machine(home, site))
    assert_failed(ended)
    assert "certificate" in ended["run"].document["error"]["message"]
    assert not site.sim.requests


def test_https_to_a_port_that_speaks_http(cli: Machine, site: Site) -> None:
    assert_failed(all_end_in_time(cli, HCLOUD_ENDPOINT=site.url.replace("http:", "https:")))


# From the first write on

LATER = {
    "HTML": Fault(status=502, body="html", times=None),
    "nothing": Fault(drop="before", times=None),
    "late": Fault(delay=300, times=None),
}


def lost_half_way(serve: Serve, way: Fault) -> Site:
    """A site that answers like that from right after the first write that starts an action."""
    way = replace(way)
    site = serve()
    site.sim.faults.append(Fault("POST", "*", run=lambda sim, _: sim.faults.append(way), when="after"))
    return site


@pytest.mark.parametrize("way", LATER.values(), ids=LATER)
def test_an_api_that_is_lost_half_way_is_unknown_and_the_printed_command_mends_it(
    way: Fault, serve: Serve, home: Path
) -> None:
    sites = [lost_half_way(serve, way) for _ in SAMPLES]
    machines = [machine(home / sample.type, site) for sample, site in zip(SAMPLES, sites, strict=True)]
    words = ("-o", "json", "-vv", "--timeout", "10")
    with contextlib.ExitStack() as stack:
        started = [
            stack.enter_context(cli.start("run", "-c", cli.file(sample.section()), *words))
            for sample, cli in zip(SAMPLES, machines, strict=True)
        ]
        ended = [process.ended() for process in started]
    for sample, site, cli, done in zip(SAMPLES, sites, machines, ended, strict=True):
        assert "Traceback" not in done.err
        move = only(done)
        assert (done.code, move["outcome"]) == (5, "unknown"), sample.type
        assert told_time_ms(done) < 12_000
        assert move["after"] is None and "could not be read" in move["message"]
        site.sim.faults.clear()
        mended = AtHand(cli.home, cli.environ)(*shlex.split(move["next"])[1:], "-o", "json")
        assert mended.code == 0
        assert sample.holder(site) == B and set(statuses(site).values()) == {"running"}
        assert "hcloud-reassign/intention" not in sample.labels(site)
