"""Two runs in opposite directions at once: one of them wins, nothing is lost, and each says what it did."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from hcloud_reassign.simulator import Fault, Simulator
from tests.cli.process import Done, assert_fits
from tests.engine.samples import ALIAS, PRIMARY, PUBLIC, SAMPLES, TRIO, A, B, Sample, aliases, statuses
from tests.system.conftest import Serve
from tests.system.site import Machine, Site, id_of, machine, only, told

TOKENS = ("token-of-the-first-run", "token-of-the-second-run")
SCENARIO = {**TRIO, "tokens": dict.fromkeys(TOKENS, "read-write")}
SEEDS = range(2)


def both(site: Site, home: Path, sample: Sample, rng: random.Random, *words: tuple[str, ...]) -> tuple[Done, Done]:
    """One run to srv-b and one to srv-a, begun nearly together."""
    more = "shutdown_timeout = 3" if sample is PUBLIC else ""
    ini = sample.members("srv-a", "srv-b", more=more)
    started = []
    for number, (token, to) in enumerate(zip(TOKENS, ("srv-b", "srv-a"), strict=True)):
        cli = machine(home / str(number), site, HCLOUD_TOKEN=token)
        extra = words[number] if words else ()
        call = ("run", sample.name, "--to", to, "-c", cli.file(ini), "-o", "json", "--timeout", "24", *extra)
        started.append(cli.start(*call))
        # Not to wait for anything, but to meet in another moment with every seed.
        time.sleep(rng.uniform(0, 0.15))
    one, other = (process.ended() for process in started)
    return one, other


def moving_writes(site: Site, token: str) -> list[Any]:
    return [item for item in site.writes_with(token) if item.method == "POST" and item.status < 400]


def assert_true(site: Site, sample: Sample, runs: tuple[Done, Done]) -> None:
    """What each run says fits what it sent and what there is in the end."""
    holder = sample.holder(site)
    codes = [run.code for run in runs]
    assert holder in (A, B) or 5 in codes, "nobody has it and nobody says so"
    last = max(site.writes, key=lambda item: (item.method == "POST", site.writes.index(item)), default=None)
    for token, run, wanted in zip(TOKENS, runs, (B, A), strict=True):
        assert_fits(run.document, "run")
        assert "Traceback" not in run.err and "internal error" not in run.err
        move = only(run)
        sent = moving_writes(site, token)
        if move["outcome"] in ("done", "unchanged"):
            assert id_of(move["after"]) == wanted and run.code == 0
        if move["outcome"] == "done":
            assert site.writes_with(token), "it says that it did something and sent nothing"
        if move["outcome"] in ("unchanged", "refused") and sample.type != "ip_public":
            assert not sent or move["guard"] == "late", move
        if last is not None and last.authorization == f"Bearer {token}" and run.code == 0:
            assert holder == wanted, "the last one to write says that it won"
    for token, run in zip(TOKENS, runs, strict=True):
        # Who left last and says with whom it stays is right about it.
        rival = TOKENS[1 - TOKENS.index(token)]
        times = [item.time for item in site.sim.requests if item.authorization == f"Bearer {rival}"]
        mine = [item.time for item in site.sim.requests if item.authorization == f"Bearer {token}"]
        if max(mine) > max(times) and run.code != 5 and only(run)["after"] is not None:
            assert id_of(only(run)["after"]) == holder


def assert_nothing_lost(site: Site) -> None:
    assert [ip for server in (A, B) for ip in aliases(site, server) if ip != ALIAS] == ["10.0.1.50", "10.0.1.51"]
    assert sum(ALIAS in aliases(site, server) for server in site.sim.state.servers) <= 1
    assert set(statuses(site).values()) == {"running"}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
def test_two_runs_in_opposite_directions(sample: Sample, seed: int, serve: Serve, home: Path) -> None:
    site = serve(SCENARIO, seed=seed, action_time=(0.02, 0.15))
    runs = both(site, home, sample, random.Random(f"{sample.type} {seed}"))
    assert_true(site, sample, runs)
    assert_nothing_lost(site)
    assert "hcloud-reassign/intention" not in sample.labels(site) or 5 in [run.code for run in runs]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
def test_of_two_triggered_runs_the_newer_request_wins(sample: Sample, seed: int, serve: Serve, home: Path) -> None:
    site = serve(SCENARIO, seed=seed, action_time=(0.02, 0.15))
    now = time.time_ns() // 1_000_000
    rng = random.Random(f"triggered {sample.type} {seed}")
    newer = rng.choice((A, B))
    words = [("--issued-at", str(now - (20_000 if newer == to else 40_000))) for to in (B, A)]
    runs = both(site, home, sample, rng, *words)
    assert_nothing_lost(site)
    of_newer, of_older = runs if newer == B else runs[::-1]
    assert only(of_older)["outcome"] in ("done", "unchanged", "refused", "failed"), of_older
    if 5 in [run.code for run in runs]:
        return
    claim = sample.labels(site)[sample.claim]
    if claim.startswith(f"{now - 20_000}."):
        assert sample.holder(site) == newer, (of_newer, of_older)
        # It may have come back by the other run's hand, after this one has told what it saw.
        assert of_newer.code in (0, 1)
    else:
        # Both wrote their claims within one round trip: the one that remained is obeyed.
        assert sample.keys[sample.holder(site) or 0] == claim.partition(".")[2], (of_newer, of_older)


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
