"""What goes into the simulator and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """One HTTP request as the core sees it; header names are lower case, the path is already unquoted."""

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def values(self, name: str) -> list[str]:
        """All values of one query parameter, in order."""
        return [value for key, value in self.query if key == name]

    def value(self, name: str) -> str | None:
        """The last value of one query parameter, None when it is absent."""
        found = self.values(name)
        return found[-1] if found else None


@dataclass(frozen=True)
class Reply:
    """One HTTP answer.

    delay_s: seconds before the answer leaves; the state was already changed or not, as a fault says.
    dropped: the connection is closed without an answer; status, headers and body then mean nothing.
    A Content-Length larger than the body means that the connection is closed half way.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    delay_s: float = 0.0
    dropped: bool = False


@dataclass(frozen=True)
class Recorded:
    """One request the simulator saw, with what became of it. time is in unix seconds."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: bytes
    time: float
    status: int
    dropped: bool
    authorization: str | None


def natural(text: str) -> int | None:
    """The number that a path or query spells, else None. Ids have at most 53 bits, so 19 digits are plenty."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None
