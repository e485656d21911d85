"""Errors and warnings about one configuration file, all of one shape."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hcloud_reassign.core.errors import UsageError, nearest

_LONGEST_SHOWN = 32
_LONGEST_COMPARED = 64
"""Finding the nearest word takes a time that grows with the square of the length."""
_KEY = re.compile(r"[a-z_.-]{1,32}")


def shown(text: str) -> str:
    """A word of the file as a message may show it: a long one may be a token that lost its place, and before an @
    may stand a password."""
    return text if len(text) <= _LONGEST_SHOWN and "@" not in text else f"{text[:4]}..."


def shown_key(text: str) -> str:
    """A key as a message may show it: what has spaces or digits in it is no key, but may be a secret on a bad line."""
    return text if _KEY.fullmatch(text) else f"{text[:4]}..."


def shown_path(path: str) -> str:
    """A path as a message may show it: a secret in the place of the path to it is a long word without a dot."""
    folder, slash, name = path.rpartition("/")
    return path if "." in name or len(name) <= _LONGEST_SHOWN else f"{folder}{slash}{shown(name)}"


def quoted(path: str) -> str:
    """A path as it is typed in a shell."""
    from shlex import quote

    return quote(path)


class Faults:
    """Makes the errors of one file and collects its warnings. No text ever holds a value that may be a secret."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.warnings: list[str] = []

    def error(
        self,
        message: str,
        line: int | None = None,
        *,
        section: str | None = None,
        key: str | None = None,
        given: str = "",
        known: Iterable[str] = (),
        suggestion: str | None = None,
        next: str | None = None,
    ) -> UsageError:
        """The error to raise. Without a `suggestion`, the word of `known` that is nearest to `given` is one."""
        near = suggestion or (nearest(given, known) if 0 < len(given) <= _LONGEST_COMPARED else None)
        hint = f"; did you mean {near!r}?" if near else ""
        return UsageError(
            message + hint,
            object=section,
            file=self.file,
            line=line,
            key=key,
            suggestion=near,
            next=next or (f"write {near!r} instead" if near else self.checked_by()),
        )

    def warn(self, message: str, line: int | None = None) -> None:
        """Remember a warning, told with its place: a warning is text and has no fields."""
        place = self.file if line is None else f"{self.file}:{line}"
        self.warnings.append(f"{place}: {message}")

    def checked_by(self) -> str:
        """The command line that shows whether the file is sound."""
        return f"mend it, then: hcloud-reassign check --offline -c {quoted(self.file)}"
