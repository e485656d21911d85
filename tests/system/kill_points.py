"""SIGKILL to the real process at one of its requests, then the same command where nothing is known of it.

`benchmarks/kills.py` does it at every request, the tests at every write.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from hcloud_reassign.simulator import Fault, Simulator
from hcloud_reassign.simulator.reply import Request
from tests.engine.samples import ALIASED, FLOAT, PRIMARY6, PUBLIC, QUICK, ROUTE, TRIO, B, Sample
from tests.harness import Lab
from tests.system.site import Signaller, Site, machine

KILL = 9
MOST_REQUESTS = 200
UNDER_WAY_S = 0.8
"""How long the action of a killed triggered run still takes: longer than the second run needs to come to it."""
Way = Literal["typed", "triggered"]
When = Literal["before", "after"]
WAYS: tuple[Way, ...] = ("typed", "triggered")
WHENS: tuple[When, ...] = ("before", "after")


def _six(sim: Simulator, server: int | None) -> None:
    sim.state.primary_ips[PRIMARY6].assignee_id = server


PUBLIC6 = replace(
    PUBLIC,
    name="public.web6",
    ini=PUBLIC.ini.replace("public.web", "public.web6").replace("public-web", "public-web6"),
    holder=lambda lab: lab.sim.state.primary_ips[PRIMARY6].assignee_id,
    put=_six,
    labels=lambda lab: lab.sim.state.primary_ips[PRIMARY6].labels,
)


@dataclass(frozen=True)
class Scene:
    """Assignments that one command moves from srv-a to srv-b."""

    title: str
    samples: tuple[Sample, ...]
    more: str = ""

    @property
    def ini(self) -> str:
        return "".join(sample.section() for sample in self.samples) + self.more

    @property
    def names(self) -> tuple[str, ...]:
        return ("group.all",) if self.more else tuple(sample.name for sample in self.samples)


SCENES = (
    Scene("ip_floating", (FLOAT,)),
    Scene("route", (ROUTE,)),
    Scene("ip_alias", (ALIASED,)),
    Scene("ip_public-v4", (PUBLIC,)),
    Scene("ip_public-v4-v6", (PUBLIC, PUBLIC6)),
    Scene("group", QUICK, "[group.all]\nmembers = floating.web, route.default, alias.vip\n"),
)


@dataclass(frozen=True)
class Place:
    """Where a run is killed: its n-th request, or its n-th write, before it takes effect or after."""

    when: When
    number: int
    writes: bool = False

    def __str__(self) -> str:
        return f"{self.when} {'write' if self.writes else 'request'} {self.number}"


@dataclass
class Cut(Fault):
    """A fault that ends the process."""

    place: Place = Place("after", 1)
    kill: Signaller = field(default_factory=lambda: Signaller(KILL))
    request: Request | None = None

    def __post_init__(self) -> None:
        self.nth, self.when, self.run = self.place.number, self.place.when, self._act
        self.drop = "before" if self.place.when == "before" else None

    def fires(self, request: Request, rng: random.Random) -> bool:
        return not (self.place.writes and request.method == "GET") and super().fires(request, rng)

    def _act(self, sim: Simulator, request: Request) -> None:
        self.request = request
        self.kill(sim, request)


@dataclass(frozen=True)
class Killed:
    """What became of a killed run; `loss` is None when the same command ended it as if nothing had happened."""

    scene: str
    way: Way
    place: Place
    request: str
    loss: str | None

    def __str__(self) -> str:
        return f"{self.scene} {self.way}: killed {self.place} ({self.request})"


def killed(site: Site, home: Path, ini: str, place: Place, *words: str, slow_action: float | None = None) -> str | None:
    """A run of which nothing is left from that request on, which is told; None when it ended before it got there."""
    cut = Cut(place=place, slow_action=slow_action)
    site.sim.faults.append(cut)
    cli = machine(home, site)
    with cut.kill.aim(cli.start("run", "-c", cli.file(ini), *words)) as started:
        done = started.ended()
    site.sim.faults.remove(cut)
    assert done.code == (-KILL if cut.request else 0), done
    return f"{cut.request.method} {cut.request.path}" if cut.request else None


def killed_and_repeated(scene: Scene, way: Way, place: Place, folder: Path) -> Killed | None:
    """The killed run and the second one, in a project of their own; None when no run comes that far."""
    words = words_of(scene, way)
    issued = words[-1] if way == "triggered" else None
    with Site() as site:
        slow = UNDER_WAY_S if issued else None
        request = killed(site, folder / "here", scene.ini, place, *words, slow_action=slow)
        if request is None:
            return None
        # An empty home: no state directory, no journal.
        done = machine(folder / "elsewhere", site).run(scene.ini, *words)
        lost = differences(as_if_never_killed(scene, issued), picture(site))
    if done.code:
        lost.insert(0, f"the second run ended with {done.code}: {done.out} {done.err}")
    return Killed(scene.title, way, place, request, "\n".join(lost) or None)


def words_of(scene: Scene, way: Way) -> tuple[str, ...]:
    return (*scene.names, "--issued-at", str(time.time_ns() // 1_000_000)) if way == "triggered" else scene.names


Picture = dict[str, Any]


def as_if_never_killed(scene: Scene, issued: str | None) -> Picture:
    """The project as it has to be in the end, drawn without the program."""
    lab = Lab(TRIO)
    for sample in scene.samples:
        sample.put(lab.sim, B)
        if issued:
            sample.labels(lab)[sample.claim] = f"{issued}.{sample.keys[B]}"
    return picture(lab)


def picture(lab: Lab) -> Picture:
    """All that a move could change: holders, alias IPs, routes, power, labels."""
    state = lab.sim.state
    found: Picture = {}
    for ip in state.floating_ips.values():
        found[ip.name] = (ip.server_id, ip.labels)
    for address in state.primary_ips.values():
        found[address.name] = (address.assignee_id, address.labels)
    for server in state.servers.values():
        legs = [(leg.network, leg.ip, sorted(leg.alias_ips)) for leg in server.private_net]
        found[server.name] = (server.status, legs, server.labels)
    for network in state.networks.values():
        routes = sorted((route.destination, route.gateway) for route in network.routes)
        found[network.name] = (routes, network.labels)
    return found


def differences(wanted: Picture, seen: Picture) -> list[str]:
    return [f"{name} is {seen[name]}, not {wanted[name]}" for name in wanted if seen[name] != wanted[name]]


def every_kill(scene: Scene, way: Way, when: When, folder: Path) -> Iterator[Killed]:
    """The same run again and again, killed one request later each time, until one ends before it is killed."""
    for number in range(1, MOST_REQUESTS):
        result = killed_and_repeated(scene, way, Place(when, number), folder / f"{when}-{number}")
        if result is None:
            return
        yield result
    raise AssertionError("it never came to its end")
