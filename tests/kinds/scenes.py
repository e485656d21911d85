"""Moves from srv-a to srv-b, one scene for each way that a kind knows; srv-c is the third party."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from hcloud_reassign.core.claims import INTENTION
from hcloud_reassign.core.kind import Kind
from hcloud_reassign.core.model import Assignment, Holder, Move, Plan, Request, Situation
from hcloud_reassign.core.objects import FloatingIp, Network, PrimaryIp, PrivateNet, Route, Server, Subnet
from hcloud_reassign.core.planning import plan
from hcloud_reassign.core.steps import Steps
from hcloud_reassign.kinds import kind
from tests.kinds.driver import FakeCloud, Tables, set_aliases

NOW = 1_790_000_000_000
SITUATION = Situation(NOW, NOW)

A, B, C = 1, 2, 3
NET = 5
FLOATING, PRIMARY, PRIMARY6, OWN = 11, 21, 22, 23
VIP = "10.0.1.100"
OURS = (("server", A), ("server", B), ("gateway", "10.0.1.2"), ("gateway", "10.0.1.3"))

REQUEST = Request(allow_poweroff=True)


def server(id: int, **fields: Any) -> Server:
    """srv-a, srv-b or srv-c, running and in the network."""
    place = PrivateNet(NET, f"10.0.1.{id + 1}", fields.pop("aliases", ()))
    name = f"srv-{'abc'[id - 1]}"
    return Server(**{"id": id, "name": name, "location": "fsn1", "private_nets": (place,), **fields})


def network(routes: tuple[Route, ...] = (), **fields: Any) -> Network:
    """The network 10.0.0.0/16 with one subnet."""
    subnets = (Subnet("10.0.1.0/24"),)
    return Network(
        **{"id": NET, "name": "int", "ip_range": "10.0.0.0/16", "subnets": subnets, "routes": routes, **fields}
    )


def project(*objects: Any, **options: Any) -> FakeCloud:
    """The three servers and the network, unless others are given."""
    return FakeCloud(server(A), server(B), server(C), network(), *objects, **options)


def assignment(type: str, **fields: Any) -> Assignment:
    return Assignment(**{"name": type, "type": type, "source": "srv-a", "destination": "srv-b", **fields})


def floating(holder: int | None = A, **fields: Any) -> FloatingIp:
    return FloatingIp(**{"id": FLOATING, "name": "web", "ip": "192.0.2.10", "server": holder, **fields})


def primary(holder: int | None = A, **fields: Any) -> PrimaryIp:
    defaults = {"id": PRIMARY, "name": "pub", "ip": "198.51.100.7", "family": "ipv4", "location": "fsn1"}
    return PrimaryIp(**{**defaults, "assignee": holder, **fields})


def primary6(holder: int | None = A) -> PrimaryIp:
    return primary(holder, id=PRIMARY6, name="pub6", ip="2001:db8:a::/64", family="ipv6")


def own(holder: int | None = B) -> PrimaryIp:
    """The address that the target has already."""
    return primary(holder, id=OWN, name="own", ip="198.51.100.99")


def planned(cloud: FakeCloud, assignments: tuple[Assignment, ...], request: Request = REQUEST) -> Plan:
    selected = [(kind(item.type), item) for item in assignments]
    return plan(cloud.world(), selected, (), request, SITUATION)


@dataclass
class Run:
    """A move about to be carried out."""

    cloud: FakeCloud
    kind: Kind
    moves: tuple[Move, ...]
    generator: Steps[None]


@dataclass(frozen=True)
class Scene:
    """A project in which something goes from srv-a to srv-b. `seize`: srv-c takes it, whatever the vendor's rules."""

    name: str
    cloud: Callable[[], FakeCloud]
    assignments: tuple[Assignment, ...]
    seize: Callable[[FakeCloud], None]
    to: str = "srv-b"
    home: str = "srv-a"
    somebody: bool = True
    """Whether anybody has it at the beginning."""
    request: Request = field(default=REQUEST)

    @property
    def kind(self) -> Kind:
        return kind(self.assignments[0].type)

    def begin(self, cloud: FakeCloud, request: Request | None = None) -> Run:
        """Plan on what is there, write the intention as the engine does, and make the generator."""
        made = planned(cloud, self.assignments, request or self.request)
        moves = made.pending
        for move in moves:
            if move.intention and move.found:
                labelled = move.found.labelled
                cloud.change(type(labelled), labelled.id, labels={**labelled.labels, **move.intention})
        return Run(cloud, self.kind, moves, self.kind.carry_out(moves) if moves else nothing())

    def holder(self, cloud: FakeCloud) -> Holder | None:
        return self.kind.find(cloud.world(), self.assignments[0]).holder


