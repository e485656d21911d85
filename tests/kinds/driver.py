"""A vendor in memory for kinds alone: it answers what a generator yields, obeys at once, and fails where told.

It knows the rules that a kind relies on (a primary IP is only assigned to a stopped server, an address has one holder)
and who would lose something by a write, so that taking from a third party is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hcloud_reassign.core.model import World
from hcloud_reassign.core.objects import (
    Action,
    FloatingIp,
    LoadBalancer,
    Member,
    Network,
    PrimaryIp,
    Server,
)
from hcloud_reassign.core.steps import (
    AddAliasIp,
    AddRoute,
    All,
    AssignFloatingIp,
    AssignPrimaryIp,
    DeleteRoute,
    FindAction,
    Finished,
    Gone,
    LatestActions,
    Members,
    One,
    Pause,
    PowerOff,
    PowerOn,
    Refused,
    RemoveAliasIp,
    ServerIs,
    SetLabels,
    Shutdown,
    Step,
    StepError,
    Steps,
    UnassignFloatingIp,
    UnassignPrimaryIp,
    Write,
)

Tables = dict[type, dict[int, Any]]
Meddling = Callable[["FakeCloud", Step], Any]
"""Takes the place of the vendor's answer to one step: it returns an answer or raises."""

MOST_STEPS = 2000
_SETTLED = {"stopping": "off", "starting": "running"}


class FakeCloud:
    """A project. `strict`: no floating IP is assigned while somebody has it. `obeys`: servers shut down when asked."""

    def __init__(self, *objects: Any, strict: bool = False, obeys: bool = True) -> None:
        self.tables: Tables = {Server: {}, FloatingIp: {}, PrimaryIp: {}, Network: {}, LoadBalancer: {}}
        for item in objects:
            self.put(item)
        self.members: tuple[Member, ...] | None = ()
        self.strict, self.obeys = strict, obeys
        self.before: dict[int, Tables] = {}
        self.lost: Action | None = None

    def put(self, item: Any) -> None:
        self.tables[type(item)][item.id] = item

    def change(self, cls: type, id: int, **fields: Any) -> None:
        self.tables[cls][id] = replace(self.tables[cls][id], **fields)

    def need(self, cls: type, id: int) -> Any:
        if id not in self.tables[cls]:
            raise Gone(f"{cls.__name__} {id} is not there", "not_found")
        return self.tables[cls][id]

    def world(self) -> World:
        """Everything, as an observation would have it."""
        return World(self.copy())

    def copy(self) -> Tables:
        return {cls: dict(table) for cls, table in self.tables.items()}

    def answer(self, step: Step) -> Any:
        """What the engine would hand to the generator when nothing goes wrong."""
        if isinstance(step, Write):
            before = self.copy()
            action = self._write(step)
            if isinstance(action, Action):
                self.before[action.id] = before
            return action
        if isinstance(step, All):
            return tuple(self.tables[step.cls].values())
        if isinstance(step, One):
            return self.tables[step.cls].get(step.id)
        if isinstance(step, Members):
            return self.members
        if isinstance(step, LatestActions):
            # A server that is told to stop is `stopping` here at once.
            return ()
        if isinstance(step, FindAction):
            found, self.lost = self.lost, None
            return found
        if isinstance(step, ServerIs):
            return self._wait(step)
        assert isinstance(step, Finished | Pause)
        return None

    def undo(self, action: Action) -> None:
        """The action fails: everything is as it was before it."""
        self.tables = self.before[action.id]

    def settle(self) -> None:
        """Time goes by: what stops has stopped, what starts has started."""
        for server in list(self.tables[Server].values()):
            self.change(Server, server.id, status=_SETTLED.get(server.status, server.status))

    def _wait(self, step: ServerIs) -> bool:
        self.settle()
        server = self.tables[Server].get(step.server)
        return server is not None and server.status == step.status

    def _write(self, step: Write) -> Any:
        if isinstance(step, SetLabels):
            self.need(step.of, step.id)
            self.change(step.of, step.id, labels=dict(step.labels))
            return self.tables[step.of][step.id]
        if _RULES[type(step)](self, step) is False:
            return None
        return Action(len(self.before) + 1, step.command, "running")

    def loser(self, step: Step) -> tuple[str, object] | None:
        """Who would lose something by this step now."""
        if isinstance(step, AssignFloatingIp | UnassignFloatingIp):
            has_it = self.tables[FloatingIp][step.floating_ip].server
            gains = isinstance(step, AssignFloatingIp) and (has_it == step.server or self.strict)
            return None if has_it is None or gains else ("server", has_it)
        if isinstance(step, UnassignPrimaryIp):
            has_it = self.tables[PrimaryIp][step.primary_ip].assignee
            return None if has_it is None else ("server", has_it)
        if isinstance(step, Shutdown | PowerOff | RemoveAliasIp):
            return ("server", step.server)
        if isinstance(step, DeleteRoute):
            return ("gateway", step.route.gateway)
        return None


