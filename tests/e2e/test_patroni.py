"""Two real Patroni nodes with the callback of the example: who is primary has the floating IP."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.cli.process import ROOT
from tests.e2e.pipeline import Pipeline, pipeline_in, program, put_trigger
from tests.examples.programs import EXAMPLES, SYSTEM_PATH

EXAMPLE = EXAMPLES / "patroni"
PATRONI = ROOT / "build" / "patroni"
ETCD = program("etcd")
POSTGRES = program("postgres", *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)))
SERVERS = ("srv-a", "srv-b")

CONFIG = """\
scope: demo
name: {name}
restapi: {{listen: "127.0.0.1:{rest}"}}
etcd3: {{hosts: "127.0.0.1:{etcd}"}}
bootstrap:
  dcs: {{ttl: 20, loop_wait: 1, retry_timeout: 3}}
  initdb: [{{encoding: UTF8}}, {{auth: trust}}, no-sync]
{callbacks}
  listen: 127.0.0.1:{sql}
  data_dir: {folder}/{name}
  bin_dir: {bin}
  authentication:
    superuser: {{username: postgres}}
    replication: {{username: postgres}}
  parameters: {{fsync: "off", unix_socket_directories: {folder}}}
"""

pytestmark = [
    pytest.mark.skipif(ETCD is None, reason="etcd (package etcd-server) is not installed"),
    pytest.mark.skipif(POSTGRES is None, reason="PostgreSQL (package postgresql) is not installed"),
    pytest.mark.skipif(not (PATRONI / "ready").exists(), reason="Patroni is not installed: make patroni"),
]


def free_ports(number: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody has: the other programs are told of each before it listens."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    try:
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


@dataclass
class Cluster:
    """etcd and the two nodes, all in a folder of the user that runs PostgreSQL: it refuses to run as root."""

    folder: Path
    pipeline: Pipeline
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    rest: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert POSTGRES
        self.etcd, peer, *more = free_ports(6)
        self.rest = dict(zip(SERVERS, more[:2], strict=True))
        sql = dict(zip(SERVERS, more[2:], strict=True))
        # Where that user can read it: a checkout may lie anywhere.
        shutil.copytree(PATRONI, self.folder / "patroni", symlinks=True)
        shutil.copytree(ROOT / "hcloud_reassign", self.folder / "code" / "hcloud_reassign")
        shutil.copy2(EXAMPLE / "hcloud-reassign-callback", self.folder)
        self._put_program()
        put_trigger(EXAMPLE / "trigger.ini", self.folder, self.pipeline.gitlab)
        callbacks = (EXAMPLE / "patroni.yml").read_text()
        for name in SERVERS:
            here = callbacks.replace("/usr/local/bin", str(self.folder))
            here = here.replace("pipeline floating.web\n", f"pipeline floating.web {name}\n")
            text = CONFIG.format(
                name=name,
                rest=self.rest[name],
                etcd=self.etcd,
                sql=sql[name],
                callbacks=here.rstrip(),
                folder=self.folder,
                bin=Path(POSTGRES).parent,
            )
            (self.folder / f"{name}.yml").write_text(text)
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", "postgres:", str(self.folder)], check=True)
        url, peers = f"http://127.0.0.1:{self.etcd}", f"http://127.0.0.1:{peer}"
        words = ["--listen-client-urls", url, "--advertise-client-urls", url, "--listen-peer-urls", peers]
        words += ["--initial-advertise-peer-urls", peers, "--initial-cluster", f"default={peers}"]
        self._start("etcd", [str(ETCD), "--data-dir", f"{self.folder}/etcd-data", *words])

    def _put_program(self) -> None:
        file = self.folder / "hcloud-reassign"
        python = self.folder / "patroni" / "bin" / "python"
        file.write_text(f'#!/bin/sh\nPYTHONPATH={self.folder}/code exec {python} -m hcloud_reassign "$@"\n')
        file.chmod(0o755)

    def _start(self, name: str, words: list[str]) -> None:
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        with self.logs[name].open("ab") as log:
            self.running[name] = subprocess.Popen(
                [*as_user, *words],
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def environ(self) -> dict[str, str]:
        return {
            "PATH": f"{self.folder}:{SYSTEM_PATH}",
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "HCLOUD_REASSIGN_CONFIG": f"{self.folder}/trigger.ini",
        }

    @property
    def logs(self) -> Mapping[str, Path]:
        return {name: self.folder / f"{name}.log" for name in ("etcd", *SERVERS)}

    def start(self, name: str) -> None:
        python = self.folder / "patroni" / "bin" / "python"
        self._start(name, [str(python), "-m", "patroni", str(self.folder / f"{name}.yml")])

    def kill(self, name: str) -> None:
        """Patroni and PostgreSQL are gone, as when the server is."""
        self._end(name)
        pid = self.folder / name / "postmaster.pid"
        if pid.exists():
            os.kill(int(pid.read_text().splitlines()[0]), signal.SIGKILL)

    def _end(self, name: str) -> None:
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)

    def end_all(self) -> None:
        for name in list(self.running):
            with suppress(ProcessLookupError):
                self.kill(name) if name in SERVERS else self._end(name)

    def answers(self, name: str, path: str) -> bool:
        """Whether the node says yes: /primary, /replica."""
        try:
            with urlopen(f"http://127.0.0.1:{self.rest[name]}{path}", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def until(self, name: str, path: str) -> float:
        return self.pipeline.wait_until(lambda: self.answers(name, path), f"{name} {path}", self.logs)

    def until_held(self, name: str) -> float:
        return self.pipeline.until_held_by(name, self.logs)

    def switch_over(self, leader: str, candidate: str) -> None:
        folder = self.folder / "patroni" / "bin"
        words = ["-c", str(self.folder / f"{leader}.yml"), "switchover", "demo", "--force", "--leader", leader]
        done = subprocess.run(
            [str(folder / "python"), str(folder / "patronictl"), *words, "--candidate", candidate],
            env=self.environ,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0 and "Successfully switched over" in done.stdout, done


@pytest.fixture
def pipeline(home: Path) -> Iterator[Pipeline]:
    with pipeline_in(home) as running:
        yield running


@pytest.fixture
def cluster(pipeline: Pipeline) -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="patroni-") as folder:
        Path(folder).chmod(0o755)
        running = Cluster(Path(folder), pipeline)
        try:
            yield running
        finally:
            running.end_all()


def test_who_is_primary_has_it_after_a_start_a_switchover_and_a_crash(cluster: Cluster, pipeline: Pipeline) -> None:
    cluster.start("srv-a")
    started = cluster.until_held("srv-a")
    cluster.start("srv-b")
    cluster.until("srv-b", "/replica")

    start = time.monotonic()
    cluster.switch_over("srv-a", "srv-b")
    cluster.until_held("srv-b")
    switched = time.monotonic() - start
    assert cluster.answers("srv-b", "/primary")
    cluster.until("srv-a", "/replica")

    cluster.kill("srv-b")
    crashed = cluster.until_held("srv-a")
    assert cluster.answers("srv-a", "/primary")
    print(f"start {started:.1f} s, switchover {switched:.1f} s, crash {crashed:.1f} s")
    assert pipeline.moves() == ["srv-a", "srv-b", "srv-a"]
    assert "/actions/unassign" not in "".join(request.path for request in pipeline.site.writes)
