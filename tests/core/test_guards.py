"""Every common reason to refuse: what it refuses, what it lets through, and the way past it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign.core import guards
from hcloud_reassign.core.guards import clock_time
from hcloud_reassign.core.model import Holder, HolderType, Refusal, Request
from hcloud_reassign.core.objects import Server
from tests.core.toy import NOW, PINNED, case_of, section, situation, thing, world_of


def claimed(value: str, server: int | None = 1) -> object:
    return thing(server, {"hcloud-reassign/claim": value})


def need(refusal: Refusal | None) -> Refusal:
    assert refusal is not None
    return refusal


# not-listed


@pytest.mark.parametrize(
    ("to", "fields", "refused"),
    [
        ("srv-a", {}, False),
        ("srv-b", {}, False),
        ("srv-c", {}, True),
        ("srv-c", {"source": None}, True),
        ("srv-c", {"source": None, "destination": None, "members": ("srv-a", "srv-c")}, False),
        ("srv-b", {"source": None, "destination": None, "members": ("srv-a", "srv-c")}, True),
        ("srv-c", {"source": None, "destination": None, "anybody": True}, False),
    ],
)
def test_it_goes_to_nobody_whom_the_section_does_not_list(to: str, fields: dict[str, Any], refused: bool) -> None:
    refusal = guards.not_listed(case_of(assignment=section(**fields), to=to))
    assert (refusal is not None) is refused


def test_there_is_no_way_past_the_list() -> None:
    refusal = need(guards.not_listed(case_of(to="srv-c")))
    assert refusal.guard == "not-listed"
    assert not refusal.forceable
    assert refusal.message == "srv-c is not listed for it"
    assert refusal.next == "--to takes one of: srv-a, srv-b"


# holder


@pytest.mark.parametrize(
    ("holder", "fields", "refused"),
    [
        (None, {}, False),
        (1, {}, False),
        (2, {}, False),
        (3, {}, True),
        (3, {"source": None}, False),
        (3, {"anybody": True}, False),
        (3, {"source": None, "destination": None, "members": ("srv-a", "srv-b")}, True),
        (99, {}, True),
    ],
    ids=["nobody", "source", "target", "else", "no-source", "anybody", "no-member", "deleted"],
)
def test_it_is_taken_from_nobody_who_is_not_expected(holder: int | None, fields: dict[str, Any], refused: bool) -> None:
    refusal = guards.holder(case_of(world_of(thing(holder)), section(**fields)))
    assert (refusal is not None) is refused


@pytest.mark.parametrize(
    ("holder", "source", "refused"),
    [(99, "srv-gone", False), (99, "srv-a", True), (3, "srv-gone", True)],
    ids=["left-behind", "nobody-gone", "known"],
)
def test_what_a_deleted_listed_server_left_behind_may_be_taken(holder: int, source: str, refused: bool) -> None:
    listed = case_of(world_of(thing(holder)), section(source="srv-a"))
    case = replace(listed, assignment=section(source=source))
    case = case if source == "srv-a" else replace(case, listed=case.listed[1:])
    assert (guards.holder(case) is not None) is refused


@pytest.mark.parametrize(("type", "refused"), [("gateway", False), ("host", True), ("other", True)])
def test_an_address_of_a_deleted_server_is_left_behind_and_an_unknown_assignee_is_not(
    type: HolderType, refused: bool
) -> None:
    """A route whose gateway is no server any more, while a listed server is gone."""
    case = case_of()
    found = replace(case.found, holder=Holder(type, None, None, "10.0.0.9"))
    refusal = guards.holder(replace(case, found=found, listed=case.listed[1:]))
    assert (refusal is not None) is refused


def test_force_takes_it_from_somebody_else_and_the_refusal_names_who_that_is() -> None:
    refusal = need(guards.holder(case_of(world_of(thing(3)))))
    assert (refusal.guard, refusal.forceable, refusal.next) == ("holder", True, "add --force to take it from there")
    assert refusal.message == "it is held by srv-c, who is not listed for it (srv-a, srv-b)"


def test_nothing_takes_it_from_a_load_balancer() -> None:
    case = case_of(world_of(thing(5, location=PINNED)), section(source=None))
    refusal = need(guards.holder(case))
    assert not refusal.forceable
    assert refusal.next is None
    assert "load balancer lb" in refusal.message


@pytest.mark.parametrize(
    ("holder", "expected"),
    [
        (Holder("server", 1, "srv-a"), "srv-a"),
        (Holder("gateway", 1, "srv-a", "10.0.0.2"), "10.0.0.2 (srv-a)"),
        (Holder("gateway", None, None, "10.0.0.2"), "10.0.0.2"),
        (Holder("load_balancer", 5, "lb"), "load balancer lb"),
        (Holder("load_balancer", 5), "load balancer 5"),
        (Holder("other", 5, "volume"), "other volume"),
    ],
)
def test_a_holder_is_described_with_its_type_where_that_is_a_surprise(holder: Holder, expected: str) -> None:
    assert guards.describe(holder) == expected


# destination-off


@pytest.mark.parametrize(
    ("status", "refused", "warned"),
    [
        ("running", False, False),
        ("off", True, False),
        ("stopping", True, False),
        ("deleting", True, False),
        ("rebuilding", True, False),
        ("starting", False, True),
        ("migrating", False, True),
        ("initializing", False, True),
        ("unknown", False, True),
        ("dancing", False, True),
    ],
)
def test_a_target_that_does_not_run_is_refused_or_warned_about(status: str, refused: bool, warned: bool) -> None:
    case = case_of(world_of(thing(), Server(2, "srv-b", status=status)))
    refusal = guards.destination_off(case)
    assert (refusal is not None) is refused
    assert guards.odd_destination(case) == ((f"srv-b is {status}",) if warned else ())
    if refusal:
        assert (refusal.guard, refusal.forceable) == ("destination-off", True)
        assert refusal.message == f"srv-b is {status}"
        assert "hcloud server poweron srv-b" in str(refusal.next)


def test_a_target_that_is_no_server_is_not_asked_whether_it_runs() -> None:
    gateway = replace(case_of(), wanted=Holder("gateway", None, None, "10.0.0.2"))
    assert gateway.target is None
    assert guards.destination_off(gateway) is None
    assert guards.odd_destination(gateway) == ()


# late


@pytest.mark.parametrize(
    ("age_ms", "section_age_s", "request_age_s", "refused"),
    [
        (0, None, None, False),
        (300_000, None, None, False),
        (300_001, None, None, True),
        (60_000, 60.0, None, False),
        (60_001, 60.0, None, True),
        (400_000, 600.0, None, False),
        (100_000, 60.0, 200.0, False),
        (100_000, 600.0, 60.0, True),
        (1, 0.0, None, True),
        (1, 300.0, 0.0, True),
        (-60_000, None, None, False),
    ],
)
def test_a_triggered_request_may_be_as_old_as_max_age_and_no_older(
    age_ms: int, section_age_s: float | None, request_age_s: float | None, refused: bool
) -> None:
    request = Request(issued_at_ms=NOW - age_ms, max_age_s=request_age_s)
    refusal = guards.late(case_of(assignment=section(max_age_s=section_age_s), request=request))
    assert (refusal is not None) is refused


def test_the_triggers_own_age_counts_too() -> None:
    request = Request(issued_at_ms=NOW - 200_000, age_ms=100_001)
    refusal = need(guards.late(case_of(request=request)))
    assert (refusal.guard, refusal.forceable, refusal.next) == ("late", False, "send a new request")
    assert refusal.message == "the request is 300 s old, more than max_age = 300 s"


def test_a_very_old_request_is_told_its_age_to_the_second() -> None:
    refusal = need(guards.late(case_of(request=Request(issued_at_ms=NOW - 86_400_000))))
    assert refusal.message == "the request is 86400 s old, more than max_age = 300 s"


def test_a_typed_request_is_never_too_old() -> None:
    moment = situation(started_ms=NOW - 10_000_000)
    assert guards.late(case_of(moment=moment, request=Request(max_age_s=1.0))) is None


@pytest.mark.parametrize(
    ("claim", "issued", "refused"),
    [
        (f"{NOW - 1000}.1", NOW, False),
        (f"{NOW}.1", NOW, True),
        (f"{NOW}.2", NOW, False),
        (f"{NOW + 1}.2", NOW, True),
        (f"{NOW + 1}.1", NOW, True),
        (f"{NOW + 30_001}.1", NOW, False),
        ("nonsense", NOW, False),
        (f"{NOW - 1000}.1", None, False),
        (f"{NOW + 1}.1", None, True),
    ],
    ids=[
        "older",
        "equal-other-target",
        "equal-same-target",
        "newer-same-target",
        "newer",
        "from-the-future",
        "no-claim",
        "typed-after",
        "typed-before",
    ],
)
def test_a_request_is_overtaken_by_a_newer_claim(claim: str, issued: int | None, refused: bool) -> None:
    case = case_of(world_of(claimed(claim)), request=Request(issued_at_ms=issued))
    refusal = guards.late(case)
    assert (refusal is not None) is refused
    assert refusal is None or not refusal.forceable


def test_who_overtook_is_told_by_name_and_time() -> None:
    case = case_of(world_of(claimed(f"{NOW + 1}.3")))
    refusal = need(guards.overtaken(case))
    assert refusal.message == f"overtaken by a request of {clock_time(NOW + 1)} for srv-c"
    assert refusal.next == "send a new request"


@pytest.mark.parametrize(("label", "expected"), [("3", "srv-c"), ("99", "99"), ("10.0.0.2", "10.0.0.2")])
def test_a_claims_target_is_told_by_name_where_there_is_one(label: str, expected: str) -> None:
    assert guards.who(case_of(), label) == expected


def test_without_claims_nobody_overtakes() -> None:
    case = case_of(world_of(claimed(f"{NOW + 1}.1")), request=Request(claims=False))
    assert guards.overtaken(case) is None


# cooldown


def cooling(claim: str, server: int | None = 2, to: str = "srv-a", now: int = NOW, **fields: Any) -> Refusal | None:
    assignment = section(**{"cooldown_s": 60.0, **fields})
    return guards.cooldown(case_of(world_of(claimed(claim, server)), assignment, moment=situation(now_ms=now), to=to))


@pytest.mark.parametrize(
    ("after_ms", "seconds"), [(0, 61), (1, 60), (59_000, 2), (59_001, 1), (59_999, 1), (60_000, None), (90_000, None)]
)
def test_a_move_back_waits_until_the_cooldown_is_over(after_ms: int, seconds: int | None) -> None:
    refusal = cooling(f"{NOW}.2_1", now=NOW + after_ms)
    assert (refusal and refusal.retry_after_s) == seconds
    if refusal:
        assert (refusal.guard, refusal.forceable) == ("cooldown", True)
        assert refusal.message == (
            f"it came from srv-a at {clock_time(NOW)}; a move back is refused for another {seconds} s"
        )
        assert refusal.next == f"wait {seconds} s, or add --force"


def test_a_cooldown_counts_only_against_the_holder_before() -> None:
    three: dict[str, Any] = {"source": None, "destination": None, "members": ("srv-a", "srv-b", "srv-c")}
    assert cooling(f"{NOW}.2_1", **three)
    assert cooling(f"{NOW}.2_1", to="srv-c", **three) is None
    assert cooling(f"{NOW}.2", **three) is None


def test_of_two_that_are_listed_the_other_one_had_it_before() -> None:
    assert cooling(f"{NOW}.2")


@pytest.mark.parametrize(
    ("claim", "server", "to", "fields"),
    [
        (f"{NOW}.2_1", 2, "srv-a", {"cooldown_s": 0.0}),
        ("", 2, "srv-a", {}),
        (f"{NOW}.2_1", None, "srv-a", {}),
        (f"{NOW}.2_1", 3, "srv-a", {}),
        (f"{NOW}.2_2", 2, "srv-b", {}),
    ],
    ids=["none-set", "no-claim", "nobody-has-it", "somebody-else-has-it", "stays"],
)
def test_nothing_cools_down_without_a_claim_that_came_true(
    claim: str, server: int | None, to: str, fields: dict[str, Any]
) -> None:
    assert cooling(claim, server, to, **fields) is None


# held


@pytest.mark.parametrize(
    ("until", "issued", "refused"),
    [
        (None, NOW, False),
        (NOW, NOW, False),
        (NOW + 1, NOW, True),
        (NOW - 1, NOW, False),
        (NOW + 1, None, False),
    ],
    ids=["not-held", "just-over", "held", "over", "typed"],
)
def test_what_an_operator_holds_is_refused_to_triggered_requests(
    until: int | None, issued: int | None, refused: bool
) -> None:
    labels = {} if until is None else {"hcloud-reassign/held-until": str(until)}
    refusal = guards.held(case_of(world_of(thing(1, labels)), request=Request(issued_at_ms=issued)))
    assert (refusal is not None) is refused
    if refusal:
        assert (refusal.guard, refusal.forceable) == ("held", True)
        assert refusal.next == "hcloud-reassign unhold floating.web"


def test_held_for_longer_than_any_calendar_is_still_held() -> None:
    labels = {"hcloud-reassign/held-until": "9" * 60}
    refusal = need(guards.held(case_of(world_of(thing(1, labels)), request=Request(issued_at_ms=NOW))))
    assert refusal.message == "an operator holds it until 9999-12-31T23:59:59.999Z"


# too-many


@pytest.mark.parametrize(
    ("limit", "moved", "refused"), [(0, 99, False), (3, 2, False), (3, 3, True), (3, 4, True), (3, 0, False)]
)
def test_more_moves_in_an_hour_than_allowed_are_refused(limit: int, moved: int, refused: bool) -> None:
    moment = situation(moved_last_hour={"floating.web": moved, "floating.other": 99})
    refusal = guards.too_many(case_of(assignment=section(max_moves_per_hour=limit), moment=moment))
    assert (refusal is not None) is refused
    if refusal:
        assert (refusal.guard, refusal.forceable, refusal.next) == ("too-many", True, "add --force")
        assert refusal.message == f"it was moved {moved} times in the last hour, max_moves_per_hour = {limit}"


def test_what_the_journal_does_not_know_was_never_moved() -> None:
    moment = situation(moved_last_hour={"floating.other": 99})
    assert guards.too_many(case_of(assignment=section(max_moves_per_hour=1), moment=moment)) is None


# all of them


def test_the_weightiest_refusal_comes_first_and_the_kinds_own_in_the_middle() -> None:
    labels = {
        "hcloud-reassign/claim": f"{NOW - 400_000}.3_2",
        "hcloud-reassign/held-until": str(NOW + 1),
        "guarded": "yes",
    }
    assignment = section(cooldown_s=3600.0, max_moves_per_hour=1)
    moment = situation(moved_last_hour={"floating.web": 1})
    request = Request(issued_at_ms=NOW - 350_000)
    case = case_of(world_of(thing(3, labels)), assignment, request, moment)
    assert [refusal.guard for refusal in guards.refusals(case)] == [
        "late",
        "held",
        "holder",
        "guarded",
        "cooldown",
        "too-many",
    ]


def test_nothing_is_refused_where_nothing_is_wrong() -> None:
    assert list(guards.refusals(case_of())) == []


# time


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_790_000_000_123, "2026-09-21T14:13:20.123Z"),
        (1_790_000_000_999, "2026-09-21T14:13:20.999Z"),
        (-1, "1970-01-01T00:00:00.000Z"),
        (10**60, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_shown_in_utc_with_milliseconds(ms: int, expected: str) -> None:
    assert clock_time(ms) == expected


@given(st.integers(0, 253_402_300_799_999), st.integers(0, 253_402_300_799_999))
def test_times_sort_as_their_texts_do(one: int, other: int) -> None:
    assert (one < other) is (clock_time(one) < clock_time(other))