def _assign_floating(cloud: FakeCloud, step: AssignFloatingIp) -> None:
    has_it = cloud.need(FloatingIp, step.floating_ip).server
    cloud.need(Server, step.server)
    if has_it == step.server or (cloud.strict and has_it is not None):
        raise Refused("it is assigned", "floating_ip_assigned")
    cloud.change(FloatingIp, step.floating_ip, server=step.server)


def _unassign_floating(cloud: FakeCloud, step: UnassignFloatingIp) -> None:
    cloud.need(FloatingIp, step.floating_ip)
    cloud.change(FloatingIp, step.floating_ip, server=None)


def _assign_primary(cloud: FakeCloud, step: AssignPrimaryIp) -> None:
    address, server = cloud.need(PrimaryIp, step.primary_ip), cloud.need(Server, step.server)
    if address.assignee is not None:
        raise Refused("it is assigned", "primary_ip_already_assigned")
    if server.status != "off":
        raise Refused("the server is not stopped", "server_not_stopped")
    if any(item.assignee == server.id and item.family == address.family for item in cloud.tables[PrimaryIp].values()):
        raise Refused("the server has one", f"server_has_{address.family}")
    cloud.change(PrimaryIp, address.id, assignee=server.id, assignee_type="server")


def _unassign_primary(cloud: FakeCloud, step: UnassignPrimaryIp) -> None:
    address = cloud.need(PrimaryIp, step.primary_ip)
    if address.assignee is None:
        raise Refused("nobody has it", "primary_ip_not_assigned")
    if cloud.need(Server, address.assignee).status != "off":
        raise Refused("the server is not stopped", "server_not_stopped")
    cloud.change(PrimaryIp, address.id, assignee=None)


def _aliases(cloud: FakeCloud, step: AddAliasIp | RemoveAliasIp) -> tuple[str, ...]:
    place = cloud.need(Server, step.server).place_in(step.network)
    if place is None:
        raise Refused("the server is not attached", "invalid_input")
    aliases: tuple[str, ...] = place.alias_ips
    return aliases


def set_aliases(cloud: FakeCloud, server: int, network: int, aliases: Sequence[str]) -> None:
    nets = cloud.tables[Server][server].private_nets
    changed = (replace(net, alias_ips=tuple(aliases)) if net.network == network else net for net in nets)
    cloud.change(Server, server, private_nets=tuple(changed))


def _add_alias(cloud: FakeCloud, step: AddAliasIp) -> bool | None:
    aliases = _aliases(cloud, step)
    if step.address in aliases:
        return False
    for server in cloud.tables[Server].values():
        place = server.place_in(step.network)
        if place and step.address in (place.ip, *place.alias_ips):
            raise Refused("somebody has it", "ip_not_available")
    set_aliases(cloud, step.server, step.network, (*aliases, step.address))
    return None


def _remove_alias(cloud: FakeCloud, step: RemoveAliasIp) -> bool | None:
    aliases = _aliases(cloud, step)
    if step.address not in aliases:
        return False
    set_aliases(cloud, step.server, step.network, [ip for ip in aliases if ip != step.address])
    return None


def _add_route(cloud: FakeCloud, step: AddRoute) -> None:
    network = cloud.need(Network, step.network)
    if network.route_to(step.route.destination):
        raise Refused("there is a route", "invalid_input")
    cloud.change(Network, network.id, routes=(*network.routes, step.route))


