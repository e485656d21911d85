"""What is moved, as somebody sees and changes it who does not use the program; and the project it lies in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hcloud_reassign.simulator import Simulator
from hcloud_reassign.simulator.model import Ref, Route
from tests.faults.schedule import NOBODY, Scene

SERVERS: Mapping[str, int] = {"srv-a": 10, "srv-b": 11, "srv-c": 12, "srv-d": 13}
NAMES = {id: name for name, id in SERVERS.items()}
GATEWAYS: Mapping[int, str] = {10: "10.0.1.2", 11: "10.0.1.3", 12: "10.0.1.4", 13: "10.0.1.5"}
NETWORK, FLOATING = 4711, 501
ALIAS, DEFAULT = "10.0.1.100", "0.0.0.0/0"
NEIGHBOURS: Mapping[str, tuple[str, ...]] = {"srv-a": ("10.0.1.50",), "srv-b": ("10.0.1.51",)}
OTHER_ROUTE = ("172.20.0.0/16", "10.0.1.4")
LABELS = {"team": "net"}


@dataclass(frozen=True)
class Thing:
    """Something that a section names. `table`, `id`: the object whose labels carry its claim."""

    type: str
    name: str
    ini: str
    table: str
    id: int
    claim: str = "hcloud-reassign/claim"

    @property
    def public(self) -> bool:
        return self.table == "primary_ips"

    @property
    def ref(self) -> Ref:
        return (self.table.removesuffix("s"), self.id)

    def key_of(self, server: int) -> str:
        """What the claim calls a server."""
        return GATEWAYS[server] if self.type == "route" else str(server)

    def labels(self, sim: Simulator) -> dict[str, str] | None:
        """The labels; None when the object is gone."""
        item = getattr(sim.state, self.table).get(self.id)
        return None if item is None else item.labels

    def holder(self, sim: Simulator) -> int | None:
        """The server that has it."""
        state = sim.state
        if self.type == "ip_floating":
            return state.floating_ips[self.id].server_id
        if self.public:
            return state.primary_ips[self.id].assignee_id
        if self.type == "route":
            gateways = [route.gateway for route in state.networks[self.id].routes if route.destination == DEFAULT]
            return next((id for id, gateway in GATEWAYS.items() if gateway in gateways), None)
        return next((id for id, server in state.servers.items() if ALIAS in server.private_net[0].alias_ips), None)

    def put(self, sim: Simulator, server: int | None) -> bool:
        """Somebody else moves it, unless a lock or a rule of Hetzner's is in the way; whether it was moved."""
        state, cloud = sim.state, sim.cloud
        before = self.holder(sim)
        refs = {self.ref, *(("server", id) for id in (before, server) if id is not None)}
        missing = server is not None and server not in state.servers
        if before == server or missing or refs & cloud.locks().keys():
            return False
        if self.type == "ip_floating":
            cloud.note(cloud.now, self.table, self.id)
            state.floating_ips[self.id].server_id = server
        elif self.type == "route":
            cloud.note(cloud.now, self.table, self.id)
            network = state.networks[self.id]
            network.routes = [route for route in network.routes if route.destination != DEFAULT]
            network.routes += [Route(DEFAULT, GATEWAYS[server])] if server else []
        elif self.public:
            address = state.primary_ips[self.id]
            if server is not None and state.primary_ip_of(server, address.type) is not None:
                return False
            cloud.note(cloud.now, self.table, self.id)
            address.assignee_id = server
        else:
            for id in {before, server} - {None}:
                assert id is not None
                cloud.note(cloud.now, "servers", id)
                leg = state.servers[id].private_net[0]
                leg.alias_ips = [ip for ip in leg.alias_ips if ip != ALIAS] + ([ALIAS] if id == server else [])
        return True

    def is_shown_by(self, path: str) -> bool:
        """Whether an answer at a path says who has it."""
        table = "servers" if self.type == "ip_alias" else self.table
        return path == f"/v1/{table}" or (self.type != "ip_alias" and path == f"/v1/{table}/{self.id}")


def _public(type: str, name: str, resource: str, id: int) -> Thing:
    return Thing(type, name, f"[{name}]\ntype = ip_public\nresource = {resource}\n", "primary_ips", id)


