"""Who could get it: the same move planned to every server, to show who is eligible and why others are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hcloud_reassign.core.errors import UsageError
from hcloud_reassign.core.model import Group, Plan, Request, World
from hcloud_reassign.core.objects import Server
from hcloud_reassign.core.planning import plan
from hcloud_reassign.engine.looking import Chosen, look

if TYPE_CHECKING:
    from hcloud_reassign.engine.session import Session


@dataclass(frozen=True)
class Choice:
    """A server, and why it cannot get everything that was asked for; `hindrance` None: it can."""

    server: Server
    hindrance: str | None = None
    here: bool = False
    """Whether it has all of it already."""


def choices(session: Session, chosen: Chosen, groups: Sequence[Group], request: Request) -> tuple[Choice, ...]:
    """Every server of the project: those that can get it first, each part in the order of its names.

    Raises:
        AccessError: the token is refused. FailedError: nothing could be read.
    """
    world = look(session, chosen)
    found = sorted(_judged(session, world, chosen, groups, request), key=lambda choice: choice.server.name)
    return tuple(sorted(found, key=lambda choice: (choice.hindrance is not None, choice.here)))


def _judged(
    session: Session, world: World, chosen: Chosen, groups: Sequence[Group], request: Request
) -> Iterator[Choice]:
    situation = session.situation()
    for server in world.all(Server):
        try:
            made = plan(world, chosen, groups, replace(request, to=str(server.id)), situation)
        except UsageError as error:
            yield Choice(server, error.message)
            continue
        yield Choice(server, _hindrance(made), all(move.outcome == "unchanged" for move in made))


def _hindrance(made: Plan) -> str | None:
    for move in made:
        if move.outcome not in ("pending", "unchanged"):
            return move.refusal.message if move.refusal else move.message
    return None