def _delete_route(cloud: FakeCloud, step: DeleteRoute) -> None:
    network = cloud.need(Network, step.network)
    if step.route not in network.routes:
        raise Refused("there is no such route", "not_found")
    cloud.change(Network, network.id, routes=tuple(route for route in network.routes if route != step.route))


def _shutdown(cloud: FakeCloud, step: Shutdown) -> None:
    if cloud.need(Server, step.server).status == "running" and cloud.obeys:
        cloud.change(Server, step.server, status="stopping")


def _power(status: str) -> Callable[[FakeCloud, PowerOn | PowerOff], None]:
    def switch(cloud: FakeCloud, step: PowerOn | PowerOff) -> None:
        cloud.need(Server, step.server)
        cloud.change(Server, step.server, status=status)

    return switch


_RULES: Mapping[type, Callable[[FakeCloud, Any], Any]] = {
    AssignFloatingIp: _assign_floating,
    UnassignFloatingIp: _unassign_floating,
    AssignPrimaryIp: _assign_primary,
    UnassignPrimaryIp: _unassign_primary,
    AddAliasIp: _add_alias,
    RemoveAliasIp: _remove_alias,
    AddRoute: _add_route,
    DeleteRoute: _delete_route,
    Shutdown: _shutdown,
    PowerOff: _power("off"),
    PowerOn: _power("starting"),
}


@dataclass
class Drive:
    """What a generator did: its steps, what it raised, and the writes that took from a third party."""

    steps: list[Step] = field(default_factory=list)
    error: StepError | None = None
    stolen: list[Write] = field(default_factory=list)

    @property
    def writes(self) -> list[Write]:
        return [step for step in self.steps if isinstance(step, Write)]

    def of(self, *classes: type) -> list[Any]:
        return [step for step in self.steps if isinstance(step, classes)]


def drive(
    generator: Steps[None],
    cloud: FakeCloud,
    meddle: Mapping[int, Meddling] | None = None,
    ours: Sequence[tuple[str, object]] | None = None,
) -> Drive:
    """Answer everything that a generator yields. `meddle`: what answers its n-th step in the vendor's place."""
    done, answer, error = Drive(), None, None
    for number in range(MOST_STEPS):
        try:
            step = generator.send(answer) if error is None else generator.throw(error)
        except StopIteration:
            return done
        except StepError as raised:
            done.error = raised
            return done
        done.steps.append(step)
        loser = cloud.loser(step)
        if isinstance(step, Write) and ours is not None and loser is not None and loser not in ours:
            done.stolen.append(step)
        answer, error = None, None
        try:
            answer = (meddle or {}).get(number, FakeCloud.answer)(cloud, step)
        except StepError as raised:
            error = raised
    raise AssertionError(f"it did not end within {MOST_STEPS} steps: {done.steps[-5:]}")


def fails(error: StepError) -> Meddling:
    """The step does not happen."""

    def meddling(cloud: FakeCloud, step: Step) -> Any:
        raise error

    return meddling


def answers(answer: Any) -> Meddling:
    """Something else is answered, and nothing happens."""
    return lambda cloud, step: answer


def happens_but(error: StepError) -> Meddling:
    """The step is carried out, and its answer is lost; a trace of it is found when that is asked for."""

    def meddling(cloud: FakeCloud, step: Step) -> Any:
        action = cloud.answer(step)
        cloud.lost = action if isinstance(action, Action) else None
        raise error

    return meddling


def action_fails(error: StepError) -> Meddling:
    """The action that is waited for fails, and everything is as it was before it."""

    def meddling(cloud: FakeCloud, step: Step) -> Any:
        if isinstance(step, Finished):
            cloud.undo(step.action)
        raise error

    return meddling


def after(change: Callable[[FakeCloud], None]) -> Meddling:
    """The step is answered, and right after it somebody else changes something."""

    def meddling(cloud: FakeCloud, step: Step) -> Any:
        try:
            return cloud.answer(step)
        finally:
            change(cloud)

    return meddling
