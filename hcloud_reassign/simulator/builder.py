"""From the plain data of a scenario to a project, checking as Hetzner would."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address
from typing import Any, Protocol, TypeVar

from . import parts
from .attachments import mac_address, reserved
from .catalog import LOCATIONS
from .counting import expand
from .labels import valid_key, valid_value
from .model import (
    Attachment,
    FloatingIp,
    LoadBalancer,
    Network,
    PrimaryIp,
    Route,
    Server,
    Target,
)
from .networks import subnet_of
from .project import Project
from .reader import Reader
from .servers import STATUSES
from .switches import Switches

CREATED = 1767225600.0
"""2026-01-01T00:00:00Z: when everything in a scenario was created, unless it says otherwise."""

_FIRST_ID = {"servers": 1000, "floating_ips": 5000, "primary_ips": 7000, "networks": 4000, "load_balancers": 9000}
_TOKENS = {"simulated-token": "read-write", "simulated-token-read-only": "read"}


class _Named(Protocol):
    id: int
    name: str


_N = TypeVar("_N", bound=_Named)


class Builder:
    """Reads one scenario; the result is in project, switches and description. Raises ScenarioError."""

    def __init__(self, data: Any, name: str) -> None:
        reader = Reader(data, name)
        self.project = Project(locations=dict(LOCATIONS))
        self.description = reader.text("description", "")
        self.switches = Switches.from_data(reader.optional_mapping("switches") or {}, f"{name}: switches")
        self.project.tokens = self._tokens(reader)
        self._next_id = dict(_FIRST_ID)
        self._names: set[tuple[str, str]] = set()
        self._addresses: dict[int, set[str]] = defaultdict(set)
        for part in self._each(reader, "networks", "network"):
            self._network(part)
        for part in self._each(reader, "servers", "server"):
            self._server(part)
        for part in self._each(reader, "load_balancers", "load balancer"):
            self._load_balancer(part)
        for part in self._each(reader, "floating_ips", "floating IP"):
            self._floating_ip(part)
        for part in self._each(reader, "primary_ips", "primary IP"):
            self._primary_ip(part)
        robot = reader.optional_mapping("robot")
        if robot is not None:
            self.project.robot, self.project.failover_ips = parts.robot(Reader(robot, f"{name}: robot"))
        reader.done()
        self.project.primary_ips = dict(sorted(self.project.primary_ips.items()))

    def _each(self, reader: Reader, key: str, word: str) -> Iterator[Reader]:
        """Every object of a list, those with a `count` as often as it says."""
        for part in reader.readers(key, word):
            yield from expand(part)

    def _tokens(self, reader: Reader) -> dict[str, str]:
        tokens = reader.texts_by_name("tokens") or dict(_TOKENS)
        for right in tokens.values():
            if right not in ("read-write", "read"):
                raise reader.fail("tokens", f"must say read-write or read, not {right!r}")
        return tokens

    def _id(self, part: Reader, table: str) -> int:
        key = part.optional_whole("id", None)
        taken = getattr(self.project, table)
        if key in taken:
            raise part.fail("id", f"{key} is used twice")
        while key is None or key in taken:
            self._next_id[table] += 1
            key = self._next_id[table]
        return key

    def _name(self, part: Reader, table: str) -> str:
        name = part.text("name")
        if (table, name) in self._names:
            raise part.fail("name", f"{name} is used twice")
        self._names.add((table, name))
        return name

    def _labels(self, part: Reader) -> dict[str, str]:
        labels = part.texts_by_name("labels")
        for key, value in labels.items():
            if not valid_key(key) or not valid_value(value):
                raise part.fail("labels", f"has an invalid label {key}={value}")
        return labels

    def _location(self, part: Reader) -> str:
        location = part.text("location", "fsn1")
        if location not in self.project.locations:
            raise part.fail("location", f"must be one of {', '.join(self.project.locations)}, not {location!r}")
        return location

    def _named(self, part: Reader, key: str, table: Mapping[int, _N]) -> _N | None:
        """The object that a key names, None when the key is absent."""
        name = part.optional_text(key)
        if name is None:
            return None
        found = next((item for item in table.values() if item.name == name), None)
        if found is None:
            raise part.fail(key, f"names {name!r}, which does not exist here")
        return found

    def _network(self, part: Reader) -> None:
        networks = self.project.networks
        key = self._id(part, "networks")
        whole = parts.ip_range(part, "ip_range")
        network = Network(key, self._name(part, "networks"), str(whole), labels=self._labels(part), created=CREATED)
        for inner in part.readers("subnets", "subnet"):
            network.subnets.append(parts.subnet(inner, whole))
        for inner in part.readers("routes", "route"):
            network.routes.append(Route(inner.text("destination"), inner.text("gateway")))
            parts.ip_range(inner, "destination")
            inner.done()
        network.protected = part.flag("protected")
        part.done()
        networks[key] = network

    def _server(self, part: Reader) -> None:
        servers = self.project.servers
        key = self._id(part, "servers")
        server = Server(
            key,
            self._name(part, "servers"),
            status=part.one_of("status", STATUSES, "running") or "running",
            location=self._location(part),
            created=CREATED,
            labels=self._labels(part),
            ignores_shutdown=part.flag("ignores_shutdown"),
            shutdown_s=part.optional_number("shutdown_s"),
        )
        server.private_net = self._legs(part, key)
        servers[key] = server
        for family in ("ipv4", "ipv6"):
            address = part.optional_text(family)
            if address is not None:
                self._own_primary_ip(part, server, family, address)
        part.done()

    def _own_primary_ip(self, part: Reader, server: Server, family: str, address: str) -> None:
        """The primary IP that a server is created with."""
        if parts.family(part, family, address) != family:
            raise part.fail(family, f"is not an {family} address: {address!r}")
        key = self._id(Reader({}, part.where), "primary_ips")
        self.project.primary_ips[key] = PrimaryIp(
            key, f"primary_ip-{key}", address, family, "server", server.id, server.location, CREATED, auto_delete=True
        )

    def _legs(self, part: Reader, owner: int) -> list[Attachment]:
        networks = part.optional_mapping("networks") or {}
        legs = []
        for name, data in networks.items():
            network = next((item for item in self.project.networks.values() if item.name == name), None)
            if network is None:
                raise part.fail("networks", f"names {name!r}, which does not exist here")
            inner = Reader(data, f"{part.where}: network {name}")
            leg = Attachment(network.id, inner.text("ip"), inner.texts("alias_ips"), mac_address(network.id, owner))
            inner.done()
            self._check_addresses(inner, network, [("ip", leg.ip), *(("alias_ips", ip) for ip in leg.alias_ips)])
            legs.append(leg)
        return legs

    def _check_addresses(self, inner: Reader, network: Network, addresses: list[tuple[str, str]]) -> None:
        used = self._addresses[network.id]
        kept = reserved(network)
        for key, text in addresses:
            try:
                address = IPv4Address(text)
            except ValueError:
                raise inner.fail(key, f"is not an IPv4 address: {text!r}") from None
            if not subnet_of(network, text):
                raise inner.fail(key, f"{text} is in no subnet of {network.name}")
            if address in kept or text in used:
                raise inner.fail(key, f"{text} is {'reserved' if address in kept else 'used twice'}")
            used.add(text)

    def _load_balancer(self, part: Reader) -> None:
        balancers = self.project.load_balancers
        key = self._id(part, "load_balancers")
        balancer = LoadBalancer(
            key,
            self._name(part, "load_balancers"),
            location=self._location(part),
            ipv4=part.optional_text("ipv4"),
            ipv6=part.optional_text("ipv6"),
            created=CREATED,
            labels=self._labels(part),
        )
        balancer.private_net = self._legs(part, key)
        for inner in part.readers("targets", "target"):
            server = self._named(inner, "server", self.project.servers)
            selector, address = inner.optional_text("label_selector"), inner.optional_text("ip")
            target = Target(None if server is None else server.id, selector, address, inner.flag("use_private_ip"))
            inner.done()
            balancer.targets.append(target)
        part.done()
        balancers[key] = balancer

    def _floating_ip(self, part: Reader) -> None:
        floating_ips = self.project.floating_ips
        key = self._id(part, "floating_ips")
        address = part.text("ip")
        server = self._named(part, "server", self.project.servers)
        floating_ips[key] = FloatingIp(
            key,
            self._name(part, "floating_ips"),
            address,
            parts.family(part, "ip", address),
            None if server is None else server.id,
            self._location(part),
            part.optional_text("description"),
            CREATED,
            self._labels(part),
            part.flag("protected"),
            part.flag("blocked"),
        )
        part.done()

    def _primary_ip(self, part: Reader) -> None:
        primary_ips = self.project.primary_ips
        key = self._id(part, "primary_ips")
        address = part.text("ip")
        server = self._named(part, "server", self.project.servers)
        balancer = self._named(part, "load_balancer", self.project.load_balancers)
        if server is not None and self.project.primary_ip_of(server.id, parts.family(part, "ip", address)) is not None:
            raise part.fail("server", f"{server.name} has a primary IP of that family already")
        holder: Any = server or balancer
        ip = PrimaryIp(
            key,
            self._name(part, "primary_ips"),
            address,
            parts.family(part, "ip", address),
            "server" if balancer is None else "load_balancer",
            None if holder is None else holder.id,
            self._location(part),
            CREATED,
            self._labels(part),
            part.flag("auto_delete"),
            part.flag("protected"),
            part.flag("blocked"),
        )
        if server is not None and server.location != ip.location:
            raise part.fail("location", f"must be the server's, {server.location}")
        part.done()
        primary_ips[key] = ip
