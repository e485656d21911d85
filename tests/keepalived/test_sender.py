"""The process that asks: one at a time, the newest, with patience and with an end."""

from __future__ import annotations

import math
import os
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.keepalived.host import Host, gitlab, trigger
from tests.platforms.gitlab import GitLab
from tests.platforms.server import Platform

GIVE_UP = '#!/bin/sh\nprintf \'%s %s %s %s\\n\' "$HR_REASON" "$HR_NAME" "$HR_RESOURCE" "$1" >{folder}/gave-up\n'


def gave_up(host: Host) -> str:
    """What `on_giveup` was told, once it ran."""
    path = host.folder / "gave-up"
    host.wait_for(lambda: path.exists() and path.read_text(encoding="utf-8").endswith("\n"))
    return path.read_text(encoding="utf-8").strip()


def asks(host: Host) -> Path:
    return host.program("asks", "#!/bin/sh\n")


def on_giveup(host: Host) -> str:
    return f"{host.program('give-up', GIVE_UP.format(folder=host.folder))} mail"


def test_the_newest_call_takes_over_from_a_sender_that_is_stuck(host: Host) -> None:
    with GitLab() as slow, GitLab() as platform:
        slow.delay_s = 60
        host.configure(gitlab(slow.url), timeout=60)
        host.is_master()
        host.becomes("MASTER")
        slow.wait_for(lambda: len(slow.runs) == 1)
        first = host.sender()
        host.configure(gitlab(platform.url))
        host.becomes("MASTER")
        platform.wait_for(lambda: len(platform.runs) == 1)
        assert first is not None
        host.wait_for(lambda: not Path(f"/proc/{first}").exists())
        host.waits_until_idle()
        assert int(slow.runs[0].asked.issued_at) <= int(platform.runs[0].asked.issued_at)
    assert host.log.count("was asked at") == 1


@pytest.mark.parametrize("left", ["999999999 1", "1", "", "garbage $(id) `id`", "0 0", "-1 5"])
def test_what_a_dead_sender_left_is_in_nobodys_way(host: Host, left: str) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url))
        host.state.mkdir(mode=0o700)
        (host.state / "VI_1.sender").write_text(left)
        host.is_master()
        host.becomes("MASTER")
        platform.wait_for(lambda: len(platform.runs) == 1)


def test_a_process_that_only_has_the_id_of_a_dead_sender_is_left_alone(host: Host) -> None:
    with GitLab() as platform, subprocess.Popen(["sleep", "600"]) as other:
        host.configure(gitlab(platform.url))
        host.state.mkdir(mode=0o700)
        host.is_master()
        for state in ("MASTER", "BACKUP"):
            (host.state / "VI_1.sender").write_text(f"{other.pid} 1\n")
            host.becomes(state)
            platform.wait_for(lambda: len(platform.runs) == 1)
            host.waits_until_idle()
        alive = other.poll() is None
        other.kill()
    assert alive


def test_what_failed_for_now_is_asked_again_with_a_new_time(host: Host) -> None:
    with GitLab() as platform:
        platform.answer_with(503, times=2)
        host.configure(gitlab(platform.url), retries=5, retry_wait=1, retry_wait_max=1)
        host.is_master()
        host.becomes("MASTER")
        platform.wait_for(lambda: len(platform.runs) == 1)
        host.waits_until_idle()
        times = [request.body.decode().partition("HR_ISSUED_AT]=")[2][:13] for request in platform.received]
    assert len(set(times)) == len(times) == 3
    assert times == sorted(times)
    assert "pipeline answered 503" in host.log
    assert "asks again in 1 s (try 3 of 5)" in host.log


def test_the_waits_between_tries_grow_up_to_their_limit(host: Host) -> None:
    host.program("sleep", "#!/bin/sh\n")
    host.configure(gitlab("http://127.0.0.1:9"), retries=6, retry_wait=1, retry_wait_max=5)
    host.is_master()
    host.becomes("MASTER")
    host.says("gives up: no trigger accepted in 6 tries")
    for seconds, try_ in zip((1, 2, 4, 5, 5), range(2, 7), strict=True):
        assert f"asks again in {seconds} s (try {try_} of 6)" in host.log


def test_who_cannot_be_reached_is_given_up_after_some_tries(host: Host) -> None:
    with GitLab() as platform:
        platform.answer_with(500, times=math.inf)
        host.configure(gitlab(platform.url), retries=3, on_giveup=on_giveup(host))
        host.is_master()
        host.becomes("MASTER")
        assert gave_up(host) == "unreachable VI_1 web mail"
        assert len(platform.received) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 302])
def test_a_refusal_is_not_asked_again_and_says_what_to_do(host: Host, status: int) -> None:
    with GitLab() as platform:
        platform.answer_with(status, {"message": "because"}, Location=f"{platform.url}/elsewhere")
        host.configure(gitlab(platform.url), retries=9, on_giveup=on_giveup(host))
        host.is_master()
        host.becomes("MASTER")
        assert gave_up(host) == "refused VI_1 web mail"
        assert len(platform.received) == 1
    assert f"daemon.err VI_1: pipeline refused with {status}" in host.log
    assert ("write that one as 'url'" if status == 302 else "because") in host.log


