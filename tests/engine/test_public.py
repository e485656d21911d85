"""Primary IPs: consent, one stop of each server, power as it was, and a shutdown that is not obeyed."""

from __future__ import annotations

from typing import Any

import pytest

from hcloud_reassign.core.model import Request
from hcloud_reassign.simulator import Fault
from tests.engine.samples import (
    PRIMARY,
    PRIMARY6,
    PUBLIC,
    TRIO,
    A,
    B,
    C,
    by_name,
    only,
    posts,
    run,
    statuses,
    told,
    trio,
    verbs,
    with_server,
)
from tests.harness import TOKEN, Lab

INTENTION = "hcloud-reassign/intention"
SECOND = PUBLIC.section().replace("public.web", "public.web6").replace("public-web", "public-web6")


def test_the_steps_are_planned_as_they_are_carried_out() -> None:
    lab = Lab(TRIO)
    planned = lab.project(PUBLIC.section()).plan([], Request()).results[0]
    done = only(run(lab, PUBLIC.section()))
    carried_out = [step.what for step in done.steps if not step.what.startswith("write the claim")]
    assert [step.what for step in planned.steps] == carried_out
    assert done.move.side_effects == ("stops srv-a and starts it again", "stops srv-b and starts it again")


def test_the_source_is_off_before_the_target_is_stopped() -> None:
    lab = Lab(with_server(TRIO, "srv-a", shutdown_s=8.0))
    off_at: list[str] = []
    lab.sim.faults = [
        Fault("POST", f"/v1/servers/{B}/actions/shutdown", run=lambda *_: off_at.append(statuses(lab)[A]))
    ]
    assert only(run(lab, PUBLIC.section())).outcome == "done"
    assert off_at == ["off"]


def test_both_families_move_in_one_stop_of_each_server() -> None:
    lab = Lab(TRIO)
    found = by_name(run(lab, PUBLIC.section() + SECOND))
    assert {told(result) for result in found.values()} == {("done", 0, None)}
    assert {ip.assignee_id for ip in lab.sim.state.primary_ips.values()} == {B}
    assert verbs(lab).count("shutdown") == 2
    assert verbs(lab).count("poweron") == 2
    assert set(statuses(lab).values()) == {"running"}
    for id in (PRIMARY, PRIMARY6):
        assert INTENTION not in lab.sim.state.primary_ips[id].labels


def test_two_addresses_of_different_servers_for_one_target_wait_for_each_other() -> None:
    primary = [
        {"name": "public-web", "id": PRIMARY, "ip": "198.51.100.7", "server": "srv-a"},
        {"name": "public-web6", "id": PRIMARY6, "ip": "2001:db8:a::/64", "server": "srv-c"},
    ]
    lab = Lab(trio(primary_ips=primary))
    second = SECOND.replace("source = srv-a", "source = srv-c")
    found = by_name(run(lab, PUBLIC.section() + second))
    assert {told(result) for result in found.values()} == {("done", 0, None)}
    assert set(statuses(lab).values()) == {"running"}


@pytest.mark.parametrize("source", ["running", "off"])
@pytest.mark.parametrize("target", ["running", "off"])
def test_power_is_as_it_was(source: str, target: str) -> None:
    lab = Lab(with_server(with_server(TRIO, "srv-a", status=source), "srv-b", status=target))
    assert told(only(run(lab, PUBLIC.section()))) == ("done", 0, None)
    assert statuses(lab) == {A: source, B: target, C: "running"}
    assert verbs(lab).count("shutdown") == verbs(lab).count("poweron") == [source, target].count("running")


# A shutdown that is not obeyed


@pytest.mark.parametrize("deaf", ["srv-a", "srv-b"])
def test_a_shutdown_that_is_not_obeyed_is_unknown_and_names_the_way(deaf: str) -> None:
    lab = Lab(with_server(TRIO, deaf, ignores_shutdown=True))
    result = only(run(lab, PUBLIC.section()))
    assert told(result) == ("unknown", 5, None)
    assert result.message is not None and deaf in result.message and "hard_poweroff" in result.message
    assert INTENTION in PUBLIC.labels(lab)
    assert PUBLIC.holder(lab) == A
    assert "poweroff" not in verbs(lab)
    assert set(statuses(lab).values()) == {"running"}, "what obeyed is started again"


