"""`plan`: what `run` would do."""

from typing import Annotated, Literal

import typer

from hcloud_reassign.cli import completion, reportfile
from hcloud_reassign.cli.running import Wanted, carry_out, show, to_do_exactly_this
from hcloud_reassign.cli.session import Session
from hcloud_reassign.core.errors import ExitCode


def command(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help="Sections or groups; none means all.", autocompletion=completion.names
        ),
    ] = None,
    resources: Annotated[
        list[str] | None,
        typer.Option("--resource", "-r", metavar="NAME", help="Another NAME.", autocompletion=completion.names),
    ] = None,
    direction: Annotated[
        Literal["dest", "src"] | None,
        typer.Option("--direction", "-d", help="To the destination (default), or back to the source."),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="SERVER", help="To this one of the listed servers; self is this machine."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="As if the guards that may be passed were passed.")] = False,
    allow_poweroff: Annotated[
        bool, typer.Option("--allow-poweroff", help="As if stopping servers were allowed.")
    ] = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 10 when there is something to do.")
    ] = False,
    report: Annotated[
        str | None, typer.Option("--report", metavar="FILE", help="Also write the JSON document there.")
    ] = None,
) -> ExitCode:
    """Show what run would do, with its digest."""
    session: Session = ctx.obj
    reportfile.checked(session, report)
    wanted = Wanted(names, resources, direction, to, force, allow_poweroff, dry=True)
    ended = carry_out(session, wanted)
    found = ended.report
    pending = any(result.outcome == "pending" for result in found.results)
    code = ExitCode.PENDING if detailed_exitcode and pending and found.code == ExitCode.OK else found.code
    show(session, ended, code, plan=True)
    if pending and found.digest and not session.machine:
        again = to_do_exactly_this(wanted, ended.project, found.digest)
        session.writer.say(f"to do exactly this: {again}")
    return code
