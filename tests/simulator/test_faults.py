"""Faults by rule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hcloud_reassign.simulator import Fault, Request, ScenarioError, Simulator, Switches, load_faults

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator.conftest import Answer, Api, Make

ASSIGN = "floating_ips/501/actions/assign"


def assign(api: Api, server: int = 11) -> Answer:
    return api.post(ASSIGN, {"server": server})


def holder(api: Api) -> int | None:
    return api.sim.state.floating_ips[501].server_id


def test_a_rule_matches_by_method_path_occurrence_and_number(make: Make) -> None:
    api = make(faults=[Fault(method="GET", path="/v1/servers/*", nth=2, times=2, status=503)])
    assert api.get("networks").status == 200
    assert [api.get("servers/10").status for _ in range(5)] == [200, 503, 503, 200, 200]
    assert (api.sim.faults[0].seen, api.sim.faults[0].fired) == (5, 2)


def test_without_a_number_of_times_it_goes_on(make: Make) -> None:
    api = make(faults=[Fault(times=None, status=500)])
    assert {api.get("servers").status for _ in range(9)} == {500}


def test_a_probability_draws_from_the_simulator_s_random_source(make: Make) -> None:
    found = [
        [api.get("servers").status for _ in range(40)]
        for api in (make(faults=[Fault(times=None, probability=0.5, status=500)]) for _ in range(2))
    ]
    assert found[0] == found[1]
    assert 5 < found[0].count(500) < 35


def test_a_rule_needs_no_valid_token(make: Make) -> None:
    api = make(faults=[Fault(status=503)])
    api.authorization = None
    assert api.get("servers").status == 503


def test_an_answer_before_leaves_the_project_alone_and_one_after_does_not(make: Make) -> None:
    before = make(faults=[Fault(method="POST", status=504)])
    assert assign(before).code == "timeout"
    before.go(2)
    assert holder(before) == 10
    after = make(faults=[Fault(method="POST", status=504, when="after")])
    assert assign(after).code == "timeout"
    after.go(2)
    assert holder(after) == 11


def test_a_json_body_has_the_usual_code_of_the_status_or_the_one_given(make: Make) -> None:
    api = make(faults=[Fault(status=423), Fault(nth=2, status=422, code="odd", message="so", details={"a": 1})])
    assert (api.get("servers").code, api.sim.requests[-1].status) == ("locked", 423)
    assert api.get("servers").data == {"error": {"code": "odd", "message": "so", "details": {"a": 1}}}


def test_a_429_says_that_nothing_remains(make: Make) -> None:
    headers = make(faults=[Fault(status=429)]).get("servers").reply.headers
    assert (headers["RateLimit-Remaining"], headers["RateLimit-Limit"]) == ("0", "3600")


@pytest.mark.parametrize(
    ("body", "start", "kind"),
    [("html", b"<html>", "text/html"), ("empty", b"", "text/plain"), ("upstream died", b"upstream died", "text/plain")],
)
def test_a_gateway_answers_without_json(make: Make, body: str, start: bytes, kind: str) -> None:
    reply = make(faults=[Fault(status=502, body=body)]).get("servers").reply
    assert reply.status == 502
    assert reply.body.startswith(start) and (start or not reply.body)
    assert reply.headers["Content-Type"] == kind
    assert "RateLimit-Limit" not in reply.headers


def test_half_a_body_announces_more_than_it_sends(make: Make) -> None:
    reply = make(faults=[Fault(status=200, body="half", when="after")]).get("servers").reply
    assert int(reply.headers["Content-Length"]) > len(reply.body) > 0


def test_a_redirect_carries_its_header(make: Make) -> None:
    reply = make(faults=[Fault(status=302, body="empty", headers={"Location": "http://x/"})]).get("servers").reply
    assert (reply.status, reply.headers["Location"]) == (302, "http://x/")


@pytest.mark.parametrize(("when", "wanted"), [("before", 10), ("after", 11)])
def test_a_dropped_connection_before_or_after_applying(make: Make, when: Any, wanted: int) -> None:
    api = make(faults=[Fault(method="POST", drop=when)])
    assert assign(api).reply.dropped
    assert api.sim.requests[-1].dropped
    api.go(2)
    assert holder(api) == wanted


def test_a_late_answer_was_applied_at_once(make: Make) -> None:
    api = make(faults=[Fault(method="POST", delay=30, when="after")])
    answer = assign(api)
    assert answer.reply.delay_s == 30
    api.go(2)
    assert holder(api) == 11


def test_a_late_request_is_applied_only_then_and_nobody_sees_it_before(make: Make) -> None:
    api = make(faults=[Fault(method="POST", delay=30)])
    answer = assign(api)
    assert (answer.status, answer.reply.delay_s) == (201, 30)
    assert answer.reply.headers["Date"] == "Fri, 15 Jan 2027 08:00:30 GMT"
    api.go(29)
    assert api.get("floating_ips/501/actions").data["actions"] == []
    assert api.get("servers/10").data["server"]["locked"] is False
    api.go(1)
    assert api.ended(answer.action)["started"] == "2027-01-15T08:00:30Z"
    assert holder(api) == 10
    api.go(2)
    assert holder(api) == 11


def test_a_late_put_is_applied_only_then(make: Make) -> None:
    api = make(faults=[Fault(method="PUT", delay=30)])
    assert api.put("servers/10", {"labels": {"a": "b"}}).data["server"]["labels"] == {"a": "b"}
    assert api.sim.state.servers[10].labels == {"role": "web"}
    api.go(30)
    assert api.sim.state.servers[10].labels == {"a": "b"}


def test_a_failing_action_changes_nothing(make: Make) -> None:
    error = {"code": "unknown_error", "message": "server is locked (unknown_error)"}
    api = make(faults=[Fault(method="POST", fail_action=error)])
    action = assign(api).action
    assert action["status"] == "running"
    api.go(2)
    done = api.ended(action)
    assert (done["status"], done["error"]) == ("error", error)
    assert holder(api) == 10


@pytest.mark.parametrize("after", [0, 0.5, 10])
def test_an_action_fails_when_the_rule_says(make: Make, after: float) -> None:
    api = make(faults=[Fault(method="POST", fail_action={"code": "x", "message": "y", "after": after})])
    action = assign(api).action
    assert action["status"] == ("error" if after == 0 else "running")
    api.go(after)
    assert api.ended(action)["status"] == "error"


def test_a_stuck_action_never_ends_and_keeps_its_locks(make: Make) -> None:
    api = make(faults=[Fault(method="POST", stuck_action=True)])
    action = assign(api).action
    api.go(100_000)
    assert api.ended(action)["status"] == "running"
    assert assign(api, 12).code == "locked"
    assert api.sim.next_event() is None


def test_a_slow_action_takes_as_long_as_the_rule_says(make: Make) -> None:
    api = make(faults=[Fault(method="POST", slow_action=60.0)])
    action = assign(api).action
    api.go(59)
    assert api.ended(action)["status"] == "running"
    api.go(1)
    assert api.ended(action)["status"] == "success"


def test_a_stale_read_shows_how_it_was_so_many_seconds_ago(make: Make) -> None:
    api = make(faults=[Fault(method="GET", path="/v1/*", nth=1, times=None, stale=3.0)])
    action = assign(api).action
    api.go(4)
    assert api.get("floating_ips/501").data["floating_ip"]["server"] == 10
    assert api.ended(action)["status"] == "running"
    assert api.get("servers/11").data["server"]["public_net"]["floating_ips"] == []
    assert api.get("servers/11").data["server"]["locked"] is True
    api.go(1)
    assert api.get("floating_ips/501").data["floating_ip"]["server"] == 11
    assert api.ended(action)["status"] == "success"


def test_a_stale_read_before_the_last_write_undoes_just_that(make: Make) -> None:
    api = make(action_time=(0, 0))
    api.put("floating_ips/501", {"labels": {"a": "1"}})
    assign(api)
    api.sim.faults.append(Fault(method="GET", stale="last-write"))
    shown = api.get("floating_ips/501").data["floating_ip"]
    assert (shown["server"], shown["labels"]) == (10, {"a": "1"})
    assert api.get("floating_ips/501").data["floating_ip"]["server"] == 11


def test_a_stale_read_with_nothing_written_is_the_present(make: Make) -> None:
    api = make(faults=[Fault(stale="last-write"), Fault(nth=2, stale=100.0)])
    assert api.get("floating_ips/501").status == api.get("floating_ips/501").status == 200


def test_a_stale_read_brings_back_what_was_deleted_in_its_place(make: Make) -> None:
    api = make(faults=[Fault(stale=10.0)])
    api.sim.delete_server(10)
    api.go(1)
    assert [server["id"] for server in api.get("servers").data["servers"]] == [10, 11, 12]
    assert [server["id"] for server in api.get("servers").data["servers"]] == [11, 12]


def test_writes_are_never_stale(make: Make) -> None:
    api = make(action_time=(0, 0))
    assign(api)
    api.sim.faults.append(Fault(stale="last-write"))
    assert assign(api).code == "floating_ip_assigned"


def test_somebody_else_can_act_in_between(make: Make) -> None:
    def take(sim: Simulator, request: Request) -> None:
        assert request.path.endswith("/assign")
        sim.state.floating_ips[501].server_id = 12

    before = make(action_time=(0, 0), faults=[Fault(method="POST", run=take)])
    assign(before)
    assert holder(before) == 11
    after = make(action_time=(0, 0), faults=[Fault(method="POST", run=take, when="after")])
    assign(after)
    assert holder(after) == 12


def test_somebody_else_may_use_the_api_itself(make: Make) -> None:
    def ask(sim: Simulator, _: Request) -> None:
        headers = {"Authorization": "Bearer simulated-token"}
        sim.handle("POST", f"/v1/{ASSIGN}", [], headers, b'{"server": 12}')

    api = make(faults=[Fault(method="POST", run=ask)])
    assert assign(api).code == "locked"
    assert [record.status for record in api.sim.requests] == [423, 201]


def test_rules_combine_and_the_first_answer_wins(make: Make) -> None:
    api = make(faults=[Fault(delay=2, when="after"), Fault(status=500), Fault(status=503)])
    answer = api.get("servers")
    assert (answer.status, answer.reply.delay_s) == (500, 2)


def test_a_fault_file_says_all_of_that(tmp_path: Path) -> None:
    rules = [
        {"method": "post", "path": "/v1/*/assign", "nth": 2, "times": None, "status": 502, "body": "html"},
        {"drop": "after"},
        {"delay": 1.5, "when": "after", "probability": 0.5},
        {"fail_action": {"code": "x", "message": "y", "after": 3}},
        {"stuck_action": True},
        {"slow_action": 9},
        {"stale": 2},
        {"stale": "last-write"},
        {"status": 302, "headers": {"Location": "http://x/"}},
    ]
    file = tmp_path / "faults.json"
    file.write_text(json.dumps(rules))
    found = load_faults(file)
    assert found[0] == Fault("POST", "/v1/*/assign", 2, None, status=502, body="html")
    assert [found[1].drop, found[2].when, found[2].delay] == ["after", "after", 1.5]
    assert found[3].fail_action == {"code": "x", "message": "y", "after": 3.0}
    assert [found[4].stuck_action, found[5].slow_action, found[6].stale] == [True, 9.0, 2.0]
    assert [found[7].stale, found[8].headers] == ["last-write", {"Location": "http://x/"}]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{", "cannot be read"),
        ("{}", "must be a list"),
        ("[1]", "rule 1: must be an object"),
        ('[{}, {"statsu": 500}]', "rule 2: unknown key statsu; did you mean status?"),
        ('[{"status": "500"}]', "rule 1: status must be a whole number"),
        ('[{"when": "later"}]', "rule 1: when must be one of before, after"),
        ('[{"delay": -1}]', "rule 1: delay must not be negative"),
        ('[{"fail_action": {"cod": 1}}]', "rule 1.fail_action: unknown key cod; did you mean code?"),
        ('[{"status": 99}]', "rule 1: status must be between 200 and 599"),
        ('[{"nth": 0}]', "rule 1: nth must be at least 1"),
    ],
)
def test_a_bad_fault_file_is_named_with_rule_and_key(tmp_path: Path, text: str, wanted: str) -> None:
    file = tmp_path / "faults.json"
    file.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load_faults(file)
    assert str(file) in str(caught.value)
    assert wanted in str(caught.value)


def test_a_missing_fault_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"none\.json: cannot be read"):
        load_faults(tmp_path / "none.json")


def test_a_stale_holder_can_be_combined_with_switches(make: Make) -> None:
    api = make(switches=Switches.mid_2026(), action_time=(0, 0))
    assign(api)
    api.sim.faults.append(Fault(stale="last-write"))
    assert "datacenter" in api.get("servers/10").data["server"]
