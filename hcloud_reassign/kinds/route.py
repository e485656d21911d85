"""Routes of a network: deleted, then added with the other gateway; no call replaces one, so there is a gap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, ip_address, ip_network

from hcloud_reassign.core.declare import DESTINATION, MEMBERS, SOURCE, Key, Section
from hcloud_reassign.core.errors import Ambiguous, UsageError
from hcloud_reassign.core.guards import odd_destination
from hcloud_reassign.core.kind import Case, Kind
from hcloud_reassign.core.model import Assignment, Found, Holder, Move, Refusal, Resource, World
from hcloud_reassign.core.objects import Network, Route, Server
from hcloud_reassign.core.steps import (
    AddRoute,
    DeleteRoute,
    OutOfTime,
    Overtaken,
    Read,
    Refused,
    Steps,
    Write,
    ask,
    every,
    one,
)
from hcloud_reassign.kinds.carrying import perform
from hcloud_reassign.kinds.finding import address_of, covers, free_name, named, need_address, off_guard, server_named

DEFAULT = "0.0.0.0/0"
RESERVED = "172.31.1.1"
ALLOWED = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", DEFAULT)


@dataclass(frozen=True)
class NetworkRoute:
    """What `details` of a move holds: where the route is, and its pair before and after."""

    network: Network
    destination: str
    old: Route | None
    new: Route


class RouteKind(Kind):
    section = Section(
        "route",
        "A route of a Hetzner network. Between delete and add there is no route; the gap is measured.",
        (
            Key("network", "The range that the route leads to, such as 0.0.0.0/0.", required=True),
            Key("resource", "The Hetzner network, by name or id; may be left out where only one fits."),
            SOURCE,
            DESTINATION,
            MEMBERS,
        ),
        "[route.default]\ntype        = route\nnetwork     = 0.0.0.0/0\nresource    = internal\n"
        "source      = 10.0.0.2\ndestination = srv-b\n",
    )

    def check(self, assignment: Assignment) -> None:
        text = str(assignment.options.get("network") or "")
        why = _range_fault(text)
        if why:
            raise UsageError(f"network = {text}: {why}", object=assignment.name, key="network", next=_range_next(text))
        for key, names in (("source", [assignment.source]), ("destination", [assignment.destination])):
            for name in names:
                if name and name[:1].isdigit() and name.count(".") == 3:
                    need_address(assignment, key, name)

    def reads(self, assignment: Assignment) -> tuple[Read[object], ...]:
        return (every(Network), every(Server))

    def find(self, world: World, assignment: Assignment) -> Found:
        destination = str(assignment.options["network"])
        network = self._network(world, assignment, destination)
        return self._found(world, network, destination)

    def _network(self, world: World, assignment: Assignment, destination: str) -> Network:
        networks = world.all(Network)
        if assignment.resource:
            return named("network", assignment.resource, networks, lambda network: [])
        fitting = [network for network in networks if network.route_to(destination)] or [
            network for network in networks if _names_gateway_in(network, assignment)
        ]
        fitting = fitting or list(networks)
        if len(fitting) > 1:
            names = ", ".join(f"{network.name} (id {network.id})" for network in fitting)
            raise Ambiguous(f"several networks fit: {names}; set resource = to one of them")
        if not fitting:
            raise UsageError("this project has no network", object=assignment.name, key="resource")
        return fitting[0]

    def _found(self, world: World, network: Network, destination: str) -> Found:
        route = network.route_to(destination)
        holder = _gateway(world, network, route.gateway) if route else None
        key = "route." + destination.replace("/", "_")
        return Found(Resource(network.id, network.name, destination), holder, labelled=network, key=key)

    def holder_named(self, world: World, found: Found, name: str) -> Holder:
        network: Network = found.labelled
        if address_of(name) is not None:
            return _gateway(world, network, name)
        server = server_named(world, name)
        place = server.place_in(network.id)
        if place is None:
            return Holder("gateway", server.id, server.name)
        return Holder("gateway", server.id, server.name, place.ip)

    def again(self, found: Found) -> tuple[Read[object], ...]:
        return (one(Network, found.labelled.id),)

    def guards(self, case: Case) -> Iterator[Refusal]:
        if case.wanted.address is None:
            yield not_in_network(case.wanted, case.found.labelled)
        yield from off_guard(case)
        here = case.world.get(Server, case.situation.here) if case.situation.here is not None else None
        if here and case.found.resource.address == DEFAULT and not (here.ipv4 or here.ipv6):
            yield Refusal(
                "own-path",
                f"this program runs on {here.name}, which has no public address and reaches the API over this route",
                "run it from a machine outside the network, or add --force",
                forceable=True,
            )

    def plan(self, case: Case, move: Move) -> Move:
        network: Network = case.found.labelled
        destination = str(case.found.resource.address)
        gateway = str(case.wanted.address)
        fault = _gateway_fault(network, gateway) or _overlap(network, destination)
        if fault:
            raise UsageError(f"route {destination} via {gateway}: {fault}", object=case.assignment.name)
        details = NetworkRoute(network, destination, network.route_to(destination), Route(destination, gateway))
        warnings = [*move.warnings, *odd_destination(case)]
        if case.wanted.id is None:
            warnings.append(f"no server of this project has the address {gateway} in {network.name}")
        return replace(
            move,
            details=details,
            steps=tuple(_steps(details)),
            locks=frozenset({(Network, network.id)}),
            warnings=tuple(warnings),
            side_effects=_gap(details),
            vendor_command=self.vendor_command(case.found, case.wanted, case.world),
        )

    def carry_out(self, moves: Sequence[Move]) -> Steps[None]:
        for move in moves:
            yield from _carry_out(move.details)

    def vendor_command(self, found: Found, wanted: Holder, world: World) -> str:
        network, destination = found.resource.id, found.resource.address
        add = f"hcloud network add-route --destination {destination} --gateway {wanted.address} {network}"
        if found.holder is None or found.holder.address == wanted.address:
            return add
        old = found.holder.address
        return f"hcloud network remove-route --destination {destination} --gateway {old} {network} && {add}"

    def inventory(self, world: World) -> tuple[Assignment, ...]:
        return tuple(
            Assignment(
                free_name("route", f"{network.name}.{route.destination.replace('/', '_')}"),
                self.word,
                str(network.id),
                options={"network": route.destination},
                anybody=True,
            )
            for network in world.all(Network)
            for route in network.routes
        )


def not_in_network(wanted: Holder, network: Network) -> Refusal:
    return Refusal(
        "not-in-network",
        f"{wanted} is not attached to the network {network.name}",
        f"hcloud server attach-to-network --network {network.name} {wanted.name}",
    )


def _gateway(world: World, network: Network, address: str) -> Holder:
    for server in world.all(Server):
        place = server.place_in(network.id)
        if place and (place.ip == address or address in place.alias_ips):
            return Holder("gateway", server.id, server.name, address)
    return Holder("gateway", None, None, address)


def _names_gateway_in(network: Network, assignment: Assignment) -> bool:
    addresses = [address for name in assignment.listed if (address := address_of(name))]
    return any(address in ip_network(network.ip_range, strict=False) for address in addresses)


def _range_fault(text: str) -> str | None:
    """Which rule of Hetzner's a route's destination breaks (API description: it says only `invalid_input`)."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return "it is no network range"
    if not isinstance(network, IPv4Network):
        return "a route's range is IPv4"
    if "/" not in text:
        return "the prefix length is missing"
    if str(network) != text:
        return f"it has host bits set, the range is {network}"
    if text != DEFAULT and not any(network.subnet_of(IPv4Network(allowed)) for allowed in ALLOWED[:3]):
        return "it is neither a private range (RFC 1918) nor 0.0.0.0/0"
    if text != DEFAULT and covers(text, RESERVED):
        return f"it contains {RESERVED}, which is reserved"
    return None


