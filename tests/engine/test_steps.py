"""What each kind does when a step goes wrong: put back, left alone, or told as unknown with the way to mend it."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from hcloud_reassign.core.model import Request
from hcloud_reassign.core.report import Result
from hcloud_reassign.simulator import Fault, Switches
from hcloud_reassign.simulator.model import Route
from tests.engine.samples import (
    ALIAS,
    ALIASED,
    FLOAT,
    NETWORK,
    PUBLIC,
    QUICK,
    ROUTE,
    SAMPLES,
    TRIO,
    A,
    About,
    B,
    C,
    Sample,
    aliases,
    gateway,
    only,
    posts,
    run,
    told,
    trio,
    verbs,
    with_server,
)
from tests.harness import READ_ONLY, Lab

quick_kinds = pytest.mark.parametrize("sample", QUICK, ids=lambda sample: sample.type)
every_kind = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
NO: dict[str, Any] = {"status": 422, "code": "invalid_input", "message": "no"}
STRICT = Switches(floating_strict=True)


def vendor(lab: Lab, command: str | None) -> None:
    """Do what a command line of Hetzner's own tool does, as far as the program prints such lines."""
    assert command is not None
    for call in command.split(" && "):
        _, what, verb, *rest = shlex.split(call)
        flags = {
            rest[n]: rest[n + 1] for n in range(len(rest) - 1) if rest[n].startswith("--") and rest[n] != "--clear"
        }
        if what == "network":
            path = {"add-route": "add_route", "remove-route": "delete_route"}[verb]
            body = {"destination": flags["--destination"], "gateway": flags["--gateway"]}
            url = f"/v1/networks/{rest[-1]}/actions/{path}"
        elif what == "floating-ip":
            url, body = f"/v1/floating_ips/{rest[0]}/actions/assign", {"server": int(rest[1])}  # type: ignore[dict-item]
        else:
            assert (what, verb) == ("server", "change-alias-ips")
            listed = flags.get("--alias-ips", "")
            url = f"/v1/servers/{rest[-1]}/actions/change_alias_ips"
            body = {"network": int(flags["--network"]), "alias_ips": listed.split(",") if listed else []}  # type: ignore[dict-item]
        import json

        reply = lab.sim.handle("POST", url, [], {"Authorization": "Bearer simulated-token"}, json.dumps(body).encode())
        assert reply.status == 201, reply.body
        lab.clock.advance(3)


def own_command(result: Result) -> Request:
    """The request that the printed command line of our own stands for."""
    assert result.next is not None
    words = shlex.split(result.next)
    assert words[:3] == ["hcloud-reassign", "run", result.name]
    return Request(
        to=words[words.index("--to") + 1], force="--force" in words, allow_poweroff="--allow-poweroff" in words
    )


# Floating IPs


def test_a_floating_ip_goes_straight_to_its_target() -> None:
    lab = Lab(TRIO)
    assert told(only(run(lab, FLOAT.section()))) == ("done", 0, None)
    assert verbs(lab) == ["assign"]


def test_an_api_that_does_not_reassign_takes_two_steps() -> None:
    lab = Lab(TRIO, switches=STRICT)
    result = only(run(lab, FLOAT.section()))
    assert told(result) == ("done", 0, None)
    assert verbs(lab) == ["assign", "unassign", "assign"]
    assert result.gap_ms is not None and result.gap_ms > 0


def test_a_floating_ip_that_the_target_has_by_then_is_done() -> None:
    lab = Lab(TRIO, faults=[Fault("POST", FLOAT.path, run=FLOAT.to(B))])
    assert told(only(run(lab, FLOAT.section()))) == ("done", 0, None)
    assert verbs(lab) == ["assign"]


def test_a_floating_ip_that_somebody_else_has_by_then_is_left_to_them() -> None:
    lab = Lab(TRIO, switches=STRICT, faults=[Fault("POST", FLOAT.path, run=FLOAT.to(C))])
    result = only(run(lab, FLOAT.section()))
    assert told(result) == ("failed", 1, None)
    assert result.message is not None and "srv-c" in result.message
    assert verbs(lab) == ["assign"]
    assert FLOAT.holder(lab) == C


def test_a_floating_ip_that_cannot_be_assigned_after_it_was_unassigned_is_given_back() -> None:
    refused = About("POST", FLOAT.path, nth=2, text=b": 11", **NO)
    lab = Lab(TRIO, switches=STRICT, faults=[refused])
    result = only(run(lab, FLOAT.section()))
    assert told(result) == ("failed", 1, None)
    assert verbs(lab) == ["assign", "unassign", "assign", "assign"]
    assert FLOAT.holder(lab) == A
    assert result.after is not None and result.after.id == A


