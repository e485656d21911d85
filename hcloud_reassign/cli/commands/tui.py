"""`tui`: the terminal UI."""

import sys
from typing import Annotated

import typer

from hcloud_reassign.cli.session import Session
from hcloud_reassign.cli.several import projects
from hcloud_reassign.core.errors import ExitCode, UsageError

_MISSING_EXTRA = UsageError("the terminal UI is not installed", object="tui", next="pip install 'hcloud-reassign[tui]'")


def command(
    ctx: typer.Context,
    read_only: Annotated[bool, typer.Option("--read-only", help="Start locked: nothing can be changed.")] = False,
) -> ExitCode:
    """Show who holds what in the terminal, and move it by hand."""
    session: Session = ctx.obj
    if session.machine:
        raise UsageError("tui is for people: no -o", object="--output", next="hcloud-reassign status -o json")
    # Textual draws on stderr.
    if not all(stream and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError("tui needs a terminal", object="tui", next="hcloud-reassign status")
    try:
        from hcloud_reassign_tui.options import options_of
        from hcloud_reassign_tui.running import run
    except ImportError as error:
        raise _MISSING_EXTRA from error
    found = projects(session, everything=True)
    section = found[0].settings.section("tui")
    no_color = session.options.no_color or bool(session.environ.get("NO_COLOR"))
    return ExitCode(run(found, options_of(section, read_only=read_only, no_color=no_color, file=found[0].file)))
