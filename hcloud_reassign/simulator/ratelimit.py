"""The token bucket behind the RateLimit headers (Hetzner's API description, "Rate Limiting")."""

from __future__ import annotations

import math


class TokenBucket:
    """As many tokens as requests per hour, refilled evenly; the whole bucket may be used in one burst."""

    def __init__(self, per_hour: int, now: float) -> None:
        self.limit = per_hour
        self.tokens = float(per_hour)
        self._updated = now

    @property
    def per_second(self) -> float:
        """How many tokens come back each second."""
        return self.limit / 3600

    def take(self, now: float) -> bool:
        """Uses one token; False when there is none."""
        self._refill(now)
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def headers(self, now: float) -> dict[str, str]:
        """RateLimit-Reset is the unix time at which the bucket is full again, not when the next request is allowed."""
        self._refill(now)
        full_at = now + (self.limit - self.tokens) / self.per_second if self.limit else now
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(math.floor(self.tokens)),
            "RateLimit-Reset": str(math.ceil(full_at)),
        }

    def _refill(self, now: float) -> None:
        passed = max(0.0, now - self._updated)
        self.tokens = min(float(self.limit), self.tokens + passed * self.per_second)
        self._updated = max(self._updated, now)


class RateLimits:
    """The project's bucket, and one for actions when a switch gives them their own. Tests may set `.tokens`."""

    def __init__(self, per_hour: int, actions_per_hour: int | None, now: float) -> None:
        self.project = TokenBucket(per_hour, now)
        self.actions = TokenBucket(actions_per_hour, now) if actions_per_hour is not None else self.project

    def bucket(self, path: str) -> TokenBucket:
        """The bucket that a path draws from."""
        return self.actions if "/actions" in path else self.project
