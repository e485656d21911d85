"""The simplest kind there can be: things with a name, held by a server, by a load balancer or by nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hcloud_reassign.core.declare import DESTINATION, MEMBERS, SOURCE, Key, Section
from hcloud_reassign.core.errors import Ambiguous, Missing
from hcloud_reassign.core.kind import Case, Kind
from hcloud_reassign.core.model import (
    Assignment,
    Found,
    Holder,
    Move,
    Refusal,
    Request,
    Resource,
    Situation,
    World,
)
from hcloud_reassign.core.objects import FloatingIp, Server
from hcloud_reassign.core.steps import AssignFloatingIp, Read, Steps, every, one

NOW = 1_790_000_000_000
"""The time of all tests of the core, in unix milliseconds."""

PINNED = "pinned"
"""The location of a thing that a load balancer has."""


class ToyKind(Kind):
    section = Section("toy", "A thing for tests.", (Key("resource", "Its name."), SOURCE, DESTINATION, MEMBERS))

    def reads(self, assignment: Assignment) -> tuple[Read[object], ...]:
        return (every(FloatingIp), every(Server))

    def find(self, world: World, assignment: Assignment) -> Found:
        things = [thing for thing in world.all(FloatingIp) if thing.name == assignment.resource]
        if not things:
            raise Missing("thing", str(assignment.resource), [thing.name for thing in world.all(FloatingIp)])
        if len(things) > 1:
            raise Ambiguous(f"two things are called {assignment.resource}")
        thing = things[0]
        pinned = thing.location == PINNED
        holder: Holder | None = None
        if pinned:
            holder = Holder("load_balancer", thing.server, "lb")
        elif thing.server is not None:
            server = world.get(Server, thing.server)
            holder = Holder("server", thing.server, server.name if server else None)
        return Found(Resource(thing.id, thing.name, thing.ip), holder, labelled=thing, movable=not pinned)

    def holder_named(self, world: World, found: Found, name: str) -> Holder:
        servers = [server for server in world.all(Server) if server.name == name]
        if not servers:
            raise Missing("server", name, [server.name for server in world.all(Server)])
        if len(servers) > 1:
            raise Ambiguous(f"two servers are called {name}")
        return Holder("server", servers[0].id, name)

    def again(self, found: Found) -> tuple[Read[object], ...]:
        return (one(FloatingIp, found.labelled.id),)

    def unfinished(self, found: Found) -> bool:
        return "unfinished" in found.labels

    def guards(self, case: Case) -> Iterator[Refusal]:
        if "guarded" in case.found.labels:
            yield Refusal("guarded", "the kind says no", "--force", forceable=True)

    def plan(self, case: Case, move: Move) -> Move:
        assert case.wanted.id is not None
        assign = AssignFloatingIp(case.found.labelled.id, case.wanted.id, case.found.labelled.name, str(case.wanted))
        return replace(move, steps=(assign,))

    def carry_out(self, moves: Sequence[Move]) -> Steps[None]:
        for move in moves:
            yield from move.steps

    def vendor_command(self, found: Found, wanted: Holder, world: World) -> str:
        return f"toy {found.resource.id} {wanted.id}"

    def inventory(self, world: World) -> tuple[Assignment, ...]:
        return ()


TOY = ToyKind()

A = Server(1, "srv-a")
B = Server(2, "srv-b")
C = Server(3, "srv-c")
OFF = Server(4, "srv-off", status="off")


def thing(server: int | None = 1, labels: Mapping[str, str] | None = None, **fields: Any) -> FloatingIp:
    """The thing called web; with srv-a if nothing else is said."""
    return FloatingIp(**{"id": 7, "name": "web", "ip": "192.0.2.7", "server": server, "labels": labels or {}, **fields})


def world_of(*objects: Any) -> World:
    """A world of these things and of the four servers."""
    tables: dict[type, dict[int, Any]] = {FloatingIp: {}, Server: {server.id: server for server in (A, B, C, OFF)}}
    for item in objects:
        tables.setdefault(type(item), {})[item.id] = item
    return World(tables)


def section(name: str = "floating.web", **fields: Any) -> Assignment:
    """An assignment of the thing called web, from srv-a to srv-b."""
    return Assignment(
        **{"name": name, "type": "toy", "resource": "web", "source": "srv-a", "destination": "srv-b", **fields}
    )


def situation(**fields: Any) -> Situation:
    return Situation(**{"now_ms": NOW, "started_ms": NOW, **fields})


def case_of(
    world: World | None = None,
    assignment: Assignment | None = None,
    request: Request | None = None,
    moment: Situation | None = None,
    to: str = "srv-b",
) -> Case:
    """What a guard is given, without anything judged before."""
    world = world or world_of(thing())
    assignment = assignment or section()
    found = TOY.find(world, assignment)
    listed = tuple(TOY.holder_named(world, found, name) for name in assignment.listed)
    return Case(
        TOY,
        world,
        assignment,
        request or Request(),
        moment or situation(),
        found,
        TOY.holder_named(world, found, to),
        listed,
    )
