"""The threads that carry steps out: as many as there is work for, and none that stays for ever."""

from __future__ import annotations

import threading
import time

import pytest

from hcloud_reassign.engine import workers
from hcloud_reassign.engine.workers import Threads


def running(threads: Threads) -> int:
    """How many there are of these; other tests may have left some of theirs."""
    return sum(getattr(thread, "_target", None) == threads._work for thread in threading.enumerate())


def answers(threads: Threads, number: int) -> set[object]:
    found: set[object] = set()
    while len(found) < number:
        found |= {answer for _, answer, _ in threads.wait(10)}
    return found


def test_threads_without_work_end_and_others_take_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "IDLE_S", 0.01)
    threads = Threads(4)
    for turn in range(3):
        for number in range(20):
            threads.submit(number, lambda number=number, turn=turn: (turn, number))  # type: ignore[misc]
        assert running(threads) <= 4
        assert answers(threads, 20) == {(turn, number) for number in range(20)}
        end = time.monotonic() + 10
        while running(threads):
            assert time.monotonic() < end, "a thread stays"
            time.sleep(0.005)
