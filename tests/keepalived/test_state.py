"""Where the script keeps what it has to know of itself: what is wrong with that never keeps it from asking."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.keepalived.host import Host, gitlab
from tests.platforms.gitlab import GitLab

ELSEWHERE = """\
for folder in /run /dev/shm; do mount -t tmpfs tmpfs $folder || exit 99; done
mount -t tmpfs -o size=4k tmpfs "$0/full" && head -c 9999 /dev/zero >"$0/full/zero" 2>/dev/null
mount -t tmpfs -o ro tmpfs "$0/read-only"
exec "$@"
"""
"""Folders of its own in place of the machine's, and two that cannot be written."""


def _may_mount() -> bool:
    tried = subprocess.run(["unshare", "-m", "true"], capture_output=True) if os.geteuid() == 0 else None
    return tried is not None and tried.returncode == 0


@pytest.fixture(params=["dash", "busybox sh"])
def apart(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    """A host that sees another /run than this machine's."""
    shell = request.param.split()
    if shutil.which(shell[0]) is None or not _may_mount():
        pytest.skip(f"needs {shell[0]}, and root with CAP_SYS_ADMIN for a mount namespace")
    for name in ("full", "read-only"):
        (tmp_path / name).mkdir()
    made = Host(tmp_path, ["unshare", "-m", "sh", "-c", ELSEWHERE, str(tmp_path), *shell])
    yield made
    made.close()


def unsafe(folder: Path) -> str:
    made = folder / "unsafe"
    made.mkdir()
    made.chmod(0o777)
    return str(made)


def of_another(folder: Path) -> str:
    made = folder / "another"
    made.mkdir(0o700)
    os.chown(made, 65534, 65534)
    return str(made)


def a_link(folder: Path) -> str:
    (folder / "link").symlink_to(folder / "etc")
    return str(folder / "link")


def below_a_file(folder: Path) -> str:
    return str(folder / "etc" / "token" / "state")


FOLDERS: Mapping[str, tuple[Callable[[Path], str], str]] = {
    "full": (lambda folder: f"{folder}/full", "cannot be written: is it full"),
    "read-only": (lambda folder: f"{folder}/read-only", "cannot be written: is it full"),
    "unsafe": (unsafe, "can be written by its group or by others"),
    "of another user": (of_another, "has to be a folder of user 0"),
    "a link": (a_link, "has to be a folder of user 0"),
    "below a file": (below_a_file, "has to be a folder of user 0"),
}


@pytest.mark.parametrize("what", FOLDERS)
def test_without_its_folder_it_takes_another_one_and_asks(apart: Host, what: str) -> None:
    make, why = FOLDERS[what]
    folder = make(apart.folder)
    with GitLab() as platform:
        apart.configure(gitlab(platform.url), state_dir=folder)
        apart.is_master()
        assert apart.becomes("MASTER").returncode == 0
        apart.says("asked 1 times")
        assert len(platform.runs) == 1
    assert re.search(
        f"^daemon.err state_dir: {re.escape(folder)}.*{re.escape(why)}.*; takes /run/", apart.log, re.MULTILINE
    )
    assert not [path for path in (apart.folder / "etc").iterdir() if path.name not in ("notify.conf", "token")]
    assert "PROBLEM  state_dir" in apart.call("--check").stdout


def test_the_other_folder_is_the_same_for_all_calls(apart: Host) -> None:
    """So BACKUP ends the sender of MASTER, wherever that stands."""
    both, go = apart.folder / "both", apart.folder / "go"
    both.write_text(f'"$@" INSTANCE VI_1 MASTER 1; until [ -e {go} ]; do sleep 0.1; done; "$@" INSTANCE VI_1 BACKUP 1')
    with GitLab() as platform:
        platform.delay_s = 60
        apart.configure(gitlab(platform.url), state_dir=f"{apart.folder}/full", timeout=60)
        apart.is_master()
        words = apart.command()
        begin = words.index(str(apart.folder)) + 1
        with subprocess.Popen([*words[:begin], "sh", both, *words[begin:]], stderr=subprocess.DEVNULL):
            platform.wait_for(lambda: len(platform.runs) == 1)
            apart.is_master(False)
            go.touch()
        apart.says("BACKUP: asks no more; nothing is unassigned")


def test_a_syslog_that_hangs_does_not_keep_it_from_asking(host: Host) -> None:
    host.program("logger", "#!/bin/sh\nexec sleep 600\n")
    with GitLab() as platform:
        host.configure(gitlab(platform.url))
        host.is_master()
        host.becomes("MASTER")
        platform.wait_for(lambda: len(platform.runs) == 1)
        host.waits_until_idle()
    assert "was asked at" in host.errors


def test_a_part_that_is_missing_is_told(host: Host, tmp_path: Path) -> None:
    shutil.copytree(Path(host.command()[len(host.shell)]).parent, tmp_path / "installed")
    (tmp_path / "installed" / "notify.d" / "sender.sh").unlink()
    script = tmp_path / "installed" / "hcloud-reassign-notify"
    done = subprocess.run([*host.shell, str(script), "--check"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "sender.sh is not there: nothing is asked" in done.stderr


def test_without_proc_it_says_so(tmp_path: Path) -> None:
    if not _may_mount():
        pytest.skip("needs root with CAP_SYS_ADMIN for a mount namespace")
    bare = Host(tmp_path, ["unshare", "-m", "sh", "-c", 'mount -t tmpfs tmpfs /proc && exec "$@"', "sh", "dash"])
    bare.configure(gitlab("http://127.0.0.1:9"))
    assert bare.becomes("MASTER").returncode == 1
    assert "there is no /proc: nothing is asked" in bare.errors
