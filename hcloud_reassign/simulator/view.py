"""Objects that know of each other, as one request sees them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from . import shapes
from .catalog import IMAGE, LOAD_BALANCER_TYPE, SERVER_TYPE
from .model import Action, FloatingIp, LoadBalancer, Network, PrimaryIp, Ref, Server
from .project import Project
from .shapes import Json
from .switches import Switches


class View:
    """One project as one request sees it; what objects know of each other is looked up once per request."""

    def __init__(self, project: Project, switches: Switches, running: Iterable[Action]) -> None:
        self._project = project
        self._switches = switches
        self._running = running

    @cached_property
    def _locked(self) -> set[Ref]:
        return {ref for item in self._running for ref in item.locks}

    @cached_property
    def _floating_of(self) -> dict[int, list[int]]:
        held: dict[int, list[int]] = defaultdict(list)
        for ip in self._project.floating_ips.values():
            if ip.server_id is not None:
                held[ip.server_id].append(ip.id)
        return held

    @cached_property
    def _primary_of(self) -> dict[tuple[int, str], PrimaryIp]:
        ips = self._project.primary_ips.values()
        return {
            (ip.assignee_id, ip.type): ip for ip in ips if ip.assignee_type == "server" and ip.assignee_id is not None
        }

    @cached_property
    def _servers_in(self) -> dict[int, list[int]]:
        members: dict[int, list[int]] = defaultdict(list)
        for server in self._project.servers.values():
            for leg in server.private_net:
                members[leg.network].append(server.id)
        return members

    def _place(self, name: str) -> Json:
        return shapes.location(self._project.locations[name])

    def server(self, item: Server) -> Json:
        """A server."""
        shape: Json = {
            "id": item.id,
            "name": item.name,
            "status": item.status,
            "created": shapes.timestamp(item.created),
            "public_net": self._public_net(item.id),
            "private_net": [
                {
                    "network": leg.network,
                    "ip": leg.ip,
                    "alias_ips": list(leg.alias_ips),
                    "mac_address": leg.mac_address,
                }
                for leg in item.private_net
            ],
            "server_type": SERVER_TYPE,
            "location": self._place(item.location),
            "image": IMAGE,
            "iso": None,
            "rescue_enabled": False,
            "locked": ("server", item.id) in self._locked,
            "backup_window": None,
            "outgoing_traffic": 0,
            "ingoing_traffic": 0,
            "included_traffic": 0,
            "protection": {"delete": False, "rebuild": False},
            "labels": item.labels,
            "volumes": [],
            "load_balancers": [
                lb.id for lb in self._project.load_balancers.values() if self._project.targets_server(lb, item)
            ],
            "primary_disk_size": SERVER_TYPE["disk"],
            "placement_group": None,
        }
        if self._switches.datacenters:
            shape["datacenter"] = shapes.datacenter(self._project.locations[item.location])
        return shape

    def _public_net(self, server_id: int) -> Json:
        v4 = self._primary_of.get((server_id, "ipv4"))
        v6 = self._primary_of.get((server_id, "ipv6"))
        return {
            "ipv4": v4 and {"id": v4.id, "ip": v4.ip, "blocked": v4.blocked, "dns_ptr": shapes.reverse_name(v4.ip)},
            "ipv6": v6 and {"id": v6.id, "ip": v6.ip, "blocked": v6.blocked, "dns_ptr": []},
            "floating_ips": self._floating_of.get(server_id, []),
            "firewalls": [],
        }

    def floating_ip(self, item: FloatingIp) -> Json:
        """A floating IP."""
        return {
            "id": item.id,
            "name": item.name,
            "description": item.description,
            "ip": item.ip,
            "type": item.type,
            "server": item.server_id,
            "dns_ptr": shapes.pointers(item.ip, item.type),
            "home_location": self._place(item.location),
            "blocked": item.blocked,
            "protection": {"delete": item.protected},
            "labels": item.labels,
            "created": shapes.timestamp(item.created),
        }

    def primary_ip(self, item: PrimaryIp) -> Json:
        """A primary IP."""
        shape: Json = {
            "id": item.id,
            "name": item.name,
            "ip": item.ip,
            "type": item.type,
            "labels": item.labels,
            "created": shapes.timestamp(item.created),
            "blocked": item.blocked,
            "location": self._place(item.location),
            "dns_ptr": shapes.pointers(item.ip, item.type),
            "protection": {"delete": item.protected},
            "auto_delete": item.auto_delete,
            "assignee_type": self._assignee_type(item),
            "assignee_id": item.assignee_id,
        }
        if self._switches.datacenters:
            shape["datacenter"] = shapes.datacenter(self._project.locations[item.location])
        return shape

    def _assignee_type(self, item: PrimaryIp) -> str:
        if item.assignee_id is None:
            return "unassigned" if self._switches.assignee_unassigned else "server"
        if item.assignee_type == "load_balancer":
            return self._switches.load_balancer_assignee
        return item.assignee_type

    def network(self, item: Network) -> Json:
        """A network."""
        return {
            "id": item.id,
            "name": item.name,
            "ip_range": item.ip_range,
            "subnets": [shapes.subnet(part) for part in item.subnets],
            "routes": [{"destination": route.destination, "gateway": route.gateway} for route in item.routes],
            "servers": self._servers_in.get(item.id, []),
            "load_balancers": [
                lb.id
                for lb in self._project.load_balancers.values()
                if any(leg.network == item.id for leg in lb.private_net)
            ],
            "protection": {"delete": item.protected},
            "labels": item.labels,
            "created": shapes.timestamp(item.created),
            "expose_routes_to_vswitch": item.expose_routes_to_vswitch,
        }

    def load_balancer(self, item: LoadBalancer) -> Json:
        """A load balancer."""
        return {
            "id": item.id,
            "name": item.name,
            "public_net": {
                "enabled": item.ipv4 is not None or item.ipv6 is not None,
                "ipv4": {"ip": item.ipv4, "dns_ptr": None},
                "ipv6": {"ip": item.ipv6, "dns_ptr": None},
            },
            "private_net": [{"network": leg.network, "ip": leg.ip} for leg in item.private_net],
            "location": self._place(item.location),
            "load_balancer_type": LOAD_BALANCER_TYPE,
            "protection": {"delete": item.protected},
            "labels": item.labels,
            "created": shapes.timestamp(item.created),
            "services": [],
            "targets": [shapes.target(one) for one in item.targets],
            "algorithm": {"type": "round_robin"},
            "outgoing_traffic": 0,
            "ingoing_traffic": 0,
            "included_traffic": 0,
        }
