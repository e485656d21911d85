"""Which configuration file is meant."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from hcloud_reassign.config.faults import quoted
from hcloud_reassign.core.errors import UsageError, nearest

HERE = "hcloud-reassign.ini"
VARIABLE = "HCLOUD_REASSIGN_CONFIG"


class Located(NamedTuple):
    """The file, and what was passed over on the way to it."""

    path: Path
    warnings: tuple[str, ...] = ()


def locate(
    explicit: str | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    uid: int | None = None,
    etc_dir: Path = Path("/etc"),
) -> Located:
    """The file of `-c`, else of HCLOUD_REASSIGN_CONFIG, else the first that exists: here, of the user, of the system.

    One here is used only if nobody else can have written it: it may name commands, which run as this user.

    Raises:
        UsageError: the named file does not exist, or none was named and none was found.
    """
    environ = os.environ if environ is None else environ
    cwd = cwd or Path.cwd()
    if explicit is not None:
        return Located(_existing(explicit, cwd, "-c"))
    if environ.get(VARIABLE):
        return Located(_existing(environ[VARIABLE], cwd, VARIABLE))
    here = cwd / HERE
    why = _untrusted(here, os.getuid() if uid is None else uid)
    warnings = (f"{here} is not used: {why}",) if why else ()
    elsewhere = (_user_dir(environ) / "hcloud-reassign/config.ini", etc_dir / "hcloud-reassign/config.ini")
    for path in elsewhere if why else (here, *elsewhere):
        if not _is_missing(path):
            return Located(path, warnings)
    raise _none((here, *elsewhere), warnings)


def _user_dir(environ: Mapping[str, str]) -> Path:
    given = environ.get("XDG_CONFIG_HOME", "")
    # A relative one has no meaning, by the rules of the XDG base directories.
    return Path(given) if os.path.isabs(given) else Path(environ.get("HOME") or os.path.expanduser("~")) / ".config"


def _existing(named: str, cwd: Path, origin: str) -> Path:
    if not named.strip():
        raise UsageError(f"{origin} names no file: it is empty", object=origin, next=f"give {origin} a file")
    # Joined only to look: messages and reports show the path as it was given.
    if not _is_missing(cwd / named):
        return Path(named)
    near = nearest(Path(named).name, _files_beside(cwd / named))
    suggestion = str(Path(named).with_name(near)) if near else None
    raise UsageError(
        f"there is no file {named!r}" + (f"; did you mean {suggestion!r}?" if suggestion else ""),
        object=origin,
        file=named,
        suggestion=suggestion,
        next=f"hcloud-reassign init -c {quoted(named)}",
    )


def _is_missing(path: Path) -> bool:
    """Whether there is no such file; one that cannot be looked at is left to whoever reads it."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def _files_beside(path: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(path.parent) if entry.is_file()]
    except OSError:
        return []


def _untrusted(path: Path, uid: int) -> str | None:
    try:
        status = path.stat()
    except OSError:
        return None
    if status.st_uid not in (0, uid):
        return f"it belongs to user {status.st_uid}; name it with -c if that is right"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"others may write it; chmod go-w {quoted(str(path))}, or name it with -c"
    return None


def _none(places: tuple[Path, ...], warnings: tuple[str, ...]) -> UsageError:
    looked = ", ".join(str(place) for place in places)
    return UsageError(
        "; ".join((f"there is no configuration file; looked for {looked}", *warnings)),
        next="hcloud-reassign init, or name a file with -c",
    )
