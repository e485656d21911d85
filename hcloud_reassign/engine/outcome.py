"""What became of a move, told from what is seen at its end and from what went wrong on the way. Pure."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import dataclass

from hcloud_reassign.core.errors import Ambiguous, ExitCode, UsageError
from hcloud_reassign.core.guards import NOT_TO_BE_USED
from hcloud_reassign.core.kind import Kind
from hcloud_reassign.core.model import Found, Holder, Move, Request, Unreadable, World
from hcloud_reassign.core.objects import Server
from hcloud_reassign.core.report import Result, ended, planned
from hcloud_reassign.core.steps import (
    Busy,
    Denied,
    Interrupted,
    LeftOpen,
    Lost,
    OutOfTime,
    Overtaken,
    Refused,
    StepError,
    Unsettled,
)


@dataclass(frozen=True)
class Seen:
    """A move's end as it was read: `found` is None when it could not be; `unsettled` says what else is not right."""

    world: World
    found: Found | None
    unsettled: str | None = None


def not_begun(move: Move, error: StepError, request: Request | None = None) -> Result:
    """Nothing was sent that changes anything."""
    result = planned(move)
    if isinstance(error, Denied):
        return ended(result, "failed", code=ExitCode.ACCESS, message=denied_text(error), next=denied_next(error))
    if isinstance(error, Overtaken):
        return ended(result, "refused", guard="late", message=error.message)
    if isinstance(error, Interrupted):
        return ended(result, "failed", code=ExitCode.INTERRUPTED, message="interrupted before anything was changed")
    again = _again(move, request, error) if request else None
    return ended(result, "failed", message=f"{_told(error)}; nothing was changed", next=again)


def denied_text(error: Denied) -> str:
    if error.code == "token_readonly":
        return "the token may only read"
    if error.code == "forbidden":
        return f"the token may not do this: {error.message}"
    return f"Hetzner does not accept the token: {error.message}"


def denied_next(error: Denied) -> str:
    what = "a read & write token" if error.code == "token_readonly" else "a valid token"
    return f"make {what} in Hetzner's console (Security, API tokens) and set HCLOUD_TOKEN"


def judged(kind: Kind, move: Move, request: Request, seen: Seen, trouble: Exception | None) -> Result:
    """The outcome of a move for which something was sent."""
    result = planned(move)
    if seen.found is None:
        return _unknown(kind, move, request, seen, trouble, "who holds it now could not be read")
    holder = seen.found.holder
    at_target = _same(holder, move.wanted)
    if isinstance(trouble, LeftOpen | Unsettled) or seen.unsettled:
        return _unknown(kind, move, request, seen, trouble, seen.unsettled or _is_now(seen.found))
    if at_target:
        note = f"in spite of: {_told(trouble)}" if trouble and not isinstance(trouble, Overtaken) else None
        return ended(result, "done", after=holder, message=note, next=None, vendor_command=None)
    if trouble is None or isinstance(trouble, Lost):
        return _unknown(kind, move, request, seen, trouble, _is_now(seen.found))
    if _same(holder, move.before):
        stays = f"it is with {holder} as before" if holder else "nobody has it, as before"
        if isinstance(trouble, Denied):
            message = f"{denied_text(trouble)}; {stays}"
            return ended(
                result, "failed", code=ExitCode.ACCESS, after=holder, message=message, next=denied_next(trouble)
            )
        code = ExitCode.INTERRUPTED if isinstance(trouble, Interrupted) else ExitCode.FAILED
        again = _again(move, request, trouble)
        return ended(result, "failed", code=code, after=holder, message=f"{_told(trouble)}; {stays}", next=again)
    if holder is None:
        return _unknown(kind, move, request, seen, trouble, f"nobody has it now; before it was with {move.before}")
    return ended(result, "failed", after=holder, message=f"{_told(trouble)}; {holder} has it now and was left alone")


def _told(trouble: Exception) -> str:
    """What went wrong, with the step that met it unless it names that itself."""
    step = getattr(trouble, "met_by", None)
    return f"{step}: {trouble}" if step and step not in str(trouble) else str(trouble)


def _again(move: Move, request: Request, trouble: Exception) -> str | None:
    """The command line once more, where nothing but time was missing."""
    if move.wanted is None or not isinstance(trouble, Busy | OutOfTime):
        return None
    return mending_command(move, request, move.wanted)


def unread_next(why: str, otherwise: str) -> str:
    """What to do when the API cannot be read. Who met the rate limit has company: all tokens of a project share it."""
    if "rate_limit_exceeded" not in why:
        return otherwise
    return "try again in a minute; all that uses the project's API shares this limit: look for what asks so often"


def _same(one: Holder | None, other: Holder | None) -> bool:
    return (one.key if one else None) == (other.key if other else None)


def _is_now(found: Found) -> str:
    return f"{found.holder} has it now" if found.holder else "nobody has it now"


def _unknown(kind: Kind, move: Move, request: Request, seen: Seen, trouble: Exception | None, state: str) -> Result:
    """Neither as it was nor as it should be: with the two lines that mend it."""
    assert move.wanted is not None and move.found is not None
    found = seen.found or move.found
    refused_for_good = isinstance(trouble, Refused) and not isinstance(trouble, Busy | Denied)
    back = refused_for_good and found.holder is None and move.before and may_go_back(kind, move, found, seen.world)
    towards = move.before if back and move.before else move.wanted
    known = (None, move.before.key if move.before else None, move.wanted.key)
    surprising = (found.holder.key if found.holder else None) not in known
    off = not move.intention and _is_off(seen.world, towards)
    force = " --force" if request.force or surprising or off else ""
    return ended(
        planned(move),
        "unknown",
        after=seen.found.holder if seen.found else None,
        message=f"{_told(trouble)}; {state}" if trouble else state,
        next=mending_command(move, request, towards) + force,
        vendor_command=kind.vendor_command(found, towards, seen.world),
    )


def may_go_back(kind: Kind, move: Move, found: Found, world: World) -> bool:
    """Whether it may be brought back to who had it before."""
    assert move.before is not None
    for name in move.assignment.listed:
        with suppress(UsageError, Ambiguous, Unreadable):
            if kind.holder_named(world, found, name).key == move.before.key:
                return True
    return move.assignment.anybody


def _is_off(world: World, holder: Holder) -> bool:
    """Whether a move to it is refused for the state of its server."""
    server = world.get(Server, holder.id) if holder.id is not None and world.has(Server) else None
    return server is not None and server.status in NOT_TO_BE_USED


def mending_command(move: Move, request: Request, towards: Holder) -> str:
    """The command line that brings the resource to a holder."""
    flags = " --allow-poweroff" if move.intention else ""
    to = towards.name if towards.type == "server" and towards.name else towards.address or str(towards.id)
    return f"{request.invocation} {shlex.quote(move.name)} --to {shlex.quote(to)}{flags}"
