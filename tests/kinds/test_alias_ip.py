"""Alias IPs: taken out of one server's list and put into another's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hcloud_reassign.core.errors import Ambiguous, Missing, UsageError
from hcloud_reassign.core.model import Holder, Move, Request, Unreadable
from hcloud_reassign.core.objects import Member, Network, PrivateNet, Server, Subnet
from hcloud_reassign.core.steps import AddAliasIp, Gone, Members, Overtaken, Refused, every, one
from hcloud_reassign.kinds.alias_ip import KIND
from tests.kinds.driver import FakeCloud, Meddling, after, drive, fails, set_aliases
from tests.kinds.scenes import ALIAS, NET, SCENES, VIP, A, B, C, assignment, network, planned, project, server

SCENE = next(scene for scene in SCENES if scene.name == "alias")
NOBODY = next(scene for scene in SCENES if scene.name == "alias-nobody")


def only(cloud: FakeCloud, request: Request | None = None, item: Any = ALIAS) -> Move:
    (move,) = planned(cloud, (item,), request or Request())
    return move


@pytest.mark.parametrize(
    ("resource", "message"),
    [(None, "'' is no IP address"), ("vip", "is no IP address"), ("10.0.1.0/24", "is no"), ("fd00::1", "is IPv4")],
)
def test_a_section_whose_resource_is_no_ipv4_address_is_wrong(resource: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        KIND.check(assignment("ip_alias", resource=resource))
    assert (error.value.object, error.value.key) == ("ip_alias", "resource")
    assert error.value.next == "resource = 10.0.1.100"
    KIND.check(ALIAS)


def test_networks_and_servers_are_read() -> None:
    assert KIND.reads(ALIAS) == (every(Network), every(Server))


@pytest.mark.parametrize(
    ("servers", "holder", "movable"),
    [
        ((server(A, aliases=(VIP,)),), A, True),
        ((server(B, aliases=("10.0.1.50", VIP)),), B, True),
        ((), None, True),
        ((server(C, private_nets=(PrivateNet(NET, VIP),)),), C, False),
        ((server(C, private_nets=(PrivateNet(6, "10.9.0.4", (VIP,)),)),), None, True),
    ],
    ids=["source", "target", "nobody", "main-address", "other-network"],
)
def test_the_holder_is_the_server_whose_list_has_it(servers: Any, holder: int | None, movable: bool) -> None:
    found = KIND.find(project(*servers).world(), ALIAS)
    assert (found.holder.id if found.holder else None) == holder
    assert found.movable is movable
    assert (found.resource.id, found.resource.address, found.key) == (NET, VIP, f"alias.{VIP}")


@pytest.mark.parametrize(
    ("member", "holder", "movable"),
    [
        (Member(77, "load_balancer", NET, VIP), Holder("load_balancer", 77), False),
        (Member(77, "volume", NET, VIP), Holder("other", 77), False),
        (Member(99, "server", NET, "10.0.1.9", (VIP,)), Holder("server", 99), True),
        (Member(99, "server", NET, VIP), Holder("server", 99), False),
        (Member(77, "load_balancer", 6, VIP), None, True),
        (Member(77, "load_balancer", NET, "10.0.1.9"), None, True),
    ],
)
def test_what_no_server_has_a_member_of_the_network_may_have(
    member: Member, holder: Holder | None, movable: bool
) -> None:
    world = project().world().learned(Members(network=NET), (member,))
    found = KIND.find(world, ALIAS)
    assert (found.holder, found.movable) == (holder, movable)


def test_members_that_cannot_be_read_are_not_nobody() -> None:
    world = project().world().failed(Members(network=NET), "timed out")
    with pytest.raises(Unreadable):
        KIND.find(world, ALIAS)
    held = project(server(A, aliases=(VIP,))).world().failed(Members(network=NET), "timed out")
    assert KIND.find(held, ALIAS).holder is not None


def test_the_network_may_be_left_out_where_only_one_contains_the_address() -> None:
    bare = replace(ALIAS, options={})
    other = Network(6, "other", "10.0.0.0/8")
    assert KIND.find(project().world(), bare).resource.id == NET
    with pytest.raises(Ambiguous, match="several networks contain"):
        KIND.find(project(other).world(), bare)
    with pytest.raises(Missing, match="network that contains"):
        KIND.find(project().world(), replace(bare, resource="192.168.0.1"))
    with pytest.raises(Missing, match="did you mean 'int'"):
        KIND.find(project(other).world(), replace(ALIAS, options={"network": "innt"}))


def test_a_server_is_known_by_its_address_in_the_network() -> None:
    cloud = project(server(C, private_nets=(), ipv4="192.0.2.3"))
    found = KIND.find(cloud.world(), ALIAS)
    assert KIND.holder_named(cloud.world(), found, "srv-b") == Holder("server", B, "srv-b", "10.0.1.3")
    assert KIND.holder_named(cloud.world(), found, "srv-c") == Holder("server", C, "srv-c", "192.0.2.3")


def test_nobody_is_confirmed_by_the_networks_members() -> None:
    nobody = KIND.find(project().world(), ALIAS)
    assert KIND.again(nobody) == (every(Server), Members(network=NET), one(Network, NET))
    held = KIND.find(project(server(A, aliases=(VIP,))).world(), ALIAS)
    assert KIND.again(held) == (every(Server), one(Network, NET))


@pytest.mark.parametrize(
    ("target", "guard"),
    [
        (server(B, private_nets=()), "not-in-network"),
        (server(B, status="off"), "destination-off"),
        (server(B), None),
    ],
)
def test_a_target_outside_the_network_or_off_is_refused(target: Server, guard: str | None) -> None:
    move = only(project(server(A, aliases=(VIP,)), target))
    assert (move.refusal.guard if move.refusal else None) == guard
    if guard == "not-in-network":
        assert move.refusal is not None
        assert not move.refusal.forceable
        assert move.refusal.next == "hcloud server attach-to-network --network int srv-b"


def test_a_main_address_is_taken_from_nobody_not_even_by_force() -> None:
    move = only(project(server(C, private_nets=(PrivateNet(NET, VIP),))), Request(force=True))
    assert move.refusal is not None
    assert (move.refusal.guard, move.refusal.forceable) == ("holder", False)


@pytest.mark.parametrize("subnets", [(), (Subnet("10.0.2.0/24"),)])
def test_an_address_in_no_subnet_is_a_usage_error(subnets: tuple[Subnet, ...]) -> None:
    move = only(project(network(subnets=subnets)))
    assert (move.outcome, move.usage_error) == ("failed", True)
    assert "lies in no subnet of the network int" in str(move.message)


def test_the_plan_tells_the_gap_and_locks_the_network_and_both_servers() -> None:
    move = only(project(server(A, aliases=("10.0.1.50", VIP)), server(B, aliases=("10.0.1.51",))))
    assert move.locks == {(Network, NET), (Server, A), (Server, B)}
    assert move.side_effects == (f"nobody has {VIP} for the time of two actions",)
    assert move.vendor_command == (
        f"hcloud server change-alias-ips --network {NET} --alias-ips 10.0.1.50 {A} && "
        f"hcloud server change-alias-ips --network {NET} --alias-ips 10.0.1.51,{VIP} {B}"
    )
    assert only(project()).side_effects == ()


def test_a_list_that_becomes_empty_is_cleared() -> None:
    cloud = project(server(A, aliases=(VIP,)))
    found = KIND.find(cloud.world(), ALIAS)
    command = KIND.vendor_command(found, Holder("server", B, "srv-b"), cloud.world())
    assert command.startswith(f"hcloud server change-alias-ips --network {NET} --clear {A} && ")


def test_every_alias_of_a_project_is_an_assignment_of_anybody() -> None:
    elsewhere = PrivateNet(99, "10.9.0.2", ("10.9.0.9",))
    cloud = project(server(A, aliases=(VIP, "10.0.1.50")), server(C, private_nets=(elsewhere,)))
    found = KIND.inventory(cloud.world())
    assert [(item.name, item.resource, item.options["network"]) for item in found] == [
        (f"alias.{VIP}", VIP, "int"),
        ("alias.10.0.1.50", "10.0.1.50", "int"),
    ]
    assert all(item.anybody and item.type == "ip_alias" for item in found)


def test_what_nobody_has_is_given_by_one_command_and_what_somebody_has_by_two() -> None:
    assert " && " in str(only(project(server(A, aliases=(VIP,)))).vendor_command)
    assert " && " not in str(only(project()).vendor_command)


@pytest.mark.parametrize(
    ("subnets", "told"),
    [
        ((), "none"),
        ((Subnet("10.0.2.0/24"),), "10.0.2.0/24"),
        ((Subnet("10.0.2.0/24"), Subnet("10.0.3.0/24")), "10.0.2.0/24, 10.0.3.0/24"),
    ],
)
def test_an_address_outside_every_subnet_is_told_with_those_that_there_are(
    subnets: tuple[Subnet, ...], told: str
) -> None:
    move = only(project(network(subnets=subnets)))
    assert (move.outcome, move.usage_error) == ("failed", True)
    assert move.message == f"{VIP} lies in no subnet of the network int ({told})"


def test_a_network_or_a_range_that_does_not_exist_is_named_as_what_it_is() -> None:
    with pytest.raises(Missing, match="^there is no network 'far'"):
        KIND.find(project().world(), replace(ALIAS, options={"network": "far"}))
    with pytest.raises(Missing, match="^there is no network that contains '192.168.0.1'"):
        KIND.find(project().world(), replace(ALIAS, resource="192.168.0.1", options={}))


def test_it_is_told_in_which_network_it_is() -> None:
    assert KIND.find(project().world(), ALIAS).resource.name == "int"


def test_a_target_that_starts_is_warned_about() -> None:
    move = only(project(server(A, aliases=(VIP,)), server(B, status="starting")))
    assert (move.outcome, move.warnings) == ("pending", ("srv-b is starting",))


# carried out


def step_number(scene: Any, what: str) -> int:
    cloud = scene.cloud()
    done = drive(scene.begin(cloud).generator, cloud)
    return next(number for number, step in enumerate(done.steps) if step.what.startswith(what))


def test_all_other_aliases_stay() -> None:
    cloud = project(server(A, aliases=("10.0.1.50", VIP)), server(B, aliases=("10.0.1.51",)))
    drive(SCENE.begin(cloud).generator, cloud)
    lists = [cloud.tables[Server][id].private_nets[0].alias_ips for id in (A, B)]
    assert lists == [("10.0.1.50",), ("10.0.1.51", VIP)]


def test_a_source_that_was_deleted_meanwhile_has_it_no_more() -> None:
    cloud = SCENE.cloud()
    run = SCENE.begin(cloud)
    del cloud.tables[Server][A]
    done = drive(run.generator, cloud)
    assert done.error is None
    assert SCENE.holder(cloud) == Holder("server", B, "srv-b", "10.0.1.3")


def refusing(code: str, times: int) -> Meddling:
    """Adding it to srv-b is refused so often."""
    left = [times]

    def meddling(cloud: FakeCloud, step: Any) -> Any:
        if isinstance(step, AddAliasIp) and step.server == B and left[0]:
            left[0] -= 1
            raise Refused("not yet", code)
        return cloud.answer(step)

    return meddling


@pytest.mark.parametrize(
    ("code", "times", "adds", "holder"),
    [
        ("ip_not_available", 1, 2, B),
        ("invalid_input", 3, 4, B),
        ("ip_not_available", 4, 5, A),
        ("server_error", 1, 2, A),
    ],
    ids=["once", "three-times", "too-often", "for-good"],
)
def test_what_nobody_has_is_added_again_a_few_times_then_given_back(
    code: str, times: int, adds: int, holder: int
) -> None:
    cloud = SCENE.cloud()
    meddling = refusing(code, times)
    done = drive(SCENE.begin(cloud).generator, cloud, dict.fromkeys(range(100), meddling))
    assert len(done.of(AddAliasIp)) == adds
    has_it = SCENE.holder(cloud)
    assert has_it is not None
    assert has_it.id == holder
    assert (done.error is None) is (holder == B)


def test_what_another_writer_overwrote_is_added_again() -> None:
    cloud = SCENE.cloud()
    added = step_number(SCENE, "wait for add")
    overwritten = after(lambda it: set_aliases(it, B, NET, []))
    done = drive(SCENE.begin(cloud).generator, cloud, {added: overwritten})
    assert done.error is None
    assert len(done.of(AddAliasIp)) == 2


def test_what_is_overwritten_again_and_again_is_given_back() -> None:
    def overwritten(cloud: FakeCloud, step: Any) -> Any:
        answer = cloud.answer(step)
        if step.what.startswith("wait for add") and step.write.server == B:
            set_aliases(cloud, B, NET, [])
        return answer

    cloud = SCENE.cloud()
    done = drive(SCENE.begin(cloud).generator, cloud, dict.fromkeys(range(100), overwritten))
    assert isinstance(done.error, Refused)
    assert done.error.code == "overwritten"
    assert SCENE.holder(cloud) == Holder("server", A, "srv-a", "10.0.1.2")


@pytest.mark.parametrize("scene", [SCENE, NOBODY], ids=["held", "nobody"])
def test_what_somebody_takes_right_after_it_was_added_stays_there(scene: Any) -> None:
    cloud = scene.cloud()
    done = drive(scene.begin(cloud).generator, cloud, {step_number(scene, "wait for add"): after(scene.seize)})
    assert isinstance(done.error, Overtaken)


def test_what_somebody_took_before_it_could_be_added_is_not_given_back() -> None:
    cloud = SCENE.cloud()
    done = drive(SCENE.begin(cloud).generator, cloud, {step_number(SCENE, "wait for remove"): after(SCENE.seize)})
    assert isinstance(done.error, Overtaken)
    assert done.error.message == "srv-c has it now"


def test_what_nobody_had_is_given_to_nobody_when_the_target_is_gone() -> None:
    cloud = NOBODY.cloud()
    done = drive(NOBODY.begin(cloud).generator, cloud, {0: fails(Gone("gone", "not_found"))})
    assert isinstance(done.error, Gone)
    assert NOBODY.holder(cloud) is None
