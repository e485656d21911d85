"""`hold`: keep the automation away from a resource while a person works."""

from typing import Annotated

import typer

from hcloud_reassign.cli import completion
from hcloud_reassign.cli.holding import hold
from hcloud_reassign.cli.parsing import duration_s
from hcloud_reassign.cli.session import Session
from hcloud_reassign.core.errors import ExitCode


def command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A section or a group.", autocompletion=completion.names)],
    duration: Annotated[str, typer.Option("--for", metavar="TIME", help="How long: 30m, 2h, 1d.")],
) -> ExitCode:
    """Keep triggered requests away from a resource for a while."""
    session: Session = ctx.obj
    return hold(session, name, duration_s("--for", duration))