def test_a_refusal_for_some_time_is_asked_again(host: Host) -> None:
    with GitLab() as platform:
        platform.answer_with(403, {"message": "slow down"}, Retry_After="1")
        host.configure(gitlab(platform.url))
        host.is_master()
        host.becomes("MASTER")
        platform.wait_for(lambda: len(platform.runs) == 1)


def test_the_second_trigger_is_asked_when_the_first_is_down(host: Host) -> None:
    with GitLab() as first, GitLab() as second:
        host.configure(gitlab(first.url, "first"), gitlab(second.url, "second"))
        host.is_master()
        with first.down():
            host.becomes("MASTER")
            second.wait_for(lambda: len(second.runs) == 1)
            host.says("second was asked")
    assert "first gave no answer: curl: (7)" in host.log


def test_the_second_trigger_is_asked_when_the_first_refuses_and_only_that_one_again(host: Host) -> None:
    with GitLab(token="another") as first, GitLab() as second:
        host.configure(gitlab(first.url, "first"), gitlab(second.url, "second"), resend=2)
        host.is_master()
        host.becomes("MASTER")
        second.wait_for(lambda: len(second.runs) == 3)
        assert len(first.received) == 1
    assert "first refused with 404" in host.log


def test_a_trigger_that_is_not_sound_is_left_out(host: Host) -> None:
    with GitLab() as platform:
        host.configure(trigger("first", type="gitlab", url=platform.url), gitlab(platform.url, "second"))
        host.is_master()
        host.becomes("MASTER")
        platform.wait_for(lambda: len(platform.runs) == 1)
    assert "[trigger.first] of" in host.log
    assert "left out: type = gitlab needs 'project'" in host.log


def test_triggers_are_asked_in_the_order_they_are_named(host: Host) -> None:
    with GitLab() as first, GitLab() as second:
        host.configure(gitlab(first.url, "first"), gitlab(second.url, "second"), triggers="second, first")
        host.is_master()
        host.becomes("MASTER")
        second.wait_for(lambda: len(second.runs) == 1)
        assert first.received == []


def test_a_slow_answer_is_not_waited_for(host: Host) -> None:
    with GitLab() as slow, GitLab() as second:
        slow.delay_s = 60
        host.configure(gitlab(slow.url, "slow"), gitlab(second.url, "second"), timeout=1)
        host.is_master()
        host.becomes("MASTER")
        second.wait_for(lambda: len(second.runs) == 1)
    assert "slow gave no answer: curl: (28)" in host.log


def test_an_endless_answer_is_cut_off(host: Host) -> None:
    with GitLab() as platform:
        platform.answer_with(500, "x" * 8_000_000)
        host.configure(gitlab(platform.url))
        host.is_master()
        host.becomes("MASTER")
        platform.wait_for(lambda: len(platform.runs) == 1)
        assert all(path.stat().st_size < 1_100_000 for path in host.state.iterdir())


def test_what_cannot_be_confirmed_is_asked_again_while_master_and_then_given_up(host: Host) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url), resend=2, on_giveup=on_giveup(host))
        host.is_master()
        host.becomes("MASTER")
        assert gave_up(host) == "unconfirmed VI_1 web mail"
        times = [int(run.asked.issued_at) for run in platform.runs]
    assert len(times) == 3
    assert times == sorted(set(times))
    assert "asks again (2 of 2)" in host.log
    assert "asked 3 times; whether it worked cannot be seen from here" in host.log


def test_it_is_not_asked_again_once_the_address_is_gone(host: Host) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url), resend=50)
        host.is_master()
        host.becomes("MASTER")
        platform.wait_for(lambda: len(platform.runs) == 1)
        host.is_master(False)
        host.says("not MASTER: .*; asks no more")
        host.waits_until_idle()
        count = len(platform.received)
    assert host.log.count("(gitlab) to move web to srv-b") == count


@pytest.mark.parametrize("there", [True, False])
def test_a_command_may_confirm_that_it_worked(host: Host, there: bool) -> None:
    command = host.program("is-here", f"#!/bin/sh\nexit {0 if there else 1}\n")
    with GitLab() as platform:
        host.configure(gitlab(platform.url), resend=1)
        with host.config.open("a", encoding="utf-8") as config:
            config.write(f"confirm = {command} --now\n")
        host.is_master()
        host.becomes("MASTER")
        host.says("web is on srv-b, confirmed by" if there else "asked 2 times")
        assert len(platform.runs) == (1 if there else 2)


METADATA = """- ip: 10.0.1.2
  alias_ips: {}
  interface_num: 1
  mac_address: 86:00:00:2a:7d:e0
  network_id: 1234
  network: 10.0.0.0/16
  gateway: 192.0.2.10
"""