def test_a_floating_ip_that_somebody_took_meanwhile_is_not_given_back() -> None:
    refused = About("POST", FLOAT.path, nth=2, text=b": 11", run=FLOAT.to(C), **NO)
    lab = Lab(TRIO, switches=STRICT, faults=[refused])
    result = only(run(lab, FLOAT.section()))
    assert told(result) == ("failed", 1, None)
    assert FLOAT.holder(lab) == C
    assert result.message is not None and "srv-c" in result.message
    assert len(posts(lab)) == 3


def test_a_floating_ip_that_cannot_be_given_back_is_unknown_and_both_lines_mend_it() -> None:
    def broken() -> tuple[Lab, Result]:
        faults = [Fault("POST", "/v1/floating_ips/*/actions/assign", nth=2, times=2, **NO)]
        lab = Lab(TRIO, switches=STRICT, faults=faults)
        return lab, only(run(lab, FLOAT.section()))

    lab, result = broken()
    assert told(result) == ("unknown", 5, None)
    assert FLOAT.holder(lab) is None
    vendor(lab, result.vendor_command)
    assert FLOAT.holder(lab) == A
    lab, result = broken()
    assert only(run(lab, FLOAT.section(), own_command(result))).code == 0
    assert FLOAT.holder(lab) == A


@pytest.mark.parametrize("resource", ["502", "2001:db8:f::/64", "2001:db8:f::1", "web6"])
def test_an_ipv6_floating_ip_may_be_named_in_four_ways(resource: str) -> None:
    lab = Lab(TRIO)
    ini = f"[floating.web]\ntype = ip_floating\nresource = {resource}\ndestination = srv-b\n"
    assert told(only(run(lab, ini))) == ("done", 0, None)
    assert lab.sim.state.floating_ips[502].server_id == B


# Routes


def test_a_route_is_deleted_and_added_and_the_gap_is_told() -> None:
    lab = Lab(TRIO)
    result = only(run(lab, ROUTE.section()))
    assert verbs(lab) == ["delete_route", "add_route"]
    assert result.gap_ms is not None and 1000 < result.gap_ms < 4000
    assert result.gap_ms <= (result.duration_ms or 0)


def test_a_route_whose_new_pair_is_refused_is_put_back() -> None:
    lab = Lab(TRIO, faults=[Fault("POST", ROUTE.path, nth=2, **NO)])
    result = only(run(lab, ROUTE.section()))
    assert told(result) == ("failed", 1, None)
    assert gateway(lab) == "10.0.1.2"
    assert verbs(lab) == ["delete_route", "add_route", "add_route"]
    assert result.gap_ms is not None and result.gap_ms > 0


def test_a_route_whose_action_fails_is_put_back() -> None:
    lab = Lab(TRIO, faults=[Fault("POST", ROUTE.path, nth=2, fail_action={"code": "action_failed", "message": "no"})])
    result = only(run(lab, ROUTE.section()))
    assert told(result) == ("failed", 1, None)
    assert gateway(lab) == "10.0.1.2"


def test_a_route_that_cannot_be_put_back_is_unknown_and_both_lines_mend_it() -> None:
    def broken() -> tuple[Lab, Result]:
        lab = Lab(TRIO, faults=[Fault("POST", ROUTE.path, nth=2, times=2, **NO)])
        return lab, only(run(lab, ROUTE.section()))

    lab, result = broken()
    assert told(result) == ("unknown", 5, None)
    assert gateway(lab) is None
    assert result.message is not None and "10.0.1.2" in result.message
    assert result.vendor_command == (f"hcloud network add-route --destination 0.0.0.0/0 --gateway 10.0.1.2 {NETWORK}")
    vendor(lab, result.vendor_command)
    assert gateway(lab) == "10.0.1.2"
    lab, result = broken()
    assert only(run(lab, ROUTE.section(), own_command(result))).code == 0
    assert gateway(lab) == "10.0.1.2"


@pytest.mark.parametrize("theirs", ["10.0.1.3", "10.0.1.4"])
def test_a_route_that_somebody_set_meanwhile_stays_as_they_set_it(theirs: str) -> None:
    def set_it(sim: Any, _: Any) -> None:
        sim.state.networks[NETWORK].routes.append(Route("0.0.0.0/0", theirs))

    lab = Lab(TRIO, faults=[Fault("POST", ROUTE.path, nth=2, run=set_it)])
    result = only(run(lab, ROUTE.section()))
    assert told(result) == (("done", 0, None) if theirs == "10.0.1.3" else ("failed", 1, None))
    assert gateway(lab) == theirs
    assert verbs(lab) == ["delete_route", "add_route"]


