"""What the tests of the command line share: how a process ended, files for it, schemas."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

import hcloud_reassign

ROOT = Path(hcloud_reassign.__file__).parents[1]
SCHEMAS = ROOT / "hcloud_reassign" / "cli" / "schemas"

INI = """\
[client]
project = prod

[floating.web]
type        = ip_floating
resource    = web
source      = srv-a
destination = srv-b

[alias.vip]
type        = ip_alias
resource    = 10.0.1.100
network     = internal
members     = srv-a, srv-b

[route.lan]
type        = route
network     = 192.168.77.0/24
resource    = internal
source      = srv-b
destination = srv-a

[group.all]
members     = floating.web, route.lan
"""


@dataclass(frozen=True)
class Done:
    """How a process ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Its stdout as the one JSON document that it has to be."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Cli:
    """Runs the command in `home`; `env` adds to its environment, None takes a variable away."""

    call: Callable[..., Done]
    home: Path
    environ: Mapping[str, str]

    def __call__(self, *words: str, stdin: str = "", env: Mapping[str, str | None] | None = None) -> Done:
        return self.call(*words, stdin=stdin, env=env)

    @contextmanager
    def started(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """The command under way, its stdout a pipe; killed if it does not end by itself."""
        command = [sys.executable, "-m", "hcloud_reassign", *words]
        with subprocess.Popen(
            command, cwd=self.home, env=dict(self.environ), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def file(self, text: str | bytes = INI, name: str = "prod.ini", mode: int = 0o600) -> str:
        """Write a configuration file; returns its name as the command is given it."""
        path = self.home / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return name


def assert_fits(document: Mapping[str, Any], schema: str) -> None:
    """The document is what the shipped schema says."""
    loaded = json.loads((SCHEMAS / f"{schema}.json").read_text(encoding="utf-8"))
    errors = [f"{list(error.path)}: {error.message}" for error in Draft202012Validator(loaded).iter_errors(document)]
    assert not errors, errors
