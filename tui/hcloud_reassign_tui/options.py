"""What the file and the command line say about the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hcloud_reassign.core.errors import Missing
from hcloud_reassign_tui.view.registry import ACTS


@dataclass(frozen=True)
class Options:
    """`keys` has other keys for actions, by their ids."""

    read_only: bool = False
    theme: str = "ansi-dark"
    ascii: bool = False
    refresh_s: float = 5.0
    keys: Mapping[str, str] = field(default_factory=dict)


def options_of(section: Mapping[str, Any], *, read_only: bool, file: str | None = None) -> Options:
    """The section [tui] as options.

    Raises:
        Missing: `key.ID` of no action, or a theme that there is not.
    """
    from textual.theme import BUILTIN_THEMES

    keys = {name.partition(".")[2]: str(key) for name, key in section.items() if name.startswith("key.")}
    known = [act.id for act in ACTS]
    for id in keys:
        if id not in known:
            raise Missing("action", id, known, file=file, key=f"key.{id}")
    theme = str(section["theme"])
    if theme not in BUILTIN_THEMES:
        raise Missing("theme", theme, BUILTIN_THEMES, file=file, key="theme")
    return Options(read_only, theme, bool(section["ascii"]), float(section["refresh"]), keys)
