"""One authenticated API call, and what every handler needs from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from . import shapes
from .cloud import Change, Cloud, Effects, Work
from .errors import ApiError, invalid, not_found
from .model import Action, FloatingIp, LoadBalancer, Network, PrimaryIp, Ref, Server
from .project import Project
from .reply import Request
from .switches import Switches
from .view import View

T = TypeVar("T")


@dataclass(frozen=True)
class Result:
    """A handler's answer, not yet bytes."""

    status: int
    payload: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """project is what the call sees: for a stale read an older state than the cloud's own."""

    cloud: Cloud
    project: Project
    request: Request
    ids: tuple[int, ...]
    fields: Mapping[str, Any]
    effects: Effects
    base_url: str

    @property
    def switches(self) -> Switches:
        """The simulator's switches."""
        return self.cloud.switches

    @cached_property
    def view(self) -> View:
        """Renders objects as this call sees them."""
        if self.project is self.cloud.project:
            return View(self.project, self.switches, self.cloud.running.values())
        running = [action for action in self.project.actions.values() if action.status == "running"]
        return View(self.project, self.switches, running)

    def server(self, key: int) -> Server:
        """Raises 404 when it does not exist; so do the next four."""
        return _found(self.project.servers, key, "server")

    def floating_ip(self, key: int) -> FloatingIp:
        """One floating IP."""
        return _found(self.project.floating_ips, key, "floating IP")

    def primary_ip(self, key: int) -> PrimaryIp:
        """One primary IP."""
        return _found(self.project.primary_ips, key, "primary IP")

    def network(self, key: int) -> Network:
        """One network."""
        return _found(self.project.networks, key, "network")

    def load_balancer(self, key: int) -> LoadBalancer:
        """One load balancer."""
        return _found(self.project.load_balancers, key, "load balancer")

    def integer(self, name: str) -> int:
        """A required number of the body. Raises 422 invalid_input."""
        value = self.fields.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise invalid(name, "must be an integer" if name in self.fields else "is required")
        return value

    def text(self, name: str) -> str:
        """A required text of the body. Raises 422 invalid_input."""
        value = self.fields.get(name)
        if not isinstance(value, str) or not value:
            raise invalid(name, "must be a string" if name in self.fields else "is required")
        return value

    def texts(self, name: str) -> list[str]:
        """A required list of texts of the body. Raises 422 invalid_input."""
        value = self.fields.get(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise invalid(name, "must be a list of strings" if name in self.fields else "is required")
        return value

    def require_free(self, *refs: Ref) -> None:
        """Raises 423 when an action runs on one of them; 409 for a network, which is documented to differ."""
        locks = self.cloud.locks()
        for ref in refs:
            if ref not in locks:
                continue
            if ref[0] == "network":
                raise ApiError(409, "conflict", "the network is currently being changed, please retry")
            what = ref[0].replace("_", " ")
            raise ApiError(423, "locked", f"cannot perform operation because {what} is locked")

    def commit(self, change: Change) -> None:
        """Makes a change: now, or when a fault lets the request through."""
        if self.effects.held_s > 0:
            self.cloud.timeline.at(self.cloud.now + self.effects.held_s, change)
        else:
            change(self.cloud.now)

    def act(self, command: str, resources: Sequence[Ref], work: Work, locks: Sequence[Ref] | None = None) -> Result:
        """Starts an action and answers 201 with it; it locks its resources unless told what to lock."""
        cloud, effects = self.cloud, self.effects
        started = cloud.now + effects.held_s
        locked = frozenset(resources if locks is None else locks)
        action = Action(cloud.next_action_id(), command, started, list(resources), locked)
        seconds = cloud.duration(command) if effects.slow_s is None else effects.slow_s
        self.commit(lambda at: cloud.begin(action, work, seconds, effects, at))
        return Result(201, {"action": shapes.action(action, cloud.now)})


Handler = Callable[[Call], Result]


def _found(table: Mapping[int, T], key: int, what: str) -> T:
    if key not in table:
        raise not_found(what, key)
    return table[key]