def nothing() -> Steps[None]:
    yield from ()


def _seize_floating(cloud: FakeCloud) -> None:
    cloud.change(FloatingIp, FLOATING, server=C)


def _seize_primary(cloud: FakeCloud) -> None:
    cloud.change(PrimaryIp, PRIMARY, assignee=C)


def _seize_alias(cloud: FakeCloud) -> None:
    for id in (A, B):
        set_aliases(cloud, id, NET, ["10.0.1.50"] if id == A else [])
    set_aliases(cloud, C, NET, [VIP])


def _seize_route(cloud: FakeCloud) -> None:
    cloud.change(Network, NET, routes=(Route("10.9.0.0/16", "10.0.1.2"), Route("0.0.0.0/0", "10.0.1.4")))


FLOAT = assignment("ip_floating", resource="web")
PUBLIC = assignment("ip_public", resource="pub", options={"shutdown_timeout": 30.0, "occupied": "detach"})
PUBLIC6 = replace(PUBLIC, name="six", resource="pub6")
HARD = replace(PUBLIC, options={"shutdown_timeout": 30.0, "hard_poweroff": True})
ALIAS = assignment("ip_alias", resource=VIP, options={"network": "int"})
ROUTE = assignment("route", resource="int", options={"network": "0.0.0.0/0"})

OTHER_ROUTE = Route("10.9.0.0/16", "10.0.1.2")
DEFAULT_ROUTE = Route("0.0.0.0/0", "10.0.1.2")

SCENES = (
    Scene("floating", lambda: project(floating()), (FLOAT,), _seize_floating),
    Scene("floating-nobody", lambda: project(floating(None)), (FLOAT,), _seize_floating, somebody=False),
    Scene("floating-strict", lambda: project(floating(), strict=True), (FLOAT,), _seize_floating),
    Scene("alias", lambda: project(server(A, aliases=("10.0.1.50", VIP))), (ALIAS,), _seize_alias),
    Scene("alias-nobody", lambda: project(server(A, aliases=("10.0.1.50",))), (ALIAS,), _seize_alias, somebody=False),
    Scene("route", lambda: project(network((OTHER_ROUTE, DEFAULT_ROUTE))), (ROUTE,), _seize_route),
    Scene("route-nobody", lambda: project(network((OTHER_ROUTE,))), (ROUTE,), _seize_route, somebody=False),
    Scene("primary", lambda: project(primary(labels={"team": "web"})), (PUBLIC,), _seize_primary),
    Scene("primary-source-off", lambda: project(server(A, status="off"), primary()), (PUBLIC,), _seize_primary),
    Scene("primary-target-off", lambda: project(server(B, status="off"), primary()), (PUBLIC,), _seize_primary),
    Scene("primary-nobody", lambda: project(primary(None)), (PUBLIC,), _seize_primary, somebody=False),
    Scene("primary-displacing", lambda: project(primary(), own()), (PUBLIC,), _seize_primary),
    Scene("primary-hard", lambda: project(primary(), obeys=False), (HARD,), _seize_primary),
    Scene("primary-both", lambda: project(primary(), primary6()), (PUBLIC, PUBLIC6), _seize_primary),
)


def state(cloud: FakeCloud) -> Tables:
    """A project without the labels of moves under way, and with the order of lists ignored."""
    return {cls: {id: _plain(item) for id, item in table.items()} for cls, table in cloud.tables.items()}


def _plain(item: Any) -> Any:
    if isinstance(item, Server):
        nets = tuple(replace(net, alias_ips=tuple(sorted(net.alias_ips))) for net in item.private_nets)
        return replace(item, private_nets=nets)
    if isinstance(item, Network):
        return replace(item, routes=tuple(sorted(item.routes, key=lambda route: route.destination)))
    return replace(item, labels={key: value for key, value in item.labels.items() if key != INTENTION})


def labelled(cloud: FakeCloud) -> bool:
    """Whether an intention is still written down anywhere."""
    return any(INTENTION in address.labels for address in cloud.tables[PrimaryIp].values())
