"""One generator under way, and what is known of it so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hcloud_reassign.core.report import StepResult, StepStatus
from hcloud_reassign.core.steps import Step, Steps, Write
from hcloud_reassign.engine.clock import Deadline


@dataclass
class StepRecord:
    """A write as it was carried out. Times in monotonic seconds."""

    write: Write
    started: float
    status: StepStatus = "running"
    ended: float | None = None
    action_id: int | None = None

    def result(self) -> StepResult:
        took = None if self.ended is None else round((self.ended - self.started) * 1000)
        return StepResult(self.write.what, self.status, self.action_id, took)


@dataclass(eq=False)
class Task:
    """A run of steps for the assignments `names`.

    `committed`: something was sent that changes who holds what. `bound`: it was accepted, or may have been, so that a
    request to stop comes too late. `answer` is what the generator returned, `error` what it raised. `turn` counts what
    it has waited for, so that an answer that comes too late is not taken for another one.
    """

    names: tuple[str, ...]
    deadline: Deadline
    generator: Steps[Any] | None = None
    committed: bool = False
    bound: bool = False
    started: float | None = None
    ended: float | None = None
    answer: Any = None
    error: BaseException | None = None
    records: list[StepRecord] = field(default_factory=list)
    waiting_for: Step | None = None
    turn: int = 0
    interrupted: bool = False
    limited: bool = False
    """Whether the rate limit refused its last write."""
    saved: int = 0
    """How many requests it waited for the last time, when it was."""

    @property
    def over(self) -> bool:
        return self.ended is not None

    def record_of(self, write: Write) -> StepRecord | None:
        return next((record for record in reversed(self.records) if record.write == write), None)

    def gap_ms(self) -> int | None:
        """From the first step that took something away to the last one that gave something, in milliseconds."""
        taken = [record for record in self.records if record.write.takes_away]
        given = [record for record in self.records if not record.write.takes_away and record.ended and record.action_id]
        if not taken or not given:
            return None
        last = given[-1].ended
        return None if last is None or last < taken[0].started else round((last - taken[0].started) * 1000)


def started_task(names: Sequence[str], deadline: Deadline, begin: Callable[[Task], Steps[Any]]) -> Task:
    """A task whose generator knows the task it belongs to."""
    task = Task(tuple(names), deadline)
    task.generator = begin(task)
    return task
