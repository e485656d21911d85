"""The lines of the log: what the engine tells while it moves, and what is worth a line of the looks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hcloud_reassign.core.shown import moment, seconds

Teller = Callable[[str, Mapping[str, Any]], str]

MOST = 2000


class Log:
    """The newest lines. `count` is how many there were, those that are gone among them."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=MOST)
        self.count = 0

    def add(self, line: str) -> None:
        self.lines.append(line)
        self.count += 1

    def since(self, count: int) -> list[str]:
        """What came after so many lines, as far as it is still here."""
        fresh = min(self.count - count, len(self.lines))
        return list(self.lines)[len(self.lines) - fresh :]


@dataclass(frozen=True)
class Seen:
    """What a look found: holders by the names of resources. `error`: why it found nothing new."""

    picture: object = None
    holders: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None


def noted(project: str, before: Seen, now: Seen) -> Iterator[str]:
    """What a look is worth in the log: the first one, troubles, their end, and who has something new."""
    was = before.error
    if now.error is not None:
        if now.error != was:
            yield f"{project}: {now.error}"
        return
    if was is not None:
        yield f"{project}: the API answers again"
    if before.picture is None:
        yield f"{project}: {len(now.holders)} resources seen"
        return
    for name, holder in now.holders.items():
        old = before.holders.get(name)
        if old is None:
            yield f"{project}: {name} is new, with {holder}"
        elif old != holder:
            yield f"{project}: {name} was with {old}, is with {holder}"
    for name in before.holders:
        if name not in now.holders:
            yield f"{project}: {name} is not seen any more"


def stamped(now_ms: int, text: str) -> str:
    """A line of the log: when, and what."""
    return f"{moment(now_ms)[11:19]}  {text}"


def line_of_event(event: str, data: Mapping[str, Any]) -> str | None:
    """An event of the engine as a line; None for those that say nothing to people."""
    name = data.get("name") or ", ".join(str(one) for one in data.get("names") or ())
    told = _TELLERS.get(event)
    return told(str(name), data) if told else None


def _started(name: str, data: Mapping[str, Any]) -> str:
    return f"{name}: {data.get('before')} -> {data.get('wanted')}"


def _step(word: str) -> Teller:
    def told(name: str, data: Mapping[str, Any]) -> str:
        more = [f"action {data['action_id']}"] if data.get("action_id") else []
        more += [seconds(data["duration_ms"])] if data.get("duration_ms") is not None else []
        why = f": {data['message']}" if data.get("message") else ""
        return f"{name}: {data.get('what')} {word}{_in_brackets(more)}{why}"

    return told


def _in_brackets(more: list[str]) -> str:
    return f" ({', '.join(more)})" if more else ""


def _done(name: str, data: Mapping[str, Any]) -> str:
    why = f": {data['message']}" if data.get("message") else ""
    return f"{name}: {data.get('outcome')}{why}"


def _finished(name: str, data: Mapping[str, Any]) -> str:
    error = data.get("error")
    return f"{data.get('command')} ended: {data.get('outcome')}" + (f": {error['message']}" if error else "")


_TELLERS: Mapping[str, Teller] = {
    "run.started": lambda name, data: f"{data.get('command')} of {name or 'everything'}",
    "observed": lambda name, data: ", ".join(str(one) for one in data.get("reads") or ("read",)),
    "planned": lambda name, data: f"planned {len(data.get('moves') or ())}, digest {data.get('digest')}",
    "move.started": _started,
    "step.started": _step("begins"),
    "step.done": _step("is done"),
    "step.failed": _step("failed"),
    "step.retried": lambda name, data: f"{name}: again in {seconds(data.get('wait_ms'))}: {data.get('reason')}",
    "move.undoing": lambda name, data: f"{name}: taken back: {data.get('reason')}",
    "move.done": _done,
    "held": lambda name, data: f"{name}: held",
    "released": lambda name, data: f"{name}: released",
    "warning": lambda name, data: f"warning: {data.get('message')}",
    "run.finished": _finished,
}
