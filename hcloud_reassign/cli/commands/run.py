"""`run`: reassign, without questions."""

from typing import Annotated, Literal

import typer

from hcloud_reassign.cli import completion, reportfile
from hcloud_reassign.cli.running import Wanted, carry_out, show
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan and check, change nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Pass the guards that may be passed.")] = False,
    allow_poweroff: Annotated[
        bool, typer.Option("--allow-poweroff", help="Consent to stopping servers; primary IPs need it.")
    ] = False,
    hard_poweroff: Annotated[
        bool, typer.Option("--hard-poweroff", help="Pull the plug where a shutdown is not obeyed.")
    ] = False,
    power_on: Annotated[
        bool, typer.Option("--power-on", help="Start servers whose earlier power state is not known.")
    ] = False,
    issued_at: Annotated[
        str | None,
        typer.Option("--issued-at", metavar="T", help="When it was triggered: unix time (s, ms) or RFC 3339."),
    ] = None,
    age: Annotated[
        str | None, typer.Option("--age", metavar="MS", help="How old the trigger said the request was by then.")
    ] = None,
    max_age: Annotated[
        str | None, typer.Option("--max-age", metavar="S", help="Refuse a triggered request older than this (300).")
    ] = None,
    expect_digest: Annotated[
        str | None, typer.Option("--expect-digest", metavar="D", help="Do only what the plan with this digest said.")
    ] = None,
    report: Annotated[
        str | None, typer.Option("--report", metavar="FILE", help="Also write the JSON document there.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="WHO", help="Who asked, for the journal.")] = None,
) -> ExitCode:
    """Reassign, without questions."""
    session: Session = ctx.obj
    reportfile.checked(session, report)
    wanted = Wanted(
        names,
        resources,
        direction,
        to,
        force,
        allow_poweroff,
        hard_poweroff,
        power_on,
        issued_at,
        age,
        max_age,
        expect_digest,
        by,
        dry=dry_run,
    )
    ended = carry_out(session, wanted)
    show(session, ended, ended.report.code, plan=False)
    return ended.report.code
