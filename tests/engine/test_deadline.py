"""Everything ends by its time, whatever the API does, and the last quarter is kept for undo and verification."""

from __future__ import annotations

from typing import Any

import pytest

from hcloud_reassign.engine.clock import Deadline
from hcloud_reassign.simulator import Fault
from tests.engine.samples import (
    ALIASED,
    FLOAT,
    PUBLIC,
    QUICK,
    ROUTE,
    SAMPLES,
    TRIO,
    A,
    About,
    B,
    Sample,
    only,
    posts,
    run,
    told,
    triggered,
    with_server,
)
from tests.harness import Lab

every_kind = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
quick_kinds = pytest.mark.parametrize("sample", QUICK, ids=lambda sample: sample.type)

DEAD: dict[str, list[Fault]] = {
    "no answer": [Fault("*", "*", times=None, drop="before")],
    "ten seconds of latency": [Fault("*", "*", times=None, delay=9.9, when="after")],
    "answers too late": [Fault("*", "*", times=None, delay=11.0, when="after")],
    "rate limit for ever": [Fault("*", "*", times=None, status=429)],
    "bad gateway for ever": [Fault("*", "*", times=None, status=502, body="html")],
    "writes rate limited for ever": [Fault("POST", "*", times=None, status=429)],
    "writes locked for ever": [Fault("POST", "*", times=None, status=423)],
    "writes never answered": [Fault("POST", "*", times=None, drop="before")],
    "writes applied, never answered": [Fault("POST", "*", times=None, drop="after")],
    "stuck actions": [Fault("POST", "*", times=None, stuck_action=True)],
    "polling broken": [Fault("GET", "/v1/actions", times=None, status=503)],
    "labels never answered": [Fault("PUT", "*", times=None, drop="before")],
    "reads dead after the first write": [Fault("GET", "*", nth=6, times=None, drop="before")],
    "half of everything lost": [Fault("*", "*", times=None, probability=0.5, drop="after")],
}


@every_kind
@pytest.mark.parametrize("how", DEAD)
@pytest.mark.parametrize("timeout_s", [10.0, 40.0])
def test_a_run_ends_by_its_time(sample: Sample, how: str, timeout_s: float) -> None:
    faults = [Fault(**{**vars(fault), "seen": 0, "fired": 0}) for fault in DEAD[how]]
    lab = Lab(TRIO, faults=faults)
    report = run(lab, sample.section(), triggered(1), timeout_s=timeout_s)
    assert lab.clock.monotonic() <= timeout_s + 2
    assert all(request.time - lab.sim.requests[0].time <= timeout_s for request in lab.sim.requests)
    if report.error is None:
        result = only(report)
        if result.outcome == "done":
            assert sample.holder(lab) == B
        if result.outcome == "failed" and result.after is not None:
            assert result.after.id == sample.holder(lab)
        assert result.outcome != "unknown" or result.next is not None
    assert report.code != 0 or sample.holder(lab) == B


@quick_kinds
def test_a_stuck_action_is_unknown_within_the_time(sample: Sample) -> None:
    lab = Lab(TRIO, faults=[Fault("POST", sample.path, stuck_action=True)])
    result = only(run(lab, sample.section(), timeout_s=30.0))
    assert told(result) == ("unknown", 5, None)
    assert result.message is not None and "still running" in result.message
    assert lab.clock.monotonic() <= 30


@every_kind
@pytest.mark.parametrize("timeout_s", [20.0, 120.0])
def test_no_write_forward_starts_in_the_time_that_is_kept(sample: Sample, timeout_s: float) -> None:
    lab = Lab(TRIO, faults=[Fault("POST", "*", times=None, status=423)])
    began = lab.clock.wall()
    run(lab, sample.section(), timeout_s=timeout_s)
    reserve = max(timeout_s / 4, 2.0) if timeout_s < 120 else 30.0
    assert posts(lab)
    assert max(post.time for post in posts(lab)) - began <= timeout_s - reserve + 0.1


