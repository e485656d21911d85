"""What the undo of a group says, and what it asks: the member that failed, who has it, why it could not go back."""

from __future__ import annotations

from typing import Any

import pytest

from hcloud_reassign.core.model import Request
from hcloud_reassign.core.report import Result
from hcloud_reassign.engine.events import Event
from hcloud_reassign.simulator import Fault
from tests.engine.samples import (
    ALIASED,
    FLOAT,
    NETWORK,
    QUICK,
    ROUTE,
    TRIO,
    A,
    B,
    C,
    Sample,
    by_name,
    run,
    told,
    triggered,
)
from tests.harness import Lab

GROUP = "[group.all]\nmembers = floating.web, route.default, alias.vip\n"
INI = FLOAT.section() + ROUTE.section() + ALIASED.section() + GROUP
WHY = "alias.vip of the same group failed"


def failing(run: Any = None, **more: Any) -> Fault:
    """The alias IP is accepted, and fails when everything else has ended."""
    action = {"code": "action_failed", "message": "no", "after": 6.0}
    return Fault("POST", ALIASED.path, fail_action=action, run=run, **more)


def undone(*faults: Fault, on_event: Any = None, ini: str = INI, request: Request | None = None) -> dict[str, Result]:
    """What became of the members after one of them failed."""
    lab = Lab(TRIO, faults=[failing(), *faults])
    return by_name(run(lab, ini, request, names=["group.all"], on_event=on_event))


def test_it_is_said_which_member_failed_and_to_whom_the_others_went_back() -> None:
    events: list[Event] = []
    found = undone(on_event=events.append)
    assert found["floating.web"].message == f"{WHY}; it was given back to srv-a"
    assert found["route.default"].message == f"{WHY}; it was given back to 10.0.1.2 (srv-a)"
    told = [event.data for event in events if event.event == "move.undoing"]
    assert told == [{"name": "route.default", "reason": WHY}, {"name": "floating.web", "reason": WHY}]


def test_the_steps_that_were_undone_are_still_told() -> None:
    steps = undone()["route.default"].steps
    assert [(step.what.split()[0], step.status) for step in steps] == [("delete", "undone"), ("add", "undone")]


def test_a_member_that_was_refused_on_the_way_undoes_the_others_too() -> None:
    """Somebody who is not listed has taken it by the time it is looked at again."""
    lab = Lab(TRIO, faults=[Fault("POST", ALIASED.path, times=3, status=423, run=ALIASED.to(C))])
    found = by_name(run(lab, INI, names=["group.all"]))
    assert told(found["alias.vip"]) == ("refused", 3, "holder")
    assert found["floating.web"].undone
    assert found["floating.web"].message == "alias.vip of the same group refused; it was given back to srv-a"
    assert [sample.holder(lab) for sample in QUICK] == [A, A, C]


def test_who_had_it_does_not_run_and_that_is_said() -> None:
    def stop(sim: Any, _: Any) -> None:
        sim.state.servers[A].status = "off"

    lab = Lab(TRIO, faults=[failing(stop)])
    found = by_name(run(lab, INI, names=["group.all"]))
    assert found["floating.web"].message == f"{WHY}; it could not be undone (srv-a is off), it stays with srv-b"


def test_who_had_it_is_deleted_and_that_is_said() -> None:
    lab = Lab(TRIO, faults=[failing()])

    def delete(event: Event) -> None:
        if event.event == "move.undoing":
            lab.sim.state.servers.pop(A, None)

    found = by_name(run(lab, INI, names=["group.all"], on_event=delete))
    assert found["floating.web"].message == f"{WHY}; it could not be undone (srv-a is gone), it stays with srv-b"
    assert FLOAT.holder(lab) == B


@pytest.mark.parametrize(("to", "who"), [(C, "srv-c has it by now and was left alone"), (None, "nobody has it by now")])
def test_who_took_it_meanwhile_is_named(to: int | None, who: str) -> None:
    lab = Lab(TRIO, faults=[failing()])

    def take(event: Event) -> None:
        if event.event == "move.undoing" and event.data["name"] == "floating.web":
            FLOAT.put(lab.sim, to)

    found = by_name(run(lab, INI, names=["group.all"], on_event=take))
    assert found["floating.web"].message == f"{WHY}; {who}"
    after = found["floating.web"].after
    assert (after.id if after else None) == to


def back_to_nothing(sample: Sample, change: Any) -> Result:
    """What is said of a member when its way back is gone the moment the undo begins."""
    lab = Lab(TRIO, faults=[Fault("POST", FLOAT.path, fail_action={"code": "no", "message": "no", "after": 20.0})])

    def listen(event: Event) -> None:
        if event.event == "move.undoing" and event.data["name"] == sample.name:
            change(lab.sim)

    found = by_name(run(lab, INI, names=["group.all"], on_event=listen))[sample.name]
    assert not found.undone and found.after is not None and found.after.id == B
    return found


