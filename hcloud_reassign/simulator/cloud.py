"""The project in time: what is under way, how long it takes, and what it changes when it ends."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from .errors import ActionFailure
from .history import History
from .model import Action, Ref
from .project import Project
from .ratelimit import RateLimits
from .switches import Switches
from .timeline import Timeline

Change = Callable[[float], None]
"""Changes the project; called with the moment of the change in unix seconds."""

DEMO_SCALE = 0.2
"""Default times are this fraction of the realistic ones: a demonstration should not bore."""

REALISTIC_S: dict[str, tuple[float, float]] = {
    "assign_floating_ip": (0.5, 3),
    "unassign_floating_ip": (0.5, 3),
    "assign_primary_ip": (1, 5),
    "unassign_primary_ip": (1, 5),
    "change_alias_ips": (1, 5),
    "add_route": (1, 5),
    "delete_route": (1, 5),
    "start_server": (2, 10),
    "stop_server": (2, 10),
    "shutdown_server": (0.5, 2),
    "attach_to_network": (1, 5),
    "detach_from_network": (1, 5),
    "operating_system_shutdown": (5, 30),
    "failover": (10, 20),
}
"""Seconds, from to. Hetzner publishes none of them: guesses, kept in one place."""


@dataclass(frozen=True)
class Effects:
    """What faults do to the actions that one request starts.

    fail: (code, message) the action ends with; fail_after_s: when, None: at its normal end.
    slow_s: how long it takes instead; stuck: it never ends.
    held_s: the request reaches the project only after so many seconds.
    """

    fail: tuple[str, str] | None = None
    fail_after_s: float | None = None
    slow_s: float | None = None
    stuck: bool = False
    held_s: float = 0.0


@dataclass(frozen=True)
class Work:
    """What an action does: when it begins, when it succeeds, and when it fails."""

    apply: Change
    begun: Change | None = None
    failed: Change | None = None


class Cloud:
    """Holds the project, its clock hand and its history."""

    def __init__(
        self,
        project: Project,
        switches: Switches,
        rng: random.Random,
        action_time: tuple[float, float] | None,
        now: float,
    ) -> None:
        self.project = project
        self.switches = switches
        self.rng = rng
        self.now = now
        self.history = History(project)
        self.timeline = Timeline(before_each=self.history.next_step)
        self.limits = RateLimits(switches.rate_limit, switches.action_rate_limit, now)
        self.running: dict[int, Action] = {}
        self._work: dict[int, Work] = {}
        self._action_time = action_time
        self._last_action = max(project.actions, default=900000)

    def advance(self, now: float) -> None:
        """Lets everything happen that was due until now."""
        self.timeline.advance(now)
        self.now = max(self.now, now)

    def duration(self, what: str) -> float:
        """Seconds that a command takes."""
        if self._action_time is not None:
            return self.rng.uniform(*self._action_time)
        low, high = REALISTIC_S[what]
        return self.rng.uniform(low, high) * DEMO_SCALE

    def next_action_id(self) -> int:
        """Ids rise strictly."""
        self._last_action += 1
        return self._last_action

    def note(self, at: float, table: str, key: int | str) -> None:
        """Call before changing an object, so that stale reads can show how it was."""
        self.history.note(at, table, key)

    def locks(self) -> dict[Ref, Action]:
        """What running actions lock."""
        return {ref: action for action in self.running.values() for ref in action.locks}

    def begin(self, action: Action, work: Work, seconds: float, effects: Effects, at: float) -> None:
        """Starts an action; one that takes no time has ended when this returns."""
        self.note(at, "actions", action.id)
        self.project.actions[action.id] = action
        self.running[action.id] = action
        self._work[action.id] = work
        if work.begun is not None:
            work.begun(at)
        if effects.stuck:
            return
        if effects.fail is not None and effects.fail_after_s is not None:
            seconds = effects.fail_after_s
        action.finish_at = at + seconds
        if seconds <= 0:
            self.finish(action.id, at, effects.fail)
        else:
            self.timeline.at(action.finish_at, lambda due: self.finish(action.id, due, effects.fail))

    def finish(self, action_id: int, at: float, error: tuple[str, str] | None = None) -> None:
        """Ends a running action: its change happens now, unless it fails. Does nothing when it has ended."""
        action = self.running.pop(action_id, None)
        if action is None:
            return
        work = self._work.pop(action_id)
        if error is None:
            try:
                work.apply(at)
            except ActionFailure as failure:
                error = (failure.code, failure.message)
        if error is not None and work.failed is not None:
            work.failed(at)
        self.note(at, "actions", action_id)
        action.error = error
        action.status = "success" if error is None else "error"
        action.finished = at

    def delete_server(self, server_id: int) -> None:
        """Takes a server away; a switch lets its addresses name it for a while (seen by users)."""
        self.note(self.now, "servers", server_id)
        del self.project.servers[server_id]
        lingers = self.switches.deleted_holder_lingers_s
        if lingers > 0:
            self.timeline.at(self.now + lingers, lambda due: self._release(server_id, due))
        else:
            self._release(server_id, self.now)

    def _release(self, server_id: int, at: float) -> None:
        for floating in self.project.floating_ips.values():
            if floating.server_id == server_id:
                self.note(at, "floating_ips", floating.id)
                floating.server_id = None
        for primary in list(self.project.primary_ips.values()):
            if primary.held_by_server(server_id):
                self.note(at, "primary_ips", primary.id)
                primary.assignee_id = None
                if primary.auto_delete:
                    del self.project.primary_ips[primary.id]
