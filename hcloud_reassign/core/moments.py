"""Moments as text: RFC 3339, as Hetzner, pipelines and our own journal write them."""

from __future__ import annotations

import re

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?(?:([Zz])|([+-]\d\d:\d\d))", re.ASCII)
"""The offset has to be there: without one it is another moment in every zone."""


def unix_s(text: str) -> float | None:
    """Unix seconds of an RFC 3339 time; None for anything else. Python 3.10 reads only some fractions, and no Z."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    from datetime import datetime

    day, time, fraction, _, offset = match.groups()
    try:
        return datetime.fromisoformat(f"{day}T{time}{offset or '+00:00'}").timestamp() + float(fraction or 0)
    except (ValueError, OverflowError):
        return None
