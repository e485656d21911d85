"""The API's clock, told from the `Date` of its answers, which has whole seconds."""

from __future__ import annotations

from collections.abc import Callable


class ApiTime:
    """This machine's clock where it agrees with what the API's answers allow, else the nearest time that they allow.

    An answer dated D was made between D and D + 1 s; each answer narrows that down.
    """

    def __init__(self, monotonic: Callable[[], float], wall: Callable[[], float]) -> None:
        self._monotonic, self._wall = monotonic, wall
        self._least: float | None = None
        self._most: float | None = None

    def answered(self, date: float, took_s: float) -> None:
        """Note an answer that has just come: its date in unix seconds, and how long it took."""
        now = self._monotonic()
        least, most = date - now, date + 1.0 - (now - took_s)
        self._least = least if self._least is None else max(self._least, least)
        self._most = most if self._most is None else min(self._most, most)
        if self._least > self._most:
            # A clock was set meanwhile: the newest answer counts.
            self._least, self._most = least, most

    def now_ms(self) -> int:
        """Unix milliseconds; by this machine's clock until the API has answered once."""
        mine = self._wall() - self._monotonic()
        if self._least is None or self._most is None:
            return int(self._wall() * 1000)
        return int((self._monotonic() + min(max(mine, self._least), self._most)) * 1000)

    def earliest_ms(self) -> int:
        """The least that the API's clock may show now, in unix milliseconds; by this machine's until it answered."""
        offset = self._wall() - self._monotonic() if self._least is None else self._least
        return int((self._monotonic() + offset) * 1000)

    def skew_s(self) -> float | None:
        """How far this machine's clock is certainly ahead of the API's, in seconds; None before any answer."""
        return None if self._least is None else self._wall() - self.now_ms() / 1000
