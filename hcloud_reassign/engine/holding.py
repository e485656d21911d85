"""Keeping the automation away: a label on the resource that every executor honours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hcloud_reassign.core.claims import held_key
from hcloud_reassign.core.errors import AccessError, Ambiguous, ExitCode, FailedError, UsageError
from hcloud_reassign.core.kind import Kind
from hcloud_reassign.core.model import Assignment, Found, Unreadable, World
from hcloud_reassign.core.steps import (
    Busy,
    Denied,
    Interrupted,
    Lost,
    Pause,
    Read,
    SetLabels,
    StepError,
    Steps,
    ask,
    one,
)
from hcloud_reassign.engine.looking import Chosen, look
from hcloud_reassign.engine.outcome import denied_next, denied_text
from hcloud_reassign.engine.task import Task
from hcloud_reassign.kinds.carrying import waiting_s

if TYPE_CHECKING:
    from hcloud_reassign.engine.session import Session

_TRIES = 4


@dataclass(frozen=True)
class Held:
    """What became of one hold. `until_ms` is unix milliseconds, None for one that is free."""

    name: str
    until_ms: int | None
    message: str | None = None
    code: ExitCode = ExitCode.OK


def hold(session: Session, chosen: Chosen, for_s: float | None) -> tuple[Held, ...]:
    """Hold resources from now on for some seconds, by the API's clock; None lets the automation at them again.

    Raises:
        AccessError: the token is refused, or may only read.
    """
    world = look(session, chosen)
    until_ms = None if for_s is None else session.situation().now_ms + round(for_s * 1000)
    # One after the other: resources of one network share its labels.
    return tuple(_hold(session, world, kind, assignment, until_ms) for kind, assignment in chosen)


def _hold(session: Session, world: World, kind: Kind, assignment: Assignment, until_ms: int | None) -> Held:
    try:
        found = kind.find(world, assignment)
    except Unreadable as error:
        return Held(assignment.name, None, f"cannot be read: {error}", ExitCode.FAILED)
    except Ambiguous as error:
        return Held(assignment.name, None, f"{error.message}; name it by its id", ExitCode.FAILED)
    except UsageError as error:
        return Held(assignment.name, None, error.message, ExitCode.USAGE)
    if found.labelled is None:
        return Held(assignment.name, None, "a resource of this type cannot be held", ExitCode.USAGE)
    task = Task((assignment.name,), session.deadline, _write(found, until_ms))
    session.scheduler.run([task])
    if task.error is not None:
        return _not_written(assignment, task, task.error)
    session.events.emit("held" if until_ms else "released", name=assignment.name, until_ms=until_ms)
    return Held(assignment.name, until_ms)


def _write(found: Found, until_ms: int | None) -> Steps[None]:
    """Merge the label into what is read directly before. A lost answer is looked up, not repeated blindly."""
    cls, id, key = type(found.labelled), found.labelled.id, held_key(found)
    wanted = {} if until_ms is None else {key: str(until_ms)}
    read: Read[object] = one(cls, id)
    for attempt in range(_TRIES):
        fresh = yield from ask(read)
        labels = dict(getattr(fresh, "labels", {}))
        others = {name: value for name, value in labels.items() if name != key}
        if labels == {**others, **wanted}:
            return
        try:
            yield SetLabels(cls, id, found.resource.name or str(id), {**others, **wanted}, why="hold")
            return
        except (Busy, Lost) as error:
            if attempt == _TRIES - 1:
                raise
            yield Pause(waiting_s(error, attempt) if isinstance(error, Busy) else 0.3, f"the label: {error.message}")


def _not_written(assignment: Assignment, task: Task, error: BaseException) -> Held:
    if isinstance(error, Denied):
        raise AccessError(denied_text(error), object=assignment.name, next=denied_next(error)) from None
    if isinstance(error, StepError) and task.records and task.records[-1].status != "failed":
        return Held(assignment.name, None, f"nobody knows whether the label was written: {error}", ExitCode.UNKNOWN)
    if isinstance(error, Interrupted):
        return Held(assignment.name, None, f"the label was not written: {error}", ExitCode.INTERRUPTED)
    if isinstance(error, StepError):
        return Held(assignment.name, None, f"the label was not written: {error}", ExitCode.FAILED)
    raise FailedError(f"internal error: {type(error).__name__}", object=assignment.name) from error
