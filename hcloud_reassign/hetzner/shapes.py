"""Hetzner's JSON to frozen facts. Accepts today's shapes and those of mid 2026, and unknown words anywhere.

An object that lacks what it cannot do without raises ValueError, which the border reports as an unusable answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from hcloud_reassign.core.moments import unix_s
from hcloud_reassign.core.objects import (
    Action,
    FloatingIp,
    LoadBalancer,
    Member,
    Network,
    PrimaryIp,
    PrivateNet,
    Route,
    Server,
    Subnet,
)

Json = Mapping[str, Any]
_LONGEST_LABEL = 255
"""Hetzner's have 63 characters. What reads numbers and names in labels need not be ready for more."""


def _map(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _maps(value: Any) -> Sequence[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def number(value: Any) -> int | None:
    """An integer; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _numbers(value: Any) -> tuple[int, ...]:
    return tuple(item for item in value if isinstance(item, int)) if isinstance(value, list) else ()


def _need_id(data: Json) -> int:
    id = number(data.get("id"))
    if id is None:
        raise ValueError("an object has no id")
    return id


def _need_text(data: Json, key: str) -> str:
    text = _text(data.get(key))
    if text is None:
        raise ValueError(f"an object has no {key}")
    return text


def _net(value: Any) -> str | None:
    """An address, or a range in CIDR text; None for null. Raises ValueError for anything else."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError("an address is no text")
    ip_network(value, strict=False)
    return value


def _need_net(data: Json, key: str) -> str:
    net = _net(data.get(key))
    if net is None:
        raise ValueError(f"an object has no {key}")
    return net


def _nets(value: Any) -> tuple[str, ...]:
    return tuple(net for item in value if (net := _net(item))) if isinstance(value, list) else ()


def _labels(data: Json) -> dict[str, str]:
    labels = {key: value for key, value in _map(data.get("labels")).items() if isinstance(value, str)}
    if any(len(value) > _LONGEST_LABEL for value in labels.values()):
        raise ValueError("a label is longer than a label can be")
    return labels


def _location(data: Json) -> Json:
    """A location; before July 2026 it stood inside `datacenter`."""
    return (
        _map(data.get("location"))
        or _map(data.get("home_location"))
        or _map(_map(data.get("datacenter")).get("location"))
    )


def server(data: Json) -> Server:
    public, location = _map(data.get("public_net")), _location(data)
    ipv4, ipv6 = _map(public.get("ipv4")), _map(public.get("ipv6"))
    return Server(
        id=_need_id(data),
        name=_text(data.get("name")) or str(data["id"]),
        status=_text(data.get("status")) or "unknown",
        location=_text(location.get("name")),
        network_zone=_text(location.get("network_zone")),
        ipv4=_net(ipv4.get("ip")),
        ipv6=_net(ipv6.get("ip")),
        private_nets=tuple(
            PrivateNet(int(net["network"]), _need_net(net, "ip"), _nets(net.get("alias_ips")))
            for net in _maps(data.get("private_net"))
            if number(net.get("network")) is not None and _text(net.get("ip"))
        ),
        load_balancers=_numbers(data.get("load_balancers")),
        labels=_labels(data),
    )


def floating_ip(data: Json) -> FloatingIp:
    location = _location(data)
    return FloatingIp(
        id=_need_id(data),
        name=_text(data.get("name")) or str(data["id"]),
        ip=_need_net(data, "ip"),
        server=number(data.get("server")),
        location=_text(location.get("name")),
        network_zone=_text(location.get("network_zone")),
        labels=_labels(data),
    )


def primary_ip(data: Json) -> PrimaryIp:
    ip = _need_net(data, "ip")
    return PrimaryIp(
        id=_need_id(data),
        name=_text(data.get("name")) or str(data["id"]),
        ip=ip,
        family=_text(data.get("type")) or ("ipv6" if ":" in ip else "ipv4"),
        assignee=number(data.get("assignee_id")),
        assignee_type=_text(data.get("assignee_type")) or "unassigned",
        location=_text(_location(data).get("name")),
        auto_delete=data.get("auto_delete") is True,
        labels=_labels(data),
    )


def network(data: Json) -> Network:
    return Network(
        id=_need_id(data),
        name=_text(data.get("name")) or str(data["id"]),
        ip_range=_need_net(data, "ip_range"),
        subnets=tuple(
            Subnet(
                _need_net(item, "ip_range"),
                _text(item.get("type")) or "cloud",
                _text(item.get("network_zone")),
                _text(item.get("gateway")),
            )
            for item in _maps(data.get("subnets"))
            if _text(item.get("ip_range"))
        ),
        routes=tuple(
            Route(_need_net(item, "destination"), _need_net(item, "gateway"))
            for item in _maps(data.get("routes"))
            if _text(item.get("destination")) and _text(item.get("gateway"))
        ),
        labels=_labels(data),
    )


def load_balancer(data: Json) -> LoadBalancer:
    """A target that stands for others (those of a label selector) says for all of them how they are reached."""
    public = [target for target in _maps(data.get("targets")) if not target.get("use_private_ip")]
    resolved = [inner for target in public for inner in _maps(target.get("targets"))]
    servers = [_map(target.get("server")) for target in [*public, *resolved] if not target.get("use_private_ip")]
    return LoadBalancer(
        id=_need_id(data),
        name=_text(data.get("name")) or str(data["id"]),
        public_targets=tuple(id for server in servers if (id := number(server.get("id"))) is not None),
    )


def member(network: int, data: Json) -> Member:
    return Member(
        id=_need_id(data),
        type=_text(data.get("type")) or "other",
        network=network,
        ip=_need_net(data, "ip"),
        alias_ips=_nets(data.get("alias_ips")),
    )


def _moment(value: Any) -> float | None:
    """Unix seconds, in UTC where no zone is given; None for what is no time: nothing depends on it enough to reject
    the whole object."""
    text = _text(value) or ""
    moment = unix_s(text)
    return unix_s(f"{text}Z") if moment is None else moment


def action(data: Json) -> Action:
    error = _map(data.get("error"))
    status = _need_text(data, "status")
    return Action(
        id=_need_id(data),
        command=_text(data.get("command")) or "",
        status=status,
        started=_moment(data.get("started")) or 0.0,
        finished=_moment(data.get("finished")),
        progress=number(data.get("progress")) or 0,
        resources=tuple(
            (item["type"], item["id"])
            for item in _maps(data.get("resources"))
            if _text(item.get("type")) and number(item.get("id")) is not None
        ),
        error_code=_text(error.get("code")) if status == "error" else None,
        error_message=_text(error.get("message")) if status == "error" else None,
    )


READERS: Mapping[type, tuple[str, str, Callable[[Json], Any]]] = {
    Server: ("servers", "server", server),
    FloatingIp: ("floating_ips", "floating_ip", floating_ip),
    PrimaryIp: ("primary_ips", "primary_ip", primary_ip),
    Network: ("networks", "network", network),
    LoadBalancer: ("load_balancers", "load_balancer", load_balancer),
}
"""Per class: its path and the key of its list, the key (and action resource type) of one, how one is read."""
