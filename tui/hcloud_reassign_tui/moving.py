"""Changes: asked for one after the other, told of while they happen, and stopped in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from hcloud_reassign.core.errors import ExitCode, ReassignError, worst
from hcloud_reassign.core.model import Group, Request
from hcloud_reassign_tui.desk import Desk, Lane, Post
from hcloud_reassign_tui.view.going import (
    Going,
    expected,
    heard,
    only_the_digest,
    outcome_of,
    outcome_of_error,
    outcome_of_hold,
    token_may_only_read,
)
from hcloud_reassign_tui.view.plans import CONSENTS
from hcloud_reassign_tui.view.rows import Key, Row

if TYPE_CHECKING:
    from hcloud_reassign.core.report import Result
    from hcloud_reassign.project import Event, Held, Report
    from hcloud_reassign_tui.view.going import Outcome
    from hcloud_reassign_tui.view.signs import Signs

A = TypeVar("A")


@dataclass(frozen=True)
class Errand:
    """What an act is about: rows of one project, and the groups that they make up."""

    desk: Desk
    rows: tuple[Row, ...]
    groups: tuple[Group, ...] = ()

    @property
    def group_names(self) -> tuple[str, ...]:
        return tuple(group.name for group in self.groups)

    @property
    def own(self) -> tuple[str, ...]:
        """The names that the file has."""
        return tuple(row.standing.name for row in self.rows if row.standing.configured)


@dataclass(frozen=True)
class Wish:
    """Where it shall go: `to` is what a request calls it, `name` what people call it. And what is consented to."""

    to: str
    name: str
    consents: frozenset[str] = frozenset()

    def turned(self, id: str) -> Wish:
        """The same with one consent more, or without it."""
        return replace(self, consents=self.consents ^ {id})

    @property
    def options(self) -> tuple[str, ...]:
        """The consents as a command line has them."""
        return tuple(consent.option for consent in CONSENTS if consent.id in self.consents)

    def request(self, errand: Errand, digest: str | None = None) -> Request:
        """What is asked of the engine; with a digest only that very plan."""
        begin = errand.desk.project.invocation("run")
        return Request(
            to=self.to,
            force="force" in self.consents,
            allow_poweroff="poweroff" in self.consents,
            hard_poweroff="hard" in self.consents,
            power_on="on" in self.consents,
            expect_digest=digest,
            invocation=begin,
        )


class Change(Generic[A]):
    """One change, from when it is asked for to its end. All of it but `carried` is of the screen's thread."""

    title: str

    def __init__(self, errand: Errand) -> None:
        self.errand = errand
        self.state: Literal["waiting", "running", "ended"] = "waiting"
        self.goings: dict[str, Going] = {}
        self.warnings: list[str] = []
        self.answer: A | None = None
        self.error: Exception | None = None
        self.stopped = False
        self.post: Post = lambda call: None
        self.progressed: Callable[[], None] = lambda: None
        self.told: Callable[[str, Mapping[str, Any]], None] = lambda event, data: None
        self._interrupt: Callable[[], None] | None = None

    def on_rows(self) -> dict[Key, Going]:
        """How far each move is, by the key of its row."""
        keys = {row.standing.name: row.key for row in self.errand.rows}
        return {keys[name]: going for name, going in self.goings.items()}

    def carried(self) -> A:
        """Do it, on the thread that does changes."""
        raise NotImplementedError

    def outcome(self, signs: Signs) -> Outcome:
        """What came of it."""
        raise NotImplementedError

    @property
    def overtaken(self) -> bool:
        """Whether nothing was done because the world was another one than the plan that was approved."""
        return False

    @property
    def code(self) -> ExitCode:
        """What a command line would have ended with."""
        return self.error.exit_code if isinstance(self.error, ReassignError) else ExitCode.UNKNOWN

    def run(self) -> A:
        """Do it unless it was called off before it began."""
        if self.stopped:
            raise ReassignError("called off before anything was begun")
        self.post(self._began)
        return self.carried()

    def stop(self) -> None:
        """Begin nothing new and finish what was taken away."""
        self.stopped = True
        if self._interrupt:
            self._interrupt()

    def on_start(self, interrupt: Callable[[], None]) -> None:
        """Gets what stops it; on the thread that does changes."""
        self._interrupt = interrupt
        if self.stopped:
            interrupt()

    def _began(self) -> None:
        self.state = "running"
        self.progressed()

    def on_event(self, event: Event) -> None:
        """Hears of it; on the thread that does changes."""
        self.post(lambda: self._heard(event.event, event.data))

    def _heard(self, event: str, data: Mapping[str, Any]) -> None:
        if event == "warning" and data.get("message") not in self.errand.desk.project.warnings:
            self.warnings.append(str(data.get("message", "")))
        self.goings = heard(self.goings, event, data)
        self.told(event, data)
        self.progressed()


