"""The order of requests, kept as labels on the resource: which request was the newest, and who holds it back.

A claim is the label `hcloud-reassign/claim = <effective ms>.<target>`; where one network carries many resources the key
is its own. With a cooldown set, `_<holder before>` follows the target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hcloud_reassign.core.model import Found, Holder, Request, Situation

PREFIX = "hcloud-reassign/"
INTENTION = PREFIX + "intention"
FUTURE_MS = 30_000
"""How far ahead of the API's clock a request may be and still be believed."""


@dataclass(frozen=True)
class Claim:
    """The newest request known for a resource: its effective time (unix milliseconds) and its target's label."""

    ms: int
    target: str
    previous: str | None = None

    @property
    def value(self) -> str:
        return f"{self.ms}.{self.target}" + (f"_{self.previous}" if self.previous else "")

    def outranks(self, ms: int, target: str) -> bool:
        """Whether a request of that time and target comes too late for this claim."""
        return self.ms > ms or (self.ms == ms and self.target != target)


def claim_key(found: Found) -> str:
    return PREFIX + found.key


def held_key(found: Found) -> str:
    return PREFIX + ("held-until" if found.key == "claim" else f"held-until.{found.key}")


def claim_of(found: Found, situation: Situation) -> Claim | None:
    """The claim on a resource; None when there is none, when it is not readable, or lies in the future."""
    ms, _, rest = found.labels.get(claim_key(found), "").partition(".")
    target, _, previous = rest.partition("_")
    if not (ms.isdecimal() and ms.isascii() and target):
        return None
    claim = Claim(int(ms), target, previous or None)
    return claim if claim.ms <= situation.now_ms + FUTURE_MS else None


def held_until_ms(labels: Mapping[str, str], found: Found) -> int | None:
    """Until when a person keeps the automation away, in unix milliseconds."""
    value = labels.get(held_key(found), "")
    return int(value) if value.isdecimal() and value.isascii() else None


def in_the_future(request: Request, situation: Situation) -> bool:
    return request.issued_at_ms is not None and request.issued_at_ms - request.age_ms > situation.now_ms + FUTURE_MS


def effective_ms(request: Request, situation: Situation) -> int:
    """When the request was made, in unix milliseconds: a typed one when the run began."""
    if request.issued_at_ms is None:
        return situation.started_ms
    if in_the_future(request, situation):
        return situation.now_ms
    return max(request.issued_at_ms - request.age_ms, 0)


def new_claim(found: Found, wanted: Holder, request: Request, situation: Situation, cooldown_s: float) -> Claim:
    """The claim that this request writes. Who had it before is remembered only where a cooldown asks for it."""
    previous = None
    if cooldown_s:
        known = claim_of(found, situation)
        stays = found.holder is None or found.holder.key == wanted.key
        previous = (known.previous if known else None) if stays or not found.holder else found.holder.label
    return Claim(effective_ms(request, situation), wanted.label, previous)


def must_claim(found: Found, request: Request, cooldown_s: float) -> bool:
    """A triggered request always claims; a typed one where it would otherwise be undone by what is still queued."""
    if not request.claims or found.labelled is None:
        return False
    return request.triggered or claim_key(found) in found.labels or cooldown_s > 0
