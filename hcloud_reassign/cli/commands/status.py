"""`status`: who holds what."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hcloud_reassign.cli import completion, several
from hcloud_reassign.cli.documents import document
from hcloud_reassign.cli.parsing import names_of, pairs
from hcloud_reassign.cli.session import Session, Stopped, now_ms
from hcloud_reassign.core.errors import ExitCode, Missing, ReassignError, UsageError, worst

if TYPE_CHECKING:
    from hcloud_reassign.project import Standing

REFRESH_S = 5.0


def command(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help="Sections or groups; none means all.", autocompletion=completion.names
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="The whole project, not only what is configured.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Keep it current until Ctrl-C.")] = False,
    expect: Annotated[
        list[str] | None,
        typer.Option("--expect", metavar="NAME=SERVER", help="Exit 1 unless this server holds it."),
    ] = None,
) -> ExitCode:
    """Show who holds what."""
    session: Session = ctx.obj
    if watch and session.options.output == "json":
        raise UsageError("status --watch is text or jsonl", object="--output", next="-o jsonl")
    expected = pairs("--expect", expect or ())
    look = _Look(session, several.looking(session, names_of(names), everything), expected)
    return _watch(look) if watch else look.shown(look.now())


@dataclass(frozen=True)
class _Seen:
    """One look at all the projects. `names` are as typed: with several projects `prod:floating.web`."""

    standings: tuple[Standing, ...]
    prefixes: tuple[str, ...]
    warnings: tuple[str, ...]
    code: ExitCode
    expectations: tuple[dict[str, Any], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{p}:{s.name}" if p else s.name for p, s in zip(self.prefixes, self.standings, strict=True))


class _Look:
    """Looks, and shows what it saw."""

    def __init__(self, session: Session, looks: Sequence[several.Looking], expected: Sequence[tuple[str, str]]) -> None:
        self.session, self._looks, self._expected = session, looks, expected

    def now(self) -> _Seen:
        """Raises AccessError, FailedError; Missing for an expectation of something that is not there."""
        standings: list[Standing] = []
        prefixes: list[str] = []
        warnings: list[str] = []
        for look in self._looks:
            status = look.now()
            standings += status.standings
            prefixes += [look.prefix] * len(status.standings)
            warnings += status.warnings
        seen = _Seen(tuple(standings), tuple(prefixes), tuple(warnings), ExitCode.OK, ())
        expectations = tuple(_expectation(seen, name, server) for name, server in self._expected)
        failed = ExitCode.OK if all(expectation["met"] for expectation in expectations) else ExitCode.FAILED
        code = worst([failed, *(standing.code for standing in standings)])
        return _Seen(seen.standings, seen.prefixes, seen.warnings, code, expectations)

    def shown(self, seen: _Seen) -> ExitCode:
        session = self.session
        if session.machine:
            document = self.document(seen)
            event = {"event": "status", "time": document["finished"], "seq": 1, "run": None}
            session.answer({**event, **document} if session.options.output == "jsonl" else document)
        else:
            for warning in seen.warnings:
                session.writer.say(f"warning: {warning}", always=True)
            self.as_text(seen)
        return seen.code

    def document(self, seen: _Seen) -> dict[str, Any]:
        resources = [
            {**standing.data(), "name": name, "project": look_name}
            for standing, name, look_name in zip(seen.standings, seen.names, self._project_names(seen), strict=True)
        ]
        return document(
            self.session, seen.code, warnings=seen.warnings, resources=resources, expectations=list(seen.expectations)
        )

    def _project_names(self, seen: _Seen) -> list[str | None]:
        return [prefix or self.session.project for prefix in seen.prefixes]

    def as_text(self, seen: _Seen) -> None:
        from hcloud_reassign.cli.looks import table
        from hcloud_reassign.cli.text import Piece, line

        writer = self.session.writer
        lines = table(seen.standings, writer, prefix=seen.prefixes)
        writer.lines(lines or [line("nothing there")])
        for expectation in seen.expectations:
            if not expectation["met"]:
                told = f"expected {expectation['name']} with {expectation['expected']}, but {expectation['found']}"
                writer.narrate([line(Piece("error: ", "bad"), told)])


def _expectation(seen: _Seen, name: str, server: str) -> dict[str, Any]:
    at = seen.names.index(name) if name in seen.names else None
    if at is None:
        raise Missing("resource", name, seen.names, next="hcloud-reassign status")
    standing = seen.standings[at]
    holder = standing.holder
    met = holder is not None and server in (holder.name, holder.address, str(holder.id))
    found = "it cannot be read" if standing.found is None else f"{holder} has it" if holder else "nobody has it"
    return {"name": name, "expected": server, "met": met, "found": found}


def _watch(look: _Look) -> ExitCode:
    """Every few seconds. On a terminal the picture is drawn anew, elsewhere it is told when it changed."""
    session, last, number = look.session, None, 0
    while True:
        try:
            seen: _Seen | ReassignError = look.now()
        except ReassignError as error:
            if last is None:
                raise
            seen = error
        number += 1
        if isinstance(seen, ReassignError):
            session.writer.say(f"warning: {seen.message}; the last picture stays", always=True)
        elif session.writer.out.terminal and not session.machine:
            session.writer.redraw()
            look.as_text(seen)
            session.writer.say(f"{session.project or ''} {time.strftime('%H:%M:%S')}, every {REFRESH_S:.0f} s")
        elif last is None or _told(seen) != _told(last):
            _tell(look, seen, number)
        last = seen if isinstance(seen, _Seen) else last
        if session.writer.out.error is not None:
            return ExitCode.OK
        try:
            time.sleep(REFRESH_S)
        except Stopped:
            return ExitCode.INTERRUPTED


def _told(seen: _Seen) -> list[dict[str, Any]]:
    return [standing.data() for standing in seen.standings]


def _tell(look: _Look, seen: _Seen, number: int) -> None:
    if look.session.machine:
        document = look.document(seen)
        event = {"event": "status", "time": document["finished"], "seq": number, "run": None}
        look.session.writer.json({**event, **document}, one_line=True)
        return
    from hcloud_reassign.cli.text import line
    from hcloud_reassign.core.guards import clock_time

    look.session.writer.lines([line(clock_time(now_ms()))])
    look.as_text(seen)