class MoveChange(Change["Report"]):
    """A plan that was approved: it is that plan that is carried out, or none."""

    def __init__(self, errand: Errand, wish: Wish, digest: str | None, approved: Iterable[Result], title: str) -> None:
        super().__init__(errand)
        self.wish, self.title = wish, title
        self._request = wish.request(errand, digest)
        self.approved = tuple(approved)
        self.goings = expected(self.approved)

    def carried(self) -> Report:
        desk, errand = self.errand.desk, self.errand
        return desk.carry(
            errand.rows, errand.groups, self._request, apply=True, on_event=self.on_event, on_start=self.on_start
        )

    @property
    def overtaken(self) -> bool:
        return only_the_digest(self.answer)

    @property
    def code(self) -> ExitCode:
        return super().code if self.answer is None else self.answer.code

    def outcome(self, signs: Signs) -> Outcome:
        if self.answer is None:
            return outcome_of_error(self.error or ReassignError("not done"), signs)
        return outcome_of(self.answer, signs, self.errand.own, self.errand.desk.project.warnings)


class HoldChange(Change["tuple[Held, ...]"]):
    """Keeping triggered requests away for some seconds; None lets them at it again."""

    def __init__(self, errand: Errand, for_s: float | None, title: str) -> None:
        super().__init__(errand)
        self.for_s, self.title = for_s, title

    def carried(self) -> tuple[Held, ...]:
        desk = self.errand.desk
        return desk.hold(self.errand.rows, self.for_s, on_event=self.on_event, on_start=self.on_start)

    @property
    def code(self) -> ExitCode:
        return super().code if self.answer is None else worst(held.code for held in self.answer)

    def outcome(self, signs: Signs) -> Outcome:
        if self.answer is None:
            return outcome_of_error(self.error or ReassignError("not done"), signs)
        return outcome_of_hold(self.answer, signs)


class Changes:
    """Those that are under way. `progressed`, `ended` and `told` (of events) are called on the screen's thread."""

    def __init__(
        self,
        lane: Lane,
        post: Post,
        progressed: Callable[[Change[Any]], None],
        ended: Callable[[Change[Any]], None],
        told: Callable[[Change[Any], str, Mapping[str, Any]], None],
    ) -> None:
        self._lane, self._post, self._progressed, self._ended, self._told = lane, post, progressed, ended, told
        self.under_way: list[Change[Any]] = []

    def begin(self, change: Change[Any]) -> None:
        """Have a change made when those before it are."""
        change.post = self._post
        change.progressed = lambda: self._progressed(change)
        change.told = lambda event, data: self._told(change, event, data)
        self.under_way.append(change)
        self._lane.submit(change.run, lambda answer, error: self._over(change, answer, error))
        self._progressed(change)

    def before(self, change: Change[Any]) -> Change[Any] | None:
        """What it waits for; None once it is its turn."""
        return self.under_way[0] if self.under_way and self.under_way[0] is not change else None

    def stop(self) -> None:
        """Stop all of them in order."""
        for change in tuple(self.under_way):
            change.stop()

    def _over(self, change: Change[Any], answer: Any, error: Exception | None) -> None:
        change.state, change.answer, change.error = "ended", answer, error
        self.under_way.remove(change)
        self._ended(change)


def read_only(change: Change[Any]) -> bool:
    """Whether the token turned out to be one that may only read."""
    report = change.answer if isinstance(change, MoveChange) else None
    return token_may_only_read(report, change.error)
