"""What the tests of the engine start from: a project of three servers, and one assignment of every kind in it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hcloud_reassign.chain import Report
from hcloud_reassign.core.model import Request
from hcloud_reassign.core.report import Result
from hcloud_reassign.simulator import Fault, Recorded, Simulator
from hcloud_reassign.simulator.model import Route
from tests.harness import START, Lab

A, B, C = 10, 11, 12
FLOATING, PRIMARY, PRIMARY6, NETWORK = 501, 701, 702, 4711
ALIAS = "10.0.1.100"
NOW_MS = int(START * 1000)

TRIO: Mapping[str, Any] = {
    "networks": [
        {
            "name": "internal",
            "id": NETWORK,
            "ip_range": "10.0.0.0/16",
            "subnets": [{"ip_range": "10.0.1.0/24"}],
            "routes": [{"destination": "0.0.0.0/0", "gateway": "10.0.1.2"}],
            "labels": {"team": "net"},
        }
    ],
    "servers": [
        {"name": "srv-a", "id": A, "networks": {"internal": {"ip": "10.0.1.2", "alias_ips": [ALIAS, "10.0.1.50"]}}},
        {"name": "srv-b", "id": B, "networks": {"internal": {"ip": "10.0.1.3", "alias_ips": ["10.0.1.51"]}}},
        {"name": "srv-c", "id": C, "networks": {"internal": {"ip": "10.0.1.4"}}},
    ],
    "floating_ips": [
        {"name": "web", "id": FLOATING, "ip": "192.0.2.10", "server": "srv-a", "labels": {"team": "web"}},
        {"name": "web6", "id": 502, "ip": "2001:db8:f::/64", "server": "srv-a"},
    ],
    "primary_ips": [
        {"name": "public-web", "id": PRIMARY, "ip": "198.51.100.7", "server": "srv-a", "labels": {"team": "web"}},
        {"name": "public-web6", "id": PRIMARY6, "ip": "2001:db8:a::/64", "server": "srv-a"},
    ],
}
"""Three running servers; srv-a holds everything. What it holds is labelled by somebody else as well."""


def trio(**changes: Any) -> dict[str, Any]:
    """The three servers, with some of the lists exchanged."""
    return {**copy.deepcopy(dict(TRIO)), **changes}


def with_server(scenario: Mapping[str, Any], name: str, **changes: Any) -> dict[str, Any]:
    """A scenario in which one server is otherwise."""
    servers = [{**server, **changes} if server["name"] == name else server for server in scenario["servers"]]
    return {**scenario, "servers": servers}


@dataclass(frozen=True)
class Sample:
    """An assignment from srv-a to srv-b, and how somebody else sees and changes who holds its resource."""

    type: str
    name: str
    ini: str
    holder: Callable[[Lab], int | None]
    put: Callable[[Simulator, int | None], None]
    labels: Callable[[Lab], dict[str, str]]
    claim: str
    path: str
    """A glob over the requests that change who holds it."""
    seen: str
    """A glob over the requests that show who holds it."""
    keys: Mapping[int, str]
    """What the claim calls each server."""
    needs: str = ""
    """What a section needs before it may move at all."""
    limit_s: float = 120.0
    """The time that a run has by default."""

    def section(self, source: str = "srv-a", destination: str = "srv-b", more: str = "") -> str:
        return f"{self.ini}source = {source}\ndestination = {destination}\n{self.needs}{more}\n"

    def members(self, *names: str, more: str = "") -> str:
        return f"{self.ini}members = {', '.join(names)}\n{self.needs}{more}\n"

    def to(self, server: int | None) -> Callable[[Simulator, Any], None]:
        """A hook in which somebody else moves it."""
        return lambda sim, _: self.put(sim, server)


def _floating(lab: Lab) -> int | None:
    return lab.sim.state.floating_ips[FLOATING].server_id


def _put_floating(sim: Simulator, server: int | None) -> None:
    sim.state.floating_ips[FLOATING].server_id = server


def _primary(lab: Lab) -> int | None:
    return lab.sim.state.primary_ips[PRIMARY].assignee_id


def _put_primary(sim: Simulator, server: int | None) -> None:
    sim.state.primary_ips[PRIMARY].assignee_id = server


_GATEWAYS = {A: "10.0.1.2", B: "10.0.1.3", C: "10.0.1.4"}


def gateway(lab: Lab, destination: str = "0.0.0.0/0") -> str | None:
    """Where a route leads to."""
    routes = lab.sim.state.networks[NETWORK].routes
    found = {route.gateway for route in routes if route.destination == destination}
    assert len(found) < 2
    return found.pop() if found else None


def _route(lab: Lab) -> int | None:
    found = gateway(lab)
    return next((server for server, address in _GATEWAYS.items() if address == found), None)


def _put_route(sim: Simulator, server: int | None) -> None:
    network = sim.state.networks[NETWORK]
    network.routes = [route for route in network.routes if route.destination != "0.0.0.0/0"]
    if server is not None:
        network.routes.append(Route("0.0.0.0/0", _GATEWAYS[server]))


def aliases(lab: Lab, server: int) -> list[str]:
    """A server's alias IPs."""
    return list(lab.sim.state.servers[server].private_net[0].alias_ips)


