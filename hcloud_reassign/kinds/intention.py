"""What an interrupted primary IP move left behind, kept as a label on the address itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hcloud_reassign.core.claims import INTENTION

_FORM = re.compile(r"(\d+)-(on|off)\.(\d+)-(on|off)\.(\d+)")


@dataclass(frozen=True)
class Intention:
    """The move as it was begun: both servers' ids, whether they ran, and the primary IP it displaced (0: none).

    A source of 0 means that nobody had the address.
    """

    source: int
    source_on: bool
    target: int
    target_on: bool
    displaced: int = 0

    @property
    def value(self) -> str:
        """The label's value: `<source>-<on|off>.<target>-<on|off>.<displaced>`."""
        return f"{self.source}-{_word(self.source_on)}.{self.target}-{_word(self.target_on)}.{self.displaced}"

    @property
    def power(self) -> Mapping[int, bool]:
        """Which server shall run in the end."""
        return {self.target: self.target_on, **({self.source: self.source_on} if self.source else {})}


def _word(on: bool) -> str:
    return "on" if on else "off"


def intention_in(labels: Mapping[str, str]) -> Intention | None:
    """The intention that labels hold; None when there is none, or none that can be read."""
    found = _FORM.fullmatch(labels.get(INTENTION, ""))
    if found is None:
        return None
    source, source_on, target, target_on, displaced = found.groups()
    return Intention(int(source), source_on == "on", int(target), target_on == "on", int(displaced))
