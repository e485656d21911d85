"""One run of the verb chain: observe, plan, check, apply, verify."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from hcloud_reassign.core.claims import effective_ms, must_claim
from hcloud_reassign.core.errors import AccessError, ExitCode, FailedError, ReassignError
from hcloud_reassign.core.kind import Kind
from hcloud_reassign.core.model import Assignment, Group, Move, Plan, Refusal, Request, Situation, World
from hcloud_reassign.core.objects import Server
from hcloud_reassign.core.planning import doubtful, judge_groups
from hcloud_reassign.core.planning import plan as make_plan
from hcloud_reassign.core.report import Result, ended, move_data, planned
from hcloud_reassign.core.steps import Denied, Hook, Interrupted, Read, StepError, Steps
from hcloud_reassign.engine.clock import Clock, Deadline
from hcloud_reassign.engine.conduct import Conductor, Orders
from hcloud_reassign.engine.events import Events
from hcloud_reassign.engine.journal import Journal
from hcloud_reassign.engine.outcome import denied_next, denied_text, not_begun, unread_next
from hcloud_reassign.engine.scheduler import Border, Scheduler
from hcloud_reassign.engine.task import Task, started_task
from hcloud_reassign.engine.workers import Workers

Selected = Sequence[tuple[Kind, Assignment]]
HOOK_S = 30.0


class InterruptedRun(ReassignError):
    exit_code = ExitCode.INTERRUPTED
    code = "interrupted"


class Session:
    """Everything that one run needs, passed in. `api_ms` tells the API's time in unix milliseconds."""

    def __init__(
        self,
        border: Border,
        workers: Workers,
        clock: Clock,
        rng: Random,
        events: Events,
        *,
        timeout_s: float,
        api_ms: Callable[[], int],
    ) -> None:
        self.clock, self.events, self._api_ms = clock, events, api_ms
        self.deadline = Deadline.after(clock.monotonic(), timeout_s)
        self.scheduler = Scheduler(border, workers, clock, rng, events)
        self.scheduler.warn = self.warn
        self.border: Any = border
        self.requests_before: int = self.border.requests
        self.journal: Journal | None = None
        self.started_ms: int | None = None
        self.warnings: list[str] = []
        self.here: int | None = None
        self.observed_at = clock.monotonic()
        self.moved_last_hour: Mapping[str, int] = {}

    def limit(self, seconds: float) -> None:
        """Give what comes next so many seconds from now, whatever was left."""
        self.deadline = Deadline.after(self.clock.monotonic(), seconds)

    def warn(self, message: str) -> None:
        """Say something that does not change an outcome."""
        if message not in self.warnings:
            self.warnings.append(message)
            self.events.emit("warning", message=message)

    def situation(self) -> Situation:
        now = self._api_ms()
        if self.started_ms is None:
            self.started_ms = now
        return Situation(now, self.started_ms, self.here, self.moved_last_hour)

    # observe

    def read(self, reads: Sequence[Read[object]], world: World | None = None) -> World:
        """Ask several questions at once and learn their answers.

        Raises:
            AccessError: the token is refused. InterruptedRun: the run was asked to stop.
        """
        world = world or World()
        forward = Deadline(self.deadline.forward, self.deadline.forward)
        tasks = [Task((), forward, _ask(read)) for read in dict.fromkeys(reads)]
        self.scheduler.run(tasks)
        for read, task in zip(dict.fromkeys(reads), tasks, strict=True):
            if task.error is None:
                world = world.learned(read, task.answer) if task.answer is not None or hasattr(read, "id") else world
            else:
                world = world.failed(read, self._why_unread(task.error))
        return world

    def _why_unread(self, error: BaseException) -> str:
        if isinstance(error, Denied):
            raise AccessError(denied_text(error), next=denied_next(error)) from None
        if isinstance(error, Interrupted):
            raise InterruptedRun("interrupted before anything was changed") from None
        if isinstance(error, StepError):
            return str(error)
        raise error

    def observe(self, selected: Selected) -> World:
        """Everything that the assignments need, in the fewest requests.

        Raises:
            FailedError: nothing could be read at all. Others as `read`.
        """
        reads = [read for kind, assignment in selected for read in kind.reads(assignment)]
        self.scheduler.expect(Server, len({name for _, assignment in selected for name in assignment.listed}))
        self.observed_at = self.clock.monotonic()
        world = self.read(reads)
        failures = [world.why_unreadable(read.cls) for read in dict.fromkeys(reads)]
        if failures and all(failures):
            again = unread_next(str(failures[0]), "nothing was changed; try again")
            raise FailedError(f"Hetzner's API cannot be read: {failures[0]}; nothing was changed", next=again)
        self.events.emit("observed", reads=[read.what for read in dict.fromkeys(reads)])
        return world

    # plan and check

    def plan(self, world: World, selected: Selected, groups: Sequence[Group], request: Request) -> tuple[Plan, World]:
        """The plan, and the world that it rests on: "nobody" and "somebody else" are read a second time before."""
        plan = make_plan(world, selected, groups, request, self.situation())
        doubts = doubtful(plan)
        if not doubts:
            return plan, world
        kinds = {assignment.name: kind for kind, assignment in selected}
        again = [read for move in doubts if move.found for read in kinds[move.name].again(move.found)]
        world = self.read(again, world)
        return make_plan(world, selected, groups, request, self.situation()), world

    # apply and verify

    def apply(self, plan: Plan, world: World, selected: Selected, request: Request) -> tuple[Result, ...]:
        """Carry the plan out; every result is verified."""
        kinds = {assignment.name: kind for kind, assignment in selected}
        plan = self._ask_vetoes(plan)
        issued = effective_ms(request, self.situation()) if request.triggered else None
        results = {move.name: replace(planned(move), issued_at_ms=issued) for move in plan}
        told: set[str] = set()

        def tell(result: Result) -> None:
            if result.name not in told:
                told.add(result.name)
                self.events.emit("move.done", **move_data(result))

        def ended_one(task: Task) -> None:
            for result in self._results_of(task, plan):
                results[result.name] = replace(result, issued_at_ms=issued)
                if result.move.group is None:
                    tell(results[result.name])

        self.scheduler.run(self._tasks(plan, world, kinds, request), ended_one)
        results.update(self._undo_groups(plan, results, world, kinds, request))
        final = tuple(results[move.name] for move in plan)
        for result in final:
            tell(result)
        self._run_after(final)
        return final

    def _tasks(self, plan: Plan, world: World, kinds: Mapping[str, Kind], request: Request) -> list[Task]:
        bundles: dict[str, list[Move]] = {}
        for move in plan:
            claims = move.found is not None and must_claim(move.found, request, move.assignment.cooldown_s)
            if move.outcome == "pending" or (move.outcome == "unchanged" and claims):
                bundles.setdefault(move.bundle or move.name, []).append(move)
        return [self._task(moves, plan, world, kinds[moves[0].name], request) for moves in bundles.values()]

    def _task(self, moves: list[Move], plan: Plan, world: World, kind: Kind, request: Request) -> Task:
        names = [move.name for move in moves]
        found = tuple(move.found for move in plan if move.found)
        orders = Orders(kind, request, world, self.observed_at, self.situation, self.clock.monotonic, self.warn, found)
        for move in moves:
            self.events.emit("move.started", name=move.name, before=str(move.before), wanted=str(move.wanted))
        limits = [move.assignment.timeout_s for move in moves if move.assignment.timeout_s]
        now = self.clock.monotonic()
        deadline = self.deadline.within(Deadline.after(now, min(limits))) if limits else self.deadline
        return started_task(names, deadline, lambda task: Conductor(orders, moves, task).run())

    def _results_of(self, task: Task, plan: Plan) -> list[Result]:
        if task.error is not None:
            moves = [move for move in plan if move.name in task.names]
            return [self._timed(_broken(move, task), task, len(moves)) for move in moves]
        return [self._timed(result, task, len(task.answer)) for result in task.answer]

    def _timed(self, result: Result, task: Task, bundled: int) -> Result:
        took = None if task.started is None or task.ended is None else round((task.ended - task.started) * 1000)
        mine = [record for record in task.records if bundled == 1 or _is_of(record.write.touches, result.move)]
        steps = tuple(record.result() for record in mine)
        return replace(result, duration_ms=took, gap_ms=task.gap_ms(), steps=steps or result.steps)

    def _undo_groups(
        self, plan: Plan, results: Mapping[str, Result], world: World, kinds: Mapping[str, Kind], request: Request
    ) -> dict[str, Result]:
        from hcloud_reassign.engine.undo import undo_group

        changes: dict[str, Result] = {}
        for group in plan.groups:
            changes.update(undo_group(self, group, {**results, **changes}, world, kinds, request))
        return changes

    # the commands of the configuration

    def _ask_vetoes(self, plan: Plan) -> Plan:
        asked = [move for move in plan.pending if move.assignment.before]
        tasks = [
            Task((move.name,), self.deadline, _hook(move, move.assignment.before or "", "pending")) for move in asked
        ]
        if not tasks:
            return plan
        self.scheduler.run(tasks)
        vetoed = []
        for move, task in zip(asked, tasks, strict=True):
            if isinstance(task.error, Interrupted):
                continue
            why = str(task.error) if task.error else task.answer
            if why:
                refusal = Refusal("veto", f"its `before` command says no: {why}", "see what the command printed")
                vetoed.append(replace(move, outcome="refused", refusal=refusal))
        return judge_groups(plan.replaced(vetoed))

    def _run_after(self, results: Sequence[Result]) -> None:
        begun = [result for result in results if result.steps and result.move.assignment.after]
        ran = [result for result in begun if result.outcome in ("done", "failed", "unknown")]
        commands = [(result, result.move.assignment.after or "") for result in ran]
        tasks = [Task((r.name,), self.deadline, _hook(r.move, command, r.outcome)) for r, command in commands]
        if not tasks:
            return
        for task in tasks:
            task.bound = True
        self.scheduler.run(tasks)
        for result, task in zip(ran, tasks, strict=True):
            why = str(task.error) if task.error else task.answer
            if why:
                self.warn(f"{result.name}: its `after` command failed: {why}")


