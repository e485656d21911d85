"""The choreography of primary IP moves: stop, unassign, assign, start; all of a bundle within one stop."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hcloud_reassign.core.claims import INTENTION, PREFIX
from hcloud_reassign.core.model import Holder, World
from hcloud_reassign.core.objects import PrimaryIp, Server
from hcloud_reassign.core.steps import (
    AssignPrimaryIp,
    Busy,
    Gone,
    Interrupted,
    LatestActions,
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
_LOOK_S = 2.0
_START_LOOK_S = 10.0
_POWER = ("shutdown_server", "stop_server", "start_server", "reboot_server", "reset_server")
"""Hetzner's names of the actions that decide whether a server has power."""
_TRIES = 4
_LETS_END, _LET_END_S = 20, 0.5
"""How often an action of an earlier run is looked at before the move goes on without its end, and how far apart."""
CLAIM = PREFIX + "claim"


class Rewritten(Overtaken):
    """Another run has written its own intention: the servers are its own affair now."""


class Ended(Overtaken):
    """Another run has ended this move and taken its label off: nobody else starts what was stopped since."""


@dataclass(frozen=True)
class Transfer:
    """One address on its way to `goal`. `other` is the server at the move's other end, if one is known.

    `resumed`: an earlier run began it, so that nobody may have it only because that one was cut off. `undoes`: the goal
    is where that move came from, so what it displaced is given back. `shutdown_s`: how long a shutdown may take;
    `hard`: pull the plug then.
    """

    address: PrimaryIp
    goal: Holder
    other: Holder | None
    intention: Intention
    displaced: PrimaryIp | None
    resumed: bool
    undoes: bool
    shutdown_s: float
    hard: bool

    @property
    def goal_id(self) -> int:
        assert self.goal.id is not None
        return self.goal.id

    @property
    def returns(self) -> AssignPrimaryIp | None:
        """How what an undone move displaced goes back, where nobody has it."""
        displaced, other = self.displaced, self.other
        if not self.undoes or displaced is None or displaced.assignee is not None or other is None or other.id is None:
            return None
        return _assign(displaced, other, restoring=True)

    def stop_order(self, assignee: int | None) -> list[int]:
        """The server that it leaves first, then the one that it comes to; none when it is there already."""
        leaves = [] if assignee in (None, self.goal_id) else [assignee]
        comes_to = [] if assignee == self.goal_id else [self.goal_id]
        takes_back = [self.returns.server] if self.returns else []
        return list(dict.fromkeys((*leaves, *comes_to, *takes_back)))


def smooth_steps(transfer: Transfer, world: World) -> tuple[Write, ...]:
    """The writes of a move that nothing disturbs, seen from a world."""
    address, steps = transfer.address, list[Write]()
    servers = [server for id in transfer.stop_order(address.assignee) if (server := world.get(Server, id))]
    steps += [Shutdown(server.id, server.name) for server in servers if server.on]
    if address.assignee != transfer.goal_id:
        displaced = transfer.displaced
        if displaced is not None and not transfer.undoes and displaced.assignee == transfer.goal_id:
            steps.append(UnassignPrimaryIp(displaced.id, displaced.name, str(transfer.goal)))
        if address.assignee is not None:
            steps.append(UnassignPrimaryIp(address.id, address.name, str(transfer.other)))
        steps.append(_assign(address, transfer.goal))
    if transfer.returns and world.get(Server, transfer.returns.server):
        steps.append(transfer.returns)
    stopped = {server.id for server in servers}
    for id in _start_order(transfer):
        server = world.get(Server, id)
        if server and transfer.intention.power.get(id) and (server.id in stopped or not server.on):
            steps.append(PowerOn(server.id, server.name, restoring=True))
    return (*steps, _unlabel(address, address))


