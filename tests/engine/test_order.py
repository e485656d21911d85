"""The last request wins: claims, how they are written, and what they do to requests that come late."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hcloud_reassign.core.model import Request
from hcloud_reassign.simulator import Fault
from tests.engine.samples import (
    ALIAS,
    ALIASED,
    FLOAT,
    FLOATING,
    NETWORK,
    NOW_MS,
    PUBLIC,
    QUICK,
    ROUTE,
    SAMPLES,
    TRIO,
    A,
    B,
    C,
    Sample,
    by_name,
    only,
    posts,
    run,
    told,
    triggered,
    verbs,
)
from tests.harness import Lab

every_kind = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
quick_kinds = pytest.mark.parametrize("sample", QUICK, ids=lambda sample: sample.type)


def at(ms: int, to: str | None = None, **more: Any) -> Request:
    """A triggered request of a moment relative to the lab's start."""
    return Request(to=to, issued_at_ms=NOW_MS + ms, **more)


# How a claim is written


@every_kind
def test_a_triggered_move_claims_before_its_first_write_and_keeps_foreign_labels(sample: Sample) -> None:
    lab = Lab(TRIO)
    before = dict(sample.labels(lab))
    assert told(only(run(lab, sample.section(), at(-1234)))) == ("done", 0, None)
    assert verbs(lab)[0] == "label"
    first = json.loads(lab.writes[0].body)["labels"]
    assert first[sample.claim] == f"{NOW_MS - 1234}.{sample.keys[B]}"
    assert before.items() <= first.items()
    assert sample.labels(lab) == {**before, sample.claim: f"{NOW_MS - 1234}.{sample.keys[B]}"}


def test_every_route_and_alias_of_a_network_has_a_claim_of_its_own() -> None:
    lab = Lab(TRIO)
    second = ALIASED.section().replace("alias.vip", "alias.other").replace(ALIAS, "10.0.1.50")
    report = run(lab, ROUTE.section() + ALIASED.section() + second, triggered(1))
    assert {result.outcome for result in report.results} == {"done"}
    assert {key for key in lab.sim.state.networks[NETWORK].labels if "/" in key} == {
        "hcloud-reassign/route.0.0.0.0_0",
        f"hcloud-reassign/alias.{ALIAS}",
        "hcloud-reassign/alias.10.0.1.50",
    }


@every_kind
def test_a_triggered_request_that_finds_it_done_claims_it_all_the_same(sample: Sample) -> None:
    """Else an older request for somebody else, still on its way, would win."""
    lab = Lab(TRIO)
    sample.put(lab.sim, B)
    result = only(run(lab, sample.section(), at(-1000)))
    assert told(result) == ("unchanged", 0, None)
    assert sample.labels(lab)[sample.claim] == f"{NOW_MS - 1000}.{sample.keys[B]}"
    assert not posts(lab)
    late = only(run(lab, sample.section(), at(-2000, direction="src")))
    assert told(late) == ("refused", 3, "late")
    assert sample.holder(lab) == B


@every_kind
def test_a_typed_move_writes_no_labels_where_nobody_triggers(sample: Sample) -> None:
    lab = Lab(TRIO)
    assert told(only(run(lab, sample.section()))) == ("done", 0, None)
    assert sample.claim not in sample.labels(lab)
    assert sample is PUBLIC or "label" not in verbs(lab)


@every_kind
def test_a_typed_move_outdates_what_is_still_queued(sample: Sample) -> None:
    lab = Lab(TRIO)
    sample.labels(lab)[sample.claim] = f"{NOW_MS - 60_000}.{sample.keys[A]}"
    lab.clock.advance(2)
    assert told(only(run(lab, sample.section()))) == ("done", 0, None)
    ms, _, target = sample.labels(lab)[sample.claim].partition(".")
    assert target == sample.keys[B]
    assert abs(int(ms) - NOW_MS - 2000) <= 1000
    queued = only(run(lab, sample.section(), at(-30_000, direction="src")))
    assert told(queued) == ("refused", 3, "late")


