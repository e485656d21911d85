"""Networks: listing, routes and members (Hetzner's API description, "Networks" and "Network Actions")."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_address

from .call import Call, Result
from .cloud import Work
from .errors import ActionFailure, invalid, undocumented
from .model import Network, Route
from .paging import listing, ordered, paged
from .updates import boolean, update

SORTS = ("id", "name", "created")
PUBLIC_GATEWAY = IPv4Address("172.31.1.1")
"""The gateway of every server's public interface: no route may touch it."""

_RFC_1918 = tuple(IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_EVERYTHING = IPv4Network("0.0.0.0/0")
_OVERLAP = "network route destination overlaps with another subnetwork or network route"


def index(call: Call) -> Result:
    """GET /networks."""
    return listing(call, "networks", call.project.networks.values(), call.view.network, SORTS)


def one(call: Call) -> Result:
    """GET /networks/{id}."""
    return Result(200, {"network": call.view.network(call.network(call.ids[0]))})


def put(call: Call) -> Result:
    """PUT /networks/{id}: name, labels, expose_routes_to_vswitch; 409 while a change is under way."""
    network = call.network(call.ids[0])
    call.require_free(("network", network.id))
    more = {"expose_routes_to_vswitch": boolean("expose_routes_to_vswitch")}
    others = call.project.networks.values()
    return update(call, "networks", "network", network, others, call.view.network, more)


def add_route(call: Call) -> Result:
    """POST .../add_route: one route per destination."""
    network = call.network(call.ids[0])
    destination = _destination(call.text("destination"))
    gateway = call.text("gateway")
    call.require_free(("network", network.id))
    _require_no_overlap(network, destination)
    _require_gateway(call, network, gateway)
    if call.switches.max_routes and len(network.routes) >= call.switches.max_routes:
        raise undocumented(call.switches.limit_code, "network_routes")
    route = Route(str(destination), gateway)

    def apply(at: float) -> None:
        call.cloud.note(at, "networks", network.id)
        network.routes.append(route)

    return call.act("add_route", [("network", network.id)], Work(apply))


def delete_route(call: Call) -> Result:
    """POST .../delete_route: destination and gateway must match an existing pair."""
    network = call.network(call.ids[0])
    wanted = Route(call.text("destination"), call.text("gateway"))
    call.require_free(("network", network.id))
    if wanted not in network.routes:
        raise undocumented(call.switches.delete_missing_route_code, "network route not found")

    def apply(at: float) -> None:
        if wanted not in network.routes:
            raise ActionFailure("action_failed", "network route not found")
        call.cloud.note(at, "networks", network.id)
        network.routes.remove(wanted)

    return call.act("delete_route", [("network", network.id)], Work(apply))


def _destination(text: str) -> IPv4Network:
    try:
        destination = IPv4Network(text)
    except ValueError:
        raise invalid("destination", "must be a network without host bits, in CIDR notation") from None
    if destination != _EVERYTHING and not any(destination.subnet_of(block) for block in _RFC_1918):
        raise invalid("destination", "must be a private range of RFC 1918 or 0.0.0.0/0")
    return destination


def _require_no_overlap(network: Network, destination: IPv4Network) -> None:
    """0.0.0.0/0 stands beside more specific ranges, so it collides only with itself."""
    routes = [IPv4Network(route.destination) for route in network.routes]
    if destination in routes:
        raise invalid("destination", _OVERLAP, _OVERLAP)
    if destination == _EVERYTHING:
        return
    taken = [IPv4Network(subnet.ip_range) for subnet in network.subnets] + routes
    if PUBLIC_GATEWAY in destination or any(other != _EVERYTHING and destination.overlaps(other) for other in taken):
        raise invalid("destination", _OVERLAP, _OVERLAP)


def _require_gateway(call: Call, network: Network, text: str) -> None:
    whole = IPv4Network(network.ip_range)
    try:
        gateway = ip_address(text)
    except ValueError:
        gateway = PUBLIC_GATEWAY
    switches = [IPv4Network(subnet.ip_range) for subnet in network.subnets if subnet.type == "vswitch"]
    outside = call.switches.gateway_in_range and gateway not in whole
    forbidden = gateway in (PUBLIC_GATEWAY, whole.network_address + 1) or any(gateway in part for part in switches)
    if gateway.version != 4 or outside or forbidden:
        raise invalid("gateway", "invalid gateway", "invalid gateway")


@dataclass(frozen=True)
class Member:
    """What is attached to a network, with its addresses there."""

    id: int
    type: str
    ip: str
    alias_ips: list[str]
    subnet: str
    status: str


def members(call: Call) -> Result:
    """GET /networks/{id}/members (hcloud-python 2.25; a switch takes it away)."""
    network = call.network(call.ids[0])
    found = list(_members(call, network))
    for name in ("type", "status", "subnet"):
        wanted = call.request.values(name)
        found = [member for member in found if not wanted or getattr(member, name) in wanted]
    return paged(call, "members", ordered(call, found, ("id", "type", "ip")), vars)


def _members(call: Call, network: Network) -> Iterator[Member]:
    busy = {
        ref
        for action in call.cloud.running.values()
        for ref in action.resources
        if action.command == "change_alias_ips"
    }
    for server in call.project.servers.values():
        leg = server.attachment(network.id)
        if leg is not None:
            status = "updating" if ("server", server.id) in busy else "ok"
            yield Member(server.id, "server", leg.ip, list(leg.alias_ips), subnet_of(network, leg.ip), status)
    for balancer in call.project.load_balancers.values():
        for leg in balancer.private_net:
            if leg.network == network.id:
                yield Member(balancer.id, "load_balancer", leg.ip, [], subnet_of(network, leg.ip), "ok")


def subnet_of(network: Network, address: str) -> str:
    """The range of the subnet that an address is in; empty when it is in none."""
    ip = IPv4Address(address)
    return next((part.ip_range for part in network.subnets if ip in IPv4Network(part.ip_range)), "")