def carry_out(transfers: Sequence[Transfer]) -> Steps[None]:
    """Do what is missing. What ran before is started again whatever happens; the labels go last, when all is well."""
    problem: StepError | None = None
    stopping = set[int]()
    try:
        for transfer in transfers:
            yield from _let_end(transfer)
        yield from _stop_all(transfers, stopping)
        for transfer in transfers:
            yield from _bring(transfer)
    except LeftOpen:
        yield from _start_all(transfers)
        raise
    except Rewritten:
        raise
    except Ended:
        yield from _start_all(transfers)
        raise
    except (Refused, Overtaken, OutOfTime, Interrupted) as error:
        problem = error
        yield from _give_all_back(transfers, error)
    yield from _start_all(transfers, stopping)
    for transfer in transfers:
        yield from _take_label_off(transfer)
    if problem is not None:
        raise problem


def _server(id: int) -> Steps[Server | None]:
    return (yield from ask(one(Server, id)))


def _read(address: PrimaryIp) -> Steps[PrimaryIp]:
    now = yield from ask(one(PrimaryIp, address.id))
    if now is None:
        raise Gone(f"the primary IP {address.name} does not exist any more", "not_found")
    return now


def _assignee(address: PrimaryIp) -> Steps[int | None]:
    return (yield from _read(address)).assignee


def _start_order(transfer: Transfer) -> list[int]:
    """The goal first: it serves."""
    return [transfer.goal_id, *(id for id in transfer.intention.power if id != transfer.goal_id)]


def _let_end(transfer: Transfer) -> Steps[None]:
    """What a run that was cut off has sent may be under way: until it has ended, the address is read as it was before.

    One that never ends is not waited for: the servers stand still meanwhile.
    """
    address = transfer.address
    for _ in range(_LETS_END if transfer.resumed else 0):
        actions = yield from ask(LatestActions(of=PrimaryIp, id=address.id))
        if not any(action.status == "running" for action in actions or ()):
            return
        yield Pause(_LET_END_S, f"what an earlier run began with {address.name} is still under way")


def _stop_all(transfers: Sequence[Transfer], stopping: set[int]) -> Steps[None]:
    """`stopping`: where to note whom a shutdown was sent to, until it is seen off."""
    for transfer in transfers:
        for number, id in enumerate(transfer.stop_order((yield from _still_ours(transfer)))):
            if number > 0:
                # The first one may have taken half a minute to go off.
                yield from _still_ours(transfer)
            yield from _stop(transfer, id, stopping)


def _still_ours(transfer: Transfer) -> Steps[int | None]:
    """Who has it, as far as that is somebody whom the move knows."""
    now = yield from _read(transfer.address)
    if INTENTION not in now.labels:
        raise Ended("another run has ended this move")
    if now.labels[INTENTION] != transfer.intention.value:
        raise Rewritten("another run has written its own intention over this one")
    if _is_asked_for_elsewhere(transfer, now):
        raise Overtaken("a newer request wants it elsewhere")
    known = (transfer.goal.id, transfer.other.id if transfer.other else None, None)
    if now.assignee not in known:
        raise Overtaken(f"server {now.assignee} has it now")
    return now.assignee


def _is_asked_for_elsewhere(transfer: Transfer, now: PrimaryIp) -> bool:
    """Whether a claim was written since this move wrote its own, by a request for somebody else."""
    claim = now.labels.get(CLAIM, "")
    target = claim.partition(".")[2].partition("_")[0]
    return claim != transfer.address.labels.get(CLAIM, "") and target != str(transfer.goal_id)


def _stop(transfer: Transfer, id: int, stopping: set[int]) -> Steps[None]:
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

    def stops() -> Steps[bool]:
        now = yield from _server(id)
        return now is None or not now.on

    if server.status != "stopping":
        yield from perform(Shutdown(id, server.name), stops)
    stopping.add(id)
    if (yield ServerIs(id, server.name, "off", transfer.shutdown_s)):
        stopping.discard(id)
        return
    # It may run because another run has ended the move and started it again.
    yield from _still_ours(transfer)
    if not transfer.hard:
        raise LeftOpen(
            f"{server.name} has not obeyed the shutdown within {transfer.shutdown_s:.0f} s and may still go off; "
            "hard_poweroff = yes or --hard-poweroff pulls the plug"
        )
    yield from perform(PowerOff(id, server.name), stops)
    if not (yield ServerIs(id, server.name, "off", POWER_LIMIT_S)):
        raise LeftOpen(f"{server.name} was powered off and is still not seen off")
    stopping.discard(id)


