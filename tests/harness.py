"""The whole program on the simulator's core, in process, on a virtual clock: no thread, no socket, no waiting.

lab = Lab()
report = lab.project(INI).run(["floating.web"], Request())
"""

from __future__ import annotations

import io
import os
import random
from collections.abc import Callable, Mapping, Sequence
from json import dumps
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from hcloud_reassign.engine.borders import Borders
from hcloud_reassign.equipment import Equipment
from hcloud_reassign.hetzner.cloud import Cloud
from hcloud_reassign.project import Overrides, Project, open_project
from hcloud_reassign.simulator import Fault, Recorded, Reply, Scenario, Simulator, Switches, load_scenario

START = 1_790_000_000.0
TOKEN = "simulated-token"
READ_ONLY = "simulated-token-read-only"
URL = "http://hetzner.test/v1"


class VirtualClock:
    """Time that moves only when somebody waits."""

    def __init__(self, start: float = START) -> None:
        self._start, self._passed = start, 0.0

    def monotonic(self) -> float:
        return self._passed

    def wall(self) -> float:
        return self._start + self._passed

    def advance(self, seconds: float) -> None:
        self._passed += max(seconds, 0.0)


class Killed(BaseException):
    """The process is gone, as by SIGKILL."""


class SerialWorkers:
    """Carries every job out at once; waiting moves the clock."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._done: list[tuple[Any, Any, BaseException | None]] = []

    def submit(self, token: Any, job: Callable[[], Any]) -> None:
        try:
            self._done.append((token, job(), None))
        except Exception as error:  # noqa: BLE001 - handed to the one that waits, as a thread would
            self._done.append((token, None, error))

    def wait(self, seconds: float) -> list[tuple[Any, Any, BaseException | None]]:
        if not self._done:
            self._clock.advance(seconds)
        done, self._done = self._done, []
        return done

    def wake(self) -> None:
        pass


class Direct:
    """Takes requests straight to the simulator, with a latency and timeouts on the virtual clock.

    As `requests.Session.request`, without what that does for other programs: it takes a third of a run in process.
    What the package sends is looked at in tests/hetzner, and tests/system has it as it is.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        auth: requests.auth.AuthBase,
        hooks: Mapping[str, Callable[[requests.Response], None]],
        timeout: tuple[float, float],
        allow_redirects: bool,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
    ) -> requests.Response:
        assert not allow_redirects
        request = requests.PreparedRequest()
        request.method, request.url = method, f"{url}?{urlencode(params, doseq=True)}" if params else url
        request.headers = requests.structures.CaseInsensitiveDict(headers)
        if json is not None:
            request.headers["Content-Type"] = "application/json"
            request.body = dumps(json)
        answer = self.send(auth(request), timeout[1])
        hooks["response"](answer)
        return answer

    def send(self, request: requests.PreparedRequest, limit_s: float) -> requests.Response:
        """The simulator's answer. Raises what the package raises when there is none."""
        lab = self._lab
        lab.before_request(request)
        url = urlsplit(request.url or "")
        body = request.body or b""
        lab.clock.advance(lab.latency_s / 2)
        reply = lab.sim.handle(
            request.method or "GET",
            url.path,
            parse_qsl(url.query, keep_blank_values=True),
            {key.lower(): str(value) for key, value in request.headers.items()},
            body.encode() if isinstance(body, str) else body,
        )
        lab.clock.advance(lab.latency_s / 2)
        lab.after_request(request)
        if reply.delay_s > limit_s:
            lab.clock.advance(limit_s)
            raise requests.exceptions.ReadTimeout("read timed out")
        lab.clock.advance(reply.delay_s)
        return _response(request, reply)


def _response(request: requests.PreparedRequest, reply: Reply) -> requests.Response:
    promised = int(reply.headers.get("Content-Length", len(reply.body)))
    if reply.dropped or promised > len(reply.body):
        raise requests.exceptions.ConnectionError("connection aborted")
    response = requests.Response()
    response.status_code = reply.status
    response.headers.update(reply.headers)
    response.raw = io.BytesIO(reply.body)
    response._content = reply.body
    response.url, response.request, response.reason = request.url or "", request, "simulated"
    response.encoding = "utf-8"
    return response


class Lab:
    """One simulated Hetzner project with a clock of its own, and as many runs on it as a test wants.

    `kill_after`: how many requests the process survives; `kill_before`: the number of the request that it never sends.
    """

    def __init__(
        self,
        scenario: str | Mapping[str, Any] = "pair",
        *,
        seed: int = 1,
        faults: Sequence[Fault] = (),
        switches: Switches | None = None,
        latency_s: float = 0.02,
        action_time: tuple[float, float] = (0.6, 1.4),
    ) -> None:
        self.clock = VirtualClock()
        self.seed, self.latency_s = seed, latency_s
        made = load_scenario(scenario) if isinstance(scenario, str) else Scenario.from_data(dict(scenario))
        self.sim = Simulator(
            made,
            clock=self.clock.wall,
            rng=random.Random(seed),
            switches=switches or Switches(),
            faults=list(faults),
            action_time=action_time,
        )
        self.kill_after: int | None = None
        self.kill_before: int | None = None
        self._sent = 0

    def project(
        self, ini: str, token: str = TOKEN, environ: Mapping[str, str] | None = None, **overrides: Any
    ) -> Project:
        """A project on this lab, from the text of a configuration file."""
        file = Path(os.environ["HOME"]) / "prod.ini"
        file.write_text(ini, encoding="utf-8")
        file.chmod(0o600)
        given = Overrides(token=token, api_url=URL, **overrides)
        return open_project(file, given, environ={**os.environ, **(environ or {})}, equipment=self.equipment())

    def equipment(self) -> Equipment:
        """What a session of this lab works with; its randomness starts anew with every project."""
        return Equipment(self._border, lambda: SerialWorkers(self.clock), self.clock, random.Random(self.seed))

    def _border(self, token: str, url: str) -> Borders:
        borders = Borders(token, url)
        borders._cloud = Cloud(token, url, monotonic=self.clock.monotonic, wall=self.clock.wall, mount=self._mount)
        return borders

    def _mount(self, session: requests.Session) -> None:
        self._wire(session, Direct(self))

    def _wire(self, session: requests.Session, direct: Direct) -> None:
        setattr(session, "request", direct.request)  # noqa: B010

    def before_request(self, request: requests.PreparedRequest) -> None:
        if self.kill_before is not None and self._sent + 1 >= self.kill_before:
            raise Killed
        self._sent += 1

    def after_request(self, request: requests.PreparedRequest) -> None:
        if self.kill_after is not None and self._sent >= self.kill_after:
            raise Killed

    @property
    def writes(self) -> list[Recorded]:
        """Every request that could change something, in order."""
        return [request for request in self.sim.requests if request.method != "GET"]