@pytest.mark.parametrize("sample", [ROUTE, ALIASED], ids=lambda sample: sample.type)
def test_the_time_that_is_kept_is_used_to_put_it_back(sample: Sample) -> None:
    wanted = b"10.0.1.3" if sample is ROUTE else b"10.0.1.51"
    lab = Lab(TRIO, faults=[About("POST", sample.path, times=None, status=423, text=wanted)])
    result = only(run(lab, sample.section(), timeout_s=40.0))
    assert told(result) == ("failed", 1, None)
    assert sample.holder(lab) == A
    assert lab.clock.monotonic() <= 40


def test_a_section_may_have_less_time_than_the_run() -> None:
    lab = Lab(TRIO, faults=[Fault("POST", FLOAT.path, times=None, status=423)])
    result = only(run(lab, FLOAT.section(more="timeout = 5")))
    assert result.outcome == "failed"
    assert lab.clock.monotonic() <= 5


def test_a_section_with_less_time_takes_none_from_another() -> None:
    slow = Fault("POST", ROUTE.path, times=None, slow_action=8.0)
    lab = Lab(TRIO, faults=[Fault("POST", FLOAT.path, times=None, status=423), slow])
    report = run(lab, FLOAT.section(more="timeout = 5") + ROUTE.section())
    assert [result.outcome for result in report.results] == ["failed", "done"]


def test_a_section_with_more_time_than_the_run_has_the_runs() -> None:
    lab = Lab(TRIO, faults=[Fault("POST", FLOAT.path, times=None, status=423)])
    run(lab, FLOAT.section(more="timeout = 500"), timeout_s=10.0)
    assert lab.clock.monotonic() <= 10


def test_a_primary_ip_has_five_minutes() -> None:
    """Two shutdowns of 25 s and slow actions do not fit into two."""
    scenario = with_server(with_server(TRIO, "srv-a", shutdown_s=28.0), "srv-b", shutdown_s=28.0)
    slow = [Fault("POST", path, times=None, slow_action=20.0) for path in ("*assign", "*poweron")]
    lab = Lab(scenario, faults=slow)
    assert told(only(run(lab, PUBLIC.section()))) == ("done", 0, None)
    assert lab.clock.monotonic() > 120


@pytest.mark.parametrize(
    ("seconds", "forward"), [(120.0, 90.0), (300.0, 270.0), (40.0, 30.0), (8.0, 6.0), (4.0, 2.0), (1.0, 0.25)]
)
def test_what_is_kept_is_a_quarter_at_least_two_seconds_at_most_thirty(seconds: float, forward: float) -> None:
    deadline = Deadline.after(100.0, seconds)
    assert deadline == Deadline(100.0 + seconds, 100.0 + forward)


def test_of_two_deadlines_the_earlier_counts() -> None:
    assert Deadline(10.0, 5.0).within(Deadline(9.0, 7.0)) == Deadline(9.0, 5.0)


def test_the_time_passes_while_nothing_is_sent() -> None:
    """The rate limit is waited for by the second, not until the bucket is full again."""
    lab = Lab(TRIO, faults=[Fault("POST", FLOAT.path, times=3, status=429, headers={"RateLimit-Reset": "9999999999"})])
    assert told(only(run(lab, FLOAT.section()))) == ("done", 0, None)
    assert 2.0 < lab.clock.monotonic() < 8.0


def _never(*_: Any) -> None:
    raise AssertionError("asked after the end")


@every_kind
def test_no_request_is_sent_after_the_end(sample: Sample) -> None:
    lab = Lab(TRIO, faults=[Fault("POST", sample.path, stuck_action=True)])
    run(lab, sample.section(), timeout_s=20.0)
    lab.sim.faults = [Fault("*", "*", times=None, run=_never)]
    lab.clock.advance(1000)
