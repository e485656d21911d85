"""The project: all objects of one simulated account, and questions about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .labels import Selector
from .model import (
    Action,
    FailoverIp,
    FloatingIp,
    LoadBalancer,
    Location,
    Network,
    PrimaryIp,
    RobotAccount,
    Server,
)


@dataclass
class Project:
    """Everything a token sees. Keys are ids, but names of locations and addresses of failover IPs.

    tokens map to "read-write" or "read".
    """

    locations: dict[str, Location] = field(default_factory=dict)
    servers: dict[int, Server] = field(default_factory=dict)
    floating_ips: dict[int, FloatingIp] = field(default_factory=dict)
    primary_ips: dict[int, PrimaryIp] = field(default_factory=dict)
    networks: dict[int, Network] = field(default_factory=dict)
    load_balancers: dict[int, LoadBalancer] = field(default_factory=dict)
    actions: dict[int, Action] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    failover_ips: dict[str, FailoverIp] = field(default_factory=dict)
    robot: RobotAccount = field(default_factory=RobotAccount)

    def zone_of(self, server: Server) -> str:
        """The network zone a server is in."""
        return self.locations[server.location].network_zone

    def primary_ip_of(self, server_id: int, family: str) -> PrimaryIp | None:
        """The server's primary IP of that family ("ipv4" or "ipv6")."""
        return next(
            (ip for ip in self.primary_ips.values() if ip.type == family and ip.held_by_server(server_id)), None
        )

    def has_interface(self, server: Server) -> bool:
        """Whether the server has any interface, public or private; without one it cannot be powered on."""
        return bool(server.private_net) or any(ip.held_by_server(server.id) for ip in self.primary_ips.values())

    def addresses_in(self, network_id: int) -> Iterator[tuple[str, str, int]]:
        """Every address used in a network: (address, "server" or "load_balancer", id)."""
        for server in self.servers.values():
            for leg in server.private_net:
                if leg.network == network_id:
                    yield leg.ip, "server", server.id
                    for alias in leg.alias_ips:
                        yield alias, "server", server.id
        for balancer in self.load_balancers.values():
            for leg in balancer.private_net:
                if leg.network == network_id:
                    yield leg.ip, "load_balancer", balancer.id

    def targets_server(self, balancer: LoadBalancer, server: Server, *, public_only: bool = False) -> bool:
        """Whether a load balancer sends to the server; public_only: over its public IPv4."""
        for target in balancer.targets:
            if public_only and target.use_private_ip:
                continue
            if target.server == server.id:
                return True
            if target.selector is not None and Selector.parse(target.selector).matches(server.labels):
                return True
        return False
