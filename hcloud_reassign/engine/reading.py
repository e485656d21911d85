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
TRIES = 3


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

    def expect(self, cls: type, objects: int) -> None:
        """Say that there are at least so many, so that their pages need not wait for the first."""
        self._pages[cls] = max(self._pages.get(cls, 1), -(-objects // PER_PAGE))

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
        asked_whole = any(isinstance(question.read, All) for question in questions)
        whole = asked_whole or len(ids) > self._pages.get(cls, 1)
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
    """A whole list: the pages that it surely has, then all others at once.

    A list that changes while it is read can lose an object between two pages; it is then read anew.
    """

    def __init__(self, scheduler: Scheduler, pages: dict[type, int], cls: type, task: Task) -> None:
        self._scheduler, self._pages, self._cls, self._task = scheduler, pages, cls, task
        self._found: dict[int, Any] = {}
        self._asked: set[int] = set()
        self._tries = 0
        self._over = False

    def ask(self, handle: Handle) -> None:
        self._handle = handle
        self._begin()

    def _begin(self) -> None:
        self._tries += 1
        self._found, self._asked = {}, set()
        self._ask_pages(self._pages.get(self._cls, 1))

    def _ask_pages(self, last: int) -> None:
        for number in range(1, last + 1):
            if number not in self._asked:
                self._asked.add(number)
                self._page(number)

    def _page(self, number: int) -> None:
        turn = self._tries

        def job(seconds: float) -> Any:
            return self._scheduler.border.page(self._cls, number, seconds)

        def got(page: Any, error: BaseException | None) -> None:
            if not self._over and turn == self._tries:
                self._got(number, page, error)

        self._scheduler.ask(f"read all {self._cls.__name__}", self._task, job, got)

    def _got(self, number: int, page: Any, error: BaseException | None) -> None:
        if error is not None:
            self._over = True
            self._handle(None, error)
            return
        self._found[number] = page
        self._ask_pages(page.last or number + page.more)
        if len(self._found) < len(self._asked):
            return
        by_id = {item.id: item for number in sorted(self._found) for item in self._found[number].items}
        totals = {page.total for page in self._found.values()} - {None}
        if totals and totals != {len(by_id)} and self._tries < TRIES:
            self._begin()
            return
        self._over = True
        self._pages[self._cls] = max(1, -(-len(by_id) // PER_PAGE))
        self._handle(tuple(by_id.values()), None)
