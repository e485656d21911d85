"""Floating IPs: found by name, id or address, moved by one assign."""

from __future__ import annotations

from typing import Any

import pytest

from hcloud_reassign.core.errors import Ambiguous, Missing
from hcloud_reassign.core.model import Holder, Move, Request
from hcloud_reassign.core.objects import FloatingIp, Server
from hcloud_reassign.core.steps import Busy, Gone, Overtaken, Refused, Step, UnassignFloatingIp, Write, every, one
from hcloud_reassign.kinds.floating_ip import KIND
from tests.kinds.driver import Drive, FakeCloud, after, answers, drive, fails
from tests.kinds.scenes import FLOAT, FLOATING, SCENES, A, B, C, assignment, floating, planned, project, server

ASSIGNED = Refused("it is assigned", "floating_ip_assigned")


def only(cloud: FakeCloud, request: Request | None = None) -> Move:
    (move,) = planned(cloud, (FLOAT,), request or Request())
    return move


def test_all_floating_ips_and_servers_are_read() -> None:
    assert KIND.reads(FLOAT) == (every(FloatingIp), every(Server))


@pytest.mark.parametrize("text", ["web6", "12", "2001:db8:f::/64", "2001:db8:f::", "2001:db8:f::1:2"])
def test_an_ipv6_floating_ip_is_named_by_anything_inside_its_network(text: str) -> None:
    cloud = project(floating(), floating(B, id=12, name="web6", ip="2001:db8:f::/64"))
    found = KIND.find(cloud.world(), assignment("ip_floating", resource=text))
    assert (found.resource.id, found.resource.address, found.key) == (12, "2001:db8:f::/64", "claim")
    assert found.holder is not None
    assert found.holder.id == B
    assert found.movable


def test_a_floating_ip_of_a_deleted_server_keeps_its_holders_id() -> None:
    found = KIND.find(project(floating(99)).world(), FLOAT)
    assert found.holder == Holder("server", 99)


def test_what_does_not_exist_or_exists_twice_is_said() -> None:
    with pytest.raises(Missing, match="there is no floating IP 'web'"):
        KIND.find(project().world(), FLOAT)
    with pytest.raises(Missing):
        KIND.find(project(floating()).world(), assignment("ip_floating"))
    with pytest.raises(Ambiguous):
        KIND.find(project(floating(), floating(id=12)).world(), FLOAT)


def test_who_has_it_is_read_again_by_one_request() -> None:
    found = KIND.find(project(floating()).world(), FLOAT)
    assert KIND.again(found) == (one(FloatingIp, FLOATING),)
    assert KIND.sees(Move(FLOAT, "done", found)) == (one(FloatingIp, FLOATING),)


@pytest.mark.parametrize(
    ("zone", "target_zone", "refused"),
    [("eu-central", "us-east", True), ("eu-central", "eu-central", False), (None, "us-east", False)],
)
def test_another_network_zone_is_refused_unless_forced(zone: str | None, target_zone: str, refused: bool) -> None:
    cloud = project(floating(network_zone=zone), server(B, network_zone=target_zone))
    move = only(cloud)
    assert (move.refusal is not None and move.refusal.guard == "zone") is refused
    if move.refusal:
        assert move.refusal.message == f"it belongs to the network zone {zone}, srv-b is in {target_zone}"
        assert move.refusal.next == "add --force to try it"
    assert only(cloud, Request(force=True)).outcome == "pending"


def test_a_target_that_is_off_is_refused_and_one_that_starts_is_warned_about() -> None:
    off = only(project(floating(), server(B, status="off")))
    assert off.refusal is not None
    assert off.refusal.guard == "destination-off"
    starting = only(project(floating(), server(B, status="starting")))
    assert (starting.outcome, starting.warnings) == ("pending", ("srv-b is starting",))


def test_the_plan_locks_both_servers_and_says_it_in_hetzners_words() -> None:
    move = only(project(floating()))
    assert move.locks == {(Server, A), (Server, B)}
    assert move.vendor_command == f"hcloud floating-ip assign {FLOATING} {B}"
    assert [step.what for step in move.steps] == ["assign floating IP web to srv-b"]
    assert move.side_effects == ()
    assert only(project(floating(None))).locks == {(Server, B)}


def test_every_floating_ip_of_a_project_is_an_assignment_of_anybody() -> None:
    (item,) = KIND.inventory(project(floating()).world())
    assert (item.name, item.type, item.resource, item.anybody) == ("floating.web", "ip_floating", "11", True)


STRICT = next(scene for scene in SCENES if scene.name == "floating-strict")


def test_where_it_is_called_assigned_but_nobody_has_it_the_refusal_stands() -> None:
    cloud = project(floating())
    run = STRICT.begin(cloud)
    cloud.change(FloatingIp, FLOATING, server=None)
    done = drive(run.generator, cloud, {0: fails(ASSIGNED)})
    assert done.error is ASSIGNED
    assert len(done.writes) == 1


