"""The border to the platforms: one request, one answer, within a time; no error ever holds a secret."""

from __future__ import annotations

import threading
import time
from io import BytesIO
from queue import Empty, SimpleQueue

import requests

from hcloud_reassign.triggers.shape import HttpAnswer, HttpRequest, NoAnswer
from hcloud_reassign.version import version

CONNECT_S = 5.0
_LARGEST = 1 << 20


class _AsItIs(requests.auth.AuthBase):
    """Without an `auth` of its own the requests package would replace the header by what ~/.netrc says."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _InTime(BytesIO):
    """A body that ends the request when it is too late to send it.

    What was given up while a name was resolved would otherwise arrive at some time, and look as young as it was then.
    """

    def __init__(self, body: bytes, end: float) -> None:
        super().__init__(body)
        self._end = end

    def read(self, size: int | None = -1) -> bytes:
        if time.monotonic() > self._end:
            raise NoAnswer("given up before it was sent")
        return super().read(size)


def send(request: HttpRequest, seconds: float) -> HttpAnswer:
    """Send it once. Redirects are not followed; certificates are verified; proxies are as the environment says.

    The time bounds all of it, also the resolving of the name and an answer that trickles, which no socket timeout does:
    so it happens in a thread that is left behind when the time is over. The caller's thread stays open to signals.

    Raises:
        NoAnswer: there was none in time, or none that can be read.
    """
    # From before the thread begins: it may send nothing once the caller has given up.
    end = time.monotonic() + seconds
    done: SimpleQueue[HttpAnswer | NoAnswer] = SimpleQueue()
    threading.Thread(target=lambda: done.put(_outcome(request, seconds, end)), daemon=True).start()
    try:
        found = done.get(timeout=seconds)
    except Empty:
        raise NoAnswer(_late(seconds), maybe=True) from None
    if isinstance(found, NoAnswer):
        raise found
    return found


def _outcome(request: HttpRequest, seconds: float, end: float) -> HttpAnswer | NoAnswer:
    try:
        return _sent(request, seconds, end)
    except NoAnswer as error:
        return error
    except requests.RequestException as error:
        return _reason(error, seconds)
    except OSError:
        # The package's own errors are caught above; this is how it says that there is no such file.
        return NoAnswer("there is no file of certificates where REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE says", again=False)
    except Exception as error:  # noqa: BLE001 - the edge of a thread: a traceback could show a secret
        # A proxy's address that the requests package cannot read, for one. It may hold a password.
        return NoAnswer(f"the address, or that of a proxy, cannot be used ({type(error).__name__})", again=False)


def _sent(request: HttpRequest, seconds: float, end: float) -> HttpAnswer:
    with (
        requests.Session() as session,
        session.request(
            request.method,
            request.url,
            headers={"User-Agent": f"hcloud-reassign/{version()}", **request.headers},
            data=None if request.body is None else _InTime(request.body, end),
            auth=_AsItIs(),
            timeout=(min(CONNECT_S, seconds), seconds),
            allow_redirects=False,
            stream=True,
        ) as response,
    ):
        body = b""
        for chunk in response.iter_content(1 << 16):
            body += chunk
            if len(body) > _LARGEST:
                raise NoAnswer("an answer of more than 1 MiB", maybe=True)
        for secret in request.secrets:
            body = body.replace(secret.encode(), b"***")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpAnswer(response.status_code, headers, body)


def _reason(error: requests.RequestException, seconds: float) -> NoAnswer:
    """Why there is no answer, in words of our own: those of the package may hold the request."""
    reason = str(error).lower()
    if isinstance(error, requests.exceptions.SSLError) and "certificate verify failed" in reason:
        return NoAnswer(f"its certificate is not trusted ({_certificate(reason)})", again=False)
    if isinstance(error, requests.exceptions.ProxyError):
        return NoAnswer("the proxy does not let it through")
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return NoAnswer("nobody answers there")
    # In the middle of a body the package does not call it a timeout.
    if isinstance(error, requests.exceptions.Timeout) or "timed out" in reason:
        return NoAnswer(_late(seconds), maybe=True)
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return NoAnswer("the address, or that of a proxy, cannot be used", again=False)
    if "resolve" in reason or "name or service" in reason:
        return NoAnswer("its name cannot be resolved")
    if "refused" in reason:
        return NoAnswer("the connection is refused")
    if "unreachable" in reason or "no route" in reason:
        return NoAnswer("there is no way to it")
    return NoAnswer("the connection broke", maybe=True)


def _late(seconds: float) -> str:
    return f"no answer within {seconds:.1f} s"


def _certificate(reason: str) -> str:
    known = ("self-signed certificate", "hostname mismatch", "certificate has expired", "unable to get local issuer")
    return next((words for words in known if words in reason), "verification failed")
