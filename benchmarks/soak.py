"""Twenty deaths of a master in a row with two real keepalived, and how long each part of the fail-over takes.

    python benchmarks/soak.py [ROUNDS] [ADVERT_INT]

Needs root, for network namespaces, and keepalived. Ends with 1 at the first round that misses.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.e2e.failover import FailOver, Legs
from tests.e2e.nodes import Pair
from tests.platforms.gitlab import GitLab
from tests.system.site import Site

PARTS: Sequence[tuple[str, Callable[[Legs], float]]] = (
    ("the other one has the address", lambda legs: legs.master),
    ("until the platform is asked", lambda legs: legs.asked - legs.master),
    ("until the API shows the new holder", lambda legs: legs.moved - legs.asked),
    ("in all", lambda legs: legs.moved),
)


def main(words: Sequence[str]) -> int:
    rounds, advert_s = int(words[0]) if words else 20, float(words[1]) if len(words) > 1 else 1.0
    with (
        tempfile.TemporaryDirectory() as folder,
        Pair(Path(folder)) as pair,
        Site() as site,
        GitLab(host="0.0.0.0") as platform,
    ):
        lab = FailOver(Path(folder), pair, site, platform, advert_s=advert_s)
        try:
            lab.start()
            seen = [_round(lab, number) for number in range(1, rounds + 1)]
        except AssertionError as error:
            print(error)
            return 1
    print(f"\n{rounds} rounds without a miss, advert_int {advert_s:g} s; seconds")
    print(f"{'':36}{'least':>8}{'median':>8}{'most':>8}")
    for title, part in PARTS:
        values = [part(legs) for legs in seen]
        print(f"{title:36}{min(values):8.2f}{statistics.median(values):8.2f}{max(values):8.2f}")
    return 0


def _round(lab: FailOver, number: int) -> Legs:
    dying = lab.pair.a if number % 2 else lab.pair.b
    legs = lab.lose(dying)
    times = f"MASTER after {legs.master:.2f} s, asked {legs.asked:.2f}, moved {legs.moved:.2f}"
    print(f"{number:3}. {dying.name} died: {times}", flush=True)
    return legs


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
