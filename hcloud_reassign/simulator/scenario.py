"""Scenarios: what a simulated project consists of at the start, read from JSON files that people write.

An object with these keys, all of them optional; things name each other by name, ids are given out where none is set:

description; switches: see Switches, and "mid_2026": true.
tokens: {"text": "read-write" or "read"}; default simulated-token and simulated-token-read-only.
networks: name, id, ip_range, labels, protected, subnets [{ip_range, type, network_zone, gateway, vswitch_id}],
    routes [{destination, gateway}].
servers: name, id, status, location, labels, ipv4 and ipv6 (make a primary IP with auto_delete), networks
    {"name": {ip, alias_ips}}, ignores_shutdown, shutdown_s.
load_balancers: name, id, location, labels, ipv4, ipv6, networks, targets [{server | label_selector | ip,
    use_private_ip}].
floating_ips: name, id, ip, server, location, labels, description, protected, blocked.
primary_ips: name, id, ip, server or load_balancer, location, labels, auto_delete, protected, blocked.
robot: user, password, servers [{number, ip, ipv6_net}], failover_ips [{ip, server_number, active_server_ip}].

Networks, servers, load balancers and IPs may have a count: see `counting`. IPv6 addresses are /64 networks.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from .builder import Builder
from .errors import ScenarioError
from .project import Project
from .switches import Switches

_PACKAGED = "scenarios"


@dataclass(frozen=True)
class Scenario:
    """A project to start from, and the switches its file asks for."""

    name: str
    switches: Switches = field(default_factory=Switches)
    description: str = ""
    _project: Project = field(default_factory=Project, repr=False)

    def project(self) -> Project:
        """A fresh copy of the project."""
        return copy.deepcopy(self._project)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], name: str = "scenario") -> Scenario:
        """Reads a scenario from plain data. Raises ScenarioError naming the object and the key."""
        builder = Builder(data, name)
        return cls(name, builder.switches, builder.description, builder.project)


def scenario_names() -> list[str]:
    """The scenarios that come with the package."""
    return sorted(entry.name[:-5] for entry in _packaged().iterdir() if entry.name.endswith(".json"))


def load_scenario(name_or_path: str) -> Scenario:
    """A packaged scenario by name, or a file. Raises ScenarioError naming the file, the object and the key."""
    if name_or_path in scenario_names():
        return _parsed(_packaged().joinpath(f"{name_or_path}.json").read_text(encoding="utf-8"), name_or_path)
    path = Path(name_or_path)
    if path.suffix != ".json" and not path.exists():
        names = ", ".join(scenario_names())
        raise ScenarioError(f"{name_or_path}: no such scenario or file; packaged scenarios: {names}")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{name_or_path}: cannot be read: {error}") from error
    return _parsed(text, name_or_path)


def _packaged() -> Any:
    return resources.files(__name__.rpartition(".")[0]).joinpath(_PACKAGED)


def _parsed(text: str, name: str) -> Scenario:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ScenarioError(f"{name}: is not JSON: {error}") from error
    return Scenario.from_data(data, name)
