"""World + assignments + request -> Plan. Pure: the same input always gives the same plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hcloud_reassign.core import guards
from hcloud_reassign.core.claims import held_until_ms, in_the_future
from hcloud_reassign.core.errors import Ambiguous, Missing, UsageError
from hcloud_reassign.core.kind import Case, Kind
from hcloud_reassign.core.model import (
    Assignment,
    Found,
    Group,
    Holder,
    Move,
    Plan,
    Refusal,
    Request,
    Situation,
    Unreadable,
    World,
)

Selected = Sequence[tuple[Kind, Assignment]]


def target_name(assignment: Assignment, request: Request) -> str | None:
    """Whom the request wants it to go to, as named there; None when nobody is named."""
    if request.to:
        return request.to
    if assignment.members:
        return None
    return assignment.destination if request.direction == "dest" else assignment.source


def check_request(selected: Iterable[Assignment], request: Request, named: Iterable[str]) -> tuple[str, ...]:
    """What is wrong with a request before anybody is asked.

    Returns the names of the assignments that it leaves out, because nobody says where they shall go.

    Raises:
        UsageError: `--to` with `--direction src`, or an assignment named that has no target.
    """
    if request.to and request.direction == "src":
        raise UsageError("--to and --direction exclude each other", object="--to", next="give one of them")
    named, left_out = set(named), []
    for assignment in selected:
        if target_name(assignment, request) is not None:
            continue
        if assignment.members and request.direction == "src":
            raise UsageError(f"{assignment.name} has members; it takes --to, not --direction", object=assignment.name)
        if assignment.name in named:
            choice = ", ".join(assignment.members or assignment.listed)
            end = "source" if request.direction == "src" else "destination"
            why = "it has members" if assignment.members else f"it has no {end}"
            raise UsageError(
                f"{assignment.name} needs --to: {why}", object=assignment.name, next=f"--to with one of: {choice}"
            )
        left_out.append(assignment.name)
    return tuple(left_out)


def plan(world: World, selected: Selected, groups: Sequence[Group], request: Request, situation: Situation) -> Plan:
    """What to do about every selected assignment.

    Raises:
        UsageError: two of them mean the same resource.
    """
    finds = [_find(world, kind, assignment) for kind, assignment in selected]
    found = [item for item in finds if isinstance(item, Found)]
    _refuse_duplicates(selected, finds)
    moves = []
    for (kind, assignment), item in zip(selected, finds, strict=True):
        if isinstance(item, Move):
            moves.append(item)
            continue
        others = tuple(other for other in found if other is not item)
        moves.append(_plan_one(world, kind, assignment, item, others, request, situation))
    warnings = (
        ["the request is dated in the future; it is treated as made now"] if in_the_future(request, situation) else []
    )
    return judge_groups(Plan(tuple(moves), tuple(groups), tuple(warnings)))


def plan_again(
    world: World,
    kind: Kind,
    assignment: Assignment,
    alongside: tuple[Found, ...],
    request: Request,
    situation: Situation,
) -> Move:
    """One assignment judged anew, on what is seen now."""
    found = _find(world, kind, assignment)
    if isinstance(found, Move):
        return found
    return _plan_one(world, kind, assignment, found, alongside, request, situation)


def _find(world: World, kind: Kind, assignment: Assignment) -> Found | Move:
    try:
        return kind.find(world, assignment)
    except Unreadable as error:
        return _cannot_tell(assignment, None, error)
    except Ambiguous as error:
        return Move(assignment, "refused", refusal=Refusal("ambiguous", error.message, "name it by its id"))
    except UsageError as error:
        return _usage(assignment, None, error)


def _usage(assignment: Assignment, found: Found | None, error: UsageError) -> Move:
    return Move(assignment, "failed", found=found, message=error.message, next=error.next, usage_error=True)


def _cannot_tell(assignment: Assignment, found: Found | None, error: Unreadable) -> Move:
    return Move(assignment, "failed", found=found, message=f"cannot tell who holds it: {error}")


def _refuse_duplicates(selected: Selected, finds: Sequence[Found | Move]) -> None:
    seen: dict[tuple[str, object, object], str] = {}
    for (kind, assignment), item in zip(selected, finds, strict=True):
        if not isinstance(item, Found):
            continue
        key = (kind.word, item.resource.id, item.resource.address)
        if key in seen:
            raise UsageError(
                f"{seen[key]} and {assignment.name} are the same resource",
                object=assignment.name,
                next="name one of them",
            )
        seen[key] = assignment.name


def _plan_one(
    world: World,
    kind: Kind,
    assignment: Assignment,
    found: Found,
    alongside: tuple[Found, ...],
    request: Request,
    situation: Situation,
) -> Move:
    name = target_name(assignment, request)
    try:
        if name is None:
            raise UsageError(f"{assignment.name} does not say where it shall go", next="--to SERVER")
        wanted = kind.holder_named(world, found, name)
        listed, gone = _resolve_listed(world, kind, assignment, found)
        case = Case(kind, world, assignment, request, situation, found, wanted, listed, alongside)
        return _judge(case, gone)
    except Unreadable as error:
        return _cannot_tell(assignment, found, error)
    except Ambiguous as error:
        return Move(
            assignment, "refused", found=found, refusal=Refusal("ambiguous", error.message, "name it by its id")
        )
    except UsageError as error:
        return _usage(assignment, found, error)


def _resolve_listed(
    world: World, kind: Kind, assignment: Assignment, found: Found
) -> tuple[tuple[Holder, ...], tuple[str, ...]]:
    """The listed holders that exist, and a warning for each that is gone: it cannot be the holder, no more."""
    holders, gone = [], []
    for name in assignment.listed:
        try:
            holders.append(kind.holder_named(world, found, name))
        except (Missing, Ambiguous) as error:
            gone.append(f"{name} is listed, but {error.message}")
    return tuple(holders), tuple(gone)


def _judge(case: Case, gone: tuple[str, ...]) -> Move:
    move = Move(case.assignment, "pending", found=case.found, wanted=case.wanted, warnings=(*gone, *_warnings(case)))
    if refusal := guards.not_listed(case):
        return replace(move, outcome="refused", refusal=refusal)
    held_already = case.found.holder is not None and case.found.holder.key == case.wanted.key
    if held_already and not case.kind.unfinished(case.found):
        return replace(move, outcome="unchanged")
    passed = []
    for refusal in guards.refusals(case):
        if not (refusal.forceable and case.request.force):
            return replace(move, outcome="refused", refusal=refusal)
        passed.append(f"forced past {refusal.guard}: {refusal.message}")
    return case.kind.plan(case, replace(move, warnings=(*move.warnings, *passed)))


def _warnings(case: Case) -> tuple[str, ...]:
    until = held_until_ms(case.found.labels, case.found)
    if until is not None and until > case.situation.now_ms and not case.request.triggered:
        return (f"an operator holds it until {guards.clock_time(until)}",)
    return ()


def judge_groups(plan: Plan) -> Plan:
    """All or nothing: where one member was refused or cannot be planned, the others are not started."""
    changes: list[Move] = []
    for group in plan.groups:
        members = [move for move in plan if move.name in group.members]
        bad = next((move for move in members if move.outcome not in ("pending", "unchanged")), None)
        for move in members:
            if bad is not None and move.outcome == "pending":
                why = f"{bad.name} of the same group cannot move"
                refusal = Refusal("group", why, f"mend {bad.name}, or run the others by their own names")
                move = replace(move, outcome="refused", refusal=refusal)
            changes.append(move.with_group(group.name))
    _refuse_two_groups(changes)
    return plan.replaced(changes)


def _refuse_two_groups(moves: Sequence[Move]) -> None:
    twice = [name for name, count in Counter(move.name for move in moves).items() if count > 1]
    if twice:
        raise UsageError(
            f"{twice[0]} is a member of two of the groups", object=twice[0], next="run one group at a time"
        )


def doubtful(plan: Plan) -> tuple[Move, ...]:
    """Moves that rest on "nobody" or "somebody else" having it, which one reading does not prove."""
    return tuple(
        move
        for move in plan
        if move.found is not None
        and (
            (move.outcome == "pending" and move.before is None)
            or (move.refusal is not None and move.refusal.guard == "holder" and move.found.movable)
            or (move.outcome == "pending" and any("forced past holder" in warning for warning in move.warnings))
        )
    )
