"""Alias IPs of a private network: taken out of one server's list, put into another's; all other aliases stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network

from hcloud_reassign.core.declare import DESTINATION, MEMBERS, SOURCE, Key, Section
from hcloud_reassign.core.errors import Ambiguous, Missing, UsageError
from hcloud_reassign.core.guards import odd_destination
from hcloud_reassign.core.kind import Case, Kind
from hcloud_reassign.core.model import Assignment, Found, Holder, Move, Refusal, Resource, World
from hcloud_reassign.core.objects import Member, Network, Server
from hcloud_reassign.core.steps import (
    AddAliasIp,
    Busy,
    Gone,
    Members,
    OutOfTime,
    Overtaken,
    Pause,
    Read,
    Refused,
    RemoveAliasIp,
    Steps,
    Write,
    ask,
    every,
    one,
)
from hcloud_reassign.kinds.carrying import perform
from hcloud_reassign.kinds.finding import (
    free_name,
    holder_with_id,
    named,
    need_address,
    off_guard,
    server_named,
)
from hcloud_reassign.kinds.route import not_in_network

_RE_ADDS = 3
_LOOKS_S = (0.3, 0.6, 1.1)
"""When somebody else is seen with it right after it was added, it is looked at again, three times in two seconds."""


@dataclass(frozen=True)
class Alias:
    """What `details` of a move holds."""

    address: str
    network: Network
    before: Holder | None
    wanted: Holder


class AliasIpKind(Kind):
    section = Section(
        "ip_alias",
        "An alias IP in a Hetzner network: a floating IP for the private side. IPv4, as the vendor has it.",
        (
            Key("resource", "The address.", required=True),
            Key("network", "The Hetzner network, by name or id; may be left out where only one contains the address."),
            SOURCE,
            DESTINATION,
            MEMBERS,
        ),
        "[alias.vip]\ntype        = ip_alias\nresource    = 10.0.1.100\nnetwork     = internal\n"
        "members     = srv-a, srv-b\n",
    )

    def check(self, assignment: Assignment) -> None:
        address = need_address(assignment, "resource", assignment.resource or "")
        if address.version != 4:
            raise UsageError(
                "an alias IP is IPv4", object=assignment.name, key="resource", next="resource = 10.0.1.100"
            )

    def reads(self, assignment: Assignment) -> tuple[Read[object], ...]:
        return (every(Network), every(Server))

    def find(self, world: World, assignment: Assignment) -> Found:
        address = assignment.resource or ""
        network = self._network(world, assignment, address)
        holder, movable = _holder(world, network, address)
        resource = Resource(network.id, network.name, address)
        return Found(resource, holder, labelled=network, key=f"alias.{address}", movable=movable)

    def _network(self, world: World, assignment: Assignment, address: str) -> Network:
        name = assignment.options.get("network")
        if name:
            return named("network", str(name), world.all(Network), lambda network: [])
        fitting = [
            network
            for network in world.all(Network)
            if ip_address(address) in ip_network(network.ip_range, strict=False)
        ]
        if len(fitting) > 1:
            names = ", ".join(f"{network.name} (id {network.id})" for network in fitting)
            raise Ambiguous(f"several networks contain {address}: {names}; set network = to one of them")
        if not fitting:
            raise Missing("network that contains", address)
        return fitting[0]

    def holder_named(self, world: World, found: Found, name: str) -> Holder:
        return _in_network(server_named(world, name), found.labelled)

    def again(self, found: Found) -> tuple[Read[object], ...]:
        if found.holder is None:
            return (every(Server), Members(network=found.labelled.id), one(Network, found.labelled.id))
        return (every(Server), one(Network, found.labelled.id))

    def guards(self, case: Case) -> Iterator[Refusal]:
        target, network = case.target, case.found.labelled
        if target is not None and target.place_in(network.id) is None:
            yield not_in_network(case.wanted, network)
        yield from off_guard(case)

    def plan(self, case: Case, move: Move) -> Move:
        network: Network = case.found.labelled
        address = str(case.found.resource.address)
        inside = [subnet for subnet in network.subnets if ip_address(address) in ip_network(subnet.ip_range)]
        if not inside:
            ranges = ", ".join(subnet.ip_range for subnet in network.subnets) or "none"
            raise UsageError(
                f"{address} lies in no subnet of the network {network.name} ({ranges})",
                object=case.assignment.name,
                key="resource",
            )
        details = Alias(address, network, case.found.holder, case.wanted)
        holders = [holder for holder in (details.before, details.wanted) if holder and holder.id is not None]
        return replace(
            move,
            details=details,
            steps=tuple(_steps(details)),
            locks=frozenset({(Network, network.id), *((Server, holder.id or 0) for holder in holders)}),
            warnings=(*move.warnings, *odd_destination(case)),
            side_effects=(f"nobody has {address} for the time of two actions",) if details.before else (),
            vendor_command=self.vendor_command(case.found, case.wanted, case.world),
        )

    def carry_out(self, moves: Sequence[Move]) -> Steps[None]:
        for move in moves:
            yield from _carry_out(move.details)

    def vendor_command(self, found: Found, wanted: Holder, world: World) -> str:
        network: Network = found.labelled
        address = str(found.resource.address)
        takes = _change(world, network, found.holder, lambda aliases: [ip for ip in aliases if ip != address])
        gives = _change(world, network, wanted, lambda aliases: [*aliases, *([] if address in aliases else [address])])
        has_it = found.holder is not None and found.holder.key != wanted.key
        return f"{takes} && {gives}" if has_it else gives

    def inventory(self, world: World) -> tuple[Assignment, ...]:
        networks = {network.id: network for network in world.all(Network)}
        return tuple(
            Assignment(
                free_name("alias", address),
                self.word,
                address,
                options={"network": networks[place.network].name},
                anybody=True,
            )
            for server in world.all(Server)
            for place in server.private_nets
            for address in place.alias_ips
            if place.network in networks
        )


def _in_network(server: Server, network: Network) -> Holder:
    place = server.place_in(network.id)
    return Holder("server", server.id, server.name, place.ip if place else server.ipv4 or server.ipv6)


def _holder(world: World, network: Network, address: str) -> tuple[Holder | None, bool]:
    """Who has the address in the network, and whether it can be taken from there: a main address cannot."""
    for server in world.all(Server):
        place = server.place_in(network.id)
        if place and address == place.ip:
            return _in_network(server, network), False
        if place and address in place.alias_ips:
            return _in_network(server, network), True
    for member in world.all(Member) if world.has(Member) or world.why_unreadable(Member) else ():
        if member.network == network.id and (address == member.ip or address in member.alias_ips):
            if member.type == "server":
                return holder_with_id(world, member.id), address in member.alias_ips
            return Holder("load_balancer" if member.type == "load_balancer" else "other", member.id), False
    return None, True


def _change(world: World, network: Network, holder: Holder | None, edit: object) -> str:
    server = world.get(Server, holder.id) if holder else None
    place = server.place_in(network.id) if server else None
    assert callable(edit)
    aliases: list[str] = edit(list(place.alias_ips) if place else [])
    listed = f"--alias-ips {','.join(aliases)}" if aliases else "--clear"
    return f"hcloud server change-alias-ips --network {network.id} {listed} {holder.id if holder else ''}"


def _remove(details: Alias, holder: Holder, restoring: bool = False) -> RemoveAliasIp:
    return RemoveAliasIp(holder.id or 0, details.network.id, details.address, str(holder), restoring=restoring)


def _add(details: Alias, holder: Holder, restoring: bool = False) -> AddAliasIp:
    return AddAliasIp(holder.id or 0, details.network.id, details.address, str(holder), restoring=restoring)


def _steps(details: Alias) -> Iterator[Write]:
    if details.before:
        yield _remove(details, details.before)
    yield _add(details, details.wanted)


def _has(details: Alias, holder: Holder) -> Steps[bool]:
    server = yield from ask(one(Server, holder.id or 0))
    place = server.place_in(details.network.id) if server else None
    return place is not None and details.address in place.alias_ips


def _anybody_has(details: Alias) -> Steps[Holder | None]:
    servers = yield from ask(every(Server))
    world = World().learned(every(Server), servers)
    return _holder(world, details.network, details.address)[0]


def _carry_out(details: Alias) -> Steps[None]:
    before, wanted = details.before, details.wanted

    def gone() -> Steps[bool]:
        assert before is not None
        return not (yield from _has(details, before))

    if before:
        try:
            yield from perform(_remove(details, before), gone, opening=True)
        except Gone:
            before = None
    try:
        yield from _give(details, opening=before is None and details.before is None)
    except (Refused, OutOfTime) as error:
        if before is None:
            raise
        has_it = yield from _anybody_has(details)
        if has_it is None:
            giver = before
            yield from perform(_add(details, giver, restoring=True), lambda: _has(details, giver))
        elif has_it.key not in (before.key, wanted.key):
            raise Overtaken(f"{has_it} has it now") from error
        raise


def _give(details: Alias, opening: bool) -> Steps[None]:
    """Add it to the target; again, a few times, when it is refused or overwritten while nobody has it."""
    for attempt in range(_RE_ADDS + 1):
        try:
            yield from perform(_add(details, details.wanted), lambda: _has(details, details.wanted), opening=opening)
        except Refused as refused:
            if attempt == _RE_ADDS or refused.code not in ("ip_not_available", "invalid_input"):
                raise
            holder = yield from _anybody_has(details)
            if opening and holder is not None:
                raise Busy(f"{holder} has it by now", "conflict") from refused
            if opening or holder is not None:
                raise
        else:
            if (yield from _stays(details)):
                return
        yield Pause(0.3 * (attempt + 1), f"add alias IP {details.address} to {details.wanted} again")
    raise Refused(f"{details.wanted} lost it again after each of {_RE_ADDS + 1} tries", "overwritten")


def _stays(details: Alias) -> Steps[bool]:
    """Whether the target is seen with it; False: nobody is. What is read right after a change may be older than it.

    Raises:
        Overtaken: somebody else has it.
    """
    for wait in (*_LOOKS_S, None):
        if (yield from _has(details, details.wanted)):
            return True
        holder = yield from _anybody_has(details)
        if holder is None:
            return False
        if wait is not None:
            yield Pause(wait, f"{holder} is still seen with it", restoring=True)
    raise Overtaken("somebody else took it right after it was added")


KIND = AliasIpKind()
