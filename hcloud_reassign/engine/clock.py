"""Time, passed in: the real clock here, a virtual one in tests."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds that only go forward."""
        ...

    def wall(self) -> float:
        """Unix seconds."""
        ...


class RealClock:
    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()


@dataclass(frozen=True)
class Deadline:
    """When a run has to be over (monotonic seconds). Its last quarter is kept for undo and verification.

    `forward` is when the last write that is not an undo may start.
    """

    end: float
    forward: float

    @classmethod
    def after(cls, now: float, seconds: float) -> Deadline:
        reserve = min(max(seconds / 4, 2.0), 30.0)
        return cls(now + seconds, now + max(seconds - reserve, seconds / 4))

    def within(self, other: Deadline) -> Deadline:
        """The earlier of two."""
        return Deadline(min(self.end, other.end), min(self.forward, other.forward))
