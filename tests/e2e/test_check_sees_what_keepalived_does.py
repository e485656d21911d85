"""`check --keepalived` leaves out the scripts that keepalived leaves out, and no others."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.inside import call
from tests.e2e.nodes import KEEPALIVED, NEEDS_KEEPALIVED

pytestmark = NEEDS_KEEPALIVED

IN_A_NETWORK_OF_ITS_OWN = f"""\
ip link set lo up
ip link add here type veth peer name there
ip addr add 10.8.0.1/24 dev here
ip link set here up
ip link set there up
exec {KEEPALIVED} -f "$1/keepalived.conf" -n -l -D -p "$1/pid" -r "$1/vrrp.pid"
"""
INSTANCE = """\
vrrp_instance {name} {{
    state BACKUP
    interface here
    virtual_router_id {id}
    priority 100
    virtual_ipaddress {{
        10.9.0.{id}/32 dev lo
    }}
    notify {script}
}}
"""
LEFT_OUT = ("disabling", "cannot be accessed", "ignoring")


def script(folder: Path, name: str, mode: int, uid: int = 0, gid: int = 0, above: int = 0o755) -> Path:
    """A script in a folder of its own."""
    made = folder / name / f"{name}.sh"
    made.parent.mkdir()
    made.write_text("#!/bin/sh\n")
    os.chown(made, uid, gid)
    made.chmod(mode)
    made.parent.chmod(above)
    return made


def scripts(folder: Path) -> dict[str, str]:
    """What stands behind `notify`, by the name of its instance."""
    nobody = 65534
    sound = script(folder, "sound", 0o755)
    (folder / "link.sh").symlink_to(sound)
    unsafe = script(folder, "behind", 0o757)
    (folder / "unsafe-link.sh").symlink_to(unsafe)
    return {
        "sound": f"{sound}",
        "arguments": f'"{sound} VI_1 MASTER"',
        "other-user": f'"{sound}" nobody',
        "link": f"{folder}/link.sh",
        "unsafe-link": f"{folder}/unsafe-link.sh",
        "group-of-root": f"{script(folder, 'group-of-root', 0o775)}",
        "group": f"{script(folder, 'group', 0o775, gid=nobody)}",
        "everybody": f"{script(folder, 'everybody', 0o757)}",
        "everybody-as-nobody": f'"{script(folder, "everybody-as-nobody", 0o757)}" nobody',
        "owner": f"{script(folder, 'owner', 0o755, uid=nobody)}",
        "open-folder": f"{script(folder, 'open-folder', 0o755, above=0o777)}",
        "sticky-folder": f"{script(folder, 'sticky-folder', 0o755, above=0o777 | stat.S_ISVTX)}",
        "not-executable": f"{script(folder, 'not-executable', 0o644)}",
        "not-for-nobody": f'"{script(folder, "not-for-nobody", 0o700)}" nobody',
        "closed-folder": f'"{script(folder, "closed-folder", 0o755, above=0o700)}" nobody',
        "missing": f"{folder}/missing.sh",
        "no-user": f'"{script(folder, "no-user", 0o755)}" no-such-user',
        "searched": "env.sh nobody",
    }


@contextmanager
def started(folder: Path) -> Iterator[subprocess.Popen[str]]:
    words = ["unshare", "-n", "sh", "-ec", IN_A_NETWORK_OF_ITS_OWN, "sh", str(folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)


def log_of_a_start(folder: Path) -> list[str]:
    """What keepalived says up to the moment when it works."""
    lines = []
    with started(folder) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            if "Startup complete" in line:
                return lines
    raise AssertionError("\n".join(lines))


def configure(folder: Path, notifies: dict[str, str], security: str) -> Path:
    file = folder / "keepalived.conf"
    blocks = [INSTANCE.format(name=name, id=id, script=text) for id, (name, text) in enumerate(notifies.items(), 1)]
    file.write_text(f"global_defs {{\n    {security}\n    script_user root\n}}\n" + "".join(blocks))
    return file


def named(text: str) -> set[str]:
    """The file as it is written, and what it comes to through links."""
    path = text.split()[0].strip('"')
    return {path, os.path.realpath(path)}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Below a path that everybody may enter and nobody else may change."""
    made = Path("/run/hcloud-reassign-test-of-scripts")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(mode=0o755)
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize("security", ["enable_script_security", ""])
def test_the_same_scripts_are_left_out(folder: Path, security: str) -> None:
    notifies = scripts(folder)
    file = configure(folder, notifies, security)
    log = log_of_a_start(folder)
    left_out = {
        name
        for name, text in notifies.items()
        for line in log
        if any(word in line for word in LEFT_OUT) and named(text) & set(re.split(r"[\s']", line))
    }
    done = call(None, "check", "--keepalived-config", str(file), "-o", "json")
    told = {
        finding["section"].removeprefix("vrrp_instance ")
        for finding in done.document["findings"]
        if finding["level"] == "error" and finding["code"].startswith("script-")
    }
    assert told == left_out, "\n".join(log)
    assert {"everybody", "missing"} & told == ({"everybody", "missing"} if security else {"missing"})
