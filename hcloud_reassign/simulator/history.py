"""How things were: copies of objects from before each change, for stale reads."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .project import Project

TABLES = ("servers", "floating_ips", "primary_ips", "networks", "load_balancers", "actions", "failover_ips")
_KEPT = 5000


@dataclass(frozen=True)
class Change:
    """An object as it was before `at` (unix seconds); None: it did not exist. step: what changed together."""

    at: float
    step: int
    table: str
    key: int | str
    before: Any


class History:
    """The last changes of a project. Changes made past the API, by a test on sim.state, are not in it."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._changes: deque[Change] = deque(maxlen=_KEPT)
        self._step = 0

    def next_step(self) -> None:
        """What is noted from here on happens together: one request, or one event that was due."""
        self._step += 1

    def note(self, at: float, table: str, key: int | str) -> None:
        """Call before changing, adding or removing the object."""
        before = getattr(self._project, table).get(key)
        self._changes.append(Change(at, self._step, table, key, copy.deepcopy(before)))

    def as_of(self, when: float) -> Project:
        """The project as it was at that moment."""
        return self._without(lambda change: change.at > when)

    def before_last_step(self) -> Project:
        """The project as it was before the latest request or event that changed anything."""
        last = self._changes[-1].step if self._changes else 0
        return self._without(lambda change: change.step >= last)

    def _without(self, undone: Callable[[Change], bool]) -> Project:
        tables: dict[str, dict[Any, Any]] = {name: dict(getattr(self._project, name)) for name in TABLES}
        for change in reversed(self._changes):
            if not undone(change):
                break
            if change.before is None:
                tables[change.table].pop(change.key, None)
            else:
                tables[change.table][change.key] = change.before
        # Objects that came back stand at the end of their table: in order again, lists are by id.
        earlier: dict[str, Any] = {name: dict(sorted(table.items())) for name, table in tables.items()}
        return replace(self._project, **earlier)
