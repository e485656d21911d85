"""What a session works with beside the configuration: a border, workers, a clock, and the signals of this process."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Equipment:
    """What a session works with; tests put their own in its place."""

    border: Callable[[str, str], Any]
    workers: Callable[[], Any]
    clock: Any
    rng: random.Random = field(default_factory=random.Random)


def real_equipment() -> Equipment:
    """That of the command line: Hetzner's API, threads and the time of this machine."""
    from hcloud_reassign.engine.clock import RealClock
    from hcloud_reassign.engine.workers import Threads

    def border(token: str, url: str) -> Any:
        from hcloud_reassign.engine.borders import Borders

        return Borders(token, url)

    return Equipment(border, Threads, RealClock())


@contextmanager
def signals(interrupt: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGINT ask the session to stop; elsewhere than on the main thread nothing can be installed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wanted = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: interrupt()) for number in wanted]
    try:
        yield
    finally:
        for number, handler in zip(wanted, before, strict=True):
            signal.signal(number, handler)
