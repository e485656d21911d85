"""What came back, judged before the client package can repeat anything: a JSON object, or one of the step errors."""

from __future__ import annotations

from typing import Any

import requests

from hcloud_reassign.core.steps import Busy, Denied, Gone, Lost, Refused, StepError

_DENIED = ("unauthorized", "token_readonly", "forbidden")
_BUSY = ("locked", "conflict", "rate_limit_exceeded")
_LONGEST = 300
_UNUSABLE = "the API address or that of a proxy in the environment is not usable"


def checked(response: requests.Response) -> dict[str, Any]:
    """The JSON object of a good answer.

    Raises:
        Refused and its kin: the API said no. Lost: the answer says nothing that can be relied on.
    """
    status = response.status_code
    if 300 <= status < 400:
        raise Refused("the API address redirects elsewhere; redirects are not followed with a token", "redirect")
    payload = _object(response)
    if response.ok:
        if payload is None and response.content:
            raise Lost(f"HTTP {status} with something that is not the API's JSON")
        return payload or {}
    error = payload.get("error") if payload else None
    raise _judged(status, error if isinstance(error, dict) else None)


def _object(response: requests.Response) -> dict[str, Any] | None:
    try:
        payload = response.json()
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def _judged(status: int, error: dict[str, Any] | None) -> StepError:
    if status >= 500:
        return Lost(_says(status, error))
    if error is None:
        kind = Denied if status == 401 else Busy if status == 429 else Refused
        code = "rate_limit_exceeded" if status == 429 else str(status)
        return kind(f"{_says(status, None)}; is the API address right?", code)
    code, message = str(error.get("code") or status), _plain(error.get("message") or f"HTTP {status}")
    fields = _fields(error)
    if code in _DENIED or status == 401:
        return Denied(message, code, fields)
    if code in _BUSY or status == 429:
        return Busy(message, code, fields)
    return Gone(message, code, fields) if status == 404 else Refused(message, code, fields)


def _says(status: int, error: dict[str, Any] | None) -> str:
    if error:
        return f"HTTP {status}: {_plain(error.get('message') or error.get('code') or '')}"
    return f"HTTP {status} with something that is not the API's JSON"


def _plain(text: object) -> str:
    return str(text)[:_LONGEST]


def _fields(error: dict[str, Any]) -> tuple[str, ...]:
    """The fields that `invalid_input` objects to."""
    details = error.get("details")
    fields = details.get("fields") if isinstance(details, dict) else None
    named = [field for field in fields if isinstance(field, dict)] if isinstance(fields, list) else []
    return tuple(str(field["name"]) for field in named if field.get("name"))


def unanswered(error: requests.RequestException, host: str) -> StepError:
    """A request that got no answer: lost, or refused where no repetition can help."""
    reason = str(error)
    if isinstance(error, requests.exceptions.SSLError) and _untrusted(reason):
        return Refused(f"the certificate of {host} is not trusted ({_certificate_reason(reason)})", "certificate")
    if isinstance(error, requests.exceptions.ProxyError):
        return Lost("the proxy does not let it through")
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Lost(f"{host} does not answer")
    if isinstance(error, requests.exceptions.Timeout):
        return Lost(f"no answer from {host} in time")
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return Refused(_UNUSABLE, "url")
    if "resolve" in reason or "Name or service" in reason:
        return Lost(f"the name {host} cannot be resolved")
    if "refused" in reason:
        return Lost(f"{host} refuses the connection")
    return Lost(f"the connection to {host} broke")


def unmade(method: str, what: str) -> StepError:
    """A request that broke off inside this machine: refused, but for a write one cannot be sure that nothing left."""
    message = f"{_UNUSABLE} ({what})"
    return Refused(message, "url") if method == "GET" else Lost(message)


def _untrusted(reason: str) -> bool:
    """Whether it broke before anything was sent: the encryption can break later as well."""
    lowered = reason.lower()
    return any(words in lowered for words in ("certificate", "hostname", "doesn't match"))


def _certificate_reason(reason: str) -> str:
    for words in (
        "self-signed certificate",
        "hostname mismatch",
        "certificate has expired",
        "unable to get local issuer",
    ):
        if words in reason.lower():
            return words
    return "verification failed"
