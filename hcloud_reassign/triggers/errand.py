"""One request on its way: asked at one platform after the other until one accepts it, and followed to its end.

To send a request again is always allowed. Whoever executes puts requests in order by the time they were issued, so that
a second run of the same one finds everything in place. What was lost on the way is therefore sent again, and told as
unknown only if nobody accepts it in the end.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hcloud_reassign.core.errors import ExitCode, worst
from hcloud_reassign.triggers.fields import Fields
from hcloud_reassign.triggers.result import Outcome, Result, Way
from hcloud_reassign.triggers.shape import (
    Accepted,
    Down,
    Ended,
    Going,
    Hidden,
    HttpAnswer,
    HttpRequest,
    NoAnswer,
    Refused,
)

Send = Callable[[HttpRequest, float], HttpAnswer]
"""Raises NoAnswer."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
FIRST_LOOK_S, LONGEST_LOOK_S = 1.0, 5.0
_AGAIN = "it may have been accepted all the same: to ask again is safe"


@dataclass
class _State:
    """What one way said so far."""

    way: Way
    ready_at: float = 0.0
    refused: Refused | None = None
    down: Down | None = None

    @property
    def told(self) -> str:
        said = self.refused or self.down
        return f"{self.way.name}: {said.message if said else 'not asked'}"


