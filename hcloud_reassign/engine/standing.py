"""Where a resource is, told from one reading and judged by nobody. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from hcloud_reassign.core.claims import INTENTION, held_until_ms
from hcloud_reassign.core.errors import Ambiguous, ExitCode, Missing, UsageError
from hcloud_reassign.core.guards import clock_time
from hcloud_reassign.core.kind import Kind
from hcloud_reassign.core.model import Assignment, Found, Holder, Resource, Situation, Unreadable, World
from hcloud_reassign.core.objects import Server
from hcloud_reassign.core.report import holder_data
from hcloud_reassign.engine.lastmove import LastMove

State = Literal["at-source", "at-destination", "member", "elsewhere", "nobody", "unreadable", "unfinished", "held"]


@dataclass(frozen=True)
class Standing:
    """One resource as it was found. `state` is None for what no section names; `message` says why it is unreadable."""

    assignment: Assignment
    state: State | None
    found: Found | None = None
    configured: bool = True
    server_status: str | None = None
    held_until_ms: int | None = None
    message: str | None = None
    code: ExitCode = ExitCode.OK
    last_move: LastMove | None = None

    @property
    def identity(self) -> tuple[str, int | None, str | None]:
        """What makes two of them the same resource."""
        return (self.assignment.type, self.resource.id, self.resource.address)

    @property
    def name(self) -> str:
        return self.assignment.name

    @property
    def resource(self) -> Resource:
        return self.found.resource if self.found else Resource(None, self.assignment.resource, None)

    @property
    def holder(self) -> Holder | None:
        return self.found.holder if self.found else None

    def data(self) -> dict[str, Any]:
        """One entry of `resources` in the JSON document of `status`."""
        assignment = self.assignment
        return {
            "name": assignment.name,
            "type": assignment.type,
            "id": self.resource.id,
            "address": self.resource.address,
            "holder": holder_data(self.holder),
            "source": assignment.source,
            "destination": assignment.destination,
            "members": list(assignment.members),
            "state": self.state,
            "server_status": self.server_status,
            "configured": self.configured,
            "held_until": None if self.held_until_ms is None else clock_time(self.held_until_ms),
            "last_move": None if self.last_move is None else self.last_move.data(),
            "resource": {"id": self.resource.id, "name": self.resource.name, "address": self.resource.address},
            "message": self.message,
        }


def standings(
    world: World, chosen: Sequence[tuple[Kind, Assignment]], situation: Situation, *, configured: bool = True
) -> tuple[Standing, ...]:
    """Where each resource is. Pure."""
    return tuple(
        replace(_standing(world, kind, assignment, situation, configured), configured=configured)
        for kind, assignment in chosen
    )


def _standing(world: World, kind: Kind, assignment: Assignment, situation: Situation, configured: bool) -> Standing:
    try:
        found = kind.find(world, assignment)
        state = _state(world, kind, assignment, found, situation) if configured else _bare_state(found)
        server = world.get(Server, found.holder.id) if found.holder and found.holder.id is not None else None
    except Unreadable as error:
        return Standing(assignment, "unreadable", message=f"cannot tell who holds it: {error}", code=ExitCode.FAILED)
    except Ambiguous as error:
        return Standing(assignment, "unreadable", message=f"{error.message}; name it by its id", code=ExitCode.FAILED)
    except UsageError as error:
        return Standing(assignment, "unreadable", message=error.message, code=ExitCode.USAGE)
    until = held_until_ms(found.labels, found)
    return Standing(
        assignment,
        state,
        found,
        server_status=server.status if server else None,
        held_until_ms=until if until and until > situation.now_ms else None,
    )


def _state(world: World, kind: Kind, assignment: Assignment, found: Found, situation: Situation) -> State:
    if INTENTION in found.labels or kind.unfinished(found):
        return "unfinished"
    until = held_until_ms(found.labels, found)
    if until is not None and until > situation.now_ms:
        return "held"
    if found.holder is None:
        return "nobody"
    return _place(world, kind, assignment, found, found.holder)


def _place(world: World, kind: Kind, assignment: Assignment, found: Found, holder: Holder) -> State:
    roles: tuple[tuple[State, Iterable[str | None]], ...] = (
        ("at-source", (assignment.source,)),
        ("at-destination", (assignment.destination,)),
        ("member", assignment.members),
    )
    for state, names in roles:
        for name in names:
            if name and _is(world, kind, found, name, holder):
                return state
    # Without source and members anybody is where it may come from.
    return "elsewhere" if assignment.restricted else "at-source"


def _is(world: World, kind: Kind, found: Found, name: str, holder: Holder) -> bool:
    try:
        return kind.holder_named(world, found, name).key == holder.key
    except (Missing, Ambiguous, UsageError):
        return False


def _bare_state(found: Found) -> State | None:
    if INTENTION in found.labels:
        return "unfinished"
    return "nobody" if found.holder is None else None