@every_kind
def test_a_typed_move_with_a_cooldown_claims(sample: Sample) -> None:
    lab = Lab(TRIO)
    assert told(only(run(lab, sample.section(more="cooldown = 10")))) == ("done", 0, None)
    assert sample.labels(lab)[sample.claim].endswith(f".{sample.keys[B]}_{sample.keys[A]}")


@every_kind
@pytest.mark.parametrize("off", ["file", "request"])
def test_claims_can_be_switched_off(sample: Sample, off: str) -> None:
    lab = Lab(TRIO)
    sample.labels(lab)[sample.claim] = f"{NOW_MS - 500}.{sample.keys[A]}"
    client = "[client]\nclaims = no\n" if off == "file" else ""
    result = only(run(lab, client + sample.section(), at(-1000, claims=off == "file")))
    assert told(result) == ("done", 0, None)
    assert sample.labels(lab)[sample.claim] == f"{NOW_MS - 500}.{sample.keys[A]}"


# Newer, older, equal


@every_kind
@pytest.mark.parametrize(
    ("claim_ms", "claim_to", "expected"),
    [
        (-999, A, ("refused", 3, "late")),
        (-999, B, ("refused", 3, "late")),
        (-1000, A, ("refused", 3, "late")),
        (-1000, B, ("done", 0, None)),
        (-1001, A, ("done", 0, None)),
    ],
)
def test_a_claim_is_compared_by_time_and_target(
    sample: Sample, claim_ms: int, claim_to: int, expected: tuple[str, int, str | None]
) -> None:
    """An equal one for the same target is a re-run. A newer one for the same target outdates as well."""
    lab = Lab(TRIO)
    sample.labels(lab)[sample.claim] = f"{NOW_MS + claim_ms}.{sample.keys[claim_to]}"
    result = only(run(lab, sample.section(), at(-1000)))
    assert told(result) == expected
    assert sample.holder(lab) == (B if expected[0] == "done" else A)
    assert expected[0] == "done" or not lab.writes


@every_kind
def test_the_same_request_twice_is_done_and_unchanged(sample: Sample) -> None:
    lab = Lab(TRIO)
    assert told(only(run(lab, sample.section(), at(-1000)))) == ("done", 0, None)
    writes = len(lab.writes)
    assert told(only(run(lab, sample.section(), at(-1000)))) == ("unchanged", 0, None)
    assert len(lab.writes) == writes


@every_kind
@pytest.mark.parametrize("garbage", ["", "x", "12", "12.", ".11", "-5.11", "١٢.11", "9" * 50 + ".11", "1.2.3.4.5"])
def test_a_claim_that_cannot_be_read_is_none(sample: Sample, garbage: str) -> None:
    lab = Lab(TRIO)
    sample.labels(lab)[sample.claim] = garbage
    assert told(only(run(lab, sample.section(), at(-1000)))) == ("done", 0, None)


@every_kind
def test_a_claim_of_the_far_future_is_not_believed(sample: Sample) -> None:
    lab = Lab(TRIO)
    sample.labels(lab)[sample.claim] = f"{NOW_MS + 3_600_000}.{sample.keys[A]}"
    assert told(only(run(lab, sample.section(), at(-1000)))) == ("done", 0, None)
    assert sample.labels(lab)[sample.claim] == f"{NOW_MS - 1000}.{sample.keys[B]}"


@every_kind
def test_a_request_of_the_far_future_counts_as_made_now(sample: Sample) -> None:
    lab = Lab(TRIO)
    report = run(lab, sample.section(), at(3_600_000))
    assert told(only(report)) == ("done", 0, None)
    assert any("future" in warning for warning in report.warnings)
    ms = int(sample.labels(lab)[sample.claim].partition(".")[0])
    assert NOW_MS <= ms <= NOW_MS + 3000


def test_a_request_a_little_ahead_is_believed() -> None:
    lab = Lab(TRIO)
    report = run(lab, FLOAT.section(), at(20_000))
    assert told(only(report)) == ("done", 0, None)
    assert FLOAT.labels(lab)[FLOAT.claim] == f"{NOW_MS + 20_000}.{B}"
    assert not any("future" in warning for warning in report.warnings)


