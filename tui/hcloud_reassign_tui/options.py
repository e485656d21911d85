"""What the file and the command line say about the screen."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hcloud_reassign.core.errors import Missing, UsageError
from hcloud_reassign_tui.view.registry import ACTS

TAKEN = ("up", "down", "j", "k", "g", "G", "home", "end", "pageup", "pagedown", "tab", "ctrl+c", "ctrl+p", "ctrl+q")
"""Keys that move the cursor or belong to the program: no action may have them."""


@dataclass(frozen=True)
class Options:
    """`keys` has other keys for actions, by their ids, as Textual calls them."""

    read_only: bool = False
    theme: str = "ansi-dark"
    ascii: bool = False
    refresh_s: float = 5.0
    keys: Mapping[str, str] = field(default_factory=dict)
    no_color: bool = False


def options_of(
    section: Mapping[str, Any], *, read_only: bool = False, no_color: bool = False, file: str | None = None
) -> Options:
    """The section [tui] as options.

    Raises:
        UsageError: `key.ID` of no action, a key that something else has, or a theme that there is not.
    """
    from textual.theme import BUILTIN_THEMES

    theme = str(section["theme"])
    if theme not in BUILTIN_THEMES:
        raise Missing("theme", theme, BUILTIN_THEMES, file=file, key="theme")
    keys = _keys(section, file)
    return Options(read_only, theme, bool(section["ascii"]), float(section["refresh"]), keys, no_color)


def _keys(section: Mapping[str, Any], file: str | None) -> dict[str, str]:
    given = {name.partition(".")[2]: str(text) for name, text in section.items() if name.startswith("key.")}
    known = [act.id for act in ACTS]
    for id in given:
        if id not in known:
            raise Missing("action", id, known, file=file, key=f"key.{id}")
    keys = {id: ",".join(_key(word) for word in text.replace(",", " ").split()) for id, text in given.items()}
    users = dict.fromkeys(TAKEN, "the cursor or the program")
    users.update({key: act.id for act in ACTS if act.id not in keys for key in act.keys.split(",")})
    for id, text in keys.items():
        for key in text.split(","):
            if key in users:
                message = f"the key {key!r} of {id} is already that of {users[key]}"
                raise UsageError(message, object="tui", file=file, key=f"key.{id}", next=f"key.{id} = another key")
            users[key] = id
    return keys


def _key(word: str) -> str:
    """A key as Textual calls it: `?` is question_mark there."""
    if len(word) != 1 or word.isalnum():
        return word
    return unicodedata.name(word, word).lower().replace("-", "_").replace(" ", "_")
