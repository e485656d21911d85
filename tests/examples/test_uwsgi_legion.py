"""The files of the legion example: the command of the hook in real shells, and what the nodes say of each other."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.examples.programs import EXAMPLES, SYSTEM_PATH, every_shell, put_command
from tests.platforms.gitlab import GitLab

EXAMPLE = EXAMPLES / "uwsgi-legion"
NODES = ("srv-a", "srv-b", "arbiter")
PARENT = """\
trap hangup=yes HUP
"$@"
code=$?
echo "code $code"
[ "$code" = 0 ] || { until [ "$hangup" ]; do sleep 0.02; done; echo reloaded; }
"""
"""uWSGI's part: it starts the hook by a shell, takes its code, and reloads when it gets a SIGHUP."""


def settings(name: str) -> dict[str, list[str]]:
    """The keys of a file of uWSGI with all their values."""
    found: dict[str, list[str]] = {}
    for line in (EXAMPLE / f"{name}.ini").read_text().splitlines():
        if match := re.fullmatch(r"([a-z-]+) *= *(.*)", line):
            found.setdefault(match[1], []).append(match[2])
    return found


def placeholders(name: str) -> dict[str, str]:
    parts = [text.partition("=") for text in settings(name)["set-placeholder"]]
    return {key: value for key, _, value in parts}


def hook(folder: Path) -> str:
    """The command line that srv-a runs when it becomes lord, with a short time until it comes back."""
    legion, _, command = settings("legion")["legion-lord"][0].partition(" cmd:")
    assert legion == "web"
    values = {**placeholders("srv-a"), "step_back": "0"}
    command = re.sub(r"%\((\w+)\)", lambda match: values[match[1]], command)
    return command.replace("%d", f"{folder}/")


def ran(shell: Sequence[str], folder: Path) -> list[str]:
    """What happens to uWSGI when the hook has run."""
    words = ["dash", "-c", PARENT, "uwsgi", *shell, "-c", hook(folder)]
    env = {"PATH": f"{folder}:{SYSTEM_PATH}"}
    done = subprocess.run(
        words, env=env, cwd=folder, capture_output=True, text=True, timeout=60, preexec_fn=_hears_a_hangup
    )
    return [line for line in done.stdout.splitlines() if line.startswith(("code ", "reloaded"))]


def _hears_a_hangup() -> None:
    """Under nohup it is ignored, and a shell cannot trap what was ignored when it started."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def fake(folder: Path, line: str) -> None:
    program = folder / "hcloud-reassign"
    program.write_text(f"#!/bin/sh\n{line}\n")
    program.chmod(0o755)


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as running:
        yield running


@every_shell
def test_an_accepted_request_makes_a_lord(shell: Sequence[str], home: Path, gitlab: GitLab) -> None:
    put_command(home)
    text = (EXAMPLE / "trigger.ini").read_text().replace("https://gitlab.example.com", gitlab.url)
    (home / "trigger.ini").write_text(text.replace("/etc/uwsgi/legion", str(home)))
    (home / "trigger-token").write_text(gitlab.token)
    assert ran(shell, home) == ["code 0"]
    (run,) = gitlab.runs
    assert (run.asked.resource, run.asked.to) == ("floating.web", "srv-a")


@every_shell
@pytest.mark.parametrize("line", ["exit 1", "exit 4", "kill -9 $$", "kill -15 $$"])
def test_a_request_that_fails_or_is_killed_makes_none_and_reloads_uwsgi(
    shell: Sequence[str], home: Path, line: str
) -> None:
    fake(home, line)
    assert ran(shell, home) == ["code 1", "reloaded"]


@every_shell
def test_the_hook_hands_over_names_and_a_limit_of_time(shell: Sequence[str], home: Path) -> None:
    fake(home, f"printf '%s\\n' \"$@\" >{home}/called")
    assert ran(shell, home) == ["code 0"]
    called = (home / "called").read_text().split()
    assert called == f"trigger -q -c {home}/trigger.ini --to srv-a --timeout 5 -- pipeline floating.web".split()


def test_the_hook_is_done_long_before_a_silent_node_counts_as_gone() -> None:
    common = settings("legion")
    match = re.search(r"--timeout (\d+)", common["legion-lord"][0])
    assert match and int(match[1]) <= 5
    assert int(common["legion-tolerance"][0]) >= 3 * int(match[1])


def test_nothing_is_given_up_when_a_node_ends() -> None:
    assert {key for key in settings("legion") if key.startswith("legion-")} == {
        "legion-node",
        "legion-quorum",
        "legion-freq",
        "legion-tolerance",
        "legion-death-on-lord-error",
        "legion-lord",
    }


def test_the_nodes_know_each_other_and_two_of_three_elect() -> None:
    found = {name: placeholders(name) for name in NODES}
    addresses = {one["address"] for one in found.values()}
    assert len(addresses) == 3
    for one in found.values():
        assert {one["address"], one["second"], one["third"]} == addresses
    assert [int(found[name]["valor"]) for name in NODES] == [100, 50, 0]
    assert settings("legion")["legion-quorum"] == ["web 2"]


def test_the_cipher_is_one_that_openssl_3_still_has() -> None:
    (legion,) = settings("legion")["legion"]
    assert " aes-256-cbc:" in legion
