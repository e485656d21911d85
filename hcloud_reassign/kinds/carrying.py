"""What every kind does alike while it carries a move out."""

from __future__ import annotations

from collections.abc import Callable

from hcloud_reassign.core.objects import Action
from hcloud_reassign.core.steps import (
    ActionFailed,
    Busy,
    FindAction,
    Finished,
    Lost,
    Overtaken,
    Pause,
    Refused,
    Steps,
    Write,
)

_TRIES = 3
_LOCK_WORDS = ("lock", "conflict")

Seen = Callable[[], Steps[bool]]
"""Reads the resource and says whether something is so."""


def perform(write: Write, landed: Seen, *, opening: bool = False, still: Seen | None = None) -> Steps[None]:
    """Carry one intent through: one request, its action waited for, a lost answer looked up before anything else.

    `landed`: whether the intent is already true. `still`: whether it may be sent again after a wait; for writes that
    name no holder and would take from whoever has it by then. An `opening` write is the first of its move: when it is
    locked, or lost without a trace, Busy is raised, so that the move is judged anew before it begins.

    Raises:
        Overtaken: it is not `still` so. StepError: the intent is not true, or nobody can tell.
    """
    for attempt in range(1000):
        try:
            yield from _once(write, landed)
            return
        except Busy as busy:
            if opening:
                raise
            yield Pause(waiting_s(busy, attempt), f"{write.what}: {busy.message}", write.restoring)
        except ActionFailed as failed:
            if attempt >= _TRIES or not any(word in f"{failed.code} {failed.message}".lower() for word in _LOCK_WORDS):
                raise
            yield Pause(waiting_s(failed, attempt), f"{write.what}: {failed.message}", write.restoring)
        if still is not None and not (yield from still()):
            raise Overtaken("somebody else has it now")
    raise Refused(f"{write.what}: tried too often", "busy")


def _once(write: Write, landed: Seen) -> Steps[None]:
    try:
        action = yield write
    except Busy:
        raise
    except Refused:
        if (yield from landed()):
            return
        raise
    except Lost as lost:
        try:
            action = yield FindAction(write)
            if action is None and (yield from landed()):
                return
        except Refused as refused:
            # The question was refused, not the write.
            raise Lost(f"no answer ({lost.message}), and it cannot be looked up: {refused}") from refused
        if action is None:
            raise Busy(f"no answer ({lost.message}) and no trace of it", "lost") from lost
    if isinstance(action, Action):
        yield Finished(action, write)


def waiting_s(refused: Refused, attempt: int) -> float:
    """How long to wait before the next try, in seconds. A rate limit refills one request a second."""
    if refused.code == "rate_limit_exceeded":
        return 1.0
    return float(min(0.2 * 1.6**attempt, 3.0))
