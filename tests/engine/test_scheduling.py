"""The parts of the scheduler that are cheaper to test alone: locks, questions, waits, and what it does with defects."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from hcloud_reassign.core.objects import Action, FloatingIp, Server
from hcloud_reassign.core.steps import (
    Acquire,
    AssignFloatingIp,
    Busy,
    Denied,
    Finished,
    Interrupted,
    Lost,
    OutOfTime,
    Pause,
    PowerOn,
    Refused,
    Release,
    ServerIs,
    Shutdown,
    Step,
    StepError,
    Unsettled,
    every,
    one,
)
from hcloud_reassign.engine.clock import Deadline
from hcloud_reassign.engine.events import Event, Events
from hcloud_reassign.engine.locks import Locks
from hcloud_reassign.engine.scheduler import Scheduler
from hcloud_reassign.engine.task import Task
from hcloud_reassign.engine.workers import Threads
from hcloud_reassign.hetzner.cloud import Page
from tests.harness import SerialWorkers, VirtualClock

A, B, C = (Server, 1), (Server, 2), (Server, 3)
ASSIGN = AssignFloatingIp(5, 1, "web", "srv")


class Steady(random.Random):
    """No jitter."""

    def uniform(self, a: float, b: float) -> float:
        return 1.0


class Outside:
    """Answers steps from a script; a list is used up, anything else is given again and again."""

    requests = 0

    def __init__(self, clock: VirtualClock, **answers: Any) -> None:
        self.clock, self.answers = clock, answers
        self.asked: list[tuple[float, Any]] = []

    def _answer(self, name: str, what: Any) -> Any:
        self.asked.append((self.clock.monotonic(), what))
        answer = self.answers[name]
        answer = answer.pop(0) if isinstance(answer, list) else answer
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def do(self, step: Step, timeout_s: float) -> Any:
        return self._answer(type(step).__name__, step)

    def page(self, cls: type, number: int, timeout_s: float) -> Any:
        return self._answer("page", (cls, number))

    def poll(self, ids: Sequence[int], timeout_s: float) -> Mapping[int, Action]:
        found: Mapping[int, Action] = self._answer("poll", tuple(ids))
        return found


class Stage:
    """A scheduler on a virtual clock."""

    def __init__(self, **answers: Any) -> None:
        self.clock = VirtualClock()
        self.outside = Outside(self.clock, **answers)
        self.events: list[Event] = []
        events = Events("run", self.clock.wall, (self.events.append,))
        workers = SerialWorkers(self.clock)
        self.scheduler = Scheduler(self.outside, workers, self.clock, random.Random(1), events)

    def task(self, generator: Any, seconds: float = 100.0, forward: float | None = None) -> Task:
        end = self.clock.monotonic() + seconds
        return Task(("t",), Deadline(end, end if forward is None else forward), generator)

    def run(self, *generators: Any, seconds: float = 100.0) -> list[Task]:
        tasks = [self.task(generator, seconds) for generator in generators]
        self.scheduler.run(tasks)
        return tasks


def yields(*steps: Any) -> Any:
    """Steps one after another; what the last one answers is the answer."""
    answer = None
    for step in steps:
        answer = yield step
    return answer


# Locks


def _task() -> Task:
    return Task((), Deadline(1.0, 1.0))


def test_locks_are_taken_all_at_once_or_not_at_all() -> None:
    locks, first, second = Locks(), _task(), _task()
    assert locks.acquire(first, frozenset({A}))
    assert not locks.acquire(second, frozenset({A, B}))
    third = _task()
    assert not locks.acquire(third, frozenset({B})), "who waits longer for it comes first"
    assert locks.release(first) == [second]
    assert locks.release(second) == [third]


def test_locks_are_given_in_the_order_of_waiting() -> None:
    locks, tasks = Locks(), [_task() for _ in range(5)]
    for task in tasks:
        locks.acquire(task, frozenset({A}))
    order = [tasks[0]]
    for _ in range(4):
        (freed,) = locks.release(order[-1])
        order.append(freed)
    assert order == tasks


def test_who_holds_locks_gets_them_again() -> None:
    locks, task, other = Locks(), _task(), _task()
    assert locks.acquire(task, frozenset({A, B}))
    locks.acquire(other, frozenset({A}))
    assert locks.acquire(task, frozenset({A}))
    assert locks.acquire(task, frozenset())


def test_who_is_over_gets_no_locks() -> None:
    locks, first, second, third = Locks(), _task(), _task(), _task()
    locks.acquire(first, frozenset({A}))
    locks.acquire(second, frozenset({A}))
    locks.acquire(third, frozenset({A}))
    second.ended = 1.0
    assert locks.release(first) == [third]


def test_independent_tasks_do_not_wait_and_sharing_ones_do() -> None:
    stage = Stage()
    order: list[str] = []

    def holding(name: str, locks: frozenset[Any]) -> Any:
        waited = yield Acquire(locks)
        order.append(f"{name} {'waited' if waited else 'at once'}")
        yield Pause(1.0, "work")
        yield Release()

    stage.run(holding("a", frozenset({A})), holding("b", frozenset({A})), holding("c", frozenset({C})))
    assert order == ["a at once", "c at once", "b waited"]


def test_a_task_that_ends_by_an_error_frees_its_locks() -> None:
    stage = Stage()

    def broken() -> Any:
        yield Acquire(frozenset({A}))
        raise ValueError

    first, second = stage.run(broken(), yields(Acquire(frozenset({A}))))
    assert isinstance(first.error, ValueError)
    assert second.answer is True


def test_waiting_for_a_lock_ends_with_the_time() -> None:
    stage = Stage()
    holder = stage.task(yields(Acquire(frozenset({A})), Pause(50.0, "work")), 100.0)
    waiting = stage.task(yields(Acquire(frozenset({A}))), 5.0)
    stage.scheduler.run([holder, waiting])
    assert isinstance(waiting.error, OutOfTime)
    assert holder.error is None


# Questions


def _page(*ids: int) -> Page:
    return Page(tuple(Server(id, f"s{id}") for id in ids), 1, 1, False, len(ids))


def test_the_same_question_of_several_tasks_is_asked_once() -> None:
    stage = Stage(One=Server(1, "s1"), page=_page(1, 2))
    tasks = stage.run(*(yields(one(Server, 1)) for _ in range(5)))
    assert [task.answer for task in tasks] == [Server(1, "s1")] * 5
    assert len(stage.outside.asked) == 1


def test_questions_for_several_objects_are_asked_as_one_list() -> None:
    stage = Stage(page=_page(1, 2, 3))
    tasks = stage.run(*(yields(one(Server, id)) for id in (1, 2, 4)), yields(every(Server)))
    assert [task.answer and task.answer.id for task in tasks[:3]] == [1, 2, None]
    assert stage.outside.asked == [(0.0, (Server, 1))]


def test_a_patient_question_waits_for_company_only_where_something_else_goes_on() -> None:
    stage = Stage(One=FloatingIp(1, "f", "192.0.2.1"))
    stage.run(yields(one(FloatingIp, 1, patience=0.3)))
    assert stage.outside.asked[0][0] == 0.0
    stage = Stage(One=FloatingIp(1, "f", "192.0.2.1"))
    stage.run(yields(one(FloatingIp, 1, patience=0.3)), yields(Pause(5.0, "work")))
    assert 0.3 <= stage.outside.asked[0][0] < 0.5


@pytest.mark.parametrize("error", [Lost("nothing"), Busy("slow down", "rate_limit_exceeded")])
def test_questions_are_asked_again_until_they_are_answered(error: StepError) -> None:
    stage = Stage(One=[error, error, Server(1, "s1")])
    (task,) = stage.run(yields(one(Server, 1)))
    assert task.answer == Server(1, "s1")
    assert [event.event for event in stage.events] == ["step.retried", "step.retried"]


def test_questions_are_asked_until_the_time_is_over() -> None:
    stage = Stage(One=Lost("nothing"))
    (task,) = stage.run(yields(one(Server, 1)), seconds=20.0)
    assert isinstance(task.error, Lost)
    assert stage.clock.monotonic() <= 20
    assert stage.outside.asked[-1][0] < 20


def test_a_no_to_a_question_is_final() -> None:
    stage = Stage(One=Refused("no", "invalid_input"))
    (task,) = stage.run(yields(one(Server, 1)))
    assert isinstance(task.error, Refused)
    assert len(stage.outside.asked) == 1


# Writes and actions


def test_writes_are_never_repeated_by_the_scheduler() -> None:
    for error in (Lost("nothing"), Busy("locked", "locked"), Refused("no", "x")):
        stage = Stage(AssignFloatingIp=error)
        (task,) = stage.run(yields(ASSIGN))
        assert task.error is error
        assert len(stage.outside.asked) == 1


def test_after_a_refused_token_nothing_is_written() -> None:
    stage = Stage(AssignFloatingIp=Denied("no", "unauthorized"), PowerOn=Action(1, "start_server", "success"))
    first, second = stage.run(yields(ASSIGN), yields(Pause(1.0, "wait"), PowerOn(1, "s1", restoring=True)))
    assert isinstance(first.error, Denied) and isinstance(second.error, Denied)
    assert len(stage.outside.asked) == 1


@pytest.mark.parametrize("step", ["AssignFloatingIp", "One"])
def test_what_is_forbidden_once_is_not_forbidden_everywhere(step: str) -> None:
    """A single object may be out of reach of a token that may do all the rest."""
    answers = {"AssignFloatingIp": None, "One": None, step: Denied("no", "forbidden")}
    stage = Stage(**answers, PowerOn=None)
    asked = ASSIGN if step == "AssignFloatingIp" else one(Server, 1)
    first, second = stage.run(yields(asked), yields(Pause(1.0, "wait"), PowerOn(1, "s1")))
    assert isinstance(first.error, Denied)
    assert second.error is None


def test_an_action_that_is_over_is_not_polled() -> None:
    stage = Stage()
    (task,) = stage.run(yields(Finished(Action(1, "x", "success"), ASSIGN)))
    assert task.error is None and not stage.outside.asked


def test_all_running_actions_are_polled_in_one_request() -> None:
    done = {id: Action(id, "x", "success") for id in (1, 2, 3)}
    stage = Stage(poll=[{1: Action(1, "x", "running")}, done])
    tasks = stage.run(*(yields(Finished(Action(id, "x", "running"), ASSIGN)) for id in (1, 2, 3)))
    assert [task.error for task in tasks] == [None, None, None]
    assert [what for _, what in stage.outside.asked] == [(1, 2, 3), (1, 2, 3)]


@pytest.mark.parametrize("answer", [{}, Lost("nothing"), Busy("slow down", "rate_limit_exceeded"), Refused("no", "x")])
def test_an_action_that_cannot_be_seen_is_asked_for_until_the_time_is_over(answer: Any) -> None:
    stage = Stage(poll=answer)
    (task,) = stage.run(yields(Finished(Action(1, "x", "running"), ASSIGN)), seconds=30.0)
    assert isinstance(task.error, Unsettled)
    assert stage.clock.monotonic() <= 30
    assert 3 < len(stage.outside.asked) < 60


def test_a_status_that_does_not_come_is_not_waited_for_longer_than_told() -> None:
    stage = Stage(One=Server(1, "s1", status="running"))
    (task,) = stage.run(yields(ServerIs(1, "s1", "off", 10.0)))
    assert task.answer is False
    assert 10 <= stage.clock.monotonic() < 12
    assert 10 <= len(stage.outside.asked) <= 12


# Time


def test_a_wait_that_does_not_fit_is_not_begun() -> None:
    stage = Stage()
    (task,) = stage.run(yields(Pause(50.0, "locked")), seconds=10.0)
    assert isinstance(task.error, OutOfTime)
    assert stage.clock.monotonic() == 0


def test_waits_are_jittered() -> None:
    waited = set()
    for seed in range(5):
        stage = Stage()
        stage.scheduler._rng = random.Random(seed)
        stage.run(yields(Pause(10.0, "x")))
        waited.add(round(stage.clock.monotonic(), 3))
    assert len(waited) == 5
    assert all(7 <= each <= 13 for each in waited)


@pytest.mark.parametrize(
    ("step", "passed", "sent"),
    [
        (ASSIGN, 70.0, True),
        (ASSIGN, 80.0, False),
        (PowerOn(1, "s", restoring=True), 80.0, True),
        (PowerOn(1, "s", restoring=True), 100.0, False),
        (Shutdown(1, "s"), 70.0, True),
    ],
)
def test_a_write_forward_needs_time_that_is_not_kept(step: Any, passed: float, sent: bool) -> None:
    stage = Stage(AssignFloatingIp=None, PowerOn=None, Shutdown=None)

    def late() -> Any:
        stage.clock.advance(passed)
        yield step

    task = stage.task(late(), 100.0, forward=75.0)
    stage.scheduler.run([task])
    assert (task.error is None) is sent
    assert sent or isinstance(task.error, OutOfTime)


def test_what_takes_away_needs_time_to_give_back() -> None:
    """The slowest action of this run took 30 s: with 50 s left nothing is taken away any more."""
    stage = Stage(Shutdown=None, poll={1: Action(1, "x", "success")})

    def slow() -> Any:
        stage.scheduler._slowest_s = 30.0
        stage.clock.advance(50.0)
        yield Shutdown(1, "s")

    (task,) = stage.run(slow())
    assert isinstance(task.error, OutOfTime)


# A request to stop


def test_a_task_that_was_about_to_go_on_is_interrupted_once() -> None:
    """Its wait is over in the same moment as the signal comes."""
    stage = Stage(AssignFloatingIp=None, One=Server(1, "s1"))
    seen: list[str] = []

    def moving() -> Any:
        try:
            yield Pause(1.0, "locked")
            seen.append("went on")
            yield ASSIGN
            seen.append("sent")
        except Interrupted:
            seen.append("interrupted")
            yield one(Server, 1)
            seen.append("looked")

    def signalling() -> Any:
        yield Pause(1.0, "x")
        stage.scheduler.interrupt()

    stage.scheduler._rng = Steady()
    stage.run(signalling(), moving())
    assert seen in (["went on", "interrupted", "looked"], ["interrupted", "looked"])
    assert not [step for _, step in stage.outside.asked if step is ASSIGN]


def test_what_is_bound_goes_on() -> None:
    stage = Stage(AssignFloatingIp=None, PowerOn=None)

    def moving() -> Any:
        yield ASSIGN
        stage.scheduler.interrupt()
        yield Pause(1.0, "x")
        yield PowerOn(1, "s1")

    (task,) = stage.run(moving())
    assert task.error is None
    assert len(stage.outside.asked) == 2


def test_tasks_after_the_signal_have_what_is_left_of_the_eight_seconds() -> None:
    stage = Stage()

    def stopping() -> Any:
        stage.scheduler.interrupt()
        yield Release()

    stage.run(stopping())
    stage.clock.advance(5.0)
    later = stage.task(yields(Release()), 100.0)
    stage.scheduler.run([later])
    assert later.deadline.end == pytest.approx(8.0)


# Defects


def test_a_defect_in_one_task_leaves_the_others_alone() -> None:
    stage = Stage(AssignFloatingIp=None)

    def broken() -> Any:
        yield Pause(0.1, "x")
        raise ZeroDivisionError

    first, second = stage.run(broken(), yields(Pause(1.0, "x"), ASSIGN))
    assert isinstance(first.error, ZeroDivisionError)
    assert second.error is None


def test_a_step_that_nobody_knows_is_a_defect_of_its_task() -> None:
    stage = Stage()
    (task,) = stage.run(yields(Step()))
    assert isinstance(task.error, TypeError)


# Workers


def test_workers_hand_back_answers_and_errors() -> None:
    workers = Threads()

    def fail() -> None:
        raise KeyError("x")

    workers.submit("a", lambda: 1)
    workers.submit("b", fail)
    done: dict[Any, Any] = {}
    while len(done) < 2:
        done.update({token: (answer, type(error)) for token, answer, error in workers.wait(5.0)})
    assert done == {"a": (1, type(None)), "b": (None, KeyError)}


def test_waiting_ends_when_somebody_wakes_it() -> None:
    workers = Threads()
    workers.wake()
    assert len(workers.wait(5.0)) == 1
    assert workers.wait(0.0) == []
