"""A GitLab project that does what its template does, on a simulated Hetzner project, and nodes that trigger it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tests.e2e.executor import LIMIT_S, Executor
from tests.engine.samples import FLOATING
from tests.examples.programs import SYSTEM_PATH, put_command
from tests.platforms.gitlab import GitLab
from tests.platforms.server import Asked
from tests.system.site import Site


@dataclass
class Pipeline:
    """What a node asks, and who has the floating IP. Nobody has it at first."""

    executor: Executor
    gitlab: GitLab

    @property
    def site(self) -> Site:
        return self.executor.site

    @property
    def ended(self) -> list[tuple[Asked, int, str]]:
        """The requests that were carried out, with the exit code and what was said."""
        return self.executor.ended

    def wait_until(self, condition: Callable[[], bool], what: str, logs: Mapping[str, Path]) -> float:
        """Wait, and return how long it took in seconds. A failure tells all that is known."""
        start = time.monotonic()
        while not condition():
            if time.monotonic() - start > LIMIT_S:
                told = [f"--- {name}\n{log.read_text(errors='replace')}" for name, log in logs.items() if log.exists()]
                raise AssertionError("\n".join([f"not within {LIMIT_S:g} s: {what}", str(self.ended), *told]))
            time.sleep(0.02)
        return time.monotonic() - start

    def until_held_by(self, name: str, logs: Mapping[str, Path]) -> float:
        """Wait until this server has it and every pipeline is done; seconds."""
        return self.wait_until(
            lambda: self.executor.holder() == name and len(self.ended) == len(self.gitlab.runs), f"{name} has it", logs
        )

    def moves(self) -> list[str]:
        """Who it went to, one after the other; every request was carried out well. Asking twice is allowed."""
        assert {code for _, code, _ in self.ended} == {0}, self.ended
        return [to for to, _ in groupby(asked.to for asked, _, _ in self.ended)]


@contextmanager
def pipeline_in(folder: Path) -> Iterator[Pipeline]:
    """It listens for requests until the end."""
    with Site() as site:
        site.sim.state.floating_ips[FLOATING].server_id = None
        executor = Executor(folder, site)
        with GitLab(executor) as gitlab:
            yield Pipeline(executor, gitlab)


def put_trigger(example: Path, folder: Path, gitlab: GitLab) -> None:
    """A node's trigger.ini as the example has it, but for the address, and its token."""
    text = example.read_text()
    token = folder / "trigger-token"
    token.write_text(gitlab.token)
    for line, other in (
        ("url        = https://gitlab.example.com\n", f"url        = {gitlab.url}\n"),
        (next(line for line in text.splitlines() if line.startswith("token_file")), f"token_file = {token}"),
    ):
        assert line in text
        text = text.replace(line, other)
    (folder / "trigger.ini").write_text(text)


def environment(folder: Path) -> dict[str, str]:
    """What a daemon gives to the scripts of a node; the command is in its PATH."""
    put_command(folder)
    return {"PATH": f"{folder}:{SYSTEM_PATH}", "LANG": "C.UTF-8"}


def program(name: str, *more: str) -> str | None:
    """The path of an installed program of the system."""
    return shutil.which(name, path=":".join([SYSTEM_PATH, *more]))
