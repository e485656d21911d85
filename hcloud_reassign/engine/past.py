"""What Hetzner itself remembers of objects: most moves are made by others, and no journal here knows of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hcloud_reassign.core.errors import AccessError
from hcloud_reassign.core.objects import Action
from hcloud_reassign.core.steps import Denied, LatestActions, ask
from hcloud_reassign.engine.outcome import denied_next, denied_text
from hcloud_reassign.engine.task import Task

if TYPE_CHECKING:
    from hcloud_reassign.engine.session import Session


@dataclass(frozen=True)
class Past:
    """The newest actions of one object, newest first; `unread` says why there are none to tell of."""

    of: Any
    actions: tuple[Action, ...] = ()
    unread: str | None = None


def pasts(session: Session, objects: Sequence[Any]) -> tuple[Past, ...]:
    """One request for each object. Raises AccessError when the token is refused."""
    reads = [LatestActions(of=type(item), id=item.id) for item in objects]
    tasks = [Task((), session.deadline, ask(read)) for read in reads]
    session.scheduler.run(tasks)
    return tuple(_told(item, task) for item, task in zip(objects, tasks, strict=True))


def _told(item: Any, task: Task) -> Past:
    if isinstance(task.error, Denied):
        raise AccessError(denied_text(task.error), next=denied_next(task.error)) from None
    return Past(item, unread=str(task.error)) if task.error else Past(item, task.answer)
