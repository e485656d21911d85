"""From the sections of a file to the ways that a request can go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hcloud_reassign.core.errors import Missing, ReassignError
from hcloud_reassign.triggers import trigger
from hcloud_reassign.triggers.result import Way

SecretOf = Callable[[str, str], "str | None"]
"""What the file has that a key of a section names. Raises AccessError, UsageError."""


def ways(
    name: str,
    sections: Mapping[str, Mapping[str, Any]],
    secret_of: SecretOf,
    warn: Callable[[str], None],
    file: str | None = None,
) -> tuple[Way, ...]:
    """The trigger of that name, then its fallbacks. One whose secret cannot be read is left out with a warning.

    Args:
        sections: those called [trigger.NAME], by NAME.
        file: the file that they are in, for messages.

    Raises:
        Missing: there is no trigger of that name. AccessError, UsageError: no secret of all of them can be read.
    """
    if name not in sections:
        told = ", ".join(sections) or "none: the file needs a section [trigger.NAME]"
        raise Missing("trigger", name, sections, file=file, next=f"triggers: {told}")
    found, failed = list[Way](), list[ReassignError]()
    for each in _names(name, sections):
        try:
            found.append(_way(each, sections[each], secret_of))
        except ReassignError as error:
            failed.append(error)
    if not found:
        raise failed[0]
    for reason in failed:
        warn(f"[{reason.object}] is not asked: {reason.message}")
    return tuple(found)


def _names(name: str, sections: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A circle of fallbacks is gone through once."""
    seen = set[str]()
    while name and name not in seen:
        seen.add(name)
        yield name
        name = sections[name].get("fallback") or ""


def _way(name: str, options: Mapping[str, Any], secret_of: SecretOf) -> Way:
    platform = trigger(options["type"])
    found = {key: secret_of(f"trigger.{name}", key) for key in platform.secret_keys}
    return Way(name, platform, options, {key: secret for key, secret in found.items() if secret is not None})
