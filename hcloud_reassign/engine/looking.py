"""Reading what assignments need without the traces that a run leaves: no event, no journal line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hcloud_reassign.core.errors import FailedError
from hcloud_reassign.core.kind import Kind
from hcloud_reassign.core.model import Assignment, World
from hcloud_reassign.engine.outcome import unread_next

if TYPE_CHECKING:
    from hcloud_reassign.engine.session import Session

Chosen = Sequence[tuple[Kind, Assignment]]


def look(session: Session, chosen: Chosen) -> World:
    """Everything that these assignments need, in the fewest requests.

    Raises:
        AccessError: the token is refused. FailedError: nothing at all could be read.
    """
    reads = list(dict.fromkeys(read for kind, assignment in chosen for read in kind.reads(assignment)))
    world = session.read(reads)
    failures = [world.why_unreadable(read.cls) for read in reads]
    if failures and all(failures):
        again = unread_next(str(failures[0]), "try again, or look at status.hetzner.com")
        raise FailedError(f"Hetzner's API cannot be read: {failures[0]}", next=again)
    return world