def _range_next(text: str) -> str:
    try:
        return f"network = {ip_network(text, strict=False)}"
    except ValueError:
        return f"network = {DEFAULT}"


def _gateway_fault(network: Network, gateway: str) -> str | None:
    """Which rule of Hetzner's a gateway breaks; that it lies in the range is assumed, not documented."""
    whole, address = ip_network(network.ip_range, strict=False), ip_address(gateway)
    if gateway == RESERVED:
        return f"{RESERVED} is reserved"
    if address not in whole:
        return f"the gateway is outside the network's range {whole}"
    if address == whole.network_address + 1:
        return f"the gateway is the first address of the network's range {whole}, which is Hetzner's own"
    behind = [
        subnet for subnet in network.subnets if subnet.type == "vswitch" and address in ip_network(subnet.ip_range)
    ]
    return f"the gateway is behind a vSwitch ({behind[0].ip_range})" if behind else None


def _overlap(network: Network, destination: str) -> str | None:
    """Which range of the network a new route would collide with."""
    if destination == DEFAULT:
        return None
    wanted = ip_network(destination)
    for subnet in network.subnets:
        if wanted.overlaps(ip_network(subnet.ip_range, strict=False)):
            return f"it overlaps with the subnet {subnet.ip_range}"
    for route in network.routes:
        if route.destination not in (destination, DEFAULT) and wanted.overlaps(ip_network(route.destination)):
            return f"it overlaps with the route {route.destination} via {route.gateway}"
    return None


def _steps(details: NetworkRoute) -> Iterator[Write]:
    if details.old:
        yield DeleteRoute(details.network.id, details.old, details.network.name)
    yield AddRoute(details.network.id, details.new, details.network.name)


def _gap(details: NetworkRoute) -> tuple[str, ...]:
    if details.old is None:
        return ()
    gap = f"no route to {details.destination} for the time of two actions"
    return (f"{gap}; a route whose gateway is an alias IP needs no gap: move the alias instead",)


def _carry_out(details: NetworkRoute) -> Steps[None]:
    network, old, new = details.network, details.old, details.new

    def now() -> Steps[Route | None]:
        found = yield from ask(one(Network, network.id))
        return found.route_to(details.destination) if found else None

    def is_now(route: Route | None) -> Steps[bool]:
        return (yield from now()) == route

    def old_is_gone() -> Steps[bool]:
        return (yield from now()) != old

    if old:
        yield from perform(DeleteRoute(network.id, old, network.name), old_is_gone, opening=True)
    try:
        yield from perform(AddRoute(network.id, new, network.name), lambda: is_now(new), opening=old is None)
    except (Refused, OutOfTime) as error:
        if old is None:
            raise
        there = yield from now()
        if there is None:
            put_back = AddRoute(network.id, old, network.name, restoring=True)
            yield from perform(put_back, lambda: is_now(old))
        elif there not in (old, new):
            raise Overtaken(f"the route leads via {there.gateway} now, set by somebody else") from error
        raise


KIND = RouteKind()
