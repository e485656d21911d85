"""Many runs at once: one of the wanted holders has it, nothing else has changed, and each run says what it did.

The same with more runs in `make kills`.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hcloud_reassign.simulator import Fault, Simulator
from tests.engine.samples import FLOAT, PRIMARY, PUBLIC, SAMPLES, A, B, Sample, statuses
from tests.system.conftest import Serve
from tests.system.kill_points import Way
from tests.system.racing import MEETING, MOST_REQUESTS, SLOW, Race, scenario
from tests.system.site import Machine, Site, only, told

every_kind = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
FLAPS = 7


@every_kind
@pytest.mark.parametrize(("runs", "to", "way"), [(2, "two", "typed"), (5, "three", "triggered")])
def test_a_few_runs_in_different_directions(
    sample: Sample, runs: int, to: str, way: Way, serve: Serve, home: Path
) -> None:
    race = Race(serve(scenario(runs + 1), action_time=MEETING), home, sample)
    race.begin(runs, to, way)
    race.judge(race.ended())


@pytest.mark.parametrize(
    ("sample", "to", "way"),
    [(FLOAT, "three", "typed"), (PUBLIC, "one", "triggered")],
    ids=lambda given: given.type if isinstance(given, Sample) else given,
)
def test_twenty_runs(sample: Sample, to: str, way: Way, serve: Serve, home: Path) -> None:
    race = Race(serve(scenario(21), action_time=MEETING), home, sample)
    race.begin(20, to, way)
    race.judge(race.ended())


@every_kind
def test_two_machines_that_take_it_from_each_other_again_and_again(sample: Sample, serve: Serve, home: Path) -> None:
    site = serve(scenario(FLAPS + 1), action_time=SLOW)
    race = Race(site, home, sample)
    race.flap(4 if sample is PUBLIC else FLAPS)
    ended = race.ended()
    race.judge(ended)
    assert len(site.sim.requests) < MOST_REQUESTS * len(ended)


# Two runs that meet in a known moment: what the other one does is done by the test


def test_who_finds_its_move_ended_by_another_run_starts_what_it_stopped(site: Site, cli: Machine) -> None:
    def another_run(sim: Simulator, _: object) -> None:
        del sim.state.primary_ips[PRIMARY].labels["hcloud-reassign/intention"]

    site.sim.faults.append(Fault("POST", f"/v1/servers/{A}/actions/shutdown", run=another_run))
    done = cli.run(PUBLIC.section())
    assert told(done) == ("failed", 1, None)
    assert "another run has ended this move" in only(done)["message"]
    assert PUBLIC.holder(site) == A and set(statuses(site).values()) == {"running"}
    assert f"/v1/servers/{B}/actions/shutdown" not in [item.path for item in site.writes]


def test_who_is_overtaken_on_the_way_brings_it_back(site: Site, cli: Machine) -> None:
    def newer_request(sim: Simulator, _: object) -> None:
        sim.state.primary_ips[PRIMARY].labels["hcloud-reassign/claim"] = f"{now}.{A}"

    now = time.time_ns() // 1_000_000
    site.sim.faults.append(Fault("POST", f"/v1/servers/{B}/actions/shutdown", run=newer_request))
    done = cli.run(PUBLIC.section(), "public.web", "--issued-at", str(now - 20_000))
    assert done.code in (1, 3)
    assert "newer request" in only(done)["message"]
    assert PUBLIC.holder(site) == A and set(statuses(site).values()) == {"running"}
    assert "hcloud-reassign/intention" not in PUBLIC.labels(site)
