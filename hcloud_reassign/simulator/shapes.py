"""The JSON of every object, as Hetzner's API description shapes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

from .catalog import IMAGE, LOAD_BALANCER_TYPE, SERVER_TYPE
from .model import (
    Action,
    FailoverIp,
    FloatingIp,
    LoadBalancer,
    Location,
    Network,
    PrimaryIp,
    Ref,
    RobotAccount,
    Server,
    Subnet,
    Target,
)
from .project import Project
from .switches import Switches

Json = dict[str, Any]


def timestamp(seconds: float) -> str:
    """RFC 3339, UTC, whole seconds, with Z."""
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def action(item: Action, now: float) -> Json:
    """An action; its progress grows with the time it still needs."""
    return {
        "id": item.id,
        "command": item.command,
        "status": item.status,
        "progress": _progress(item, now),
        "started": timestamp(item.started),
        "finished": None if item.finished is None else timestamp(item.finished),
        "resources": [{"id": key, "type": kind} for kind, key in item.resources],
        "error": None if item.error is None else {"code": item.error[0], "message": item.error[1]},
    }


def _progress(item: Action, now: float) -> int:
    if item.status != "running":
        return 100
    if item.finish_at is None or item.finish_at <= item.started:
        return 0
    return max(0, min(99, int(100 * (now - item.started) / (item.finish_at - item.started))))


def location(place: Location) -> Json:
    """A location."""
    return {
        "id": place.id,
        "name": place.name,
        "description": place.description,
        "country": place.country,
        "city": place.city,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "network_zone": place.network_zone,
    }


def datacenter(place: Location) -> Json:
    """A datacenter, as it was until mid 2026."""
    types = [SERVER_TYPE["id"]]
    return {
        "id": place.datacenter_id,
        "name": place.datacenter,
        "description": f"{place.city} virtual DC",
        "location": location(place),
        "server_types": {"supported": types, "available": types, "available_for_migration": types},
    }


def failover(item: FailoverIp, account: RobotAccount) -> Json:
    """A failover IP of the Robot webservice, in its wrapper."""
    home = next(server for server in account.servers if server.number == item.server_number)
    return {
        "failover": {
            "ip": item.ip,
            "netmask": item.netmask,
            "server_ip": home.ip,
            "server_ipv6_net": home.ipv6_net,
            "server_number": item.server_number,
            "active_server_ip": item.active_server_ip,
        }
    }


def _reverse(ip: str) -> str:
    return f"static.{'.'.join(reversed(ip.split('.')))}.example.com"


def _ptr_list(ip: str, family: str) -> list[Json]:
    return [{"ip": ip, "dns_ptr": _reverse(ip)}] if family == "ipv4" else []


def _subnet(subnet: Subnet) -> Json:
    shape: Json = {
        "type": subnet.type,
        "ip_range": subnet.ip_range,
        "network_zone": subnet.network_zone,
        "gateway": subnet.gateway,
    }
    if subnet.type == "vswitch":
        shape["vswitch_id"] = subnet.vswitch_id
    return shape


def _target(target: Target) -> Json:
    health = [{"listen_port": 443, "status": "healthy"}]
    if target.server is not None:
        return {
            "type": "server",
            "server": {"id": target.server},
            "health_status": health,
            "use_private_ip": target.use_private_ip,
        }
    if target.selector is not None:
        return {
            "type": "label_selector",
            "label_selector": {"selector": target.selector},
            "targets": [],
            "use_private_ip": target.use_private_ip,
        }
    return {"type": "ip", "ip": {"ip": target.ip}, "health_status": health}


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
        return location(self._project.locations[name])

    def server(self, item: Server) -> Json:
        """A server."""
        shape: Json = {
            "id": item.id,
            "name": item.name,
            "status": item.status,
            "created": timestamp(item.created),
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
            shape["datacenter"] = datacenter(self._project.locations[item.location])
        return shape

    def _public_net(self, server_id: int) -> Json:
        v4 = self._primary_of.get((server_id, "ipv4"))
        v6 = self._primary_of.get((server_id, "ipv6"))
        return {
            "ipv4": v4 and {"id": v4.id, "ip": v4.ip, "blocked": v4.blocked, "dns_ptr": _reverse(v4.ip)},
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
            "dns_ptr": _ptr_list(item.ip, item.type),
            "home_location": self._place(item.location),
            "blocked": item.blocked,
            "protection": {"delete": item.protected},
            "labels": item.labels,
            "created": timestamp(item.created),
        }

    def primary_ip(self, item: PrimaryIp) -> Json:
        """A primary IP."""
        shape: Json = {
            "id": item.id,
            "name": item.name,
            "ip": item.ip,
            "type": item.type,
            "labels": item.labels,
            "created": timestamp(item.created),
            "blocked": item.blocked,
            "location": self._place(item.location),
            "dns_ptr": _ptr_list(item.ip, item.type),
            "protection": {"delete": item.protected},
            "auto_delete": item.auto_delete,
            "assignee_type": self._assignee_type(item),
            "assignee_id": item.assignee_id,
        }
        if self._switches.datacenters:
            shape["datacenter"] = datacenter(self._project.locations[item.location])
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
            "subnets": [_subnet(subnet) for subnet in item.subnets],
            "routes": [{"destination": route.destination, "gateway": route.gateway} for route in item.routes],
            "servers": self._servers_in.get(item.id, []),
            "load_balancers": [
                lb.id
                for lb in self._project.load_balancers.values()
                if any(leg.network == item.id for leg in lb.private_net)
            ],
            "protection": {"delete": item.protected},
            "labels": item.labels,
            "created": timestamp(item.created),
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
            "created": timestamp(item.created),
            "services": [],
            "targets": [_target(target) for target in item.targets],
            "algorithm": {"type": "round_robin"},
            "outgoing_traffic": 0,
            "ingoing_traffic": 0,
            "included_traffic": 0,
        }
