"""`status --watch`: the same look every few seconds, drawn anew on a terminal, told elsewhere when it changed."""

from __future__ import annotations

import time
from typing import Any

from hcloud_reassign.cli.session import Stopped, now_ms
from hcloud_reassign.cli.sight import Look, Seen
from hcloud_reassign.cli.text import line, moment
from hcloud_reassign.core.errors import ExitCode, ReassignError

REFRESH_S = 5.0


class Watching:
    """Goes on until it is stopped, or nobody reads it any more."""

    def __init__(self, look: Look) -> None:
        self._look, self._session = look, look.session
        self._last: Seen | None = None
        self._number = 0

    def run(self) -> ExitCode:
        """Raises ReassignError when the very first look fails; later ones leave the last picture standing."""
        try:
            while self._session.writer.out.error is None:
                self._once()
                time.sleep(REFRESH_S)
        except Stopped:
            return ExitCode.INTERRUPTED
        return ExitCode.OK

    def _once(self) -> None:
        try:
            seen = self._look.now()
        except ReassignError as error:
            if self._last is None:
                raise
            self._session.writer.say(f"warning: {error.message}; the last picture stays", always=True)
            return
        if self._last is None and not self._session.machine:
            self._look.warn(seen)
        if self._session.writer.out.can_erase and not self._session.machine:
            self._draw(seen)
        elif self._last is None or _told(seen) != _told(self._last):
            self._tell(seen)
        self._last = seen

    def _draw(self, seen: Seen) -> None:
        writer = self._session.writer
        writer.redraw()
        self._look.as_text(seen)
        writer.lines([line(f"{self._session.project or ''} at {moment(now_ms())}, every {REFRESH_S:.0f} s")])

    def _tell(self, seen: Seen) -> None:
        self._number += 1
        if self._session.machine:
            self._look.tell(seen, self._number)
            return
        self._session.writer.lines([line(moment(now_ms()))])
        self._look.as_text(seen)


def _told(seen: Seen) -> list[dict[str, Any]]:
    return [standing.data() for standing in seen.standings]
