"""Drafts of sections as the text of a configuration file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hcloud_reassign.project import Draft

_MOST_NAMED = 8


def ini(drafts: Sequence[Draft], api_url: str | None) -> str:
    """A file that can be used as it is: where a destination is to be chosen, the choices stand beside it."""
    head = [
        "; Written by hcloud-reassign init. Take out what shall not be moved, and fill in the destinations.",
        "",
        "[client]",
        "; The token of the project, if not in HCLOUD_TOKEN: a file that only you may read.",
        "; api_token_file = /etc/hcloud-reassign/token",
        *([f"api_url = {api_url}"] if api_url else []),
    ]
    return "\n".join([*head, *(text for draft in drafts for text in _section(draft))]) + "\n"


def _section(draft: Draft) -> Iterator[str]:
    yield ""
    yield f"[{draft.name}]"
    width = max(len(key) for key in ("destination", *(key for key, _ in draft.keys)))
    if draft.note:
        yield f"; {draft.note}"
    for key, value in draft.keys:
        yield f"{key:<{width}} = {value}"
    choices = draft.others[:_MOST_NAMED]
    more = f" and {len(draft.others) - _MOST_NAMED} others" if len(draft.others) > _MOST_NAMED else ""
    if choices:
        yield f"; {'destination':<{width - 2}} = one of: {', '.join(choices)}{more}"
