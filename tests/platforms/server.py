"""A platform that runs pipelines, as far as one who triggers it sees it: a small HTTP server in threads.

    with GitLab(on_accepted=start_the_executor) as gitlab:
        ...                                      # POST to gitlab.url
        gitlab.wait_for(lambda: len(gitlab.runs) == 1)

Each platform is a file of its own beside this one. What they have in common is how they can misbehave (`delay_s`,
`down`, `answer_with`, `cut`), what they remember (`received`, `runs`) and how a run lives (`queueing`, `Run.release`,
`Run.end`).
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit

FIELDS = ("resource", "to", "issued_at", "age", "by")
"""What a trigger carries."""

P = TypeVar("P", bound="Platform")
State = Literal["queued", "running", "success", "failure"]


@dataclass(frozen=True)
class Asked:
    """The five fields as they came, and the platform's own time in ms for the run; None where it has none.

    A field that was not sent is empty: it is for the executor to refuse it.
    """

    resource: str
    to: str
    issued_at: str
    age: str
    by: str
    created_ms: int | None = None

    @classmethod
    def of(cls, given: Mapping[str, str], created_ms: int | None = None) -> Asked:
        return cls(**{name: given.get(name, "") for name in FIELDS}, created_ms=created_ms)


OnAccepted = Callable[[Asked], object]
"""The executor. It runs in a thread of its own; the run has failed if it returns False."""


@dataclass(frozen=True)
class Received:
    """A request as it came; names of headers in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        """A text or bytes as they are, everything else as JSON; None is no body."""
        if self.body is None:
            return b""
        if isinstance(self.body, (bytes, str)):
            return self.body if isinstance(self.body, bytes) else self.body.encode()
        return json.dumps(self.body).encode()


@dataclass
class Run:
    """A pipeline, workflow run, build or PipelineRun. `variables` is all that the request set."""

    id: int
    asked: Asked
    created_ms: int
    variables: Mapping[str, str] = field(default_factory=dict)
    state: State = "queued"
    _go_on: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Let a queued run start."""
        self._go_on.set()

    def end(self, ok: bool) -> None:
        """End it without any executor."""
        self.state = "success" if ok else "failure"
        self._go_on.set()

    def carry_out(self, executor: OnAccepted) -> None:
        self._go_on.wait()
        if self.state == "queued":
            self.state = "running"
            self.state = "failure" if executor(self.asked) is False else "success"

    @property
    def created(self) -> str:
        """RFC 3339 with milliseconds."""
        seconds, ms = divmod(self.created_ms, 1000)
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{ms:03}Z"


@dataclass
class _Prepared:
    answer: Answer
    left: float


class Platform:
    """What all platforms share. `handle` is the platform's own.

    Attributes:
        received: every request, whatever became of it.
        runs: what was accepted, oldest first.
        queueing: a new run stays queued until its `release`.
        delay_s: every answer comes this much later; what was asked for is done at once.
    """

    def __init__(
        self,
        on_accepted: OnAccepted = lambda asked: True,
        *,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.on_accepted = on_accepted
        self.received: list[Received] = []
        self.runs: list[Run] = []
        self.queueing = False
        self.delay_s = 0.0
        self._address = (host, 0)
        self._tls = tls
        self._prepared: list[_Prepared] = []
        self._cuts = 0.0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._server: ThreadingHTTPServer | None = None

    def handle(self, request: Received) -> Answer:
        raise NotImplementedError

    # How a test sees and disturbs it.

    @property
    def url(self) -> str:
        host, port = self._address
        return f"{'https' if self._tls else 'http'}://{host}:{port}"

    def answer_with(self, status: int, body: Any = None, *, times: float = 1, **headers: str) -> None:
        """Answer the next requests like this and do nothing; `times=math.inf` for all.

        `Retry_After="1"` is the header Retry-After.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._prepared.append(_Prepared(Answer(status, body, named), times))

    def cut(self, times: float = 1) -> None:
        """Do what the next requests ask for, and close the connection in the middle of the answer."""
        self._cuts = times

    @contextmanager
    def down(self) -> Iterator[None]:
        """Nobody listens, and then somebody does again, on the same port."""
        self._stop()
        try:
            yield
        finally:
            self._start()

    def wait_for(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until something is so; TimeoutError if it never is."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"not within {seconds:g} s; {len(self.received)} requests, {len(self.runs)} runs")
            with self._changed:
                self._changed.wait(0.02)

    # How a platform uses it.

    def start_run(self, given: Mapping[str, str], variables: Mapping[str, str], *, has_time: bool = True) -> Run:
        """Accept a request; the executor starts in the background unless runs are queueing."""
        now = time.time_ns() // 1_000_000
        with self._changed:
            run = Run(len(self.runs) + 1001, Asked.of(given, now if has_time else None), now, dict(variables))
            self.runs.append(run)
        threading.Thread(target=self._carry_out, args=(run,), daemon=True).start()
        if not self.queueing:
            run.release()
        return run

    def run_with(self, id: int) -> Run | None:
        return next((run for run in self.runs if run.id == id), None)

    def _carry_out(self, run: Run) -> None:
        run.carry_out(lambda asked: True if self._closing.is_set() else self.on_accepted(asked))
        with self._changed:
            self._changed.notify_all()

    # The server.

    def _answer(self, request: Received) -> Answer:
        with self._changed:
            self.received.append(request)
            self._changed.notify_all()
            while self._prepared and self._prepared[0].left <= 0:
                self._prepared.pop(0)
            if self._prepared:
                self._prepared[0].left -= 1
                return self._prepared[0].answer
        return self.handle(request)

    def _cuts_now(self) -> bool:
        with self._changed:
            self._cuts -= 1
            return self._cuts >= 0

    def _start(self) -> None:
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Received(
                    self.command,
                    url.path,
                    dict(parse_qsl(url.query, keep_blank_values=True)),
                    headers,
                    self.rfile.read(length),
                )
                answer = platform._answer(request)
                if platform.delay_s:
                    platform._closing.wait(platform.delay_s)
                self._send(answer, platform._cuts_now())

            do_POST = do_PUT = do_GET

            def _send(self, answer: Answer, cut: bool) -> None:
                data = answer.data
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data) + 100 * cut))
                self.end_headers()
                self.wfile.write(data[: len(data) // 2] if cut else data)

            def log_message(self, *args: object) -> None:
                pass

        self._server = _Server(self._address, Handler)
        if self._tls is not None:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        self._address = (self._address[0], self._server.server_port)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def _stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self: P) -> P:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        for run in self.runs:
            run.release()
        self._stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """One who hangs up before the answer is no fault of the platform."""


def bracketed(pairs: Iterable[tuple[str, str]], name: str) -> dict[str, str]:
    """The `name[KEY]=value` of a form."""
    return {key[len(name) + 1 : -1]: value for key, value in pairs if key.startswith(f"{name}[") and key.endswith("]")}
