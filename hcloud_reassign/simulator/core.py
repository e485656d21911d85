"""The simulator: one request in, one answer out, no threads and no timers."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote

from . import routes
from .call import Call, Handler, Result
from .cloud import Cloud, Effects
from .errors import ApiError
from .faults import Fault
from .project import Project
from .reply import Recorded, Reply, Request
from .robot import Robot
from .scenario import Scenario
from .switches import Switches

_NO_ROUTE = ApiError(404, "not_found", "api route not found")


class Simulator:
    """A Hetzner project in memory.

    clock: unix seconds; what is under way is computed from it at each request, so a virtual clock drives everything.
    switches: None takes those of the scenario. action_time: seconds from, to for every action; None: per command.
    requests: every request seen, in order. faults: may be changed while it runs.
    All methods may be called from several threads.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        clock: Callable[[], float],
        rng: random.Random,
        switches: Switches | None = None,
        faults: Sequence[Fault] = (),
        action_time: tuple[float, float] | None = None,
    ) -> None:
        self._clock = clock
        self._rng = rng
        self.switches = scenario.switches if switches is None else switches
        self.faults: list[Fault] = list(faults)
        self.requests: list[Recorded] = []
        self.lock = threading.RLock()
        self._cloud = Cloud(scenario.project(), self.switches, rng, action_time, clock())
        self._robot = Robot(self._cloud)

    @property
    def state(self) -> Project:
        """The project as it is now, to look at and to change as somebody else would."""
        with self.lock:
            self._cloud.advance(self._clock())
            return self._cloud.project

    @property
    def cloud(self) -> Cloud:
        """What is behind: rate limit buckets, running actions, the queue of events."""
        return self._cloud

    def next_event(self) -> float | None:
        """When something will change by itself (unix seconds); None when nothing is under way."""
        return self._cloud.timeline.next_at()

    def finish_action(self, action_id: int, error: tuple[str, str] | None = None) -> None:
        """Ends a running action now; also a stuck one. error: (code, message)."""
        with self.lock:
            self._cloud.advance(self._clock())
            self._cloud.history.next_step()
            self._cloud.finish(action_id, self._cloud.now, error)

    def delete_server(self, server_id: int) -> None:
        """Deletes a server as somebody else would: its addresses become free, those with auto_delete vanish."""
        with self.lock:
            self._cloud.advance(self._clock())
            self._cloud.history.next_step()
            self._cloud.delete_server(server_id)

    def handle(
        self, method: str, path: str, query: Sequence[tuple[str, str]], headers: Mapping[str, str], body: bytes
    ) -> Reply:
        """Answers one request; never raises for what a client sends. path: as on the wire, from /v1 or /robot on."""
        lowered = {name.lower(): value for name, value in headers.items()}
        request = Request(method.upper(), unquote(path), tuple(query), lowered, body)
        with self.lock:
            now = self._clock()
            self._cloud.advance(now)
            self._cloud.history.next_step()
            place = len(self.requests)
            self.requests.append(_recorded(request, now, 0, False))
            reply = self._with_faults(request, [fault for fault in self.faults if fault.fires(request, self._rng)])
            self.requests[place] = _recorded(request, now, reply.status, reply.dropped)
            return reply

    def _with_faults(self, request: Request, fired: Sequence[Fault]) -> Reply:
        robot = request.path.startswith("/robot")
        answering = next((fault for fault in fired if fault.answers), None)
        delay = sum(fault.delay for fault in fired)
        self._run_hooks(request, fired, "before")
        if answering is not None and answering.answers == "before":
            reply = self._finished(answering.reply(robot), request, delay)
        else:
            reply = self._serve(request, fired, delay)
            if answering is not None:
                reply = self._finished(answering.reply(robot), request, reply.delay_s)
        self._run_hooks(request, fired, "after")
        return reply

    def _run_hooks(self, request: Request, fired: Sequence[Fault], when: str) -> None:
        for fault in fired:
            if fault.run is not None and fault.when == when:
                fault.run(self, request)
                self._cloud.advance(self._clock())

    def _serve(self, request: Request, fired: Sequence[Fault], delay: float) -> Reply:
        effects = _effects(fired)
        if request.path == "/robot" or request.path.startswith("/robot/"):
            answer = self._robot.handle(request, effects, self._seen(request, fired))
            body = json.dumps(answer.payload).encode()
            headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
            late = delay - effects.held_s + answer.delay_s if answer.delay_s else delay
            return self._finished(Reply(answer.status, headers, body), request, late)
        try:
            result = self._call(request, fired, effects)
        except ApiError as error:
            result = Result(error.status, error.payload())
        body = json.dumps(result.payload, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **result.headers}
        return self._finished(Reply(result.status, headers, body), request, delay)

    def _call(self, request: Request, fired: Sequence[Fault], effects: Effects) -> Result:
        bucket = self._cloud.limits.bucket(request.path)
        if not bucket.take(self._cloud.now):
            raise ApiError(429, "rate_limit_exceeded", f"limit of {bucket.limit} requests per hour reached")
        if not request.path.startswith("/v1/"):
            raise _NO_ROUTE
        found = routes.find(request.path.removeprefix("/v1/"), self.switches)
        if found is None:
            raise _NO_ROUTE
        methods, ids = found
        handler = self._allowed(request, methods)
        fields = _fields(request)
        project = self._seen(request, fired)
        return handler(Call(self._cloud, project, request, ids, fields, effects, _base_url(request)))

    def _allowed(self, request: Request, methods: Mapping[str, Handler]) -> Handler:
        """The token is judged before the verb, and both after the path (observed)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise ApiError(401, "unauthorized", "token is required")
        rights = self._cloud.project.tokens.get(token.strip())
        if rights is None:
            raise ApiError(401, "unauthorized", "the token you have provided is invalid")
        if request.method not in methods:
            raise ApiError(405, "method_not_allowed", "the request method is not allowed")
        if rights != "read-write" and request.method != "GET":
            raise ApiError(401, "token_readonly", "the token is only allowed to perform GET requests")
        return methods[request.method]

    def _seen(self, request: Request, fired: Sequence[Fault]) -> Project:
        """What a GET sees: the state, or an older one when a fault says so."""
        stale = next((fault.stale for fault in fired if fault.stale is not None), None)
        if stale is None or request.method != "GET":
            return self._cloud.project
        if stale == "last-write":
            return self._cloud.history.before_last_step()
        return self._cloud.history.as_of(self._cloud.now - stale)

    def _finished(self, reply: Reply, request: Request, delay: float) -> Reply:
        now = self._cloud.now
        headers = {"Date": formatdate(now + delay, usegmt=True)}
        json_answer = reply.headers.get("Content-Type", "").startswith("application/json")
        if not request.path.startswith("/robot") and json_answer:
            # A gateway in front that answers in HTML knows nothing of limits.
            headers["X-Correlation-Id"] = f"{self._rng.getrandbits(64):016x}"
            headers.update(self._cloud.limits.bucket(request.path).headers(now))
            if reply.status == 429:
                headers["RateLimit-Remaining"] = "0"
        return Reply(reply.status, {**headers, **reply.headers}, reply.body, delay, reply.dropped)


def _recorded(request: Request, now: float, status: int, dropped: bool) -> Recorded:
    authorization = request.headers.get("authorization")
    query = tuple(request.query)
    return Recorded(request.method, request.path, query, request.body, now, status, dropped, authorization)


def _effects(fired: Sequence[Fault]) -> Effects:
    if not fired:
        return _NO_EFFECTS
    failing: Mapping[str, Any] | None = next((f.fail_action for f in fired if f.fail_action is not None), None)
    return Effects(
        fail=None
        if failing is None
        else (failing.get("code", "action_failed"), failing.get("message", "Action failed")),
        fail_after_s=None if failing is None else failing.get("after"),
        slow_s=next((fault.slow_action for fault in fired if fault.slow_action is not None), None),
        stuck=any(fault.stuck_action for fault in fired),
        held_s=sum(fault.delay for fault in fired if fault.when == "before"),
    )


_NO_EFFECTS = Effects()


def _fields(request: Request) -> Mapping[str, Any]:
    if request.method == "GET" or not request.body.strip():
        return {}
    try:
        fields = json.loads(request.body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise ApiError(400, "json_error", "invalid JSON input")
    return fields


def _base_url(request: Request) -> str:
    scheme = request.headers.get("x-forwarded-proto", "https")
    return f"{scheme}://{request.headers.get('host', 'api.hetzner.cloud')}"
