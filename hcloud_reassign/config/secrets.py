"""Where secrets come from. Each is a `Secret` and never shows itself, in no error either."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import IO, TYPE_CHECKING, NoReturn

from hcloud_reassign.config.faults import shown_path
from hcloud_reassign.config.hidden import NoSecret, Secret, checked_secret, first_line, printed_by, redact
from hcloud_reassign.config.sections import TOKEN_KEYS
from hcloud_reassign.core.errors import AccessError, UsageError

if TYPE_CHECKING:
    from hcloud_reassign.config.settings import Settings

__all__ = ["Secret", "api_token", "redact", "secret_in"]


def api_token(
    settings: Settings | None,
    *,
    flag: str | None = None,
    flag_file: str | None = None,
    environ: Mapping[str, str] | None = None,
    stdin: IO[str] | None = None,
    several_files: bool = False,
) -> tuple[Secret, str]:
    """The token of the Hetzner Cloud API, and where it came from, for messages.

    The order: `flag` (--token), `flag_file` (--token-file, `-` is stdin), HCLOUD_TOKEN, then the file's [client]. With
    several files each has its own: one from outside would fit one project only.

    Raises:
        UsageError: a token that cannot be one, or one given for several files.
        AccessError: there is none, or its file or command gave none.
    """
    if several_files:
        return _from_file_alone(settings, flag, flag_file)
    if flag is not None:
        return _outside("--token", lambda: checked_secret(flag))
    if flag_file is not None:
        return _from_flag_file(flag_file, stdin or sys.stdin)
    variable = (os.environ if environ is None else environ).get("HCLOUD_TOKEN", "").strip()
    if variable:
        return _outside("HCLOUD_TOKEN", lambda: checked_secret(variable))
    found = _from_settings(settings)
    if found is None:
        raise _none(settings, "set HCLOUD_TOKEN, or give --token-file FILE")
    return found


def secret_in(settings: Settings, section: str, key: str) -> Secret | None:
    """What a key gives: itself, the first line of its `_file`, or what its `_command` prints; None when it is not set.

    Raises:
        UsageError: it cannot be sent.
        AccessError: the file or the command gave none.
    """
    value = settings.section(section).get(key)
    if not value or isinstance(value, Secret):
        return value or None
    where = settings.where(section, key)
    try:
        return printed_by(value) if key.endswith("_command") else first_line(value)
    except NoSecret as error:
        no_secret, why = True, str(error)
    except ValueError as error:
        no_secret, why = False, str(error)
    error_class = AccessError if no_secret else UsageError
    raise error_class(
        f"{key!r} in [{section}] gives no secret: {why}",
        object=section,
        file=where.file,
        line=where.line,
        key=key,
        next="run the command by hand to see why" if key.endswith("_command") else f"mend the file {shown_path(value)}",
    )


def _from_file_alone(settings: Settings | None, flag: str | None, flag_file: str | None) -> tuple[Secret, str]:
    if flag is not None or flag_file is not None:
        option = "--token" if flag is not None else "--token-file"
        raise UsageError(
            "with several files each token comes from its own file", object=option, next=f"leave out {option}"
        )
    found = _from_settings(settings)
    if found is None:
        raise _none(settings)
    return found


def _from_flag_file(path: str, stdin: IO[str] | None) -> tuple[Secret, str]:
    if path == "-":
        return _outside("standard input", lambda: first_line(stdin) if stdin else _closed())
    return _outside(shown_path(path), lambda: first_line(path))


def _outside(origin: str, read: Callable[[], Secret]) -> tuple[Secret, str]:
    """A secret given beside the configuration file."""
    try:
        return read(), origin
    except NoSecret as error:
        raise AccessError(f"no token from {origin}: {error}", object=origin, next="give one there") from None
    except ValueError as error:
        raise UsageError(f"the token from {origin}: {error}", object=origin, next="give the token alone") from None


def _closed() -> NoReturn:
    raise NoSecret("it is closed")


def _from_settings(settings: Settings | None) -> tuple[Secret, str] | None:
    if settings is None:
        return None
    for key in TOKEN_KEYS:
        secret = secret_in(settings, "client", key)
        if secret:
            return secret, f"{key} in {settings.file}"
    return None


def _none(settings: Settings | None, *ways: str) -> AccessError:
    if settings:
        ways = (*ways, f"write 'api_token_file = FILE' in [client] of {settings.file}")
    return AccessError(
        "there is no token of the Hetzner Cloud API",
        object="client" if settings else None,
        file=settings.file if settings else None,
        next=", or ".join(ways) or None,
    )