def _assign(address: PrimaryIp, holder: Holder, restoring: bool = False) -> AssignPrimaryIp:
    assert holder.id is not None
    return AssignPrimaryIp(address.id, holder.id, address.name, str(holder), restoring=restoring)


def _bring(transfer: Transfer) -> Steps[None]:
    if (yield from _still_ours(transfer)) != transfer.goal_id:
        yield from _displace(transfer)
        if (yield from _still_ours(transfer)) not in (None, transfer.goal_id) and transfer.other is not None:
            yield from _take(transfer.address, transfer.other)
        yield from _assign_when_free(transfer)
    if transfer.displaced is not None and transfer.returns and (yield from _server(transfer.returns.server)):
        yield from _return(transfer.displaced, transfer.returns)


def _displace(transfer: Transfer) -> Steps[bool]:
    """Take the goal's own address off it, where consent was given to that and it has it."""
    displaced = transfer.displaced
    if displaced is None or transfer.undoes or (yield from _assignee(displaced)) != transfer.goal_id:
        return False
    yield from _take(displaced, transfer.goal)
    return True


def _take(address: PrimaryIp, holder: Holder) -> Steps[None]:
    """Unassigning names no holder: it is sent again only while nobody else has it."""
    unassign = UnassignPrimaryIp(address.id, address.name, str(holder))
    yield from perform(unassign, _is_at(address, None), still=_is_at(address, holder.id, None))


def _return(displaced: PrimaryIp, assign: AssignPrimaryIp) -> Steps[None]:
    try:
        yield from _assign_if_nobodys(displaced, assign)
    except Refused as refused:
        raise LeftOpen(f"{displaced.name} could not be given back to {assign.server_name}: {refused}") from refused


def _assign_when_free(transfer: Transfer) -> Steps[None]:
    """Hetzner may call it assigned for a moment after it was released (seen by users of its Terraform provider).

    It may also have gone back meanwhile, by an action that an earlier run left running: then it is taken once more. So
    is what it displaces.
    """
    for attempt in range(_TRIES):
        try:
            assign = _assign(transfer.address, transfer.goal)
            yield from perform(assign, _is_at(transfer.address, transfer.goal_id))
            return
        except Refused as refused:
            if attempt == _TRIES - 1:
                raise
            if refused.code.startswith("server_has_ip") and (yield from _displace(transfer)):
                continue
            if refused.code != "primary_ip_already_assigned":
                raise
            if (yield from _still_ours(transfer)) is None or transfer.other is None:
                yield Pause(0.5 * (attempt + 1), f"{transfer.address.name} is still being released")
            else:
                yield from _take(transfer.address, transfer.other)


class _is_at:
    """Says whether an address is at one of these servers; None: with nobody."""

    def __init__(self, address: PrimaryIp, *servers: int | None) -> None:
        self.address, self.servers = address, servers

    def __call__(self) -> Steps[bool]:
        return (yield from _assignee(self.address)) in self.servers


def _give_all_back(transfers: Sequence[Transfer], problem: StepError) -> Steps[None]:
    """Where it cannot be given back either, the servers are started none the less, and the labels stay.

    Raises:
        LeftOpen: something is with nobody now.
    """
    try:
        for transfer in transfers:
            yield from _give_back(transfer)
    except (Refused, LeftOpen, OutOfTime) as error:
        yield from _start_all(transfers)
        raise LeftOpen(f"{problem}; then: {error}") from problem


def _give_back(transfer: Transfer) -> Steps[None]:
    """After a refusal: what nobody has goes back to where it came from; what somebody has stays there."""
    address, other, displaced = transfer.address, transfer.other, transfer.displaced
    if other is not None and (address.assignee == other.id or (transfer.resumed and not transfer.undoes)):
        yield from _assign_if_nobodys(address, _assign(address, other, restoring=True))
    elif transfer.undoes and (yield from _assignee(address)) is None:
        raise LeftOpen(f"nobody has {address.name}")
    if displaced is not None and not transfer.undoes and (yield from _assignee(address)) != transfer.goal_id:
        yield from _assign_if_nobodys(displaced, _assign(displaced, transfer.goal, restoring=True))


