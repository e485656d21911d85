"""What is happening, while it happens, on stderr: one living line on a terminal, plain lines with -v.

Elsewhere silence, but for what has to be tried again and again: that is said once in a while.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from hcloud_reassign.cli.text import Piece, clean, seconds
from hcloud_reassign.cli.writer import Writer

if TYPE_CHECKING:
    from hcloud_reassign.cli.session import Session

_LONGEST = 100
_ERASE = "\r\033[K"
_FIRST_S = 3.0
_SELDOM_S = 60.0
_PASSING = ("step.retried", "step.started", "step.failed", "warning")
"""Events that come while something is tried again and again; any other one says that it goes on."""


class Event(Protocol):
    """What is needed of an event of the engine."""

    @property
    def event(self) -> str: ...
    @property
    def time_ms(self) -> int: ...
    @property
    def data(self) -> Mapping[str, Any]: ...
    def as_data(self) -> dict[str, Any]: ...


class Waiting:
    """Since when nothing goes on, and when to say so: after 3 seconds, then less and less often."""

    def __init__(self) -> None:
        self._since_ms: int | None = None
        self._next_s = _FIRST_S

    def hear(self, event: Event) -> str | None:
        """What is to be said now, if anything."""
        if event.event not in _PASSING:
            self._since_ms = None
        if event.event != "step.retried":
            return None
        if self._since_ms is None:
            self._since_ms, self._next_s = event.time_ms, _FIRST_S
        waited_s = (event.time_ms - self._since_ms) / 1000
        if waited_s < self._next_s:
            return None
        self._next_s = waited_s + min(waited_s, _SELDOM_S)
        return f"still trying after {waited_s:.0f} s: {_reason(event.data)}"


class Progress:
    """Listens to the events of a run, or of a look that tells its `warnings` itself."""

    def __init__(self, writer: Writer, verbose: int, *, jsonl: bool = False, warnings: bool = True) -> None:
        self._writer, self._verbose, self._jsonl, self._warnings = writer, verbose, jsonl, warnings
        self._live = writer.err.terminal and writer.err.can_erase and not verbose and not writer.quiet
        self._shown = False
        self._waiting = Waiting()
        self.last: Event | None = None
        """The event that ends a run, kept back until its document is complete."""

    def __call__(self, event: Event) -> None:
        if event.event == "run.finished":
            self.last = event
            return
        if self._jsonl:
            self._writer.json(event.as_data(), one_line=True)
        waiting = self._waiting.hear(event)
        if event.event == "warning":
            if self._warnings:
                self._say(f"warning: {event.data.get('message', '')}", always=True)
        elif self._verbose:
            self._tell(event)
        elif self._live:
            self._show(event.data, event.event)
        elif waiting:
            self._say(waiting)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def finish(self) -> None:
        """Leave a clean line behind."""
        if self._shown:
            self._writer.control(_ERASE)
            self._shown = False

    def _say(self, text: str, always: bool = False) -> None:
        self.finish()
        self._writer.say(text, always=always)

    def _tell(self, event: Event) -> None:
        at = event.as_data()["time"][11:23]
        told = sentence(event.event, event.data)
        if told:
            self._writer.say(Piece(f"{at} ", "dim"), told)

    def _show(self, data: Mapping[str, Any], event: str) -> None:
        told = clean(_briefly(data) if event == "step.retried" else sentence(event, data))
        if told:
            self._shown = True
            room = min(_LONGEST, _columns(self._writer.err.stream) - 4)
            self._writer.control(f"{_ERASE}{told[:room]}{self._writer.symbol('dots')}")


def _columns(stream: Any) -> int:
    """How wide the terminal is: a living line that is wrapped could not be erased again."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def looking_on(session: Session) -> Progress:
    """For what only looks, and tells the warnings itself."""
    jsonl = session.options.output == "jsonl"
    return Progress(session.writer, session.options.verbose, jsonl=jsonl, warnings=False)


def sentence(event: str, data: Mapping[str, Any]) -> str:
    """An event in words; empty when it says nothing to a person."""
    if event == "step.retried":
        return f"again in {seconds(data.get('wait_ms'))}: {_reason(data)}"
    name = f"{data['name']}: " if data.get("name") else ""
    what = data.get("what") or event.replace(".", " ")
    if event.startswith("step."):
        word = event.removeprefix("step.")
        more = {
            "started": "",
            "progress": f" {data.get('progress', '')} %",
            "done": f", done in {seconds(data.get('duration_ms'))}",
            "failed": f", failed: {data.get('message', '')}",
        }
        return f"{name}{what}{more.get(word, '')}"
    if event == "move.done":
        return f"{name}{data.get('outcome', 'done')}"
    return f"{name}{what}"


def _briefly(data: Mapping[str, Any]) -> str:
    """Why something is tried again, for a narrow place: how long at most, what is in the way, what it is for."""
    what, _, why = str(data.get("reason", "")).rpartition(": ")
    left = f"waiting, at most {data.get('left_ms', 0) / 1000:.0f} s more: {why}"
    return "; ".join(part for part in (left, data.get("name"), what) if part)


def _reason(data: Mapping[str, Any]) -> str:
    """Why something is tried again, and for how long it will be."""
    name = f"{data['name']}: " if data.get("name") else ""
    left = data.get("left_ms")
    return f"{name}{data.get('reason', '')}" + ("" if left is None else f"; at most {left / 1000:.0f} s more")
