"""What a project consists of. Mutable on purpose: tests change it as somebody else would."""

from __future__ import annotations

from dataclasses import dataclass, field

Ref = tuple[str, int]
"""A resource as actions name it: ("server", 10), ("floating_ip", 501), ..."""


@dataclass
class Location:
    """A place, with the network zone that decides which subnets serve it."""

    id: int
    name: str
    description: str
    country: str
    city: str
    latitude: float
    longitude: float
    network_zone: str
    datacenter: str
    datacenter_id: int


@dataclass
class Attachment:
    """A server's or load balancer's leg in a network."""

    network: int
    ip: str
    alias_ips: list[str] = field(default_factory=list)
    mac_address: str = ""


@dataclass
class Server:
    """A cloud server. Its public addresses are the primary IPs that name it as assignee.

    ignores_shutdown: the operating system never reacts to the ACPI request.
    shutdown_s: how long the operating system takes to go off after it, in seconds; None: drawn at random.
    power_turn: counts power commands, so that an older one still under way cannot end in a newer one's state.
    """

    id: int
    name: str
    status: str = "running"
    location: str = "fsn1"
    created: float = 0.0
    private_net: list[Attachment] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    ignores_shutdown: bool = False
    shutdown_s: float | None = None
    power_turn: int = 0

    def attachment(self, network: int) -> Attachment | None:
        """The leg in that network, if there is one."""
        return next((leg for leg in self.private_net if leg.network == network), None)


@dataclass
class FloatingIp:
    """A floating IP; for IPv6 `ip` is a /64 network in CIDR notation."""

    id: int
    name: str
    ip: str
    type: str
    server_id: int | None = None
    location: str = "fsn1"
    description: str | None = None
    created: float = 0.0
    labels: dict[str, str] = field(default_factory=dict)
    protected: bool = False
    blocked: bool = False


@dataclass
class PrimaryIp:
    """A primary IP; held by a server, a load balancer, or nobody (assignee_id None)."""

    id: int
    name: str
    ip: str
    type: str
    assignee_type: str = "server"
    assignee_id: int | None = None
    location: str = "fsn1"
    created: float = 0.0
    labels: dict[str, str] = field(default_factory=dict)
    auto_delete: bool = False
    protected: bool = False
    blocked: bool = False

    def held_by_server(self, server_id: int) -> bool:
        """Whether that server holds it."""
        return self.assignee_type == "server" and self.assignee_id == server_id


@dataclass
class Subnet:
    """A part of a network that serves one network zone."""

    ip_range: str
    network_zone: str
    gateway: str
    type: str = "cloud"
    vswitch_id: int | None = None


@dataclass
class Route:
    """A destination and the private address that gets its packets."""

    destination: str
    gateway: str


@dataclass
class Network:
    """A private network."""

    id: int
    name: str
    ip_range: str
    subnets: list[Subnet] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    created: float = 0.0
    protected: bool = False
    expose_routes_to_vswitch: bool = False


@dataclass
class Target:
    """A load balancer's target: one of server, selector and ip is set."""

    server: int | None = None
    selector: str | None = None
    ip: str | None = None
    use_private_ip: bool = False


@dataclass
class LoadBalancer:
    """A load balancer, as far as it matters for what is moved."""

    id: int
    name: str
    location: str = "fsn1"
    ipv4: str | None = None
    ipv6: str | None = None
    created: float = 0.0
    private_net: list[Attachment] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    protected: bool = False


@dataclass
class Action:
    """An action. started, finished and finish_at are unix seconds; finish_at None while it runs: it is stuck."""

    id: int
    command: str
    started: float
    resources: list[Ref]
    locks: frozenset[Ref]
    status: str = "running"
    finished: float | None = None
    finish_at: float | None = None
    error: tuple[str, str] | None = None


@dataclass
class RobotServer:
    """A dedicated server: what a failover IP can be routed to."""

    number: int
    ip: str
    ipv6_net: str


@dataclass
class FailoverIp:
    """A failover IP of the Robot webservice; active_server_ip None: not routed."""

    ip: str
    netmask: str
    server_number: int
    active_server_ip: str | None
    locked_until: float = 0.0


@dataclass
class RobotAccount:
    """Who may use the Robot webservice, and the dedicated servers it knows."""

    user: str = "simulated-robot"
    password: str = "simulated-password"
    servers: list[RobotServer] = field(default_factory=list)
