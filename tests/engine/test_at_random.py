"""Faults by the dice: whatever goes wrong, a result says what is so, and the same command ends what was left."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from hcloud_reassign.core.model import Request
from hcloud_reassign.simulator import Fault, Switches
from tests.engine.samples import (
    ALIASED,
    PUBLIC,
    SAMPLES,
    TRIO,
    A,
    B,
    Sample,
    aliases,
    only,
    run,
    statuses,
    triggered,
    with_server,
)
from tests.harness import Lab

FAULTS: tuple[Callable[[random.Random], dict[str, Any]], ...] = (
    lambda dice: {"method": "*", "drop": dice.choice(["before", "after"])},
    lambda dice: {"method": "*", "status": dice.choice([429, 500, 502, 503, 504])},
    lambda dice: {"method": "*", "status": dice.choice([500, 502, 504]), "when": "after"},
    lambda dice: {"method": "POST", "status": dice.choice([409, 412, 422, 423])},
    lambda dice: {"method": "PUT", "status": dice.choice([409, 423])},
    lambda dice: {"method": "POST", "fail_action": {"code": "x", "message": dice.choice(["no", "server is locked"])}},
    lambda dice: {"method": "POST", "stuck_action": True},
    lambda dice: {"method": "POST", "slow_action": dice.uniform(2, 20)},
    lambda dice: {"method": "*", "delay": dice.uniform(1, 12), "when": "after"},
)


def some_fault(dice: random.Random) -> Fault:
    return Fault(path="*", nth=dice.randint(1, 25), times=dice.choice([1, 1, 2, 3]), **dice.choice(FAULTS)(dice))


def some_lab(dice: random.Random, seed: int) -> Lab:
    scenario = with_server(TRIO, "srv-b", ipv4="198.51.100.9") if dice.random() < 0.3 else TRIO
    switches = Switches(floating_strict=dice.random() < 0.3, network_members=dice.random() < 0.7)
    faults = [some_fault(dice) for _ in range(dice.randint(1, 4))]
    return Lab(scenario, seed=seed, faults=faults, switches=switches)


def assert_whole(sample: Sample, lab: Lab) -> None:
    """What a move leaves behind that says of itself that nothing is open."""
    if sample is PUBLIC:
        assert set(statuses(lab).values()) == {"running"}
        assert "hcloud-reassign/intention" not in PUBLIC.labels(lab)
    assert sample.labels(lab)["team"] in ("web", "net")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
@pytest.mark.parametrize("seeds", [range(start, start + 25) for start in range(0, 75, 25)], ids=lambda seeds: seeds[0])
def test_what_is_said_is_so(sample: Sample, seeds: range) -> None:
    ini = sample.section(more="occupied = detach" if sample is PUBLIC else "")
    for seed in seeds:
        dice = random.Random(seed)
        lab = some_lab(dice, seed)
        report = run(lab, ini, triggered(1) if dice.random() < 0.5 else Request())
        assert lab.clock.monotonic() <= sample.limit_s + 2, seed
        if report.error is not None:
            assert sample.holder(lab) == A, seed
            continue
        result = only(report)
        assert "internal error" not in (result.message or ""), (seed, result)
        if result.outcome in ("done", "failed"):
            assert sample.holder(lab) == (B if result.outcome == "done" else A), (seed, result)
            assert_whole(sample, lab)
        else:
            assert (result.outcome, result.next is not None) == ("unknown", True), (seed, result)
        assert "10.0.1.50" in aliases(lab, A) and "10.0.1.51" in aliases(lab, B), seed
        lab.sim.faults.clear()
        for action in list(lab.sim.cloud.running):
            lab.sim.finish_action(action)
        assert only(run(lab, ini)).code == 0, seed
        assert sample.holder(lab) == B, seed
        assert_whole(sample, lab)
        assert sample is not ALIASED or len(aliases(lab, B)) == 2
