"""A used-up rate limit, a slow API, a large project: few requests, an end in time, and nothing lost on the way."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from hcloud_reassign.core.errors import FailedError
from hcloud_reassign.core.model import Found, Holder, Request, World
from hcloud_reassign.engine.events import Event
from hcloud_reassign.kinds.floating_ip import FloatingIpKind
from hcloud_reassign.simulator import Fault
from tests.engine.samples import (
    PUBLIC,
    QUICK,
    SAMPLES,
    TRIO,
    A,
    B,
    Sample,
    only,
    posts,
    run,
    statuses,
    told,
    triggered,
    verbs,
)
from tests.engine.test_requests import fleet, sections
from tests.harness import Lab

every_kind = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
quick_kinds = pytest.mark.parametrize("sample", QUICK, ids=lambda sample: sample.type)

EVERYTHING = "".join(sample.section() for sample in SAMPLES)


def limited(method: str = "*", nth: int = 1, times: int | None = None) -> Fault:
    """The bucket is empty, and whatever flows in is used up by others."""
    return Fault(method, "*", nth=nth, times=times, status=429)


def most_in(lab: Lab, seconds: float) -> int:
    """The most requests that were sent within so many seconds, the first second of the run left out."""
    times = [request.time for request in lab.sim.requests]
    later = [time for time in times if time > times[0] + 1.0]
    return max((sum(start <= time < start + seconds for time in later) for start in later), default=0)


# Nothing can be read


@pytest.mark.parametrize("ini", [SAMPLES[0].section(), EVERYTHING], ids=["one", "every kind"])
def test_a_used_up_limit_is_asked_once_a_second_by_all_together(ini: str) -> None:
    lab = Lab(TRIO, faults=[limited()])
    report = run(lab, ini)
    assert report.code == 1
    assert most_in(lab, 10.0) <= 11
    assert len(lab.sim.requests) <= lab.clock.monotonic() + 10


def test_a_used_up_limit_ends_with_what_is_true_and_what_to_do() -> None:
    lab = Lab(TRIO, faults=[limited()])
    error = run(lab, SAMPLES[0].section()).error
    assert error is not None
    assert "limit of 3600 requests per hour reached" in error.message
    assert "nothing was changed" in error.message
    assert error.next is not None and "try again in a minute" in error.next
    assert lab.clock.monotonic() <= 120


@pytest.mark.parametrize("look", ["status", "check", "inventory"])
def test_looking_ends_in_time_as_well(look: str) -> None:
    lab = Lab(TRIO, faults=[limited()])
    project = lab.project(SAMPLES[0].section())
    if look == "check":
        finding = project.check()[-1]
        assert finding.level == "error"
        why, again = finding.message, finding.fix
    else:
        with pytest.raises(FailedError) as caught:
            getattr(project, look)()
        why, again = caught.value.message, caught.value.next
    assert "limit of 3600 requests per hour reached" in why
    assert again is not None and "try again in a minute" in again
    assert lab.clock.monotonic() <= 32
    assert len(lab.sim.requests) <= 40


def test_a_hundred_pages_are_asked_for_again_one_after_another() -> None:
    lab = Lab(fleet(200, servers=1000), faults=[limited()])
    run(lab, sections(200))
    assert most_in(lab, 10.0) <= 11


def test_every_wait_is_told_with_how_long_it_may_still_take() -> None:
    events: list[Event] = []
    lab = Lab(TRIO, faults=[limited(times=12)])
    assert run(lab, SAMPLES[0].section(), on_event=events.append).code == 0
    waits = [event.data for event in events if event.event == "step.retried"]
    assert len(waits) == 12
    assert all("limit of 3600 requests per hour reached" in wait["reason"] for wait in waits)
    left = [wait["left_ms"] for wait in waits]
    assert left == sorted(left, reverse=True)
    assert 0 < left[-1] < left[0] <= 120_000


def test_a_limit_that_gives_a_little_is_enough_for_a_run() -> None:
    """Half of what flows in is somebody else's: the run takes longer and does all that it should."""
    lab = Lab(TRIO, faults=[Fault("*", "*", times=None, probability=0.5, status=429)])
    report = run(lab, EVERYTHING, timeout_s=600.0)
    assert {result.outcome for result in report.results} == {"done"}
    assert all(sample.holder(lab) == B for sample in SAMPLES)


# In the middle of a move


@every_kind
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_limit_in_the_middle_of_a_move_only_delays_it(sample: Sample, nth: int) -> None:
    lab = Lab(TRIO, faults=[limited("POST", nth, times=5)])
    assert told(only(run(lab, sample.section()))) == ("done", 0, None)
    assert sample.holder(lab) == B


@every_kind
def test_a_limit_before_the_first_write_leaves_all_as_it_was_and_says_what_to_type(sample: Sample) -> None:
    lab = Lab(TRIO, faults=[limited("POST")])
    result = only(run(lab, sample.section()))
    assert told(result) == ("failed", 1, None)
    assert sample.holder(lab) == A
    assert result.message is not None
    assert "limit of 3600 requests per hour reached" in result.message
    assert "as before" in result.message or "nothing was changed" in result.message
    assert result.next is not None and result.next.startswith(f"hcloud-reassign run {sample.name} --to ")
    assert set(statuses(lab).values()) == {"running"}
    assert lab.clock.monotonic() <= sample.limit_s + 2


