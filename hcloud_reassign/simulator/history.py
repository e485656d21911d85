"""How things were: copies of objects from before each change, for stale reads."""

from __future__ import annotations

import copy
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

from .project import Project

TABLES = ("servers", "floating_ips", "primary_ips", "networks", "load_balancers", "actions", "failover_ips")
_KEPT = 5000


@dataclass(frozen=True)
class Change:
    """An object as it was before `at` (unix seconds); None: it did not exist."""

    at: float
    table: str
    key: int | str
    before: Any


class History:
    """The last changes of a project. Changes made past the API, by a test on sim.state, are not in it."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._changes: deque[Change] = deque(maxlen=_KEPT)

    def note(self, at: float, table: str, key: int | str) -> None:
        """Call before changing, adding or removing the object."""
        before = getattr(self._project, table).get(key)
        self._changes.append(Change(at, table, key, copy.deepcopy(before)))

    def as_of(self, when: float) -> Project:
        """The project as it was at that moment."""
        tables: dict[str, dict[Any, Any]] = {name: dict(getattr(self._project, name)) for name in TABLES}
        for change in reversed(self._changes):
            if change.at <= when:
                break
            if change.before is None:
                tables[change.table].pop(change.key, None)
            else:
                tables[change.table][change.key] = change.before
        # Objects that came back stand at the end of their table: in order again, lists are by id.
        earlier: dict[str, Any] = {name: dict(sorted(table.items())) for name, table in tables.items()}
        return replace(self._project, **earlier)

    def before_last_change(self) -> Project:
        """The project as it was before the latest moment at which anything changed."""
        if not self._changes:
            return self._project
        latest = self._changes[-1].at
        earlier = [change.at for change in self._changes if change.at < latest]
        return self.as_of(max(earlier) if earlier else latest - 1)
