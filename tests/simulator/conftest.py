"""A client that talks to the simulator's core in process, on a clock that only moves when a test says so."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from hcloud_reassign.simulator import Reply, Scenario, Simulator, load_scenario

START = 1_800_000_000.0


class Clock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@dataclass
class Answer:
    """One answer, read."""

    reply: Reply

    @property
    def status(self) -> int:
        return self.reply.status

    @property
    def data(self) -> Any:
        return json.loads(self.reply.body)

    @property
    def code(self) -> str:
        return str(self.data["error"]["code"])

    @property
    def message(self) -> str:
        return str(self.data["error"]["message"])

    @property
    def action(self) -> dict[str, Any]:
        found: dict[str, Any] = self.data["action"]
        return found


class Api:
    """Sends requests; `go` lets time pass."""

    def __init__(self, sim: Simulator, clock: Clock) -> None:
        self.sim = sim
        self.clock = clock
        self.authorization: str | None = "Bearer simulated-token"

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = dict(headers or {})
        if self.authorization is not None:
            sent.setdefault("Authorization", self.authorization)
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return Answer(self.sim.handle(method, path, query, sent, raw))

    def get(self, path: str, *query: tuple[str, str]) -> Answer:
        return self.send("GET", f"/v1/{path}", query=query)

    def post(self, path: str, body: Any = None) -> Answer:
        return self.send("POST", f"/v1/{path}", body)

    def put(self, path: str, body: Any) -> Answer:
        return self.send("PUT", f"/v1/{path}", body)

    def go(self, seconds: float) -> None:
        self.clock.now += seconds

    def ended(self, action: Mapping[str, Any]) -> dict[str, Any]:
        """The action as it is now."""
        found: dict[str, Any] = self.get(f"actions/{action['id']}").data["action"]
        return found


Make = Callable[..., Api]


@pytest.fixture
def make() -> Make:
    """Makes a simulator from a packaged scenario or plain data; every action takes 2 seconds unless told otherwise."""

    def build(scenario: str | Mapping[str, Any] = "pair", **options: Any) -> Api:
        clock = Clock()
        found = load_scenario(scenario) if isinstance(scenario, str) else Scenario.from_data(scenario)
        options.setdefault("action_time", (2.0, 2.0))
        return Api(Simulator(found, clock=clock, rng=random.Random(1), **options), clock)

    return build


@pytest.fixture
def api(make: Make) -> Api:
    """The pair scenario."""
    return make()
