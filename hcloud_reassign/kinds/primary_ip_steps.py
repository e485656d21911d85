"""The choreography of primary IP moves: stop, unassign, assign, start; all of a bundle within one stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hcloud_reassign.core.claims import INTENTION
from hcloud_reassign.core.model import Holder, World
from hcloud_reassign.core.objects import PrimaryIp, Server
from hcloud_reassign.core.steps import (
    AssignPrimaryIp,
    Gone,
    Interrupted,
    LeftOpen,
    OutOfTime,
    Overtaken,
    Pause,
    PowerOff,
    PowerOn,
    Refused,
    ServerIs,
    SetLabels,
    Shutdown,
    StepError,
    Steps,
    UnassignPrimaryIp,
    Write,
    ask,
    one,
)
from hcloud_reassign.kinds.carrying import perform
from hcloud_reassign.kinds.intention import Intention

POWER_LIMIT_S = 60.0
"""How long a server may take to be seen off after its plug was pulled, or on after a start."""
_TRIES = 4


@dataclass(frozen=True)
class Transfer:
    """One address on its way to `goal`. `other` is the server at the move's other end, if one is known.

    `undoes`: the goal is where a move, begun earlier, came from, so what it displaced is given back. `shutdown_s`: how
    long a shutdown may take; `hard`: pull the plug then.
    """

    address: PrimaryIp
    goal: Holder
    other: Holder | None
    intention: Intention
    displaced: PrimaryIp | None
    undoes: bool
    shutdown_s: float
    hard: bool

    @property
    def goal_id(self) -> int:
        assert self.goal.id is not None
        return self.goal.id


def smooth_steps(transfer: Transfer, world: World) -> tuple[Write, ...]:
    """The writes of a move that nothing disturbs, seen from a world."""
    address, steps = transfer.address, list[Write]()
    servers = [server for id in _stop_order(transfer, address.assignee) if (server := world.get(Server, id))]
    steps += [Shutdown(server.id, server.name) for server in servers if server.on]
    if address.assignee != transfer.goal_id:
        displaced = transfer.displaced
        if displaced is not None and not transfer.undoes and displaced.assignee == transfer.goal_id:
            steps.append(UnassignPrimaryIp(displaced.id, displaced.name, str(transfer.goal)))
        if address.assignee is not None:
            steps.append(UnassignPrimaryIp(address.id, address.name, str(transfer.other)))
        steps.append(_assign(transfer))
    stopped = {server.id for server in servers}
    for id in _start_order(transfer):
        server = world.get(Server, id)
        if server and transfer.intention.power.get(id) and (server.id in stopped or not server.on):
            steps.append(PowerOn(server.id, server.name, restoring=True))
    return (*steps, _unlabel(address, address))


def carry_out(transfers: Sequence[Transfer]) -> Steps[None]:
    """Do what is missing. What ran before is started again whatever happens; the labels go last, when all is well."""
    problem: StepError | None = None
    try:
        yield from _stop_all(transfers)
        for transfer in transfers:
            yield from _bring(transfer)
    except LeftOpen as error:
        yield from _start_all(transfers)
        raise error
    except (Refused, OutOfTime, Interrupted) as error:
        problem = error
        for transfer in transfers:
            yield from _give_back(transfer)
    yield from _start_all(transfers)
    for transfer in transfers:
        yield from _take_label_off(transfer)
    if problem is not None:
        raise problem


def _server(id: int) -> Steps[Server | None]:
    return (yield from ask(one(Server, id)))


def _assignee(address: PrimaryIp) -> Steps[int | None]:
    now = yield from ask(one(PrimaryIp, address.id))
    if now is None:
        raise Gone(f"the primary IP {address.name} does not exist any more", "not_found")
    return now.assignee


def _stop_order(transfer: Transfer, assignee: int | None) -> list[int]:
    """The server that it leaves first, then the one that it comes to; none when it is there already."""
    if assignee == transfer.goal_id:
        return []
    return [*([assignee] if assignee is not None else []), transfer.goal_id]


def _start_order(transfer: Transfer) -> list[int]:
    """The goal first: it serves."""
    return [transfer.goal_id, *(id for id in transfer.intention.power if id != transfer.goal_id)]


def _stop_all(transfers: Sequence[Transfer]) -> Steps[None]:
    for transfer in transfers:
        yield from _still_ours(transfer)
        for id in _stop_order(transfer, (yield from _assignee(transfer.address))):
            yield from _stop(transfer, id)


def _still_ours(transfer: Transfer) -> Steps[None]:
    now = yield from ask(one(PrimaryIp, transfer.address.id))
    label = now.labels.get(INTENTION) if now else None
    if label != transfer.intention.value:
        raise Overtaken("another run has written its own intention over this one")
    known = (transfer.goal.id, transfer.other.id if transfer.other else None, None)
    if now is not None and now.assignee not in known:
        raise Overtaken(f"server {now.assignee} has it now")


def _stop(transfer: Transfer, id: int) -> Steps[None]:
    """Stop one server and see it off.

    Raises:
        LeftOpen: it does not obey, and pulling the plug was not allowed.
    """
    server = yield from _server(id)
    if server is None:
        if id == transfer.goal_id:
            raise Gone(f"the server {transfer.goal} does not exist any more", "not_found")
        return
    if server.status == "off":
        return

    def stopping() -> Steps[bool]:
        now = yield from _server(id)
        return now is None or not now.on

    if server.status != "stopping":
        yield from perform(Shutdown(id, server.name), stopping)
    if (yield ServerIs(id, server.name, "off", transfer.shutdown_s)):
        return
    if not transfer.hard:
        raise LeftOpen(
            f"{server.name} has not obeyed the shutdown within {transfer.shutdown_s:.0f} s and may still go off; "
            "hard_poweroff = yes or --hard-poweroff pulls the plug"
        )
    yield from perform(PowerOff(id, server.name), stopping)
    if not (yield ServerIs(id, server.name, "off", POWER_LIMIT_S)):
        raise LeftOpen(f"{server.name} was powered off and is still not seen off")


def _assign(transfer: Transfer) -> AssignPrimaryIp:
    return AssignPrimaryIp(transfer.address.id, transfer.goal_id, transfer.address.name, str(transfer.goal))


def _bring(transfer: Transfer) -> Steps[None]:
    address = transfer.address
    yield from _still_ours(transfer)
    assignee = yield from _assignee(address)
    if assignee == transfer.goal_id:
        return
    displaced = transfer.displaced
    if displaced is not None and not transfer.undoes and (yield from _assignee(displaced)) == transfer.goal_id:
        yield from perform(UnassignPrimaryIp(displaced.id, displaced.name, str(transfer.goal)), _is_at(displaced, None))
    if assignee is not None:
        yield from perform(UnassignPrimaryIp(address.id, address.name, str(transfer.other)), _is_at(address, None))
    yield from _assign_when_free(transfer)
    if displaced is not None and transfer.undoes and transfer.other and transfer.other.id is not None:
        yield from _assign_if_nobodys(displaced, transfer.other)


def _assign_when_free(transfer: Transfer) -> Steps[None]:
    """Hetzner may call it assigned for a moment after it was released (seen by users of its Terraform provider)."""
    for attempt in range(_TRIES):
        try:
            yield from perform(_assign(transfer), _is_at(transfer.address, transfer.goal_id))
            return
        except Refused as refused:
            released = (yield from _assignee(transfer.address)) is None
            if refused.code != "primary_ip_already_assigned" or not released or attempt == _TRIES - 1:
                raise
            yield Pause(0.5 * (attempt + 1), f"{transfer.address.name} is still being released")


class _is_at:
    """Says whether an address is at a server; None: with nobody."""

    def __init__(self, address: PrimaryIp, server: int | None) -> None:
        self.address, self.server = address, server

    def __call__(self) -> Steps[bool]:
        return (yield from _assignee(self.address)) == self.server


def _give_back(transfer: Transfer) -> Steps[None]:
    """After a refusal: what nobody has goes back to where it came from; what somebody has stays there."""
    if transfer.other is not None and not transfer.undoes:
        yield from _assign_if_nobodys(transfer.address, transfer.other)
    if transfer.displaced is not None and not transfer.undoes:
        taken = (yield from _assignee(transfer.address)) == transfer.goal_id
        if not taken:
            yield from _assign_if_nobodys(transfer.displaced, transfer.goal)


def _assign_if_nobodys(address: PrimaryIp, holder: Holder) -> Steps[None]:
    if holder.id is None or (yield from _assignee(address)) is not None:
        return
    assign = AssignPrimaryIp(address.id, holder.id, address.name, str(holder), restoring=True)
    yield from perform(assign, _is_at(address, holder.id))


def _start_all(transfers: Sequence[Transfer]) -> Steps[None]:
    """Start what ran before, and see it running."""
    wanted = dict.fromkeys(
        id for transfer in transfers for id in _start_order(transfer) if transfer.intention.power[id]
    )
    started = []
    for id in wanted:
        server = yield from _server(id)
        if server is None or (server.on and server.status != "starting"):
            continue
        if server.status == "stopping":
            yield ServerIs(id, server.name, "off", POWER_LIMIT_S)
        if not server.on:
            yield from perform(PowerOn(id, server.name, restoring=True), _runs(id))
        started.append(server)
    for server in started:
        if not (yield ServerIs(server.id, server.name, "running", POWER_LIMIT_S)):
            raise LeftOpen(f"{server.name} was powered on and is still not seen running")


class _runs:
    def __init__(self, server: int) -> None:
        self.server = server

    def __call__(self) -> Steps[bool]:
        now = yield from _server(self.server)
        return now is not None and now.on


def _unlabel(address: PrimaryIp, now: PrimaryIp) -> SetLabels:
    labels = {key: value for key, value in now.labels.items() if key != INTENTION}
    return SetLabels(PrimaryIp, address.id, address.name, labels, why="remove the intention label from", restoring=True)


def _take_label_off(transfer: Transfer) -> Steps[None]:
    address = transfer.address
    now = yield from ask(one(PrimaryIp, address.id))
    if now is None or now.labels.get(INTENTION) != transfer.intention.value:
        return

    def without() -> Steps[bool]:
        seen = yield from ask(one(PrimaryIp, address.id))
        return seen is None or INTENTION not in seen.labels

    yield from perform(_unlabel(address, now), without)
