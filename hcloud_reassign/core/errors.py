"""Errors that end a run or a move, told so that a tired person can act.

ReassignError          what failed, on which object, what to do next; carries its exit code
├── UsageError         command line, file or name: exit 2
│   └── Missing        a name that Hetzner does not know
├── AccessError        no token, wrong token, read-only token: exit 4
└── FailedError        the API could not be used at all: exit 1
Ambiguous              two things match a name; becomes the guard of that name
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says at its end."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    ACCESS = 4
    UNKNOWN = 5
    PENDING = 10
    INTERRUPTED = 130

    @property
    def word(self) -> str:
        return self.name.lower()

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "every assignment is done or unchanged",
    ExitCode.FAILED: "at least one failed; as far as seen it is unchanged or was put back",
    ExitCode.USAGE: "bad command line, file or name",
    ExitCode.REFUSED: "a guard said no; nothing was changed for that assignment",
    ExitCode.ACCESS: "no token, wrong token or read-only token",
    ExitCode.UNKNOWN: "something is neither as it was nor as it should be",
    ExitCode.PENDING: "there is something to do (only plan --detailed-exitcode)",
    ExitCode.INTERRUPTED: "interrupted; nothing unknown is left behind",
}

_WORST_FIRST = (5, 130, 1, 4, 2, 3, 0)


def worst(codes: Iterable[int]) -> ExitCode:
    """The exit code of several assignments: the worst one wins; none at all is ok."""
    return ExitCode(min(codes, key=_WORST_FIRST.index, default=0))


class ReassignError(Exception):
    """What the JSON document shows under `error`. None of its texts ever holds a secret."""

    exit_code = ExitCode.FAILED
    code = "failed"

    def __init__(
        self,
        message: str,
        *,
        object: str | None = None,
        file: str | None = None,
        line: int | None = None,
        key: str | None = None,
        suggestion: str | None = None,
        next: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.object = object
        self.file = file
        self.line = line
        self.key = key
        self.suggestion = suggestion
        self.next = next


class UsageError(ReassignError):
    exit_code = ExitCode.USAGE
    code = "usage"


class Missing(UsageError):
    """A name that is not there. `known` are the names that are."""

    code = "not_found"

    def __init__(self, what: str, name: str, known: Iterable[str] = (), **more: str | None) -> None:
        near = nearest(name, known)
        hint = f"; did you mean {near!r}?" if near else ""
        super().__init__(f"there is no {what} {name!r}{hint}", object=name, suggestion=near, **more)  # type: ignore[arg-type]


class AccessError(ReassignError):
    exit_code = ExitCode.ACCESS
    code = "access"


class FailedError(ReassignError):
    pass


class Ambiguous(Exception):
    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like the one given, if any is."""
    from difflib import get_close_matches

    by_folded = {word.casefold(): word for word in known}
    matches = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None
