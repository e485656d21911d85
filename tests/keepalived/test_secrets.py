"""No secret is in an argument, an environment, a file or the log."""

from __future__ import annotations

import os
import re
import subprocess
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.keepalived.host import SCRIPT, Host, gitlab, trigger
from tests.keepalived.test_platforms import github, jenkins, tekton
from tests.platforms.github import GitHub
from tests.platforms.gitlab import GitLab
from tests.platforms.jenkins import Jenkins
from tests.platforms.server import Platform
from tests.platforms.tekton import Tekton

SECRET = "s3cr3t+token/with=signs"
SHOWN = [
    SECRET,
    quote(SECRET, safe=""),
    b64encode(f"failover-bot:{SECRET}".encode()).decode(),
    SECRET.encode().hex(" "),
]
PROGRAMS = "base64 cat curl cut date env grep id ls mkdir mv od rm sed sha256sum sleep timeout tr uname wget"
RECORDER = """#!/bin/sh
{{ printf '%s\\n' "$0" "$@"; /usr/bin/env; }} >>"{folder}/recorded"
exec {program} "$@"
"""
PLATFORMS: dict[str, tuple[Callable[[], Platform], Callable[[str], str]]] = {
    "gitlab": (lambda: GitLab(token=SECRET), gitlab),
    "github": (lambda: GitHub(token=SECRET), github),
    "jenkins": (lambda: Jenkins(token=SECRET), jenkins),
    "tekton": (lambda: Tekton(secret=SECRET), tekton),
}


def record_programs(host: Host, *, without: str = "") -> str:
    """A PATH in which every program first writes down its arguments and its environment."""
    for name in PROGRAMS.split():
        real = next((f"{folder}/{name}" for folder in ("/usr/bin", "/bin") if os.path.exists(f"{folder}/{name}")), None)
        if real is None:
            pytest.skip(f"needs {name}")
        if name != without:
            host.program(name, RECORDER.format(folder=host.folder, program=real))
    return f"{host.folder}/bin"


def variables_of_the_script() -> set[str]:
    """What a shell takes from its environment stays there, with the value that the script gives it."""
    parts = [SCRIPT, *SCRIPT.parent.glob("notify.d/*.sh")]
    text = "\n".join(part.read_text(encoding="utf-8") for part in parts)
    found = set(re.findall(r"\b([a-z_]+)=", text)) | {
        word for line in re.findall(r"\bread -r ([a-z_ ]+)", text) for word in line.split()
    }
    assert {"secret", "key", "body", "headers", "trimmed"} <= found
    return found


def everything_written(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "token"]
    return "\n".join(path.read_bytes().decode("latin-1") for path in files)


@pytest.mark.parametrize("without", ["wget", "curl"])
@pytest.mark.parametrize("name", PLATFORMS)
def test_no_process_shows_a_secret(host: Host, name: str, without: str) -> None:
    make, section = PLATFORMS[name]
    host.secret("token", SECRET + "\n")
    with make() as platform:
        host.configure(section(platform.url), path=record_programs(host, without=without))
        host.is_master()
        host.call("INSTANCE", "VI_1", "MASTER", "1", env=dict.fromkeys(variables_of_the_script(), "x"))
        platform.wait_for(lambda: len(platform.runs) == 1)
        host.waits_until_idle()
    recorded = (host.folder / "recorded").read_text(encoding="latin-1")
    assert f"{host.folder}/bin/{'wget' if without == 'curl' else 'curl'}\n" in recorded
    written = everything_written(host.folder) + host.errors
    assert not [shown for shown in SHOWN if shown in written]


def test_curl_reads_its_words_from_stdin_and_nothing_of_what_the_daemon_knows(host: Host) -> None:
    record = f"printf '%s\\n' \"$@\" >{host.folder}/words; /usr/bin/env >{host.folder}/environment"
    host.program("curl", f'#!/bin/sh\n{record}\nexec /usr/bin/curl "$@"\n')
    with GitLab() as platform:
        host.configure(gitlab(platform.url))
        host.is_master()
        host.call("INSTANCE", "VI_1", "MASTER", "1", env={"A_PASSWORD": "x", "https_proxy": "http://x"})
        platform.wait_for(lambda: len(platform.runs) == 1)
    assert (host.folder / "words").read_text().startswith("-q\n--config\n-\n")
    names = {line.partition("=")[0] for line in (host.folder / "environment").read_text().splitlines()}
    assert names <= {"PATH", "HOME", "LC_ALL", "PWD", "OLDPWD", "_", "SHLVL"}


