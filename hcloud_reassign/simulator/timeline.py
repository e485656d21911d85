"""What happens later: a queue of events that is worked off whenever somebody asks, so that no thread is needed."""

from __future__ import annotations

import heapq
from collections.abc import Callable

Event = Callable[[float], None]
"""Called with the moment it was due, in unix seconds."""


class Timeline:
    """Events in order of time; equal times in order of entry. before_each is called before every one."""

    def __init__(self, before_each: Callable[[], None]) -> None:
        self._before_each = before_each
        self._queue: list[tuple[float, int, Event]] = []
        self._count = 0

    def at(self, when: float, event: Event) -> None:
        """Remembers an event."""
        self._count += 1
        heapq.heappush(self._queue, (when, self._count, event))

    def advance(self, now: float) -> None:
        """Runs all events that are due, including those they add."""
        while self._queue and self._queue[0][0] <= now:
            when, _, event = heapq.heappop(self._queue)
            self._before_each()
            event(when)

    def next_at(self) -> float | None:
        """When the next event is due; None when nothing is under way."""
        return self._queue[0][0] if self._queue else None
