"""Two servers with a real keepalived each: network namespaces, linked to each other and to this machine.

A node reaches what listens here at `Node.host`; the other node at its `address`. VRRP is unicast between the two.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

KEEPALIVED = shutil.which("keepalived", path="/usr/sbin:/usr/bin")
LIMIT_S = 30.0
_count = itertools.count(1)


def _may_make_networks() -> bool:
    tried = subprocess.run(["unshare", "-n", "true"], capture_output=True) if os.geteuid() == 0 else None
    return tried is not None and tried.returncode == 0


NEEDS_KEEPALIVED = [
    pytest.mark.skipif(KEEPALIVED is None, reason="keepalived (package keepalived) is not installed"),
    pytest.mark.skipif(not _may_make_networks(), reason="network namespaces need root and CAP_SYS_ADMIN"),
]


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def wait_until(condition: Callable[[], bool], what: str, seconds: float = LIMIT_S) -> float:
    """The moment (time.monotonic) at which it was so; AssertionError if it never is."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.005)
    return time.monotonic()


@dataclass
class Node:
    """A server in a namespace of its own.

    Attributes:
        address: where the other node reaches it.
        host: where it reaches what listens on this machine.
        folder: its /etc and its logs.
    """

    name: str
    address: str
    host: str
    namespace: str
    folder: Path
    _running: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start keepalived on `folder`/keepalived.conf, with the environment that a service manager gives."""
        assert self._running is None
        with (self.folder / "keepalived.log").open("ab") as log:
            self._running = subprocess.Popen(
                [*self._inside, str(KEEPALIVED), *self._words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
                start_new_session=True,
            )

    def stop(self) -> None:
        """SIGTERM: it says goodbye with priority 0, and takes its addresses off."""
        process = self._ended()
        process.terminate()
        process.wait(LIMIT_S)

    def kill(self) -> float:
        """SIGKILL for keepalived and its child, as if the machine were gone: the address stays where it was."""
        process = self._ended()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        # A parent that lives starts another child, and a child whose parent dies says goodbye.
        os.kill(process.pid, signal.SIGSTOP)
        for pid in (*map(int, children), process.pid):
            os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        process.wait(LIMIT_S)
        wait_until(lambda: all(map(_is_dead, children)), "the child is dead")
        for file in ("pid", "vrrp.pid"):
            (self.folder / file).unlink(missing_ok=True)
        return killed

    def cut_off(self, off: bool, other: str) -> None:
        """Let nothing get to the other node, or let it again. The link stays up: keepalived must not notice itself."""
        words = ("-n", self.namespace, "neigh")
        if off:
            ip(*words, "replace", other, "lladdr", "02:00:00:00:00:99", "nud", "permanent", "dev", "vrrp")
        else:
            ip(*words, "del", other, "dev", "vrrp")

    def forget(self, address: str) -> None:
        """What a reboot does: the address is gone."""
        with suppress(subprocess.CalledProcessError):
            ip("-n", self.namespace, "addr", "del", address, "dev", "lo")

    def has(self, address: str) -> bool:
        shown = subprocess.run(
            ["ip", "-n", self.namespace, "-o", "addr", "show", "dev", "lo"], capture_output=True, text=True, check=True
        )
        return f" {address}/" in shown.stdout

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """A command on this node."""
        return subprocess.run(
            [*self._inside, *words], capture_output=True, text=True, env=env, timeout=LIMIT_S, check=False
        )

    @property
    def running(self) -> bool:
        return self._running is not None

    @property
    def log(self) -> str:
        return "\n".join(
            f"--- {self.name} {file.name}\n{file.read_text('utf-8', 'replace')}"
            for file in sorted(self.folder.glob("*.log"))
        )

    @property
    def _inside(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.namespace)

    @property
    def _words(self) -> tuple[str, ...]:
        folder = self.folder
        files = ("-f", f"{folder}/keepalived.conf", "-p", f"{folder}/pid", "-r", f"{folder}/vrrp.pid")
        return (*files, "-n", "-l", "-D")

    def _ended(self) -> subprocess.Popen[bytes]:
        process, self._running = self._running, None
        assert process is not None, f"keepalived does not run on {self.name}"
        return process


class Pair:
    """srv-a and srv-b."""

    def __init__(self, folder: Path) -> None:
        self.a, self.b = self.nodes = tuple(self._node(folder, name) for name in ("srv-a", "srv-b"))

    def __enter__(self) -> Pair:
        try:
            self._link()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            if node.running:
                node.kill()
            self._kill_the_rest(node)
            with suppress(subprocess.CalledProcessError):
                ip("netns", "del", node.namespace)

    def part(self) -> None:
        """Neither hears the other."""
        for node in self.nodes:
            node.cut_off(True, self.other(node).address)

    def meet(self, hears: Node) -> None:
        """Both hear each other again, this one first and for a second: its adverts take the longer way."""
        self.other(hears).cut_off(False, hears.address)
        until = time.monotonic() + 1
        wait_until(lambda: time.monotonic() > until, "the adverts of a second")
        hears.cut_off(False, self.other(hears).address)

    def other(self, node: Node) -> Node:
        return self.b if node is self.a else self.a

    def master(self, address: str) -> Node | None:
        """Who runs and has the address; None while none or both do."""
        masters = [node for node in self.nodes if node.running and node.has(address)]
        return masters[0] if len(masters) == 1 else None

    def _link(self) -> None:
        first, second = (node.namespace for node in self.nodes)
        for node in self.nodes:
            ip("netns", "add", node.namespace)
            ip("-n", node.namespace, "link", "set", "lo", "up")
        ip("-n", first, "link", "add", "vrrp", "type", "veth", "peer", "name", "vrrp", "netns", second)
        for node in self.nodes:
            outside = f"h{node.namespace[-8:]}"
            ip("link", "add", outside, "type", "veth", "peer", "name", "host", "netns", node.namespace)
            ip("addr", "add", f"{node.host}/30", "dev", outside)
            ip("link", "set", outside, "up")
            ip("-n", node.namespace, "addr", "add", f"{_next(node.host)}/30", "dev", "host")
            ip("-n", node.namespace, "addr", "add", f"{node.address}/24", "dev", "vrrp")
            for link in ("host", "vrrp"):
                ip("-n", node.namespace, "link", "set", link, "up")

    @staticmethod
    def _node(folder: Path, name: str) -> Node:
        count = next(_count)
        own = folder / name
        own.mkdir(mode=0o755)
        worker = os.getpid() % 16384
        host = f"10.{78 + worker // 4096}.{worker // 16 % 256}.{worker % 16 * 16 + count % 4 * 4 + 1}"
        letter = name[-1]
        return Node(name, f"10.77.0.{1 + (letter == 'b')}", host, f"hr{os.getpid()}{letter}{count}", own)

    @staticmethod
    def _kill_the_rest(node: Node) -> None:
        """Scripts that are still at it."""
        pids = subprocess.run(["ip", "netns", "pids", node.namespace], capture_output=True, text=True).stdout.split()
        for pid in map(int, pids):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _is_dead(pid: str) -> bool:
    """Also before somebody has asked for its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith(("Z", "X"))
    except OSError:
        return True


def _next(address: str) -> str:
    head, _, last = address.rpartition(".")
    return f"{head}.{int(last) + 1}"
