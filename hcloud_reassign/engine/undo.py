"""All or nothing: where one member of a group fails, what the others moved goes back, as far as it safely can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from hcloud_reassign.core.kind import Kind
from hcloud_reassign.core.model import Group, Holder, Move, Request, World
from hcloud_reassign.core.objects import Server
from hcloud_reassign.core.planning import plan_again
from hcloud_reassign.core.report import Result, ended
from hcloud_reassign.core.steps import StepError, Steps, every
from hcloud_reassign.engine.clock import Deadline
from hcloud_reassign.engine.conduct import Conductor, Orders
from hcloud_reassign.engine.outcome import may_go_back, mending_command
from hcloud_reassign.engine.task import Task, started_task

if TYPE_CHECKING:
    from hcloud_reassign.engine.session import Session


class Elsewhere(StepError):
    """What is to be given back is not any more with whom it was moved to."""

    def __init__(self, holder: Holder | None) -> None:
        super().__init__(f"{holder or 'nobody'} has it by now")
        self.holder = holder


def undo_group(
    session: Session,
    group: Group,
    results: Mapping[str, Result],
    world: World,
    kinds: Mapping[str, Kind],
    request: Request,
) -> dict[str, Result]:
    """The members' results after the undo; nothing where nothing failed or `on_failure = keep`."""
    members = [results[name] for name in group.members if name in results]
    done = [result for result in members if result.outcome == "done"]
    failed = next((result for result in members if result.outcome in ("failed", "refused")), None)
    if failed is None or not done or group.on_failure == "keep":
        return {}
    changes = {}
    for result in reversed(done):
        changes[result.name] = _undo(session, result, failed, world, kinds[result.name], request)
    return changes


def _undo(session: Session, result: Result, failed: Result, world: World, kind: Kind, request: Request) -> Result:
    move, why = result.move, f"{failed.name} of the same group {failed.outcome}"
    if move.before is None:
        return ended(result, "failed", message=f"{why}; nobody had it before, so it stays with {result.after}")
    end = session.deadline.end
    task = started_task(
        [result.name], Deadline(end, end), lambda task: _back(session, task, move, world, kind, request)
    )
    task.committed = task.bound = True
    session.events.emit("move.undoing", name=result.name, reason=why)
    session.scheduler.run([task])
    if isinstance(task.error, Elsewhere):
        has_it = task.error.holder
        left_alone = f"{has_it} has it by now and was left alone" if has_it else "nobody has it by now"
        return ended(result, "failed", after=has_it, message=f"{why}; {left_alone}")
    if task.error is not None:
        return ended(
            result, "failed", message=f"{why}; it could not be undone ({task.error}), it stays with {result.after}"
        )
    back: Result = task.answer
    assert move.found is not None and move.wanted is not None
    if back.outcome == "done":
        steps = tuple(replace(step, status="undone") for step in result.steps)
        message = f"{why}; it was given back to {move.before}"
        return ended(result, "failed", undone=True, after=back.after, message=message, steps=steps)
    advice = back.next if may_go_back(kind, move, move.found, world) else mending_command(move, request, move.wanted)
    changes = {"after": back.after, "next": advice, "vendor_command": back.vendor_command}
    message = f"{why}; it could not be undone: {back.message}"
    return ended(result, "unknown" if back.outcome == "unknown" else "failed", message=message, **changes)


def _back(session: Session, task: Task, move: Move, world: World, kind: Kind, request: Request) -> Steps[Result]:
    """Give it back, by a move of its own that nothing but its own guards can refuse.

    Raises:
        Elsewhere: somebody else has it by now, or nobody. StepError: who had it does not run.
    """
    assert move.before is not None and move.found is not None
    for read in (*kind.again(move.found), every(Server)):
        world = world.learned(read, (yield read))
    back = replace(request, to=move.before.label, force=True, issued_at_ms=None, claims=False, expect_digest=None)
    orders = Orders(
        kind,
        back,
        world,
        session.clock.monotonic(),
        session.situation,
        session.clock.monotonic,
        session.warn,
        as_planned=True,
    )
    again = plan_again(world, kind, replace(move.assignment, anybody=True), (), back, session.situation())
    if again.before is None or move.wanted is None or again.before.key != move.wanted.key:
        raise Elsewhere(again.before)
    server = world.get(Server, move.before.id) if move.before.id is not None else None
    if server is None or server.status != "running":
        raise StepError(f"{move.before} is {server.status if server else 'gone'}")
    if again.outcome != "pending":
        raise StepError(again.refusal.message if again.refusal else again.message or again.outcome)
    (result,) = yield from Conductor(orders, [again], task).run()
    return result
