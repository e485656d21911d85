"""Many runs of the real program on one resource, each with a token of its own, and what must be true afterwards."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hcloud_reassign.simulator import Fault, Recorded, Simulator
from hcloud_reassign.simulator.reply import Request
from tests.cli.process import Done, assert_fits
from tests.engine.samples import PUBLIC, TRIO, A, B, C, Sample
from tests.harness import Lab
from tests.system.kill_points import Way, differences, picture
from tests.system.site import Cold, Machine, Site, Started, id_of, machine, only

NAMES = {A: "srv-a", B: "srv-b", C: "srv-c"}
CLAIMS = ("hcloud-reassign/claim", "hcloud-reassign/route.", "hcloud-reassign/alias.")
CODES = {"done": 0, "unchanged": 0, "failed": 1, "refused": 3, "unknown": 5}
TARGETS: Mapping[str, Sequence[int]] = {"one": (B,), "two": (B, A), "three": (B, A, C)}
"""Where the runs of a race want it: where all do, or by turns."""
MOST_REQUESTS = 100
"""What one run may need on average, however many others there are."""
LONGEST_S = 310.0
"""The deadline of a run that moves a primary IP, and a little."""
MEETING = (0.02, 0.15)
"""Seconds that an action takes: enough for another run to come in between."""
SLOW = (0.3, 0.8)
"""So slow that the next run has started before it ends."""


def scenario(runs: int) -> dict[str, Any]:
    """The project of the samples, with a token for every run."""
    return {**TRIO, "tokens": {_token(number): "read-write" for number in range(runs)}}


def _token(number: int) -> str:
    return f"token-of-run-{number}"


@dataclass(frozen=True)
class Run:
    """One of the runs; `issued_ms` is when it was asked for, None when it was typed."""

    token: str
    to: int
    issued_ms: int | None
    started: Started


@dataclass(frozen=True)
class Ended:
    """A run that has ended, and what the simulator saw of it."""

    run: Run
    done: Done
    seen: frozenset[int | None]
    """Who held it while the run looked."""
    requests: tuple[Recorded, ...]

    @property
    def move(self) -> dict[str, Any]:
        return only(self.done)

    @property
    def moved(self) -> bool:
        return any(item.method == "POST" and item.status < 400 for item in self.requests)

    @property
    def wrote(self) -> bool:
        return any(item.method != "GET" for item in self.requests)


class Race:
    """Runs on one resource of a site."""

    def __init__(self, site: Site, home: Path, sample: Sample) -> None:
        self.site, self.sample = site, sample
        # A server that was just started ignores it, and whoever waits for it would wait for half a minute.
        more = "shutdown_timeout = 3" if sample is PUBLIC else ""
        self._home, self._ini = home, sample.members(*NAMES.values(), more=more)
        self._runs: list[Run] = []
        self._holders: list[tuple[str, int | None]] = [("", A)]
        """After every request the token that it had, and who holds it then."""
        self._claimed: set[str] = set()
        self._asked = threading.Condition()
        self._done: dict[str, Done] = {}
        site.sim.faults.append(Fault(times=None, when="after", run=self._look))

    def _look(self, _: Simulator, request: Request) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        self._holders.append((token, self.sample.holder(self.site)))
        if request.method == "PUT":
            with self._asked:
                self._claimed.add(token)
                self._asked.notify_all()

    def start(self, to: int, issued_ms: int | None = None, kind: type[Machine] = Machine) -> Run:
        """Runs to one server are begun on one machine: they share its state directory."""
        token = _token(len(self._runs))
        state = str(self._home / f"state-of-{NAMES[to]}")
        cli = machine(self._home / token, self.site, kind, HCLOUD_TOKEN=token, HCLOUD_REASSIGN_STATE=state)
        issued = () if issued_ms is None else ("--issued-at", str(issued_ms))
        call = ("run", self.sample.name, "--to", NAMES[to], "-c", cli.file(self._ini), "-o", "json", *issued)
        self._runs.append(Run(token, to, issued_ms, cli.start(*call)))
        return self._runs[-1]

    def begin(self, runs: int, to: str, way: Way) -> None:
        """All at once; the newest request may be of any of them."""
        moments = [time.time_ns() // 1_000_000 - 1000 * number for number in range(runs)]
        random.Random(f"{self.sample.type} {runs} {to}").shuffle(moments)
        for moment, target in zip(moments, itertools.cycle(TARGETS[to]), strict=False):
            self.start(target, moment if way == "triggered" else None)

    def flap(self, runs: int, seconds: float = LONGEST_S) -> None:
        """Two machines take it from each other: each begins when the other one has written its claim.

        They start Python anew, as a pipeline does: the other one's move is under way by then.
        """
        until = time.monotonic() + seconds
        for _, to in zip(range(runs), itertools.cycle((B, A)), strict=False):
            run = self.start(to, time.time_ns() // 1_000_000, Cold)
            with self._asked:
                # Whoever is refused writes none, and ends.
                while run.token not in self._claimed and run.started.process.poll() is None:
                    self._asked.wait(0.05)
            self._collect()
            if time.monotonic() > until:
                return

    def _collect(self) -> None:
        """Files of ended processes are closed: there may be more runs than a process may have open."""
        for run in self._runs:
            if run.token not in self._done and run.started.process.poll() is not None:
                self._done[run.token] = run.started.ended(limit_s=LONGEST_S)

    def ended(self) -> list[Ended]:
        """All of them, in the order in which they were started."""
        for run in self._runs:
            if run.token not in self._done:
                self._done[run.token] = run.started.ended(limit_s=LONGEST_S)
        return [self._ended(run, self._done[run.token]) for run in self._runs]

    def _ended(self, run: Run, done: Done) -> Ended:
        places = [place for place, (token, _) in enumerate(self._holders) if token == run.token]
        window = self._holders[min(places) - 1 : max(places) + 1]
        return Ended(run, done, frozenset(holder for _, holder in window), tuple(self._requests(run.token)))

    def _requests(self, token: str) -> list[Recorded]:
        return [item for item in self.site.sim.requests if item.authorization == f"Bearer {token}"]

    # What must be true afterwards

    def judge(self, ended: list[Ended]) -> None:
        for item in ended:
            told_the_truth(item)
        holder, requests = self.sample.holder(self.site), self.site.sim.requests
        last = max(ended, key=lambda item: requests.index(item.requests[-1]))
        if last.done.code == 0:
            assert holder == last.run.to, "the last one to look says that it has it"
        newest = max(ended, key=lambda item: item.run.issued_ms or 0)
        if newest.done.code == 5 or (newest.done.code and self.sample is PUBLIC):
            # It says that it did not come through: the same command again does.
            self.again(newest.run.to, newest.run.issued_ms)
        elif 5 in {item.done.code for item in ended}:
            self.again(holder or A, newest.run.issued_ms)
        assert self.sample.holder(self.site) in {item.run.to for item in ended} | {A}, "nobody has it"
        self.nothing_else_changed()
        if newest.run.issued_ms:
            self.newest_won(newest, ended)

    def newest_has_it(self, ended: list[Ended]) -> bool | None:
        """Whether the newest request won at once; None when nobody said when it was made."""
        newest = max(ended, key=lambda item: item.run.issued_ms or 0).run
        return None if newest.issued_ms is None else self.sample.holder(self.site) == newest.to

    def again(self, to: int, issued_ms: int | None) -> None:
        """What ended as unknown is put in order by one more run."""
        one_more = self.start(to, issued_ms).started.ended()
        assert one_more.code == 0, one_more

    def nothing_else_changed(self) -> None:
        lab = Lab(TRIO)
        self.sample.put(lab.sim, self.sample.holder(self.site))
        claims = {key: value for key, value in self.sample.labels(self.site).items() if key.startswith(CLAIMS)}
        self.sample.labels(lab).update(claims)
        assert not differences(picture(lab), picture(self.site))

    def newest_won(self, newest: Ended, ended: list[Ended]) -> None:
        holder, claim = self.sample.holder(self.site), self.sample.labels(self.site).get(self.sample.claim)
        if holder == newest.run.to:
            return
        told = f"{holder} has it, the claim is {claim}; the newest: {newest.done}"
        if any("claim could not be written" in item.done.err for item in ended):
            return
        assert self._overlapped(newest), told
        assert claim is not None and self.sample.keys[holder or 0] == claim.partition(".")[2], told

    def _overlapped(self, newest: Ended) -> bool:
        """Whether somebody wrote over its claim who had read the labels before it was there: within one round trip."""
        requests = self.site.sim.requests
        mine = f"Bearer {newest.run.token}"
        writes = [n for n, item in enumerate(requests) if _labels(item)]
        claimed = next(n for n in writes if requests[n].authorization == mine)
        over = next((n for n in writes if n > claimed), None)
        if over is None:
            return False
        writer = requests[over]
        where = (writer.path, writer.path.rpartition("/")[0])
        read = [
            n
            for n, item in enumerate(requests[:over])
            if item.authorization == writer.authorization and item.path in where
        ]
        return read[-1] < claimed


def _labels(item: Recorded) -> bool:
    return item.method == "PUT" and item.status < 400 and "labels" in json.loads(item.body)


def told_the_truth(item: Ended) -> None:
    """What a run says fits what it sent, and what there was to be seen while it ran."""
    assert_fits(item.done.document, "run")
    assert "Traceback" not in item.done.err and "internal error" not in item.done.err, item.done
    outcome, move = item.move["outcome"], item.move
    assert item.done.code == item.done.document["exit_code"] == CODES[outcome], item.done
    if outcome in ("done", "unchanged"):
        assert id_of(move["after"]) == item.run.to and item.run.to in item.seen, item.done
    elif move["after"] is not None:
        assert id_of(move["after"]) in item.seen, item.done
    if outcome == "done" and move["type"] != PUBLIC.type:
        # Of a primary IP more is done than that it arrives: a run may have found its servers still stopped.
        assert item.wrote or item.seen != {item.run.to}, "it says that it did something, and nothing happened"
    if outcome == "unchanged" and item.moved:
        # Somebody else took it away again, and brought it, or our action failed beside theirs: the steps tell of it.
        told = {step["status"] for step in move["steps"]}
        assert told & {"done", "failed"}, f"it says that it did nothing and moved something: {item.done}"
