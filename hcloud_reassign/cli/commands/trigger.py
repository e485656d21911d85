"""`trigger`: ask a pipeline to move resources here, without any token of Hetzner's."""

from typing import Annotated

import typer

from hcloud_reassign.cli import completion
from hcloud_reassign.cli.session import Session
from hcloud_reassign.core.errors import ExitCode


def command(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="What is asked: NAME of [trigger.NAME].", autocompletion=completion.triggers
        ),
    ],
    resources: Annotated[
        list[str],
        typer.Argument(
            metavar="RESOURCE...",
            help="Sections or groups of the file there; one request for each.",
            autocompletion=completion.names,
        ),
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="SERVER", help="Who shall hold it; self is this machine, by its hostname.")
    ] = "self",
    issued_at: Annotated[
        str | None,
        typer.Option("--issued-at", metavar="T", help="When it became right to ask: unix time (s, ms) or RFC 3339."),
    ] = None,
    age: Annotated[
        str | None, typer.Option("--age", metavar="MS", help="How long ago that is; else by this machine's clock.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="WHO", help="Who asks; else this machine's name.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Until the run has ended, where the platform tells.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent.")] = False,
) -> ExitCode:
    """Ask a pipeline to move resources; needs no Hetzner token."""
    from hcloud_reassign.cli.triggering import Asked, ask

    session: Session = ctx.obj
    return ask(session, Asked(name, resources, to, issued_at, age, by, wait, dry_run))
