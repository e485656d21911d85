"""Servers for tests that are no Hetzner API: a proxy, one that redirects, one that never answers."""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit


@dataclass
class Heard:
    """What a listener was sent: request lines, and every header of every request."""

    url: str
    lines: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)

    def of(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def text(self) -> str:
        return "\n".join((*self.lines, *(f"{key}: {value}" for key, value in self.headers)))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    heard: Heard

    def log_message(self, *_: object) -> None:
        pass

    def note(self) -> bytes:
        self.heard.lines.append(self.requestline)
        self.heard.headers += self.headers.items()
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """A client that goes away is nothing to tell."""


@contextlib.contextmanager
def _listening(handler: type[_Handler]) -> Iterator[Heard]:
    server = _Server(("127.0.0.1", 0), handler)
    handler.heard = Heard(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield handler.heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextlib.contextmanager
def redirecting(to: str, status: int = 302) -> Iterator[Heard]:
    """Sends everybody somewhere else, with the same path."""

    class Handler(_Handler):
        def redirect(self) -> None:
            self.note()
            self.answer(status, Location=f"{to}{self.path}")

        do_GET = do_POST = do_PUT = redirect

    with _listening(Handler) as heard:
        yield heard


@contextlib.contextmanager
def listening() -> Iterator[Heard]:
    """Answers everything with an empty object."""

    class Handler(_Handler):
        def well(self) -> None:
            self.note()
            self.answer(200, b"{}", **{"Content-Type": "application/json"})

        do_GET = do_POST = do_PUT = well

    with _listening(Handler) as heard:
        yield heard


@contextlib.contextmanager
def proxy() -> Iterator[Heard]:
    """An HTTP proxy, which passes tunnels on as they are."""

    class Handler(_Handler):
        def forward(self) -> None:
            body = self.note()
            target = urlsplit(self.path)
            connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=30)
            path = target.path + (f"?{target.query}" if target.query else "")
            connection.request(self.command, path, body or None, dict(self.headers.items()))
            with contextlib.closing(connection):
                answer = connection.getresponse()
                content = answer.read()
                kept = {key: value for key, value in answer.getheaders() if key.lower() != "content-length"}
                self.answer(answer.status, content, **kept)

        do_GET = do_POST = do_PUT = forward

        def do_CONNECT(self) -> None:
            self.note()
            host, _, port = self.path.rpartition(":")
            with socket.create_connection((host, int(port)), timeout=30) as there:
                self.send_response(200)
                self.end_headers()
                self.wfile.flush()
                _pass_on(self.connection, there)
            self.close_connection = True

    with _listening(Handler) as heard:
        yield heard


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    while True:
        for ready in select.select([one, other], [], [], 30)[0]:
            data = ready.recv(65536)
            if not data:
                return
            (other if ready is one else one).sendall(data)


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """Accepts every connection and never says anything; its URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def closed_port() -> str:
    """The URL of a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}/v1"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that its maker has signed, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=simulator"
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
    words = ["openssl", *made.split(), "-addext", names, "-keyout", str(key), "-out", str(cert)]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    return cert, key
