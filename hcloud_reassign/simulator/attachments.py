"""A server's addresses in a network: change_alias_ips, attach_to_network, detach_from_network."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from .call import Call, Result
from .cloud import Work
from .errors import ActionFailure, ApiError, invalid, undocumented
from .model import Attachment, Network, Ref, Server, Subnet
from .networks import PUBLIC_GATEWAY


def change_alias_ips(call: Call) -> Result:
    """POST .../change_alias_ips: replaces the whole list of that server in that network."""
    server = call.server(call.ids[0])
    network = call.network(call.integer("network"))
    wanted = call.texts("alias_ips")
    call.require_free(*_alias_locks(call, server, network))
    leg = server.attachment(network.id)
    if leg is None:
        raise undocumented(call.switches.alias_not_attached_code, "server is not attached to the network")
    if call.switches.max_alias_ips and len(wanted) > call.switches.max_alias_ips:
        raise undocumented(call.switches.limit_code, "server_alias_ips")
    _require_aliases(call, server, network, wanted, own=leg.ip)

    def apply(at: float) -> None:
        # Two servers may have asked for the same address while it was free: the later one loses.
        if taken(call, network, wanted, server):
            raise ActionFailure("ip_not_available", "IP is not available")
        now_leg = server.attachment(network.id)
        if now_leg is None or server.id not in call.project.servers:
            raise ActionFailure("action_failed", "server is not attached to the network")
        call.cloud.note(at, "servers", server.id)
        now_leg.alias_ips = list(wanted)

    refs: list[Ref] = [("server", server.id), ("network", network.id)]
    return call.act("change_alias_ips", refs, Work(apply), _alias_locks(call, server, network))


def _alias_locks(call: Call, server: Server, network: Network) -> list[Ref]:
    locks: list[Ref] = [("server", server.id)]
    if call.switches.alias_locks_network:
        locks.append(("network", network.id))
    return locks


def attach(call: Call) -> Result:
    """POST .../attach_to_network: at an address asked for or the first free one of a subnet for the server's zone."""
    server = call.server(call.ids[0])
    network = call.network(call.integer("network"))
    call.require_free(("server", server.id), ("network", network.id))
    if server.attachment(network.id) is not None:
        raise ApiError(422, "server_already_attached", "server is already attached to network")
    _require_no_other_overlap(call, server, network)
    address = _address(call, server, network)
    aliases = call.texts("alias_ips") if "alias_ips" in call.fields else []
    _require_aliases(call, server, network, aliases, own=address)
    leg = Attachment(network.id, address, aliases, mac_address(network.id, server.id))

    def apply(at: float) -> None:
        if taken(call, network, [address, *aliases], server):
            raise ActionFailure("ip_not_available", "IP is not available")
        call.cloud.note(at, "servers", server.id)
        server.private_net.append(leg)

    return call.act("attach_to_network", [("server", server.id), ("network", network.id)], Work(apply))


def detach(call: Call) -> Result:
    """POST .../detach_from_network."""
    server = call.server(call.ids[0])
    network = call.network(call.integer("network"))
    call.require_free(("server", server.id), ("network", network.id))
    if server.attachment(network.id) is None:
        raise undocumented(call.switches.alias_not_attached_code, "server is not attached to the network")

    def apply(at: float) -> None:
        call.cloud.note(at, "servers", server.id)
        server.private_net = [leg for leg in server.private_net if leg.network != network.id]

    return call.act("detach_from_network", [("server", server.id), ("network", network.id)], Work(apply))


def mac_address(network_id: int, owner_id: int) -> str:
    """A stable address in the range that Hetzner's examples show."""
    mixed = (network_id * 65599 + owner_id) & 0xFFFFFF
    return "86:00:00:" + ":".join(f"{mixed >> shift & 0xFF:02x}" for shift in (16, 8, 0))


def taken(call: Call, network: Network, addresses: list[str], server: Server) -> bool:
    """Whether anything but the server itself uses one of the addresses."""
    mine = ("server", server.id)
    used = {address for address, *owner in call.project.addresses_in(network.id) if tuple(owner) != mine}
    return not used.isdisjoint(addresses)


def _subnets_for(call: Call, server: Server, network: Network) -> list[Subnet]:
    zone = call.project.zone_of(server)
    return [part for part in network.subnets if part.network_zone == zone and part.type != "vswitch"]


def reserved(network: Network) -> set[IPv4Address]:
    """Addresses nobody may use: first of the range, gateways, the public gateway, broadcast (partly assumed)."""
    whole = IPv4Network(network.ip_range)
    found = {PUBLIC_GATEWAY, whole.network_address, whole.network_address + 1}
    for part in network.subnets:
        inner = IPv4Network(part.ip_range)
        found |= {inner.network_address, inner.broadcast_address, IPv4Address(part.gateway)}
    return found


def _require_usable(call: Call, server: Server, network: Network, text: str, field: str) -> IPv4Address:
    try:
        address = IPv4Address(text)
    except ValueError:
        raise invalid(field, f"'{text}' is not an IPv4 address") from None
    if not any(address in IPv4Network(part.ip_range) for part in _subnets_for(call, server, network)):
        raise invalid(field, f"'{text}' is not in a subnet of the network for the server's network zone")
    if address in reserved(network):
        raise invalid(field, f"'{text}' is reserved")
    return address


def _require_aliases(call: Call, server: Server, network: Network, wanted: list[str], own: str) -> None:
    if len(set(wanted)) != len(wanted):
        raise invalid("alias_ips", "must not contain an address twice")
    for text in wanted:
        _require_usable(call, server, network, text, "alias_ips")
        if text == own:
            raise invalid("alias_ips", f"'{text}' is the server's own address")
    if taken(call, network, wanted, server):
        raise undocumented(call.switches.alias_in_use_code, "IP is not available")


def _require_no_other_overlap(call: Call, server: Server, network: Network) -> None:
    for leg in server.private_net:
        other = call.project.networks[leg.network]
        if IPv4Network(other.ip_range).overlaps(IPv4Network(network.ip_range)):
            raise ApiError(422, "networks_overlap", "the network overlaps with another network of the server")


def _address(call: Call, server: Server, network: Network) -> str:
    subnets = _subnets_for(call, server, network)
    if "ip_range" in call.fields:
        subnets = [part for part in subnets if part.ip_range == call.text("ip_range")]
    if "ip" in call.fields:
        text = call.text("ip")
        _require_usable(call, server, network, text, "ip")
        if taken(call, network, [text], server):
            raise ApiError(422, "ip_not_available", "IP is not available")
        return text
    used = {address for address, *_ in call.project.addresses_in(network.id)}
    kept = reserved(network)
    for part in subnets:
        for host in IPv4Network(part.ip_range).hosts():
            if host not in kept and str(host) not in used:
                return str(host)
    raise ApiError(422, "no_subnet_available", "no subnet or IP is available for the server in the network")