def _alias(lab: Lab) -> int | None:
    found = [id for id in lab.sim.state.servers if ALIAS in aliases(lab, id)]
    assert len(found) < 2
    return found[0] if found else None


def _put_alias(sim: Simulator, server: int | None) -> None:
    for id, item in sim.state.servers.items():
        leg = item.private_net[0]
        leg.alias_ips = [ip for ip in leg.alias_ips if ip != ALIAS] + ([ALIAS] if id == server else [])


FLOAT = Sample(
    "ip_floating",
    "floating.web",
    "[floating.web]\ntype = ip_floating\nresource = web\n",
    _floating,
    _put_floating,
    lambda lab: lab.sim.state.floating_ips[FLOATING].labels,
    "hcloud-reassign/claim",
    "/v1/floating_ips/*/actions/*",
    "/v1/floating_ips*",
    {A: str(A), B: str(B), C: str(C)},
)
ROUTE = Sample(
    "route",
    "route.default",
    "[route.default]\ntype = route\nnetwork = 0.0.0.0/0\nresource = internal\n",
    _route,
    _put_route,
    lambda lab: lab.sim.state.networks[NETWORK].labels,
    "hcloud-reassign/route.0.0.0.0_0",
    "/v1/networks/*/actions/*",
    "/v1/networks*",
    _GATEWAYS,
)
ALIASED = Sample(
    "ip_alias",
    "alias.vip",
    f"[alias.vip]\ntype = ip_alias\nresource = {ALIAS}\nnetwork = internal\n",
    _alias,
    _put_alias,
    lambda lab: lab.sim.state.networks[NETWORK].labels,
    f"hcloud-reassign/alias.{ALIAS}",
    "/v1/servers/*/actions/change_alias_ips",
    "/v1/servers*",
    {A: str(A), B: str(B), C: str(C)},
)
PUBLIC = Sample(
    "ip_public",
    "public.web",
    "[public.web]\ntype = ip_public\nresource = public-web\n",
    _primary,
    _put_primary,
    lambda lab: lab.sim.state.primary_ips[PRIMARY].labels,
    "hcloud-reassign/claim",
    "/v1/primary_ips/*/actions/*",
    "/v1/primary_ips*",
    {A: str(A), B: str(B), C: str(C)},
    "allow_poweroff = yes\n",
    300.0,
)
SAMPLES = (FLOAT, ROUTE, ALIASED, PUBLIC)
QUICK = (FLOAT, ROUTE, ALIASED)
"""The kinds that move while servers run."""


@dataclass
class About(Fault):
    """A fault for those requests alone whose body has this in it."""

    text: bytes = b""

    def fires(self, request: Any, rng: Any) -> bool:
        return self.text in request.body and super().fires(request, rng)


def triggered(ago_s: float = 1.0, to: str | None = None, **more: Any) -> Request:
    """A request that a pipeline passes on, made some seconds before the lab's clock started."""
    return Request(to=to, issued_at_ms=NOW_MS - round(ago_s * 1000), **more)


def run(lab: Lab, ini: str, request: Request | None = None, names: Sequence[str] = (), **more: Any) -> Report:
    """Run what a configuration file says; every report can be written as JSON."""
    on_event = more.pop("on_event", None)
    report = lab.project(ini, **more).run(names, request or Request(), on_event=on_event)
    json.dumps(report.document("run"))
    return report


def only(report: Report) -> Result:
    """The one result of a report that is no error."""
    assert report.error is None, report.error
    (result,) = report.results
    return result


def by_name(report: Report) -> dict[str, Result]:
    assert report.error is None, report.error
    return {result.name: result for result in report.results}


def told(result: Result) -> tuple[str, int, str | None]:
    """Outcome, exit code and guard: what a pipeline acts on."""
    return (result.outcome, int(result.code), result.guard)


def posts(lab: Lab, path: str = "") -> list[Recorded]:
    """The writes that start actions, in order."""
    return [request for request in lab.writes if request.method == "POST" and path in request.path]


def verbs(lab: Lab) -> list[str]:
    """Every write as its last word: assign, shutdown, and so on; a label as `label`."""
    return ["label" if item.method == "PUT" else item.path.rpartition("/")[2] for item in lab.writes]


def statuses(lab: Lab) -> dict[int, str]:
    return {id: server.status for id, server in lab.sim.state.servers.items()}
