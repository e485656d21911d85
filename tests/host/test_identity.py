"""Which server this machine is."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hcloud_reassign.host.identity import at_hetzner, host_names, instance_id


@contextmanager
def answering(raw: bytes, wait_s: float = 0.0) -> Iterator[str]:
    """A metadata service that answers any request with these bytes."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.recv(4096)
            time.sleep(wait_s)
            connection.sendall(raw)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/instance-id"
    finally:
        server.close()


def here() -> bool:
    return True


def good(body: bytes) -> bytes:
    return b"HTTP/1.0 200 OK\r\n\r\n" + body


def test_the_metadata_service_tells_the_id() -> None:
    with answering(good(b"4711\n")) as url:
        assert instance_id(url, here) == 4711


@pytest.mark.parametrize(
    "raw",
    [
        good(b""),
        good(b"i-0abc"),
        good(b"\xff\xfe"),
        good("٤٧".encode()),
        b"HTTP/1.0 404 Not Found\r\n\r\n",
        b"HTTP/1.0 500 Oops\r\n\r\n",
        b"this is not HTTP\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n47",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_anything_else_tells_nothing(raw: bytes) -> None:
    with answering(raw) as url:
        assert instance_id(url, here) in (None, 47)


def test_a_slow_service_is_not_waited_for() -> None:
    with answering(good(b"4711"), wait_s=2.0) as url:
        began = time.monotonic()
        assert instance_id(url, here) is None
        assert time.monotonic() - began < 1.5


def test_elsewhere_nobody_is_asked() -> None:
    assert instance_id("http://127.0.0.1:1/", lambda: False) is None


def test_a_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with answering(good(b"4711")) as url:
        assert instance_id(url, here) == 4711


@pytest.mark.parametrize(("text", "expected"), [("Hetzner\n", True), ("HETZNER ONLINE", True), ("QEMU", False)])
def test_the_firmware_names_the_vendor(tmp_path: Path, text: str, expected: bool) -> None:
    (tmp_path / "vendor").write_text(text)
    assert at_hetzner(tmp_path / "vendor") is expected
    assert not at_hetzner(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("name", "names"), [("srv-a", ("srv-a",)), ("srv-a.example.org", ("srv-a.example.org", "srv-a"))]
)
def test_a_hostname_and_its_first_label(monkeypatch: pytest.MonkeyPatch, name: str, names: tuple[str, ...]) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: name)
    assert host_names() == names
