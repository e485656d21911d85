"""What the tests of the real program start from: a simulated project on a real port, machines that run the command."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from hcloud_reassign.simulator import Fault, Recorded, Scenario, Simulator, Switches
from hcloud_reassign.simulator.asgi import RunningServer
from tests.cli.inside import call
from tests.cli.process import ROOT, Done
from tests.engine.samples import TRIO
from tests.harness import TOKEN, Lab
from tests.system.warm import Warm

LIMIT_S = 60.0
"""How long a process of a test may take on a machine that is busy with others."""
QUICK = (0.01, 0.03)


class Site(Lab):
    """A lab whose clock is the real one and whose simulator listens: what tells about a lab tells about a site."""

    def __init__(
        self,
        scenario: Mapping[str, Any] = TRIO,
        *,
        seed: int = 1,
        faults: Sequence[Fault] = (),
        switches: Switches | None = None,
        action_time: tuple[float, float] = QUICK,
        **server: Any,
    ) -> None:
        self.sim = Simulator(
            Scenario.from_data(dict(scenario)),
            clock=time.time,
            rng=random.Random(seed),
            switches=switches or Switches(),
            faults=list(faults),
            action_time=action_time,
        )
        self._server = RunningServer(self.sim, **server)

    @property
    def url(self) -> str:
        return self._server.url

    def start(self) -> Site:
        self._server.start()
        return self

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> Site:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def writes_with(self, token: str) -> list[Recorded]:
        """The writes that carried a token."""
        return [item for item in self.writes if item.authorization == f"Bearer {token}"]


@dataclass(frozen=True)
class Machine:
    """Somewhere that the command is run: a home, a state directory, an environment."""

    home: Path
    environ: Mapping[str, str]

    def file(self, text: str, name: str = "prod.ini", mode: int = 0o600) -> str:
        """Write a file; returns its name as a command in this home is given it."""
        path = self.home / name
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return name

    def start(self, *words: str, env: Mapping[str, str | None] | None = None, **more: Any) -> Started:
        """The command as a process of its own; None in `env` takes a variable away."""
        changed: dict[str, str | None] = {**self.environ, **(env or {})}
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        env = {name: value for name, value in changed.items() if value is not None}
        return Started(self._popen(words, cwd=self.home, env=env, **streams))

    def _popen(self, words: Sequence[str], **more: Any) -> subprocess.Popen[bytes]:
        """In a group of its own: a kill takes it and whatever it started."""
        return Warm(words, **more)

    def __call__(self, *words: str, stdin: str = "", env: Mapping[str, str | None] | None = None) -> Done:
        with self.start(*words, env=env) as started:
            return started.ended(stdin)

    def run(self, ini: str, *words: str, **more: Any) -> Done:
        """`run` on a file of this text, with its outcome as JSON."""
        return self("run", "-c", self.file(ini), "-o", "json", *words, **more)


class Cold(Machine):
    """The same command, started as a shell would: for what depends on the arguments that others see."""

    def _popen(self, words: Sequence[str], **more: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "hcloud_reassign", *words], start_new_session=True, **more)


class AtHand(Machine):
    """The same command line, carried out in the process of the test: for what depends on nothing of a process."""

    def __call__(self, *words: str, stdin: str = "", env: Mapping[str, str | None] | None = None) -> Done:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.home)
            return call(None, *words, env={**self.environ, **(env or {})}, stdin=stdin)


@dataclass
class Started:
    """A process of the command that goes on."""

    process: subprocess.Popen[bytes]

    def __enter__(self) -> Started:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, _: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.communicate()

    def signal(self, number: int) -> None:
        os.killpg(self.process.pid, number)

    def ended(self, stdin: str = "", limit_s: float = LIMIT_S) -> Done:
        out, err = self.process.communicate(stdin.encode(), timeout=limit_s)
        # Decoded here: text streams of subprocess would turn every kind of line end into one.
        return Done(self.process.returncode, (out or b"").decode(), (err or b"").decode())


@dataclass
class Signaller:
    """A fault's hook that sends a signal to a process which may be started after the fault is set."""

    number: int
    _target: Started | None = None
    _known: threading.Event = field(default_factory=threading.Event)

    def aim(self, started: Started) -> Started:
        self._target = started
        self._known.set()
        return started

    def wait(self) -> Started:
        """The process, as soon as it is known."""
        assert self._known.wait(LIMIT_S) and self._target is not None
        return self._target

    def __call__(self, *_: object) -> None:
        self.wait().signal(self.number)


def machine(home: Path, site: Site, kind: type[Machine] = Machine, **environ: str) -> Machine:
    """A machine that knows nothing but the site and its token."""
    home.mkdir(parents=True, exist_ok=True)
    return kind(
        home,
        {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "HCLOUD_REASSIGN_STATE": str(home / "state"),
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            "HCLOUD_ENDPOINT": site.url,
            "HCLOUD_TOKEN": TOKEN,
            **environ,
        },
    )


def told(done: Done) -> tuple[str, int, str | None]:
    """Outcome, exit code and guard of a run of one assignment; the process and its document agree."""
    document = done.document
    assert document["error"] is None, document["error"]
    (move,) = document["moves"]
    assert document["exit_code"] == done.code
    return (move["outcome"], done.code, move["guard"])


def only(done: Done) -> dict[str, Any]:
    """The one move of a document."""
    (move,) = done.document["moves"]
    found: dict[str, Any] = move
    return found


def id_of(holder: Mapping[str, Any] | None) -> int | None:
    """The server in a holder of a document."""
    return None if holder is None else holder["id"]
