"""Work that may take its time, away from the screen: looks side by side, moves one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from hcloud_reassign.core.errors import AccessError, ReassignError
from hcloud_reassign_tui.view.freshness import Freshness
from hcloud_reassign_tui.view.rows import Key, Row
from hcloud_reassign_tui.view.shelf import with_known

if TYPE_CHECKING:
    from hcloud_reassign.chain import Selection
    from hcloud_reassign.core.model import Group, Request
    from hcloud_reassign.project import Choice, Held, Listener, Looking, Project, Report, Status

T = TypeVar("T")
Call = Callable[[], None]
Post = Callable[[Call], object]
"""Has something called on the thread of the screen; safe on every thread."""


class Lane:
    """A daemon thread that does one thing after the other. What a job raises goes to whoever asked for it."""

    def __init__(self, name: str, post: Post) -> None:
        self._name, self._post = name, post
        self._jobs: SimpleQueue[tuple[Callable[[], Any], Callable[[Any, Exception | None], None]] | None] = (
            SimpleQueue()
        )
        self._thread: threading.Thread | None = None
        self.waiting = 0
        """How many jobs were asked for and have not been told of yet."""

    def submit(self, job: Callable[[], T], done: Callable[[T | None, Exception | None], None]) -> None:
        """Have a job done; `done` gets its answer or its error on the thread of the screen."""
        self.waiting += 1
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True, name=self._name)
            self._thread.start()
        self._jobs.put((job, done))

    def end(self) -> None:
        """Let the thread go once it has done what was asked for: it keeps all that its jobs have seen alive."""
        self._jobs.put(None)

    def _work(self) -> None:
        while asked := self._jobs.get():
            job, done = asked
            answer, error = None, None
            try:
                answer = job()
            except Exception as raised:  # noqa: BLE001 - one of the edges: it is shown, the screen stays
                error = raised
            self._post(lambda done=done, answer=answer, error=error: self._tell(done, answer, error))  # type: ignore[misc]

    def _tell(self, done: Callable[[Any, Exception | None], None], answer: Any, error: Exception | None) -> None:
        self.waiting -= 1
        done(answer, error)


class Desk:
    """One project as it was seen last. `changed` are the rows whose holder differs from the look before."""

    def __init__(
        self,
        project: Project,
        post: Post,
        clock: Callable[[], float],
        refresh_s: float,
        locked: Callable[[], bool] = lambda: False,
    ) -> None:
        self.project, self._clock, self._locked = project, clock, locked
        self.lane = Lane(f"look at {project.name}", post)
        self.questions = Lane(f"ask about {project.name}", post)
        """What dialogs ask: a look that takes long does not keep them waiting."""
        self.freshness = Freshness(refresh_s)
        self.status: Status | None = None
        self.changed: frozenset[Key] = frozenset()
        self.denied = False
        """Whether the API refused the token: looking again by itself would not help."""
        self._look: Looking | None = None
        self._answer: Status | None = None
        self._cost = 0
        self._again: Call | None = None

    @property
    def name(self) -> str:
        return self.project.name

    def close(self) -> None:
        """Nobody will ask this desk again."""
        self.lane.end()
        self.questions.end()

    def due(self) -> bool:
        return not self.lane.waiting and not self.denied and self.freshness.due(self._clock())

    def look(self, told: Call, *, glance: bool = False) -> None:
        """Look now, unless that is under way; `told` is called on the screen's thread when the picture has changed.

        `glance`: less is asked where that tells that nothing has moved.
        """
        if not self.lane.waiting:
            whole = not glance or self.freshness.wants_all(self._clock())
            self.lane.submit(lambda: self._seen_now(whole), lambda status, error: self._seen(status, error, told))

    def look_anew(self, told: Call) -> None:
        """Look once more, after the look that is under way: that one may have begun before what it should show."""
        if self.lane.waiting:
            self._again = told
        else:
            self.look(told)

    def _seen_now(self, whole: bool) -> Status:
        """On the lane. The picture of before, the very object, when a glance was enough."""
        if self._look is None:
            self._look = self.project.looking((), everything=True)
        before = self.project.requests
        status = self._look() if whole else self._look.glance()
        if status is self._answer and self.status:
            return self.status
        self._answer = status
        self._cost = self.project.requests - before
        return replace(status, standings=with_known(self.status.standings, status.standings)) if self.status else status

    def _seen(self, status: Status | None, error: Exception | None, told: Call) -> None:
        now = self._clock()
        if status is None:
            self.denied = isinstance(error, AccessError)
            self.freshness = self.freshness.failed(now, told_of(error))
        else:
            self.denied = False
            self.changed = self._changes(status)
            fresh = self.freshness
            if status is self.status:
                self.freshness = fresh.glanced(now, self.project.budget)
            else:
                glance = len(self._look.classes) if self._look else 0
                self.freshness = fresh.succeeded(now, self.project.budget, self._cost, glance)
            self.status = status
        again, self._again = self._again, None
        if again:
            self.look(again)
        told()

    def _changes(self, status: Status) -> frozenset[Key]:
        if self.status is None:
            return frozenset()
        before = {standing.name: standing.holder for standing in self.status.standings}
        return frozenset(
            (self.name, standing.name)
            for standing in status.standings
            if standing.name in before and before[standing.name] != standing.holder
        )

    # What dialogs ask, and changes: on a lane, never on the thread of the screen

    def _selected(self, rows: Sequence[Row], groups: Sequence[Group] = ()) -> Selection:
        return self.project.selection([row.assignment for row in rows], groups)

    def choices(self, rows: Sequence[Row], groups: Sequence[Group], request: Request) -> tuple[Choice, ...]:
        """Who could get all of it. Raises AccessError, FailedError."""
        return self.project.choices(self._selected(rows, groups), request)

    def carry(
        self,
        rows: Sequence[Row],
        groups: Sequence[Group],
        request: Request,
        *,
        apply: bool,
        on_event: Listener | None = None,
        on_start: Callable[[Call], None] | None = None,
    ) -> Report:
        """Plan, or carry out. Raises ReassignError: nothing was begun; so too when the screen is locked."""
        if apply:
            self._refuse_when_locked()
        return self.project.carry(
            self._selected(rows, groups), request, apply=apply, on_event=on_event, on_start=on_start
        )

    def hold(
        self,
        rows: Sequence[Row],
        for_s: float | None,
        *,
        on_event: Listener | None = None,
        on_start: Callable[[Call], None] | None = None,
    ) -> tuple[Held, ...]:
        """Keep triggered requests away, or with None let them at it again. Raises ReassignError."""
        self._refuse_when_locked()
        return self.project.hold_all(self._selected(rows), for_s, on_event=on_event, on_start=on_start)

    def _refuse_when_locked(self) -> None:
        if self._locked():
            raise AccessError("the screen is locked read-only; nothing was changed", next="L unlocks it")


def told_of(error: Exception | None) -> str:
    """An error for people; a defect of this program says that it is one."""
    if isinstance(error, ReassignError):
        return error.message + (f"; {error.next}" if error.next else "")
    return f"internal error: {type(error).__name__}: {error}"
