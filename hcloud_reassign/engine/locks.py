"""Which move of this run changes which vendor object: moves that share one wait for each other, in their order."""

from __future__ import annotations

from hcloud_reassign.engine.task import Task

Lock = tuple[type, int]


class Locks:
    """A task gets all its locks at once, so that no two can wait for each other."""

    def __init__(self) -> None:
        self._holders: dict[Lock, Task] = {}
        self._queue: list[tuple[Task, frozenset[Lock]]] = []

    def acquire(self, task: Task, locks: frozenset[Lock]) -> bool:
        """Take the locks if they are free; else the task is queued, and `release` says when it has them."""
        ahead = {lock for _, wanted in self._queue for lock in wanted}
        mine = all(self._holders.get(lock) is task for lock in locks)
        if mine or all(self._holders.get(lock, task) is task and lock not in ahead for lock in locks):
            self._holders.update(dict.fromkeys(locks, task))
            return True
        self._queue.append((task, locks))
        return False

    def release(self, task: Task) -> list[Task]:
        """Free what a task has; return the tasks that have got all of theirs by it."""
        self._holders = {lock: holder for lock, holder in self._holders.items() if holder is not task}
        queue, self._queue = [entry for entry in self._queue if entry[0] is not task], []
        return [waiting for waiting, locks in queue if not waiting.over and self.acquire(waiting, locks)]
