"""The Patroni callback, called as Patroni calls it."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.cli.process import Done
from tests.examples.programs import EXAMPLES, SYSTEM_PATH, ended, every_shell, put_command
from tests.platforms.gitlab import GitLab

EXAMPLE = EXAMPLES / "patroni"
CALLBACK = EXAMPLE / "hcloud-reassign-callback"
ACTIONS = ("on_start", "on_stop", "on_restart", "on_reload", "on_role_change", "noop")
ROLES = ("primary", "master", "promoted", "replica", "demoted", "standby_leader", "uninitialized")

Call = Callable[..., Done]

pytestmark = every_shell


@pytest.fixture
def call(shell: Sequence[str], home: Path) -> Call:
    """The callback, and a command that only writes down how it is called."""
    program = home / "hcloud-reassign"
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >>{home}/called\n")
    program.chmod(0o755)

    def run(*words: str) -> Done:
        env = {"PATH": f"{home}:{SYSTEM_PATH}", "HCLOUD_REASSIGN_CONFIG": f"{home}/trigger.ini"}
        return ended([*shell, str(CALLBACK), *words], env, home)

    return run


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as running:
        yield running


def called(home: Path) -> list[str]:
    file = home / "called"
    return file.read_text().splitlines() if file.exists() else []


def test_only_what_becomes_primary_asks(call: Call, home: Path) -> None:
    for action in ACTIONS:
        for role in ROLES:
            (home / "called").unlink(missing_ok=True)
            assert call("pipeline", "floating.web", action, role, "demo").code == 0
            asks = action in ("on_start", "on_role_change") and role in ("primary", "master", "promoted")
            assert bool(called(home)) is asks, (action, role)


def test_it_asks_for_this_server_or_for_the_one_that_is_named(call: Call, home: Path) -> None:
    call("pipeline", "floating.web", "on_role_change", "primary", "demo")
    call("pipeline", "floating.web", "srv-b", "on_role_change", "primary", "demo")
    words = ["trigger", "--timeout", "120", "--to={}", "--", "pipeline", "floating.web"]
    assert called(home) == [word.format(to) for to in ("self", "srv-b") for word in words]


def test_values_are_handed_over_as_they_are(call: Call, home: Path) -> None:
    odd = ["-x", "$(touch pwned); `touch pwned`", "--to=srv-c"]
    call(*odd, "on_start", "primary", "$(touch pwned)")
    assert called(home)[3:] == ["--to=--to=srv-c", "--", "-x", "$(touch pwned); `touch pwned`"]
    assert not (home / "pwned").exists()


def test_who_kills_the_callback_kills_the_request(call: Call, home: Path, shell: Sequence[str]) -> None:
    (home / "hcloud-reassign").write_text(f"#!/bin/sh\necho $$ >{home}/pid\n")
    words = [*shell, str(CALLBACK), "pipeline", "floating.web", "on_start", "primary", "demo"]
    with subprocess.Popen(words, env={"PATH": f"{home}:{SYSTEM_PATH}"}) as process:
        assert process.wait(60) == 0
    assert (home / "pid").read_text().split() == [str(process.pid)]


@pytest.mark.parametrize("words", [[], ["pipeline"], ["on_start", "primary", "demo"], ["a"] * 7], ids=len)
def test_a_call_with_too_few_or_too_many_words_is_told(call: Call, home: Path, words: list[str]) -> None:
    done = call(*words)
    assert done.code == 2
    assert done.err.startswith("usage: ")
    assert not called(home)


def test_the_real_command_asks_the_pipeline(shell: Sequence[str], home: Path, gitlab: GitLab) -> None:
    put_command(home)
    text = (EXAMPLE / "trigger.ini").read_text().replace("https://gitlab.example.com", gitlab.url)
    (home / "trigger.ini").write_text(text.replace("/etc/hcloud-reassign", str(home)))
    (home / "trigger-token").write_text(gitlab.token)
    env = {"PATH": f"{home}:{SYSTEM_PATH}", "HCLOUD_REASSIGN_CONFIG": f"{home}/trigger.ini"}
    words = [*shell, str(CALLBACK), "pipeline", "floating.web"]
    assert ended([*words, "on_role_change", "primary", "demo"], env, home).code == 0
    assert ended([*words, "srv-b", "on_start", "master", "demo"], env, home).code == 0
    assert [(run.asked.resource, run.asked.to) for run in gitlab.runs] == [
        ("floating.web", socket.gethostname()),
        ("floating.web", "srv-b"),
    ]


def test_the_example_calls_it_as_it_wants_to_be_called(call: Call, home: Path) -> None:
    lines = re.findall(r"^    (on_\w+): (.*)$", (EXAMPLE / "patroni.yml").read_text(), re.MULTILINE)
    assert [action for action, _ in lines] == ["on_start", "on_role_change", "on_stop"]
    for action, command in lines:
        program, *words = shlex.split(command)
        assert Path(program).name == CALLBACK.name
        assert call(*words, action, "primary", "demo").code == 0
    assert called(home).count("trigger") == 2
