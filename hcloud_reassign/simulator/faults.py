"""Faults by rule: which requests, and what goes wrong with them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.client import responses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .errors import STATUS_CODES, ScenarioError
from .reader import Reader
from .reply import Reply, Request

if TYPE_CHECKING:
    from .core import Simulator

When = Literal["before", "after"]
Hook = Callable[["Simulator", Request], None]

_HTML = "<html><head><title>{0} {1}</title></head><body><center><h1>{0} {1}</h1></center></body></html>"


@dataclass
class Fault:
    """One rule. Which requests:

    method ("*" = any); path: a glob over the whole path, /v1/... or /robot/...; nth: the first matching request it
    acts on, from 1; times: on how many, None = all from then on; probability: chance for each of them.

    What happens (nothing set: nothing):
    status with body ("json", "html", "empty", "half", or the text itself), code, message, details, headers: this
        answer instead. when "before": the request never took effect; "after": it did.
    drop "before" or "after": the connection is closed without an answer.
    delay: seconds. when "before": the request reaches the project only then; "after": the answer is late.
    fail_action {"code", "message", "after" seconds}, stuck_action, slow_action seconds: the action it starts.
    stale: a GET shows the state of so many seconds ago, or "last-write": as before the latest
        request or event that changed anything.
    run: called with the simulator and the request, before or after it takes effect; not in files.

    seen and fired count; they may be reset.
    """

    method: str = "*"
    path: str = "*"
    nth: int = 1
    times: int | None = 1
    probability: float = 1.0
    status: int | None = None
    body: str = "json"
    code: str | None = None
    message: str | None = None
    details: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    when: When = "before"
    drop: When | None = None
    delay: float = 0.0
    fail_action: Mapping[str, Any] | None = None
    stuck_action: bool = False
    slow_action: float | None = None
    stale: float | Literal["last-write"] | None = None
    run: Hook | None = None
    seen: int = 0
    fired: int = 0

    def fires(self, request: Request, rng: random.Random) -> bool:
        """Counts the request when it matches, and says whether the rule acts on it."""
        if self.method not in ("*", request.method) or not fnmatchcase(request.path, self.path):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.times is not None and self.fired >= self.times):
            return False
        if self.probability < 1 and rng.random() >= self.probability:
            return False
        self.fired += 1
        return True

    @property
    def answers(self) -> When | None:
        """Whether and when the rule replaces the answer."""
        return self.drop or (self.when if self.status is not None else None)

    def reply(self, robot: bool) -> Reply:
        """The answer it gives instead."""
        if self.drop is not None:
            return Reply(0, {}, b"", dropped=True)
        status = self.status or 500
        text, kind = self._body(status, robot)
        whole = text.encode()
        sent = whole[: len(whole) // 2] if self.body == "half" else whole
        headers = {"Content-Type": kind, "Content-Length": str(len(whole)), **self.headers}
        return Reply(status, headers, sent)

    def _body(self, status: int, robot: bool) -> tuple[str, str]:
        if self.body in ("json", "half"):
            return json.dumps({"error": self._error(status, robot)}), "application/json"
        if self.body == "html":
            return _HTML.format(status, responses.get(status, "Error")), "text/html"
        return ("" if self.body == "empty" else self.body), "text/plain"

    def _error(self, status: int, robot: bool) -> dict[str, Any]:
        code, message = STATUS_CODES.get(status, ("unknown_error", "unknown error"))
        error = {"code": self.code or code, "message": self.message or message}
        if robot:
            return {"status": status, **error, **(self.details or {})}
        return {**error, "details": self.details}

    @classmethod
    def from_data(cls, data: Any, where: str = "fault") -> Fault:
        """Reads one rule of a fault file. Raises ScenarioError naming the rule and the key."""
        reader = Reader(data, where)
        when = reader.one_of("when", ("before", "after"), "before")
        drop = reader.one_of("drop", ("before", "after"), None)
        fault = cls(
            method=reader.text("method", "*").upper(),
            path=reader.text("path", "*"),
            nth=reader.whole("nth", 1, least=1),
            times=reader.optional_whole("times", 1),
            probability=reader.number("probability", 1.0),
            status=_status(reader),
            body=reader.text("body", "json"),
            code=reader.optional_text("code"),
            message=reader.optional_text("message"),
            details=reader.optional_mapping("details"),
            headers=reader.texts_by_name("headers"),
            when="after" if when == "after" else "before",
            drop=None if drop is None else ("after" if drop == "after" else "before"),
            delay=reader.number("delay", 0.0),
            fail_action=_fail_action(reader),
            stuck_action=reader.flag("stuck_action"),
            slow_action=reader.optional_number("slow_action"),
            stale=_stale(reader),
        )
        reader.done()
        return fault


def _fail_action(reader: Reader) -> Mapping[str, Any] | None:
    data = reader.optional_mapping("fail_action")
    if data is None:
        return None
    inner = Reader(data, f"{reader.where}.fail_action")
    known: dict[str, Any] = {
        "code": inner.text("code", "action_failed"),
        "message": inner.text("message", "Action failed"),
    }
    after = inner.optional_number("after")
    if after is not None:
        known["after"] = after
    inner.done()
    return known


def _status(reader: Reader) -> int | None:
    status = reader.optional_whole("status", None)
    if status is not None and not 200 <= status <= 599:
        raise reader.fail("status", "must be between 200 and 599")
    return status


def _stale(reader: Reader) -> float | Literal["last-write"] | None:
    if reader.peek("stale") == "last-write":
        reader.optional_text("stale")
        return "last-write"
    return reader.optional_number("stale")


def load_faults(path: str | Path) -> list[Fault]:
    """Reads a fault file: a JSON list of rules. Raises ScenarioError naming the file, the rule and the key."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from error
    if not isinstance(data, Sequence) or isinstance(data, str):
        raise ScenarioError(f"{path}: must be a list of rules")
    return [Fault.from_data(rule, f"{path}: rule {number}") for number, rule in enumerate(data, 1)]
