"""What `trigger` does: the requests out of the options, their way, and what came of them as output."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hcloud_reassign.cli.documents import document
from hcloud_reassign.cli.opening import opened
from hcloud_reassign.cli.parsing import given, names_of, unix_ms, whole_ms
from hcloud_reassign.cli.session import Session, Stopped, now_ms
from hcloud_reassign.cli.text import Line, Piece, Style, columns, indented, line
from hcloud_reassign.core.errors import ExitCode, UsageError, nearest, worst
from hcloud_reassign.core.guards import clock_time

if TYPE_CHECKING:
    from hcloud_reassign.project import Project
    from hcloud_reassign.triggers.errand import Errand
    from hcloud_reassign.triggers.fields import Fields
    from hcloud_reassign.triggers.result import Outcome, Result, Way

ASKING_S, WAITING_S = 60.0, 600.0
"""How long it may take until all are accepted, and with --wait until all have ended, unless something else is said."""

_SHOWN: dict[Outcome, tuple[str, Style]] = {
    "planned": ("pending", "plain"),
    "accepted": ("done", "good"),
    "sent": ("pending", "warn"),
    "done": ("done", "good"),
    "failed": ("failed", "bad"),
    "unknown": ("unknown", "bad"),
    "interrupted": ("unknown", "warn"),
}


@dataclass(frozen=True)
class Asked:
    """The options of `trigger`, as typed."""

    name: str
    resources: Sequence[str]
    to: str
    issued_at: str | None
    age: str | None
    by: str | None
    wait: bool
    dry: bool


def ask(session: Session, asked: Asked) -> ExitCode:
    """Ask for each resource; nothing is asked of Hetzner. Raises ReassignError before anything is sent."""
    started = time.monotonic()
    if session.options.output == "jsonl":
        raise UsageError("trigger is text or json", object="--output", next="-o json")
    names = names_of(asked.resources)
    issued_ms = None if asked.issued_at is None else unix_ms("--issued-at", asked.issued_at)
    age_ms = None if asked.age is None else whole_ms("--age", asked.age)
    if age_ms is not None and issued_ms is None:
        raise UsageError("--age needs --issued-at", object="--age", next="give both, or none of them")
    by = given("--by", asked.by)
    to = given("--to", asked.to) or ""
    project = opened(session, session.one_file())
    fields = [_fields(project, name, to, issued_ms, age_ms, by) for name in names]
    warnings = _Warnings(session, [*project.warnings, *_odd_names(project, names)])
    ways = _ways(project, asked.name, warnings)
    if asked.dry:
        results = [_planned(one, ways) for one in fields]
    else:
        results = _carried_out(session, fields, ways, asked.wait, started + _limit_s(project, asked.wait))
    code = worst(result.code for result in results)
    _show(session, results, code, warnings.told)
    return code


class _Warnings:
    """Told at once, and kept for the document."""

    def __init__(self, session: Session, first: Sequence[str]) -> None:
        self._session, self.told = session, list[str]()
        for warning in first:
            self(warning)

    def __call__(self, warning: str) -> None:
        self.told.append(warning)
        self._session.writer.say(f"warning: {warning}", always=True)


def _fields(project: Project, name: str, to: str, issued_ms: int | None, age_ms: int | None, by: str | None) -> Fields:
    from hcloud_reassign.triggers.fields import Fields, host_like

    now, here = now_ms(), project.own_name()
    issued_ms = now if issued_ms is None else issued_ms
    age_ms = max(now - issued_ms, 0) if age_ms is None else age_ms
    return Fields(name, here if to == "self" else to, issued_ms, age_ms, by or host_like(here))


def _odd_names(project: Project, names: Sequence[str]) -> list[str]:
    """Names that this machine's file may know: those that are executed are in another one, which decides."""
    known = [*project.names(), *(group.name for group in project.settings.groups)]
    near = {name: nearest(name, known) for name in names if name not in known}
    return [
        f"there is no section or group {name!r} in {project.file}; did you mean {word!r}? It is sent as typed"
        for name, word in near.items()
        if word
    ]


def _ways(project: Project, name: str, warn: _Warnings) -> tuple[Way, ...]:
    from hcloud_reassign.triggers.opening import ways

    return ways(name, project.settings.triggers, project.secret, warn, project.file)


def _limit_s(project: Project, wait: bool) -> float:
    """A little less than was allowed: to start and to tell the outcome take time as well, and a hook may be killed."""
    return 0.95 * project.timeout_s(WAITING_S if wait else ASKING_S)


def _planned(fields: Fields, ways: Sequence[Way]) -> Result:
    from hcloud_reassign.triggers.result import Result

    request = ways[0].request(fields)
    message = f"{request.method} {request.url} with {fields.told}"
    return Result(fields, ways[0], "planned", ExitCode.OK, message=message)


def _carried_out(
    session: Session, fields: Sequence[Fields], ways: Sequence[Way], wait: bool, until: float
) -> list[Result]:
    from hcloud_reassign.triggers.errand import Errand, carry_out
    from hcloud_reassign.triggers.http import send

    def tell(text: str, loud: bool) -> None:
        if loud or session.options.verbose:
            session.writer.say(Piece(f"{clock_time(now_ms())[11:23]} ", "dim"), text)

    errands = [Errand(one, ways, follow=wait, clock=time.monotonic, send=send, tell=tell) for one in fields]
    session.at_risk = True
    try:
        carry_out(errands, until, time.monotonic, time.sleep)
    except (Stopped, KeyboardInterrupt):
        return _interrupted(errands)
    return [errand.result for errand in errands if errand.result]


def _interrupted(errands: Sequence[Errand]) -> list[Result]:
    for errand in errands:
        if errand.result is None:
            errand.interrupt()
    return [errand.result for errand in errands if errand.result]


def _show(session: Session, results: Sequence[Result], code: ExitCode, warnings: Sequence[str]) -> None:
    if session.machine:
        session.answer(document(session, code, warnings=warnings, triggers=[_data(result) for result in results]))
        return
    writer = session.writer
    rows = columns([_row(session, result) for result in results])
    for row, result in zip(rows, results, strict=True):
        writer.lines([row, *indented(_below(result), 4)])


def _row(session: Session, result: Result) -> list[Piece]:
    symbol, style = _SHOWN[result.outcome]
    writer, fields = session.writer, result.fields
    return [
        Piece(f"{writer.symbol(symbol)} {result.outcome}", style),
        Piece(fields.resource, "bold"),
        Piece(f"{writer.symbol('arrow')} {fields.to}"),
        Piece(f"{result.way.name} ({result.way.trigger.title})"),
        Piece(result.url or "", "dim"),
    ]


def _below(result: Result) -> list[Line]:
    found = [line(result.message)] if result.message else []
    return found + ([line(Piece("next:    ", "bold"), result.next)] if result.next else [])


def _data(result: Result) -> dict[str, Any]:
    fields, accepted = result.fields, result.accepted
    return {
        "resource": fields.resource,
        "to": fields.to,
        "issued_at": clock_time(fields.issued_at_ms),
        "age_ms": fields.age_ms,
        "by": fields.by,
        "trigger": result.way.name,
        "type": result.way.trigger.section.word,
        "outcome": result.outcome,
        "tries": result.tries,
        "id": accepted.id if accepted else None,
        "url": result.url,
        "run": result.run,
        "message": result.message,
        "next": result.next,
    }
