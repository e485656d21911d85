"""SIGTERM and SIGINT to the real process: nothing new begins, what was taken away is finished or told."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from hcloud_reassign.simulator import Fault
from tests.cli.process import Done
from tests.engine.samples import ALIASED, FLOAT, PUBLIC, ROUTE, SAMPLES, TRIO, A, B, Sample, statuses, with_server
from tests.system.conftest import Serve
from tests.system.kill_points import SCENES, How, Place, Scene, Way, killed_and_repeated
from tests.system.site import AtHand, Machine, Signaller, Site, machine, only

both_signals = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
FINISH_S = 8.0


def signalled(cli: Machine, site: Site, number: int, ini: str, fault: Fault, *words: str) -> Done:
    """A run that gets a signal when a request arrives."""
    fault.run = signaller = Signaller(number)
    site.sim.faults.append(fault)
    with signaller.aim(cli.start("run", "-c", cli.file(ini), "-o", "json", *words)) as started:
        done = started.ended()
    site.sim.faults.remove(fault)
    assert "Traceback" not in done.err
    return done


@pytest.mark.parametrize(
    ("scene", "way", "how", "writes"),
    [
        (SCENES[0], "triggered", "SIGINT", (1, 2)),
        (SCENES[1], "typed", "SIGTERM", (1, 2)),
        (SCENES[2], "triggered", "SIGINT", (1, 2, 3)),
        (SCENES[3], "typed", "SIGTERM", (1, 3, 4, 5, 6, 8)),
        (SCENES[4], "triggered", "SIGINT", (7,)),
        (SCENES[5], "typed", "SIGTERM", (1, 3, 5)),
    ],
    ids=lambda given: given.title if isinstance(given, Scene) else None,
)
def test_it_says_what_is_so_and_the_same_command_ends_it(
    scene: Scene, way: Way, how: How, writes: Sequence[int], tmp_path: Path
) -> None:
    """At every request in `make kills`."""
    for number in writes:
        place = Place(how, number, writes=True)
        result = killed_and_repeated(scene, way, place, tmp_path / str(number), AtHand)
        assert result is not None, "it ended before the signal"
        assert result.loss is None, result


@both_signals
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
def test_before_the_first_write_nothing_is_written(sample: Sample, number: int, cli: Machine, site: Site) -> None:
    done = signalled(cli, site, number, sample.section(), Fault("GET", "/v1/servers*", delay=0.3))
    assert (done.code, done.document["exit_code"], done.document["outcome"]) == (130, 130, "interrupted")
    assert not site.writes and sample.holder(site) == A


def test_before_the_claim_was_answered_nothing_is_moved(cli: Machine, site: Site) -> None:
    trigger = ("floating.web", "--issued-at", str(int(time.time())))
    done = signalled(cli, site, signal.SIGTERM, FLOAT.section(), Fault("PUT", delay=0.3), *trigger)
    assert (done.code, only(done)["message"]) == (130, "interrupted before anything was changed")
    assert [item.method for item in site.writes] == ["PUT"] and FLOAT.holder(site) == A


@both_signals
@pytest.mark.parametrize("sample", [ROUTE, ALIASED], ids=lambda sample: sample.type)
def test_what_was_taken_away_is_finished_forward(sample: Sample, number: int, cli: Machine, site: Site) -> None:
    began = time.monotonic()
    done = signalled(cli, site, number, sample.section(), Fault("POST", sample.path, slow_action=0.5))
    assert time.monotonic() - began < FINISH_S + 5
    assert (done.code, only(done)["outcome"]) == (130, "done")
    assert sample.holder(site) == B and only(done)["after"]["id"] == B
    assert any("asked to stop" in text for text in done.document["warnings"])


def test_a_second_signal_during_a_write_changes_nothing(cli: Machine, site: Site) -> None:
    again = Signaller(signal.SIGINT)
    site.sim.faults.append(Fault("POST", "*/add_route", run=again, delay=0.2))
    fault = Fault("POST", "*/delete_route", run=(first := Signaller(signal.SIGTERM)))
    site.sim.faults.append(fault)
    with cli.start("run", "-c", cli.file(ROUTE.section()), "-o", "json") as started:
        first.aim(started)
        again.aim(started)
        done = started.ended()
    assert (done.code, ROUTE.holder(site)) == (130, B)


def test_what_cannot_be_finished_in_time_is_put_back_or_told(cli: Machine, site: Site) -> None:
    """The route is gone and the API refuses the new one again and again."""
    site.sim.faults.append(Fault("POST", "*/add_route", times=None, status=409, code="conflict"))
    began = time.monotonic()
    done = signalled(cli, site, signal.SIGTERM, ROUTE.section(), Fault("POST", "*/delete_route"))
    assert time.monotonic() - began < FINISH_S + 6
    assert (done.code, only(done)["outcome"]) == (5, "unknown")
    assert ROUTE.holder(site) is None and "nobody has it now" in only(done)["message"]
    assert only(done)["next"].startswith("hcloud-reassign run ")


@both_signals
def test_the_other_moves_do_not_begin(number: int, cli: Machine, site: Site) -> None:
    """They queue for one network; the signal comes while the first one is under way."""
    second = ROUTE.section().replace("route.default", "route.lan").replace("0.0.0.0/0", "192.168.77.0/24")
    ini = ROUTE.section() + second
    done = signalled(cli, site, number, ini, Fault("POST", "*/actions/*", slow_action=0.5))
    outcomes = sorted((move["outcome"], move["message"]) for move in done.document["moves"])
    assert outcomes == [("done", None), ("failed", "interrupted before anything was changed")]
    assert done.code == 130
    assert len({item.body for item in site.writes if "add_route" in item.path}) == 1


@both_signals
def test_a_primary_ip_whose_server_will_not_stop_is_told_and_finished_by_a_second_run(
    number: int, serve: Serve, home: Path, tmp_path: Path
) -> None:
    site = serve(with_server(TRIO, "srv-a", ignores_shutdown=True))
    cli = machine(home, site)
    began = time.monotonic()
    done = signalled(cli, site, number, PUBLIC.section(), Fault("POST", "*/actions/shutdown"))
    assert time.monotonic() - began < FINISH_S + 5
    move = only(done)
    assert (done.code, move["outcome"]) == (5, "unknown")
    label = PUBLIC.labels(site)["hcloud-reassign/intention"]
    assert label == f"{A}-on.{B}-on.0"
    assert "hcloud-reassign run -c prod.ini public.web --to srv-b" in move["next"], move
    assert "srv-a" in move["message"], move
    site.sim.state.servers[A].ignores_shutdown = False
    assert machine(tmp_path / "elsewhere", site).run(PUBLIC.section()).code == 0
    assert PUBLIC.holder(site) == B and set(statuses(site).values()) == {"running"}
    assert PUBLIC.labels(site) == {"team": "web"}


@both_signals
def test_a_primary_ip_that_can_be_finished_in_time_is_finished(number: int, cli: Machine, site: Site) -> None:
    done = signalled(cli, site, number, PUBLIC.section(), Fault("POST", "*/actions/shutdown"))
    assert (done.code, only(done)["outcome"]) == (130, "done")
    assert PUBLIC.holder(site) == B and set(statuses(site).values()) == {"running"}
    assert PUBLIC.labels(site) == {"team": "web"}


@both_signals
def test_a_status_that_is_interrupted_says_so(number: int, cli: Machine, site: Site) -> None:
    signaller = Signaller(number)
    site.sim.faults.append(Fault("GET", "/v1/servers*", delay=0.3, run=signaller))
    with signaller.aim(cli.start("status", "-c", cli.file(FLOAT.section()), "-o", "json")) as started:
        done = started.ended()
    assert (done.code, done.document["exit_code"]) == (130, 130)
    assert "Traceback" not in done.err
