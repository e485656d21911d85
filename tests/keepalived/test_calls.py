"""What each call of keepalived does."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.keepalived.host import ADDRESS, Host, gitlab
from tests.platforms.gitlab import GitLab


@pytest.mark.parametrize(
    "words",
    [
        ("INSTANCE", "VI_1", "MASTER", "150"),
        ("GROUP", "VI_1", "MASTER", "150"),
        ("INSTANCE", "VI_1", "MASTER"),
        ("INSTANCE", "VI_1", "MASTER_RX_LOWER_PRI"),
    ],
)
def test_the_master_asks_however_it_is_called(host: Host, words: tuple[str, ...]) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url))
        host.is_master()
        before = time.time_ns() // 1_000_000
        assert host.call(*words).returncode == 0
        platform.wait_for(lambda: len(platform.runs) == 1)
        asked = platform.runs[0].asked
    assert (asked.resource, asked.to) == ("web", "srv-b")
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*", asked.by)
    assert re.fullmatch(r"[0-9]{13}", asked.issued_at)
    assert before - 1000 <= int(asked.issued_at) <= time.time_ns() // 1_000_000
    assert re.fullmatch(r"[0-9]{1,9}", asked.age)
    assert int(asked.age) < 60_000


def test_a_clock_without_milliseconds_gives_the_second_that_has_begun(host: Host) -> None:
    host.program("date", '#!/bin/sh\n[ "$*" = +%s ] && exec /bin/date +%s\necho 1790000000%3N\n')
    with GitLab() as platform:
        host.configure(gitlab(platform.url))
        host.is_master()
        before = time.time()
        host.becomes("MASTER")
        platform.wait_for(lambda: len(platform.runs) == 1)
        issued_at = platform.runs[0].asked.issued_at
    assert re.fullmatch(r"[0-9]{10}000", issued_at)
    assert int(before) <= int(issued_at) // 1000 <= time.time()


def test_a_call_returns_while_the_platform_has_not_answered(host: Host) -> None:
    with GitLab() as platform:
        platform.delay_s = 60
        host.configure(gitlab(platform.url), timeout=60)
        host.is_master()
        assert host.becomes("MASTER").returncode == 0
        platform.wait_for(lambda: len(platform.received) == 1)
        assert host.sender() is not None
        host.is_master(False)
        host.becomes("BACKUP")
        host.waits_until_idle()


@pytest.mark.parametrize("state", ["BACKUP", "FAULT", "STOP", "DELETED"])
@pytest.mark.parametrize("has_address", [True, False])
def test_no_other_state_asks_anything(host: Host, state: str, has_address: bool) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url))
        host.is_master(has_address)
        assert host.becomes(state).returncode == 0
        assert f"{state}: nothing is under way, nothing is unassigned" in host.log
        assert (platform.received, host.sender()) == ([], None)


def test_who_has_not_the_address_is_not_master_whatever_the_call_says(host: Host) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url), settle=1)
        host.becomes("MASTER")
        host.says(f"not MASTER: {ADDRESS} is not on any interface; asks no more")
        assert platform.received == []


def test_an_address_that_cannot_be_looked_up_is_not_here(host: Host) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url))
        host.is_master()
        (host.folder / "ip-fails").touch()
        host.becomes("MASTER")
        host.says("not MASTER: ip addr show to 192.0.2.10: Cannot find device; asks no more")
        assert platform.received == []


def test_the_address_may_come_a_moment_after_the_call(host: Host) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url), settle=30)
        host.becomes("MASTER")
        host.wait_for(lambda: (host.folder / "ip-calls").exists())
        host.is_master()
        platform.wait_for(lambda: len(platform.runs) == 1)


def test_a_backup_call_that_comes_late_does_not_end_the_sender(host: Host) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url), resend=1, resend_every=2)
        host.is_master()
        host.becomes("MASTER")
        platform.wait_for(lambda: len(platform.runs) == 1)
        host.becomes("BACKUP")
        assert "BACKUP, yet 192.0.2.10 is here" in host.log
        platform.wait_for(lambda: len(platform.runs) == 2)


@pytest.mark.parametrize("state", ["BACKUP", "FAULT", "STOP"])
def test_leaving_ends_the_sender_in_the_middle_of_a_request(host: Host, state: str) -> None:
    with GitLab() as platform:
        platform.delay_s = 60
        host.configure(gitlab(platform.url), timeout=60)
        host.is_master()
        host.becomes("MASTER")
        platform.wait_for(lambda: len(platform.received) == 1)
        host.is_master(False)
        host.becomes(state)
        host.waits_until_idle()
        host.wait_for(lambda: not list(host.state.glob("VI_1.sender.*")))
    assert f"{state}: asks no more; nothing is unassigned" in host.log
    assert len(platform.received) == 1


def test_backup_right_after_master_leaves_nobody_asking(host: Host) -> None:
    with GitLab() as platform:
        with platform.down():
            host.configure(gitlab(platform.url), retries=99, retry_wait=1)
            host.is_master()
            host.becomes("MASTER")
            host.is_master(False)
            host.becomes("BACKUP")
            host.says("asks no more")
            host.waits_until_idle()
        assert platform.received == []


def test_flapping_ends_as_the_last_change_says(host: Host) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url), resend=9, resend_every=60)
        for round_ in range(10):
            host.is_master(round_ % 2 == 1)
            host.becomes("MASTER" if round_ % 2 else "BACKUP")
        last = time.time_ns() // 1_000_000
        host.says("was asked at")
        host.wait_for(lambda: "was asked at" in host.log.splitlines()[-1])
        assert host.sender() is not None
        newest = max(int(run.asked.issued_at) for run in platform.runs)
        assert newest >= last - 1000
        host.is_master(False)
        host.becomes("BACKUP")
        host.waits_until_idle()


HOSTILE = ["web; touch {x}", "$(touch {x})", "`touch {x}`", "a\nb", "a'b", 'a"b', "../../etc", "-c", "", "*", "é"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_refused_and_nothing_of_it_is_carried_out(host: Host, name: str, tmp_path: Path) -> None:
    executed = tmp_path / "executed"
    with GitLab() as platform:
        host.configure(gitlab(platform.url))
        host.is_master()
        assert host.call("INSTANCE", name.format(x=executed), "MASTER", "100").returncode == 1
        assert host.call("INSTANCE", "VI_1", name.format(x=executed), "100").returncode == 1
        assert platform.received == []
    assert not executed.exists()
    assert [line.split()[0] for line in host.log.splitlines()] == ["daemon.crit"] * 2


def test_a_name_that_is_not_configured_is_told_with_those_that_are(host: Host) -> None:
    host.configure(gitlab("http://127.0.0.1:9"))
    assert host.call("INSTANCE", "VI_2", "MASTER", "100").returncode == 1
    assert "has no [vrrp.VI_2]; it has: VI_1" in host.log


@pytest.mark.parametrize(
    "words", [(), ("MASTER",), ("INSTANCE", "VI_1"), ("SOMETHING", "VI_1", "MASTER", "1"), ("/etc",)]
)
def test_other_calls_are_told_how_it_is_called(host: Host, words: tuple[str, ...]) -> None:
    host.configure(gitlab("http://127.0.0.1:9"))
    assert host.call(*words).returncode == 2
    assert "wanted: hcloud-reassign-notify [-c FILE]" in host.errors


def test_help_says_how_it_is_called(host: Host) -> None:
    host.configure(gitlab("http://127.0.0.1:9"))
    done = host.call("--help")
    assert done.returncode == 0
    assert "INSTANCE|GROUP NAME STATE [PRIORITY]" in done.stdout
    assert "--check" in done.stdout


def test_it_runs_with_what_keepalived_hands_on(host: Host, tmp_path: Path) -> None:
    """The umask, the home of another user, the PATH and proxies of who started the daemon."""
    (tmp_path / "home").mkdir()
    for name in (".curlrc", ".wgetrc"):
        (tmp_path / "home" / name).write_text("proxy = http://127.0.0.1:1\nhttp_proxy = http://127.0.0.1:1\n")
    foreign = {
        "HOME": str(tmp_path / "home"),
        "PATH": "/nonexistent",
        "http_proxy": "http://127.0.0.1:1",
        "ALL_PROXY": "http://127.0.0.1:1",
        "LC_ALL": "tr_TR.UTF-8",
        "IFS": "/",
        "ENV": "/nonexistent",
    }
    host = Host(tmp_path / "home", [f"/usr/bin/{host.shell[0]}", *host.shell[1:]])
    with GitLab() as platform:
        host.configure(gitlab(platform.url))
        host.is_master()
        assert host.call("INSTANCE", "VI_1", "MASTER", "150", env=foreign, umask=0o177).returncode == 0
        platform.wait_for(lambda: len(platform.runs) == 1)
        host.waits_until_idle()
    assert {path.stat().st_mode & 0o077 for path in [host.state, *host.state.iterdir()]} == {0}
    assert all(line.startswith("hcloud-reassign-notify: VI_1: ") for line in host.errors.splitlines())


def test_without_a_logger_it_speaks_on_stderr(host: Host) -> None:
    host.program("logger", "#!/bin/sh\nexit 1\n")
    host.configure(gitlab("http://127.0.0.1:9"))
    host.becomes("BACKUP")
    assert "hcloud-reassign-notify: VI_1: BACKUP: nothing is under way" in host.errors
