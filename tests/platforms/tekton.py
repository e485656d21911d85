"""A Tekton EventListener: it answers before its interceptors have looked, so its answer says nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any

from tests.platforms.server import Answer, OnAccepted, Platform, Received

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_HOST = r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}"
_TEXTS = {"resource": _NAME, "to": _HOST, "by": _HOST}
_NUMBERS = {"issued_at": r"[0-9]{13}", "age": r"[0-9]{1,9}"}


class Tekton(Platform):
    """One listener. `refused` is what is known inside only: why its interceptors stopped a request."""

    def __init__(
        self, on_accepted: OnAccepted = lambda asked: True, *, secret: str = "tekton-secret", **more: Any
    ) -> None:
        super().__init__(on_accepted, **more)
        self.secret = secret
        self.refused: list[str] = []

    def handle(self, request: Received) -> Answer:
        reason = self._github_interceptor(request) or _cel_interceptor(request.body)
        if reason:
            self.refused.append(reason)
        else:
            body = {name: str(value) for name, value in json.loads(request.body).items()}
            self.start_run(body, body, has_time=False)
        number = len(self.received)
        return Answer(
            202,
            {
                "eventListener": "hcloud-reassign",
                "namespace": "failover",
                "eventListenerUID": "6f3c2a1e-7f0e-4b0a-9d35-0d5a3c8b7e11",
                "eventID": f"00000000-0000-4000-8000-{number:012}",
            },
        )

    def _github_interceptor(self, request: Received) -> str | None:
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return "form bodies are not read"
        if "x-hub-signature-256" not in request.headers:
            return "no X-Hub-Signature-256 header"
        expected = "sha256=" + hmac.new(self.secret.encode(), request.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, request.headers["x-hub-signature-256"]):
            return "payload signature check failed"
        if request.headers.get("x-github-event") != "hcloud-reassign":
            return "event type is not allowed"
        return None


def _cel_interceptor(data: bytes) -> str | None:
    try:
        body = json.loads(data)
    except ValueError:
        return "the body is not JSON"
    if not isinstance(body, dict):
        return "the body is not an object"
    for name, pattern in _TEXTS.items():
        if not isinstance(body.get(name), str) or not re.fullmatch(pattern, body[name], re.ASCII):
            return f"expression did not return true: {name}"
    for name, pattern in _NUMBERS.items():
        if type(body.get(name)) is not int or not re.fullmatch(pattern, str(body[name]), re.ASCII):
            return f"expression did not return true: {name}"
    return None
