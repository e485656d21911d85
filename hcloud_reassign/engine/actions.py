"""Waiting for Hetzner's actions: all that run are asked for together, first early, then less and less often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hcloud_reassign.core.objects import Action
from hcloud_reassign.core.steps import Busy, Denied, Finished
from hcloud_reassign.engine.task import Task

if TYPE_CHECKING:
    from hcloud_reassign.engine.scheduler import Scheduler

MOST_IDS = 25
"""How many actions one request asks for: the API's default page."""
POLL_S = 10.0
"""How long one such request may take."""
SOONEST_S = 0.1
GROWTH = 0.15
"""The next request comes after this part of the time for which nothing has ended."""


class _Running:
    """An action that is waited for, and when it is asked for next."""

    def __init__(self, task: Task, turn: int, step: Finished, now: float) -> None:
        self.task, self.turn, self.step, self.since = task, turn, step, now
        self.due = now + SOONEST_S
        self.progress = step.action.progress

    def put_off(self, asked: float, news: float, at_least: float) -> None:
        """Ask again the later, the longer nothing has ended: `news` is when anything last did."""
        self.due = asked + max(at_least, GROWTH * (asked - max(self.since, news)))


class Actions:
    """The running actions of all tasks, by their ids."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._running: dict[int, _Running] = {}
        self._asking = 0
        self._news = scheduler.now()

    def __bool__(self) -> bool:
        return bool(self._running)

    def add(self, task: Task, turn: int, step: Finished) -> None:
        """Wait for an action on a task's behalf; one that is over already is told at once."""
        running = _Running(task, turn, step, self._scheduler.now())
        if step.action.status == "running":
            self._running[step.action.id] = running
        else:
            self._ended(running, step.action)

    def moments(self) -> list[float]:
        """When to ask next; nothing while an answer is under way."""
        return [] if self._asking else [running.due for running in self._running.values()]

    def dispatch(self, now: float) -> None:
        """Ask for all of them as soon as one is due. What no task waits for any more is forgotten."""
        self._running = {id: running for id, running in self._running.items() if running.task.turn == running.turn}
        if self._asking or not any(running.due <= now for running in self._running.values()):
            return
        ids = sorted(self._running)
        for start in range(0, len(ids), MOST_IDS):
            self._ask(ids[start : start + MOST_IDS])

    def _ask(self, ids: list[int]) -> None:
        asked = self._scheduler.now()

        def answered(answer: Any, error: BaseException | None) -> None:
            self._asking -= 1
            at_least = 1.0 if isinstance(error, Busy) else SOONEST_S if error is None else 0.5
            for id in ids:
                running = self._running.get(id)
                if running is None:
                    continue
                running.put_off(asked if error is None else self._scheduler.now(), self._news, at_least)
                if isinstance(error, Denied):
                    self._scheduler.resume(running.task, running.turn, None, error)
                elif answer is not None and id in answer:
                    self._seen(running, answer[id])

        self._asking += 1
        self._scheduler.submit(lambda: self._scheduler.border.poll(ids, POLL_S), answered)

    def _seen(self, running: _Running, action: Action) -> None:
        if action.status != "running":
            self._ended(running, action)
        elif action.progress > running.progress:
            running.progress = action.progress
            self._scheduler.progressed(running.task, running.step, action)

    def _ended(self, running: _Running, action: Action) -> None:
        self._news = self._scheduler.now()
        self._running.pop(action.id, None)
        self._scheduler.action_ended(running.task, running.turn, running.step, action)