def _assign_if_nobodys(address: PrimaryIp, assign: AssignPrimaryIp) -> Steps[None]:
    if (yield from _assignee(address)) is None:
        yield from perform(assign, _is_at(address, assign.server))


def _start_all(transfers: Sequence[Transfer], stopping: Collection[int] = ()) -> Steps[None]:
    """Start what ran before, and see it running; one that cannot be started, or not yet, does not keep the others off.

    `stopping`: whom this run sent a shutdown that it has not seen obeyed. Who runs now may still go off then.
    """
    wanted = dict.fromkeys(
        id for transfer in transfers for id in _start_order(transfer) if transfer.intention.power[id]
    )
    # Who finishes a move stops its servers anew and sees them off; who undoes or calls off what an earlier run began
    # may find them running, told to stop by that one.
    begun = [transfer.shutdown_s for transfer in transfers if transfer.undoes or transfer.resumed]
    shutdown_s = max(begun, default=None)
    trouble: StepError | None = None
    started = list[Server]()
    turns = list(wanted)
    for turn, id in enumerate(turns):
        in_passing = turn < len(wanted)
        try:
            if id in stopping and (yield from _may_go_off(id)):
                trouble = trouble or LeftOpen(f"server {id} was told to shut down and may still go off")
                continue
            started += yield from _start(id, shutdown_s, in_passing)
        except Refused as refused:
            if in_passing and isinstance(refused, Busy):
                turns.append(id)
            else:
                trouble = trouble or refused
    for server in started:
        if not (yield from _comes_up(server)):
            trouble = trouble or LeftOpen(f"{server.name} was powered on and is still not seen running")
    if trouble is not None:
        raise trouble


def _comes_up(server: Server) -> Steps[bool]:
    """Wait until it is seen running; started once more where a start that another run had begun failed."""
    again = True
    for _ in range(round(POWER_LIMIT_S / _START_LOOK_S)):
        if (yield ServerIs(server.id, server.name, "running", _START_LOOK_S)):
            return True
        now = yield from _server(server.id)
        if now is not None and not now.on and again:
            again = False
            yield from perform(PowerOn(server.id, server.name, restoring=True), _runs(server.id))
    return False


def _start(id: int, shutdown_s: float | None, in_passing: bool) -> Steps[list[Server]]:
    """The server, where it is to be seen running now. `shutdown_s`: a shutdown of another run may be under way.

    `in_passing`: not waited for when it is locked. Raises Busy.
    """
    server = yield from _server(id)
    if server is not None and server.status == "running" and shutdown_s and (yield from _is_told_to_stop(id)):
        yield ServerIs(id, server.name, "off", shutdown_s)
        server = yield from _server(id)
    if server is None or (server.on and server.status != "starting"):
        return []
    for _ in range(round(POWER_LIMIT_S / _LOOK_S)):
        if server.status != "stopping":
            break
        # Looked at anew: somebody else may start it again as soon as it is off.
        yield ServerIs(id, server.name, "off", _LOOK_S)
        server = yield from _server(id)
        if server is None:
            return []
    if not server.on:
        yield from perform(PowerOn(id, server.name, restoring=True), _runs(id), opening=in_passing)
    return [server]


def _may_go_off(id: int) -> Steps[bool]:
    server = yield from _server(id)
    return server is not None and server.status == "running" and (yield from _is_told_to_stop(id))


def _is_told_to_stop(id: int) -> Steps[bool]:
    """Whether a shutdown is the last that it was told: it is `running` until the operating system obeys, if it does."""
    actions = yield from ask(LatestActions(of=Server, id=id))
    told = [action.command for action in actions or () if action.command in _POWER]
    return told[:1] == ["shutdown_server"]


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
