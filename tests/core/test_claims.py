"""The order of requests: claims as labels, effective times, who claims and who holds."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign.core.claims import (
    FUTURE_MS,
    INTENTION,
    Claim,
    claim_key,
    claim_of,
    effective_ms,
    held_key,
    held_until_ms,
    in_the_future,
    must_claim,
    new_claim,
)
from hcloud_reassign.core.model import Found, Holder, Request, Resource
from tests.core.toy import NOW, situation, thing

HERE = Holder("server", 1, "srv-a")
THERE = Holder("server", 2, "srv-b")

label_value = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
label_name = label_value
label_prefix = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")

addresses = st.ip_addresses(v=4).map(str)
holders = st.one_of(
    st.builds(Holder, st.just("server"), st.integers(1, 2**53 - 1)),
    st.builds(Holder, st.just("gateway"), st.none(), st.none(), addresses),
)
times = st.integers(0, 253_402_300_799_999)
claims = st.builds(Claim, times, holders.map(lambda h: h.label), st.none() | holders.map(lambda h: h.label))
networks = st.tuples(addresses, st.integers(0, 32)).map(lambda pair: f"route.{pair[0]}_{pair[1]}")
keys = st.just("claim") | networks | addresses.map(lambda address: f"alias.{address}")


def found(labels: Mapping[str, str] | None = None, key: str = "claim", holder: Holder | None = HERE) -> Found:
    return Found(Resource(7, "web", "192.0.2.7"), holder, labelled=thing(labels=labels), key=key)


@given(claims, keys)
def test_a_claim_written_as_a_label_is_read_back_as_it_was(claim: Claim, key: str) -> None:
    bare = found(key=key)
    written = found({claim_key(bare): claim.value}, key)
    assert claim_of(written, situation(now_ms=claim.ms)) == claim


@given(claims, keys)
def test_claims_and_their_keys_are_labels_that_hetzner_accepts(claim: Claim, key: str) -> None:
    assert label_value.fullmatch(claim.value)
    for whole in (claim_key(found(key=key)), held_key(found(key=key)), INTENTION):
        prefix, slash, name = whole.partition("/")
        assert slash
        assert label_prefix.fullmatch(prefix)
        assert label_name.fullmatch(name)


@given(keys, keys)
def test_two_resources_never_share_a_key(one: str, other: str) -> None:
    keys_of_one = {claim_key(found(key=one)), held_key(found(key=one))}
    keys_of_other = {claim_key(found(key=other)), held_key(found(key=other))}
    assert len(keys_of_one) == 2
    assert (one == other) == bool(keys_of_one & keys_of_other)
    assert INTENTION not in keys_of_one


@pytest.mark.parametrize(
    "value",
    ["", ".", "5", "5.", ".2", "x.2", "-5.2", "5,2", "٥.2", "5 .2", "5._2"],
)
def test_a_label_that_is_no_claim_is_none(value: str) -> None:
    assert claim_of(found({"hcloud-reassign/claim": value}), situation()) is None


@given(st.text(max_size=80))
def test_no_text_in_a_label_is_more_than_a_claim_or_none(value: str) -> None:
    labels = {"hcloud-reassign/claim": value, "hcloud-reassign/held-until": value}
    claim_of(found(labels), situation())
    held_until_ms(labels, found(labels))


def test_a_gateway_is_claimed_for_with_all_of_its_address() -> None:
    claim = claim_of(found({"hcloud-reassign/claim": f"{NOW}.10.0.1.2_10.0.1.3"}), situation())
    assert claim == Claim(NOW, "10.0.1.2", "10.0.1.3")


def test_a_claim_of_the_far_future_is_not_believed() -> None:
    for ahead, believed in ((0, True), (FUTURE_MS, True), (FUTURE_MS + 1, False)):
        labels = {"hcloud-reassign/claim": f"{NOW + ahead}.2"}
        assert (claim_of(found(labels), situation()) is not None) is believed


@given(claims, claims)
def test_of_two_claims_of_different_times_exactly_the_newer_one_outranks_the_other(one: Claim, other: Claim) -> None:
    if one.ms != other.ms:
        assert one.outranks(other.ms, other.target) is (one.ms > other.ms)
        assert one.outranks(other.ms, other.target) is not other.outranks(one.ms, one.target)


@given(claims)
def test_a_request_passes_its_own_claim_so_that_it_can_be_run_again(claim: Claim) -> None:
    assert not claim.outranks(claim.ms, claim.target)


@given(times, holders, holders)
def test_at_the_same_time_whoever_wrote_first_wins_against_another_target(ms: int, one: Holder, other: Holder) -> None:
    assert Claim(ms, one.label).outranks(ms, other.label) is (one.label != other.label)


@given(claims, claims, claims)
def test_what_outranks_a_claim_of_another_time_outranks_all_below_it(one: Claim, two: Claim, three: Claim) -> None:
    if one.ms != two.ms and one.outranks(two.ms, two.target) and two.outranks(three.ms, three.target):
        assert one.outranks(three.ms, three.target)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request(), NOW - 1000),
        (Request(issued_at_ms=NOW - 5000), NOW - 5000),
        (Request(issued_at_ms=NOW - 5000, age_ms=300), NOW - 5300),
        (Request(issued_at_ms=NOW + FUTURE_MS), NOW + FUTURE_MS),
        (Request(issued_at_ms=NOW + FUTURE_MS + 1), NOW),
        (Request(issued_at_ms=NOW + FUTURE_MS + 1, age_ms=1), NOW + FUTURE_MS),
        (Request(issued_at_ms=5, age_ms=10), 0),
    ],
    ids=["typed", "triggered", "with-age", "a-little-ahead", "far-ahead", "far-ahead-but-aged", "older-than-time"],
)
def test_the_effective_time_is_when_the_request_was_made(request_: Request, expected: int) -> None:
    assert effective_ms(request_, situation(started_ms=NOW - 1000)) == expected
    assert in_the_future(request_, situation()) is (
        request_.issued_at_ms == NOW + FUTURE_MS + 1 and not request_.age_ms
    )


@given(st.integers(0, NOW * 2), st.integers(0, NOW * 2), st.integers(0, NOW))
def test_a_request_issued_later_never_takes_effect_before_one_issued_earlier(one: int, two: int, age: int) -> None:
    first, second = sorted((one, two))
    early = effective_ms(Request(issued_at_ms=first, age_ms=age), situation())
    late = effective_ms(Request(issued_at_ms=second, age_ms=age), situation())
    assert early <= late or late == NOW


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, None),
        ({"hcloud-reassign/held-until": "5"}, 5),
        ({"hcloud-reassign/held-until": "soon"}, None),
        ({"hcloud-reassign/held-until": "٥"}, None),
        ({"hcloud-reassign/held-until.route.0.0.0.0_0": "5"}, None),
    ],
)
def test_who_holds_it_back_and_until_when_is_a_label_too(labels: dict[str, str], expected: int | None) -> None:
    assert held_until_ms(labels, found(labels)) == expected


def test_a_route_is_held_by_a_key_of_its_own() -> None:
    route = found(key="route.0.0.0.0_0")
    assert held_key(route) == "hcloud-reassign/held-until.route.0.0.0.0_0"
    assert claim_key(route) == "hcloud-reassign/route.0.0.0.0_0"


CLAIMED = {"hcloud-reassign/claim": f"{NOW}.2"}


@pytest.mark.parametrize(
    ("labels", "request_", "cooldown_s", "expected"),
    [
        ({}, Request(), 0, False),
        ({}, Request(issued_at_ms=NOW), 0, True),
        ({}, Request(issued_at_ms=NOW, claims=False), 0, False),
        (CLAIMED, Request(), 0, True),
        (CLAIMED, Request(claims=False), 0, False),
        ({}, Request(), 60, True),
        ({}, Request(), 0.5, True),
    ],
    ids=[
        "typed",
        "triggered",
        "switched-off",
        "typed-over-a-claim",
        "typed-switched-off",
        "cooldown",
        "short-cooldown",
    ],
)
def test_a_claim_is_written_where_requests_can_be_queued(
    labels: dict[str, str], request_: Request, cooldown_s: float, expected: bool
) -> None:
    assert must_claim(found(labels), request_, cooldown_s) is expected


def test_what_has_no_labels_is_never_claimed() -> None:
    bare = Found(Resource(None, None, "192.0.2.7"), HERE)
    assert bare.labels == {}
    assert not must_claim(bare, Request(issued_at_ms=NOW), 60)


@pytest.mark.parametrize(
    ("known", "holder", "cooldown_s", "previous"),
    [
        (None, HERE, 0, None),
        (None, HERE, 60, "1"),
        (None, THERE, 60, None),
        (None, None, 60, None),
        ("1.2_1", THERE, 60, "1"),
        ("1.2_1", None, 60, "1"),
        ("1.1_2", HERE, 60, "1"),
    ],
    ids=["no-cooldown", "moves", "stays", "nobody", "stays-known", "nobody-known", "moves-back"],
)
def test_a_claim_remembers_who_had_it_only_for_a_cooldown(
    known: str | None, holder: Holder | None, cooldown_s: float, previous: str | None
) -> None:
    labels = {"hcloud-reassign/claim": known} if known else {}
    claim = new_claim(found(labels, holder=holder), THERE, Request(issued_at_ms=NOW), situation(), cooldown_s)
    assert claim == Claim(NOW, "2", previous)
