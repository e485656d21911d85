"""How every move is carried out: claim, lock, judge again, the kind's own steps, verify."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hcloud_reassign.core.claims import Claim, claim_key, claim_of, effective_ms, must_claim, new_claim
from hcloud_reassign.core.errors import Ambiguous, UsageError
from hcloud_reassign.core.guards import clock_time
from hcloud_reassign.core.kind import Kind
from hcloud_reassign.core.model import Found, Holder, Move, Refusal, Request, Situation, Unreadable, World
from hcloud_reassign.core.planning import plan_again
from hcloud_reassign.core.report import Result, ended, planned
from hcloud_reassign.core.steps import (
    Acquire,
    Busy,
    Denied,
    Gone,
    Interrupted,
    LeftOpen,
    Lost,
    One,
    OutOfTime,
    Overtaken,
    Pause,
    Read,
    Refused,
    Release,
    SetLabels,
    StepError,
    Steps,
    Unsettled,
    one,
)
from hcloud_reassign.engine.outcome import Seen, judged, mending_command, not_begun
from hcloud_reassign.engine.task import Task
from hcloud_reassign.kinds.carrying import waiting_s

FRESH_S = 1.0
"""So long an observation counts as a re-read, when nothing was waited for since."""
VERIFY_AFTER_S = (0.3, 0.6, 1.1)
"""When the holder disagrees with the action's success it is read again, three times in two seconds."""
PATIENCE_S = 0.3
CLAIM_TRIES = 2
HAND_OVER_TRIES = 20


@dataclass(frozen=True)
class Orders:
    """One kind, and what a conductor needs to judge with.

    `observed_at` (monotonic seconds): when reading began. `moved`: every resource that the run is about.
    """

    kind: Kind
    request: Request
    world: World
    observed_at: float
    situation: Callable[[], Situation]
    now: Callable[[], float]
    warn: Callable[[str], None]
    moved: tuple[Found, ...] = ()
    as_planned: bool = False
    """Whether a holder other than the planned one is a reason to leave it alone."""


