"""What `run` and `plan` share: the request out of the options, and the report of the engine as output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hcloud_reassign.cli.opening import opened
from hcloud_reassign.cli.parsing import duration_s, given, names_of, unix_ms, whole_ms
from hcloud_reassign.cli.progress import Event, Progress
from hcloud_reassign.cli.session import Session
from hcloud_reassign.core.errors import ExitCode, UsageError
from hcloud_reassign.core.model import Direction, Request

if TYPE_CHECKING:
    from hcloud_reassign.chain import Report
    from hcloud_reassign.project import Project


@dataclass(frozen=True)
class Wanted:
    """The options of `run` and `plan`, as typed."""

    names: Sequence[str] | None = None
    resources: Sequence[str] | None = None
    direction: str | None = None
    to: str | None = None
    force: bool = False
    allow_poweroff: bool = False
    hard_poweroff: bool = False
    power_on: bool = False
    issued_at: str | None = None
    age: str | None = None
    max_age: str | None = None
    expect_digest: str | None = None
    by: str | None = None
    dry: bool = False


@dataclass(frozen=True)
class Ended:
    """What came of it; `last` is the event that ends a run."""

    report: Report
    project: Project
    last: Event | None


def carry_out(session: Session, wanted: Wanted) -> Ended:
    """Observe and plan, and unless it is only a plan apply and verify."""
    names = names_of(wanted.names, wanted.resources)
    request = _request(wanted, names)
    project = opened(session, session.one_file(), by=given("--by", wanted.by))
    request = _completed(request, project)
    progress = Progress(session.writer, session.options.verbose, jsonl=session.options.output == "jsonl")
    verb: Callable[..., Report] = project.plan if wanted.dry else project.run
    session.at_risk = not wanted.dry
    try:
        report = verb(names, request, on_event=progress)
    finally:
        progress.finish()
    session.code_so_far = report.code
    return Ended(report, project, progress.last)


def to_do_exactly_this(wanted: Wanted, project: Project, digest: str) -> str:
    """The command line that carries out the plan that was shown, and nothing else."""
    from shlex import join

    options = [("--to", wanted.to), ("--direction", wanted.direction), ("--expect-digest", digest)]
    flags = [("--force", wanted.force), ("--allow-poweroff", wanted.allow_poweroff)]
    words = [
        *names_of(wanted.names, wanted.resources),
        *(word for option, value in options if value for word in (option, value)),
        *(flag for flag, is_set in flags if is_set),
    ]
    return f"{project.invocation('run')} {join(words)}"


def show(session: Session, ended: Ended, code: ExitCode, *, plan: bool) -> None:
    """The report in the form that was asked for, and everywhere else that it goes."""
    from hcloud_reassign.cli import ci, reportfile

    report = ended.report
    document = {**report.document(session.command or "run"), "exit_code": int(code), "outcome": code.word}
    if session.options.output == "text":
        _as_text(session, report, plan)
    else:
        last = ended.last.as_data() if ended.last and session.options.output == "jsonl" else {}
        session.answer({**last, **document})
    reportfile.write(session, document)
    ci.results(session, report.results)


def _as_text(session: Session, report: Report, plan: bool) -> None:
    from hcloud_reassign.cli import ci, render
    from hcloud_reassign.cli.text import line

    writer = session.writer
    verbose = session.options.verbose > 0
    writer.lines(render.results(report.results, writer, steps=plan or verbose, verbose=verbose))
    if plan and report.digest and any(result.outcome == "pending" for result in report.results):
        writer.lines([line(f"digest {report.digest}")])
    if report.error is not None:
        from hcloud_reassign.cli.failing import error_lines

        writer.narrate(error_lines(report.error))
    took = (report.finished_ms - report.started_ms) / 1000
    nothing = "nothing was done" if report.error else "nothing to do"
    writer.say(f"{render.counted(report.results) or nothing}; {took:.1f} s, {report.requests} requests")
    ci.folded(session, "hcloud-reassign: every step", render.details(report.results))


def _request(wanted: Wanted, names: Sequence[str]) -> Request:
    to, direction = given("--to", wanted.to), _direction(wanted)
    issued_at = None if wanted.issued_at is None else unix_ms("--issued-at", wanted.issued_at)
    if issued_at is not None and not names:
        raise UsageError(
            "--issued-at needs a NAME: a triggered request never means everything",
            object="NAME",
            next="set the variable that the NAME comes from",
        )
    if wanted.age is not None and issued_at is None:
        raise UsageError("--age goes with --issued-at", object="--age", next="give both, or neither")
    request = Request(
        to=to,
        direction=direction,
        force=wanted.force,
        allow_poweroff=wanted.allow_poweroff,
        hard_poweroff=wanted.hard_poweroff,
        power_on=wanted.power_on,
        issued_at_ms=issued_at,
        age_ms=0 if wanted.age is None else whole_ms("--age", wanted.age),
        expect_digest=given("--expect-digest", wanted.expect_digest),
    )
    return request if wanted.max_age is None else replace(request, max_age_s=duration_s("--max-age", wanted.max_age))


def _direction(wanted: Wanted) -> Direction:
    if wanted.to is not None and wanted.direction is not None:
        raise UsageError("--to and --direction exclude each other", object="--to", next="give one of them")
    return "src" if wanted.direction == "src" else "dest"


def _completed(request: Request, project: Project) -> Request:
    """What is known only when the project is open: who `self` is, and how a command for it begins."""
    to = project.resolve_self() if request.to == "self" else request.to
    return replace(request, to=to, invocation=project.invocation("run"))