THINGS: Mapping[str, Thing] = {
    thing.type: thing
    for thing in (
        Thing(
            "ip_floating",
            "floating.web",
            "[floating.web]\ntype = ip_floating\nresource = web\n",
            "floating_ips",
            FLOATING,
        ),
        Thing(
            "route",
            "route.default",
            "[route.default]\ntype = route\nnetwork = 0.0.0.0/0\nresource = internal\n",
            "networks",
            NETWORK,
            "hcloud-reassign/route.0.0.0.0_0",
        ),
        Thing(
            "ip_alias",
            "alias.vip",
            f"[alias.vip]\ntype = ip_alias\nresource = {ALIAS}\nnetwork = internal\n",
            "networks",
            NETWORK,
            f"hcloud-reassign/alias.{ALIAS}",
        ),
        _public("ip_public", "public.web", "public-web", 701),
        _public("ip_public6", "public.web6", "public-web6", 702),
    )
}
"""`ip_public6` is an ip_public as well: the IPv6 half of what srv-a has."""

_FORMS = {
    "pair": "source = srv-a\ndestination = srv-b\n",
    "members": "members = srv-a, srv-b, srv-c\n",
    "open": "destination = srv-b\n",
}
LISTED: Mapping[str, tuple[str, ...]] = {
    "pair": ("srv-a", "srv-b"),
    "members": ("srv-a", "srv-b", "srv-c"),
    "open": tuple(SERVERS),
}
"""From whom it may be taken without `--force`."""

_PUBLIC_KEYS = ("allow_poweroff", "hard_poweroff", "shutdown_timeout", "occupied", "leave_off")


def ini(scene: Scene) -> str:
    """The configuration file of a scene."""
    text = ""
    for thing in (THINGS[type] for type in scene.types):
        keys = {key: value for key, value in scene.options.items() if thing.public or key not in _PUBLIC_KEYS}
        text += thing.ini + _FORMS[scene.form] + "".join(f"{key} = {value}\n" for key, value in keys.items())
    if scene.group:
        names = ", ".join(THINGS[type].name for type in scene.types)
        text += f"[group.all]\nmembers = {names}\non_failure = {scene.group}\n"
    return text


def project(scene: Scene) -> dict[str, Any]:
    """The scene as the simulator reads it."""
    held = {"server": scene.holder} if scene.holder != NOBODY else {}
    gateway = GATEWAYS.get(SERVERS.get(scene.holder, 0))
    routes = [{"destination": OTHER_ROUTE[0], "gateway": OTHER_ROUTE[1]}]
    return {
        "networks": [
            {
                "name": "internal",
                "id": NETWORK,
                "ip_range": "10.0.0.0/16",
                "subnets": [{"ip_range": "10.0.1.0/24"}],
                "routes": [*routes, *([{"destination": DEFAULT, "gateway": gateway}] if gateway else [])],
                "labels": dict(LABELS),
            }
        ],
        "servers": [_server(scene, name) for name in SERVERS],
        "floating_ips": [
            {"name": "web", "id": FLOATING, "ip": "192.0.2.10", "labels": dict(LABELS), **held},
            {"name": "other", "id": 502, "ip": "192.0.2.11", "server": "srv-a"},
        ],
        "primary_ips": [
            {"name": "public-web", "id": 701, "ip": "198.51.100.7", "labels": dict(LABELS), **held},
            {"name": "public-web6", "id": 702, "ip": "2001:db8:a::/64", "labels": dict(LABELS), **held},
        ],
    }


def _server(scene: Scene, name: str) -> dict[str, Any]:
    aliases = [*([ALIAS] if scene.holder == name else []), *NEIGHBOURS.get(name, ())]
    own = {"ipv4": "198.51.100.9", "ipv6": "2001:db8:b::/64"} if scene.own and name == "srv-b" else {}
    return {
        "name": name,
        "id": SERVERS[name],
        "status": "off" if name in scene.off else "running",
        "ignores_shutdown": name in scene.deaf,
        "shutdown_s": scene.shutdown_s,
        "networks": {"internal": {"ip": GATEWAYS[SERVERS[name]], "alias_ips": aliases}},
        **own,
    }
