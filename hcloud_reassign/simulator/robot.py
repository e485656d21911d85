"""The failover part of Hetzner's Robot webservice (https://robot.hetzner.com/doc/webservice/en.html)."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs

from . import shapes
from .cloud import Cloud, Effects
from .errors import RobotError
from .model import FailoverIp
from .project import Project
from .reply import Request

_HOUR_S = 3600
_BLOCK_S = 600
_LOGINS = 3
_QUOTA = {"GET": 100, "POST": 50, "DELETE": 50}
"""Requests per hour; list and single GET share theirs (seen for other endpoints, assumed here)."""


@dataclass(frozen=True)
class Answer:
    """What the webservice says, and after how many seconds: a switch answers only when it is finished."""

    status: int
    payload: Any
    delay_s: float = 0.0


class Robot:
    """Logins, quotas and failover switches of one account."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._used: dict[str, deque[float]] = {method: deque() for method in _QUOTA}
        self._bad_logins = 0
        self._blocked_until = 0.0

    def handle(self, request: Request, effects: Effects, seen: Project) -> Answer:
        """Answers a request whose path starts with /robot; seen is what a GET shows."""
        try:
            self._login(request.headers.get("authorization", ""))
            self._quota(request.method)
            return self._dispatch(request, effects, seen)
        except RobotError as error:
            return Answer(error.status, error.payload())

    def _login(self, authorization: str) -> None:
        """Three failed logins block the caller for ten minutes, whatever it sends then."""
        account, now = self._cloud.project.robot, self._cloud.now
        given = base64.b64encode(f"{account.user}:{account.password}".encode()).decode()
        if now >= self._blocked_until and authorization == f"Basic {given}":
            self._bad_logins = 0
            return
        if now >= self._blocked_until:
            self._bad_logins += 1
        if self._bad_logins >= _LOGINS:
            self._blocked_until, self._bad_logins = now + _BLOCK_S, 0
        raise RobotError(401, "UNAUTHORIZED", "Unauthorized")

    def _quota(self, method: str) -> None:
        """403 and not 429 (documented)."""
        used = self._used.get(method)
        if used is None:
            raise RobotError(405, "METHOD_NOT_ALLOWED", "Method not allowed")
        now = self._cloud.now
        while used and used[0] <= now - _HOUR_S:
            used.popleft()
        if len(used) >= _QUOTA[method]:
            most = _QUOTA[method]
            raise RobotError(403, "RATE_LIMIT_EXCEEDED", "rate limit exceeded", max_request=most, interval=_HOUR_S)
        used.append(now)

    def _dispatch(self, request: Request, effects: Effects, seen: Project) -> Answer:
        account = seen.robot
        parts = request.path.removeprefix("/robot").strip("/").split("/")
        if parts[0] != "failover" or len(parts) > 2:
            raise RobotError(404, "NOT_FOUND", "Not Found")
        if len(parts) == 1:
            if request.method != "GET":
                raise RobotError(405, "METHOD_NOT_ALLOWED", "Method not allowed")
            if not seen.failover_ips:
                raise RobotError(404, "NOT_FOUND", "No failover IP addresses found")
            return Answer(200, [shapes.failover(item, account) for item in seen.failover_ips.values()])
        item = seen.failover_ips.get(parts[1])
        if item is None:
            raise RobotError(404, "NOT_FOUND", "failover IP not found")
        if request.method == "GET":
            return Answer(200, shapes.failover(item, account))
        target = None if request.method == "DELETE" else self._target(item, _form(request))
        return self._switch(item, target, effects)

    def _target(self, item: FailoverIp, form: Mapping[str, str]) -> str:
        wanted = form.get("active_server_ip")
        if not wanted:
            raise RobotError(400, "INVALID_INPUT", "invalid input", missing=["active_server_ip"], invalid=None)
        address = _address(wanted)
        version = ip_address(item.ip).version
        # Where a failover IP of that family goes: to the main IPv4, or to the address of the main IPv6 subnet.
        mains = [server.ip if version == 4 else server.ipv6_net for server in self._cloud.project.robot.servers]
        if address not in mains:
            raise RobotError(404, "FAILOVER_NEW_SERVER_NOT_FOUND", "the given server IP was not found")
        if self._cloud.now >= item.locked_until and item.active_server_ip == address:
            raise RobotError(409, "FAILOVER_ALREADY_ROUTED", "the failover IP is already routed to the given server")
        return address

    def _switch(self, item: FailoverIp, target: str | None, effects: Effects) -> Answer:
        """Blocks until the switch is finished; meanwhile the IP is locked and still shows where it was."""
        cloud = self._cloud
        if cloud.now < item.locked_until:
            raise RobotError(409, "FAILOVER_LOCKED", "the failover IP is currently being switched")
        seconds = self._seconds() if effects.slow_s is None else effects.slow_s
        done = cloud.now + effects.held_s + seconds
        item.locked_until = float("inf") if effects.stuck else done
        if effects.fail is not None:
            code, message = effects.fail
            return Answer(500, RobotError(500, code, message).payload(), done - cloud.now)
        account = cloud.project.robot
        shown = FailoverIp(item.ip, item.netmask, item.server_number, target)

        def finish(at: float) -> None:
            cloud.note(at, "failover_ips", item.ip)
            item.active_server_ip = target

        if not effects.stuck:
            cloud.timeline.at(done, finish)
            cloud.advance(cloud.now)
        return Answer(200, shapes.failover(shown, account), done - cloud.now)

    def _seconds(self) -> float:
        span = self._cloud.switches.robot_switch_s
        return self._cloud.rng.uniform(*span) if span is not None else self._cloud.duration("failover")


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise RobotError(400, "INVALID_INPUT", "invalid input", missing=None, invalid=["active_server_ip"]) from None


def _form(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        return _multipart(kind, request.body)
    fields = parse_qs(request.body.decode("utf-8", "replace"))
    return {name: values[-1] for name, values in fields.items()}


def _multipart(kind: str, body: bytes) -> dict[str, str]:
    message = message_from_bytes(b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + body)
    found: dict[str, str] = {}
    if message.is_multipart():
        for part in message.get_payload():
            name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
            content = part.get_payload(decode=True)  # type: ignore[union-attr]
            if isinstance(name, str) and isinstance(content, bytes):
                found[name] = content.decode("utf-8", "replace").strip()
    return found