class Errand:
    """One request. `step` does one thing when it is `due` (by the monotonic clock); `result` is set at the end.

    Args:
        ways: the trigger that was named, then its fallbacks.
        follow: whether to wait for the end of the run.
        tell: gets one line for each thing that happens, and whether it is worth to be heard by everybody.
    """

    def __init__(
        self,
        fields: Fields,
        ways: Sequence[Way],
        *,
        follow: bool,
        clock: Callable[[], float],
        send: Send,
        tell: Callable[[str, bool], None],
        rng: random.Random | None = None,
    ) -> None:
        self.fields = self._first = fields
        self.ways = tuple(ways)
        self._states = [_State(way) for way in ways]
        self._follow, self._clock, self._send, self._tell = follow, clock, send, tell
        self._rng = rng or random.Random()
        self._started = self.due = clock()
        self._pause = FIRST_PAUSE_S
        self._accepted_by: Way | None = None
        self._accepted = Accepted()
        self._going = Going("accepted")
        self._tries = 0
        self.result: Result | None = None

    def step(self, until: float) -> None:
        """Ask, or look how it goes. It takes no longer than `until`, by the monotonic clock."""
        if self._accepted_by is None:
            self._ask(until)
        else:
            self._look(self._accepted_by, until)

    def give_up(self) -> None:
        """The time is over."""
        if self._accepted_by is not None:
            message = f"the run had not ended when the time was over: {self._going.what}"
            self._end("unknown", ExitCode.UNKNOWN, message, self._where())
        elif any(state.down and state.down.maybe for state in self._states):
            self._end("unknown", ExitCode.UNKNOWN, f"{self._all_told()}; {_AGAIN}")
        else:
            codes = [state.refused.code if state.refused else ExitCode.FAILED for state in self._states]
            self._end("failed", worst(codes), self._all_told(), self._what_next())

    def interrupt(self) -> None:
        """Somebody wants it to end now. A run that was accepted goes on."""
        if self._accepted_by is not None:
            message = f"it goes on: {self._going.what}"
        else:
            message = _AGAIN if self._tries else "nothing was sent"
        self._end("interrupted", ExitCode.INTERRUPTED, message)

    def _ask(self, until: float) -> None:
        open_states = [state for state in self._states if state.refused is None and state.ready_at <= self._clock()]
        for number, state in enumerate(open_states):
            left = until - self._clock()
            if left <= 0:
                break
            # So that one that does not answer leaves time for those behind it.
            self._judge(state, min(left / (len(open_states) - number), state.way.options["timeout"]))
            if self._accepted_by is not None:
                return
        if all(state.refused for state in self._states):
            self.give_up()
            return
        pause = self._pause * self._rng.uniform(0.75, 1.25)
        self._pause = min(self._pause * 2, LONGEST_PAUSE_S)
        ready_at = min(state.ready_at for state in self._states if state.refused is None)
        self.due = max(self._clock() + pause, ready_at)

    def _judge(self, state: _State, seconds: float) -> None:
        way, end = state.way, self._clock() + seconds
        self.fields = self._first.aged(int((self._clock() - self._started) * 1000))
        said: Accepted | Refused | Down
        try:
            request = way.request(self.fields)
            answer = self._sending(request, seconds)
            other = way.trigger.instead(request, answer)
            left = end - self._clock()
            said = way.trigger.judge(way.options, self._sending(other, left) if other and left > 0 else answer)
        except NoAnswer as error:
            said = _unanswered(error)
        if isinstance(said, Accepted):
            self._take(way, said)
            return
        before = state.told
        if isinstance(said, Refused):
            state.refused = said
        else:
            maybe = said.maybe or bool(state.down and state.down.maybe)
            state.down = Down(said.message, maybe, said.retry_after_s)
            state.ready_at = self._clock() + (said.retry_after_s or 0)
        self._tell(state.told, state.told != before)

    def _sending(self, request: HttpRequest, seconds: float) -> HttpAnswer:
        self._tries += 1
        self._tell(f"{request.method} {request.url} with {self.fields.told}", False)
        return self._send(request, seconds)

    def _take(self, way: Way, accepted: Accepted) -> None:
        self._accepted_by, self._accepted = way, accepted
        self._going = Going("accepted", accepted.handle, accepted.url)
        self._pause, self.due = FIRST_LOOK_S, self._clock() + FIRST_LOOK_S
        self._tell(f"{self.fields.resource}: accepted by {way.name}", self._follow)
        if not self._follow:
            told = [self._in_place_of(way), _unconfirmed(way, accepted)]
            outcome: Outcome = "accepted" if accepted.confirmed else "sent"
            self._end(outcome, ExitCode.OK, "; ".join(filter(None, told)) or None)

    def _in_place_of(self, way: Way) -> str | None:
        """Why a fallback had to be asked."""
        passed = [state.told for state in self._states if state.way is not way and (state.refused or state.down)]
        return f"in place of {'; '.join(passed)}" if passed else None

    def _look(self, way: Way, until: float) -> None:
        if self._going.handle is None:
            self._unseen(_untold(way, self._accepted))
            return
        request = way.trigger.look(way.options, way.secrets, self._going.handle)
        if isinstance(request, Hidden):
            self._unseen(request.why)
            return
        said: Going | Ended | Hidden | Down
        try:
            seconds = min(until - self._clock(), way.options["timeout"])
            said = way.trigger.judge_look(way.options, self._send(request, seconds))
        except NoAnswer as error:
            said = Down(error.message)
        self._seen(way, said)

    def _seen(self, way: Way, said: Going | Ended | Hidden | Down) -> None:
        if isinstance(said, Hidden):
            self._unseen(said.why)
        elif isinstance(said, Ended):
            self._going = Going(said.what, url=said.url or self._going.url)
            code = ExitCode.OK if said.ok else ExitCode.FAILED
            told = [self._in_place_of(way), None if said.ok else f"the run ended with: {said.what}"]
            message = "; ".join(filter(None, told)) or None
            self._end("done" if said.ok else "failed", code, message, None if said.ok else self._where())
        else:
            if isinstance(said, Going):
                moved = said.handle is not None and said.handle != self._going.handle
                if said.what != self._going.what:
                    self._tell(f"{self.fields.resource}: {said.what}", True)
                self._going = Going(said.what, said.handle or self._going.handle, said.url or self._going.url)
                self._pause = FIRST_LOOK_S if moved else self._pause
            else:
                self._tell(f"{way.name}: {said.message}", False)
            wait = said.retry_after_s if isinstance(said, Down) and said.retry_after_s else self._pause
            self._pause = min(self._pause * 1.5, LONGEST_LOOK_S)
            self.due = self._clock() + wait

    def _unseen(self, why: str) -> None:
        self._end("unknown", ExitCode.UNKNOWN, f"accepted; what became of it cannot be seen: {why}", self._where())

    def _where(self) -> str | None:
        return f"look at {self._going.url}" if self._going.url else None

    def _all_told(self) -> str:
        return "; ".join(state.told for state in self._states)

    def _what_next(self) -> str:
        reachable = f"is {self.ways[0].options['url']} up, and the way to it open from here? Then ask again"
        return next((state.refused.next for state in self._states if state.refused), reachable)

    def _end(self, outcome: Outcome, code: ExitCode, message: str | None = None, next: str | None = None) -> None:
        taken = self._accepted_by
        self.result = Result(
            self.fields,
            taken or self.ways[0],
            outcome,
            code,
            self._tries,
            self._accepted if taken else None,
            self._going.url,
            self._going.what if taken and self._follow else None,
            message,
            next,
        )


def _unanswered(error: NoAnswer) -> Refused | Down:
    if error.again:
        return Down(error.message, error.maybe)
    return Refused(error.message, "mend url in its section, the proxy, or the certificate")


def _unconfirmed(way: Way, accepted: Accepted) -> str | None:
    if accepted.confirmed:
        return None
    return f"{way.trigger.title} answers before it looks at the signature: whether it starts anything is not known"


def _untold(way: Way, accepted: Accepted) -> str:
    if accepted.confirmed:
        return f"{way.trigger.title} did not say which run it is"
    return f"{way.trigger.title} answers before it looks at the signature, and does not tell afterwards"


def carry_out(
    errands: Sequence[Errand], until: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> None:
    """All of them in turn, each when it is due, until all have a result or the time is over."""
    while True:
        open_errands = [errand for errand in errands if errand.result is None]
        due = min((errand.due for errand in open_errands), default=until)
        if due >= until:
            break
        if due > clock():
            sleep(due - clock())
        ready = [errand for errand in open_errands if errand.due <= clock()]
        for number, errand in enumerate(ready):
            left = until - clock()
            if left > 0:
                errand.step(clock() + left / (len(ready) - number))
    for errand in errands:
        if errand.result is None:
            errand.give_up()
