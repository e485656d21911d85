"""The verbs for programs: what was seen is passed on, and is judged like in a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hcloud_reassign import Request, UsageError, api
from hcloud_reassign.core.errors import AccessError, FailedError
from hcloud_reassign.simulator import Fault
from tests.engine.samples import (
    ALIASED,
    FLOAT,
    NOW_MS,
    SAMPLES,
    TRIO,
    A,
    B,
    C,
    Sample,
    posts,
    run,
    told,
    triggered,
    trio,
)
from tests.harness import Lab

every_kind = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)


@every_kind
def test_observe_plan_and_apply_do_what_a_run_does(sample: Sample) -> None:
    lab = Lab(TRIO)
    seen = api.observe(lab.project(sample.section()))
    assert not lab.writes
    proposal = api.plan(seen, Request())
    assert [move.outcome for move in proposal.plan] == ["pending"]
    assert proposal.digest == lab.project(sample.section()).plan([], Request()).digest
    (result,) = api.apply(proposal)
    assert told(result) == ("done", 0, None)
    assert sample.holder(lab) == B


@every_kind
def test_a_proposal_that_waited_is_judged_again(sample: Sample) -> None:
    lab = Lab(TRIO)
    proposal = api.plan(api.observe(lab.project(sample.section())))
    lab.clock.advance(3600)
    sample.put(lab.sim, C)
    (result,) = api.apply(proposal)
    assert told(result) == ("refused", 3, "holder")
    assert sample.holder(lab) == C
    assert not posts(lab)


def test_a_proposal_carried_out_twice_is_unchanged_the_second_time() -> None:
    lab = Lab(TRIO)
    proposal = api.plan(api.observe(lab.project(FLOAT.section())))
    assert told(api.apply(proposal)[0]) == ("done", 0, None)
    lab.clock.advance(5)
    assert told(api.apply(proposal)[0]) == ("unchanged", 0, None)


@contextmanager
def machine_clock_off(lab: Lab, seconds: float) -> Iterator[None]:
    """This machine's clock shows something else than the API's."""
    wall = lab.clock.wall
    lab.sim._clock = wall
    lab.clock.wall = lambda: wall() + seconds  # type: ignore[method-assign]
    yield


@pytest.mark.parametrize("seconds", [-7200.0, 7200.0])
def test_age_and_claim_follow_the_apis_clock_in_every_verb(seconds: float) -> None:
    lab = Lab(TRIO)
    with machine_clock_off(lab, seconds):
        project = lab.project(FLOAT.section(more="cooldown = 60"))
        seen = api.observe(project)
        late = api.plan(seen, triggered(400))
        assert [move.refusal.guard for move in late.plan if move.refusal] == ["late"]
        (result,) = api.apply(api.plan(seen, Request()))
        assert told(result) == ("done", 0, None)
        assert abs(int(FLOAT.labels(lab)[FLOAT.claim].partition(".")[0]) - NOW_MS) < 5000


def test_claims_that_the_file_switches_off_are_off_for_programs_too() -> None:
    lab = Lab(TRIO)
    project = lab.project("[client]\nclaims = no\n" + FLOAT.section())
    (result,) = api.apply(api.plan(api.observe(project), triggered(1)))
    assert told(result) == ("done", 0, None)
    assert FLOAT.claim not in FLOAT.labels(lab)


def test_the_moves_of_the_last_hour_count_for_programs_too() -> None:
    lab = Lab(TRIO)
    section = FLOAT.section(more="max_moves_per_hour = 1")
    run(lab, section)
    proposal = api.plan(api.observe(lab.project(section)), Request(direction="src"))
    assert [move.refusal.guard for move in proposal.plan if move.refusal] == ["too-many"]


def test_a_server_does_not_stop_itself_for_a_program_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hcloud_reassign.engine.borders.this_server", lambda: A)
    proposal = api.plan(api.observe(Lab(TRIO).project(SAMPLES[3].section())))
    assert [move.refusal.guard for move in proposal.plan if move.refusal] == ["own-path"]


def test_what_nobody_has_is_read_again_for_a_plan() -> None:
    lab = Lab(TRIO)
    FLOAT.put(lab.sim, None)
    seen = api.observe(lab.project(FLOAT.section()))
    FLOAT.put(lab.sim, C)
    assert [move.refusal.guard for move in api.plan(seen).plan if move.refusal] == ["holder"]


def test_members_without_a_target_are_a_usage_error() -> None:
    seen = api.observe(Lab(TRIO).project(FLOAT.members("srv-a", "srv-b")))
    with pytest.raises(UsageError, match="--to"):
        api.plan(seen)


def test_errors_are_raised_and_not_returned() -> None:
    with pytest.raises(AccessError):
        api.observe(Lab(TRIO).project(FLOAT.section(), token="wrong"))
    with pytest.raises(FailedError):
        api.observe(Lab(TRIO, faults=[Fault("GET", "*", status=410, times=None)]).project(FLOAT.section()))


def test_every_report_counts_its_own_requests() -> None:
    lab = Lab(TRIO)
    project = lab.project(FLOAT.section("srv-b", "srv-a"))
    assert [project.run([], Request()).requests for _ in range(3)] == [2, 2, 2]


# Groups and what is left out


GROUP = "[group.web]\nmembers = floating.web, alias.vip\n"


@pytest.mark.parametrize("name", ["group.web", "web"])
def test_a_named_group_with_a_member_that_needs_a_target_is_a_usage_error(name: str) -> None:
    lab = Lab(TRIO)
    with pytest.raises(UsageError, match="alias.vip needs --to"):
        run(lab, FLOAT.section() + ALIASED.members("srv-a", "srv-b") + GROUP, names=[name])
    assert not lab.sim.requests


def test_without_names_such_a_group_is_left_out_whole() -> None:
    lab = Lab(trio())
    report = run(lab, FLOAT.section() + ALIASED.members("srv-a", "srv-b") + GROUP)
    assert report.code == 0 and not report.results
    assert FLOAT.holder(lab) == A
    assert len([warning for warning in report.warnings if "left out" in warning]) == 2


def test_with_a_target_such_a_group_moves_whole() -> None:
    lab = Lab(TRIO)
    ini = FLOAT.section() + ALIASED.members("srv-a", "srv-b") + GROUP
    report = run(lab, ini, Request(to="srv-b"), names=["group.web"])
    assert [result.outcome for result in report.results] == ["done", "done"]
