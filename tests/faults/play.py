"""Plays a schedule: the whole program on the simulator and a virtual clock, with a record of all that happened."""

from __future__ import annotations

import json
import random
import shlex
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import requests

from hcloud_reassign.chain import Report
from hcloud_reassign.core.errors import ReassignError
from hcloud_reassign.core.model import Request
from hcloud_reassign.core.report import Result
from hcloud_reassign.engine.events import Event
from hcloud_reassign.engine.workers import WAKE
from hcloud_reassign.equipment import Equipment
from hcloud_reassign.simulator import Fault, Simulator, Switches
from hcloud_reassign.simulator.reply import Request as Sent
from tests.faults.schedule import Call, Schedule, Trouble
from tests.faults.things import ALIAS, NETWORK, SERVERS, THINGS, Thing, ini, project
from tests.harness import START, TOKEN, Killed, Lab, VirtualClock

SETTLED_S = 300.0
"""After so long nothing that was begun is still under way, unless it is stuck."""
_UNRELIABLE = ("stale", "timeout", "arrives-late", "slow-answer")
Holders = Mapping[str, int | None]
Statuses = Mapping[int, str]


@dataclass
class Logged:
    """One request of the program, and how things were when it came in."""

    place: int
    run: int
    at: float
    method: str
    path: str
    body: bytes
    holders: Holders
    labels: Mapping[str, dict[str, str]]
    aliases: Mapping[int, tuple[str, ...]]
    status: int = 0
    dropped: bool = False
    troubles: list[Trouble] = field(default_factory=list)
    interrupted: bool = False

    @property
    def shows(self) -> bool:
        """Whether the program learned from it how things were."""
        late = any(trouble.what in _UNRELIABLE for trouble in self.troubles)
        return self.method == "GET" and self.status == 200 and not (self.dropped or late or self.interrupted)

    @property
    def lands(self) -> bool:
        """Whether it had an effect, or may have."""
        return 0 < self.status < 300 or any(trouble.what in ("error-after", "reset-after") for trouble in self.troubles)

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.body) if self.body else {}
        return data


@dataclass(frozen=True)
class Foreign:
    """What somebody else did. `place`: the first request that came after it. `what`: moved, claim, vanished, wrote."""

    place: int
    what: str
    type: str = ""
    to: int | None = None
    ms: int = 0
    detail: str = ""


@dataclass
class Ran:
    """One run of the program, from its first request to its report (None: it was killed).

    `leads_on`: why the command that it follows has to be followed by one more. `inherits`: what an earlier run had
    begun was still under way when this one began.
    """

    number: int
    call: Call
    request: Request
    start: float
    holders_before: Holders
    statuses_before: Statuses
    first: int
    end: float = 0.0
    report: Report | None = None
    killed: bool = False
    raised: BaseException | None = None
    refused_at_once: ReassignError | None = None
    holders: Holders = field(default_factory=dict)
    statuses: Statuses = field(default_factory=dict)
    labels: Mapping[str, dict[str, str]] = field(default_factory=dict)
    last: int = 0
    planned_at: int | None = None
    finished_at: int | None = None
    interrupted_at: float | None = None
    inherits: bool = False
    begun: dict[str, float] = field(default_factory=dict)
    mends: str | None = None
    leads_on: str | None = None

    @property
    def results(self) -> Mapping[str, Result]:
        """By the type of the thing."""
        found = self.report.results if self.report else ()
        names = {thing.name: type for type, thing in THINGS.items()}
        return {names[result.name]: result for result in found}


