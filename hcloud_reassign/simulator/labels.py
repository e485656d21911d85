"""Labels and the label selector language (Hetzner's API description, "Labels" and "Label Selector")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import invalid

_WORD = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_DNS_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_KEY = rf"(?:(?:{_DNS_LABEL})(?:\.{_DNS_LABEL})*/)?{_WORD}"
_VALUE = rf"(?:{_WORD})?"

_KEY_RE = re.compile(rf"{_KEY}\Z")
_VALUE_RE = re.compile(rf"{_VALUE}\Z")
_ABSENT_RE = re.compile(rf"!\s*({_KEY})\Z")
_COMPARE_RE = re.compile(rf"({_KEY})\s*(==|=|!=)\s*({_VALUE})\Z")
_SET_RE = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)\Z")
_PREFIX_LIMIT = 253


def valid_key(key: str) -> bool:
    """Whether Hetzner accepts the key; the prefix hetzner.cloud/ is reserved."""
    prefix, slash, _ = key.rpartition("/")
    return bool(_KEY_RE.match(key)) and len(prefix) <= _PREFIX_LIMIT and not (slash and prefix == "hetzner.cloud")


def valid_value(value: str) -> bool:
    """Whether Hetzner accepts the value."""
    return bool(_VALUE_RE.match(value))


def checked_labels(value: Any) -> dict[str, str]:
    """The label map of a PUT. Raises 422 invalid_input."""
    if not isinstance(value, dict):
        raise invalid("labels", "must be an object")
    for key, text in value.items():
        if not valid_key(key):
            raise invalid("labels", f"invalid label key '{key}'")
        if not isinstance(text, str) or not valid_value(text):
            raise invalid("labels", f"invalid label value of '{key}'")
    return dict(value)


@dataclass(frozen=True)
class Requirement:
    """One part of a selector. values None asks only for the key; wanted says whether it shall match or not."""

    key: str
    values: frozenset[str] | None
    wanted: bool

    def matches(self, labels: Mapping[str, str]) -> bool:
        """A label that is absent satisfies `!=` and `notin`: the documented example of `type!=database` says so."""
        if self.values is None:
            return (self.key in labels) is self.wanted
        return (self.key in labels and labels[self.key] in self.values) is self.wanted


@dataclass(frozen=True)
class Selector:
    """A parsed label selector: all requirements must match."""

    requirements: tuple[Requirement, ...]

    @classmethod
    def parse(cls, text: str) -> Selector:
        """Reads a selector. Raises 422 invalid_input."""
        if not text.strip():
            return cls(())
        return cls(tuple(_requirement(part.strip()) for part in _split(text)))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels satisfy it."""
        return all(requirement.matches(labels) for requirement in self.requirements)


def _split(text: str) -> list[str]:
    """Splits at commas outside of parentheses."""
    return re.split(r",(?![^()]*\))", text)


def _requirement(part: str) -> Requirement:
    if match := _ABSENT_RE.match(part):
        return Requirement(match[1], None, False)
    if match := _COMPARE_RE.match(part):
        return Requirement(match[1], frozenset({match[3]}), match[2] != "!=")
    if match := _SET_RE.match(part):
        values = [value.strip() for value in match[3].split(",")]
        if all(valid_value(value) for value in values):
            return Requirement(match[1], frozenset(values), match[2] == "in")
    if _KEY_RE.match(part):
        return Requirement(part, None, True)
    raise invalid("label_selector", f"cannot read '{part}'")