class Metadata(Platform):
    """Hetzner's metadata service."""

    def handle(self, request: object) -> object:  # type: ignore[override]
        raise NotImplementedError


@pytest.mark.parametrize(
    ("aliases", "worked"),
    [
        ("[192.0.2.10]", True),
        ('["192.0.2.9", "192.0.2.10"]', True),
        ("\n  - 192.0.2.10", True),
        ("[]", False),
        ("[192.0.2.100]", False),
    ],
)
def test_hetzner_itself_confirms_an_alias_ip(host: Host, aliases: str, worked: bool) -> None:
    with GitLab() as platform, Metadata() as metadata:
        metadata.answer_with(200, METADATA.format(aliases), times=math.inf, Content_Type="text/plain")
        port = metadata.url.rpartition(":")[2]
        host.program("curl", f'#!/bin/sh\nexec /usr/bin/curl "$@" --connect-to 169.254.169.254:80:127.0.0.1:{port}\n')
        host.configure(gitlab(platform.url), resend=0)
        with host.config.open("a", encoding="utf-8") as config:
            config.write("confirm = metadata\n")
        host.is_master()
        host.becomes("MASTER")
        host.says("confirmed by metadata" if worked else "asked 1 times")
        assert {request.path for request in metadata.received} == {"/hetzner/v1/metadata/private-networks"}
        assert not any("authorization" in request.headers or request.body for request in metadata.received)


def test_a_keepalived_that_was_killed_is_not_spoken_for(host: Host, tmp_path: Path) -> None:
    daemon = tmp_path / "keepalived"
    shutil.copy(shutil.which("dash") or pytest.skip("needs dash"), daemon)
    words = " ".join(host.command("INSTANCE", "VI_1", "MASTER", "150"))
    with GitLab() as platform:
        host.configure(gitlab(platform.url), resend=50)
        host.is_master()
        with subprocess.Popen([daemon, "-c", f"{words}; read -r nothing"], stdin=subprocess.PIPE) as process:
            platform.wait_for(lambda: len(platform.runs) == 2)
            process.kill()
        host.says("the keepalived that called is gone; asks no more")
        host.waits_until_idle()


def test_a_burst_of_lower_priorities_asks_at_once_and_once_more_after_the_interval(host: Host) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url), rx_interval=3)
        host.is_master()
        host.becomes("MASTER_RX_LOWER_PRI")
        platform.wait_for(lambda: len(platform.runs) == 1)
        for _ in range(4):
            host.becomes("MASTER_RX_LOWER_PRI")
        platform.wait_for(lambda: len(platform.runs) == 2)
        host.waits_until_idle()
        first, second = (run.asked.issued_at for run in platform.runs)
    assert int(second) - int(first) >= 2900
    assert host.log.count("another host was MASTER, too") < 5


def test_an_untrusted_certificate_is_told(host: Host, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
        + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        capture_output=True,
        check=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with GitLab(tls=context) as platform:
        host.configure(gitlab(platform.url), retries=1)
        host.is_master()
        host.becomes("MASTER")
        host.says("certificate")
        host.says("gives up")
        assert platform.received == []
    assert os.environ["HOME"] not in host.log


def test_with_repeat_it_asks_again_for_as_long_as_it_is_master(host: Host) -> None:
    with GitLab() as platform:
        host.configure(trigger("here", type="command", command=f"{asks(host)} x"), repeat=1)
        host.is_master()
        host.becomes("MASTER")
        host.says("confirmed by here", times=3)
        host.is_master(False)
        host.says("not MASTER: .* asks no more")
        host.waits_until_idle()
        assert platform.received == []


def test_with_repeat_it_asks_again_after_it_gave_up(host: Host) -> None:
    with GitLab() as platform:
        with platform.down():
            host.configure(gitlab(platform.url), retries=1, repeat=1, on_giveup=on_giveup(host))
            host.is_master()
            host.becomes("MASTER")
            assert gave_up(host) == "unreachable VI_1 web mail"
            (host.folder / "gave-up").unlink()
        platform.wait_for(lambda: len(platform.runs) == 2)
        assert "asked 1 times" not in host.log
        host.is_master(False)
        host.becomes("BACKUP")
        host.waits_until_idle()


def test_with_repeat_a_backup_asks_nothing(host: Host) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url), repeat=1)
        for state in ("BACKUP", "MASTER_RX_LOWER_PRI", "MASTER"):
            host.becomes(state)
            host.waits_until_idle()
        host.says("not MASTER", times=2)
        assert platform.received == []


def test_a_confirmation_that_hangs_is_ended(host: Host) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url), timeout=1, resend=1)
        text = host.config.read_text(encoding="utf-8")
        host.config.write_text(f"{text}confirm = /bin/sleep 600\n", encoding="utf-8")
        host.is_master()
        host.becomes("MASTER")
        platform.wait_for(lambda: len(platform.runs) == 2)
