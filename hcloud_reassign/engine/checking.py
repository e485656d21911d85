"""Is the configuration sound: what the file alone shows, and what only the API knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Literal

from hcloud_reassign.core.errors import Ambiguous, ExitCode, Missing, ReassignError, UsageError, worst
from hcloud_reassign.core.kind import Kind
from hcloud_reassign.core.model import Assignment, Found, Move, Request, Unreadable, World
from hcloud_reassign.core.objects import Network, PrimaryIp, Server
from hcloud_reassign.core.planning import plan
from hcloud_reassign.core.steps import Denied, SetLabels, StepError, Steps, ask, one
from hcloud_reassign.engine.looking import Chosen, look
from hcloud_reassign.engine.outcome import denied_next, denied_text
from hcloud_reassign.engine.task import Task

if TYPE_CHECKING:
    from hcloud_reassign.engine.session import Session

Level = Literal["error", "warning", "info"]
Sections = Sequence[tuple[Kind, Assignment, Found]]
"""The sections whose resource was found."""
MOST_ROUTES = 100
NEARLY = 90
SKEW_S = 5.0
_LASTING = ("zone", "not-in-network", "occupied", "no-interface", "lb-target", "ambiguous", "destination-off", "holder")
"""Guards that tell something about the configuration, and not about one request."""
_SAME = "the same source and destination"
_DIES = "auto_delete is set: "
_ANSWERED_HERE = ("ip_floating", "ip_alias")
"""What a server answers for only when its own system has the address."""


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


def of_trigger(error: ReassignError) -> Finding:
    """A secret of a trigger that cannot be read. A warning: the file may be meant for other hosts as well."""
    return Finding("warning", "trigger", error.message, error.object, error.key, "put it there, if this host triggers")


def in_the_file(
    assignments: Iterable[Assignment], warnings: Iterable[str], exposed: Iterable[Finding] = ()
) -> Iterator[Finding]:
    """What shows without asking anybody. `exposed`: secrets that others may read, of which `warnings` tells too."""
    exposed = tuple(exposed)
    told_below = (*(f"{finding.message}; {finding.fix}" for finding in exposed), _SAME)
    for warning in warnings:
        if not warning.endswith(told_below):
            yield Finding("warning", "file", warning)
    yield from exposed
    seen: dict[tuple[object, ...], str] = {}
    for assignment in assignments:
        place = assignment.options.get("network") if assignment.type in ("route", "ip_alias") else None
        key = (assignment.type, assignment.resource, place)
        if key in seen:
            yield _twice(assignment.name, seen[key])
        seen.setdefault(key, assignment.name)
        if assignment.source and assignment.source == assignment.destination:
            yield _same_server(assignment)
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


def _same_server(assignment: Assignment) -> Finding:
    return Finding(
        "warning",
        "same-server",
        f"source and destination are the same server, {assignment.destination}: nothing is ever moved",
        assignment.name,
        "destination",
        "name the server that takes over as destination",
    )


def at_the_api(session: Session, chosen: Chosen, told: Iterable[Finding] = ()) -> Iterator[Finding]:
    """What the API knows about the sections. Raises AccessError, FailedError."""
    world = look(session, chosen)
    known = {(finding.code, finding.section) for finding in told}
    sections = []
    for kind, assignment in chosen:
        found = _found(world, kind, assignment)
        if isinstance(found, Finding):
            yield found
        else:
            sections.append((kind, assignment, found))
    for finding in (*_each(session, world, sections), *_not_here(session, world, sections)):
        if (finding.code, finding.section) not in known or finding.code not in ("twice", "same-server"):
            yield finding
    yield from _skew(session)


def _each(session: Session, world: World, sections: Sections) -> Iterator[Finding]:
    """Section by section."""
    seen: dict[tuple[object, ...], str] = {}
    crowded: set[int] = set()
    for kind, assignment, found in sections:
        key = (kind.word, found.resource.id, found.resource.address)
        if key in seen:
            yield _twice(assignment.name, seen[key])
        seen.setdefault(key, assignment.name)
        yield from _servers(world, kind, assignment, found)
        yield from _one_server(world, kind, assignment, found)
        yield from _dies_with_its_server(assignment, found)
        yield from _obstacles(session, world, kind, assignment)
        if isinstance(found.labelled, Network) and kind.word == "route" and found.labelled.id not in crowded:
            crowded.add(found.labelled.id)
            yield from _crowded(assignment, found.labelled)


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


def _one_server(world: World, kind: Kind, assignment: Assignment, found: Found) -> Iterator[Finding]:
    """One server under two names."""
    if not assignment.source or not assignment.destination:
        return
    try:
        keys = {kind.holder_named(world, found, name).key for name in (assignment.source, assignment.destination)}
    except (Ambiguous, Missing, UsageError, Unreadable):
        return
    if len(keys) == 1:
        yield _same_server(assignment)


def _dies_with_its_server(assignment: Assignment, found: Found) -> Iterator[Finding]:
    address = found.labelled
    if isinstance(address, PrimaryIp) and address.auto_delete:
        yield Finding(
            "warning",
            "auto-delete",
            f"auto_delete is set on {address.name}: who deletes the server that has it deletes the address as well",
            assignment.name,
            "resource",
            f"hcloud primary-ip update {address.id} --auto-delete=false",
        )


def _not_here(session: Session, world: World, sections: Sections) -> Iterator[Finding]:
    """Addresses that this machine shall answer for, being one of the servers listed, and does not know as its own."""
    answered = [section for section in sections if section[0].word in _ANSWERED_HERE]
    here = _this_server(session, world) if answered else None
    if here is None:
        return
    mine = [
        (kind, assignment, found)
        for kind, assignment, found in answered
        if found.resource.address and _lists(world, kind, assignment, found, here)
    ]
    missing = session.border.not_local([found.resource.address for _, _, found in mine])
    for kind, assignment, found in mine:
        if found.resource.address in missing:
            yield Finding(
                "warning",
                "not-configured",
                f"this machine is {here.name}, and no interface of it has {found.resource.address}: "
                "what is sent there would not be answered",
                assignment.name,
                "resource",
                f"{_adding(kind, str(found.resource.address))}, and write it into the network configuration; "
                "where keepalived or the like adds it, all is well",
            )


def _this_server(session: Session, world: World) -> Server | None:
    """The server that this program runs on, by the metadata service; elsewhere by the hostname."""
    if not world.has(Server):
        return None
    id = session.border.this_server()
    if id is not None:
        return world.get(Server, id)
    by_name = {server.name: server for server in world.all(Server)}
    return next((by_name[name] for name in session.border.host_names() if name in by_name), None)


def _lists(world: World, kind: Kind, assignment: Assignment, found: Found, here: Server) -> bool:
    for name in assignment.listed:
        try:
            if kind.holder_named(world, found, name).id == here.id:
                return True
        except (Ambiguous, Missing, UsageError, Unreadable):
            continue
    return False


def _adding(kind: Kind, address: str) -> str:
    """The command that adds it until the next reboot: of a range its first address, as Hetzner's own pages do."""
    network = ip_network(address, strict=False)
    one = f"{network[1]}/{network.prefixlen}" if network.num_addresses > 1 else f"{network[0]}/{network.max_prefixlen}"
    device = "eth0" if kind.word == "ip_floating" else "DEVICE (that of the network)"
    return f"ip addr add {one} dev {device}"


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
        if "is listed, but" not in warning and not warning.startswith(_DIES):
            yield Finding("warning", "move", warning, move.name)
    refusal = move.refusal
    if refusal is not None and refusal.guard in _LASTING:
        where = "" if refusal.guard in ("holder", "ambiguous") else f"to {to}: "
        yield Finding("warning", refusal.guard, where + refusal.message, move.name, fix=refusal.next)
    elif move.usage_error and move.message and "there is no" not in move.message:
        yield Finding("error", "move", f"to {to}: {move.message}", move.name, fix=move.next)


def _crowded(assignment: Assignment, network: Network) -> Iterator[Finding]:
    if len(network.routes) >= NEARLY:
        yield Finding(
            "warning",
            "routes",
            f"the network {network.name} has {len(network.routes)} of {MOST_ROUTES} routes",
            assignment.name,
            "resource",
            "remove the stale ones; a move of a route keeps the number",
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
