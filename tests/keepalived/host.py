"""A host as the script sees it: its configuration, programs in front of the real ones, and what came of a call.

`ip` and `logger` are small scripts of the host, found through the key `path` of its configuration. So what is tested
is the script as it is shipped, with no switch for tests.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "keepalived" / "hcloud-reassign-notify"
ADDRESS = "192.0.2.10"

IP = """#!/bin/sh
printf '%s\\n' "$*" >>"{folder}/ip-calls"
[ ! -e "{folder}/ip-fails" ] || {{ echo 'Cannot find device' && exit 1; }}
[ ! -e "{folder}/address" ] || echo '1: lo    inet {address}/32 scope global lo'
"""
LOGGER = """#!/bin/sh
printf '%s %s\\n' "$4" "$(/bin/cat)" >>"{folder}/log"
"""
ENTRIES = {
    "settle": "0",
    "retries": "3",
    "retry_wait": "0",
    "resend": "0",
    "resend_every": "1",
    "to": "srv-b",
}


@dataclass(frozen=True)
class Host:
    """One host; `shell` is what its script runs in."""

    folder: Path
    shell: Sequence[str]

    def __post_init__(self) -> None:
        for name in ("bin", "etc"):
            (self.folder / name).mkdir(mode=0o700)
        self.program("ip", IP.format(folder=self.folder, address=ADDRESS))
        self.program("logger", LOGGER.format(folder=self.folder))
        self.secret("token", "glptt-trigger\n")

    # What there is.

    @property
    def config(self) -> Path:
        return self.folder / "etc" / "notify.conf"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def program(self, name: str, text: str) -> Path:
        """A program that is found before the system's."""
        path = self.folder / "bin" / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        return path

    def secret(self, name: str, content: str | bytes, mode: int = 0o600) -> Path:
        path = self.folder / "etc" / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return path

    def configure(self, *sections: str, **entries: str | int) -> None:
        """[notify] with these entries, then these sections, then [vrrp.VI_1]."""
        given = {
            "path": f"{self.folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "state_dir": str(self.state),
            **ENTRIES,
            **entries,
        }
        notify = "\n".join(f"{key} = {value}" for key, value in given.items())
        vrrp = f"[vrrp.VI_1]\nresource = web\naddress = {ADDRESS}\n"
        self.config.write_text("\n".join(["[notify]", notify, *sections, vrrp]), encoding="utf-8")
        self.config.chmod(0o600)

    def is_master(self, yes: bool = True) -> None:
        """keepalived has set the VRRP address, or has taken it away."""
        marker = self.folder / "address"
        if yes:
            marker.touch()
        else:
            marker.unlink(missing_ok=True)

    # What is done.

    def command(self, *words: str) -> list[str]:
        return [*self.shell, str(SCRIPT), "-c", str(self.config), *words]

    def call(
        self, *words: str, env: Mapping[str, str] | None = None, umask: int = -1
    ) -> subprocess.CompletedProcess[str]:
        """Call the script as keepalived does: it returns before its background work ends."""
        with (self.folder / "stderr").open("a", encoding="utf-8") as stderr:
            return subprocess.run(
                self.command(*words),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, **(env or {})},
                umask=umask,
                text=True,
                timeout=60,
                check=False,
            )

    def becomes(self, state: str) -> subprocess.CompletedProcess[str]:
        return self.call("INSTANCE", "VI_1", state, "150")

    # What came of it.

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def wait_for(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not within {seconds:g} s\n{self.log}{self.errors}"
            time.sleep(0.02)

    def says(self, pattern: str, times: int = 1) -> None:
        """Wait until this is in the log."""
        self.wait_for(lambda: len(re.findall(pattern, self.log)) >= times)

    @property
    def errors(self) -> str:
        path = self.folder / "stderr"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def sender(self, kind: str = "VI_1.sender") -> int | None:
        """The process id of the living sender."""
        try:
            pid, start = (self.state / kind).read_text(encoding="utf-8").split()
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
        except (OSError, ValueError):
            return None
        return int(pid) if stat[19] == start and stat[0] != "Z" else None

    def waits_until_idle(self) -> None:
        self.wait_for(lambda: self.sender() is None)

    def close(self) -> None:
        """End what still runs: who does not find itself in the state directory ends."""
        for path in self.state.glob("reader.*"):
            pid = self.sender(path.name)
            if pid:
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.state, ignore_errors=True)


def gitlab(url: str, name: str = "pipeline", **more: str) -> str:
    return trigger(name, type="gitlab", url=url, project="42", ref="main", token_file="token", **more)


def trigger(name: str, **entries: str) -> str:
    """The text of a [trigger.NAME]."""
    return "\n".join([f"[trigger.{name}]", *(f"{key} = {value}" for key, value in entries.items())])
