"""How a part of the program declares its section of the configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

ValueType = Literal["text", "yesno", "seconds", "count", "words", "choice", "path", "url", "secret"]


@dataclass(frozen=True)
class Key:
    """One key. `seconds` accepts a number or 30s, 2m, 1h and becomes a float; `words` is a comma separated list.

    `meaning` is one sentence for the reference. `ignored` keys are read, warned about and dropped.
    """

    name: str
    meaning: str
    type: ValueType = "text"
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()
    ignored: bool = False


@dataclass(frozen=True)
class Section:
    """A section: `word` is its name (`client`), its prefix with a dot (`group.`), or the `type` of an assignment."""

    word: str
    meaning: str
    keys: tuple[Key, ...]
    example: str = ""

    @property
    def by_name(self) -> Mapping[str, Key]:
        return {key.name: key for key in self.keys}


ASSIGNMENT_KEYS = (
    Key("type", "What kind of resource it is.", required=True),
    Key("cooldown", "No move back to the holder before within this time.", "seconds", 0.0),
    Key("max_age", "A triggered request older than this is refused.", "seconds"),
    Key("max_moves_per_hour", "More moves than this in an hour are refused; 0 means no limit.", "count", 0),
    Key("timeout", "Bounds this move inside the time of the whole run.", "seconds"),
    Key("before", "A command run before the move; when it fails the move is refused."),
    Key("after", "A command run after the move, whatever came of it."),
    Key("note", "Free text, shown beside the assignment."),
)
"""Keys that every assignment takes."""

SOURCE = Key("source", "Who holds it normally; left out, anybody may.")
DESTINATION = Key("destination", "Who shall hold it after a fail-over.")
MEMBERS = Key("members", "Instead of source and destination: any of these, chosen with --to.", "words", ())