class Conductor:
    """Carries out the moves of one bundle, all of one kind."""

    def __init__(self, orders: Orders, moves: Sequence[Move], task: Task) -> None:
        self._orders, self._kind, self._request = orders, orders.kind, orders.request
        self._task = task
        self._moves = list(moves)
        self._world = orders.world
        self._observed_at = orders.observed_at
        self._results: dict[str, Result] = {}
        self._claimed = False
        self._intended: set[str] = set()

    def run(self) -> Steps[tuple[Result, ...]]:
        """The moves' results, verified."""
        order = [move.name for move in self._moves]
        trouble: StepError | None = None
        try:
            yield from self._carry()
        except StepError as error:
            trouble = error
        yield Release()
        if self._moves:
            yield from self._conclude(trouble)
        return tuple(self._results[name] for name in order)

    def _carry(self) -> Steps[None]:
        for attempt in range(1000):
            yield from self._prepare(first=attempt == 0)
            if not self._moves:
                return
            try:
                yield from self._kind.carry_out(self._moves)
                return
            except Busy as busy:
                yield Pause(waiting_s(busy, attempt), busy.message)

    # Before the first write

    def _prepare(self, first: bool) -> Steps[None]:
        """Claims, locks and the last look; moves that are not to be made any more leave with their result."""
        locks = frozenset(lock for move in self._moves for lock in move.locks)
        exclusive = any(_labelled(move) in locks or move.intention for move in self._moves)
        waited = not first
        if exclusive:
            waited = (yield Acquire(locks)) or waited
        if waited or self._orders.now() - self._observed_at > FRESH_S:
            yield from self._look_again()
        if not self._claimed:
            for move in self._moves:
                yield from self._claim(move)
            self._claimed = True
            self._judge()
        if self._moves and not exclusive and (yield Acquire(locks)):
            yield from self._look_again()

    def _look_again(self) -> Steps[None]:
        self._observed_at = self._orders.now()
        for move in self._moves:
            assert move.found is not None
            yield from self._learn(self._kind.again(move.found))
        self._judge()

    def _learn(self, reads: Sequence[Read[object]], patience: float = 0.0) -> Steps[None]:
        for read in reads:
            patient = replace(read, patience=patience) if isinstance(read, One) else read
            answer = yield patient
            if answer is not None or isinstance(read, One):
                self._world = self._world.learned(read, answer)

    def _judge(self) -> None:
        """Plan every move anew on what is known now; keep those that still have something to do."""
        judged_again = [self._again(move) for move in self._moves]
        self._moves = [move for move in judged_again if self._goes_on(move)]
        self._results.update({move.name: planned(move) for move in judged_again if not self._goes_on(move)})

    def _goes_on(self, move: Move) -> bool:
        return move.outcome == "pending" or (move.outcome == "unchanged" and not self._claimed)

    def _alongside(self, move: Move) -> tuple[Found, ...]:
        return tuple(found for found in self._orders.moved if found.resource != move.resource)

    def _again(self, move: Move) -> Move:
        orders = self._orders
        again = plan_again(
            self._world, self._kind, move.assignment, self._alongside(move), self._request, orders.situation()
        )
        again = replace(again, group=move.group)
        if again.outcome != "pending" or move.outcome != "pending":
            return again
        if _key(again) == _key(move):
            return replace(again, warnings=move.warnings, side_effects=move.side_effects)
        if self._request.expect_digest or orders.as_planned:
            found = f"it was with {move.before} when it was planned, now with {again.before}"
            refusal = Refusal("digest", found, "plan again")
            return replace(again, outcome="refused", refusal=refusal)
        return again

    def _claim(self, move: Move) -> Steps[None]:
        """Write the claim and the intention in one request; what it answers is the re-read."""
        try:
            yield from self._write_claim(move)
        except (Denied, Gone, Interrupted, OutOfTime):
            raise
        except (Refused, Lost) as error:
            if move.intention:
                raise
            why = f"the claim could not be written ({error})"
            self._orders.warn(f"{move.name}: {why}; an older request may still pass")

    def _write_claim(self, move: Move) -> Steps[None]:
        """Every try is judged on what was read last: meanwhile somebody else may have asked, or have taken it."""
        for attempt in range(CLAIM_TRIES):
            found = self._found(move)
            wanted = self._labels_wanted(move, found)
            if found is None or all(found.labels.get(key) == value for key, value in wanted.items()):
                return
            if move.intention and not any(key in found.labels for key in move.intention):
                self._intended.add(move.name)
            cls, id = type(found.labelled), found.labelled.id
            name = found.resource.name or str(id)
            try:
                fresh = yield SetLabels(cls, id, name, {**found.labels, **wanted}, why="write the claim on")
                self._world = self._world.learned(one(cls, id), fresh)
                if move.intention:
                    yield from self._learn((one(cls, id),))
                return
            except Busy as busy:
                if attempt == CLAIM_TRIES - 1:
                    raise
                yield Pause(waiting_s(busy, attempt), f"the claim: {busy.message}")
            except Lost:
                pass
            fresh = yield one(cls, id)
            if fresh is None:
                raise Gone(f"{name} does not exist any more", "not_found")
            self._world = self._world.learned(one(cls, id), fresh)
            move = self._again(move)
            if not self._goes_on(move):
                return
        raise Lost("no answer")

    def _labels_wanted(self, move: Move, found: Found | None) -> dict[str, str]:
        if found is None or move.wanted is None or found.labelled is None:
            return {}
        situation, cooldown = self._orders.situation(), move.assignment.cooldown_s
        wanted = dict(move.intention)
        if must_claim(found, self._request, cooldown):
            claim = new_claim(found, move.wanted, self._request, situation, cooldown)
            known = claim_of(found, situation)
            if known is None or not known.outranks(claim.ms, claim.target):
                wanted[claim_key(found)] = claim.value
        return wanted

    # At the end

    def _conclude(self, trouble: StepError | None) -> Steps[None]:
        nothing_sent = not self._task.committed or (isinstance(trouble, Denied) and not self._task.bound)
        if trouble is not None and nothing_sent and not isinstance(trouble, LeftOpen):
            yield from self._withdraw_intentions()
            self._results.update({move.name: not_begun(move, trouble, self._request) for move in self._moves})
            if isinstance(trouble, Overtaken | Refused) and not isinstance(trouble, Denied):
                yield from self._name_who_has_it(trouble)
            return
        self._task.bound = True
        readable = yield from self._verify(trouble)
        for move in self._moves:
            seen = self._seen(move, readable)
            self._results[move.name] = judged(self._kind, move, self._request, seen, trouble)
            yield from self._hand_over(move, seen, over=not isinstance(trouble, LeftOpen | Lost | Unsettled))

    def _name_who_has_it(self, trouble: StepError) -> Steps[None]:
        """Who had it when it was planned may not have it any more: somebody else may have been faster."""
        fresh = self._orders.now() - self._observed_at <= FRESH_S and not any(move.intention for move in self._moves)
        known = fresh and not isinstance(trouble, Overtaken)
        if not known and not (yield from self._verify(trouble)):
            return
        for move in self._moves:
            found = self._found(move)
            if found is not None:
                self._results[move.name] = replace(self._results[move.name], after=found.holder)

    def _withdraw_intentions(self) -> Steps[None]:
        """Nothing was stopped or taken: a label of ours that says so would only be in the way."""
        for move in self._moves:
            found = self._found(move)
            if found is None or move.name not in self._intended:
                continue
            cls, id = type(found.labelled), found.labelled.id
            try:
                now = yield one(cls, id)
                if now is None or any(now.labels.get(key) != value for key, value in move.intention.items()):
                    continue
                labels = {key: value for key, value in now.labels.items() if key not in move.intention}
                name = found.resource.name or str(id)
                yield SetLabels(cls, id, name, labels, why="withdraw the intention on", restoring=True)
            except StepError as error:
                self._orders.warn(f"{move.name}: the intention label could not be removed ({error})")

    def _verify(self, trouble: StepError | None) -> Steps[bool]:
        """Read until what is seen agrees with what was done; whether it could be read at all."""
        for wait in (0.0, *VERIFY_AFTER_S):
            try:
                if wait:
                    yield Pause(wait, "what is read does not yet agree with what was done", restoring=True)
                for move in self._moves:
                    yield from self._learn(self._kind.sees(move), PATIENCE_S)
            except OutOfTime:
                return True
            except StepError:
                return False
            if not any(self._disagrees(move, trouble) for move in self._moves):
                return True
        return True

    def _disagrees(self, move: Move, trouble: StepError | None) -> bool:
        """Whether a reading may be an old one: it is not as wanted, or as before although that was taken away."""
        if trouble is None:
            return not self._as_wanted(move)
        done = [record.write for record in self._task.records if record.status == "done"]
        taken = next((write for write in reversed(done) if not isinstance(write, SetLabels)), None)
        found = self._found(move)
        as_before = found is not None and found.holder is not None and move.before == found.holder
        return as_before and taken is not None and taken.takes_away

    def _found(self, move: Move) -> Found | None:
        try:
            return self._kind.find(self._world, move.assignment)
        except (UsageError, Ambiguous, Unreadable):
            return None

    def _as_wanted(self, move: Move) -> bool:
        found = self._found(move)
        if found is None or found.holder is None or move.wanted is None or found.holder.key != move.wanted.key:
            return False
        return self._kind.settled(self._world, move) is None

    def _seen(self, move: Move, readable: bool) -> Seen:
        if not readable:
            return Seen(self._world, None)
        return Seen(self._world, self._found(move), self._kind.settled(self._world, move))

    def _hand_over(self, move: Move, seen: Seen, over: bool) -> Steps[None]:
        """A newer request came while ours was under way: what our write took goes, once, to that one's target.

        `over`: nothing of ours is under way any more.
        """
        result, situation = self._results[move.name], self._orders.situation()
        claim = claim_of(seen.found, situation) if seen.found and self._request.claims else None
        if claim is None or move.wanted is None or move.intention:
            return
        if not claim.outranks(effective_ms(self._request, situation), move.wanted.label):
            return
        holder = seen.found.holder if seen.found else None
        trouble: StepError | None = None
        if result.outcome == "done":
            claim, wanted, trouble = yield from self._give_to_the_newest(move, claim)
            found = self._found(move)
            holder = found.holder if found else None
        elif over and holder is not None and holder.label == claim.target:
            wanted = holder
        else:
            return
        message = f"superseded by a request of {clock_time(claim.ms)} for {wanted or claim.target}"
        changes = {"next": None, "vendor_command": None, "guard": "late", "message": message}
        not_known = isinstance(trouble, Unsettled | LeftOpen | Lost) or (trouble is not None and holder is None)
        if wanted is not None and not_known:
            advice = mending_command(move, self._request, wanted)
            changes.update(next=advice, guard=None, message=f"{message}; {trouble}")
            self._results[move.name] = ended(result, "unknown", after=holder, **changes)
            return
        self._results[move.name] = ended(result, "refused", after=holder, **changes)

    def _give_to_the_newest(self, move: Move, claim: Claim) -> Steps[tuple[Claim, Holder | None, StepError | None]]:
        """Give it on, and again where one more request came meanwhile: that one saw its own target have it still."""
        for _ in range(HAND_OVER_TRIES):
            wanted, trouble = yield from self._give_on(move, claim)
            yield from self._read_claim(move)
            found = self._found(move)
            newest = claim_of(found, self._orders.situation()) if found else None
            if trouble is not None or newest is None or not newest.outranks(claim.ms, claim.target):
                break
            claim = newest
        return claim, wanted, trouble

    def _read_claim(self, move: Move) -> Steps[None]:
        labelled = _labelled(move)
        assert labelled is not None
        try:
            yield from self._learn((one(*labelled),))
        except StepError as error:
            self._orders.warn(f"{move.name}: whether yet another request has come could not be read ({error})")

    def _give_on(self, move: Move, claim: Claim) -> Steps[tuple[Holder | None, StepError | None]]:
        """Bring it to a newer claim's target, unless that one's own run is faster.

        Returns the target as far as it is known, and what went wrong.
        """
        newer = replace(self._request, to=claim.target, issued_at_ms=claim.ms, age_ms=0, expect_digest=None)
        orders, wanted = self._orders, None
        try:
            for attempt in range(HAND_OVER_TRIES):
                again = plan_again(
                    self._world, self._kind, move.assignment, self._alongside(move), newer, orders.situation()
                )
                wanted = again.wanted
                if again.outcome != "pending":
                    break
                try:
                    yield from self._kind.carry_out([again])
                except Busy as busy:
                    yield Pause(waiting_s(busy, attempt), busy.message, restoring=True)
                yield from self._learn(self._kind.sees(again))
        except StepError as error:
            orders.warn(f"{move.name}: it could not be handed over to the newer request ({error})")
            yield from self._verify(error)
            return wanted, error
        return wanted, None


def _labelled(move: Move) -> tuple[type, int] | None:
    labelled = move.found.labelled if move.found else None
    return (type(labelled), labelled.id) if labelled is not None else None


def _key(move: Move) -> tuple[object, object]:
    return (move.before.key if move.before else None, move.wanted.key if move.wanted else None)
