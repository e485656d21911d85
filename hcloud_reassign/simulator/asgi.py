"""The simulator over HTTP: an ASGI application, and servers for it. The only module that needs uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .core import Simulator
from .reply import Reply

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_ABORT = "hcloud_reassign.abort"
_KEEP_ALIVE_S = 75
_ROUNDS = 4
"""Of the event loop, until a connection accepted just before is known, and its socket closed."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def create_app(sim: Simulator, *, latency_s: float = 0.0) -> ASGIApp:
    """The application. latency_s: seconds of round trip, half of it before the request takes effect."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _body(receive)
        if latency_s:
            await asyncio.sleep(latency_s / 2)
        reply = sim.handle(scope["method"], _path(scope), _query(scope), _headers(scope), body)
        if reply.delay_s or latency_s:
            await asyncio.sleep(reply.delay_s + latency_s / 2)
        if reply.dropped:
            await _drop(scope, receive)
        else:
            await _answer(reply, send)

    return app


def _path(scope: Scope) -> str:
    raw: bytes | None = scope.get("raw_path")
    return raw.decode("latin-1") if raw is not None else scope["path"]


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _headers(scope: Scope) -> dict[str, str]:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    headers.setdefault("x-forwarded-proto", scope["scheme"])
    return headers


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _drop(scope: Scope, receive: Receive) -> None:
    """Closes the connection without an answer; only our own server hands the application a way to do that."""
    abort = scope.get("extensions", {}).get(_ABORT)
    if abort is None:
        raise ConnectionAbortedError("the simulator drops this connection")
    abort()
    # Returning before the server has noticed would make it answer 500.
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(reply: Reply, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    # Less than announced: ending here without the rest makes the server close the connection half way.
    half = int(reply.headers.get("Content-Length", len(reply.body))) > len(reply.body)
    await send({"type": "http.response.body", "body": reply.body, "more_body": half})


class _Protocol(H11Protocol):
    """Tells the application how to close its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        inner = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await inner({**scope, "extensions": {_ABORT: transport.abort}}, receive, send)

        self.app = app


class _Server(uvicorn.Server):
    """Stops at once, leaves signals alone, and says when it listens."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)
        self._on_ready()

    async def main_loop(self) -> None:
        assert self._stop is not None
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # A connection that was accepted before its server is closed, and comes to life after it, stays open for ever.
        for server in self.servers:
            for listener in server.sockets:
                asyncio.get_running_loop().remove_reader(listener)
        for _ in range(_ROUNDS):
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            tasks = list(self.server_state.tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn would raise the signal again when it has stopped; here a signal is the normal end."""
        yield

    def stop(self) -> None:
        """May be called from any thread."""
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)


def _config(app: ASGIApp, tls_cert: str | None = None, tls_key: str | None = None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        ssl_certfile=tls_cert,
        ssl_keyfile=tls_key,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Inherited by every connection; asyncio sets it only on sockets made with an explicit protocol, and without it an
    # answer's body waits 40 ms for the acknowledgement of its head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


def _address(listener: socket.socket, scheme: str) -> str:
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def serve(
    sim: Simulator,
    *,
    host: str,
    port: int,
    latency_s: float,
    tls_cert: str | None = None,
    tls_key: str | None = None,
    on_ready: Callable[[str], None],
) -> None:
    """Serves until SIGINT or SIGTERM. on_ready gets the address without a path, e.g. http://127.0.0.1:8410.

    Raises OSError when it cannot listen there or cannot read the certificate.
    """
    config = _config(create_app(sim, latency_s=latency_s), tls_cert, tls_key)
    config.load()
    with contextlib.closing(_listen(host, port)) as listener:
        address = _address(listener, "https" if tls_cert else "http")
        server = _Server(config, lambda: on_ready(address))
        asyncio.run(_until_signal(server, listener))


async def _until_signal(server: _Server, listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            loop.add_signal_handler(number, server.stop)
    await server.serve(sockets=[listener])


class RunningServer:
    """Serves on a local port, a free one by default, in a daemon thread, for tests and the demonstration.

    with RunningServer(sim) as server: ... server.url, server.robot_url
    """

    def __init__(
        self,
        sim: Simulator,
        *,
        latency_s: float = 0.0,
        host: str = "127.0.0.1",
        port: int = 0,
        tls_cert: str | None = None,
        tls_key: str | None = None,
    ) -> None:
        self.sim = sim
        config = _config(create_app(sim, latency_s=latency_s), tls_cert, tls_key)
        config.load()
        self._listener = _listen(host, port)
        self._address = _address(self._listener, "https" if tls_cert else "http")
        self._ready = threading.Event()
        self._server = _Server(config, self._ready.set)
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)

    @property
    def url(self) -> str:
        """The base of the Cloud API, e.g. http://127.0.0.1:41234/v1."""
        return f"{self._address}/v1"

    @property
    def robot_url(self) -> str:
        """The base of the Robot webservice."""
        return f"{self._address}/robot"

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._listener]))

    def start(self) -> RunningServer:
        """Returns when it listens."""
        self._thread.start()
        self._ready.wait(10)
        return self

    def stop(self) -> None:
        """Closes all connections at once and waits for the thread."""
        self._server.stop()
        self._thread.join(10)
        self._listener.close()

    def __enter__(self) -> RunningServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