def test_a_route_that_is_gone_when_it_is_to_be_deleted_is_added() -> None:
    lab = Lab(TRIO, faults=[Fault("POST", ROUTE.path, run=ROUTE.to(None))])
    assert told(only(run(lab, ROUTE.section()))) == ("done", 0, None)
    assert gateway(lab) == "10.0.1.3"


def test_other_routes_are_not_touched() -> None:
    networks = [{**TRIO["networks"][0], "routes": [
        {"destination": "192.168.7.0/24", "gateway": "10.0.1.2"}, *TRIO["networks"][0]["routes"]]}]  # fmt: skip
    lab = Lab(trio(networks=networks))
    assert told(only(run(lab, ROUTE.section()))) == ("done", 0, None)
    assert gateway(lab, "192.168.7.0/24") == "10.0.1.2"


@pytest.mark.parametrize(
    ("destination", "words"),
    [("172.31.1.1", "reserved"), ("10.0.0.1", "first address"), ("10.9.0.5", "outside")],
)
def test_a_gateway_that_hetzner_would_only_call_invalid_is_named_with_the_rule(destination: str, words: str) -> None:
    lab = Lab(TRIO)
    result = only(run(lab, ROUTE.section(destination=destination)))
    assert told(result) == ("failed", 2, None)
    assert result.message is not None and words in result.message
    assert not lab.writes


# Alias IPs


def test_an_alias_ip_moves_alone() -> None:
    lab = Lab(TRIO)
    assert told(only(run(lab, ALIASED.section()))) == ("done", 0, None)
    assert aliases(lab, A) == ["10.0.1.50"]
    assert aliases(lab, B) == ["10.0.1.51", ALIAS]


def test_an_alias_ip_that_the_target_may_not_have_goes_back() -> None:
    lab = Lab(TRIO, faults=[Fault("POST", ALIASED.path, nth=2, **{**NO, "code": "resource_limit_exceeded"})])
    result = only(run(lab, ALIASED.section()))
    assert told(result) == ("failed", 1, None)
    assert sorted(aliases(lab, A)) == sorted([ALIAS, "10.0.1.50"])
    assert aliases(lab, B) == ["10.0.1.51"]


def test_an_alias_ip_that_cannot_go_back_is_unknown_and_both_lines_mend_it() -> None:
    def broken() -> tuple[Lab, Result]:
        lab = Lab(TRIO, faults=[Fault("POST", ALIASED.path, nth=2, times=20, **NO)])
        return lab, only(run(lab, ALIASED.section()))

    lab, result = broken()
    assert told(result) == ("unknown", 5, None)
    assert ALIASED.holder(lab) is None
    lab.sim.faults.clear()
    vendor(lab, result.vendor_command)
    assert ALIASED.holder(lab) == A
    assert "10.0.1.50" in aliases(lab, A)
    lab, result = broken()
    lab.sim.faults.clear()
    assert only(run(lab, ALIASED.section(), own_command(result))).code == 0
    assert ALIASED.holder(lab) == A


def test_an_alias_ip_that_somebody_else_got_meanwhile_is_left_to_them() -> None:
    lab = Lab(TRIO, faults=[Fault("POST", ALIASED.path, nth=2, run=ALIASED.to(C))])
    result = only(run(lab, ALIASED.section()))
    assert told(result) == ("failed", 1, None)
    assert result.message is not None and "srv-c" in result.message
    assert ALIASED.holder(lab) == C


@pytest.mark.parametrize("times", [1, 2, 3])
def test_an_alias_ip_that_a_foreign_writer_overwrites_is_added_again(times: int) -> None:
    """Somebody writes the target's whole list, as keepalived scripts do, right after we did."""
    overwritten: list[int] = []

    def overwrite(sim: Any, _: Any) -> None:
        leg = sim.state.servers[B].private_net[0]
        if ALIAS in leg.alias_ips and len(overwritten) < times:
            overwritten.append(1)
            leg.alias_ips = ["10.0.1.51"]

    lab = Lab(TRIO, faults=[Fault("GET", f"/v1/servers/{B}", times=None, run=overwrite)])
    result = only(run(lab, ALIASED.section()))
    assert told(result) == ("done", 0, None)
    assert ALIASED.holder(lab) == B
    assert len(overwritten) == times