def _ask(read: Read[object]) -> Steps[object]:
    return (yield read)


def _hook(move: Move, command: str, outcome: str) -> Steps[str | None]:
    variables = {
        "HCLOUD_REASSIGN_NAME": move.name,
        "HCLOUD_REASSIGN_TYPE": move.assignment.type,
        "HCLOUD_REASSIGN_RESOURCE": move.resource.address or move.resource.name or "",
        "HCLOUD_REASSIGN_BEFORE": str(move.before or ""),
        "HCLOUD_REASSIGN_WANTED": str(move.wanted or ""),
        "HCLOUD_REASSIGN_OUTCOME": outcome,
    }
    why: str | None = yield Hook(command, variables, HOOK_S)
    return why


def _is_of(touches: tuple[tuple[type, int], ...], move: Move) -> bool:
    """Whether a bundle's step is this move's: it touches its resource, or no resource but a server."""
    labelled = move.found.labelled if move.found else None
    same_class = [id for cls, id in touches if cls is type(labelled)]
    return labelled is None or not same_class or labelled.id in same_class


def _broken(move: Move, task: Task) -> Result:
    """A task that ended by an error which no step raises: a defect of this program."""
    message = f"internal error: {type(task.error).__name__}: {task.error}"
    if not task.committed:
        return not_begun(move, StepError(message))
    return ended(planned(move), "unknown", message=message, next="hcloud-reassign status", after=None)