def test_the_report_says_when_the_request_was_made() -> None:
    lab = Lab(TRIO)
    report = run(lab, FLOAT.section(), at(-1000, age_ms=500))
    assert report.document("run")["moves"][0]["issued_at"] == "2026-09-21T14:13:18.500Z"
    assert run(lab, FLOAT.section()).document("run")["moves"][0]["issued_at"] is None


# What happens meanwhile


def _claims(sample: Sample, ms: int, to: int, moved: bool = False) -> Any:
    """A hook: a newer request claims it, and has moved it already or not."""

    def hook(sim: Any, _: Any) -> None:
        labels = (
            sim.state.floating_ips[FLOATING].labels
            if sample is FLOAT
            else sim.state.primary_ips[701].labels
            if sample is PUBLIC
            else sim.state.networks[NETWORK].labels
        )
        labels[sample.claim] = f"{NOW_MS + ms}.{sample.keys[to]}"
        if moved:
            sample.put(sim, to)

    return hook


@every_kind
def test_a_newer_claim_between_reading_and_claiming_is_written_over_and_a_limit(sample: Sample) -> None:
    """The API compares nothing. The window is one round trip, and it is documented."""
    lab = Lab(TRIO, faults=[Fault("PUT", "*", run=_claims(sample, -500, C))])
    result = only(run(lab, sample.members("srv-a", "srv-b", "srv-c"), at(-1000, "srv-b")))
    assert result.outcome == "done"


@quick_kinds
def test_a_newer_claim_while_the_first_write_waits_is_noticed(sample: Sample) -> None:
    busy = Fault("POST", sample.path, status=409 if sample is ROUTE else 423, run=_claims(sample, -500, C))
    lab = Lab(TRIO, faults=[busy])
    result = only(run(lab, sample.members("srv-a", "srv-b", "srv-c"), at(-1000, "srv-b")))
    assert told(result) == ("refused", 3, "late")
    assert sample.holder(lab) == A
    assert len(posts(lab)) == 1


@quick_kinds
def test_a_request_that_grows_too_old_while_it_waits_is_refused(sample: Sample) -> None:
    busy = Fault("POST", sample.path, status=409 if sample is ROUTE else 423, times=None)
    lab = Lab(TRIO, faults=[busy])
    result = only(run(lab, sample.section(more="max_age = 10"), at(-1000)))
    assert told(result) == ("refused", 3, "late")
    assert sample.holder(lab) == A
    assert lab.clock.monotonic() < 20


@quick_kinds
def test_another_holder_after_waiting_is_judged_again(sample: Sample) -> None:
    busy = Fault("POST", sample.path, status=409 if sample is ROUTE else 423, run=sample.to(C))
    lab = Lab(TRIO, faults=[busy])
    result = only(run(lab, sample.section(), at(-1000)))
    assert told(result) == ("refused", 3, "holder")
    assert sample.holder(lab) == C


@quick_kinds
def test_a_target_that_has_it_after_waiting_is_unchanged(sample: Sample) -> None:
    busy = Fault("POST", sample.path, status=409 if sample is ROUTE else 423, run=sample.to(B))
    lab = Lab(TRIO, faults=[busy])
    result = only(run(lab, sample.section()))
    assert told(result) == ("unchanged", 0, None)
    assert len(posts(lab)) == 1


@quick_kinds
@pytest.mark.parametrize("status", [429])
def test_a_rate_limit_is_waited_for_a_second_and_judged_again(sample: Sample, status: int) -> None:
    lab = Lab(TRIO, faults=[Fault("POST", sample.path, status=status, run=sample.to(C))])
    result = only(run(lab, sample.section()))
    assert told(result) == ("refused", 3, "holder")
    assert lab.clock.monotonic() < 2.5


def _last_write(sample: Sample) -> int:
    return 1 if sample is FLOAT else 2