def test_a_guard_that_force_does_not_pass_keeps_it_where_it_is() -> None:
    def detach(sim: Any) -> None:
        sim.state.servers[A].private_net.clear()

    found = back_to_nothing(ALIASED, detach)
    assert told(found) == ("failed", 1, None)
    assert found.message == (
        "floating.web of the same group failed; it could not be undone "
        "(srv-a is not attached to the network internal), it stays with srv-b"
    )


def test_what_the_way_back_lacks_is_said() -> None:
    """The network was made smaller: the old gateway is not in it any more."""

    def shrink(sim: Any) -> None:
        sim.state.networks[NETWORK].ip_range = "10.0.9.0/24"

    found = back_to_nothing(ROUTE, shrink)
    assert told(found) == ("failed", 1, None)
    assert found.message is not None and "(route 0.0.0.0/0 via 10.0.1.2: the gateway is outside" in found.message


def test_an_undo_is_not_late_however_old_the_request_is_by_then() -> None:
    action = {"code": "action_failed", "message": "no", "after": 20.0}
    lab = Lab(TRIO, faults=[Fault("POST", FLOAT.path, fail_action=action)])
    ini = FLOAT.section() + ROUTE.section() + "[group.two]\nmembers = floating.web, route.default\n"
    found = by_name(run(lab, ini, triggered(1, max_age_s=10.0), names=["group.two"]))
    assert found["floating.web"].outcome == "failed"
    assert found["route.default"].undone


@pytest.mark.parametrize(("source", "towards"), [("srv-a", "srv-a"), ("srv-c", "srv-b")])
def test_the_advice_names_somebody_whom_the_section_lists(source: str, towards: str) -> None:
    """It came from srv-a by force: where srv-a is not listed, it can only go on to srv-b."""

    def nobody(sim: Any, _: Any) -> None:
        sim.faults.append(Fault("GET", "/v1/floating_ips*", nth=1, times=None, run=FLOAT.to(None)))

    ini = FLOAT.section(source) + ROUTE.section() + ALIASED.section() + GROUP
    lost = Fault("POST", FLOAT.path, nth=2, when="after", run=nobody)
    found = undone(lost, ini=ini, request=Request(force=source != "srv-a"))["floating.web"]
    assert found.next is not None and found.next.startswith(f"hcloud-reassign run floating.web --to {towards}")


def test_nobody_had_it_and_so_it_stays() -> None:
    lab = Lab(TRIO, faults=[failing()])
    FLOAT.put(lab.sim, None)
    found = by_name(run(lab, INI, names=["group.all"]))
    assert found["floating.web"].message == f"{WHY}; nobody had it before, so it stays with srv-b"


def test_what_the_api_said_to_the_undo_is_passed_on() -> None:
    refused = Fault("POST", FLOAT.path, nth=2, status=422, code="invalid_input", message="not today")
    found = undone(refused)["floating.web"]
    assert found.message is not None and found.message.startswith(f"{WHY}; it could not be undone: ")
    assert "not today" in found.message
    assert found.after is not None and found.after.name == "srv-b"


def test_an_undo_that_did_not_come_true_is_told_with_the_command_that_mends_it() -> None:
    def nobody(sim: Any, _: Any) -> None:
        sim.faults.append(Fault("GET", "/v1/floating_ips*", nth=1, times=None, run=FLOAT.to(None)))

    found = undone(Fault("POST", FLOAT.path, nth=2, when="after", run=nobody))["floating.web"]
    assert told(found) == ("unknown", 5, None)
    assert found.message is not None and found.message.startswith(f"{WHY}; it could not be undone: ")
    assert found.after is None
    assert found.vendor_command is not None and found.vendor_command.startswith("hcloud floating-ip assign")


def test_the_undo_of_a_triggered_run_is_no_request_of_its_own() -> None:
    """It leaves the claim that the run wrote, so a newer request still counts and an older one does not."""
    lab = Lab(TRIO, faults=[failing()])
    found = by_name(run(lab, INI, triggered(1), names=["group.all"]))
    assert found["floating.web"].undone
    assert FLOAT.labels(lab)[FLOAT.claim].endswith(f".{B}")


def test_a_run_that_is_asked_to_stop_still_gives_back_what_it_began_to() -> None:
    lab = Lab(TRIO, faults=[failing()])
    project = lab.project(INI)
    selection = project.select(["group.all"])
    stop: list[Any] = []

    def interrupt(event: Event) -> None:
        if event.event == "move.undoing" and event.data["name"] == "floating.web":
            stop[0]()

    found = by_name(project.carry(selection, Request(), apply=True, on_event=interrupt, on_start=stop.append))
    assert found["floating.web"].undone and found["route.default"].undone
    assert FLOAT.holder(lab) == ROUTE.holder(lab) == A


def test_what_does_not_move_is_not_given_back() -> None:
    lab = Lab(TRIO, faults=[failing()])
    ROUTE.put(lab.sim, B)
    found = by_name(run(lab, INI, names=["group.all"]))
    assert told(found["route.default"]) == ("unchanged", 0, None)
    assert ROUTE.holder(lab) == B and FLOAT.holder(lab) == A


def test_keep_says_nothing_of_an_undo() -> None:
    found = undone(ini=INI + "on_failure = keep\n")
    assert found["floating.web"].message is None and not found["floating.web"].undone
