"""What is happening, while it happens, on stderr: one living line on a terminal, plain lines with -v, else silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from hcloud_reassign.cli.text import Piece, clean, seconds
from hcloud_reassign.cli.writer import Writer

_LONGEST = 100
_ERASE = "\r\033[K"


class Event(Protocol):
    """What is needed of an event of the engine."""

    @property
    def event(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...
    def as_data(self) -> dict[str, Any]: ...


class Progress:
    """Listens to the events of a run."""

    def __init__(self, writer: Writer, verbose: int, *, jsonl: bool = False) -> None:
        self._writer, self._verbose, self._jsonl = writer, verbose, jsonl
        self._live = writer.err.terminal and writer.err.can_erase and not verbose and not writer.quiet
        self._shown = False
        self.last: Event | None = None
        """The event that ends a run, kept back until its document is complete."""

    def __call__(self, event: Event) -> None:
        if event.event == "run.finished":
            self.last = event
            return
        if self._jsonl:
            self._writer.json(event.as_data(), one_line=True)
        if event.event == "warning":
            self._say(f"warning: {event.data.get('message', '')}", always=True)
        elif self._verbose:
            self._tell(event)
        elif self._live:
            self._show(event.data, event.event)

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
        told = clean(sentence(event, data))
        if told:
            self._shown = True
            self._writer.control(f"{_ERASE}{told[:_LONGEST]}{self._writer.symbol('dots')}")


def sentence(event: str, data: Mapping[str, Any]) -> str:
    """An event in words; empty when it says nothing to a person."""
    name = f"{data['name']}: " if data.get("name") else ""
    what = data.get("what") or event.replace(".", " ")
    if event.startswith("step."):
        word = event.removeprefix("step.")
        more = {
            "started": "",
            "progress": f" {data.get('progress', '')} %",
            "retried": f", again in {seconds(data.get('wait_ms'))}: {data.get('reason', '')}",
            "done": f", done in {seconds(data.get('duration_ms'))}",
            "failed": f", failed: {data.get('message', '')}",
        }
        return f"{name}{what}{more.get(word, '')}"
    if event == "move.done":
        return f"{name}{data.get('outcome', 'done')}"
    return f"{name}{what}"
