"""Where steps are carried out: a few daemon threads. Nothing is joined at exit, so nothing can outlive a deadline."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Protocol

Job = Callable[[], Any]
Done = tuple[Any, Any, BaseException | None]
"""What was submitted under which token: (token, answer, error)."""

MOST_WORKERS = 8
IDLE_S = 30.0
"""A thread without work for this long ends, and with it its connection: some programs stay open for days."""
WAKE = object()
"""The token that `wake` sends."""


class Workers(Protocol):
    def submit(self, token: Any, job: Job) -> None:
        """Have a job carried out; its result comes out of `wait`."""
        ...

    def wait(self, seconds: float) -> list[Done]:
        """What has ended, as soon as anything has, at most after some seconds."""
        ...

    def wake(self) -> None:
        """End a wait. Safe in a signal handler."""
        ...


class Threads:
    """Daemon threads, started when there is work for one more, ended when there is none for long."""

    def __init__(self, most: int = MOST_WORKERS) -> None:
        self._most = most
        self._jobs: SimpleQueue[tuple[Any, Job]] = SimpleQueue()
        self._done: SimpleQueue[Done] = SimpleQueue()
        self._lock = threading.Lock()
        self._count = 0
        self._under_way = 0

    def submit(self, token: Any, job: Job) -> None:
        self._under_way += 1
        with self._lock:
            self._jobs.put((token, job))
            wanted = self._count < min(self._under_way, self._most)
            self._count += wanted
        if wanted:
            threading.Thread(target=self._work, daemon=True, name=f"worker-{self._count}").start()

    def wait(self, seconds: float) -> list[Done]:
        try:
            done = [self._done.get(timeout=max(seconds, 0.0))]
        except Empty:
            return []
        while not self._done.empty():
            done.append(self._done.get())
        self._under_way -= sum(token is not WAKE for token, _, _ in done)
        return done

    def wake(self) -> None:
        self._done.put((WAKE, None, None))

    def _work(self) -> None:
        while True:
            try:
                token, job = self._jobs.get(timeout=IDLE_S)
            except Empty:
                with self._lock:
                    if self._jobs.empty():
                        self._count -= 1
                        return
                continue
            try:
                self._done.put((token, job(), None))
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for it
                self._done.put((token, None, error))
