"""How old the picture is, and when it is time for another one. Pure: all times are monotonic seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

SOONEST_S = 5.0
SLOWEST_S = 60.0
BACK_A_SECOND = 1.0
"""How many requests the API gives back: 3,600 an hour."""
WHOLE_S = 60.0
"""Everything is read so often at least: some things change without an action."""
WORTH = 3
"""A glance has to take so many times fewer requests than a whole look."""
SHARES = ((600, 0.25), (1800, 0.5))
"""Below so many requests left it takes no more than this part of what comes back: moves and others need the rest."""


@dataclass(frozen=True)
class Freshness:
    """`seen` is when the last picture was taken, None: never. `error` is why the last look failed.

    `cost` is how many requests a whole look takes, `glance` one that asks for the newest actions alone (0: there is
    none), and `whole` when everything was read last.
    """

    interval_s: float = SOONEST_S
    seen: float | None = None
    tried: float | None = None
    failures: int = 0
    error: str | None = None
    budget: int | None = None
    cost: int = 0
    glance: int = 0
    whole: float | None = None

    def succeeded(self, now: float, budget: int | None, cost: int = 0, glance: int = 0) -> Freshness:
        """After everything was read."""
        return replace(self.glanced(now, budget), cost=cost, glance=glance, whole=now)

    def glanced(self, now: float, budget: int | None) -> Freshness:
        """After a glance that saw nothing new."""
        return replace(self, seen=now, tried=now, failures=0, error=None, budget=budget)

    def failed(self, now: float, error: str) -> Freshness:
        return replace(self, tried=now, failures=self.failures + 1, error=error)

    @property
    def _to_spend(self) -> float:
        """How many requests a second it may take."""
        shares = [share for below, share in SHARES if self.budget is not None and self.budget < below]
        return BACK_A_SECOND * shares[0] if shares else inf

    @property
    def glances(self) -> bool:
        """Whether a glance saves enough: the lists of a large project have many pages."""
        return self.glance > 0 and self.cost > WORTH * self.glance

    @property
    def pace_s(self) -> float:
        """The time between two looks that succeed: longer when few requests are left for what a look takes.

        Where there are glances, one half of what may be spent is theirs, the other one that of whole looks.
        """
        requests = 2 * self.glance if self.glances else self.cost
        return max(self.interval_s, SOONEST_S, requests / self._to_spend)

    def wants_all(self, now: float) -> bool:
        """Whether the next look has to read everything."""
        if not self.glances or self.whole is None or self.error is not None:
            return True
        return now - self.whole >= max(WHOLE_S, 2 * self.cost / self._to_spend)

    @property
    def wait_s(self) -> float:
        """How long after the last try the next one comes: later after failures."""
        slowed = self.pace_s * float(2 ** min(self.failures, 6))
        return min(slowed, max(SLOWEST_S, self.pace_s))

    def due(self, now: float) -> bool:
        return self.tried is None or now - self.tried >= self.wait_s

    def stale(self, now: float) -> bool:
        """Whether the picture is older than twice the time after which there should be another."""
        return self.seen is None or now - self.seen > 2 * self.pace_s or self.error is not None

    def told(self, now: float, sign: str) -> str:
        """The age as the header says it."""
        if self.seen is None:
            return "no data yet" if self.error is None else f"{sign} NO DATA"
        age = f"{now - self.seen:.0f} s"
        slow = " (few requests left)" if self.pace_s > max(self.interval_s, SOONEST_S) else ""
        return f"{sign} STALE {age}{slow}" if self.stale(now) else f"data {age} old{slow}"

    def next_try(self, now: float) -> str:
        """When it is asked again, for the message about a failure."""
        left = 0.0 if self.tried is None else self.wait_s - (now - self.tried)
        return f"next try in {max(left, 0):.0f} s"