@pytest.mark.parametrize("name", PLATFORMS)
def test_an_answer_that_repeats_the_secret_is_not_logged(host: Host, name: str) -> None:
    make, section = PLATFORMS[name]
    host.secret("token", SECRET)
    with make() as platform:
        echo = {"message": f"bad token {SECRET} in {SHOWN[2]}"} if name != "tekton" else {"message": "bad"}
        platform.answer_with(400, echo)
        host.configure(section(platform.url))
        host.is_master()
        host.becomes("MASTER")
        host.says("refused with 400")
    assert not [shown for shown in SHOWN if shown in host.log + host.errors]


@pytest.mark.parametrize("content", ["{}", "{}\n", "{}\r\n", " {}\t\n", "{}\nsecond line\n"])
def test_the_first_line_of_a_file_is_the_token(host: Host, content: str) -> None:
    host.secret("token", content.format("glptt-trigger"))
    with GitLab() as platform:
        host.configure(gitlab(platform.url))
        host.is_master()
        host.becomes("MASTER")
        platform.wait_for(lambda: len(platform.runs) == 1)


ODD = [
    b'tok"en',
    b"tok\\en",
    b"tok en",
    b"tok\x01en",
    b"tok\xffen",
    b"$(touch x)",
    b"token\nheader"[:5] + b"\rX: y",
    b"",
    b"\n",
]


@pytest.mark.parametrize("content", ODD)
def test_a_token_that_cannot_be_one_is_refused_without_showing_it(host: Host, content: bytes) -> None:
    host.secret("token", content)
    with GitLab() as platform:
        host.configure(gitlab(platform.url))
        host.is_master()
        host.becomes("MASTER")
        host.says("gives up: every trigger refused")
        assert platform.received == []
    assert "left out: " in host.log
    assert not content.strip() or content.decode("latin-1") not in host.log


@pytest.mark.parametrize(
    ("mode", "sound"), [(0o600, True), (0o640, True), (0o644, False), (0o620, False), (0o602, False)]
)
def test_a_secret_that_others_may_read_or_write_is_not_used(host: Host, mode: int, sound: bool) -> None:
    host.secret("token", "glptt-trigger", mode)
    with GitLab() as platform:
        host.configure(gitlab(platform.url))
        host.is_master()
        host.becomes("MASTER")
        host.says("was asked" if sound else r"left out: .*/token can be (read|written) by .*: chmod")
        assert len(platform.runs) == sound


def test_a_secret_goes_over_http_to_this_machine_alone(host: Host) -> None:
    for url in ("http://gitlab.example.com", "http://127.evil.example.com", "http://localhost.example.com"):
        host.configure(gitlab(url), retries=1)
        host.is_master()
        host.becomes("MASTER")
        host.says(f"left out: {url} is not encrypted")
        host.waits_until_idle()


def test_http_can_be_allowed(host: Host) -> None:
    host.configure(trigger("x", type="tekton", url="http://192.0.2.1:1", secret_file="token", allow_http="yes"))
    assert "PROBLEM" not in host.call("--check").stdout


def test_a_client_that_is_killed_leaves_no_core_and_is_told(host: Host) -> None:
    host.program("curl", f"#!/bin/sh\nulimit -c >{host.folder}/core\nkill -XFSZ $$\n")
    host.configure(gitlab("http://127.0.0.1:9"), retries=1)
    host.is_master()
    words = ["sh", "-c", 'ulimit -c unlimited 2>/dev/null; exec "$@"', "sh"]
    subprocess.run([*words, *host.command("INSTANCE", "VI_1", "MASTER", "1")], check=True, timeout=60)
    host.says("pipeline gave no answer: its client ended with 1[0-9][0-9]")
    assert (host.folder / "core").read_text(encoding="utf-8") == "0\n"