@quick_kinds
def test_what_a_newer_request_superseded_is_handed_over_once(sample: Sample) -> None:
    """The newer claim comes while our last write is under way; its own run never gets to move."""
    newer = Fault("POST", sample.path, nth=_last_write(sample), when="after", run=_claims(sample, -500, C))
    lab = Lab(TRIO, faults=[newer])
    result = only(run(lab, sample.members("srv-a", "srv-b", "srv-c"), at(-1000, "srv-b")))
    assert told(result) == ("refused", 3, "late")
    assert result.message is not None and "superseded" in result.message and "srv-c" in result.message
    assert sample.holder(lab) == C
    assert result.after is not None and result.after.id == C
    assert len(posts(lab)) == 2 * _last_write(sample)
    assert sample.labels(lab)[sample.claim] == f"{NOW_MS - 500}.{sample.keys[C]}"


@quick_kinds
def test_what_is_handed_over_goes_on_to_a_request_that_came_meanwhile(sample: Sample) -> None:
    """That one saw its own target have it still, and ended content."""
    last = _last_write(sample)
    newer = Fault("POST", sample.path, nth=last, when="after", run=_claims(sample, -500, C))
    newest = Fault("POST", sample.path, nth=last + 1, when="after", run=_claims(sample, -100, B))
    lab = Lab(TRIO, faults=[newer, newest])
    result = only(run(lab, sample.members("srv-a", "srv-b", "srv-c"), at(-1000, "srv-b")))
    assert told(result) == ("refused", 3, "late")
    assert sample.holder(lab) == B
    assert result.after is not None and result.after.id == B
    assert sample.labels(lab)[sample.claim] == f"{NOW_MS - 100}.{sample.keys[B]}"


@quick_kinds
def test_what_the_newer_request_has_moved_itself_is_superseded_too(sample: Sample) -> None:
    def after_ours(sim: Any, _: Any) -> None:
        hook = _claims(sample, -500, C, moved=True)
        sim.faults.append(Fault("GET", "/v1/actions", nth=_last_write(sample), times=None, when="after", run=ended))
        ended.hook = hook  # type: ignore[attr-defined]

    def ended(sim: Any, request: Any) -> None:
        """As soon as nothing runs any more, the newer request is faster than our verification."""
        if not sim.cloud.running:
            ended.hook(sim, request)  # type: ignore[attr-defined]

    lab = Lab(TRIO, faults=[Fault("POST", sample.path, nth=_last_write(sample), when="after", run=after_ours)])
    result = only(run(lab, sample.members("srv-a", "srv-b", "srv-c"), at(-1000, "srv-b")))
    assert told(result) == ("refused", 3, "late")
    assert result.message is not None and "superseded" in result.message
    assert sample.holder(lab) == C
    assert len(posts(lab)) == _last_write(sample)


@quick_kinds
def test_handing_over_waits_for_the_newer_requests_own_lock(sample: Sample) -> None:
    first = _last_write(sample)
    newer = Fault("POST", sample.path, nth=first, when="after", run=_claims(sample, -500, C))
    busy = Fault("POST", sample.path, nth=first + 1, times=2, status=409 if sample is ROUTE else 423)
    lab = Lab(TRIO, faults=[newer, busy])
    result = only(run(lab, sample.members("srv-a", "srv-b", "srv-c"), at(-1000, "srv-b")))
    assert told(result) == ("refused", 3, "late")
    assert sample.holder(lab) == C


@quick_kinds
def test_nothing_is_handed_over_to_somebody_who_is_not_listed(sample: Sample) -> None:
    newer = Fault("POST", sample.path, nth=_last_write(sample), when="after", run=_claims(sample, -500, C))
    lab = Lab(TRIO, faults=[newer])
    result = only(run(lab, sample.section(), at(-1000)))
    assert told(result) == ("refused", 3, "late")
    assert sample.holder(lab) == B
    assert result.after is not None and result.after.id == B


# A claim that cannot be written


@every_kind
def test_a_claim_refused_once_is_written_the_second_time(sample: Sample) -> None:
    lab = Lab(TRIO, faults=[Fault("PUT", "*", status=409)])
    report = run(lab, sample.section(), at(-1000))
    assert told(only(report)) == ("done", 0, None)
    assert sample.labels(lab)[sample.claim] == f"{NOW_MS - 1000}.{sample.keys[B]}"
    assert not any("claim" in warning for warning in report.warnings)


