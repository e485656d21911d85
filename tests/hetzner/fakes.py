"""The API's side of the `requests` package: answers that a test gives, requests that it looks at."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from hcloud_reassign.hetzner.cloud import Cloud

TOKEN = "secret-token"
URL = "https://api.test/v1"
ACTION = {"id": 1, "command": "assign_floating_ip", "status": "running", "resources": []}


@dataclass
class Sent:
    """One request as it left, and what the transport was told about it."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Any
    timeout: Any
    proxies: Mapping[str, str]


Answer = requests.Response | BaseException


def response(status: int = 200, body: Any = None, headers: Mapping[str, str] | None = None) -> requests.Response:
    """An answer; a body that is no bytes is sent as JSON."""
    made = requests.Response()
    made.status_code = status
    made._content = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    made.raw = io.BytesIO(made._content)
    made.headers.update({"Content-Type": "application/json", **(headers or {})})
    made.encoding, made.reason = "utf-8", "because"
    return made


def error(status: int, code: str, message: str = "no", **more: Any) -> requests.Response:
    return response(status, {"error": {"code": code, "message": message, **more}})


@dataclass
class Wire(requests.adapters.BaseAdapter):
    """Answers every request in the given way."""

    answer: Callable[[Sent], Answer]
    sent: list[Sent] = field(default_factory=list)

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, timeout: Any = None, proxies: Any = None, **_: Any
    ) -> requests.Response:
        seen = Sent(
            request.method or "", request.url or "", dict(request.headers), request.body, timeout, dict(proxies or {})
        )
        self.sent.append(seen)
        answer = self.answer(seen)
        if isinstance(answer, BaseException):
            raise answer
        answer.request, answer.url = request, request.url or ""
        return answer

    def close(self) -> None:
        pass

    def mount(self, session: requests.Session) -> None:
        session.mount("https://", self)
        session.mount("http://", self)


def cloud(answer: Answer | Callable[[Sent], Answer], **more: Any) -> tuple[Cloud, Wire]:
    """A project whose requests all get the same answer, or the one that a function gives."""
    wire = Wire(answer if callable(answer) and not isinstance(answer, requests.Response) else lambda _: answer)
    return Cloud(TOKEN, URL, mount=wire.mount, **more), wire
