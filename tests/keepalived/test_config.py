"""The configuration: what is refused, and what --check says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.keepalived.host import ADDRESS, ROOT, Host, gitlab, trigger
from tests.platforms.gitlab import GitLab

SAMPLE = ROOT / "keepalived" / "hcloud-reassign-notify.conf"
NOBODY = "http://127.0.0.1:9"

FAULTS = [
    (
        "[vrrp.VI_2]\nadress = 192.0.2.1",
        "unknown key 'adress' in [vrrp.VI_2]; known: resource address interface confirm",
    ),
    ("[trigger.x]\ntokenfile = a", "unknown key 'tokenfile' in [trigger.x]; known: type url"),
    ("[something]", "unknown section [something]; known: [notify], [vrrp.NAME], [trigger.NAME]"),
    ("[trigger.]", "the name in [trigger.]"),
    ("[vrrp.$(id)]", "the name in [vrrp.$(id)]"),
    ("[vrrp.VI_1]", "[vrrp.VI_1] is there twice"),
    ("[trigger.x]\ntype = gitlab\ntype = github", "'type' is there twice in [trigger.x]"),
    ("[trigger.x]\ntype = gateway", "gateway is not in this version"),
    ("[trigger.x]\ntype = gitlub", "'type' cannot be 'gitlub': gitlab, github"),
    ("[trigger.x]\nurl = ftp://x", "'url' cannot be 'ftp://x': a URL like https://host/path"),
    ("[trigger.x]\nurl = https://user:pw@x", "'url' cannot be"),
    ('[trigger.x]\nref = a"b', "'ref' cannot be"),
    ("[trigger.x]\njob = a/../b", "'job' cannot be"),
    ("[vrrp.VI_2]\nresource = web; id", "'resource' cannot be 'web; id': at most 64 letters"),
    (
        "[vrrp.VI_2]\naddress = 192.0.2.1/32",
        "'address' cannot be '192.0.2.1/32': an address is wanted, without /length",
    ),
    ("[vrrp.VI_2]\ninterface = -f", "'interface' cannot be '-f'"),
    ("[vrrp.VI_2]\nconfirm = maybe", "'confirm' cannot be 'maybe': metadata, or a command"),
    ("just words", "this is neither [section] nor key = value"),
    ("[trigger.x]\nref = caf\u00e9", "a control character, or one that is not ASCII"),
    ("[trigger.x]\nref = a\x1b[0m", "a control character"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_a_fault_names_its_file_and_line(host: Host, text: str, message: str) -> None:
    host.configure(gitlab(NOBODY))
    lines = host.config.read_text(encoding="utf-8").count("\n") + text.count("\n") + 1
    with host.config.open("a", encoding="utf-8") as config:
        config.write(text + "\n")
    done = host.call("--check")
    assert done.returncode == 1
    assert f"{host.config}:{lines}: " in done.stdout
    assert message in done.stdout
    assert host.becomes("MASTER").returncode == 1


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"timeout": "ten"}, "'timeout' cannot be 'ten': a whole number is wanted"),
        ({"timeout": "0"}, "'timeout' cannot be '0': without a limit one request could wait for ever"),
        ({"retry_wait": "08"}, "'retry_wait' cannot be '08': a whole number is wanted"),
        ({"to": "srv_b"}, "'to' cannot be 'srv_b': at most 253 letters"),
        ({"state_dir": "run"}, "'state_dir' cannot be 'run': a path from / is wanted"),
    ],
)
def test_a_value_that_cannot_be_is_told(host: Host, entry: dict[str, str | int], message: str) -> None:
    host.configure(gitlab(NOBODY), **entry)
    assert message in host.call("--check").stdout


def test_comments_spaces_and_line_ends_of_windows_are_as_in_the_other_file(host: Host) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url))
        text = host.config.read_text(encoding="utf-8").replace("ref = main", "\tref=main ; this branch # always ")
        host.config.write_bytes(f"; first\n  # second\n\n{text}".replace("\n", "\r\n").rstrip().encode())
        host.is_master()
        host.becomes("MASTER")
        platform.wait_for(lambda: len(platform.runs) == 1)


def test_nothing_in_it_is_carried_out(host: Host, tmp_path: Path) -> None:
    executed = tmp_path / "executed"
    with GitLab() as platform:
        host.configure(gitlab(platform.url), on_giveup=f"true $(touch {executed}) `touch {executed}` ;touch {executed}")
        host.is_master()
        host.becomes("MASTER")
        host.says("asked 1 times")
        host.waits_until_idle()
    assert not executed.exists()


def test_a_file_that_others_may_write_is_refused(host: Host) -> None:
    with GitLab() as platform:
        host.is_master()
        for path, mode in [(host.config, 0o660), (host.config, 0o602), (host.config.parent, 0o770)]:
            host.configure(gitlab(platform.url))
            path.chmod(mode)
            assert host.becomes("MASTER").returncode == 1
            assert f"configuration refused: {path} can be written by its group or by others: chmod go-w" in host.errors
            path.chmod(mode & 0o700)
        assert platform.received == []


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another user")
def test_a_file_of_another_user_is_refused(host: Host) -> None:
    host.configure(gitlab(NOBODY))
    os.chown(host.config, 65534, 0)
    assert host.becomes("MASTER").returncode == 1
    assert f"configuration refused: {host.config} belongs to user 65534: chown root" in host.errors


def test_a_file_that_is_not_there_is_told(host: Host) -> None:
    assert host.becomes("MASTER").returncode == 1
    assert f"configuration refused: {host.config} is not there" in host.errors


def test_the_check_finds_all_sound_and_changes_nothing(host: Host) -> None:
    host.configure(gitlab("https://gitlab.example.com"))
    for master, shown in ((False, "not MASTER, a call would ask nobody"), (True, "a call would move web to srv-b")):
        host.is_master(master)
        done = host.call("--check")
        assert (done.returncode, shown in done.stdout) == (0, True)
        assert {line.split()[0] for line in done.stdout.splitlines()} == {"ok"}
    assert not host.state.exists()


def test_the_check_names_every_problem(host: Host) -> None:
    host.configure(
        trigger("a", type="gitlab", project="1", ref="main", token_file="missing"),
        trigger("b", type="command", command="no-such-program x"),
        "[vrrp.VI_2]\nresource = db",
        f"[vrrp.VI_3]\nresource = db\naddress = {ADDRESS}\ninterface = nosuch0",
        triggers="a b c",
    )
    done = host.call("--check")
    assert done.returncode == 1
    for problem in (
        r"trigger a: .*/missing is not there",
        r"trigger b: there is no program no-such-program",
        r"trigger c: there is no \[trigger.c\]",
        r"vrrp VI_2: .*: \[vrrp.VI_2\] needs 'address'",
        r"vrrp VI_3: there is no interface nosuch0",
    ):
        assert re.search(rf"^PROBLEM  {problem}", done.stdout, re.MULTILINE), done.stdout


def test_the_check_names_every_fault_of_the_file_at_once(host: Host) -> None:
    faults = [text for text, _ in FAULTS if text not in ("[vrrp.VI_1]", "[something]")]
    own = [text.replace("r.x]", f"r.x{number}]").replace("VI_2", f"VI_2{number}") for number, text in enumerate(faults)]
    host.configure(*own, gitlab(NOBODY), "[something]\nto = x", to="srv_b", state_dir="run")
    done = host.call("--check")
    assert done.returncode == 1
    told = [line for line in done.stdout.splitlines() if line.startswith(f"PROBLEM  {host.config}:")]
    assert len(told) == len(faults) + 3, done.stdout
    assert "ok       trigger pipeline" in done.stdout


def test_the_shipped_file_is_sound_and_names_every_key(host: Host) -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    source = (ROOT / "keepalived" / "notify.d" / "config.sh").read_text(encoding="utf-8")
    listed = source.partition("known_keys()")[2].partition("\n}\n")[0]
    keys = {word for line in re.findall(r"echo ((?:.|\\\n)*?)(?:;;|\n *;;)", listed) for word in line.split()} - {"\\"}
    assert len(keys) > 30
    assert keys == set(re.findall(r"^[#; ]*([a-z_]+) += ", text, re.MULTILINE))
    host.config.write_text(text.replace("/etc/hcloud-reassign", str(host.config.parent)), encoding="utf-8")
    host.config.chmod(0o600)
    host.secret("trigger-token", "glptt-x")
    done = host.call("--check")
    assert "is sound" in done.stdout
    assert "ok       trigger pipeline: gitlab at https://gitlab.example.com" in done.stdout


def test_the_defaults_in_the_shipped_file_are_those_of_the_script() -> None:
    source = (ROOT / "keepalived" / "notify.d" / "config.sh").read_text(encoding="utf-8")
    defaults = dict(re.findall(r"([a-z_]+)=([0-9]+|/\S+)", source.partition("defaults() {")[2].partition("}")[0]))
    shown = dict(re.findall(r"^; ([a-z_]+) += (\S+)", SAMPLE.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(defaults) == 10
    assert {key: shown[key] for key in defaults} == defaults
