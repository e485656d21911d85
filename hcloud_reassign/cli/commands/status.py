"""`status`: who holds what."""

from typing import Annotated

import typer

from hcloud_reassign.cli import completion, several
from hcloud_reassign.cli.parsing import names_of, pairs
from hcloud_reassign.cli.session import Session
from hcloud_reassign.cli.sight import Look
from hcloud_reassign.core.errors import ExitCode, UsageError


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
    look = Look(session, several.looking(session, names_of(names), everything), expected)
    if not watch:
        return look.shown(look.now())
    from hcloud_reassign.cli.watching import Watching

    return Watching(look).run()
