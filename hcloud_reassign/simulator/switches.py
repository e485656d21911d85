"""Choices that Hetzner does not document, or that changed during 2026; defaults are documented or observed."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import ScenarioError


@dataclass(frozen=True)
class Switches:
    """How the simulated API behaves where the description leaves it open.

    datacenters: `datacenter` stands in server and primary IP objects and /datacenters answers (before July 2026).
    assignee_unassigned: a free primary IP says `assignee_type: "unassigned"` (since 2026-09-23; before: "server").
    load_balancer_assignee: the assignee_type of a primary IP that a load balancer holds (not documented).
    network_members: GET /networks/{id}/members exists (not in early 2026).
    floating_strict: assign refuses any held floating IP, not only one the target already holds. The description
        reads like that; all known clients reassign directly and get away with it.
    floating_needs_public_net: assign refuses a server without a primary IP of that family (a hint only).
    unknown_server_code: assigning to a server that does not exist: "not_found" (404) or "invalid_input" (422).
    unassign_unassigned_code: unassigning what nobody holds (an engineer: an error without a code of its own).
    location_mismatch_code: a primary IP and a server in different locations.
    balancer_primary_ip_code: moving a primary IP off a load balancer.
    alias_in_use_code: an alias IP that is used elsewhere in the network (attach_to_network has this code).
    alias_not_attached_code: change_alias_ips for a network the server is not attached to.
    alias_locks_network: change_alias_ips makes the network answer 409 while it runs.
    delete_missing_route_code: delete_route for a pair that is not there.
    gateway_in_range: a route's gateway must lie inside the network's ip_range.
    limit_code: too many routes or alias IPs.
    max_routes, max_alias_ips: those limits (widely quoted, not documented); 0 = none.
    poweron_without_interface: "refused" (422 service_error) or "action_fails".
    shutdown_shows_stopping: between the ACPI request and off the status is "stopping" (else "running").
    floating_assign_locks_source: an assign away from a server locks that server too.
    deleted_holder_lingers_s: seconds for which addresses of a deleted server still name it (seen by users).
    rate_limit: requests per hour and project, refilled evenly.
    action_rate_limit: a bucket of its own for paths with `actions` in them, as an engineer says there is; None: shared.
    robot_switch_s: seconds a failover POST blocks (documented once as 40-60, later 90-110); None: short, for demos.
    """

    datacenters: bool = False
    assignee_unassigned: bool = True
    load_balancer_assignee: str = "load_balancer"
    network_members: bool = True
    floating_strict: bool = False
    floating_needs_public_net: bool = False
    unknown_server_code: str = "not_found"
    unassign_unassigned_code: str = "invalid_input"
    location_mismatch_code: str = "primary_ip_datacenter_mismatch"
    balancer_primary_ip_code: str = "unsupported_error"
    alias_in_use_code: str = "ip_not_available"
    alias_not_attached_code: str = "server_not_attached_to_network"
    alias_locks_network: bool = False
    delete_missing_route_code: str = "not_found"
    gateway_in_range: bool = True
    limit_code: str = "resource_limit_exceeded"
    max_routes: int = 100
    max_alias_ips: int = 5
    poweron_without_interface: str = "refused"
    shutdown_shows_stopping: bool = True
    floating_assign_locks_source: bool = True
    deleted_holder_lingers_s: float = 0.0
    rate_limit: int = 3600
    action_rate_limit: int | None = None
    robot_switch_s: tuple[float, float] | None = None

    @classmethod
    def mid_2026(cls, **changes: Any) -> Switches:
        """The shapes of mid 2026, which older clients such as Debian's hcloud 1.30 need."""
        return cls(**{"datacenters": True, "assignee_unassigned": False, "network_members": False, **changes})

    @classmethod
    def from_data(cls, data: Mapping[str, Any], where: str = "switches") -> Switches:
        """Switches by name, as a scenario file has them; "mid_2026": true sets those first.

        Raises ScenarioError for an unknown name (with the nearest one) or a value of the wrong type.
        """
        values = dict(data)
        base = cls.mid_2026() if values.pop("mid_2026", False) else cls()
        known = {field.name for field in dataclasses.fields(cls)}
        for name, value in values.items():
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise ScenarioError(f"{where}: unknown switch {name}{hint}")
            values[name] = _fitting(name, value, getattr(base, name), where)
        return dataclasses.replace(base, **values)


def _fitting(name: str, value: Any, default: Any, where: str) -> Any:
    if name == "robot_switch_s" and isinstance(value, list) and len(value) == 2:
        return float(value[0]), float(value[1])
    if value is None and default is None:
        return None
    if name == "action_rate_limit":
        default = 0
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(default):
        raise ScenarioError(f"{where}: {name} must be {type(default).__name__}, not {value!r}")
    return value
