"""Drafts of sections as the text of a configuration file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hcloud_reassign.project import Draft

_MOST_NAMED = 8


def ini(drafts: Sequence[Draft], api_url: str | None) -> str:
    """A file that can be used as it is: where a destination is to be chosen, the choices stand beside it."""
    head = [
        "; Written by hcloud-reassign init. Take out what shall not be moved.",
        "; members = any of these may have it, and --to says which. For two that stand in for each other write",
        ";   source      = the one that has it normally",
        ";   destination = the one that shall have it when the first is lost",
        "",
        "[client]",
        "; The token of the project, if not in HCLOUD_TOKEN: a file that only you may read.",
        "; api_token_file = /etc/hcloud-reassign/token",
        *([f"api_url = {api_url}"] if api_url else []),
    ]
    return "\n".join([*head, *(text for draft in drafts for text in _section(draft))]) + "\n"


def _section(draft: Draft) -> Iterator[str]:
    yield ""
    ends = _ends(draft)
    odd = next((key for key, value in (*draft.keys, *ends) if not _means_itself(value)), None)
    if odd:
        yield f"; {draft.name} is left out: its {odd} has a name that cannot stand here; rename it, or write its id"
        return
    yield f"[{draft.name}]"
    width = max(len(key) for key, _ in (*draft.keys, *ends))
    for key, value in (*draft.keys, *ends):
        yield f"{key:<{width}} = {value}"
    if len(draft.others) > _MOST_NAMED:
        yield f"; {len(draft.others) - _MOST_NAMED} other servers could have it too"


def _means_itself(value: str) -> bool:
    """Whether a value is read as it is written: names come from the API, and anything can be in them."""
    plain = bool(value) and value.isprintable() and value == value.strip()
    return plain and not re.search(r"(?:^|\s)[;#]", value)


def _ends(draft: Draft) -> tuple[tuple[str, str], ...]:
    """Who may have it: with one alternative a fail-over, else a choice that is left to `--to`."""
    if draft.holder and len(draft.others) == 1:
        return (("source", draft.holder), ("destination", draft.others[0]))
    everybody = [*([draft.holder] if draft.holder else []), *draft.others[:_MOST_NAMED]]
    names = [name for name in everybody if "," not in name]
    return (("members", ", ".join(names)),)
