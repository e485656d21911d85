"""The border to the platforms, on real sockets: one request, in time, to nobody else, and no secret in any error."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from hcloud_reassign.triggers.http import _outcome, send
from hcloud_reassign.triggers.shape import HttpRequest, NoAnswer
from tests.platforms.server import Answer, Platform, Received

SECRET = "canary-of-a-platform-4711"


class Echo(Platform):
    """Says back what it was told."""

    def handle(self, request: Received) -> Answer:
        return Answer(200, {"method": request.method, "told": request.headers.get("authorization")})


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        yield server


def asked(url: str, **more: str) -> HttpRequest:
    return HttpRequest("POST", url, {"Authorization": f"Bearer {SECRET}", **more}, SECRET.encode(), (SECRET,))


def failed(url: str, seconds: float = 20) -> NoAnswer:
    with pytest.raises(NoAnswer) as caught:
        send(asked(url), seconds)
    assert SECRET not in caught.value.message and SECRET not in repr(caught.value.__context__)
    return caught.value


@contextlib.contextmanager
def peer(say: bytes) -> Iterator[str]:
    """Somebody who takes a connection, says this much, and then nothing for as long as the test lasts."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def talk() -> None:
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(say)
                    over.wait()

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()
            server.close()
            thread.join()


def test_a_request_arrives_as_it_is_and_says_who_sends_it(echo: Echo) -> None:
    answer = send(asked(f"{echo.url}/a%2Fb", X="1"), 20)
    (received,) = echo.received
    assert (received.method, received.path, received.body) == ("POST", "/a%2Fb", SECRET.encode())
    assert received.headers["authorization"] == f"Bearer {SECRET}"
    assert received.headers["user-agent"].startswith("hcloud-reassign/")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")


def test_a_secret_that_is_said_back_is_cut_out(echo: Echo) -> None:
    assert send(asked(echo.url), 20).data["told"] == "Bearer ***"


def test_a_file_of_passwords_in_the_home_replaces_nothing(echo: Echo, home: Path) -> None:
    (home / ".netrc").write_text("machine 127.0.0.1 login other password of-another\n")
    (home / ".netrc").chmod(0o600)
    send(asked(echo.url), 20)
    assert echo.received[0].headers["authorization"] == f"Bearer {SECRET}"


def test_a_redirect_is_not_followed(echo: Echo) -> None:
    echo.answer_with(307, Location=f"{echo.url}/elsewhere")
    assert send(asked(echo.url), 20).status == 307
    assert len(echo.received) == 1


