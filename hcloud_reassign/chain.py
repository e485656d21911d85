"""The verb chain on one session: observe, plan, check, apply, verify; and the report of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hcloud_reassign.core.errors import ExitCode, ReassignError
from hcloud_reassign.core.kind import Kind
from hcloud_reassign.core.model import Assignment, Group, Plan, Refusal, Request, World

if TYPE_CHECKING:
    from hcloud_reassign.core.report import Result
    from hcloud_reassign.engine.session import Session


@dataclass(frozen=True)
class Selection:
    """What a command is about: assignments with their kinds, and the groups among them."""

    chosen: tuple[tuple[Kind, Assignment], ...]
    groups: tuple[Group, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def assignments(self) -> tuple[Assignment, ...]:
        return tuple(assignment for _, assignment in self.chosen)

    def without(self, names: Sequence[str]) -> Selection:
        """The same, but for some assignments."""
        return replace(self, chosen=tuple(pair for pair in self.chosen if pair[1].name not in names))


@dataclass(frozen=True)
class Report:
    """What a run or a plan came to. Times in unix milliseconds."""

    project: str
    started_ms: int
    finished_ms: int
    code: ExitCode
    results: tuple[Result, ...] = ()
    plan: Plan | None = None
    digest: str | None = None
    warnings: tuple[str, ...] = ()
    requests: int = 0
    rate_limit_remaining: int | None = None
    error: ReassignError | None = None

    def document(self, command: str) -> dict[str, Any]:
        """The JSON document of a command."""
        from hcloud_reassign.core import report

        return report.document(
            command,
            started_ms=self.started_ms,
            finished_ms=self.finished_ms,
            code=self.code,
            error=self.error,
            warnings=self.warnings,
            project=self.project,
            requests=self.requests,
            rate_limit_remaining=self.rate_limit_remaining,
            digest=self.digest,
            results=self.results,
        )


class Chain:
    """The verbs in their order, each usable by itself. Raises what its session raises."""

    def __init__(self, project: str, api_url: str, session: Session, selection: Selection, request: Request) -> None:
        self._project, self._api_url = project, api_url
        self._session, self._selection, self._request = session, selection, request
        self._started_ms = int(session.clock.wall() * 1000)
        self._plan: Plan | None = None
        self._digest: str | None = None

    def observe(self) -> World:
        """Everything that the assignments need, and where this program runs if that matters."""
        session, chosen = self._session, self._selection.chosen
        session.here = self._here()
        return session.observe(chosen)

    def plan(self, world: World) -> tuple[Plan, World, str]:
        """The plan, the world it rests on, and its digest; all of it refused when another plan was approved."""
        from hcloud_reassign.core.report import digest, move_data, planned

        session, selection, request = self._session, self._selection, self._request
        self._remember_moves()
        made, world = session.plan(world, selection.chosen, selection.groups, request)
        found = digest(made, self._api_url)
        for warning in (*made.warnings, *(f"{move.name}: {text}" for move in made for text in move.warnings)):
            session.warn(warning)
        session.events.emit("planned", digest=found, moves=[move_data(planned(move)) for move in made])
        if request.expect_digest and request.expect_digest != found:
            made = _not_approved(made, request.expect_digest, found)
        self._plan, self._digest = made, found
        return made, world, found

    def apply(self, plan: Plan, world: World) -> tuple[Result, ...]:
        """Carry the plan out and verify it."""
        self._remember_moves()
        return self._session.apply(plan, world, self._selection.chosen, self._request)

    def report(self, *, apply: bool) -> Report:
        """All of it, or all but the last verb; what goes wrong on the way is in the report."""
        command = "run" if apply else "plan"
        self._session.events.emit("run.started", command=command, names=list(self._selection.named))
        try:
            results = self._results(apply)
        except ReassignError as error:
            report = self._report((), error.exit_code, error)
        else:
            report = self._report(results, self._code(results), None)
        self._session.events.emit("run.finished", **report.document(command))
        return report

    def _code(self, results: tuple[Result, ...]) -> ExitCode:
        """A run that was told to stop says so, also when all that it had begun came to its end."""
        from hcloud_reassign.core.report import exit_code

        code = exit_code(results)
        return ExitCode.INTERRUPTED if self._session.scheduler.interrupted and code != ExitCode.UNKNOWN else code

    def _results(self, apply: bool) -> tuple[Result, ...]:
        from hcloud_reassign.core.report import planned

        if not self._selection.chosen:
            return ()
        plan, world, _ = self.plan(self.observe())
        return self.apply(plan, world) if apply else tuple(planned(move) for move in plan)

    def _remember_moves(self) -> None:
        """What the journal knows of the last hour, where a section limits that."""
        session = self._session
        if session.journal and any(assignment.max_moves_per_hour for assignment in self._selection.assignments):
            from hcloud_reassign.core.guards import clock_time

            session.moved_last_hour = session.journal.moves_since(clock_time(self._started_ms - 3_600_000))

    def _here(self) -> int | None:
        """This server's id, asked for only where a move could cut this machine off."""
        risky = any(
            kind.word == "ip_public" or assignment.options.get("network") == "0.0.0.0/0"
            for kind, assignment in self._selection.chosen
        )
        here: int | None = self._session.border.this_server() if risky else None
        return here

    def _report(self, results: tuple[Result, ...], code: ExitCode, error: ReassignError | None) -> Report:
        border = self._session.border
        return Report(
            self._project,
            self._started_ms,
            int(self._session.clock.wall() * 1000),
            code,
            results,
            self._plan,
            self._digest,
            tuple(self._session.warnings),
            border.requests - self._session.requests_before,
            border.rate_limit_remaining,
            error,
        )


def _not_approved(plan: Plan, expected: str, found: str) -> Plan:
    refusal = Refusal("digest", f"the plan's digest is {found}, approved was {expected}", "plan again and approve that")
    return plan.replaced([replace(move, outcome="refused", refusal=refusal) for move in plan.pending])
