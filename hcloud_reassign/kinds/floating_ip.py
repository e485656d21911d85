"""Floating IPs: one assign straight to the target, from wherever it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hcloud_reassign.core.declare import DESTINATION, MEMBERS, SOURCE, Key, Section
from hcloud_reassign.core.guards import odd_destination
from hcloud_reassign.core.kind import Case, Kind
from hcloud_reassign.core.model import Assignment, Found, Holder, Move, Refusal, Resource, World
from hcloud_reassign.core.objects import FloatingIp, Server
from hcloud_reassign.core.steps import (
    AssignFloatingIp,
    OutOfTime,
    Overtaken,
    Read,
    Refused,
    Steps,
    UnassignFloatingIp,
    ask,
    every,
    one,
)
from hcloud_reassign.kinds.carrying import perform
from hcloud_reassign.kinds.finding import free_name, holder_with_id, named, off_guard, server_holder, server_named

_SECTION = Section(
    "ip_floating",
    "A floating IP. It may move between servers of any location of its network zone, while they run.",
    (
        Key(
            "resource",
            "The floating IP: its name, id or address; for IPv6 also any address inside its /64.",
            required=True,
        ),
        SOURCE,
        DESTINATION,
        MEMBERS,
        Key("metrics", "A key of the original tool.", ignored=True),
    ),
    "[floating.web]\ntype        = ip_floating\nresource    = web\nsource      = srv-a\ndestination = srv-b\n",
)


class FloatingIpKind(Kind):
    section = _SECTION

    def reads(self, assignment: Assignment) -> tuple[Read[object], ...]:
        return (every(FloatingIp), every(Server))

    def find(self, world: World, assignment: Assignment) -> Found:
        address = named("floating IP", assignment.resource or "", world.all(FloatingIp), lambda item: [item.ip])
        return self._found(world, address)

    def _found(self, world: World, address: FloatingIp) -> Found:
        holder = holder_with_id(world, address.server)
        return Found(Resource(address.id, address.name, address.ip), holder, labelled=address)

    def holder_named(self, world: World, found: Found, name: str) -> Holder:
        return server_holder(server_named(world, name))

    def again(self, found: Found) -> tuple[Read[object], ...]:
        return (one(FloatingIp, found.labelled.id),)

    def guards(self, case: Case) -> Iterator[Refusal]:
        yield from off_guard(case)
        zone, target = case.found.labelled.network_zone, case.target
        if target and zone and target.network_zone and zone != target.network_zone:
            yield Refusal(
                "zone",
                f"it belongs to the network zone {zone}, {target.name} is in {target.network_zone}",
                "add --force to try it",
                forceable=True,
            )

    def plan(self, case: Case, move: Move) -> Move:
        address: FloatingIp = case.found.labelled
        servers = [holder.id for holder in (case.found.holder, case.wanted) if holder and holder.id is not None]
        return replace(
            move,
            steps=(_assign(address, case.wanted),),
            locks=frozenset((Server, id) for id in servers),
            warnings=(*move.warnings, *odd_destination(case)),
            vendor_command=self.vendor_command(case.found, case.wanted, case.world),
        )

    def carry_out(self, moves: Sequence[Move]) -> Steps[None]:
        for move in moves:
            yield from _carry_out(move)

    def vendor_command(self, found: Found, wanted: Holder, world: World) -> str:
        return f"hcloud floating-ip assign {found.resource.id} {wanted.id}"

    def inventory(self, world: World) -> tuple[Assignment, ...]:
        return tuple(
            Assignment(free_name("floating", item.name), self.word, str(item.id), anybody=True)
            for item in world.all(FloatingIp)
        )


def _assign(address: FloatingIp, wanted: Holder, restoring: bool = False) -> AssignFloatingIp:
    assert wanted.id is not None
    return AssignFloatingIp(address.id, wanted.id, address.name, str(wanted), restoring=restoring)


def _carry_out(move: Move) -> Steps[None]:
    assert move.found is not None and move.wanted is not None
    address: FloatingIp = move.found.labelled
    wanted, before = move.wanted, move.found.holder

    def holder() -> Steps[int | None]:
        now = yield from ask(one(FloatingIp, address.id))
        return now.server if now else None

    def landed() -> Steps[bool]:
        return (yield from holder()) == wanted.id

    def ours() -> Steps[bool]:
        return (yield from holder()) in (None, wanted.id, before.id if before else None)

    try:
        yield from perform(_assign(address, wanted), landed, opening=True, still=ours)
        return
    except Refused as refused:
        if refused.code != "floating_ip_assigned":
            raise
        has_it = yield from holder()
        if has_it is None:
            raise
        if before is None or has_it != before.id:
            raise Overtaken("somebody else has it now") from refused
    yield from _in_two_steps(address, before, wanted)


def _in_two_steps(address: FloatingIp, before: Holder, wanted: Holder) -> Steps[None]:
    """The way for an API that does not reassign what is assigned; given back where the second step fails."""

    def held_by(*holders: Holder | None) -> Steps[bool]:
        now = yield from ask(one(FloatingIp, address.id))
        return now is not None and now.server in [holder.id if holder else None for holder in holders]

    unassign = UnassignFloatingIp(address.id, address.name)
    yield from perform(unassign, lambda: held_by(None), still=lambda: held_by(before, None))
    try:
        yield from perform(_assign(address, wanted), lambda: held_by(wanted), still=lambda: held_by(wanted, None))
    except (Refused, OutOfTime):
        if (yield from held_by(None)):
            back = _assign(address, before, restoring=True)
            yield from perform(back, lambda: held_by(before), still=lambda: held_by(before, None))
        raise


KIND = FloatingIpKind()
