"""What was done from this machine, as JSON lines. A lost journal is a warning, never an outcome."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from hcloud_reassign.engine.events import Event

MOST_BYTES = 10_000_000
KEPT = 5
LOCK_S = 0.5
_UNWRITTEN = ("step.progress", "step.retried")


class Journal:
    """Appends the events of runs to `journal.jsonl` in the state directory, readable by its owner and root alone.

    `secrets`: what is hidden in every line, asked for whenever one is written.
    """

    def __init__(
        self,
        directory: Path,
        *,
        project: str,
        who: str,
        warn: Callable[[str], None],
        secrets: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self.path = directory / "journal.jsonl"
        self._common = {"project": project, "who": who, "pid": os.getpid()}
        self._warn, self._secrets = warn, secrets
        self._lost = False

    def write(self, event: Event) -> None:
        """Append one event; the first failure is warned about, the others are silent."""
        if event.event in _UNWRITTEN or self._lost:
            return
        line = json.dumps({**event.as_data(), **self._common}, default=str) + "\n"
        for secret in self._secrets():
            # The message of an error that nobody foresaw may quote it.
            line = line.replace(json.dumps(secret)[1:-1], "***")
        try:
            self._append(line.encode())
        except OSError as error:
            self._lost = True
            self._warn(f"the journal {self.path} is not written: {error.strerror or error}")

    def _append(self, line: bytes) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self._open(self.path.with_suffix(".lock"), os.O_RDWR)
        try:
            self._lock(lock)
            self._rotate(len(line))
            file = self._open(self.path, os.O_APPEND | os.O_WRONLY)
            try:
                os.write(file, line)
            finally:
                os.close(file)
        finally:
            os.close(lock)

    def _open(self, path: Path, flags: int) -> int:
        """Open a file, made when missing; what root makes in another user's directory is given to that user.

        So root and a service with a user of its own write the same journal. Root follows no link of that user.
        """
        owner = path.parent.stat()
        shared = os.geteuid() == 0 != owner.st_uid
        # Where a pipe lies in its place nobody may ever read it: opening that does not wait.
        flags |= os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | (os.O_NOFOLLOW if shared else 0)
        try:
            file = os.open(path, flags | os.O_EXCL, 0o600)
        except FileExistsError:
            return os.open(path, flags, 0o600)
        if shared:
            os.fchown(file, owner.st_uid, owner.st_gid)
        return file

    def _lock(self, lock: int) -> None:
        """Raises OSError when another process keeps it: no move waits for a journal."""
        import fcntl

        until = time.monotonic() + LOCK_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise
            time.sleep(0.01)

    def _rotate(self, more: int) -> None:
        try:
            if self.path.stat().st_size + more <= MOST_BYTES:
                return
        except FileNotFoundError:
            return
        for number in range(KEPT - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self.path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    def entries(self) -> Iterator[dict[str, Any]]:
        """This project's lines, oldest first; lines that cannot be read are left out."""
        for path in (*(self._numbered(number) for number in range(KEPT, 0, -1)), self.path):
            if not path.is_file():
                continue
            try:
                lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
            except OSError:
                continue
            for line in lines:
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                if isinstance(entry, dict) and entry.get("project") == self._common["project"]:
                    yield entry

    def moves_since(self, since: str) -> dict[str, int]:
        """How many moves were carried out per assignment since an RFC 3339 time."""
        counts: dict[str, int] = {}
        for entry in self.entries():
            if entry.get("event") == "move.done" and entry.get("outcome") == "done" and str(entry.get("time")) >= since:
                name = str(entry.get("name"))
                counts[name] = counts.get(name, 0) + 1
        return counts
