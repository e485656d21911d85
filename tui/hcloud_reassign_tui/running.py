"""The program from its start to its end, whichever way that comes."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hcloud_reassign.core.errors import ExitCode, ReassignError
from hcloud_reassign_tui.app import ReassignApp
from hcloud_reassign_tui.options import Options

if TYPE_CHECKING:
    from hcloud_reassign.project import Project


def run(projects: Sequence[Project], options: Options) -> int:
    """Show the screen until it is left, also by SIGTERM or when the terminal goes away; returns the exit code.

    Raises:
        ReassignError: the screen broke down. The terminal is as it was before.
    """
    # Textual knows no other way to be told, and takes the empty value, which means nothing, for a yes.
    os.environ.pop("NO_COLOR", None)
    if options.no_color:
        os.environ["NO_COLOR"] = "1"
    app = ReassignApp(projects, options)
    # What is there by then stays: to look for garbage in it would stop the screen for 0.1 s now and then.
    app.on_first_picture = gc.freeze
    code = asyncio.run(_until_left(app))
    if app.last_words:
        print(app.last_words, file=sys.stderr)
    if app.failure is not None:
        raise _broken_down(app, app.failure) from app.failure
    return code or 0


async def _until_left(app: ReassignApp) -> int | None:
    loop = asyncio.get_running_loop()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    for number in handlers:
        # By a message: timers that are begun in the context of a signal know of no program, and break it.
        loop.add_signal_handler(number, app.on_screen_thread, app.changing.stop_and_leave)
    try:
        return await app.run_async()
    finally:
        for number, handler in handlers.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


def _broken_down(app: ReassignApp, failure: Exception) -> ReassignError:
    """A defect of this program. It names the journal, because something may have been under way."""
    place = traceback.extract_tb(failure.__traceback__)[-1]
    error = ReassignError(
        f"internal error: {type(failure).__name__}: {failure} ({os.path.basename(place.filename)}:{place.lineno})",
        next=f"hcloud-reassign status; what was done is in {app.desks[0].project.journal_path()}",
    )
    error.exit_code = ExitCode.UNKNOWN if app.moves.waiting else ExitCode.FAILED
    return error
