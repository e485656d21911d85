"""Primary IPs: moved only between stopped servers, so a move is a plan for two power states as well.

The way is written down as a label before anything is stopped. Carrying it out means: do what is missing between what is
seen and what the label wants. A second run after a crash therefore does the same as the first one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hcloud_reassign.core.claims import INTENTION
from hcloud_reassign.core.declare import DESTINATION, MEMBERS, SOURCE, Key, Section
from hcloud_reassign.core.kind import Case, Kind
from hcloud_reassign.core.model import Assignment, Found, Holder, Move, Refusal, Resource, World
from hcloud_reassign.core.objects import LoadBalancer, PrimaryIp, Server
from hcloud_reassign.core.steps import Read, Steps, every, one
from hcloud_reassign.kinds.finding import free_name, holder_with_id, named, server_holder, server_named
from hcloud_reassign.kinds.intention import Intention, intention_in
from hcloud_reassign.kinds.primary_ip_steps import Transfer, carry_out, smooth_steps


class PrimaryIpKind(Kind):
    section = Section(
        "ip_public",
        "A primary IP. Moving it stops and starts both servers, so it needs consent.",
        (
            Key(
                "resource",
                "The primary IP: its name, id or address; for IPv6 also any address inside its /64.",
                required=True,
            ),
            SOURCE,
            DESTINATION,
            MEMBERS,
            Key("allow_poweroff", "Consent to stopping and starting both servers.", "yesno", False),
            Key("shutdown_timeout", "How long a server may take to obey a shutdown.", "seconds", 30.0),
            Key("hard_poweroff", "Pull the plug when a shutdown is not obeyed.", "yesno", False),
            Key("leave_off", "Move it although the source could not start again without it.", "yesno", False),
            Key(
                "occupied",
                "When the target has its own address of that family: refuse, or detach it.",
                "choice",
                "refuse",
                choices=("refuse", "detach"),
            ),
        ),
        "[public.web]\ntype        = ip_public\nresource    = public-web\nsource      = srv-a\n"
        "destination = srv-b\nallow_poweroff = no\n",
    )
    default_timeout_s = 300.0
    groupable = False

    def reads(self, assignment: Assignment) -> tuple[Read[object], ...]:
        return (every(PrimaryIp), every(Server), every(LoadBalancer))

    def find(self, world: World, assignment: Assignment) -> Found:
        address = named("primary IP", assignment.resource or "", world.all(PrimaryIp), lambda item: [item.ip])
        holder = _assignee(world, address)
        resource = Resource(address.id, address.name, address.ip)
        return Found(resource, holder, labelled=address, movable=holder is None or holder.type == "server")

    def holder_named(self, world: World, found: Found, name: str) -> Holder:
        return server_holder(server_named(world, name))

    def again(self, found: Found) -> tuple[Read[object], ...]:
        return (one(PrimaryIp, found.labelled.id),)

    def sees(self, move: Move) -> tuple[Read[object], ...]:
        transfer: Transfer = move.details
        return (one(PrimaryIp, transfer.address.id), *(one(Server, id) for id in transfer.intention.power))

    def unfinished(self, found: Found) -> bool:
        return intention_in(found.labels) is not None

    def guards(self, case: Case) -> Iterator[Refusal]:
        return _guards(case)

    def plan(self, case: Case, move: Move) -> Move:
        transfer = _transfer(case)
        source = transfer.other
        return replace(
            move,
            details=transfer,
            steps=smooth_steps(transfer, case.world),
            locks=frozenset((Server, id) for id in transfer.intention.power),
            bundle=f"{self.word}/{source.id if source else 0}/{transfer.goal.id}",
            intention={INTENTION: transfer.intention.value},
            side_effects=tuple(_side_effects(case, transfer)),
            warnings=(*move.warnings, *_warnings(case, transfer)),
            vendor_command=self.vendor_command(case.found, case.wanted, case.world),
        )

    def carry_out(self, moves: Sequence[Move]) -> Steps[None]:
        return carry_out([move.details for move in moves])

    def settled(self, world: World, move: Move) -> str | None:
        transfer: Transfer = move.details
        address = world.get(PrimaryIp, transfer.address.id)
        if address is not None and intention_in(address.labels):
            return f"the label {INTENTION} is still there: the move is not finished"
        for id, on in transfer.intention.power.items():
            server = world.get(Server, id)
            if on and server is not None and not server.on:
                return f"{server.name} was running before and is {server.status} now"
        return None

    def vendor_command(self, found: Found, wanted: Holder, world: World) -> str:
        address = found.resource.id
        servers = [holder.id for holder in (found.holder, wanted) if holder and holder.type == "server"]
        running = [id for id in dict.fromkeys(servers) if (server := world.get(Server, id)) is None or server.on]
        calls = [f"hcloud server shutdown {id} && {_until_off(id)}" for id in running]
        if found.holder is not None:
            calls.append(f"hcloud primary-ip unassign {address}")
        calls.append(f"hcloud primary-ip assign --server {wanted.id} {address}")
        return " && ".join([*calls, *(f"hcloud server poweron {id}" for id in running)])

    def inventory(self, world: World) -> tuple[Assignment, ...]:
        return tuple(
            Assignment(free_name("public", item.name), self.word, str(item.id), options=DEFAULTS, anybody=True)
            for item in world.all(PrimaryIp)
        )


def _until_off(server: int | None) -> str:
    """Only newer versions of hcloud than the one of Debian 12 can wait for it themselves (`shutdown --wait`)."""
    status = f"hcloud server describe -o 'format={{{{.Status}}}}' {server}"
    return f'until [ "$({status})" = off ]; do sleep 1; done'


DEFAULTS = {
    key.name: key.default for key in PrimaryIpKind.section.keys if key.default is not None and key.type != "words"
}
"""The options of an assignment that no file wrote."""


def _assignee(world: World, address: PrimaryIp) -> Holder | None:
    """Nobody is told by the id alone: the word for it has changed once, and the set of words is open."""
    if address.assignee is None:
        return None
    if address.assignee_type == "server":
        return holder_with_id(world, address.assignee)
    if address.assignee_type == "load_balancer":
        balancer = world.get(LoadBalancer, address.assignee) if world.has(LoadBalancer) else None
        return Holder("load_balancer", address.assignee, balancer.name if balancer else None)
    return Holder("other", address.assignee, address.assignee_type)


def _own_address(world: World, server: Server, family: str) -> PrimaryIp | None:
    return next((item for item in world.all(PrimaryIp) if item.assignee == server.id and item.family == family), None)


def _transfer(case: Case) -> Transfer:
    """What is to be done: as an earlier run wrote it down, else as it is seen now."""
    address: PrimaryIp = case.found.labelled
    begun = intention_in(address.labels)
    if begun is not None:
        other_id = begun.source if case.wanted.id == begun.target else begun.target
        other = holder_with_id(case.world, other_id or None)
        return _made(case, begun, other, undoes=case.wanted.id != begun.target)
    target = case.target
    assert target is not None
    source = case.found.holder or _only_other(case)
    giver = case.world.get(Server, source.id) if source else None
    displaced = _own_address(case.world, target, address.family)
    intention = Intention(
        source=source.id or 0 if source else 0,
        source_on=giver is not None and (giver.on or case.request.power_on) and not _left_off(case, giver),
        target=target.id,
        target_on=target.on or case.request.power_on,
        displaced=displaced.id if displaced else 0,
    )
    return _made(case, intention, source, undoes=False)


def _made(case: Case, intention: Intention, other: Holder | None, undoes: bool) -> Transfer:
    options = case.assignment.options
    displaced = case.world.get(PrimaryIp, intention.displaced) if intention.displaced else None
    return Transfer(
        address=case.found.labelled,
        goal=case.wanted,
        other=other,
        intention=intention,
        displaced=displaced,
        resumed=intention_in(case.found.labels) is not None,
        undoes=undoes,
        shutdown_s=float(options.get("shutdown_timeout", 30.0)),
        hard=bool(options.get("hard_poweroff") or case.request.hard_poweroff),
    )


def _only_other(case: Case) -> Holder | None:
    """Who had it before nobody had it, as far as the section tells."""
    others = [holder for holder in case.listed if holder.key != case.wanted.key]
    return others[0] if len(others) == 1 else None


def _stops(case: Case, transfer: Transfer) -> list[Server]:
    """The servers that lose power: those that run and that the address leaves or comes to."""
    ids = transfer.stop_order(transfer.address.assignee)
    return [server for id in ids if (server := case.world.get(Server, id)) and server.on]


def _side_effects(case: Case, transfer: Transfer) -> Iterator[str]:
    for server in _stops(case, transfer):
        again = "and starts it again" if transfer.intention.power.get(server.id) else "and leaves it off"
        yield f"stops {server.name} {again}"
    if transfer.displaced and not transfer.undoes:
        yield f"detaches {transfer.displaced.name} ({transfer.displaced.ip}) from {case.wanted}"


def _warnings(case: Case, transfer: Transfer) -> Iterator[str]:
    address = transfer.address
    if address.auto_delete:
        yield f"auto_delete is set: {address.name} is deleted together with the server that has it"
    if transfer.displaced and transfer.displaced.auto_delete:
        yield f"auto_delete is set on {transfer.displaced.name}, which is detached"
    begun = intention_in(address.labels)
    if begun is not None:
        yield f"finishes what an earlier run began ({INTENTION} = {begun.value})"
    elif case.found.holder is None and not case.request.power_on:
        off = [
            server.name for id in transfer.intention.power if (server := case.world.get(Server, id)) and not server.on
        ]
        if off:
            yield f"{' and '.join(off)} is off, and it is not known whether that was so before; --power-on starts them"


def _left_off(case: Case, source: Server) -> bool:
    return bool(case.assignment.options.get("leave_off")) and not _can_start_without(case, source)


def _can_start_without(case: Case, source: Server) -> bool:
    """Whether the source keeps an interface when all that this run takes from it is gone."""
    leaving = {
        found.labelled.id
        for found in (case.found, *case.alongside)
        if isinstance(found.labelled, PrimaryIp) and found.labelled.assignee == source.id
    }
    mine = [item for item in case.world.all(PrimaryIp) if item.assignee == source.id and item.id not in leaving]
    return bool(mine or source.private_nets)


def _guards(case: Case) -> Iterator[Refusal]:
    address: PrimaryIp = case.found.labelled
    target, begun = case.target, intention_in(address.labels)
    command = f"{case.request.invocation} {case.assignment.name} --allow-poweroff"
    if begun is not None and case.wanted.id not in (begun.source, begun.target):
        yield _unfinished(case, begun, command)
        return
    assert target is not None
    if target.status in ("deleting", "rebuilding"):
        yield Refusal("destination-off", f"{target.name} is {target.status}", "add --force", forceable=True)
    if address.location and target.location and address.location != target.location:
        yield Refusal("zone", f"it is bound to {address.location}, {target.name} is in {target.location}")
    own = _own_address(case.world, target, address.family)
    expected = (address.id, begun.displaced if begun else 0)
    # What goes back displaces nothing: nobody would know to whom that had belonged.
    goes_back = begun is not None and case.wanted.id != begun.target
    detaches = case.assignment.options.get("occupied") == "detach" and not goes_back
    if own is not None and own.id not in expected and not detaches:
        yield Refusal(
            "occupied",
            f"{target.name} has {own.name} ({own.ip}) of the same family",
            "unassign it" if goes_back else "set occupied = detach to take that one off, or unassign it",
        )
    if own is not None and own.id != address.id:
        yield from _guards_of_balancers(case, own, target)
    yield from _guards_of_the_source(case, address)
    transfer = _transfer(case)
    here = case.situation.here
    if here is not None and here in [server.id for server in _stops(case, transfer)]:
        yield Refusal("own-path", "this program runs on a server that the move stops", "run it from another machine")
    stops = ", ".join(server.name for server in _stops(case, transfer))
    if stops and not (case.request.allow_poweroff or case.assignment.options.get("allow_poweroff")):
        yield Refusal("reboot", f"it would stop {stops}", f"{command} --to {case.wanted.name}")


def _guards_of_the_source(case: Case, address: PrimaryIp) -> Iterator[Refusal]:
    holder = case.found.holder
    source = case.world.get(Server, holder.id) if holder is not None else None
    if source is None or case.wanted.id == source.id:
        return
    if source.on and not case.assignment.options.get("leave_off") and not _can_start_without(case, source):
        yield Refusal(
            "no-interface",
            f"{source.name} would have no interface left and could not start again",
            "attach it to a network, or set leave_off = yes",
        )
    yield from _guards_of_balancers(case, address, source)


def _guards_of_balancers(case: Case, address: PrimaryIp, server: Server) -> Iterator[Refusal]:
    """An address that a load balancer sends to cannot be taken off its server."""
    what = "it" if address.id == case.found.resource.id else f"{address.name} ({address.ip}), which it displaces,"
    for balancer in case.world.all(LoadBalancer):
        if address.family == "ipv4" and server.id in balancer.public_targets:
            yield Refusal(
                "lb-target",
                f"{what} is a target of the load balancer {balancer.name}",
                f"hcloud load-balancer remove-target --server {server.name} {balancer.name}",
            )


def _unfinished(case: Case, begun: Intention, command: str) -> Refusal:
    def name(id: int) -> str:
        server = case.world.get(Server, id)
        return server.name if server else str(id)

    finish = f"{command} --to {name(begun.target)}"
    undo = f"{command} --to {name(begun.source)}" if begun.source else None
    source = name(begun.source) if begun.source else "nobody"
    return Refusal(
        "unfinished",
        f"a move from {source} to {name(begun.target)} was begun and not finished",
        f"finish it: {finish}" + (f"; undo it: {undo}" if undo else ""),
    )


KIND = PrimaryIpKind()
