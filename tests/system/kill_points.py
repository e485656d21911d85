"""A signal to the real process at one of its requests, then the same command where nothing is known of it.

`benchmarks/kills.py` does it at every request, the tests at every write.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from hcloud_reassign.simulator import Fault, Simulator
from hcloud_reassign.simulator.reply import Request
from tests.cli.process import Done
from tests.engine.samples import ALIASED, FLOAT, PRIMARY6, PUBLIC, QUICK, ROUTE, TRIO, B, Sample
from tests.harness import Lab
from tests.system.site import Machine, Signaller, Site, machine

MOST_REQUESTS = 200
UNDER_WAY_S = 0.8
"""How long the action of a killed triggered run still takes: longer than the second run needs to come to it."""
Way = Literal["typed", "triggered"]
How = Literal["before", "after", "SIGTERM", "SIGINT"]
"""SIGKILL before a request takes effect, or after; or a signal that asks the process to stop."""
WAYS: tuple[Way, ...] = ("typed", "triggered")
KILLS: tuple[How, ...] = ("before", "after")


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
    """Where a run gets a signal: at its n-th request, or at its n-th write."""

    how: How
    number: int
    writes: bool = False

    @property
    def signal(self) -> int:
        return signal.SIGKILL if self.how in KILLS else signal.Signals[self.how]

    def __str__(self) -> str:
        how = f"killed {self.how}" if self.how in KILLS else f"{self.how} at"
        return f"{how} {'write' if self.writes else 'request'} {self.number}"


@dataclass
class Cut(Fault):
    """A fault that sends the signal."""

    place: Place = Place("after", 1)
    request: Request | None = None

    def __post_init__(self) -> None:
        self.signaller = Signaller(self.place.signal)
        self.nth, self.run = self.place.number, self._act
        self.when = "after" if self.place.how == "after" else "before"
        self.drop = "before" if self.place.how == "before" else None

    def fires(self, request: Request, rng: random.Random) -> bool:
        return not (self.place.writes and request.method == "GET") and super().fires(request, rng)

    def _act(self, sim: Simulator, request: Request) -> None:
        self.request = request
        self.signaller(sim, request)


@dataclass(frozen=True)
class Killed:
    """What became of a run that was cut short; `loss` is None when all ended as if nothing had happened."""

    scene: str
    way: Way
    place: Place
    request: str
    loss: str | None

    def __str__(self) -> str:
        return f"{self.scene} {self.way}: {self.place} ({self.request})"


def cut_short(
    site: Site, home: Path, ini: str, place: Place, *words: str, slow_action: float | None = None
) -> tuple[str | None, Done]:
    """A run that gets a signal, the request it was at (None: it ended before it got there), and how it ended."""
    cut = Cut(place=place, slow_action=slow_action)
    site.sim.faults.append(cut)
    cli = machine(home, site)
    with cut.signaller.aim(cli.start("run", "-c", cli.file(ini), "-o", "json", *words)) as started:
        done = started.ended()
    site.sim.faults.remove(cut)
    return (f"{cut.request.method} {cut.request.path}" if cut.request else None), done


def killed_and_repeated(
    scene: Scene, way: Way, place: Place, folder: Path, again: type[Machine] = Machine
) -> Killed | None:
    """The killed run and the second one, in a project of their own; None when no run comes that far.

    `again`: how the second one is carried out, which nobody kills: as a process, or at hand.
    """
    words = words_of(scene, way)
    issued = words[-1] if way == "triggered" else None
    with Site() as site:
        slow = UNDER_WAY_S if issued else None
        request, first = cut_short(site, folder / "here", scene.ini, place, *words, slow_action=slow)
        if request is None:
            return None
        lost = wrongly_told(scene, place, first, site)
        # An empty home: no state directory, no journal.
        done = machine(folder / "elsewhere", site, again).run(scene.ini, *words)
        lost += differences(as_if_never_killed(scene, issued), picture(site))
    if done.code:
        lost.append(f"the second run ended with {done.code}: {done.out} {done.err}")
    return Killed(scene.title, way, place, request, "\n".join(lost) or None)


def wrongly_told(scene: Scene, place: Place, done: Done, site: Site) -> list[str]:
    """What the first run said that is not so."""
    if place.how in KILLS:
        return [] if done.code == -signal.SIGKILL else [f"the first run ended with {done.code}"]
    outcomes = {move["name"]: move["outcome"] for move in done.document["moves"]}
    if done.code != (5 if "unknown" in outcomes.values() else 130) or "Traceback" in done.err:
        return [f"the first run ended with {done.code}: {done.out} {done.err}"]
    if done.code == 5:
        return []
    lab = Lab(TRIO)
    for sample in scene.samples:
        # Before anything was planned there are no moves to tell of.
        if outcomes.get(sample.name) in ("done", "unchanged"):
            sample.put(lab.sim, B)
        if sample.claim in sample.labels(site):
            sample.labels(lab)[sample.claim] = sample.labels(site)[sample.claim]
    return [f"after the first run {text}" for text in differences(picture(lab), picture(site))]


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


def every_kill(scene: Scene, way: Way, how: How, folder: Path) -> Iterator[Killed]:
    """The same run again and again, killed one request later each time, until one ends before it is killed."""
    for number in range(1, MOST_REQUESTS):
        result = killed_and_repeated(scene, way, Place(how, number), folder / f"{how}-{number}")
        if result is None:
            return
        yield result
    raise AssertionError("it never came to its end")
