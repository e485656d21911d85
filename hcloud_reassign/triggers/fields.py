"""What a trigger carries, the same on every platform: names and times, never ids, addresses or options."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from hcloud_reassign.core.errors import UsageError

_RESOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_NOT_OF_A_HOST = re.compile(r"[^A-Za-z0-9.-]")
_FIRST_MS, _END_MS = 10**12, 10**13
"""A number of 13 digits: the years 2001 to 2286."""
_LONGEST_AGE_MS = 10**9 - 1


@dataclass(frozen=True)
class Fields:
    """One request: one assignment or group. None can be made whose values could be taken for anything else.

    Attributes:
        to: the server that shall hold it.
        issued_at_ms: when it became right to ask, in unix milliseconds by the clock of the host that asks.
        age_ms: how long ago that is when the request is sent.
        by: the host that asks.

    Raises:
        UsageError: a value is not of its pattern.
    """

    resource: str
    to: str
    issued_at_ms: int
    age_ms: int
    by: str

    def __post_init__(self) -> None:
        _must("RESOURCE", self.resource, _RESOURCE, "a name has letters, digits, '.', '_' and '-', at most 64")
        _must("--to", self.to, _HOST, "a server's name has letters, digits, '.' and '-'")
        _must("--by", self.by, _HOST, "a host's name has letters, digits, '.' and '-'")
        if self.to == "self":
            raise UsageError("--to: self is no name of a server", object="--to", next="give the server's name")
        if not _FIRST_MS <= self.issued_at_ms < _END_MS:
            raise UsageError(
                "--issued-at: not a time of the years 2001 to 2286",
                object="--issued-at",
                next='give it like --issued-at "$(date +%s)"',
            )
        if not 0 <= self.age_ms <= _LONGEST_AGE_MS:
            raise UsageError(
                "the request is older than 11 days by --age, or else by --issued-at",
                object="--issued-at",
                next='give the time at which it became right to ask: --issued-at "$(date +%s)"',
            )

    def aged(self, ms: int) -> Fields:
        """The same request, sent some milliseconds later."""
        return replace(self, age_ms=min(self.age_ms + max(ms, 0), _LONGEST_AGE_MS))

    @property
    def texts(self) -> dict[str, str]:
        """By their names in the contract with whoever executes."""
        return {
            "resource": self.resource,
            "to": self.to,
            "issued_at": str(self.issued_at_ms),
            "age": str(self.age_ms),
            "by": self.by,
        }

    @property
    def told(self) -> str:
        """In one line, for people."""
        return ", ".join(f"{name}={text}" for name, text in self.texts.items())

    @property
    def variables(self) -> dict[str, str]:
        """The same as variables of a pipeline."""
        return {f"HR_{name.upper()}": text for name, text in self.texts.items()}


def host_like(name: str) -> str:
    """A host's own name as `by` may say it: it is for logs alone, and must not stop a fail-over."""
    return _NOT_OF_A_HOST.sub("-", name).lstrip("-.")[:253] or "host"


def _must(what: str, text: str, pattern: re.Pattern[str], rule: str) -> None:
    if not pattern.fullmatch(text):
        raise UsageError(f"{what}: {text[:64]!r} cannot be sent: {rule}", object=what, next=f"mend {what}")
