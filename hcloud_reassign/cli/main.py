"""The edge of the command line: whatever happens inside becomes output, once, and an exit code."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from types import FrameType

from typer._click.exceptions import ClickException, NoArgsIsHelpError
from typer.main import get_command

from hcloud_reassign.cli.group import build
from hcloud_reassign.cli.session import Session, Stopped
from hcloud_reassign.cli.writer import of_this_process
from hcloud_reassign.core.errors import ExitCode, ReassignError

PROGRAM = "hcloud-reassign"


def run(argv: Sequence[str]) -> int:
    """Carry out a command line; returns the exit code."""
    stop = _Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    session = Session(argv, os.environ, of_this_process(os.environ))
    code = carried_out(session)
    if session.writer.out.error is not None and not isinstance(session.writer.out.error, BrokenPipeError):
        session.writer.say(f"error: cannot write the output: {session.writer.out.error.strerror}", always=True)
        return code or ExitCode.FAILED
    return code


class _Stop:
    """Ends what is under way. A second signal at once is the same wish: it must not break off how the end is told."""

    def __init__(self) -> None:
        self._again = 0.0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if now >= self._again:
            self._again = now + 1
            raise Stopped


def carried_out(session: Session) -> int:
    """Carry out a command line of any environment; nothing is raised."""
    try:
        return _parsed(session)
    except ReassignError as error:
        from hcloud_reassign.cli.failing import fail

        return fail(session, error)
    except (Stopped, KeyboardInterrupt):
        return _interrupted(session)
    except Exception as error:  # noqa: BLE001 - the outermost edge: a traceback could show a secret
        return _broken(session, error)


def _parsed(session: Session) -> int:
    try:
        ended = get_command(build()).main(
            args=list(session.argv), prog_name=PROGRAM, standalone_mode=False, obj=session
        )
    except SystemExit as stop:
        # Help or a completion into a pipe that nobody reads any more.
        return 0 if isinstance(stop.__context__, BrokenPipeError) else int(stop.code or 0)
    except ClickException as error:
        return _misused(session, error)
    return int(ended or 0)


def _misused(session: Session, error: ClickException) -> int:
    """What the parser objects to."""
    if isinstance(error, NoArgsIsHelpError) and not session.machine:
        session.writer.control(f"{error.message}\n")
        return ExitCode.USAGE
    from hcloud_reassign.cli.failing import fail, usage_error

    return fail(session, usage_error(error, session.command))


def _interrupted(session: Session) -> int:
    from hcloud_reassign.cli.failing import fail

    error = ReassignError("interrupted")
    error.code = "interrupted"
    return fail(session, error, session.code_so_far or ExitCode.INTERRUPTED)


def _broken(session: Session, error: Exception) -> int:
    from hcloud_reassign.cli.failing import fail, internal_error

    if session.options.verbose > 1:
        import traceback

        for text in traceback.format_exception(error):
            for part in text.splitlines():
                session.writer.say(part, always=True)
    at_worst = ExitCode.UNKNOWN if session.at_risk else ExitCode.FAILED
    return fail(session, internal_error(error), session.code_so_far or at_worst)
