"""Questions, gathered: what several tasks want to know at the same time is asked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hcloud_reassign.core.steps import All, One, Read
from hcloud_reassign.engine.task import Task

if TYPE_CHECKING:
    from hcloud_reassign.engine.scheduler import Handle, Scheduler

PER_PAGE = 50


@dataclass(frozen=True)
class Question:
    task: Task
    turn: int
    read: Read[Any]
    not_before: float


class Reading:
    """Holds the questions of all tasks until they are sent."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._questions: list[Question] = []
        self._pages: dict[type, int] = {}

    def add(self, task: Task, turn: int, read: Read[Any]) -> None:
        patience = read.patience if isinstance(read, One) else 0.0
        self._questions.append(Question(task, turn, read, self._scheduler.now() + patience))

    def moments(self) -> list[float]:
        """When the questions that wait for others have waited enough."""
        return [question.not_before for question in self._questions]

    def dispatch(self, now: float, quiet: bool) -> None:
        """Send what is due; where nothing else goes on (`quiet`), nothing waits for company."""
        open_ones = [question for question in self._questions if question.task.turn == question.turn]
        due = [question for question in open_ones if quiet or question.not_before <= now]
        self._questions = [question for question in open_ones if question not in due]
        for cls in dict.fromkeys(question.read.cls for question in due):
            self._send([question for question in due if question.read.cls is cls], cls)

    def _send(self, questions: Sequence[Question], cls: type) -> None:
        ids = {question.read.id for question in questions if isinstance(question.read, One)}
        whole = any(isinstance(question.read, All) for question in questions) or len(ids) > max(
            1, self._pages.get(cls, 1)
        )
        listed = [question for question in questions if whole and isinstance(question.read, All | One)]
        if listed:
            _Listing(self._scheduler, self._pages, cls, listed[0].task).ask(lambda a, e: self._share(listed, a, e))
        by_read: dict[Read[Any], list[Question]] = {}
        for question in questions:
            if question not in listed:
                by_read.setdefault(question.read, []).append(question)
        for read, same in by_read.items():
            self._ask_one(read, same)

    def _ask_one(self, read: Read[Any], same: Sequence[Question]) -> None:
        def handle(answer: Any, error: BaseException | None) -> None:
            for question in same:
                self._scheduler.resume(question.task, question.turn, answer, error)

        self._scheduler.ask(read.what, same[0].task, lambda s: self._scheduler.border.do(read, s), handle)

    def _share(self, questions: Sequence[Question], items: Any, error: BaseException | None) -> None:
        for question in questions:
            answer = items
            if error is None and isinstance(question.read, One):
                answer = next((item for item in items if item.id == question.read.id), None)
            self._scheduler.resume(question.task, question.turn, answer, error)


class _Listing:
    """A whole list: the first page, then all others at once."""

    def __init__(self, scheduler: Scheduler, pages: dict[type, int], cls: type, task: Task) -> None:
        self._scheduler, self._pages, self._cls, self._task = scheduler, pages, cls, task
        self._found: dict[int, tuple[Any, ...]] = {}
        self._missing: set[int] = {1}
        self._over = False

    def ask(self, handle: Handle) -> None:
        self._handle = handle
        self._page(1)

    def _page(self, number: int) -> None:
        def job(seconds: float) -> Any:
            return self._scheduler.border.page(self._cls, number, seconds)

        self._scheduler.ask(f"read all {self._cls.__name__}", self._task, job, lambda a, e: self._got(number, a, e))

    def _got(self, number: int, page: Any, error: BaseException | None) -> None:
        if self._over:
            return
        if error is not None:
            self._over = True
            self._handle(None, error)
            return
        self._found[number] = page.items
        self._missing.discard(number)
        more: Sequence[int] = ()
        if page.last is None and page.more:
            more = [number + 1]
        elif number == 1 and page.last:
            more = range(2, page.last + 1)
        self._missing.update(more)
        for wanted in more:
            self._page(wanted)
        if not self._missing:
            self._over = True
            self._pages[self._cls] = len(self._found)
            by_id = {item.id: item for number in sorted(self._found) for item in self._found[number]}
            self._handle(tuple(by_id.values()), None)
