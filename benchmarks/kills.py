"""SIGKILL to the real program before and after each of its requests, and the same command again from an empty home.

Every kind and a group, typed and triggered, each kill in a simulated project of its own. A loss is a second run that
does not end with 0, or anything at all that is not as if nothing had been killed. Ends with 1 at a loss.

The same with SIGTERM (typed) and SIGINT (triggered) at each request; there it is a loss, too, when the first run says
anything that is not so.

    python benchmarks/kills.py                                      # all of them, in two processes
    python benchmarks/kills.py ip_alias                             # what has this in its name
    python benchmarks/kills.py ip_alias typed after 5               # one of them, as a loss is printed
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.system.kill_points import KILLS, SCENES, WAYS, How, Killed, Place, Way, every_kill, killed_and_repeated

PROCESSES = 2
BY_TITLE = {scene.title: scene for scene in SCENES}
HOWS: dict[Way, tuple[How, ...]] = {"typed": (*KILLS, "SIGTERM"), "triggered": (*KILLS, "SIGINT")}
Job = tuple[str, Way, How, "int | None"]


def main() -> int:
    given = _arguments()
    began = time.monotonic()
    results: list[Killed] = []
    # Forked workers would share the threads of whatever has started some.
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        for future in as_completed([pool.submit(carried_out, job) for job in jobs(given)]):
            told(future.result())
            results += future.result()
    summary(results, time.monotonic() - began)
    return 1 if not results or any(killed.loss for killed in results) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("scene", nargs="?", default="", help="only what has this in its name")
    parser.add_argument("way", nargs="?", choices=WAYS)
    parser.add_argument("how", nargs="?", choices=(*KILLS, "SIGTERM", "SIGINT"))
    parser.add_argument("number", nargs="?", type=int, help="the request, from 1")
    return parser.parse_args()


def jobs(given: argparse.Namespace) -> Iterator[Job]:
    """The longest first, so that both processes end together."""
    for title in sorted(BY_TITLE, key=lambda title: "public" not in title):
        for way in WAYS:
            for how in HOWS[way]:
                if given.scene in title and given.way in (None, way) and given.how in (None, how):
                    yield (title, way, how, given.number)


def carried_out(job: Job) -> list[Killed]:
    title, way, how, number = job
    scene = BY_TITLE[title]
    with tempfile.TemporaryDirectory() as folder:
        if number is None:
            return list(every_kill(scene, way, how, Path(folder)))
        killed = killed_and_repeated(scene, way, Place(how, number), Path(folder))
        return [killed] if killed else []


def told(results: list[Killed]) -> None:
    for killed in results:
        print(killed)
        if killed.loss:
            print(f"LOSS: {killed.loss}")
            place = killed.place
            print(f"again: python benchmarks/kills.py {killed.scene} {killed.way} {place.how} {place.number}")
    sys.stdout.flush()


def summary(results: list[Killed], seconds: float) -> None:
    print(f"\n{'':16} {'killed':>7} {'at writes':>10} {'asked to stop':>14} {'losses':>7}")
    rows = [(title, [killed for killed in results if killed.scene == title]) for title in BY_TITLE]
    for title, ended in [*rows, ("all", results)]:
        kills = [killed for killed in ended if killed.place.how in KILLS]
        writes = sum(not killed.request.startswith("GET ") for killed in kills)
        losses = sum(killed.loss is not None for killed in ended)
        print(f"{title:16} {len(kills):7} {writes:10} {len(ended) - len(kills):14} {losses:7}")
    print(f"{seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