def test_reading_that_lags_behind_is_not_taken_for_somebody_else() -> None:
    """For a moment the lists still show srv-a with the address that has arrived at srv-b."""
    lab = Lab(TRIO)

    def lag(sim: Any, _: Any) -> None:
        if not sim.cloud.running and ALIASED.holder(lab) == B:
            sim.faults[:] = [Fault("GET", "/v1/servers*", times=3, stale=3.0)]

    lab.sim.faults = [Fault("GET", "/v1/actions", times=None, when="after", run=lag)]
    result = only(run(lab, ALIASED.section()))
    assert told(result) == ("done", 0, None)
    assert lab.sim.faults[0].fired == 3
    assert len(posts(lab)) == 2


def test_an_alias_ip_that_is_overwritten_for_ever_goes_back_in_the_end() -> None:
    def overwrite(sim: Any, _: Any) -> None:
        sim.state.servers[B].private_net[0].alias_ips = ["10.0.1.51"]

    lab = Lab(TRIO, faults=[Fault("GET", f"/v1/servers/{B}", times=None, run=overwrite)])
    result = only(run(lab, ALIASED.section()))
    assert told(result) == ("failed", 1, None)
    assert ALIASED.holder(lab) == A
    assert len([post for post in posts(lab) if f"/{B}/" in post.path]) == 4


def test_an_alias_ip_of_a_server_that_was_deleted_is_only_added() -> None:
    lab = Lab(TRIO, faults=[Fault("POST", ALIASED.path, run=lambda sim, _: sim.delete_server(A))])
    result = only(run(lab, ALIASED.section()))
    assert told(result) == ("done", 0, None)
    assert ALIASED.holder(lab) == B


def test_an_alias_ip_without_the_members_call_is_found_in_the_servers() -> None:
    lab = Lab(TRIO, switches=Switches.mid_2026())
    ALIASED.put(lab.sim, None)
    assert told(only(run(lab, ALIASED.section()))) == ("done", 0, None)


def test_an_alias_ip_outside_of_every_subnet_is_a_usage_error() -> None:
    lab = Lab(TRIO)
    ini = "[alias.vip]\ntype = ip_alias\nresource = 10.0.9.1\nnetwork = internal\ndestination = srv-b\n"
    result = only(run(lab, ini))
    assert told(result) == ("failed", 2, None)
    assert not posts(lab)


# Locks, conflicts, limits


@every_kind
@pytest.mark.parametrize(("status", "code"), [(423, "locked"), (409, "conflict"), (429, "rate_limit_exceeded")])
@pytest.mark.parametrize("nth", [1, 2])
def test_what_is_locked_is_waited_for(sample: Sample, status: int, code: str, nth: int) -> None:
    lab = Lab(TRIO, faults=[Fault("POST", sample.path, nth=nth, times=3, status=status, code=code)])
    result = only(run(lab, sample.section()))
    assert told(result) == ("done", 0, None)
    assert sample.holder(lab) == B


@every_kind
@pytest.mark.parametrize("message", ["server is locked", "Lock could not be acquired", "conflict"])
def test_an_action_that_fails_for_a_lock_is_sent_again(sample: Sample, message: str) -> None:
    failing = {"code": "unknown_error", "message": message}
    lab = Lab(TRIO, faults=[Fault("POST", sample.path, times=2, fail_action=failing)])
    result = only(run(lab, sample.section()))
    assert told(result) == ("done", 0, None)
    assert sample.holder(lab) == B


@every_kind
def test_an_action_that_fails_for_a_lock_is_not_sent_again_for_ever(sample: Sample) -> None:
    failing = {"code": "unknown_error", "message": "server is locked"}
    lab = Lab(TRIO, faults=[Fault("POST", sample.path, times=None, fail_action=failing)])
    result = only(run(lab, sample.section()))
    assert told(result) == ("failed", 1, None)
    assert sample.holder(lab) == A
    assert len([post for post in posts(lab) if "poweron" not in post.path and "shutdown" not in post.path]) <= 5


@every_kind
def test_an_action_that_fails_otherwise_is_not_sent_again(sample: Sample) -> None:
    failing = {"code": "action_failed", "message": "the network is down"}
    lab = Lab(TRIO, faults=[Fault("POST", sample.path, fail_action=failing)])
    result = only(run(lab, sample.section()))
    assert told(result) == ("failed", 1, None)
    assert result.message is not None and "the network is down" in result.message
    assert sample.holder(lab) == A
    assert len([post for post in posts(lab) if "poweron" not in post.path and "shutdown" not in post.path]) == 1