@quick_kinds
@pytest.mark.parametrize("status", [409, 422, 423, 500])
def test_a_claim_that_cannot_be_written_is_a_warning_and_the_move_goes_on(sample: Sample, status: int) -> None:
    lab = Lab(TRIO, faults=[Fault("PUT", "*", status=status, times=None)])
    report = run(lab, sample.section(), at(-1000))
    assert told(only(report)) == ("done", 0, None)
    assert any("claim could not be written" in warning for warning in report.warnings)
    assert len([request for request in lab.writes if request.method == "PUT"]) <= 2


def test_a_primary_ip_does_not_move_without_its_intention_label() -> None:
    """Without it a crash would leave servers off and nobody would know."""
    lab = Lab(TRIO, faults=[Fault("PUT", "*", status=409, times=None)])
    result = only(run(lab, PUBLIC.section(), at(-1000)))
    assert result.outcome == "failed" and result.code == 1
    assert not posts(lab)
    assert PUBLIC.holder(lab) == A


def test_labels_that_somebody_adds_meanwhile_are_kept_by_the_second_try() -> None:
    def add(sim: Any, _: Any) -> None:
        sim.state.floating_ips[FLOATING].labels["new"] = "yes"

    lab = Lab(TRIO, faults=[Fault("PUT", "*", status=409, run=add)])
    assert told(only(run(lab, FLOAT.section(), at(-1000)))) == ("done", 0, None)
    assert FLOAT.labels(lab)["new"] == "yes"


# Two runs against each other


@quick_kinds
@pytest.mark.parametrize("nth", range(1, 12))
@pytest.mark.parametrize("second_ms", [-1500, -500])
def test_of_two_triggered_runs_against_each_other_each_tells_the_truth(
    sample: Sample, nth: int, second_ms: int
) -> None:
    """The second run starts, and ends, inside the first one, after any of its requests."""
    ini = sample.members("srv-a", "srv-b", "srv-c")
    inner: list[Any] = []

    def begin(sim: Any, _: Any) -> None:
        inner.append(only(run(lab, ini, at(second_ms, "srv-c"))))

    lab = Lab(TRIO, faults=[Fault("*", "*", nth=nth, when="after", run=begin)])
    outer = only(run(lab, ini, at(-1000, "srv-b")))
    (second,) = inner
    assert sample.holder(lab) in (B, C)
    for result, target in ((outer, B), (second, C)):
        if result.outcome in ("done", "unchanged") and sample.holder(lab) != target:
            assert result is second, "only what ended earlier may have been true then and not now"
            assert second_ms < -1000, "and only an older request gives way"
        if result.outcome == "refused":
            assert result.guard == "late"
        assert result.outcome in ("done", "unchanged", "refused", "failed", "unknown")
    if second_ms > -1000 and second.outcome == "done":
        assert sample.holder(lab) == C, (outer, second)


@quick_kinds
@pytest.mark.parametrize("nth", range(1, 12))
def test_of_two_typed_runs_against_each_other_one_has_its_way(sample: Sample, nth: int) -> None:
    ini = sample.members("srv-a", "srv-b", "srv-c")
    inner: list[Any] = []

    def begin(sim: Any, _: Any) -> None:
        inner.append(only(run(lab, ini, Request(to="srv-c"))))

    lab = Lab(TRIO, faults=[Fault("*", "*", nth=nth, when="after", run=begin)])
    outer = only(run(lab, ini, Request(to="srv-b")))
    assert sample.holder(lab) in (B, C)
    if outer.outcome == "done":
        assert sample.holder(lab) == B
    else:
        assert sample.holder(lab) == C and inner[0].outcome == "done", (outer, inner)


def test_moves_of_one_run_do_not_overwrite_each_others_claims() -> None:
    lab = Lab(TRIO)
    second = ALIASED.section().replace("alias.vip", "alias.other").replace(ALIAS, "10.0.1.50")
    found = by_name(run(lab, ALIASED.section() + second, triggered(1)))
    assert {result.outcome for result in found.values()} == {"done"}
    labels = lab.sim.state.networks[NETWORK].labels
    assert labels[f"hcloud-reassign/alias.{ALIAS}"].endswith(f".{B}")
    assert labels["hcloud-reassign/alias.10.0.1.50"].endswith(f".{B}")
    assert labels["team"] == "net"
