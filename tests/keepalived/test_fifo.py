"""The reader of a notify FIFO."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import pytest

from tests.keepalived.host import Host, gitlab
from tests.platforms.gitlab import GitLab

SECOND = "[vrrp.VI_2]\nresource = db\naddress = 192.0.2.11\n"


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "notify.fifo"
    os.mkfifo(path, 0o600)
    return path


@contextmanager
def reader(host: Host, fifo: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (host.folder / "stderr").open("ab") as stderr:
        process = subprocess.Popen(host.command(str(fifo)), stderr=stderr)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def keepalived(fifo: Path) -> FileIO:
    """The writing end, as keepalived holds it: open for reading, too, so that it never waits for a reader."""
    return FileIO(os.open(fifo, os.O_RDWR), "w")


def test_lines_of_several_instances_are_calls(host: Host, fifo: Path) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url), SECOND)
        host.is_master()
        with reader(host, fifo) as process, keepalived(fifo) as end:
            end.write(b'INSTANCE "VI_1" BACKUP 100\nINSTANCE "VI_2" MASTER 100\nGROUP "elsewhere" MASTER 0\n')
            platform.wait_for(lambda: len(platform.runs) == 1)
            end.write(b'INSTANCE "VI_1" MASTER_PRIORITY 90\nINSTANCE "VI_1" MASTER 150\n')
            platform.wait_for(lambda: len(platform.runs) == 2)
            end.close()
            assert process.wait(30) == 0
        assert [run.asked.resource for run in platform.runs] == ["db", "web"]
    assert "VI_1: BACKUP: nothing is under way" in host.log
    assert "elsewhere" not in host.log


TORN = [
    b'ANCE "VI_1" MASTER 150\n',
    b'INSTANCE "VI_1" MASINSTANCE "VI_2" BACKUP 100\n',
    b'INSTANCE "VI_2" BACKUP 1INSTANCE "VI_1" MASTER 150\n',
    b'INSTANCE "VI_1\n',
    b'INSTANCE "VI_1" MASTER\n',
    b"$(id) `id` ; \\ \xff\n",
    b'INSTANCE "VI_1" SOMETHING_NEW 150\n',
]


@pytest.mark.parametrize("line", TORN)
def test_a_torn_line_loses_no_master(host: Host, fifo: Path, line: bytes) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url))
        host.is_master()
        with reader(host, fifo) as process, keepalived(fifo) as end:
            end.write(line)
            platform.wait_for(lambda: len(platform.runs) == 1)
            host.is_master(False)
            end.write(line)
            host.says("cannot be read, so every address is looked at", times=2)
            host.says("not MASTER|nothing is under way|asks no more")
            assert process.poll() is None
        assert len(platform.runs) == 1


def test_a_line_without_an_end_counts_too(host: Host, fifo: Path) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url))
        host.is_master()
        with reader(host, fifo), keepalived(fifo) as end:
            end.write(b'INSTANCE "VI_1" BACKUP 150\n')
            host.says("nothing is under way")
            end.write(b'INSTANCE "VI_1" MASTER 150')
            end.close()
            platform.wait_for(lambda: len(platform.runs) == 1)


def test_the_last_lines_are_read_after_keepalived_ended_the_reader(host: Host, fifo: Path) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url))
        with reader(host, fifo) as process, keepalived(fifo) as end:
            end.write(b'INSTANCE "VI_1" BACKUP 150\n')
            host.says("BACKUP: nothing is under way")
            process.terminate()
            end.write(b'INSTANCE "VI_1" STOP 150\n')
            host.says("STOP: nothing is under way")
            assert process.wait(30) in (0, -15)


def test_a_second_reader_ends_the_first_before_it_reads(host: Host, fifo: Path) -> None:
    with GitLab() as platform, keepalived(fifo) as end:
        host.configure(gitlab(platform.url), resend=0)
        host.is_master()
        with reader(host, fifo) as first:
            end.write(b'INSTANCE "VI_1" MASTER 150\n')
            platform.wait_for(lambda: len(platform.runs) == 1)
            with reader(host, fifo) as second:
                first.wait(30)
                end.write(b'INSTANCE "VI_1" MASTER 150\n')
                platform.wait_for(lambda: len(platform.runs) == 2)
                assert second.poll() is None


def test_a_reader_that_finds_no_sound_configuration_waits_for_one(host: Host, fifo: Path) -> None:
    host.program("sleep", "#!/bin/sh\nexec /bin/sleep 0.1\n")
    host.configure("[nonsense]")
    broken = host.config.read_text(encoding="utf-8")
    host.config.write_text(broken.replace(f"path = {host.folder}/bin:", "path = "), encoding="utf-8")
    host.is_master()
    with GitLab() as platform, keepalived(fifo) as end:
        end.write(b'INSTANCE "VI_1" MASTER 150\n')
        with reader(host, fifo):
            host.wait_for(lambda: "unknown section" in host.errors)
            host.configure(gitlab(platform.url))
            platform.wait_for(lambda: len(platform.runs) == 1)


def test_an_edited_configuration_counts_from_the_next_line_on(host: Host, fifo: Path) -> None:
    host.configure("[trigger.broken]\ntype = gitlab")
    host.is_master()
    with GitLab() as platform, reader(host, fifo), keepalived(fifo) as end:
        end.write(b'INSTANCE "VI_1" MASTER 150\n')
        host.says("gives up: every trigger refused")
        host.configure("[nonsense]")
        end.write(b'INSTANCE "VI_1" MASTER 150\n')
        host.wait_for(lambda: "unknown section" in host.log + host.errors)
        host.configure(gitlab(platform.url))
        end.write(b'INSTANCE "VI_1" MASTER 150\n')
        platform.wait_for(lambda: len(platform.runs) == 1)
