"""What a configuration file says, checked and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hcloud_reassign.config.faults import quoted
from hcloud_reassign.config.sections import declared, defaults
from hcloud_reassign.core.model import Assignment, Group, Where


class Exposed(NamedTuple):
    """A file with a secret that everybody on this machine may read, and which key is or names it."""

    file: str
    section: str | None
    key: str

    @property
    def message(self) -> str:
        return f"{self.file} holds a secret and everybody may read it"

    @property
    def fix(self) -> str:
        return f"chmod o= {quoted(self.file)}"

    def __str__(self) -> str:
        return f"{self.message}; {self.fix}"


@dataclass(frozen=True)
class Settings:
    """One file, which is one project.

    `client` has every key of [client], defaults included. `sections` has the other sections that are told by their
    name, as written in the file. `exposed`: which secrets everybody on this machine may read; `warnings` has these too.
    """

    file: str
    project: str
    client: Mapping[str, Any]
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    assignments: tuple[Assignment, ...] = ()
    groups: tuple[Group, ...] = ()
    warnings: tuple[str, ...] = ()
    exposed: tuple[Exposed, ...] = ()
    lines: Mapping[tuple[str, str | None], int] = field(default_factory=dict)

    def where(self, section: str, key: str | None = None) -> Where:
        """The place of a key, else of its section, else the file alone."""
        return Where(self.file, self.lines.get((section, key), self.lines.get((section, None))))

    def has(self, section: str, key: str | None = None) -> bool:
        """Whether the file itself gives a section or a key, so that it is not a default."""
        return (section, key) in self.lines

    def section(self, name: str) -> Mapping[str, Any]:
        """A section told by its name, with its defaults, also when the file does not have it."""
        if name == "client":
            return self.client
        found = declared(name)
        return self.sections.get(name) or defaults(found.keys if found else ())

    @property
    def triggers(self) -> Mapping[str, Mapping[str, Any]]:
        """The sections [trigger.NAME], by NAME."""
        prefix = "trigger."
        return {name[len(prefix) :]: found for name, found in self.sections.items() if name.startswith(prefix)}

    def find(self, name: str) -> Assignment | Group | None:
        """What a NAME of the command line means: an assignment, or a group as `web` or `group.web`."""
        named = (item for item in self.assignments if item.name == name)
        grouped = (item for item in self.groups if name in (item.name, f"group.{item.name}"))
        return next(named, None) or next(grouped, None)