@dataclass
class Played:
    """All that happened. `exceptions` counts what an invariant honestly lets pass."""

    schedule: Schedule
    log: list[Logged] = field(default_factory=list)
    foreign: list[Foreign] = field(default_factory=list)
    runs: list[Ran] = field(default_factory=list)
    mending: list[Ran] = field(default_factory=list)
    fired: list[tuple[int, Trouble]] = field(default_factory=list)
    vanished: set[int] = field(default_factory=set)
    settled: Holders = field(default_factory=dict)
    statuses: Statuses = field(default_factory=dict)
    neighbours: frozenset[str] = frozenset()
    exceptions: Counter[str] = field(default_factory=Counter)

    def of(self, run: Ran) -> list[Logged]:
        return self.log[run.first : run.last]

    def excuse(self, why: str) -> None:
        self.exceptions[why] += 1

    def concluded(self, run: Ran, result: Result) -> int:
        """The first request that came after a move was over; others of the same run may go on."""
        if "of the same group" in (result.message or "") and result.duration_ms is not None:
            return run.last
        if result.duration_ms is None or result.name not in run.begun:
            return run.last if run.planned_at is None else run.planned_at
        over = run.begun[result.name] + result.duration_ms / 1000
        return next((item.place for item in self.of(run) if item.at > over - 0.005), run.last)

    def last_shown(self, run: Ran, thing: Thing, before: int) -> Logged | None:
        """The last answer before a request from which the run knew who has a thing."""
        reads = (item for item in reversed(self.log[run.first : before]) if item.shows and thing.is_shown_by(item.path))
        return next(reads, None)


class Armed(Fault):
    """A rule of the simulator that remembers for which request it acted."""

    lab: FaultLab
    trouble: Trouble

    def fires(self, request: Sent, rng: random.Random) -> bool:
        fires = super().fires(request, rng)
        if fires:
            self.lab.noted(self.trouble)
        return fires


