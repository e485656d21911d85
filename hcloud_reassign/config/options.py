"""What may be given in several places: flag, environment, file, default, in this order."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from hcloud_reassign.config.sections import DEFAULT_API_URL
from hcloud_reassign.config.settings import Settings
from hcloud_reassign.config.urls import checked_url, in_clear_text
from hcloud_reassign.config.values import BadValue, seconds
from hcloud_reassign.core.errors import UsageError
from hcloud_reassign.core.model import Where

_NOWHERE = Where()


class ApiUrl(NamedTuple):
    """The API's base, without a trailing slash; `origin` tells where it was given, `warning` what is bad about it."""

    url: str
    origin: str
    warning: str | None = None


class Timeout(NamedTuple):
    """Seconds for the whole run; None leaves it to the kinds that are moved."""

    seconds: float | None
    origin: str


def api_url(
    settings: Settings | None,
    *,
    flag: str | None = None,
    environ: Mapping[str, str] | None = None,
    several_files: bool = False,
) -> ApiUrl:
    """`flag` (--api-url), HCLOUD_ENDPOINT, the file, the default. With several files only the file counts.

    Raises:
        UsageError: it is not a URL of an API, or one was given for several files.
    """
    if several_files and flag is not None:
        raise UsageError(
            "with several files each API URL comes from its own file", object="--api-url", next="leave out --api-url"
        )
    variable = "" if several_files else _environ(environ).get("HCLOUD_ENDPOINT", "")
    for origin, text in (("--api-url", flag), ("HCLOUD_ENDPOINT", variable or None)):
        if text is not None:
            return _outside(text, origin)
    if settings is None or not settings.has("client", "api_url"):
        return ApiUrl(DEFAULT_API_URL, "default")
    return ApiUrl(settings.client["api_url"], f"api_url in {settings.file}")


def timeout(
    settings: Settings | None, *, flag: float | None = None, environ: Mapping[str, str] | None = None
) -> Timeout:
    """`flag` (--timeout), HCLOUD_REASSIGN_TIMEOUT, the file, and else the default of what is moved.

    Raises:
        UsageError: it is not a time above 0.
    """
    if flag is not None:
        return _positive(flag, "--timeout")
    variable = _environ(environ).get("HCLOUD_REASSIGN_TIMEOUT")
    if variable:
        return _positive(_seconds(variable), "HCLOUD_REASSIGN_TIMEOUT")
    if settings is None or not settings.has("client", "timeout"):
        return Timeout(None, "default")
    where = settings.where("client", "timeout")
    return _positive(settings.client["timeout"], f"timeout in {settings.file}", where)


def _environ(environ: Mapping[str, str] | None) -> Mapping[str, str]:
    return os.environ if environ is None else environ


def _outside(text: str, origin: str) -> ApiUrl:
    try:
        url = checked_url(text.strip())
    except ValueError as error:
        raise UsageError(f"{origin}: {error}", object=origin, next=f"give it like {DEFAULT_API_URL}") from None
    warning = f"{origin} is http, so the token is sent in clear text; use https" if in_clear_text(url) else None
    return ApiUrl(url, origin, warning)


def _seconds(text: str) -> float:
    try:
        return seconds(text)
    except BadValue as error:
        raise UsageError(
            f"HCLOUD_REASSIGN_TIMEOUT: {error.message}", object="HCLOUD_REASSIGN_TIMEOUT", next="give it like 120"
        ) from None


def _positive(value: float, origin: str, where: Where = _NOWHERE) -> Timeout:
    if not 0 < value < float("inf"):
        raise UsageError(
            "a run needs a time above 0",
            object="client" if where.file else origin,
            file=where.file,
            line=where.line,
            key="timeout" if where.file else None,
            next="give it like 120",
        )
    return Timeout(value, origin)