@pytest.mark.parametrize("holder", [C, A], ids=["held-by-another", "held-by-one-not-planned"])
def test_where_it_is_called_assigned_and_the_holder_is_not_the_planned_one_it_stays(holder: int) -> None:
    cloud = project(floating(None) if holder == A else floating())
    run = STRICT.begin(cloud)
    cloud.change(FloatingIp, FLOATING, server=holder)
    done = drive(run.generator, cloud, {0: fails(ASSIGNED)})
    assert isinstance(done.error, Overtaken)
    assert done.error.message == "somebody else has it now"
    assert len(done.writes) == 1


def test_where_it_is_called_assigned_and_the_target_has_it_all_is_well() -> None:
    cloud = project(floating())
    run = STRICT.begin(cloud)
    cloud.change(FloatingIp, FLOATING, server=B)
    assert drive(run.generator, cloud, {0: fails(ASSIGNED)}).error is None


def test_what_cannot_be_assigned_after_it_was_unassigned_is_given_back() -> None:
    cloud = project(floating(), strict=True)
    run = STRICT.begin(cloud)
    no_target = after(lambda it: it.tables[Server].pop(B))
    smooth = drive(STRICT.begin(project(floating(), strict=True)).generator, project(floating(), strict=True))
    unassigned = next(n for n, step in enumerate(smooth.steps) if isinstance(step, UnassignFloatingIp))
    done = drive(run.generator, cloud, {unassigned: no_target})
    assert isinstance(done.error, Gone)
    assert cloud.tables[FloatingIp][FLOATING].server == A
    assert done.writes[-1].restoring


def test_what_somebody_took_after_it_was_unassigned_is_not_given_back() -> None:
    cloud = project(floating(), strict=True)
    run = STRICT.begin(cloud)
    smooth = drive(STRICT.begin(project(floating(), strict=True)).generator, project(floating(), strict=True))
    finished = max(n for n, step in enumerate(smooth.steps) if step.what.startswith("wait for unassign"))
    done = drive(run.generator, cloud, {finished: after(STRICT.seize)})
    assert done.error is not None
    assert cloud.tables[FloatingIp][FLOATING].server == C


LOCKED = Busy("the address is locked", "locked")


def writes_before(count: int) -> int:
    """The number of the step that is this write, in a move in two steps without trouble."""
    cloud = project(floating(), strict=True)
    smooth = drive(STRICT.begin(cloud).generator, cloud)
    return [n for n, step in enumerate(smooth.steps) if isinstance(step, Write)][count]


@pytest.mark.parametrize("write", [1, 2], ids=["unassign", "assign"])
def test_each_of_two_steps_waits_for_a_lock(write: int) -> None:
    cloud = project(floating(), strict=True)
    done = drive(STRICT.begin(cloud).generator, cloud, {writes_before(write): fails(LOCKED)})
    assert done.error is None
    assert cloud.tables[FloatingIp][FLOATING].server == B


@pytest.mark.parametrize("write", [1, 2], ids=["unassign", "assign"])
def test_neither_of_two_steps_takes_it_from_who_got_it_while_it_waited(write: int) -> None:
    def seized(cloud: FakeCloud, step: Step) -> Any:
        STRICT.seize(cloud)
        raise LOCKED

    cloud = project(floating(), strict=True)
    done = drive(STRICT.begin(cloud).generator, cloud, {writes_before(write): seized})
    assert isinstance(done.error, Overtaken)
    assert cloud.tables[FloatingIp][FLOATING].server == C


def given_back(meddling: Any) -> tuple[FakeCloud, Drive]:
    """The target disappears after the unassigning, and giving back meets something."""
    cloud = project(floating(), strict=True)
    met: list[Step] = []

    def back(it: FakeCloud, step: Step) -> Any:
        if isinstance(step, Write) and step.restoring and not met:
            met.append(step)
            return meddling(it, step)
        return it.answer(step)

    def lost_target(it: FakeCloud, step: Step) -> Any:
        it.tables[Server].pop(B)
        return it.answer(step)

    meddlings = dict.fromkeys(range(200), back) | {writes_before(1): lost_target}
    done = drive(STRICT.begin(cloud).generator, cloud, meddlings)
    assert met
    return cloud, done


def test_giving_back_waits_for_a_lock() -> None:
    cloud, done = given_back(fails(LOCKED))
    assert isinstance(done.error, Gone)
    assert cloud.tables[FloatingIp][FLOATING].server == A


def test_giving_back_takes_it_from_nobody_who_got_it_while_it_waited() -> None:
    def seized(cloud: FakeCloud, step: Step) -> Any:
        STRICT.seize(cloud)
        raise LOCKED

    cloud, done = given_back(seized)
    assert isinstance(done.error, Overtaken)
    assert cloud.tables[FloatingIp][FLOATING].server == C


def test_giving_back_what_is_back_already_is_no_failure_of_its_own() -> None:
    def back_already(cloud: FakeCloud, step: Step) -> Any:
        cloud.change(FloatingIp, FLOATING, server=A)
        raise ASSIGNED

    cloud, done = given_back(back_already)
    assert isinstance(done.error, Gone)
    assert cloud.tables[FloatingIp][FLOATING].server == A


def test_a_floating_ip_that_is_gone_is_nobodys() -> None:
    cloud = project(floating(), strict=True)
    done = drive(STRICT.begin(cloud).generator, cloud, dict.fromkeys((1, 2), answers(None)))
    assert isinstance(done.error, Refused)