class ParallelWorkers:
    """Carries every job out as if it had a thread of its own: all start when they are sent, and take their time."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._under_way: list[tuple[float, int, Any, Any, BaseException | None]] = []
        self._count = 0
        self._woken = False

    def submit(self, token: Any, job: Callable[[], Any]) -> None:
        began, answer, error = self._clock.monotonic(), None, None
        try:
            answer = job()
        except Exception as raised:  # noqa: BLE001 - handed to the one that waits, as a thread would
            error = raised
        self._count += 1
        self._under_way.append((self._clock.monotonic(), self._count, token, answer, error))
        self._clock._passed = began

    def wait(self, seconds: float) -> list[tuple[Any, Any, BaseException | None]]:
        """What ends first within so many seconds, when it does."""
        if self._woken:
            self._woken = False
            return [(WAKE, None, None)]
        until = self._clock.monotonic() + seconds
        ends = min([until, *(item[0] for item in self._under_way)])
        self._clock.advance(ends - self._clock.monotonic())
        done = sorted((item for item in self._under_way if item[0] <= ends), key=lambda item: item[:2])
        self._under_way = [item for item in self._under_way if item not in done]
        return [(token, answer, error) for _, _, token, answer, error in done]

    def wake(self) -> None:
        self._woken = True


class FaultLab(Lab):
    """A lab that keeps the record of a schedule."""

    def __init__(self, schedule: Schedule) -> None:
        scene = schedule.scene
        super().__init__(
            project(scene),
            seed=schedule.seed,
            switches=Switches(**scene.switches),
            action_time=scene.action_s,
        )
        self.played = Played(schedule)
        self.current = 0
        self.interrupt_before: int | None = None
        self.interrupted_at: float | None = None
        self.sim.faults.extend(self._armed(trouble) for trouble in schedule.troubles)

    def _armed(self, trouble: Trouble) -> Armed:
        fault = Armed(method=trouble.method, nth=trouble.nth, times=trouble.times, **self._effect(trouble))
        fault.lab, fault.trouble = self, trouble
        return fault

    def _effect(self, trouble: Trouble) -> dict[str, Any]:
        answer = {"status": trouble.status, "body": trouble.body}
        failing = {"code": "action_failed", "message": "it failed"}
        effects: Mapping[str, dict[str, Any]] = {
            "error-before": answer,
            "error-after": {**answer, "when": "after"},
            "refused": {"status": trouble.status},
            "busy": {"status": trouble.status},
            "rate-limit": {"run": lambda sim, _: _drain(sim)},
            "reset-before": {"drop": "before"},
            "reset-after": {"drop": "after"},
            "timeout": {"delay": trouble.seconds, "when": "after"},
            "arrives-late": {"delay": trouble.seconds},
            "slow-answer": {"delay": trouble.seconds, "when": "after"},
            "action-fails": {"fail_action": {**failing, "after": 0.0}},
            "action-fails-late": {"fail_action": {**failing, "after": trouble.seconds}},
            "action-locked": {"fail_action": {"code": "locked", "message": "the server is locked"}},
            "action-stuck": {"stuck_action": True},
            "action-slow": {"slow_action": trouble.seconds},
            "stale": {"stale": trouble.seconds if trouble.seconds > 3 else "last-write"},
            "server-vanishes": {"run": lambda *_: self._vanish(SERVERS[trouble.server])},
            "moved": {"run": lambda *_: self._moved(THINGS[trouble.type], SERVERS.get(trouble.server))},
            "newer-claim": {"run": lambda *_: self._claimed(trouble, moved=False)},
            "newer-move": {"run": lambda *_: self._claimed(trouble, moved=True)},
            "neighbour": {"run": lambda *_: self._wrote(THINGS[trouble.type], SERVERS[trouble.server])},
            "revoked": {"run": lambda sim, _: sim.cloud.project.tokens.clear()},
        }
        return effects[trouble.what]

    def equipment(self) -> Equipment:
        return replace(super().equipment(), workers=lambda: ParallelWorkers(self.clock))

    # what somebody else does

    def _place(self) -> int:
        return len(self.played.log) - 1

    def _happened(self, *changes: Foreign) -> None:
        """The request that is under way meets what is so now."""
        self.played.foreign += changes
        meets = self.played.log[-1]
        meets.holders, meets.labels, meets.aliases = self.holders(), self.labels(), self._aliases()

    def _vanish(self, server: int) -> None:
        if server in self.sim.state.servers:
            self.played.vanished.add(server)
            lost = [type for type in self.played.schedule.scene.types if THINGS[type].holder(self.sim) == server]
            self.sim.delete_server(server)
            self._happened(*(Foreign(self._place(), "moved", type, None) for type in lost))

    def _moved(self, thing: Thing, server: int | None) -> bool:
        moved = thing.put(self.sim, server)
        if moved:
            self._happened(Foreign(self._place(), "moved", thing.type, server))
        return moved

    def _claimed(self, trouble: Trouble, moved: bool) -> None:
        """A triggered run of somebody else writes its claim, and may move it as well."""
        thing, server = THINGS[trouble.type], SERVERS[trouble.server]
        labels = thing.labels(self.sim)
        if labels is None or (moved and thing.holder(self.sim) != server and not self._moved(thing, server)):
            return
        ms = round(self.clock.wall() * 1000) + 1
        self._label(thing, thing.claim, f"{ms}.{thing.key_of(server)}")
        self._happened(Foreign(self._place(), "claim", thing.type, server, ms))

    def _wrote(self, thing: Thing, server: int) -> None:
        """Somebody keeps other things in the same places."""
        place = self._place()
        self._label(thing, f"note-{place}", "mine")
        self._happened(Foreign(place, "wrote", thing.type, detail=f"{thing.table} {thing.id} note-{place}"))
        state, cloud = self.sim.state, self.sim.cloud
        crowded = server in state.servers and len(state.servers[server].private_net[0].alias_ips) > 2
        locked = {("server", server), ("network", NETWORK)} & cloud.locks().keys()
        if server in state.servers and not crowded and not locked:
            cloud.note(cloud.now, "servers", server)
            alias = f"10.0.1.{100 + place % 100}" if place % 100 else "10.0.1.99"
            if alias not in (item for items in self._aliases().values() for item in items):
                leg = state.servers[server].private_net[0]
                leg.alias_ips = [*leg.alias_ips, alias]
                self._happened(Foreign(place, "wrote", "ip_alias", server, detail=f"alias {alias}"))

    def _label(self, thing: Thing, key: str, value: str) -> None:
        cloud, item = self.sim.cloud, getattr(self.sim.state, thing.table)[thing.id]
        cloud.note(cloud.now, thing.table, thing.id)
        item.labels = {**item.labels, key: value}

    # the record

    def noted(self, trouble: Trouble) -> None:
        self.played.fired.append((self._place(), trouble))
        self.played.log[-1].troubles.append(trouble)

    def before_request(self, request: requests.PreparedRequest) -> None:
        interrupted = self.interrupt_before == self._sent + 1
        if interrupted:
            self._interrupt()
        super().before_request(request)
        path, body = (request.path_url or "").partition("?")[0], request.body or b""
        self.played.log.append(
            Logged(
                len(self.played.log),
                self.current,
                self.clock.monotonic(),
                request.method or "",
                path,
                body.encode() if isinstance(body, str) else body,
                self.holders(),
                self.labels(),
                self._aliases(),
                interrupted=interrupted,
            )
        )

    def _interrupt(self) -> None:
        """SIGTERM; answers to what is being asked at the same moment are not waited for."""
        self.interrupted_at = self.clock.monotonic()
        for item in reversed(self.played.log):
            if item.run != self.current or item.method != "GET":
                break
            item.interrupted = True
        signal.raise_signal(signal.SIGTERM)

    def after_request(self, request: requests.PreparedRequest) -> None:
        seen, logged = self.sim.requests[-1], self.played.log[-1]
        logged.status, logged.dropped = seen.status, seen.dropped
        super().after_request(request)

    def holders(self) -> Holders:
        return {type: THINGS[type].holder(self.sim) for type in self.played.schedule.scene.types}

    def labels(self) -> dict[str, dict[str, str]]:
        found = ((type, THINGS[type].labels(self.sim)) for type in self.played.schedule.scene.types)
        return {type: labels for type, labels in found if labels is not None}

    def _aliases(self) -> dict[int, tuple[str, ...]]:
        return {id: tuple(server.private_net[0].alias_ips) for id, server in self.sim.state.servers.items()}

    def statuses(self) -> Statuses:
        return {id: server.status for id, server in self.sim.state.servers.items()}

    # runs

    def go(self, call: Call, request: Request, names: tuple[str, ...] = ()) -> Ran:
        """One run, as a process of its own."""
        self.current += 1
        ran = Ran(
            self.current,
            call,
            request,
            self.clock.monotonic(),
            self.holders(),
            self.statuses(),
            len(self.played.log),
        )
        self.interrupted_at = None
        self._stop_as(call)
        try:
            self._run(ran, names)
        except Killed:
            ran.killed = True
        except ReassignError as error:
            ran.refused_at_once = error
        except Exception as error:  # noqa: BLE001 - an invariant judges it
            ran.raised = error
        self.kill_before = self.kill_after = self.interrupt_before = None
        self.sim.state  # noqa: B018 - lets happen what is due
        ran.end, ran.last, ran.interrupted_at = self.clock.monotonic(), len(self.played.log), self.interrupted_at
        ran.holders, ran.statuses, ran.labels = self.holders(), self.statuses(), self.labels()
        began = START + ran.start
        ran.inherits = any(
            action.started < began and (action.finished is None or action.finished > began)
            for action in self.sim.state.actions.values()
        )
        return ran

    def _run(self, ran: Ran, names: tuple[str, ...]) -> None:
        def listen(event: Event) -> None:
            if event.event == "run.finished":
                ran.finished_at = len(self.played.log)
            elif event.event == "planned":
                ran.planned_at = len(self.played.log)
            elif event.event == "move.started":
                ran.begun[event.data["name"]] = self.clock.monotonic()

        overrides: dict[str, Any] = {} if ran.call.timeout_s is None else {"timeout_s": ran.call.timeout_s}
        names = names or tuple(THINGS[type].name for type in self.played.schedule.scene.types)
        if self.played.schedule.scene.group and len(names) > 1:
            names = ("group.all",)
        ran.report = self.project(ini(self.played.schedule.scene), **overrides).run(names, ran.request, on_event=listen)
        json.dumps(ran.report.document("run"))

    def _stop_as(self, call: Call) -> None:
        at = self._sent + call.stop_at
        if call.stop == "interrupt":
            self.interrupt_before = at
        elif call.stop == "kill-before":
            self.kill_before = at
        elif call.stop == "kill-after":
            self.kill_after = at


def _drain(sim: Simulator) -> None:
    sim.cloud.limits.project.tokens = 0.0


def play(schedule: Schedule) -> Played:
    """Everything that a schedule says, and at last what the program advises where it does not know the end."""
    lab = FaultLab(schedule)
    played = lab.played
    for call in schedule.calls:
        lab.clock.advance(call.wait_s)
        ran = lab.go(call, request_of(call))
        played.runs.append(ran)
        if ran.killed:
            again = replace(call, stop=None)
            lab.clock.advance(1.0)
            played.runs.append(lab.go(again, request_of(again)))
    _mend(lab)
    lab.clock.advance(SETTLED_S)
    played.settled, played.statuses = lab.holders(), lab.statuses()
    played.neighbours = _neighbours(lab)
    return played


def request_of(call: Call) -> Request:
    return Request(
        to=call.to,
        direction=call.direction,
        force=call.force,
        allow_poweroff=call.allow_poweroff,
        hard_poweroff=call.hard_poweroff,
        power_on=call.power_on,
        issued_at_ms=None if call.issued_s is None else round((START + call.issued_s) * 1000),
    )


def _mend(lab: FaultLab) -> None:
    """Nothing goes wrong any more, and what is advised is done."""
    lab.sim.faults.clear()
    lab.sim.cloud.project.tokens.setdefault(TOKEN, "read-write")
    for action in list(lab.sim.cloud.running.values()):
        if action.finish_at is None:
            lab.sim.finish_action(action.id)
    lab.sim.cloud.limits.project.tokens = 3600.0
    lab.clock.advance(lab.played.schedule.mend_after_s)
    last = lab.played.runs[-1]
    for result in last.results.values():
        if result.outcome == "unknown" and result.next is not None:
            try:
                name, request = parsed(result.next)
            except ValueError as error:
                last.raised = error
                return
            _follow(lab, result.next, name, request)


def _follow(lab: FaultLab, command: str, name: str, request: Request) -> None:
    """What was advised, and again what that says."""
    for _ in range(4):
        ran = _advised(lab, command, name, request)
        answer = ran.report.results[0] if ran.report and ran.report.results else None
        message = (answer.message if answer else None) or ""
        if "--hard-poweroff" in message and not request.hard_poweroff:
            ran.leads_on = "a server did not obey the shutdown in time, and --hard-poweroff was advised"
            command, request = f"{command} --hard-poweroff", replace(request, hard_poweroff=True)
        elif "has it now" in message and answer and answer.outcome in ("refused", "failed"):
            ran.leads_on = "a move that somebody else had ended was cleared up first; the same command then moves it"
        else:
            return


def _advised(lab: FaultLab, command: str, name: str, request: Request) -> Ran:
    ran = lab.go(Call(), request, (name,))
    ran.mends = command
    lab.played.mending.append(ran)
    return ran


def parsed(command: str) -> tuple[str, Request]:
    """A command line that was printed, understood as the command would. Raises ValueError when it would not."""
    words = shlex.split(command)
    if words[:2] != ["hcloud-reassign", "run"] or len(words) < 3 or words[2].startswith("-"):
        raise ValueError(f"not a run of one section: {command}")
    request, rest = Request(), words[3:]
    while rest:
        word = rest.pop(0)
        if word == "--to" and rest and rest[0]:
            request = replace(request, to=rest.pop(0))
        elif word in ("--force", "--allow-poweroff", "--hard-poweroff", "--power-on"):
            flag: dict[str, Any] = {word[2:].replace("-", "_"): True}
            request = replace(request, **flag)
        else:
            raise ValueError(f"{word!r} is no option: {command}")
    return words[2], request


def _neighbours(lab: FaultLab) -> frozenset[str]:
    """Everything that nobody asked to be changed, each as a word."""
    state = lab.sim.state
    labels = {
        f"{thing.table} {thing.id} {key}"
        for thing in THINGS.values()
        for key in thing.labels(lab.sim) or ()
        if not key.startswith("hcloud-reassign/")
    }
    aliases = {f"alias {ip}" for server in state.servers.values() for ip in server.private_net[0].alias_ips}
    routes = {f"route {route.destination} {route.gateway}" for route in state.networks[NETWORK].routes}
    floating = {f"floating {item.name} {item.server_id}" for item in state.floating_ips.values() if item.id == 502}
    return frozenset(labels | (aliases - {f"alias {ALIAS}"}) | routes | floating)
