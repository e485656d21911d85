"""What may be the address of an API."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_THIS_MACHINE = re.compile(r"localhost|::1|127(?:\.[0-9]{1,3}){3}")


def checked_url(text: str) -> str:
    """An http or https URL without its trailing slash.

    Raises:
        ValueError: what is wrong, without the URL, which may hold a password.
    """
    if not text.isprintable() or " " in text:
        raise ValueError("a URL has no spaces or control characters")
    parts = _split(text)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("this is not a URL like https://host/path")
    if "@" in parts.netloc:
        raise ValueError("a URL here takes no user or password; secrets have keys of their own")
    if "?" in text or "#" in text:
        raise ValueError("a URL here ends with its path: no '?' and no '#'")
    return text.rstrip("/")


def in_clear_text(url: str) -> bool:
    """Whether others on the way can read what is sent: http to anything but this machine."""
    parts = _split(url)
    host = (parts.hostname or "") if parts else ""
    return url.startswith("http:") and not _THIS_MACHINE.fullmatch(host)


def _split(text: str) -> SplitResult | None:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        return parts if parts.port != 0 else None
    except ValueError:
        return None
