"""One scheduler on the main thread drives all generators and interprets what they yield.

It alone owns the clock, the random source, the deadline, the locks and the waiting for actions. What it hands to
workers is single requests; what comes back is delivered to the generator that waits for it.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from random import Random
from typing import Any, Protocol

from hcloud_reassign.core.objects import Action, Server
from hcloud_reassign.core.steps import (
    Acquire,
    ActionFailed,
    Busy,
    Denied,
    FindAction,
    Finished,
    Hook,
    Interrupted,
    Lost,
    OutOfTime,
    Pause,
    Read,
    Refused,
    Release,
    ServerIs,
    SetLabels,
    Step,
    StepError,
    Unsettled,
    Write,
    one,
)
from hcloud_reassign.engine.actions import Actions
from hcloud_reassign.engine.clock import Clock, Deadline
from hcloud_reassign.engine.events import Events
from hcloud_reassign.engine.locks import Locks
from hcloud_reassign.engine.reading import Reading
from hcloud_reassign.engine.task import StepRecord, Task
from hcloud_reassign.engine.workers import WAKE, Workers

REQUEST_S = 10.0
"""How long one request may take."""
FINISH_S = 8.0
"""How long a run goes on after it was told to stop: pipelines kill after about 10 seconds."""
STATUS_S = 1.0
MOST_SAVED = 6
"""How many requests a move waits for at most at a used-up rate limit, before it tries again."""
REQUESTS_BACK = 8
"""How many requests, one after another, it takes at most from taking something away to seeing it given back."""
LAST_LOOK_S = 1.0
"""What is kept of the time, when an action does not end, to see what is so."""

Handle = Callable[[Any, "BaseException | None"], None]


class Border(Protocol):
    """What the scheduler needs of the outside world; every method raises the step errors.

    `requests`: how many were sent so far.
    """

    @property
    def requests(self) -> int: ...
    def do(self, step: Step, timeout_s: float) -> Any: ...
    def page(self, cls: type, number: int, timeout_s: float) -> Any: ...
    def poll(self, ids: Sequence[int], timeout_s: float) -> Mapping[int, Action]: ...


class Scheduler:
    """Carries tasks out until each is over or its deadline has come."""

    def __init__(self, border: Border, workers: Workers, clock: Clock, rng: Random, events: Events) -> None:
        self.border, self._workers, self._clock, self._rng, self._events = border, workers, clock, rng, events
        self.warn: Callable[[str], None] = lambda message: self._emit_plain("warning", message=message)
        """Says something that does not change an outcome; a session keeps it for its report as well."""
        self._ready: deque[tuple[Task, Any, BaseException | None]] = deque()
        self._tasks: list[Task] = []
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._jobs = 0
        self._locks = Locks()
        self._reading, self._actions = Reading(self), Actions(self)
        self._denied: Denied | None = None
        self._slowest_s = 1.0
        self._request_s = 0.0
        self._refilled = 0.0
        self._ended: Callable[[Task], None] | None = None
        self._interrupt_asked: float | None = None
        self._last_moment: Deadline | None = None

    @property
    def interrupted(self) -> bool:
        return self._interrupt_asked is not None

    def interrupt(self) -> None:
        """Begin nothing new, finish what was taken away. Safe in a signal handler; a second call changes nothing."""
        if self._interrupt_asked is None:
            self._interrupt_asked = self.now()
        self._workers.wake()

    def now(self) -> float:
        return self._clock.monotonic()

    def expect(self, cls: type, objects: int) -> None:
        """Say how many objects of a class there are at least, before they are read."""
        self._reading.expect(cls, objects)

    def run(self, tasks: Sequence[Task], ended: Callable[[Task], None] | None = None) -> None:
        """Drive the tasks until all are over; `ended` is told of each as soon as it is."""
        self._tasks, self._ended = list(tasks), ended
        for task in tasks:
            task.started = self.now()
            self._tighten(task)
            self._ready.append((task, None, None))
        while True:
            if self._interrupt_asked is not None and self._last_moment is None:
                self._interrupt_all(self._interrupt_asked)
            while self._ready:
                self._advance(*self._ready.popleft())
            self._expire()
            if self._ready:
                continue
            if all(task.over for task in self._tasks):
                return
            self._reading.dispatch(self.now(), quiet=not (self._jobs or self._actions or self._timers))
            self._actions.dispatch(self.now())
            self._wait()

    # One step of one generator

    def _advance(self, task: Task, answer: Any, error: BaseException | None) -> None:
        if task.over or task.generator is None:
            return
        task.waiting_for, task.turn = None, task.turn + 1
        try:
            step = task.generator.send(answer) if error is None else task.generator.throw(error)
        except StopIteration as stop:
            self._end(task, stop.value, None)
        except Exception as raised:  # noqa: BLE001 - a bug in one move must not stop the undo of another
            self._end(task, None, raised)
        else:
            task.waiting_for = step
            self._begin(task, step)

    def _end(self, task: Task, answer: Any, error: BaseException | None) -> None:
        task.ended, task.answer, task.error = self.now(), answer, error
        self._release(task)
        if self._ended:
            self._ended(task)

    def _release(self, task: Task) -> None:
        for freed in self._locks.release(task):
            self.resume(freed, freed.turn, True)

    def resume(self, task: Task, turn: int, answer: Any, error: BaseException | None = None) -> None:
        """Let a generator go on, unless it has gone on already."""
        if task.turn == turn and not task.over:
            task.turn += 1
            task.waiting_for = None
            self._ready.append((task, answer, error))

    def _begin(self, task: Task, step: Step) -> None:
        turn = task.turn
        if isinstance(step, Read):
            self._reading.add(task, turn, step)
        elif isinstance(step, Write):
            self._send(task, turn, step)
        elif isinstance(step, Finished):
            self._actions.add(task, turn, step)
        elif isinstance(step, Hook) and self.interrupted and not task.bound:
            self.resume(task, turn, None, Interrupted("the run was asked to stop"))
        elif isinstance(step, Hook):
            self.submit(lambda: self.border.do(step, self._time_for(task)), self._deliver(task, turn), is_request=False)
        elif isinstance(step, FindAction):
            self.ask(step.what, task, lambda s: self.border.do(step, s), self._deliver(task, turn))
        elif isinstance(step, Pause):
            self._pause(task, turn, step)
        elif isinstance(step, ServerIs):
            self._watch_status(task, turn, step, self.now() + step.limit)
        elif isinstance(step, Acquire):
            if self._locks.acquire(task, step.locks):
                self.resume(task, turn, False)
        elif isinstance(step, Release):
            self._release(task)
            self.resume(task, turn, None)
        else:
            self.resume(task, turn, None, TypeError(f"no scheduler knows {type(step).__name__}"))

    def _deliver(self, task: Task, turn: int) -> Handle:
        return lambda answer, error: self.resume(task, turn, answer, error)

    # Writes and the actions that they start

    def _send(self, task: Task, turn: int, write: Write) -> None:
        hindrance = self._hindrance(task, write)
        if hindrance:
            self.resume(task, turn, None, hindrance)
            return
        if not isinstance(write, SetLabels):
            task.committed = True
        record = StepRecord(write, self.now())
        task.records.append(record)
        self._emit("step.started", task, what=write.what)

        def sent(answer: Any, error: BaseException | None) -> None:
            task.bound = task.bound or not (isinstance(write, SetLabels) or isinstance(error, Refused))
            task.limited = _limited(error)
            task.saved = task.saved if task.limited else 0
            if error is not None:
                self._close(task, record, "unknown" if isinstance(error, Lost) else "failed", error)
            elif isinstance(answer, Action):
                record.action_id = answer.id
            else:
                self._close(task, record, "done")
            self.resume(task, turn, answer, error)

        self.submit(lambda: self.border.do(write, self._time_for(task)), sent)

    def _hindrance(self, task: Task, write: Write) -> StepError | None:
        """Why a write is not sent at all."""
        now, deadline = self.now(), task.deadline
        if self._denied:
            return self._denied
        if now >= deadline.end:
            return OutOfTime("the time is over")
        if self.interrupted and not task.bound and not (write.restoring and isinstance(write, SetLabels)):
            return Interrupted("the run was asked to stop")
        if write.restoring:
            return None
        if now >= deadline.forward:
            return OutOfTime("too little time is left to begin it")
        needed_s = 2 * self._slowest_s + REQUESTS_BACK * self._request_s
        if write.takes_away and deadline.end - now < needed_s:
            return OutOfTime("too little time is left to give it back if that should be needed")
        return None

    def _close(self, task: Task, record: StepRecord, status: Any, error: BaseException | None = None) -> None:
        record.status, record.ended = status, self.now()
        if isinstance(error, StepError):
            error.met_by = record.write.what
        took = round((record.ended - record.started) * 1000)
        if status == "done":
            self._emit("step.done", task, what=record.write.what, action_id=record.action_id, duration_ms=took)
        else:
            self._emit("step.failed", task, what=record.write.what, action_id=record.action_id, message=str(error))

    def action_ended(self, task: Task, turn: int, step: Finished, action: Action) -> None:
        """An action that a task waits for is over: with success, or by raising ActionFailed in it."""
        record = task.record_of(step.write)
        error = None
        if action.status != "success":
            error = ActionFailed(action.error_message or "the action failed", action.error_code or "action_failed")
        if record:
            self._slowest_s = max(self._slowest_s, self.now() - record.started)
            record.action_id = action.id
            self._close(task, record, "failed" if error else "done", error)
        self.resume(task, turn, None, error)

    def progressed(self, task: Task, step: Finished, action: Action) -> None:
        self._emit("step.progress", task, what=step.write.what, progress=action.progress)

    # Waiting

    def _pause(self, task: Task, turn: int, step: Pause) -> None:
        wait, now = step.seconds * self._rng.uniform(0.7, 1.3), self.now()
        if task.limited and not step.restoring:
            # What is read before the next try uses requests as well: each time one more is saved up.
            task.saved = min(task.saved + 1, MOST_SAVED)
            wait = self._until_refilled(task.saved)
        if self.interrupted and not task.bound:
            self.resume(task, turn, None, Interrupted("the run was asked to stop"))
            return
        if now + wait >= (task.deadline.end if step.restoring else task.deadline.forward):
            self.resume(task, turn, None, OutOfTime(f"no time is left to wait for it ({step.reason})"))
            return
        self.retrying(task, step.reason, wait)
        self.at(now + wait, lambda: self.resume(task, turn, None))

    def _until_refilled(self, requests: int = 1) -> float:
        """The rate limit gives one request back each second: who met it tries again in turn, one of all a second."""
        self._refilled = max(self._refilled, self.now()) + float(requests)
        return self._refilled - self.now()

    def retrying(self, task: Task, reason: str, wait: float) -> None:
        left = round((task.deadline.end - self.now()) * 1000)
        self._emit("step.retried", task, reason=reason, wait_ms=round(wait * 1000), left_ms=left)

    def _watch_status(self, task: Task, turn: int, step: ServerIs, until: float) -> None:
        """The one thing for which a resource is polled: no action says that a server is off."""

        def seen(server: Server | None, error: BaseException | None) -> None:
            if error is not None:
                self.resume(task, turn, None, error)
            elif server is None or server.status == step.status:
                self.resume(task, turn, server is not None)
            elif self.now() >= until:
                self.resume(task, turn, False)
            else:
                self.at(self.now() + STATUS_S, lambda: self._watch_status(task, turn, step, until))

        read = one(Server, step.server)
        if task.turn == turn and not task.over:
            self.ask(step.what, task, lambda s: self.border.do(read, s), seen)

    def ask(self, what: str, task: Task, job: Callable[[float], Any], handle: Handle, attempt: int = 0) -> None:
        """Have a question answered, as often as it takes: asking again changes nothing."""

        def answered(answer: Any, error: BaseException | None) -> None:
            if not isinstance(error, Busy | Lost):
                handle(answer, error)
                return
            wait = 1.0 if isinstance(error, Busy) else min(0.25 * 2**attempt, 4.0) * self._rng.uniform(0.7, 1.3)
            if _limited(error):
                wait = self._until_refilled()
            if self.now() + wait >= task.deadline.end:
                handle(None, Lost(str(error)) if isinstance(error, Busy) else error)
                return
            self.retrying(task, f"{what}: {error}", wait)
            self.at(self.now() + wait, lambda: self.ask(what, task, job, handle, attempt + 1))

        self.submit(lambda: job(self._time_for(task)), answered)

    def _time_for(self, task: Task) -> float:
        return max(min(REQUEST_S, task.deadline.end - self.now()), 0.05)

    def at(self, when: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (when, next(self._numbers), call))

    def submit(self, job: Callable[[], Any], handle: Handle, is_request: bool = True) -> None:
        self._jobs += 1
        began = self.now()

        def ended(answer: Any, error: BaseException | None) -> None:
            self._jobs -= 1
            if is_request:
                # The newer the more it counts: the first ones also load and connect.
                self._request_s = (self._request_s + self.now() - began) / 2
            if isinstance(error, Denied) and error.code != "forbidden":
                self._denied = error
            handle(answer, error)

        self._workers.submit(ended, job)

    def _wait(self) -> None:
        now = self.now()
        moments = [when for when, _, _ in self._timers[:1]]
        moments += self._actions.moments()
        moments += [self._end_of(task) for task in self._tasks if not task.over]
        moments += self._reading.moments()
        for handle, answer, error in self._workers.wait(max(min(moments) - now, 0.0)):
            if handle is not WAKE:
                handle(answer, error)
        while self._timers and self._timers[0][0] <= self.now():
            heapq.heappop(self._timers)[2]()

    def _expire(self) -> None:
        """Wake what waits past its deadline; what it waits for is then not known to have happened."""
        now = self.now()
        for task in self._tasks:
            if not task.over and task.waiting_for is not None and now >= self._end_of(task):
                self.resume(task, task.turn, *self._at_the_end(task.waiting_for))

    def _end_of(self, task: Task) -> float:
        """How long a task waits for what it waits for now: what it does then still has to fit."""
        step, deadline = task.waiting_for, task.deadline
        if isinstance(step, ServerIs) and step.status == "off":
            return deadline.forward
        return deadline.end - LAST_LOOK_S if isinstance(step, Finished | ServerIs) else deadline.end

    def _at_the_end(self, step: Step) -> tuple[Any, StepError | None]:
        if isinstance(step, Finished):
            return None, Unsettled(f"{step.write.what} is still running when the time is over")
        if isinstance(step, ServerIs):
            return False, None
        if isinstance(step, Write):
            return None, Lost(f"no answer to {step.what} before the time was over")
        if isinstance(step, Read | FindAction):
            return None, Lost("no answer before the time was over")
        return None, OutOfTime("the time is over")

    def _interrupt_all(self, asked: float) -> None:
        self._last_moment = Deadline(asked + FINISH_S, asked + FINISH_S - 2.0)
        self.warn("asked to stop: nothing new begins, what was taken away is finished")
        for task in self._tasks:
            self._tighten(task)
            waits_idly = isinstance(task.waiting_for, Read | Pause | Acquire)
            if not task.over and not task.bound and not task.interrupted and waits_idly:
                task.interrupted = True
                self.resume(task, task.turn, None, Interrupted("the run was asked to stop"))

    def _tighten(self, task: Task) -> None:
        if self._last_moment is not None:
            task.deadline = task.deadline.within(self._last_moment)

    def _emit(self, event: str, task: Task, **data: Any) -> None:
        self._emit_plain(event, name=task.names[0] if task.names else None, names=list(task.names), **data)

    def _emit_plain(self, event: str, **data: Any) -> None:
        self._events.emit(event, **data)


def _limited(error: BaseException | None) -> bool:
    return isinstance(error, Busy) and error.code == "rate_limit_exceeded"
