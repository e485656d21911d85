"""Hetzner's objects as frozen facts, reduced to what moving an address needs.

Field names follow Hetzner's API description. Unknown enum words are kept as they are: the set is open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class PrivateNet:
    """A server's place in a network: its main address and the alias IPs routed to it."""

    network: int
    ip: str
    alias_ips: tuple[str, ...] = ()


@dataclass(frozen=True)
class Server:
    """`status` is Hetzner's word: running, off, starting, stopping, deleting, rebuilding, migrating, unknown."""

    id: int
    name: str
    status: str = "running"
    location: str | None = None
    network_zone: str | None = None
    ipv4: str | None = None
    ipv6: str | None = None
    private_nets: tuple[PrivateNet, ...] = ()
    load_balancers: tuple[int, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def place_in(self, network: int) -> PrivateNet | None:
        """The server's place in a network, None when it is not attached."""
        return next((net for net in self.private_nets if net.network == network), None)

    @property
    def on(self) -> bool:
        """Whether it has power, or is about to have it."""
        return self.status not in ("off", "stopping", "deleting")


@dataclass(frozen=True)
class FloatingIp:
    """An IPv6 floating IP is a /64 network; `ip` is then CIDR text."""

    id: int
    name: str
    ip: str
    server: int | None = None
    location: str | None = None
    network_zone: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PrimaryIp:
    """`assignee_type` is "server" for a server; "unassigned" or "server" with a null `assignee` for nobody."""

    id: int
    name: str
    ip: str
    family: str
    assignee: int | None = None
    assignee_type: str = "server"
    location: str | None = None
    auto_delete: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Subnet:
    ip_range: str
    type: str = "cloud"
    network_zone: str | None = None
    gateway: str | None = None


@dataclass(frozen=True)
class Route:
    """A network's route: packets for `destination` go to the server that has the address `gateway`."""

    destination: str
    gateway: str


@dataclass(frozen=True)
class Network:
    id: int
    name: str
    ip_range: str
    subnets: tuple[Subnet, ...] = ()
    routes: tuple[Route, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def route_to(self, destination: str) -> Route | None:
        return next((route for route in self.routes if route.destination == destination), None)


@dataclass(frozen=True)
class Member:
    """Somebody in a network as `GET /networks/{id}/members` tells it; `type` is server or load_balancer."""

    id: int
    type: str
    network: int
    ip: str
    alias_ips: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadBalancer:
    """`public_targets` are the ids of the servers it reaches over their public address."""

    id: int
    name: str
    public_targets: tuple[int, ...] = ()


@dataclass(frozen=True)
class Action:
    """Hetzner's asynchronous action. `status` is running, success or error; `started` is unix seconds."""

    id: int
    command: str
    status: str
    started: float = 0.0
    finished: float | None = None
    progress: int = 0
    resources: tuple[tuple[str, int], ...] = ()
    error_code: str | None = None
    error_message: str | None = None
