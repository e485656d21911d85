"""Text of a configuration file -> values, by the declared type of a key."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from hcloud_reassign.config.faults import shown
from hcloud_reassign.config.hidden import NoSecret, Secret, checked_secret
from hcloud_reassign.config.urls import checked_url
from hcloud_reassign.core.declare import Key
from hcloud_reassign.core.errors import nearest

_YES_NO = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}
# Bounded, so that no number is too large to reckon with.
_SECONDS = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([smh]?)")
_COUNT = re.compile(r"[0-9]{1,9}")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


class BadValue(ValueError):
    """What is wrong with a value, without the value where it may be a secret."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion


def converted(key: Key, text: str, folder: str = "") -> Any:
    """A value by its key's type; paths are taken from `folder`. Raises BadValue."""
    if key.type == "choice":
        return _choice(text, key.choices)
    if key.type == "path":
        return os.path.join(folder, os.path.expanduser(text))
    return _CONVERTERS[key.type](text)


def seconds(text: str) -> float:
    """A time: 30, 30s, 2m or 1h, in seconds. Raises BadValue."""
    match = _SECONDS.fullmatch(text.strip().lower())
    if not match:
        raise BadValue(f"{shown(text)!r} is not a time; write it like 30, 30s, 2m or 1h")
    return float(match[1]) * _UNITS[match[2]]


def _count(text: str) -> int:
    if not _COUNT.fullmatch(text):
        raise BadValue(f"{shown(text)!r} is not a whole number of 0 or more")
    return int(text)


def _yes_no(text: str) -> bool:
    if text.lower() not in _YES_NO:
        raise BadValue(f"{shown(text)!r} is neither yes nor no", nearest(text[:32], ("yes", "no")))
    return _YES_NO[text.lower()]


def _words(text: str) -> tuple[str, ...]:
    words = [word.strip() for word in text.split(",")]
    if "" in words:
        raise BadValue("there is a comma with no name beside it")
    seen = set[str]()
    for word in words:
        if word in seen:
            raise BadValue(f"{shown(word)!r} is there twice")
        seen.add(word)
    return tuple(words)


def _choice(text: str, choices: tuple[str, ...]) -> str:
    if text in choices:
        return text
    near = nearest(text[:32], choices)
    raise BadValue(f"{shown(text)!r} is not one of {', '.join(choices)}", near)


def _url(text: str) -> str:
    try:
        return checked_url(text)
    except ValueError as error:
        raise BadValue(str(error)) from None


def _secret(text: str) -> Secret:
    try:
        return checked_secret(text)
    except (NoSecret, ValueError) as error:
        raise BadValue(str(error)) from None


_CONVERTERS: Mapping[str, Callable[[str], Any]] = {
    "text": str,
    "yesno": _yes_no,
    "seconds": seconds,
    "count": _count,
    "words": _words,
    "url": _url,
    "secret": _secret,
}