@pytest.mark.parametrize("way", ["file", "request"])
def test_with_consent_the_plug_is_pulled(way: str) -> None:
    lab = Lab(with_server(TRIO, "srv-a", ignores_shutdown=True))
    section = PUBLIC.section(more="hard_poweroff = yes" if way == "file" else "")
    assert told(only(run(lab, section, Request(hard_poweroff=way == "request")))) == ("done", 0, None)
    assert verbs(lab).count("poweroff") == 1
    assert set(statuses(lab).values()) == {"running"}


def test_shutdown_timeout_is_how_long_it_may_take() -> None:
    for limit, outcome in ((5, "unknown"), (40, "done")):
        lab = Lab(with_server(TRIO, "srv-a", shutdown_s=20.0))
        assert only(run(lab, PUBLIC.section(more=f"shutdown_timeout = {limit}"))).outcome == outcome


def test_the_printed_command_ends_what_was_not_obeyed() -> None:
    lab = Lab(with_server(TRIO, "srv-a", ignores_shutdown=True))
    result = only(run(lab, PUBLIC.section()))
    assert result.next is not None and "--allow-poweroff" in result.next
    again = only(run(lab, PUBLIC.section(), Request(to="srv-b", allow_poweroff=True, hard_poweroff=True)))
    assert told(again) == ("done", 0, None)
    assert PUBLIC.labels(lab) == {"team": "web"}
    assert set(statuses(lab).values()) == {"running"}


# The target's own address


def _occupied(**more: Any) -> Lab:
    return Lab(with_server(TRIO, "srv-b", ipv4="198.51.100.9"), **more)


def _own(lab: Lab) -> int | None:
    return next(ip.assignee_id for ip in lab.sim.state.primary_ips.values() if ip.ip == "198.51.100.9")


DETACH = PUBLIC.section(more="occupied = detach")


def test_the_targets_own_address_is_taken_off_and_that_is_planned() -> None:
    lab = _occupied()
    result = only(run(lab, DETACH))
    assert told(result) == ("done", 0, None)
    assert any("198.51.100.9" in effect for effect in result.move.side_effects)
    assert _own(lab) is None and PUBLIC.holder(lab) == B


def test_the_targets_own_address_comes_back_when_the_move_is_refused() -> None:
    refused = Fault("POST", f"/v1/primary_ips/{PRIMARY}/actions/assign", status=422, code="service_error")
    lab = _occupied(faults=[refused])
    result = only(run(lab, DETACH))
    assert told(result) == ("failed", 1, None)
    assert PUBLIC.holder(lab) == A and _own(lab) == B
    assert set(statuses(lab).values()) == {"running"}
    assert INTENTION not in PUBLIC.labels(lab)


def test_auto_delete_is_warned_about() -> None:
    lab = _occupied()
    report = run(lab, DETACH)
    assert any("auto_delete" in warning for warning in report.warnings)


# Refused on the way


def test_an_address_that_cannot_be_taken_stays_and_the_servers_run() -> None:
    refused = Fault("POST", f"/v1/primary_ips/{PRIMARY}/actions/unassign", status=422, code="service_error")
    lab = Lab(TRIO, faults=[refused])
    result = only(run(lab, PUBLIC.section()))
    assert told(result) == ("failed", 1, None)
    assert PUBLIC.holder(lab) == A
    assert set(statuses(lab).values()) == {"running"}
    assert PUBLIC.labels(lab) == {"team": "web"}


