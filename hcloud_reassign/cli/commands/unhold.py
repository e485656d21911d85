"""`unhold`: let the automation at a resource again."""

from typing import Annotated

import typer

from hcloud_reassign.cli import completion
from hcloud_reassign.cli.holding import hold
from hcloud_reassign.core.errors import ExitCode


def command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A section or a group.", autocompletion=completion.names)],
) -> ExitCode:
    """Let triggered requests at a resource again."""
    return hold(ctx.obj, name, None)
