"""The JSON of everything that needs no other object, as Hetzner's API description shapes it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from .catalog import SERVER_TYPE
from .model import (
    Action,
    FailoverIp,
    Location,
    RobotAccount,
    Subnet,
    Target,
)

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


def reverse_name(ip: str) -> str:
    """A reverse DNS name for an IPv4 address."""
    return f"static.{'.'.join(reversed(ip.split('.')))}.example.com"


def pointers(ip: str, family: str) -> list[Json]:
    """The reverse DNS entries of an address."""
    return [{"ip": ip, "dns_ptr": reverse_name(ip)}] if family == "ipv4" else []


def subnet(item: Subnet) -> Json:
    """A subnet."""
    shape: Json = {
        "type": item.type,
        "ip_range": item.ip_range,
        "network_zone": item.network_zone,
        "gateway": item.gateway,
    }
    if item.type == "vswitch":
        shape["vswitch_id"] = item.vswitch_id
    return shape


def target(item: Target) -> Json:
    """A load balancer's target."""
    health = [{"listen_port": 443, "status": "healthy"}]
    if item.server is not None:
        return {
            "type": "server",
            "server": {"id": item.server},
            "health_status": health,
            "use_private_ip": item.use_private_ip,
        }
    if item.selector is not None:
        return {
            "type": "label_selector",
            "label_selector": {"selector": item.selector},
            "targets": [],
            "use_private_ip": item.use_private_ip,
        }
    return {"type": "ip", "ip": {"ip": item.ip}, "health_status": health}
