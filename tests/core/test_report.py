"""Plan and outcomes as plain data, and the digest that ties an approval to a plan."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign.core.errors import ExitCode, Missing, UsageError
from hcloud_reassign.core.model import Found, Holder, Move, Outcome, Plan, Refusal, Resource
from hcloud_reassign.core.report import (
    Result,
    StepResult,
    digest,
    document,
    ended,
    error_data,
    exit_code,
    holder_data,
    move_data,
    planned,
)
from hcloud_reassign.core.steps import PowerOff, PowerOn, Step
from tests.core.toy import NOW, section, thing

URL = "https://api.hetzner.cloud/v1"
HERE, THERE = Holder("server", 1, "srv-a", "192.0.2.1"), Holder("server", 2, "srv-b")
STEPS = (PowerOff(1, "srv-a"), PowerOn(2, "srv-b"))

KEYS = {
    *(
        "name",
        "type",
        "group",
        "resource",
        "before",
        "after",
        "wanted",
        "outcome",
        "undone",
        "guard",
        "message",
        "next",
    ),
    *("side_effects", "issued_at", "gap_ms", "duration_ms", "steps"),
    *("vendor_command", "retry_after_s", "warnings"),
}


def move(name: str = "floating.web", **changes: Any) -> Move:
    found = Found(Resource(7, "web", "192.0.2.7"), HERE, labelled=thing())
    made = Move(section(name), "pending", found, THERE, steps=STEPS, side_effects=("stops srv-a",))
    return replace(made, **changes)


def test_a_move_has_all_its_keys_whatever_is_known() -> None:
    assert set(move_data(planned(move()))) == KEYS
    assert set(move_data(planned(Move(section(), "failed", message="no", usage_error=True)))) == KEYS


def test_a_planned_move_is_told_as_it_stands() -> None:
    assert move_data(planned(move(group="web", warnings=("careful",)))) == {
        "name": "floating.web",
        "type": "toy",
        "group": "web",
        "resource": {"id": 7, "name": "web", "address": "192.0.2.7"},
        "before": {"type": "server", "id": 1, "name": "srv-a", "address": "192.0.2.1"},
        "after": {"type": "server", "id": 1, "name": "srv-a", "address": "192.0.2.1"},
        "wanted": {"type": "server", "id": 2, "name": "srv-b", "address": None},
        "outcome": "pending",
        "undone": False,
        "guard": None,
        "message": None,
        "next": None,
        "vendor_command": None,
        "retry_after_s": None,
        "side_effects": ["stops srv-a"],
        "warnings": ["careful"],
        "issued_at": None,
        "gap_ms": None,
        "duration_ms": None,
        "steps": [
            {"what": "power off srv-a", "status": "pending", "action_id": None, "duration_ms": None},
            {"what": "power on srv-b", "status": "pending", "action_id": None, "duration_ms": None},
        ],
    }


def test_a_move_that_was_carried_out_tells_times_and_actions() -> None:
    result = ended(planned(move()), "done", after=THERE, gap_ms=900, duration_ms=1200, issued_at_ms=NOW)
    result = replace(result, steps=(StepResult("power off srv-a", "done", 5, 700),))
    data = move_data(result)
    assert (data["outcome"], data["after"]["id"], data["gap_ms"], data["duration_ms"]) == ("done", 2, 900, 1200)
    assert data["issued_at"] == "2026-09-21T14:13:20.000Z"
    assert data["steps"] == [{"what": "power off srv-a", "status": "done", "action_id": 5, "duration_ms": 700}]
    assert result.name == "floating.web"


def test_a_refused_move_carries_its_guard_and_the_way_past() -> None:
    refusal = Refusal("cooldown", "too soon", "wait 5 s", forceable=True, retry_after_s=5)
    data = move_data(planned(move(outcome="refused", refusal=refusal, message="not shown", next="not shown")))
    told = (data["guard"], data["message"], data["next"], data["retry_after_s"])
    assert told == ("cooldown", "too soon", "wait 5 s", 5)


def test_nobody_is_null() -> None:
    assert holder_data(None) is None


@pytest.mark.parametrize(
    ("outcome", "usage_error", "code"),
    [
        ("pending", False, ExitCode.OK),
        ("unchanged", False, ExitCode.OK),
        ("refused", False, ExitCode.REFUSED),
        ("failed", False, ExitCode.FAILED),
        ("failed", True, ExitCode.USAGE),
    ],
)
def test_a_planned_move_has_the_exit_code_of_its_outcome(outcome: Outcome, usage_error: bool, code: ExitCode) -> None:
    assert planned(move(outcome=outcome, usage_error=usage_error)).code is code


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("done", ExitCode.OK), ("failed", ExitCode.FAILED), ("unknown", ExitCode.UNKNOWN), ("refused", ExitCode.REFUSED)],
)
def test_an_ended_move_has_the_exit_code_of_its_outcome(outcome: Outcome, code: ExitCode) -> None:
    assert ended(planned(move()), outcome).code is code
    assert ended(planned(move()), outcome, code=ExitCode.ACCESS).code is ExitCode.ACCESS


def test_a_runs_exit_code_is_that_of_its_worst_move() -> None:
    results = [ended(planned(move()), outcome) for outcome in ("done", "failed", "unknown", "refused")]
    assert exit_code(results) is ExitCode.UNKNOWN
    assert exit_code(results[:2]) is ExitCode.FAILED
    assert exit_code([]) is ExitCode.OK


def test_an_error_is_told_with_every_key() -> None:
    assert error_data(Missing("server", "srv-aa", ["srv-a"], file="f.ini", key="destination")) == {
        "code": "not_found",
        "message": "there is no server 'srv-aa'; did you mean 'srv-a'?",
        "object": "srv-aa",
        "file": "f.ini",
        "line": None,
        "key": "destination",
        "suggestion": "srv-a",
        "next": None,
    }


def test_the_document_has_every_key_and_is_json() -> None:
    results: list[Result] = [planned(move())]
    made = document("plan", started_ms=NOW, finished_ms=NOW + 5, code=ExitCode.OK, results=results)
    assert json.loads(json.dumps(made)) == made
    assert made == {
        "version": 1,
        "command": "plan",
        "started": "2026-09-21T14:13:20.000Z",
        "finished": "2026-09-21T14:13:20.005Z",
        "exit_code": 0,
        "outcome": "ok",
        "error": None,
        "warnings": [],
        "project": None,
        "requests": 0,
        "rate_limit_remaining": None,
        "digest": None,
        "moves": [move_data(results[0])],
    }


def test_the_document_of_a_failure_has_the_error() -> None:
    error = UsageError("no such file", file="f.ini")
    made = document("run", started_ms=NOW, finished_ms=NOW, code=error.exit_code, error=error, warnings=["w"])
    assert (made["exit_code"], made["outcome"], made["warnings"]) == (2, "usage", ["w"])
    assert made["error"]["file"] == "f.ini"


# the digest


def digest_of(*moves: Move, url: str = URL) -> str:
    return digest(Plan(moves), url)


def test_the_digest_of_a_known_plan_never_changes() -> None:
    text = (
        '[1,"https://api.hetzner.cloud/v1",'
        '[["floating.web","toy",7,1,2,["power off srv-a","power on srv-b"],["stops srv-a"]]]]'
    )
    assert digest_of(move()) == hashlib.sha256(text.encode()).hexdigest()[:16]


def test_the_digest_takes_names_as_they_are_written() -> None:
    text = '[1,"https://api.hetzner.cloud/v1",[["floating.büro","toy",7,1,2,[],[]]]]'
    named = move(assignment=section("floating.büro"), steps=(), side_effects=())
    assert digest_of(named) == hashlib.sha256(text.encode()).hexdigest()[:16]


def test_a_planned_move_carries_the_vendors_command() -> None:
    assert (
        planned(move(vendor_command="hcloud floating-ip assign 7 2")).vendor_command == "hcloud floating-ip assign 7 2"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"wanted": Holder("server", 3, "srv-b")},
        {"found": Found(Resource(7, "web", "192.0.2.7"), None)},
        {"found": Found(Resource(7, "web", "192.0.2.7"), Holder("server", 3, "srv-a"))},
        {"found": Found(Resource(8, "web", "192.0.2.7"), HERE)},
        {"steps": STEPS[::-1]},
        {"steps": STEPS[:1]},
        {"side_effects": ()},
        {"side_effects": ("stops srv-a", "stops srv-b")},
        {"assignment": section("floating.other")},
        {"assignment": section(type="ip_other")},
        {"outcome": "refused"},
    ],
    ids=["wanted", "nobody", "holder", "resource", "order", "steps", "side-effects", "more", "name", "type", "pending"],
)
def test_another_plan_has_another_digest(changes: dict[str, Any]) -> None:
    assert digest_of(move(**changes)) != digest_of(move())


def test_another_api_has_another_digest() -> None:
    assert digest_of(move(), url="http://127.0.0.1:8410/v1") != digest_of(move())


@pytest.mark.parametrize(
    "changes",
    [
        {"found": Found(Resource(7, "web", "192.0.2.7"), HERE, labelled=thing(1, {"hcloud-reassign/claim": "5.2"}))},
        {"found": Found(Resource(7, "renamed", "192.0.2.7"), Holder("server", 1, "renamed"))},
        {"warnings": ("careful",)},
        {"message": "text"},
        {"group": "web"},
        {"intention": {"hcloud-reassign/intention": "1-on.2-on.0"}},
        {"vendor_command": "hcloud"},
        {"details": "of the kind"},
        {"assignment": section(cooldown_s=60.0, note="text")},
    ],
    ids=["labels", "names", "warnings", "message", "group", "intention", "command", "details", "settings"],
)
def test_what_an_approval_does_not_rest_on_leaves_the_digest_alone(changes: dict[str, Any]) -> None:
    assert digest_of(move(**changes)) == digest_of(move())


def test_a_gateway_is_told_apart_by_its_address() -> None:
    def via(address: str) -> Move:
        return move(wanted=Holder("gateway", 2, "srv-b", address))

    assert digest_of(via("10.0.0.2")) != digest_of(via("10.0.0.3"))


names = st.text(max_size=20)
holders = st.none() | st.builds(Holder, st.just("server"), st.integers(1, 99))
plans = st.lists(
    st.builds(
        lambda name, outcome, holder, steps, effects: move(
            name,
            outcome=outcome,
            found=Found(Resource(7, None, None), holder),
            steps=tuple(steps),
            side_effects=tuple(effects),
        ),
        names,
        st.sampled_from(["pending", "unchanged", "refused"]),
        holders,
        st.lists(st.builds(PowerOff, st.integers(1, 9), names), max_size=2),
        st.lists(names, max_size=2),
    ),
    max_size=4,
    unique_by=lambda made: made.name,
)


@given(plans, st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_the_order_of_the_moves(moves: list[Move], random: Any) -> None:
    shuffled = list(moves)
    random.shuffle(shuffled)
    assert digest_of(*moves) == digest_of(*shuffled)
    assert re.fullmatch("[0-9a-f]{16}", digest_of(*moves))


@given(plans)
def test_only_what_is_pending_counts_for_the_digest(moves: list[Move]) -> None:
    assert digest_of(*moves) == digest_of(*(made for made in moves if made.outcome == "pending"))


def test_a_step_says_its_name_where_nothing_better_is_known() -> None:
    assert Step().what == "Step"
