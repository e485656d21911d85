"""What happens while it happens: one event after another, for the screen, for JSON lines and for the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hcloud_reassign.core.guards import clock_time


@dataclass(frozen=True)
class Event:
    """`time_ms` is unix milliseconds by this machine's clock; `seq` counts within the run; `data` is plain."""

    event: str
    time_ms: int
    seq: int
    run: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """One JSON line."""
        return {"event": self.event, "time": clock_time(self.time_ms), "seq": self.seq, "run": self.run, **self.data}


Listener = Callable[[Event], None]


class Events:
    """Numbers the events of one run and hands them to whoever listens.

    A listener that fails is told nothing more: what is shown or written down never decides about a move.
    """

    def __init__(self, run: str, wall: Callable[[], float], listeners: tuple[Listener, ...] = ()) -> None:
        self._run, self._wall, self._listeners = run, wall, list(listeners)
        self._numbers = count(1)

    def emit(self, event: str, **data: Any) -> None:
        happened = Event(event, int(self._wall() * 1000), next(self._numbers), self._run, data)
        for listener in tuple(self._listeners):
            try:
                listener(happened)
            except Exception as error:  # noqa: BLE001 - a move under way must not end here
                self._listeners.remove(listener)
                self.emit("warning", message=f"a listener failed and is not told any more: {error!r}")