@quick_kinds
def test_a_limit_for_good_after_the_first_write_is_told_as_it_is(sample: Sample) -> None:
    lab = Lab(TRIO, faults=[limited("POST", nth=2)])
    result = only(run(lab, sample.section(), timeout_s=60.0))
    holder = sample.holder(lab)
    assert (result.after.id if result.after else None) == holder
    assert lab.clock.monotonic() <= 62
    if holder is None:
        assert told(result) == ("unknown", 5, None)
        assert result.next is not None and result.next.startswith(f"hcloud-reassign run {sample.name} --to ")


def test_moves_that_meet_the_limit_take_turns() -> None:
    """Fifty floating IPs: each try is a look and a write, one of all a second."""
    scenario = fleet(50, servers=120)
    scenario["floating_ips"] = [{**ip, "server": f"srv-{60 + n}"} for n, ip in enumerate(scenario["floating_ips"])]
    ini = "".join(
        f"[floating.ip-{n}]\ntype = ip_floating\nresource = ip-{n}\ndestination = srv-{n}\n" for n in range(50)
    )
    lab = Lab(scenario, faults=[limited("POST", times=60)], latency_s=0.001)
    report = run(lab, ini)
    assert {result.outcome for result in report.results} == {"done"}
    refused = Counter(int(item.time - lab.sim.requests[0].time) for item in posts(lab) if item.status == 429)
    assert max(count for second, count in refused.items() if second > 1) <= 2


# A slow API


@every_kind
@pytest.mark.parametrize("triggering", [False, True], ids=["typed", "triggered"])
def test_every_kind_is_done_by_default_with_five_seconds_for_every_request(sample: Sample, triggering: bool) -> None:
    """Requests of this lab follow one another, also those that are sent at once elsewhere."""
    lab = Lab(TRIO, latency_s=5.0)
    result = only(run(lab, sample.section(), triggered(1) if triggering else Request()))
    assert told(result) == ("done", 0, None)
    assert sample.holder(lab) == B
    assert lab.clock.monotonic() <= sample.limit_s


TOO_SHORT = pytest.mark.parametrize("timeout_s", [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 100.0, 120.0, 140.0])


@quick_kinds
@TOO_SHORT
def test_too_little_time_for_a_slow_api_is_said_before_anything_is_taken_away(sample: Sample, timeout_s: float) -> None:
    lab = Lab(TRIO, latency_s=5.0)
    report = run(lab, sample.section(), timeout_s=timeout_s)
    assert sample.holder(lab) in (A, B)
    assert lab.clock.monotonic() <= timeout_s + lab.latency_s
    if sample.holder(lab) == A:
        why = report.error.message if report.error else only(report).message
        assert why is not None and "time" in why
        assert not posts(lab)


@TOO_SHORT
def test_too_little_time_for_a_primary_ip_leaves_no_server_off_and_nobody_without_it(timeout_s: float) -> None:
    lab = Lab(TRIO, latency_s=5.0)
    report = run(lab, PUBLIC.section(), timeout_s=timeout_s)
    assert PUBLIC.holder(lab) in (A, B)
    assert set(statuses(lab).values()) == {"running"}
    assert "unassign" not in verbs(lab)
    assert report.code in (1, 5)
    assert lab.clock.monotonic() <= timeout_s + 2 * lab.latency_s


def test_a_single_slow_answer_is_forgotten_again() -> None:
    lab = Lab(TRIO, faults=[Fault("GET", "/v1/servers", delay=6.0)])
    assert told(only(run(lab, SAMPLES[2].section(), timeout_s=60.0))) == ("done", 0, None)


# A large project


def large() -> dict[str, Any]:
    """1,000 servers, 500 floating IPs: 20 and 10 pages."""
    scenario = fleet(500, servers=1000)
    scenario["floating_ips"] = [
        {**ip, "ip": f"198.51.{n // 250}.{n % 250 + 1}", "server": f"srv-{n}"}
        for n, ip in enumerate(scenario["floating_ips"])
    ]
    return scenario


LAST = "[floating.last]\ntype = ip_floating\nresource = ip-499\nsource = srv-499\ndestination = srv-999\n"


def paths(lab: Lab) -> Counter[str]:
    return Counter(request.path for request in lab.sim.requests)


def test_a_move_in_a_large_project_reads_every_page_once() -> None:
    lab = Lab(large())
    assert told(only(run(lab, LAST))) == ("done", 0, None)
    found = paths(lab)
    assert (found["/v1/servers"], found["/v1/floating_ips"]) == (20, 10)
    assert sum(found.values()) <= 40


def test_status_and_check_of_a_large_project_read_every_page_once() -> None:
    lab = Lab(large())
    project = lab.project(LAST)
    (standing,) = project.status().standings
    assert (standing.state, standing.holder.name if standing.holder else None) == ("at-source", "srv-499")
    assert sum(paths(lab).values()) <= 32
    before = len(lab.sim.requests)
    assert "missing" not in [finding.code for finding in project.check()]
    assert len(lab.sim.requests) - before == 30


def test_status_of_all_of_a_large_project_shows_all_of_it() -> None:
    lab = Lab(large())
    standings = lab.project(LAST).status(everything=True).standings
    assert len([standing for standing in standings if standing.assignment.type == "ip_floating"]) == 500
    assert len(lab.sim.requests) <= 60


def test_the_sections_of_a_large_project_are_drafted_without_looking_every_server_up_for_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up: Counter[str] = Counter()
    original = FloatingIpKind.holder_named

    def counted(kind: FloatingIpKind, world: World, found: Found, name: str) -> Holder:
        looked_up[name] += 1
        return original(kind, world, found, name)

    monkeypatch.setattr(FloatingIpKind, "holder_named", counted)
    drafts = Lab(large()).project(LAST).inventory()
    assert len(drafts) == 500
    assert len(drafts[0].others) == 999
    assert set(looked_up.values()) == {1}
