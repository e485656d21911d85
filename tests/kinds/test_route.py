"""Routes: every rule that Hetzner calls only `invalid_input`, said by name; and the gap between delete and add."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hcloud_reassign.core.errors import Ambiguous, Missing, UsageError
from hcloud_reassign.core.model import Assignment, Holder, Move, Request, Situation
from hcloud_reassign.core.objects import Network, Route, Server, Subnet
from hcloud_reassign.core.planning import plan
from hcloud_reassign.core.steps import AddRoute, DeleteRoute, Gone, Overtaken, Refused, every, one
from hcloud_reassign.kinds.route import KIND
from tests.kinds.driver import FakeCloud, after, drive, fails
from tests.kinds.scenes import (
    DEFAULT_ROUTE,
    NET,
    NOW,
    OTHER_ROUTE,
    ROUTE,
    SCENES,
    A,
    B,
    C,
    assignment,
    network,
    planned,
    project,
    server,
)

SCENE = next(scene for scene in SCENES if scene.name == "route")
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


def section(text: str | None, **fields: Any) -> Assignment:
    return assignment("route", **{"resource": "int", "options": {"network": text}, **fields})


def fault(text: str | None) -> str | None:
    try:
        KIND.check(section(text))
    except UsageError as error:
        assert error.key == "network"
        assert error.next is not None
        return error.message
    return None


def only(cloud: FakeCloud, item: Assignment = ROUTE, request: Request | None = None) -> Move:
    (move,) = planned(cloud, (item,), request or Request())
    return move


# the range


@pytest.mark.parametrize("text", ["0.0.0.0/0", "10.0.0.0/8", "10.1.2.3/32", "172.16.0.0/16", "192.168.7.0/24"])
def test_private_ranges_and_the_default_route_are_fine(text: str) -> None:
    assert fault(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "it is no network range"),
        ("", "it is no network range"),
        ("internal", "it is no network range"),
        ("10.0.0.0/33", "it is no network range"),
        ("::/0", "a route's range is IPv4"),
        ("10.0.0.1", "the prefix length is missing"),
        ("10.0.0.1/8", "it has host bits set, the range is 10.0.0.0/8"),
        ("10.0.0.0/255.0.0.0", "it has host bits set, the range is 10.0.0.0/8"),
        ("192.0.2.0/24", "it is neither a private range (RFC 1918) nor 0.0.0.0/0"),
        ("0.0.0.0/1", "it is neither a private range (RFC 1918) nor 0.0.0.0/0"),
        ("10.0.0.0/7", "it is neither a private range (RFC 1918) nor 0.0.0.0/0"),
        ("8.0.0.0/7", "it is neither a private range (RFC 1918) nor 0.0.0.0/0"),
        ("172.32.0.0/16", "it is neither a private range (RFC 1918) nor 0.0.0.0/0"),
        ("172.16.0.0/12", "it contains 172.31.1.1, which is reserved"),
        ("172.31.1.1/32", "it contains 172.31.1.1, which is reserved"),
    ],
)
def test_a_range_that_hetzner_would_refuse_is_refused_with_the_rule(text: str | None, why: str) -> None:
    assert fault(text) == f"network = {text or ''}: {why}"


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_exactly_the_private_ranges_without_host_bits_pass(address: IPv4Address, bits: int) -> None:
    text, whole = f"{address}/{bits}", IPv4Network((address, bits), strict=False)
    private = any(whole.subnet_of(IPv4Network(allowed)) for allowed in PRIVATE)
    reserved = IPv4Address("172.31.1.1") in whole
    allowed = text == "0.0.0.0/0" or (private and not reserved)
    assert (fault(text) is None) is (allowed and whole.network_address == address)


@given(st.text(max_size=20))
def test_no_text_is_taken_for_a_range_that_it_is_not(text: str) -> None:
    if fault(text) is None:
        assert str(IPv4Network(text)) == text


@pytest.mark.parametrize("key", ["source", "destination"])
def test_a_gateway_that_looks_like_an_address_has_to_be_one(key: str) -> None:
    with pytest.raises(UsageError, match="'10.0.0.256' is no IP address") as error:
        KIND.check(section("0.0.0.0/0", **{key: "10.0.0.256"}))
    assert error.value.key == key
    KIND.check(section("0.0.0.0/0", **{key: "srv-a"}))
    KIND.check(section("0.0.0.0/0", **{key: "10.0.1.2"}))


# the network


def test_networks_and_servers_are_read() -> None:
    assert KIND.reads(ROUTE) == (every(Network), every(Server))


def test_the_holder_is_the_gateway_with_its_server_where_it_has_one() -> None:
    cloud = project(network((DEFAULT_ROUTE, Route("10.9.0.0/16", "10.0.200.1"), Route("10.8.0.0/16", "10.0.1.77"))))
    cloud.put(server(B, aliases=("10.0.1.77",)))
    found = KIND.find(cloud.world(), ROUTE)
    assert found.holder == Holder("gateway", A, "srv-a", "10.0.1.2")
    assert (found.resource.id, found.resource.address, found.key) == (NET, "0.0.0.0/0", "route.0.0.0.0_0")
    foreign = KIND.find(cloud.world(), section("10.9.0.0/16"))
    assert foreign.holder == Holder("gateway", None, None, "10.0.200.1")
    alias = KIND.find(cloud.world(), section("10.8.0.0/16"))
    assert alias.holder == Holder("gateway", B, "srv-b", "10.0.1.77")
    assert KIND.find(cloud.world(), section("10.7.0.0/16")).holder is None
    assert KIND.again(found) == (one(Network, NET),)


OTHER = Network(6, "other", "10.1.0.0/16")


@pytest.mark.parametrize(
    ("networks", "fields", "expected"),
    [
        ((network(),), {}, NET),
        ((network((DEFAULT_ROUTE,)), OTHER), {}, NET),
        ((network(), OTHER), {"source": "10.1.0.2", "destination": "10.1.0.3"}, 6),
        ((network(), OTHER), {"source": None, "destination": "10.0.1.3"}, NET),
        ((network(), OTHER), {"resource": "other"}, 6),
        ((network(), OTHER), {"resource": "6"}, 6),
    ],
    ids=["only-one", "with-the-route", "of-the-gateways", "of-the-target", "by-name", "by-id"],
)
def test_the_network_may_be_left_out_where_only_one_fits(
    networks: tuple[Network, ...], fields: dict[str, Any], expected: int
) -> None:
    cloud = FakeCloud(server(A), server(B), *networks)
    assert KIND.find(cloud.world(), section("0.0.0.0/0", **{"resource": None, **fields})).resource.id == expected


def test_where_several_networks_fit_or_none_it_is_said() -> None:
    bare = section("0.0.0.0/0", resource=None)
    with pytest.raises(Ambiguous, match=r"several networks fit: int \(id 5\), other \(id 6\)"):
        KIND.find(project(OTHER).world(), bare)
    with pytest.raises(UsageError, match="^this project has no network$") as none:
        KIND.find(FakeCloud().world(), bare)
    assert (none.value.object, none.value.key) == ("route", "resource")
    with pytest.raises(Missing, match="^there is no network 'intt'; did you mean 'int'"):
        KIND.find(project().world(), section("0.0.0.0/0", resource="intt"))


def test_it_is_told_in_which_network_it_is() -> None:
    assert KIND.find(project().world(), ROUTE).resource.name == "int"


def test_a_range_with_host_bits_is_told_with_the_range_that_was_meant() -> None:
    with pytest.raises(UsageError) as error:
        KIND.check(section("10.9.0.7/16"))
    assert (error.value.object, error.value.key, error.value.next) == ("route", "network", "network = 10.9.0.0/16")


def test_a_gateway_is_named_by_its_address_or_by_its_server() -> None:
    cloud = project(server(C, private_nets=()))
    found, world = KIND.find(cloud.world(), ROUTE), cloud.world()
    assert KIND.holder_named(world, found, "10.0.1.3") == Holder("gateway", B, "srv-b", "10.0.1.3")
    assert KIND.holder_named(world, found, "srv-b") == Holder("gateway", B, "srv-b", "10.0.1.3")
    assert KIND.holder_named(world, found, "10.0.9.9") == Holder("gateway", None, None, "10.0.9.9")
    assert KIND.holder_named(world, found, "srv-c") == Holder("gateway", C, "srv-c")
    with pytest.raises(Missing):
        KIND.holder_named(world, found, "srv-d")


# the gateway


@pytest.mark.parametrize(
    ("gateway", "why"),
    [
        ("10.0.0.1", "the gateway is the first address of the network's range 10.0.0.0/16, which is Hetzner's own"),
        ("10.1.0.1", "the gateway is outside the network's range 10.0.0.0/16"),
        ("fd00::1", "the gateway is outside the network's range 10.0.0.0/16"),
        ("172.31.1.1", "172.31.1.1 is reserved"),
        ("10.0.7.5", "the gateway is behind a vSwitch (10.0.7.0/24)"),
        ("10.0.1.3", None),
        ("10.0.9.9", None),
    ],
)
def test_a_gateway_that_hetzner_would_refuse_is_refused_with_the_rule(gateway: str, why: str | None) -> None:
    whole = network(subnets=(Subnet("10.0.1.0/24"), Subnet("10.0.7.0/24", "vswitch")))
    move = only(project(whole), section("0.0.0.0/0", source=None, destination=gateway))
    if why is None:
        assert move.outcome == "pending"
    else:
        assert (move.outcome, move.usage_error) == ("failed", True)
        assert move.message == f"route 0.0.0.0/0 via {gateway}: {why}"


@given(st.ip_addresses(v=4))
def test_a_gateway_is_in_the_range_and_not_its_first_address(gateway: IPv4Address) -> None:
    whole = IPv4Network("10.0.0.0/16")
    move = only(project(), section("0.0.0.0/0", source=None, destination=str(gateway)))
    fine = gateway in whole and gateway != IPv4Address("10.0.0.1")
    assert (move.outcome == "pending") is fine


@given(st.integers(2, 2**16 - 1))
def test_any_other_address_in_the_range_can_be_a_gateway(offset: int) -> None:
    gateway = str(IPv4Address("10.0.0.0") + offset)
    assert only(project(), section("0.0.0.0/0", source=None, destination=gateway)).outcome == "pending"


# overlaps


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("10.0.1.0/24", "it overlaps with the subnet 10.0.1.0/24"),
        ("10.0.0.0/16", "it overlaps with the subnet 10.0.1.0/24"),
        ("10.0.1.128/25", "it overlaps with the subnet 10.0.1.0/24"),
        ("10.9.7.0/24", "it overlaps with the route 10.9.0.0/16 via 10.0.1.2"),
        ("10.8.0.0/15", "it overlaps with the route 10.9.0.0/16 via 10.0.1.2"),
        ("10.9.0.0/16", None),
        ("10.10.0.0/16", None),
        ("0.0.0.0/0", None),
    ],
)
def test_a_range_that_overlaps_with_a_subnet_or_a_route_is_refused(text: str, why: str | None) -> None:
    move = only(project(network((OTHER_ROUTE, DEFAULT_ROUTE))), section(text))
    assert move.message == (f"route {text} via 10.0.1.3: {why}" if why else None)
    assert move.outcome == ("failed" if why else "pending")


@given(st.integers(0, 2**24 - 1), st.integers(8, 32), st.integers(0, 2**24 - 1), st.integers(8, 32))
def test_two_ranges_overlap_whichever_is_the_new_one(one_at: int, one_bits: int, at: int, bits: int) -> None:
    ten = int(IPv4Address("10.0.0.0"))
    new = str(IPv4Network((ten + one_at, one_bits), strict=False))
    old = str(IPv4Network((ten + at, bits), strict=False))
    assume(new != old)

    def overlaps(new: str, old: str) -> bool:
        cloud = project(network((Route(old, "10.0.1.2"),), ip_range="10.0.0.0/8", subnets=()))
        return only(cloud, section(new, source=None)).usage_error

    assert overlaps(new, old) is overlaps(old, new) is IPv4Network(new).overlaps(IPv4Network(old))


# guards


@pytest.mark.parametrize(
    ("target", "guard"),
    [
        (server(B, private_nets=()), "not-in-network"),
        (server(B, status="off"), "destination-off"),
        (server(B), None),
    ],
)
def test_a_target_outside_the_network_or_off_is_refused(target: Server, guard: str | None) -> None:
    move = only(project(network((DEFAULT_ROUTE,)), target))
    assert (move.refusal.guard if move.refusal else None) == guard


def test_a_gateway_of_no_server_only_warns() -> None:
    move = only(project(network((DEFAULT_ROUTE,))), section("0.0.0.0/0", destination="10.0.9.9"))
    assert move.outcome == "pending"
    assert move.warnings == ("no server of this project has the address 10.0.9.9 in int",)


@pytest.mark.parametrize(
    ("here", "public", "text", "refused"),
    [
        (A, False, "0.0.0.0/0", True),
        (A, True, "0.0.0.0/0", False),
        (A, False, "10.9.0.0/16", False),
        (None, False, "0.0.0.0/0", False),
        (99, False, "0.0.0.0/0", False),
    ],
    ids=["private", "public", "other-route", "elsewhere", "unknown"],
)
def test_a_machine_without_a_public_address_does_not_move_its_own_way_out(
    here: int | None, public: bool, text: str, refused: bool
) -> None:
    cloud = project(network((DEFAULT_ROUTE, OTHER_ROUTE)), server(A, ipv4="192.0.2.1" if public else None))
    for force in (False, True):
        request, moment = Request(force=force), Situation(NOW, NOW, here)
        (move,) = plan(cloud.world(), [(KIND, section(text))], (), request, moment)
        assert (move.refusal is not None and move.refusal.guard == "own-path") is (refused and not force)
        if move.refusal:
            assert move.refusal.message == (
                "this program runs on srv-a, which has no public address and reaches the API over this route"
            )
            assert move.refusal.next == "run it from a machine outside the network, or add --force"


# the plan


def test_the_plan_tells_the_gap_and_that_an_alias_has_none() -> None:
    move = only(project(network((OTHER_ROUTE, DEFAULT_ROUTE))))
    assert [step.what for step in move.steps] == [
        "delete route 0.0.0.0/0 via 10.0.1.2 from int",
        "add route 0.0.0.0/0 via 10.0.1.3 to int",
    ]
    assert move.locks == {(Network, NET)}
    (gap,) = move.side_effects
    assert "no route to 0.0.0.0/0" in gap
    assert "alias IP needs no gap" in gap
    delete = f"hcloud network remove-route --destination 0.0.0.0/0 --gateway 10.0.1.2 {NET}"
    add = f"hcloud network add-route --destination 0.0.0.0/0 --gateway 10.0.1.3 {NET}"
    assert move.vendor_command == f"{delete} && {add}"


def test_where_there_is_no_route_yet_there_is_no_gap() -> None:
    move = only(project())
    assert move.side_effects == ()
    assert [type(step) for step in move.steps] == [AddRoute]
    assert str(move.vendor_command).startswith("hcloud network add-route")


def test_every_route_of_a_project_is_an_assignment_of_anybody() -> None:
    found = KIND.inventory(project(network((OTHER_ROUTE, DEFAULT_ROUTE))).world())
    assert [(item.name, item.resource, item.options) for item in found] == [
        ("route.int.10.9.0.0_16", "5", {"network": "10.9.0.0/16"}),
        ("route.int.0.0.0.0_0", "5", {"network": "0.0.0.0/0"}),
    ]
    assert all(item.anybody for item in found)


# carried out


def test_only_the_named_route_is_touched() -> None:
    cloud = SCENE.cloud()
    drive(SCENE.begin(cloud).generator, cloud)
    assert set(cloud.tables[Network][NET].routes) == {OTHER_ROUTE, Route("0.0.0.0/0", "10.0.1.3")}


def test_a_refused_add_puts_the_old_route_back() -> None:
    cloud = SCENE.cloud()

    def no_new_one(cloud: FakeCloud, step: Any) -> Any:
        if isinstance(step, AddRoute) and step.route.gateway == "10.0.1.3":
            raise Refused("invalid", "invalid_input")
        return cloud.answer(step)

    done = drive(SCENE.begin(cloud).generator, cloud, dict.fromkeys(range(99), no_new_one))
    assert isinstance(done.error, Refused)
    assert [type(step) for step in done.writes] == [DeleteRoute, AddRoute, AddRoute]
    assert done.writes[-1].restoring
    assert cloud.tables[Network][NET].route_to("0.0.0.0/0") == DEFAULT_ROUTE


def test_a_route_that_somebody_set_in_the_gap_stays() -> None:
    cloud = SCENE.cloud()
    done = drive(SCENE.begin(cloud).generator, cloud, {1: after(SCENE.seize)})
    assert isinstance(done.error, Overtaken)
    assert done.error.message == "the route leads via 10.0.1.4 now, set by somebody else"


def test_a_new_route_that_is_seen_late_is_not_undone() -> None:
    cloud = SCENE.cloud()

    def landed_late(cloud: FakeCloud) -> None:
        cloud.change(Network, NET, routes=(OTHER_ROUTE, Route("0.0.0.0/0", "10.0.1.3")))

    smooth = drive(SCENE.begin(SCENE.cloud()).generator, SCENE.cloud())
    add = next(number for number, step in enumerate(smooth.steps) if isinstance(step, AddRoute))
    refused = fails(Refused("invalid", "invalid_input"))
    done = drive(SCENE.begin(cloud).generator, cloud, {add: refused, add + 1: after(landed_late)})
    assert isinstance(done.error, Refused)
    assert [type(step) for step in done.writes] == [DeleteRoute, AddRoute]


def test_a_network_that_is_gone_ends_it() -> None:
    cloud = SCENE.cloud()
    run = SCENE.begin(cloud)
    del cloud.tables[Network][NET]
    done = drive(run.generator, cloud)
    assert isinstance(done.error, Gone)


def test_where_there_was_no_route_none_is_put_back() -> None:
    scene = next(scene for scene in SCENES if scene.name == "route-nobody")
    cloud = scene.cloud()
    done = drive(scene.begin(cloud).generator, cloud, {0: fails(Refused("invalid", "invalid_input"))})
    assert isinstance(done.error, Refused)
    assert len(done.writes) == 1


def test_two_routes_are_carried_out_one_after_the_other() -> None:
    cloud = project(network((OTHER_ROUTE, DEFAULT_ROUTE)))
    moves = planned(cloud, (ROUTE, replace(section("10.9.0.0/16"), name="second"))).pending
    done = drive(KIND.carry_out(moves), cloud)
    assert done.error is None
    assert {route.gateway for route in cloud.tables[Network][NET].routes} == {"10.0.1.3"}
