"""`check`: is the configuration sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from hcloud_reassign.cli import several
from hcloud_reassign.cli.documents import document
from hcloud_reassign.cli.parsing import given
from hcloud_reassign.cli.progress import looking_on
from hcloud_reassign.cli.session import Session
from hcloud_reassign.cli.text import Line, Piece, Style, line
from hcloud_reassign.core.errors import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from hcloud_reassign.project import Finding

    Findings = Sequence[tuple[str, Finding]]
    """Each with the name of its project where there are several."""

_KEEPALIVED = "/etc/keepalived/keepalived.conf"
_SHOWN: Mapping[str, tuple[str, Style]] = {
    "error": ("failed", "bad"),
    "warning": ("refused", "warn"),
    "info": ("unchanged", "plain"),
}


def command(
    ctx: typer.Context,
    offline: Annotated[bool, typer.Option("--offline", help="Look at the file alone.")] = False,
    probe_write: Annotated[
        bool,
        typer.Option(
            "--probe-write", help="Find out whether the token may write: rewrite one resource's labels as is."
        ),
    ] = False,
    keepalived: Annotated[
        bool, typer.Option("--keepalived", help="Look at this host's keepalived.conf instead, and at its scripts.")
    ] = False,
    keepalived_config: Annotated[
        str | None, typer.Option("--keepalived-config", metavar="FILE", help=f"Not {_KEEPALIVED} but this file.")
    ] = None,
) -> ExitCode:
    """Check the configuration, by itself and against the API."""
    session: Session = ctx.obj
    file = given("--keepalived-config", keepalived_config) or (_KEEPALIVED if keepalived else None)
    if session.options.output == "jsonl":
        raise UsageError("check is text or json", object="--output", next="-o json")
    if (offline or bool(file)) and probe_write:
        other = "--offline" if offline else "--keepalived"
        raise UsageError(f"{other} and --probe-write exclude each other", object=other, next="give one of them")
    findings = _of_keepalived(file) if file else _of_projects(session, offline=offline, probe_write=probe_write)
    code = worst(finding.exit for _, finding in findings if finding.level == "error")
    if session.machine:
        data = [{**finding.data(), "project": project or session.project} for project, finding in findings]
        session.answer(document(session, code, findings=data))
    else:
        _as_text(session, findings)
    return code


def _of_projects(session: Session, *, offline: bool, probe_write: bool) -> Findings:
    projects = several.projects(session)
    with looking_on(session) as progress:
        return [
            (project.name if len(projects) > 1 else "", finding)
            for project in projects
            for finding in project.check(offline=offline, probe_write=probe_write, on_event=progress)
        ]


def _of_keepalived(file: str) -> Findings:
    """Without a file of ours and without the API: a server that only triggers has neither."""
    from hcloud_reassign.project import check_keepalived

    return [("", finding) for finding in check_keepalived(file)]


def _as_text(session: Session, findings: Findings) -> None:
    writer = session.writer
    for project, finding in findings:
        symbol, style = _SHOWN[finding.level]
        where = ", ".join(part for part in (f"{project}:{finding.section or ''}".strip(":"), finding.key) if part)
        place = Piece(f"{where}: " if where else "", "bold")
        writer.lines([line(Piece(f"{writer.symbol(symbol)} {finding.level:<8}", style), place, finding.message)])
        if finding.fix:
            writer.lines([line(Piece("    next:    ", "bold"), finding.fix)])
    if not any(finding.level != "info" for _, finding in findings):
        writer.lines([_sound(session)])


def _sound(session: Session) -> Line:
    return line(Piece(f"{session.writer.symbol('done')} sound", "good"))
