"""Answers of writes that never come: what was applied is not sent again, what was not is sent after a look."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from hcloud_reassign.core.model import Request
from hcloud_reassign.simulator import Fault, Switches
from tests.engine.samples import (
    ALIASED,
    FLOAT,
    PUBLIC,
    ROUTE,
    TRIO,
    A,
    B,
    Sample,
    aliases,
    only,
    posts,
    run,
    statuses,
    told,
    triggered,
    trio,
    with_server,
)
from tests.harness import Lab

LOSSES: dict[str, dict[str, Any]] = {
    "dropped": {"drop": True},
    "502 html": {"status": 502, "body": "html"},
    "504 json": {"status": 504, "code": "timeout"},
    "500 json": {"status": 500, "code": "server_error"},
    "503 json": {"status": 503, "code": "unavailable"},
    "half a body": {"status": 201, "body": "half"},
    "200 html": {"status": 200, "body": "html"},
    "200 with other JSON": {"status": 200, "body": '{"message": "hello"}'},
    "200 with a list": {"status": 200, "body": "[1, 2]"},
    "200 with nothing": {"status": 200, "body": "empty"},
}


def loss(path: str, nth: int, how: str, when: str, method: str = "POST") -> Fault:
    settings = dict(LOSSES[how])
    if settings.pop("drop", False):
        return Fault(method, path, nth=nth, drop=when)  # type: ignore[arg-type]
    return Fault(method, path, nth=nth, when=when, **settings)  # type: ignore[arg-type]


WRITES = [
    (FLOAT, 1),
    (ROUTE, 1),
    (ROUTE, 2),
    (ALIASED, 1),
    (ALIASED, 2),
    (PUBLIC, 1),
    (PUBLIC, 2),
]
every_write = pytest.mark.parametrize(("sample", "nth"), WRITES, ids=[f"{sample.type}-{nth}" for sample, nth in WRITES])
every_loss = pytest.mark.parametrize("how", LOSSES)


def started(lab: Lab) -> Counter[str]:
    """How many actions of each kind the project has seen."""
    return Counter(action.command for action in lab.sim.state.actions.values())


@every_write
@every_loss
def test_what_was_applied_is_not_sent_again(sample: Sample, nth: int, how: str) -> None:
    lab = Lab(TRIO, faults=[loss(sample.path, nth, how, "after")])
    plain = Lab(TRIO)
    run(plain, sample.section())
    result = only(run(lab, sample.section()))
    assert told(result) == ("done", 0, None), result
    assert sample.holder(lab) == B
    assert started(lab) == started(plain)
    assert [post.path for post in posts(lab)] == [post.path for post in posts(plain)]


@every_write
@every_loss
def test_what_was_not_applied_is_sent_once_more(sample: Sample, nth: int, how: str) -> None:
    lab = Lab(TRIO, faults=[loss(sample.path, nth, how, "before")])
    plain = Lab(TRIO)
    run(plain, sample.section())
    result = only(run(lab, sample.section()))
    assert told(result) == ("done", 0, None), result
    assert sample.holder(lab) == B
    assert started(lab) == started(plain)
    assert len(posts(lab)) == len(posts(plain)) + 1


@every_write
@pytest.mark.parametrize("delay_s", [10.5, 20.0])
def test_an_answer_that_comes_too_late_is_looked_up(sample: Sample, nth: int, delay_s: float) -> None:
    lab = Lab(TRIO, faults=[Fault("POST", sample.path, nth=nth, delay=delay_s, when="after")])
    result = only(run(lab, sample.section()))
    assert told(result) == ("done", 0, None), result
    assert max(Counter(post.path + str(post.body) for post in posts(lab)).values()) == 1


@every_write
@pytest.mark.parametrize("delay_s", [10.5, 12.0])
def test_a_request_that_reaches_the_project_late_does_no_harm(sample: Sample, nth: int, delay_s: float) -> None:
    """Where it undoes what was done meanwhile, that is seen and told."""
    lab = Lab(TRIO, faults=[Fault("POST", sample.path, nth=nth, delay=delay_s, when="before")])
    result = only(run(lab, sample.section()))
    assert told(result) == (("done", 0, None) if sample.holder(lab) == B else ("unknown", 5, None)), result
    assert (result.after.id if result.after else None) == sample.holder(lab)
    assert sample is PUBLIC or sample.holder(lab) == B
    assert aliases(lab, B)[:1] == ["10.0.1.51"]


@pytest.mark.parametrize("command", ["shutdown", "poweron"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("how", ["dropped", "504 json"])
@pytest.mark.parametrize("nth", [1, 2])
def test_power_commands_survive_a_lost_answer(command: str, when: str, how: str, nth: int) -> None:
    lab = Lab(TRIO, faults=[loss(f"/v1/servers/*/actions/{command}", nth, how, when)])
    result = only(run(lab, PUBLIC.section()))
    assert told(result) == ("done", 0, None), result
    assert set(statuses(lab).values()) == {"running"}
    assert PUBLIC.holder(lab) == B


@pytest.mark.parametrize("sample", [FLOAT, ROUTE, ALIASED, PUBLIC], ids=lambda sample: sample.type)
@pytest.mark.parametrize("when", ["before", "after"])
@every_loss
def test_a_lost_answer_to_the_claim_is_looked_up(sample: Sample, when: str, how: str) -> None:
    lab = Lab(TRIO, faults=[loss("*", 1, how, when, "PUT")])
    result = only(run(lab, sample.section(), triggered(1)))
    assert told(result) == ("done", 0, None), result
    assert sample.labels(lab)[sample.claim].endswith(f".{sample.keys[B]}")
    assert sample.labels(lab)["team"] in ("net", "web")


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_labels_of_a_primary_ip_move_survive_a_lost_answer(nth: int, when: str) -> None:
    lab = Lab(TRIO, faults=[loss("/v1/primary_ips/*", nth, "dropped", when, "PUT")])
    result = only(run(lab, PUBLIC.section()))
    assert told(result) == ("done", 0, None), result
    assert PUBLIC.labels(lab) == {"team": "web"}


@pytest.mark.parametrize("nth", range(1, 30))
@pytest.mark.parametrize("sample", [FLOAT, ROUTE, ALIASED, PUBLIC], ids=lambda sample: sample.type)
def test_lost_answers_to_questions_are_asked_again(sample: Sample, nth: int) -> None:
    lab = Lab(TRIO, faults=[Fault("GET", "*", nth=nth, times=2, drop="before")])
    result = only(run(lab, sample.section()))
    assert told(result) == ("done", 0, None), result
    assert sample.holder(lab) == B


def test_an_old_action_of_the_same_kind_is_not_taken_for_ours() -> None:
    """The list that is read before an alias write gets lost; the same server's list was changed a minute ago."""
    lab = Lab(TRIO)
    assert only(run(lab, ALIASED.section())).outcome == "done"
    assert only(run(lab, ALIASED.section(), Request(direction="src"))).outcome == "done"
    lab.clock.advance(60)
    before = started(lab)["change_alias_ips"]
    lab.sim.faults = [Fault("GET", f"/v1/servers/{A}", drop="before"), Fault("GET", f"/v1/servers/{B}", drop="before")]
    result = only(run(lab, ALIASED.section()))
    assert told(result) == ("done", 0, None), result
    assert ALIASED.holder(lab) == B
    assert started(lab)["change_alias_ips"] == before + 2
    assert [step.status for step in result.steps if step.status == "done"] == ["done", "done"]


def test_a_lost_answer_of_the_two_step_way_is_looked_up_as_well() -> None:
    for command in ("assign", "unassign"):
        for when in ("before", "after"):
            for nth in (1, 2):
                path = f"/v1/floating_ips/*/actions/{command}"
                lab = Lab(TRIO, switches=Switches(floating_strict=True), faults=[loss(path, nth, "dropped", when)])
                result = only(run(lab, FLOAT.section()))
                assert told(result) == ("done", 0, None), (command, when, nth, result)
                assert FLOAT.holder(lab) == B


def test_occupied_addresses_are_detached_once_in_spite_of_lost_answers() -> None:
    for when in ("before", "after"):
        for nth in (1, 2):
            lab = Lab(
                with_server(trio(), "srv-b", ipv4="198.51.100.9"),
                faults=[loss("/v1/primary_ips/*/actions/unassign", nth, "504 json", when)],
            )
            result = only(run(lab, PUBLIC.section(more="occupied = detach")))
            assert told(result) == ("done", 0, None), (when, nth, result)
            assert started(lab)["unassign_primary_ip"] == 2
