"""Words of the command line -> values. Everything that cannot be meant is a usage error, never a guess."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hcloud_reassign.core.errors import UsageError
from hcloud_reassign.core.moments import unix_s

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_FIRST_S, _END_S = 1_000_000_000, 100_000_000_000
"""From 2001 to the year 5138 a number is seconds; a thousand times as much is milliseconds."""


def duration_s(option: str, text: str) -> float:
    """Seconds: a number, or one with ms, s, m, h or d behind it. Zero is none."""
    match = _DURATION.fullmatch(text.strip())
    value = float(match[1]) * _UNITS[match[2] or "s"] if match else 0.0
    if not 0 < value < 1e9:
        raise UsageError(
            f"{option}: {text!r} is not a time", object=option, next=f"give it like {option} 30s, 5m or 2h"
        )
    return value


def unix_ms(option: str, text: str) -> int:
    """Unix time in milliseconds, from seconds, milliseconds, or what a pipeline says of its own beginning."""
    text = text.strip()
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 14 else round((unix_s(text) or 0) * 1000)
    if _FIRST_S <= number < _END_S:
        return number * 1000
    if _FIRST_S * 1000 <= number < _END_S * 1000:
        return number
    raise UsageError(
        f"{option}: {text!r} is no time: unix seconds or milliseconds, or like 2026-11-21T10:00:00Z",
        object=option,
        next=f'give it like {option} "$(date +%s)"',
    )


def whole_ms(option: str, text: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise UsageError(f"{option}: {text!r} is not a number of milliseconds", object=option, next=f"{option} 250")
    return int(text)


def names_of(*several: Sequence[str] | None) -> tuple[str, ...]:
    """All NAMEs, each once. An empty one is an empty variable somewhere; it must never mean "everything"."""
    names = [name for some in several for name in some or ()]
    if any(not name.strip() for name in names):
        raise UsageError(
            "a NAME is empty", object="NAME", next="set the variable it comes from; to select all, give no NAME at all"
        )
    return tuple(dict.fromkeys(name.strip() for name in names))


def given(option: str, text: str | None) -> str | None:
    """An option's value. An empty one, or the next option in its place, is an empty variable somewhere."""
    if text is None:
        return None
    value = text.strip()
    if not value or value.startswith("-"):
        what = f"{value!r} is an option" if value else "it is empty"
        raise UsageError(
            f"{option} has no value: {what}",
            object=option,
            next=f"set the variable it comes from, or leave {option} out",
        )
    return value


def pairs(option: str, texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """NAME=VALUE, each split at its first equals sign."""
    found = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name.strip() and value.strip()):
            raise UsageError(
                f"{option}: {text!r} is not NAME=SERVER", object=option, next=f"{option} floating.web=srv-a"
            )
        found.append((name.strip(), value.strip()))
    return tuple(found)


def early(argv: Sequence[str], long: str, short: str | None = None) -> str | None:
    """The last value that an option has in words not parsed yet: a usage error must know where to go."""
    cluster = re.compile(rf"-[vq]*{short}(.*)", re.DOTALL) if short else None
    value = None
    for word, following in zip(argv, [*argv[1:], ""], strict=False):
        match = cluster.fullmatch(word) if cluster and not word.startswith("--") else None
        if word == "--":
            break
        if word == long or (match and not match[1]):
            value = following
        elif word.startswith(f"{long}="):
            value = word[len(long) + 1 :]
        elif match:
            value = match[1]
    return value
