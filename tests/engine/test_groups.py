"""All or nothing: what goes back when a member fails, what does not, and what is said about it."""

from __future__ import annotations

from typing import Any

import pytest

from hcloud_reassign.core.model import Request
from hcloud_reassign.engine.events import Event
from hcloud_reassign.simulator import Fault
from tests.engine.samples import (
    ALIASED,
    FLOAT,
    QUICK,
    ROUTE,
    TRIO,
    A,
    B,
    C,
    by_name,
    posts,
    run,
    told,
    triggered,
)
from tests.harness import Lab

INI = FLOAT.section() + ROUTE.section() + ALIASED.section()
GROUP = "[group.all]\nmembers = floating.web, route.default, alias.vip\n"
FAILS: dict[str, Any] = {"status": 422, "code": "invalid_input", "message": "no"}


def fails(path: str, **more: Any) -> Fault:
    return Fault("POST", path, **{**FAILS, **more})


def slow_fault(path: str) -> Fault:
    """Accepted, and failing when all others have ended."""
    return Fault("POST", path, fail_action={"code": "action_failed", "message": "no", "after": 6.0})


def test_what_the_others_moved_goes_back_in_reverse() -> None:
    lab = Lab(TRIO, faults=[slow_fault(ALIASED.path)])
    events: list[Event] = []
    report = run(lab, INI + GROUP, names=["group.all"], on_event=events.append)
    found = by_name(report)
    assert told(found["alias.vip"]) == ("failed", 1, None)
    for name in ("floating.web", "route.default"):
        assert told(found[name]) == ("failed", 1, None)
        assert found[name].undone
        assert found[name].after == found[name].move.before
        assert {step.status for step in found[name].steps} == {"undone"}
    assert [sample.holder(lab) for sample in QUICK] == [A, A, A]
    undone = [event.data["name"] for event in events if event.event == "move.undoing"]
    assert undone == ["route.default", "floating.web"]
    assert report.code == 1


def test_keep_leaves_the_others_where_they_went() -> None:
    lab = Lab(TRIO, faults=[slow_fault(ALIASED.path)])
    found = by_name(run(lab, INI + GROUP + "on_failure = keep\n", names=["group.all"]))
    assert told(found["alias.vip"]) == ("failed", 1, None)
    assert told(found["floating.web"]) == told(found["route.default"]) == ("done", 0, None)
    assert FLOAT.holder(lab) == ROUTE.holder(lab) == B


def test_nothing_goes_back_to_a_holder_that_does_not_run() -> None:
    def stop(sim: Any, _: Any) -> None:
        sim.state.servers[A].status = "off"

    slow = slow_fault(ALIASED.path)
    slow.run = stop
    lab = Lab(TRIO, faults=[slow])
    found = by_name(run(lab, INI + GROUP, names=["group.all"]))
    for name in ("floating.web", "route.default"):
        assert told(found[name]) == ("failed", 1, None)
        assert not found[name].undone
        message, after = found[name].message, found[name].after
        assert message is not None and "off" in message and "srv-b" in message
        assert after is not None and after.id == B
    assert FLOAT.holder(lab) == ROUTE.holder(lab) == B


@pytest.mark.parametrize("to", [C, None])
def test_nothing_is_taken_from_whom_it_went_to_since(to: int | None) -> None:
    """Somebody else moves the floating IP between our move and our undo."""
    lab = Lab(TRIO, faults=[slow_fault(ALIASED.path)])

    def listener(event: Event) -> None:
        if event.event == "move.undoing" and event.data["name"] == "floating.web":
            FLOAT.put(lab.sim, to)

    found = by_name(run(lab, INI + GROUP, names=["group.all"], on_event=listener))
    assert told(found["floating.web"]) == ("failed", 1, None)
    assert not found["floating.web"].undone
    assert FLOAT.holder(lab) == to
    assert found["route.default"].undone


def test_nothing_is_taken_from_whom_it_went_to_while_the_undo_waited() -> None:
    """The undo is locked; meanwhile somebody else takes it."""
    back = Fault("POST", FLOAT.path, nth=2, status=423, run=FLOAT.to(C))
    lab = Lab(TRIO, faults=[slow_fault(ALIASED.path), back])
    found = by_name(run(lab, INI + GROUP, names=["group.all"]))
    assert told(found["floating.web"]) == ("failed", 1, None)
    assert not found["floating.web"].undone
    assert FLOAT.holder(lab) == C


def test_an_undo_waits_for_locks() -> None:
    lab = Lab(TRIO, faults=[slow_fault(ALIASED.path), Fault("POST", FLOAT.path, nth=2, times=3, status=423)])
    found = by_name(run(lab, INI + GROUP, names=["group.all"]))
    assert found["floating.web"].undone
    assert FLOAT.holder(lab) == A


