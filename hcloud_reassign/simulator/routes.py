"""Which path and method lead to which handler. `#` stands for a number."""

from __future__ import annotations

from collections.abc import Mapping

from . import actions, attachments, floating_ips, networks, others, primary_ips, servers
from .call import Handler
from .reply import natural
from .switches import Switches

_RESOURCES = {
    "server": "servers",
    "floating_ip": "floating_ips",
    "primary_ip": "primary_ips",
    "network": "networks",
    "load_balancer": "load_balancers",
}

_MEMBERS = "networks/#/members"

ROUTES: dict[str, Mapping[str, Handler]] = {
    "actions": {"GET": actions.by_ids},
    "actions/#": {"GET": actions.one},
    "servers": {"GET": servers.index},
    "servers/#": {"GET": servers.one, "PUT": servers.put},
    "servers/#/actions/poweron": {"POST": servers.poweron},
    "servers/#/actions/poweroff": {"POST": servers.poweroff},
    "servers/#/actions/shutdown": {"POST": servers.shutdown},
    "servers/#/actions/change_alias_ips": {"POST": attachments.change_alias_ips},
    "servers/#/actions/attach_to_network": {"POST": attachments.attach},
    "servers/#/actions/detach_from_network": {"POST": attachments.detach},
    "floating_ips": {"GET": floating_ips.index},
    "floating_ips/#": {"GET": floating_ips.one, "PUT": floating_ips.put},
    "floating_ips/#/actions/assign": {"POST": floating_ips.assign},
    "floating_ips/#/actions/unassign": {"POST": floating_ips.unassign},
    "primary_ips": {"GET": primary_ips.index},
    "primary_ips/#": {"GET": primary_ips.one, "PUT": primary_ips.put},
    "primary_ips/#/actions/assign": {"POST": primary_ips.assign},
    "primary_ips/#/actions/unassign": {"POST": primary_ips.unassign},
    "networks": {"GET": networks.index},
    "networks/#": {"GET": networks.one, "PUT": networks.put},
    _MEMBERS: {"GET": networks.members},
    "networks/#/actions/add_route": {"POST": networks.add_route},
    "networks/#/actions/delete_route": {"POST": networks.delete_route},
    "load_balancers": {"GET": others.load_balancers},
    "load_balancers/#": {"GET": others.load_balancer},
    "locations": {"GET": others.locations},
    "locations/#": {"GET": others.location},
    "datacenters": {"GET": others.datacenters},
    "datacenters/#": {"GET": others.datacenter},
}

for _kind, _table in _RESOURCES.items():
    ROUTES[f"{_table}/actions"] = {"GET": actions.of_kind(_kind)}
    ROUTES[f"{_table}/actions/#"] = {"GET": actions.one}
    ROUTES[f"{_table}/#/actions"] = {"GET": actions.of_resource(_kind, _table)}
    ROUTES[f"{_table}/#/actions/#"] = {"GET": actions.one}

for _kind, _item in others.FIXED.items():
    ROUTES[f"{_kind}s"] = {"GET": others.fixed_list(f"{_kind}s", _item)}
    ROUTES[f"{_kind}s/#"] = {"GET": others.fixed_one(_kind, _item)}


def find(path: str, switches: Switches) -> tuple[Mapping[str, Handler], tuple[int, ...]] | None:
    """The handlers by method and the numbers of the path, which has no version in front; None: no such route."""
    parts = [(part, natural(part)) for part in path.strip("/").split("/")]
    pattern = "/".join(part if number is None else "#" for part, number in parts)
    methods = ROUTES.get(pattern)
    if methods is None or (pattern == _MEMBERS and not switches.network_members):
        return None
    return methods, tuple(number for _, number in parts if number is not None)