def test_an_address_that_cannot_be_given_goes_back() -> None:
    refused = Fault("POST", f"/v1/primary_ips/{PRIMARY}/actions/assign", status=422, code="service_error")
    lab = Lab(TRIO, faults=[refused])
    result = only(run(lab, PUBLIC.section()))
    assert told(result) == ("failed", 1, None)
    assert PUBLIC.holder(lab) == A
    assert set(statuses(lab).values()) == {"running"}
    assert PUBLIC.labels(lab) == {"team": "web"}


def test_an_address_that_somebody_took_meanwhile_stays_with_them() -> None:
    refused = Fault("POST", f"/v1/primary_ips/{PRIMARY}/actions/assign", status=422, code="x", run=PUBLIC.to(C))
    lab = Lab(TRIO, faults=[refused])
    result = only(run(lab, PUBLIC.section()))
    assert result.outcome == "failed" and result.message is not None and "srv-c" in result.message
    assert PUBLIC.holder(lab) == C
    assert set(statuses(lab).values()) == {"running"}


def test_an_address_that_an_earlier_run_is_still_giving_back_is_taken_once_more() -> None:
    """That run was killed while its assign to srv-a was running."""
    lab = Lab(with_server(with_server(TRIO, "srv-a", status="off"), "srv-b", status="off"))
    PUBLIC.put(lab.sim, None)
    PUBLIC.labels(lab)[INTENTION] = f"{A}-on.{B}-on.0"
    body = f'{{"assignee_type": "server", "assignee_id": {A}}}'.encode()
    path, headers = f"/v1/primary_ips/{PRIMARY}/actions/assign", {"Authorization": f"Bearer {TOKEN}"}
    assert lab.sim.handle("POST", path, [], headers, body).status == 201
    assert told(only(run(lab, PUBLIC.section()))) == ("done", 0, None)
    assert PUBLIC.holder(lab) == B
    assert set(statuses(lab).values()) == {"running"}
    assert PUBLIC.labels(lab) == {"team": "web"}


def test_a_server_that_does_not_start_again_is_unknown() -> None:
    refused = Fault("POST", f"/v1/servers/{A}/actions/poweron", times=None, status=412, code="resource_unavailable")
    lab = Lab(TRIO, faults=[refused])
    result = only(run(lab, PUBLIC.section()))
    assert told(result) == ("unknown", 5, None)
    assert result.message is not None and "srv-a" in result.message
    assert PUBLIC.holder(lab) == B
    assert statuses(lab) == {A: "off", B: "running", C: "running"}
    assert INTENTION in PUBLIC.labels(lab)
    lab.sim.faults.clear()
    assert told(only(run(lab, PUBLIC.section()))) == ("done", 0, None)
    assert statuses(lab)[A] == "running"
    assert PUBLIC.labels(lab) == {"team": "web"}


def test_an_intention_of_another_run_is_honoured_before_ours_is_written() -> None:
    """Between our reading and our writing another run wrote its own: that one's power states count."""

    def other(sim: Any, _: Any) -> None:
        sim.state.primary_ips[PRIMARY].labels[INTENTION] = f"{A}-off.{B}-on.0"

    lab = Lab(TRIO, faults=[Fault("GET", "/v1/servers", delay=1.5, run=other)])
    result = only(run(lab, PUBLIC.section()))
    assert told(result) == ("done", 0, None)
    assert statuses(lab)[B] == "running"
    assert PUBLIC.labels(lab) == {"team": "web"}
    assert not [post for post in posts(lab, "poweron") if f"/{A}/" in post.path]


def test_withdrawing_our_intention_leaves_another_runs_alone() -> None:
    """Ours was written over at once: the labels are theirs now."""
    theirs = f"{A}-on.{C}-on.0"

    def other(sim: Any, _: Any) -> None:
        sim.state.primary_ips[PRIMARY].labels[INTENTION] = theirs

    lab = Lab(TRIO, faults=[Fault("PUT", "*", when="after", run=other)])
    result = only(run(lab, PUBLIC.section()))
    assert result.outcome in ("refused", "failed")
    assert PUBLIC.labels(lab)[INTENTION] == theirs
    assert not posts(lab)