def test_an_undo_that_is_refused_is_not_called_one() -> None:
    lab = Lab(TRIO, faults=[slow_fault(ALIASED.path), fails(FLOAT.path, nth=2)])
    found = by_name(run(lab, INI + GROUP, names=["group.all"]))
    assert told(found["floating.web"]) == ("failed", 1, None)
    assert not found["floating.web"].undone
    after = found["floating.web"].after
    assert after is not None and after.id == FLOAT.holder(lab) == B


def test_an_undo_is_verified() -> None:
    """Its action succeeds, and the address is with nobody all the same."""

    def nobody(sim: Any, _: Any) -> None:
        sim.faults.append(Fault("GET", "/v1/floating_ips*", nth=1, times=None, run=FLOAT.to(None)))

    lab = Lab(TRIO, faults=[slow_fault(ALIASED.path), Fault("POST", FLOAT.path, nth=2, when="after", run=nobody)])
    report = run(lab, INI + GROUP, names=["group.all"])
    found = by_name(report)
    assert told(found["floating.web"]) == ("unknown", 5, None)
    assert not found["floating.web"].undone
    assert found["floating.web"].next is not None
    assert report.code == 5


def test_a_cooldown_does_not_keep_a_group_from_going_back() -> None:
    lab = Lab(TRIO, faults=[slow_fault(ALIASED.path)])
    ini = FLOAT.section(more="cooldown = 60") + ROUTE.section(more="cooldown = 60") + ALIASED.section()
    found = by_name(run(lab, ini + GROUP, triggered(1), names=["group.all"]))
    assert found["floating.web"].undone and found["route.default"].undone
    assert [sample.holder(lab) for sample in QUICK] == [A, A, A]


def test_what_came_from_somebody_who_is_not_listed_goes_back_there() -> None:
    lab = Lab(TRIO, faults=[slow_fault(ALIASED.path)])
    FLOAT.put(lab.sim, C)
    found = by_name(run(lab, INI + GROUP, Request(force=True), names=["group.all"]))
    assert found["floating.web"].undone
    assert FLOAT.holder(lab) == C


def test_what_nobody_had_stays_and_that_is_said() -> None:
    lab = Lab(TRIO, faults=[slow_fault(ALIASED.path)])
    FLOAT.put(lab.sim, None)
    found = by_name(run(lab, INI + GROUP, names=["group.all"]))
    assert told(found["floating.web"]) == ("failed", 1, None)
    assert not found["floating.web"].undone
    assert found["floating.web"].message is not None and "stays" in found["floating.web"].message
    assert FLOAT.holder(lab) == B


def test_what_was_there_already_is_not_undone() -> None:
    lab = Lab(TRIO, faults=[slow_fault(ALIASED.path)])
    FLOAT.put(lab.sim, B)
    found = by_name(run(lab, INI + GROUP, names=["group.all"]))
    assert told(found["floating.web"]) == ("unchanged", 0, None)
    assert FLOAT.holder(lab) == B


def test_a_member_that_is_unknown_undoes_nothing() -> None:
    lab = Lab(TRIO, faults=[Fault("POST", ALIASED.path, nth=2, stuck_action=True)])
    report = run(lab, INI + GROUP, names=["group.all"])
    found = by_name(report)
    assert told(found["alias.vip"]) == ("unknown", 5, None)
    assert found["floating.web"].outcome == "done"
    assert report.code == 5


def test_members_named_without_their_group_are_no_group() -> None:
    lab = Lab(TRIO, faults=[slow_fault(ALIASED.path)])
    found = by_name(run(lab, INI + GROUP, names=["floating.web", "alias.vip"]))
    assert told(found["alias.vip"]) == ("failed", 1, None)
    assert told(found["floating.web"]) == ("done", 0, None)


def test_a_late_request_that_one_member_alone_has_overtaken_keeps_the_group_back() -> None:
    lab = Lab(TRIO)
    ALIASED.labels(lab)[ALIASED.claim] = f"{int(lab.clock.wall() * 1000) - 10}.{A}"
    found = by_name(run(lab, INI + GROUP, triggered(1), names=["group.all"]))
    assert told(found["alias.vip"]) == ("refused", 3, "late")
    assert told(found["floating.web"]) == ("refused", 3, "group")
    assert not posts(lab)


def test_the_undo_ends_by_the_deadline() -> None:
    lab = Lab(TRIO, faults=[slow_fault(ALIASED.path), Fault("POST", FLOAT.path, nth=2, times=None, status=423)])
    report = run(lab, INI + GROUP, names=["group.all"], timeout_s=20.0)
    assert lab.clock.monotonic() <= 22
    found = by_name(report)
    assert not found["floating.web"].undone
    assert FLOAT.holder(lab) == B and found["floating.web"].outcome == "failed"
