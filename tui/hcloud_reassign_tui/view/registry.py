"""Every action there is: keys, footer, palette, help and manual are made from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Act:
    """`id` is also the word in `key.ID` of the configuration. `dangerous`: the read-only lock is in its way."""

    id: str
    keys: str
    label: str
    help: str
    group: str
    footer: bool = False
    dangerous: bool = False


ACTS = (
    Act(
        "move",
        "m,enter",
        "Move",
        "Move this resource: choose a server, read the plan, confirm.",
        "Change",
        footer=True,
        dangerous=True,
    ),
    Act("mark", "space", "Select", "Select this row, or take it out of the selection.", "Change"),
    Act(
        "move_marked",
        "M",
        "Move selected",
        "Move everything that is selected, or the group of this row.",
        "Change",
        dangerous=True,
    ),
    Act(
        "revert",
        "u",
        "Revert",
        "Move it back: the last move of this resource, the other way round.",
        "Change",
        dangerous=True,
    ),
    Act(
        "hold",
        "h",
        "Hold",
        "Keep triggered requests away for a while, or let them at it again.",
        "Change",
        dangerous=True,
    ),
    Act(
        "evacuate",
        "E",
        "Evacuate",
        "Move all that this server holds to another one; primary IPs stay.",
        "Change",
        footer=True,
        dangerous=True,
    ),
    Act("lock", "L", "Lock", "Lock the screen to read-only, or unlock it.", "Change"),
    Act("refresh", "r", "Refresh", "Look at the API now.", "Look", footer=True),
    Act("pause", "p", "Pause", "Stop looking by itself, or go on.", "Look"),
    Act("filter", "slash", "Filter", "Show only rows with these words. Esc ends it.", "Look", footer=True),
    Act("sort", "o", "Sort", "Sort by the next column, and after the last one as in the file.", "Look"),
    Act("sort_back", "O", "Sort the other way", "Turn the order round.", "Look"),
    Act("holders", "1", "Holders", "Who holds what: the home screen.", "Go"),
    Act("servers", "2", "Servers", "What each server holds, and evacuating one.", "Go"),
    Act("history", "3,H", "History", "What was moved, from this machine and by others.", "Go", footer=True),
    Act("log", "4", "Log", "Events and calls, secrets removed.", "Go"),
    Act("open", "enter", "Open", "What this server holds, as rows that can be moved.", "Go"),
    Act("details", "d", "Details", "Everything about this row, on a screen of its own.", "Go"),
    Act("copy", "c", "Copy row", "Copy the row.", "Take along"),
    Act("copy_command", "C", "Copy command", "Copy the command line that does the same move.", "Take along"),
    Act("export", "e", "Export", "Save what is on the screen as JSON.", "Take along"),
    Act("help", "question_mark", "Help", "All keys.", "Program", footer=True),
    Act("back", "escape", "Back", "One step back: out of the filter, the selection, the screen.", "Program"),
    Act("suspend", "ctrl+z", "Suspend", "To the shell, until `fg`. Not while something moves.", "Program"),
    Act("quit", "q", "Quit", "Leave. While something moves it asks first.", "Program", footer=True),
)

GROUPS = ("Change", "Look", "Go", "Take along", "Program")


def act(id: str) -> Act:
    """Raises KeyError."""
    return _BY_ID[id]


_BY_ID: Mapping[str, Act] = {act.id: act for act in ACTS}


def by_group() -> Iterator[tuple[str, tuple[Act, ...]]]:
    """The actions as the help shows them."""
    for group in GROUPS:
        yield group, tuple(act for act in ACTS if act.group == group)


_KEY_NAMES = {"slash": "/", "question_mark": "?", "escape": "Esc", "enter": "Enter", "space": "Space"}


def key_names(keys: str) -> str:
    """Keys as people call them."""
    return ", ".join(_KEY_NAMES.get(key, key) for key in keys.split(","))
