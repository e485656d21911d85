"""Reasons to refuse before anything is changed, one function each; a kind adds its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

from hcloud_reassign.core.claims import claim_of, effective_ms, held_until_ms
from hcloud_reassign.core.kind import Case
from hcloud_reassign.core.model import Holder, Refusal
from hcloud_reassign.core.objects import Server
from hcloud_reassign.core.shown import LAST_MS

Guard = Callable[[Case], "Refusal | None"]

MAX_AGE_S = 300.0
NOT_TO_BE_USED = ("off", "stopping", "deleting", "rebuilding")
"""States of a server in which nothing is moved to it without force."""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def clock_time(ms: int) -> str:
    """Unix milliseconds as RFC 3339 UTC with milliseconds. Anybody can write a label: no number is too large."""
    moment = _EPOCH + timedelta(milliseconds=min(max(ms, 0), LAST_MS))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def who(case: Case, label: str) -> str:
    """A claim's target for people: the server's name where the label is an id."""
    server = case.world.get(Server, int(label)) if label.isdecimal() else None
    return server.name if server else label


def not_listed(case: Case) -> Refusal | None:
    assignment = case.assignment
    if assignment.anybody or case.wanted.key in {holder.key for holder in case.listed}:
        return None
    listed = ", ".join(assignment.listed)
    return Refusal("not-listed", f"{case.wanted} is not listed for it", f"--to takes one of: {listed}")


def late(case: Case) -> Refusal | None:
    """The request is older than it may be, or a newer one has come."""
    request, now = case.request, case.situation.now_ms
    effective = effective_ms(request, case.situation)
    given = (request.max_age_s, case.assignment.max_age_s, MAX_AGE_S)
    max_age = next(seconds for seconds in given if seconds is not None)
    if request.triggered and now - effective > max_age * 1000:
        age = (now - effective) / 1000
        return Refusal(
            "late", f"the request is {age:.0f} s old, more than max_age = {max_age:.0f} s", "send a new request"
        )
    return overtaken(case)


def overtaken(case: Case) -> Refusal | None:
    """Somebody asked later for another holder."""
    if not case.request.claims:
        return None
    claim = claim_of(case.found, case.situation)
    if claim is None or not claim.outranks(effective_ms(case.request, case.situation), case.wanted.label):
        return None
    newer = f"a request of {clock_time(claim.ms)} for {who(case, claim.target)}"
    return Refusal("late", f"overtaken by {newer}", "send a new request")


def holder(case: Case) -> Refusal | None:
    found, assignment = case.found, case.assignment
    if found.holder is None or found.holder.key == case.wanted.key:
        return None
    if not found.movable:
        return Refusal("holder", f"it is held by {describe(found.holder)}, which it cannot be taken from", None)
    if not assignment.restricted or found.holder.key in {expected.key for expected in case.listed}:
        return None
    if _left_behind(case, found.holder):
        return None
    listed = ", ".join(assignment.listed)
    return Refusal(
        "holder",
        f"it is held by {describe(found.holder)}, who is not listed for it ({listed})",
        "add --force to take it from there",
        forceable=True,
    )


def _left_behind(case: Case, holder: Holder) -> bool:
    """Whether it names what no server of the project is, while a listed server is gone: a route or an address goes on
    naming a server that was deleted."""
    gone = len(case.listed) < len(case.assignment.listed)
    return gone and holder.type in ("server", "gateway") and holder.name is None


def describe(holder: Holder) -> str:
    """A holder with its type where that is a surprise."""
    if holder.type in ("server", "gateway") or not (holder.name or holder.address):
        return str(holder)
    return f"{holder.type.replace('_', ' ')} {holder}"


def destination_off(case: Case) -> Refusal | None:
    target = case.target
    if target is None or target.status not in NOT_TO_BE_USED:
        return None
    return Refusal(
        "destination-off",
        f"{target.name} is {target.status}",
        f"start it (hcloud server poweron {target.name}), or add --force",
        forceable=True,
    )


def odd_destination(case: Case) -> tuple[str, ...]:
    """A warning where the target neither runs nor is in a state that is refused."""
    target = case.target
    if target is None or target.status in ("running", *NOT_TO_BE_USED):
        return ()
    return (f"{target.name} is {target.status}",)


def cooldown(case: Case) -> Refusal | None:
    """A move back to whoever had it before the last request, too soon after that request."""
    claim = claim_of(case.found, case.situation)
    before = case.found.holder
    if not case.assignment.cooldown_s or claim is None or before is None or before.label != claim.target:
        return None
    left_ms = claim.ms + case.assignment.cooldown_s * 1000 - case.situation.now_ms
    back = case.wanted.label == claim.previous if claim.previous else len(case.listed) <= 2
    if left_ms <= 0 or not back or case.wanted.label == claim.target:
        return None
    seconds = int(left_ms // 1000) + 1
    return Refusal(
        "cooldown",
        f"it came from {case.wanted} at {clock_time(claim.ms)}; a move back is refused for another {seconds} s",
        f"wait {seconds} s, or add --force",
        forceable=True,
        retry_after_s=seconds,
    )


def held(case: Case) -> Refusal | None:
    until = held_until_ms(case.found.labels, case.found)
    if until is None or until <= case.situation.now_ms or not case.request.triggered:
        return None
    return Refusal(
        "held",
        f"an operator holds it until {clock_time(until)}",
        f"hcloud-reassign unhold {case.assignment.name}",
        forceable=True,
    )


def too_many(case: Case) -> Refusal | None:
    limit = case.assignment.max_moves_per_hour
    moved = case.situation.moved_last_hour.get(case.assignment.name, 0)
    if not limit or moved < limit:
        return None
    message = f"it was moved {moved} times in the last hour, max_moves_per_hour = {limit}"
    return Refusal("too-many", message, "add --force", forceable=True)


ORDER: tuple[Guard, ...] = (late, held, holder)
AFTER_KIND: tuple[Guard, ...] = (cooldown, too_many)


def refusals(case: Case) -> Iterator[Refusal]:
    """Every reason to refuse this move, the weightiest first; a kind's own stand in the middle."""
    for guard in ORDER:
        if refusal := guard(case):
            yield refusal
    yield from case.kind.guards(case)
    for guard in AFTER_KIND:
        if refusal := guard(case):
            yield refusal