@quick_kinds
def test_a_success_that_the_reading_contradicts_at_first_is_read_again(sample: Sample) -> None:
    lab = Lab(TRIO)
    last = 1 if sample is FLOAT else 2

    def stale(sim: Any, _: Any) -> None:
        sim.faults.append(Fault("GET", sample.seen, nth=1, times=2, stale=5.0))

    lab.sim.faults = [Fault("POST", sample.path, nth=last, when="after", run=stale)]
    assert told(only(run(lab, sample.section()))) == ("done", 0, None)
    assert len(posts(lab)) == last


@pytest.mark.parametrize("sample", [FLOAT, ROUTE], ids=lambda sample: sample.type)
def test_a_success_that_the_reading_goes_on_to_contradict_is_unknown(sample: Sample) -> None:
    lab = Lab(TRIO)
    last = 1 if sample is FLOAT else 2

    def undo(sim: Any, _: Any) -> None:
        sim.faults.append(Fault("GET", sample.seen, times=None, run=sample.to(None)))

    lab.sim.faults = [Fault("POST", sample.path, nth=last, when="after", run=undo)]
    result = only(run(lab, sample.section()))
    assert told(result) == ("unknown", 5, None)
    assert len(posts(lab)) == last
    assert result.next is not None and result.vendor_command is not None


# Rights


@every_kind
def test_a_token_that_may_only_read_is_told_before_anything_is_changed(sample: Sample) -> None:
    lab = Lab(TRIO)
    report = run(lab, sample.section(), token=READ_ONLY)
    result = only(report)
    assert told(result) == ("failed", 4, None)
    assert report.code == 4
    assert result.message is not None and "only read" in result.message
    assert len(lab.writes) == 1
    assert sample.holder(lab) == A


@every_kind
def test_a_wrong_token_is_an_access_error(sample: Sample) -> None:
    lab = Lab(TRIO)
    report = run(lab, sample.section(), token="wrong")
    assert report.code == 4
    assert report.error is not None and report.error.exit_code == 4
    assert not lab.writes


@every_kind
def test_a_token_that_is_revoked_before_the_first_write_is_an_access_error(sample: Sample) -> None:
    def revoke(sim: Any, _: Any) -> None:
        sim.state.tokens.clear()

    lab = Lab(TRIO, faults=[Fault("POST", "*", run=revoke)])
    report = run(lab, sample.section())
    assert only(report).code == 4
    assert sample.holder(lab) == A


@pytest.mark.parametrize("sample", [ROUTE, ALIASED, PUBLIC], ids=lambda sample: sample.type)
def test_a_token_that_is_revoked_in_the_middle_is_unknown(sample: Sample) -> None:
    def revoke(sim: Any, _: Any) -> None:
        sim.state.tokens.clear()

    lab = Lab(TRIO, faults=[Fault("POST", sample.path, nth=2, run=revoke)])
    report = run(lab, sample.section())
    assert told(only(report)) == ("unknown", 5, None)
    assert only(report).next is not None
    assert lab.clock.monotonic() < 60


@pytest.mark.parametrize("sample", [ROUTE, ALIASED], ids=lambda sample: sample.type)
def test_a_token_that_may_only_read_from_the_middle_on_is_unknown(sample: Sample) -> None:
    def lower(sim: Any, _: Any) -> None:
        sim.state.tokens["simulated-token"] = "read"

    lab = Lab(TRIO, faults=[Fault("POST", sample.path, nth=2, run=lower)])
    result = only(run(lab, sample.section()))
    assert told(result) == ("unknown", 5, None)
    assert sample.holder(lab) is None
    assert result.message is not None and "nobody" in result.message


def test_a_resource_that_vanishes_is_failed() -> None:
    def vanish(sim: Any, _: Any) -> None:
        del sim.state.floating_ips[501]

    lab = Lab(TRIO, faults=[Fault("POST", FLOAT.path, run=vanish)])
    result = only(run(lab, FLOAT.section()))
    assert result.outcome in ("failed", "unknown")
    assert result.code in (1, 5)


def test_a_target_that_vanishes_is_failed_and_nothing_moved() -> None:
    for sample in QUICK:
        lab = Lab(TRIO, faults=[Fault("POST", sample.path, run=lambda sim, _: sim.delete_server(B))])
        result = only(run(lab, sample.section()))
        if sample is not ROUTE:
            assert told(result) == ("failed", 1, None), result
            assert sample.holder(lab) == A


def test_the_strict_way_needs_no_more_than_its_steps() -> None:
    lab = Lab(with_server(TRIO, "srv-b", status="running"), switches=STRICT)
    result = only(run(lab, FLOAT.section()))
    assert [step.status for step in result.steps] == ["failed", "done", "done"]
