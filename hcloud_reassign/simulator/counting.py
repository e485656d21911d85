"""Many objects from one: `count` in a scenario.

{"name": "web-{n}", "count": 50, "ip": "192.0.2.1"} stands for fifty objects: `{n}` in any text is the number (padded
to the width of the count), and every address counts up by one, an IPv6 network by one /64.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from ipaddress import IPv4Address, IPv6Network
from typing import Any

from .reader import Reader

_V4 = re.compile(r"\d+\.\d+\.\d+\.\d+\Z")
_V6_NET = re.compile(r"[0-9a-f:]+/64\Z", re.IGNORECASE)


def expand(part: Reader) -> Iterator[Reader]:
    """The object itself when it has no `count`, else so many of them."""
    count = part.optional_whole("count", None)
    if count is None:
        yield part
        return
    if "{n}" not in part.text("name"):
        raise part.fail("name", "must contain {n} when there is a count")
    width = len(str(count))
    for index in range(count):
        try:
            yield part.replaced(partial(_counted, index=index, width=width))
        except ValueError as error:
            raise part.fail("count", f"cannot be reached: {error}") from error


def _counted(value: Any, index: int, width: int) -> Any:
    """Ids count up too: whoever sets one for the first means the following ones for the others."""
    if isinstance(value, str):
        return _counted_text(value, index, width)
    if isinstance(value, list):
        return [_counted(item, index, width) for item in value]
    if isinstance(value, dict):
        return {name: item + index if name == "id" else _counted(item, index, width) for name, item in value.items()}
    return value


def _counted_text(text: str, index: int, width: int) -> str:
    if _V4.match(text):
        return str(IPv4Address(text) + index)
    if _V6_NET.match(text):
        return str(IPv6Network((int(IPv6Network(text).network_address) + (index << 64), 64)))
    return text.replace("{n}", str(index + 1).zfill(width))
