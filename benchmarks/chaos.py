"""Many random schedules of faults against the engine, in process: how many break an invariant (none should).

    python benchmarks/chaos.py [SCHEDULES] [--first SEED] [--table]

Prints progress, and at the end what was met and what came of it; --table prints nothing but the table of faults and
outcomes. Ends with 1 when an invariant was broken; the smallest schedule that still does is printed then.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hcloud_reassign.core.report import Result  # noqa: E402
from tests.faults.dice import WAYS, schedule  # noqa: E402
from tests.faults.invariants import INVARIANTS, breaches  # noqa: E402
from tests.faults.play import Played, Ran, play  # noqa: E402
from tests.faults.shrink import shrunk, still_breaks  # noqa: E402

SCHEDULES, CHUNK, PROCESSES = 20_000, 100, 2
KINDS = ("ip_floating", "route", "ip_alias", "ip_public")
OUTCOMES = ("done", "unchanged", "failed", "refused", "unknown")
NOTHING = "nothing"


@dataclass
class Tally:
    """What some schedules came to. `cells`: fault, kind and outcome of plain runs that met just that fault."""

    schedules: int = 0
    runs: int = 0
    requests: int = 0
    killed: int = 0
    interrupted: int = 0
    advised: int = 0
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    cells: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    exceptions: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def count(self, played: Played) -> None:
        self.schedules += 1
        self.runs += len(played.runs) + len(played.mending)
        self.requests += len(played.log)
        self.killed += sum(run.killed for run in played.runs)
        self.interrupted += sum(run.interrupted_at is not None for run in played.runs)
        self.advised += len(played.mending)
        self.exceptions += played.exceptions
        self.faults.update(trouble.what for _, trouble in played.fired)
        for run in played.runs:
            self.kinds.update((kind_of(type), result.outcome) for type, result in run.results.items())
        first = played.runs[0]
        met = {trouble.what for place, trouble in played.fired if place < first.last}
        if is_plain(played, first) and len(met) < 2:
            what = met.pop() if met else NOTHING
            self.cells.update((what, kind_of(type), word(result)) for type, result in first.results.items())


def kind_of(type: str) -> str:
    return "ip_public" if type == "ip_public6" else type


def word(result: Result) -> str:
    """The outcome; a refusal with its guard, which says why."""
    return f"refused ({result.guard})" if result.outcome == "refused" else result.outcome


def is_plain(played: Played, run: Ran) -> bool:
    """Whether a run would have ended with `done`, had nothing gone wrong: from srv-a to another server that runs."""
    scene, call = played.schedule.scene, run.call
    moves = scene.holder == "srv-a" and call.to != "srv-a" and call.direction == "dest"
    obeys = not scene.deaf and scene.shutdown_s < 5 and (not scene.own or "occupied" in scene.options)
    left_alone = call.stop is None and call.timeout_s is None and not scene.off
    return moves and obeys and left_alone and call.allow_poweroff


def explore(seeds: range) -> Tally:
    tally = Tally()
    for seed in seeds:
        made = schedule(seed)
        played = play(made)
        found = breaches(played)
        tally.count(played)
        if found:
            small = shrunk(made, still_breaks(found[0].invariant))
            tally.broken.append(f"seed {seed} breaks {found[0].invariant}: {found[0].detail}\n  {small.as_json()}")
    return tally


def prepared() -> None:
    """A home of its own for a process, and no search for proxies before every request."""
    home = tempfile.mkdtemp(prefix="chaos-", dir=os.environ["CHAOS_HOME"])
    os.environ.update(HOME=home, HCLOUD_REASSIGN_STATE=f"{home}/state")
    os.environ.pop("HCLOUD_TOKEN", None)
    import requests.sessions

    sessions: Any = requests.sessions
    sessions.get_environ_proxies = lambda *_, **__: {}


def table(tally: Tally) -> Iterator[str]:
    """Markdown: for each fault, what came of the runs that met it and no other."""
    yield "| what goes wrong | " + " | ".join(f"`{kind}`" for kind in KINDS) + " |"
    yield "|---|" + "---|" * len(KINDS)
    for what, words in ((NOTHING, "nothing"), *WAYS.items()):
        yield f"| {words} | " + " | ".join(cell(tally, what, kind) for kind in KINDS) + " |"


def cell(tally: Tally, what: str, kind: str) -> str:
    counts = Counter({key[2]: number for key, number in tally.cells.items() if key[:2] == (what, kind)})
    return ", ".join(f"{outcome} {number}" for outcome, number in counts.most_common()) or "-"


def summary(tally: Tally, took_s: float, cpu_s: float) -> Iterator[str]:
    yield f"{tally.schedules} schedules in {took_s:.0f} s ({cpu_s:.0f} s of one core's time)"
    yield f"{tally.runs} runs, {tally.requests} requests"
    yield f"{tally.killed} runs killed, {tally.interrupted} interrupted, {tally.advised} advised commands carried out"
    yield f"{len(INVARIANTS)} invariants, {len(tally.broken)} schedules break one"
    yield "\noutcomes"
    for kind in KINDS:
        yield f"  {kind:12} " + ", ".join(f"{name} {tally.kinds[kind, name]}" for name in OUTCOMES)
    yield "\nfaults that were met"
    yield from (f"  {number:6} {WAYS[what]}" for what, number in tally.faults.most_common())
    yield "\ncounted exceptions"
    yield from (f"  {number:6} {why}" for why, number in tally.exceptions.most_common())


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Random schedules of faults against the engine.")
    parser.add_argument("schedules", nargs="?", type=int, default=SCHEDULES)
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--table", action="store_true", help="print only the table of faults and outcomes")
    given = parser.parse_args(arguments)
    end = given.first + given.schedules
    chunks = [range(start, min(start + CHUNK, end)) for start in range(given.first, end, CHUNK)]
    tally, began = Tally(), time.monotonic()
    with tempfile.TemporaryDirectory() as home:
        os.environ["CHAOS_HOME"] = home
        with multiprocessing.Pool(PROCESSES, prepared) as pool:
            for number, part in enumerate(pool.imap_unordered(explore, chunks), 1):
                tally.add(part)
                if part.broken or number % 10 == 0:
                    print(f"{tally.schedules} schedules, {len(tally.broken)} broken", file=sys.stderr)
                    print("".join(f"{text}\n" for text in part.broken), end="", file=sys.stderr)
            pool.close()
            pool.join()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = summary(tally, time.monotonic() - began, used.ru_utime + used.ru_stime)
    print("\n".join(table(tally) if given.table else told))
    return 1 if tally.broken else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
