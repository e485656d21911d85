"""Two to twenty runs of the real program at once on one resource, and pairs that take it from each other for a minute.

Every kind; to one server, to two and to three; typed, and with `--issued-at`. Ends with 1 when afterwards anything is
lost, taken apart or not as one of the runs said, or when the newest request did not win beyond the stated limit.

    python benchmarks/races.py [SECONDS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from itertools import product
from pathlib import Path

from tests.engine.samples import PUBLIC, SAMPLES, Sample
from tests.system.kill_points import WAYS, Way
from tests.system.racing import MEETING, MOST_REQUESTS, SLOW, TARGETS, Ended, Race, scenario
from tests.system.site import Site

RUNS = (2, 5, 20)
MOST_FLAPS = 2000
PUBLIC_S = 15.0
"""A pair that takes a primary IP from each other for longer uses up the requests of an hour."""


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    found = sum(raced(sample, runs, to, way) for sample, runs, to, way in product(SAMPLES, RUNS, TARGETS, WAYS))
    found += sum(flapped(sample, seconds) for sample in SAMPLES)
    print(f"{found} wrong")
    return 1 if found else 0


def raced(sample: Sample, runs: int, to: str, way: Way) -> bool:
    title = f"{sample.type}, {runs} runs to {to}, {way}"
    return wrong(title, sample, MEETING, runs + 1, lambda race: race.begin(runs, to, way))


def flapped(sample: Sample, seconds: float) -> bool:
    limit_s = min(seconds, PUBLIC_S) if sample is PUBLIC else seconds
    return wrong(f"{sample.type}, flapping", sample, SLOW, MOST_FLAPS, lambda race: race.flap(MOST_FLAPS - 1, limit_s))


def wrong(
    title: str, sample: Sample, action_time: tuple[float, float], tokens: int, begin: Callable[[Race], None]
) -> bool:
    """Whether anything was not as it must be."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Site(scenario(tokens), action_time=action_time) as site:
        race = Race(site, Path(folder), sample)
        begin(race)
        ended = race.ended()
        asked, won = len(site.sim.requests), race.newest_has_it(ended)
        try:
            race.judge(ended)
            assert asked < MOST_REQUESTS * len(ended), "too many requests"
        except AssertionError as error:
            print(f"WRONG: {title}: {error}")
            return True
    newest = "" if won is None else f"; the newest {'won' if won else 'did not at once'}"
    print(f"{title}: {told(ended)}; {asked} requests{newest}; {time.monotonic() - began:.1f} s", flush=True)
    return False


def told(ended: list[Ended]) -> str:
    outcomes = Counter(item.move["outcome"] for item in ended)
    return ", ".join(f"{number} {outcome}" for outcome, number in outcomes.most_common())


if __name__ == "__main__":
    sys.exit(main())
