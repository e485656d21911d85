"""Is the configuration sound: what the file alone shows, and what only the API knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hcloud_reassign.core.errors import Ambiguous, ExitCode, Missing, ReassignError, UsageError, worst
from hcloud_reassign.core.kind import Kind
from hcloud_reassign.core.model import Assignment, Found, Move, Request, Unreadable, World
from hcloud_reassign.core.objects import Network
from hcloud_reassign.core.planning import plan
from hcloud_reassign.core.steps import Denied, SetLabels, StepError, Steps, ask, one
from hcloud_reassign.engine.looking import Chosen, look
from hcloud_reassign.engine.outcome import denied_next, denied_text
from hcloud_reassign.engine.task import Task

if TYPE_CHECKING:
    from hcloud_reassign.engine.session import Session

Level = Literal["error", "warning", "info"]
MOST_ROUTES = 100
NEARLY = 90
SKEW_S = 5.0
_LASTING = ("zone", "not-in-network", "occupied", "no-interface", "lb-target", "ambiguous", "destination-off", "holder")
"""Guards that tell something about the configuration, and not about one request."""


@dataclass(frozen=True)
class Finding:
    """One thing that was found. `exit` is what an error ends with."""

    level: Level
    code: str
    message: str
    section: str | None = None
    key: str | None = None
    fix: str | None = None
    exit: ExitCode = ExitCode.USAGE

    def data(self) -> dict[str, Any]:
        """One entry of `findings` in the JSON document of `check`."""
        return {
            "level": self.level,
            "code": self.code,
            "section": self.section,
            "key": self.key,
            "message": self.message,
            "fix": self.fix,
        }


def exit_code(findings: Iterable[Finding]) -> ExitCode:
    """Warnings are no failure; the worst error is."""
    return worst(finding.exit for finding in findings if finding.level == "error")


def of_error(error: ReassignError) -> Finding:
    """What kept the check from going on, as a finding."""
    return Finding("error", error.code, error.message, error.object, error.key, error.next, error.exit_code)


def in_the_file(assignments: Iterable[Assignment], warnings: Iterable[str]) -> Iterator[Finding]:
    """What shows without asking anybody."""
    for warning in warnings:
        yield Finding("warning", "file", warning)
    seen: dict[tuple[object, ...], str] = {}
    for assignment in assignments:
        place = assignment.options.get("network") if assignment.type in ("route", "ip_alias") else None
        key = (assignment.type, assignment.resource, place)
        if key in seen:
            yield _twice(assignment.name, seen[key])
        seen.setdefault(key, assignment.name)
    if not seen:
        yield Finding("warning", "empty", "no section says what to move", fix="hcloud-reassign init writes them")


def _twice(name: str, other: str) -> Finding:
    return Finding(
        "warning",
        "twice",
        f"{other} and {name} are the same resource; a run of both is refused",
        section=name,
        fix="make them one section, or always name one of them",
    )


def at_the_api(session: Session, chosen: Chosen, told: Iterable[Finding] = ()) -> Iterator[Finding]:
    """What the API knows about the sections. Raises AccessError, FailedError."""
    world = look(session, chosen)
    known_twice = {finding.section for finding in told if finding.code == "twice"}
    seen: dict[tuple[object, ...], str] = {}
    for kind, assignment in chosen:
        found = _found(world, kind, assignment)
        if isinstance(found, Finding):
            yield found
            continue
        key = (kind.word, found.resource.id, found.resource.address)
        if key in seen and assignment.name not in known_twice:
            yield _twice(assignment.name, seen[key])
        seen.setdefault(key, assignment.name)
        yield from _servers(world, kind, assignment, found)
        yield from _obstacles(session, world, kind, assignment)
    yield from _crowded(world)
    yield from _skew(session)


def _found(world: World, kind: Kind, assignment: Assignment) -> Found | Finding:
    try:
        return kind.find(world, assignment)
    except Unreadable as error:
        return Finding(
            "error", "unreadable", f"cannot be read: {error}", assignment.name, fix="try again", exit=ExitCode.FAILED
        )
    except Ambiguous as error:
        return Finding("error", "ambiguous", error.message, assignment.name, "resource", "name it by its id")
    except UsageError as error:
        fix = f"write {error.suggestion}" if error.suggestion else error.next or "hcloud-reassign status --all"
        return Finding("error", "missing", error.message, assignment.name, "resource", fix)


def _servers(world: World, kind: Kind, assignment: Assignment, found: Found) -> Iterator[Finding]:
    """Everybody listed; only whom it shall go to must exist."""
    keys = (
        ("destination", (assignment.destination,)),
        ("source", (assignment.source,)),
        ("members", assignment.members),
    )
    for key, names in keys:
        for name in names:
            if not name:
                continue
            try:
                kind.holder_named(world, found, name)
            except Ambiguous as error:
                yield Finding("error", "ambiguous", error.message, assignment.name, key, "name it by its id")
            except (Missing, UsageError) as error:
                level: Level = "error" if key == "destination" else "warning"
                fix = f"write {error.suggestion}" if error.suggestion else error.next or f"mend {key}"
                yield Finding(level, "missing", error.message, assignment.name, key, fix)
            except Unreadable as error:
                yield Finding("error", "unreadable", str(error), assignment.name, key, exit=ExitCode.FAILED)


def _obstacles(session: Session, world: World, kind: Kind, assignment: Assignment) -> Iterator[Finding]:
    """What a move to each of those listed would meet, as far as it lasts."""
    told = set()
    for name in assignment.listed:
        request = Request(to=name, allow_poweroff=True)
        (move,) = plan(world, [(kind, assignment)], (), request, session.situation()).moves
        for finding in _met(move, name):
            if finding not in told:
                told.add(finding)
                yield finding


def _met(move: Move, to: str) -> Iterator[Finding]:
    for warning in move.warnings:
        if "is listed, but" not in warning:
            yield Finding("warning", "move", warning, move.name)
    refusal = move.refusal
    if refusal is not None and refusal.guard in _LASTING:
        where = "" if refusal.guard in ("holder", "ambiguous") else f"to {to}: "
        yield Finding("warning", refusal.guard, where + refusal.message, move.name, fix=refusal.next)
    elif move.usage_error and move.message and "there is no" not in move.message:
        yield Finding("error", "move", f"to {to}: {move.message}", move.name, fix=move.next)


def _crowded(world: World) -> Iterator[Finding]:
    for network in world.all(Network) if world.has(Network) else ():
        if len(network.routes) >= NEARLY:
            yield Finding(
                "warning",
                "routes",
                f"the network {network.name} has {len(network.routes)} of {MOST_ROUTES} routes",
                fix="remove the stale ones; a move of a route keeps the number",
            )


def _skew(session: Session) -> Iterator[Finding]:
    skew_s = session.border.clock_skew_s()
    if skew_s is not None and abs(skew_s) > SKEW_S:
        way = "ahead of" if skew_s > 0 else "behind"
        yield Finding(
            "warning",
            "clock",
            f"the clock of this machine is {abs(skew_s):.0f} s {way} Hetzner's",
            fix="let NTP set it: a trigger from here would be judged late, or as made in the future",
        )


UNKNOWN_RIGHTS = Finding(
    "info",
    "token",
    "what the token may do is not known until something is written",
    fix="hcloud-reassign check --probe-write rewrites the labels of one resource unchanged",
)


def probed(session: Session, chosen: Chosen) -> Finding:
    """Whether the token may write: one resource's labels, written as they are."""
    world = look(session, chosen)
    for kind, assignment in chosen:
        found = _found(world, kind, assignment)
        if isinstance(found, Found) and found.labelled is not None:
            return _probe(session, found)
    return Finding("warning", "token", "there is no resource whose labels could be written to try it")


def _probe(session: Session, found: Found) -> Finding:
    task = Task((), session.deadline, _rewritten(found))
    session.scheduler.run([task])
    if isinstance(task.error, Denied):
        return Finding("error", "token", denied_text(task.error), fix=denied_next(task.error), exit=ExitCode.ACCESS)
    if isinstance(task.error, StepError):
        message = f"whether the token may write could not be tried: {task.error}"
        return Finding("error", "token", message, fix="try again", exit=ExitCode.FAILED)
    if task.error is not None:
        raise task.error
    return Finding("info", "token", f"the token may write (tried on {found.resource.name or found.resource.id})")


def _rewritten(found: Found) -> Steps[None]:
    cls, id = type(found.labelled), found.labelled.id
    fresh = yield from ask(one(cls, id))
    labels = dict(getattr(fresh, "labels", {}))
    yield SetLabels(cls, id, found.resource.name or str(id), labels, why="probe the labels of")
