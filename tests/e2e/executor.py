"""What a pipeline does with a request: the shell of the CI templates, on a simulated Hetzner project."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.process import ROOT
from tests.engine.samples import FLOATING, A, B
from tests.examples.programs import put_command
from tests.harness import TOKEN
from tests.platforms.server import FIELDS, Asked
from tests.system.site import Site

INI = "[floating.web]\ntype = ip_floating\nresource = web\nmembers = srv-a, srv-b\n"
LIMIT_S = 60.0


@dataclass
class Executor:
    """Carries requests out as all templates do: first the check, without the token, then the run.

    Attributes:
        ended: the requests that were carried out, with the exit code and what was said.
    """

    folder: Path
    site: Site
    ended: list[tuple[Asked, int, str]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> bool:
        """Whether it worked: a platform's `on_accepted`."""
        folder = self.folder / f"run-{time.monotonic_ns()}"
        (folder / "bin").mkdir(parents=True)
        (folder / "executor.ini").write_text(INI)
        put_command(folder / "bin")
        given = {
            **{f"HR_{name.upper()}": getattr(asked, name) for name in FIELDS},
            "config": str(folder / "executor.ini"),
            "api_url": self.site.url,
            "timeout": "60",
            "report": str(folder / "report.json"),
            "folder": str(folder),
            "created_at": "" if asked.created_ms is None else str(asked.created_ms),
        }
        done = _step("check.sh", given)
        if done.returncode == 0:
            done = _step("run.sh", {**given, "HCLOUD_TOKEN": TOKEN})
        self.ended.append((asked, done.returncode, done.stdout + done.stderr))
        return done.returncode == 0

    def holder(self) -> str | None:
        """Who has the floating IP."""
        id = self.site.sim.state.floating_ips[FLOATING].server_id
        return None if id is None else {A: "srv-a", B: "srv-b"}[id]


def _step(name: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """A script of the CI templates, with what a job has in its environment."""
    words, seen = ["sh", str(ROOT / "ci-templates" / name)], {"PATH": os.defpath, **environ}
    return subprocess.run(words, env=seen, capture_output=True, text=True, timeout=LIMIT_S)
