"""A GitLab project that does what its template does, on a simulated Hetzner project, and nodes that trigger it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from tests.cli.process import ROOT
from tests.engine.samples import FLOATING, A, B
from tests.examples.programs import SYSTEM_PATH, put_command
from tests.harness import TOKEN
from tests.platforms.gitlab import GitLab
from tests.platforms.server import Asked
from tests.system.site import Site

INI = "[floating.web]\ntype = ip_floating\nresource = web\nmembers = srv-a, srv-b\n"
LIMIT_S = 60.0


@dataclass
class Pipeline:
    """What a node asks, and who has the floating IP. Nobody has it at first.

    Attributes:
        ended: the requests that were carried out, with the exit code and what was said.
    """

    folder: Path
    site: Site
    gitlab: GitLab = field(default_factory=GitLab)
    ended: list[tuple[Asked, int, str]] = field(default_factory=list)

    def holder(self) -> str | None:
        id = self.site.sim.state.floating_ips[FLOATING].server_id
        return None if id is None else {A: "srv-a", B: "srv-b"}[id]

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
            lambda: self.holder() == name and len(self.ended) == len(self.gitlab.runs), f"{name} has it", logs
        )

    def moves(self) -> list[str]:
        """Who it went to, one after the other; every request was carried out well. Asking twice is allowed."""
        assert {code for _, code, _ in self.ended} == {0}, self.ended
        return [to for to, _ in groupby(asked.to for asked, _, _ in self.ended)]

    def carry_out(self, asked: Asked) -> bool:
        folder = self.folder / f"run-{time.monotonic_ns()}"
        (folder / "bin").mkdir(parents=True)
        put_command(folder / "bin")
        given = {
            **{f"HR_{name.upper()}": getattr(asked, name) for name in ("resource", "to", "issued_at", "age", "by")},
            "config": str(self.folder / "executor.ini"),
            "api_url": self.site.url,
            "timeout": "60",
            "report": str(folder / "report.json"),
            "folder": str(folder),
            "created_at": str(asked.created_ms),
        }
        done = self._step("check.sh", given)
        if done.returncode == 0:
            done = self._step("run.sh", {**given, "HCLOUD_TOKEN": TOKEN})
        self.ended.append((asked, done.returncode, done.stdout + done.stderr))
        return done.returncode == 0

    def _step(self, name: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """A script of the CI templates, with what a job has in its environment."""
        words = ["sh", str(ROOT / "ci-templates" / name)]
        return subprocess.run(
            words, env={"PATH": os.defpath, **environ}, capture_output=True, text=True, timeout=LIMIT_S
        )


@contextmanager
def pipeline_in(folder: Path) -> Iterator[Pipeline]:
    """It listens for requests until the end."""
    (folder / "executor.ini").write_text(INI)
    with Site() as site:
        site.sim.state.floating_ips[FLOATING].server_id = None
        pipeline = Pipeline(folder, site)
        pipeline.gitlab.on_accepted = pipeline.carry_out
        with pipeline.gitlab:
            yield pipeline


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
