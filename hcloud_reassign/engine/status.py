"""Who holds what, of what is configured and of the whole project, once or again and again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hcloud_reassign.core.errors import Ambiguous, ExitCode, UsageError, worst
from hcloud_reassign.core.kind import Kind
from hcloud_reassign.core.model import Assignment, Found, Holder, Situation, Unreadable, World
from hcloud_reassign.core.objects import Server
from hcloud_reassign.core.steps import LatestActions, ask
from hcloud_reassign.engine.inventory import numbered
from hcloud_reassign.engine.lastmove import LastMove, last_moves
from hcloud_reassign.engine.looking import Chosen, look
from hcloud_reassign.engine.standing import Standing, standings
from hcloud_reassign.engine.task import Task

if TYPE_CHECKING:
    from hcloud_reassign.engine.session import Session

YOUNG_S = 10.0
"""An action that began less than this ago is not trusted to be in what the API lists."""

Newest = tuple[tuple[int, str, float], ...] | None
"""Id, status and beginning (unix seconds) of the newest actions; None where they cannot be read."""


@dataclass(frozen=True)
class Status:
    """All of them, in the order of the file; what no section names comes last. `servers`: those that were seen."""

    project: str
    standings: tuple[Standing, ...]
    warnings: tuple[str, ...] = ()
    servers: tuple[Server, ...] = ()

    @property
    def code(self) -> ExitCode:
        return worst(standing.code for standing in self.standings)


class Looking:
    """Looks again and again: connections are kept, and last moves are read only when a holder changed."""

    def __init__(
        self,
        session: Session,
        chosen: Chosen,
        everything: Sequence[Kind],
        project: str,
        warnings: tuple[str, ...],
        limit_s: float,
    ) -> None:
        self._session, self._chosen, self._everything = session, chosen, everything
        self._project, self._warnings, self._limit_s = project, warnings, limit_s
        self._known: dict[str, tuple[Holder | None, LastMove | None]] = {}
        self._status: Status | None = None
        self._newest: Newest = None

    @property
    def classes(self) -> tuple[type, ...]:
        """What a look reads, each class once: so many requests does a glance take."""
        return tuple(dict.fromkeys(read.cls for kind, assignment in self._all for read in kind.reads(assignment)))

    @property
    def _all(self) -> Chosen:
        return [*self._chosen, *((kind, Assignment("", kind.word)) for kind in self._everything)]

    def glance(self) -> Status:
        """The last status, the very object, as long as the API has begun and ended no action since; else a whole look.

        What changes without an action does not show in it: labels, names, a server that goes off by itself. Raises as
        a whole look does.
        """
        self._session.limit(self._limit_s)
        newest = self._newest_actions()
        if self._status is not None and newest is not None and newest == self._newest and self._over(newest):
            return self._status
        # Asked before the lists: what is begun while these are read is newer than both.
        self._newest = newest
        return self()

    def _newest_actions(self) -> Newest:
        reads = [LatestActions(of=cls, id=None) for cls in self.classes]
        tasks = [Task((), self._session.deadline, ask(read)) for read in reads]
        self._session.scheduler.run(tasks)
        if any(task.error for task in tasks):
            return None
        return tuple((action.id, action.status, action.started) for task in tasks for action in task.answer)

    def _over(self, newest: Iterable[tuple[int, str, float]]) -> bool:
        """Whether none of them runs, or is so young that the lists may not show yet what came of it."""
        now_s = self._session.situation().now_ms / 1000
        return all(status != "running" and now_s - started > YOUNG_S for _, status, started in newest)

    def __call__(self) -> Status:
        """One look. Raises AccessError for a refused token, FailedError when nothing could be read."""
        self._session.limit(self._limit_s)
        world = look(self._session, self._all)
        world = self._confirmed(world)
        situation = self._session.situation()
        seen = standings(world, self._chosen, situation)
        seen += tuple(self._others(world, seen, situation))
        warnings = (*self._warnings, *self._session.warnings)
        servers = world.all(Server) if world.has(Server) else ()
        self._status = Status(self._project, self._with_last_moves(world, seen), warnings, servers)
        return self._status

    def _confirmed(self, world: World) -> World:
        """The same world, read a second time where "nobody" was seen: an alias may be a load balancer's."""
        again = [read for kind, found in self._found(world) if found.holder is None for read in kind.again(found)]
        return self._session.read(again, world) if again else world

    def _found(self, world: World) -> Iterable[tuple[Kind, Found]]:
        for kind, assignment in self._chosen:
            try:
                yield kind, kind.find(world, assignment)
            except (Unreadable, Ambiguous, UsageError):
                continue

    def _others(self, world: World, seen: Sequence[Standing], situation: Situation) -> Iterable[Standing]:
        """What the project has and no section names. A kind that cannot be read is left out when sections show it."""
        known, names = {standing.identity for standing in seen}, {standing.name for standing in seen}
        for kind in self._everything:
            try:
                found = [(kind, assignment) for assignment in kind.inventory(world)]
            except Unreadable as error:
                yield Standing(
                    Assignment(f"all of {kind.word}", kind.word),
                    "unreadable",
                    configured=False,
                    message=f"cannot be listed: {error}",
                    code=ExitCode.FAILED,
                )
                continue
            for standing in standings(world, found, situation, configured=False):
                if standing.identity not in known:
                    name = numbered(standing.name, names)
                    names.add(name)
                    yield replace(standing, assignment=replace(standing.assignment, name=name))

    def _with_last_moves(self, world: World, seen: Sequence[Standing]) -> tuple[Standing, ...]:
        news = [s for s in seen if s.configured and s.found and not self._knows(s)]
        found = last_moves(self._session, world, [(s.name, s.found) for s in news if s.found])
        self._known.update({s.name: (s.holder, found.get(s.name)) for s in news})
        return tuple(replace(s, last_move=self._known[s.name][1]) if s.name in self._known else s for s in seen)

    def _knows(self, standing: Standing) -> bool:
        return standing.name in self._known and self._known[standing.name][0] == standing.holder