def test_the_proxy_of_the_environment_is_used(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", echo.url)
    assert send(asked("http://gitlab.test/api"), 20).status == 200
    assert echo.received[0].headers["host"] == "gitlab.test"


def test_a_proxy_that_cannot_be_used_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for proxy in (f"http://user:{SECRET}@127.0.0.1:x", f"http://[user:{SECRET}@host", f"http://u:{SECRET}@127.0.0.1:1"):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        assert "proxy" in failed("http://gitlab.test/").message


def test_a_closed_port_has_not_got_the_request(echo: Echo) -> None:
    with echo.down():
        error = failed(echo.url)
    assert (error.message, error.maybe, error.again) == ("the connection is refused", False, True)


def test_a_name_that_does_not_exist_has_not_got_the_request() -> None:
    error = failed("http://no-such-host.invalid/")
    assert (error.maybe, error.again) == (False, True)


ERRORS = (
    (requests.exceptions.ConnectTimeout, "", False, True),
    (requests.exceptions.ReadTimeout, "", True, True),
    (requests.exceptions.ProxyError, "", False, True),
    (requests.exceptions.ConnectionError, "[Errno 101] Network is unreachable", False, True),
    (requests.exceptions.ConnectionError, "[Errno 104] Connection reset by peer", True, True),
    (requests.exceptions.SSLError, "certificate verify failed: certificate has expired", False, False),
    (requests.exceptions.SSLError, "EOF occurred in violation of protocol", True, True),
    (requests.exceptions.SSLError, "with url: /infra/certificate (Caused by SSLEOFError)", True, True),
    (OSError, "Could not find a suitable TLS CA certificate bundle", False, False),
    (requests.exceptions.InvalidURL, "", False, False),
    (TypeError, "", False, False),
)


@pytest.mark.parametrize(("error", "reason", "maybe", "again"), ERRORS)
def test_each_way_to_fail_says_whether_it_may_have_arrived_and_no_secret(
    error: type[Exception], reason: str, maybe: bool, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error(f"{reason} Bearer {SECRET}")

    monkeypatch.setattr(requests.Session, "request", broken)
    found = failed("https://gitlab.test/")
    assert (found.maybe, found.again) == (maybe, again)


def test_a_file_of_certificates_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/certificates.pem")
    error = failed("https://127.0.0.1:1/")
    assert "REQUESTS_CA_BUNDLE" in error.message and not error.again


def test_one_that_hangs_up_in_the_middle_may_have_got_the_request(echo: Echo) -> None:
    echo.cut()
    error = failed(echo.url)
    assert (error.message, error.maybe) == ("the connection broke", True)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nab", b"HTTP/1.1 2"])
def test_one_that_stops_in_the_middle_is_not_waited_for_longer_than_allowed(said: bytes) -> None:
    with peer(said) as url:
        error = failed(url, 0.3)
    assert error.maybe and "0.3 s" in error.message


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nab"])
def test_when_the_socket_is_the_first_to_give_up_the_time_is_named_as_well(said: bytes) -> None:
    with peer(said) as url:
        error = _outcome(asked(url), 0.2, end=time.monotonic() + 20)
    assert isinstance(error, NoAnswer) and error.maybe and error.message == "no answer within 0.2 s"


def test_one_that_trickles_is_not_waited_for_longer_than_allowed() -> None:
    """Each byte comes in time, all of them do not: what a timeout of the socket does not see."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n")
                while not over.wait(0.05):
                    connection.sendall(b" ")

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        error = failed(f"http://127.0.0.1:{server.getsockname()[1]}", 0.5)
        over.set()
        thread.join()
    assert error.maybe


def test_what_was_given_up_while_its_name_was_resolved_is_not_sent_later(
    echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved, resolve = threading.Event(), socket.getaddrinfo

    def slow(*given: Any, **more: Any) -> Any:
        resolved.wait()
        return resolve(*given, **more)

    before = set(threading.enumerate())
    monkeypatch.setattr(socket, "getaddrinfo", slow)
    assert failed(echo.url, 0.2).maybe
    (left_behind,) = [thread for thread in threading.enumerate() if thread not in before and thread.daemon]
    resolved.set()
    left_behind.join(20)
    assert not left_behind.is_alive()
    assert not [received for received in echo.received if received.body]


def test_an_answer_without_an_end_is_not_kept_in_memory(echo: Echo) -> None:
    echo.answer_with(200, b"x" * (3 << 20))
    assert "1 MiB" in failed(echo.url).message


def test_something_that_does_not_speak_http_is_told() -> None:
    with peer(b"SSH-2.0-OpenSSH_9.2\r\n\r\n") as url:
        assert failed(url, 5).maybe


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    file = tmp_path / "certificate.pem"
    words = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    more = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(file), "-out", str(tmp_path / "c")]
    subprocess.run(["openssl", "req", *words, *more], check=True, capture_output=True, timeout=60)
    file.write_bytes(file.read_bytes() + (tmp_path / "c").read_bytes())
    return file


def test_a_certificate_that_nobody_vouches_for_is_refused_for_good(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Echo(tls=context) as echo:
        error = failed(echo.url.replace("127.0.0.1", "localhost"))
        assert "certificate is not trusted (self-signed certificate)" in error.message
        assert (error.maybe, error.again, echo.received) == (False, False, [])


def test_a_certificate_of_the_environments_authorities_is_trusted_for_its_name_alone(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Echo(tls=context) as echo:
        assert send(asked(echo.url.replace("127.0.0.1", "localhost")), 20).status == 200
        assert "is not trusted" in failed(echo.url).message
