"""Help, version and completion: quick, complete, and without anything that a run needs."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from hcloud_reassign.cli.group import COMMANDS
from hcloud_reassign.core.errors import ExitCode
from tests.cli.process import Cli
from tests.system.site import Cold

STARTED_BY = Cold

LATER = ("watch", "serve", "import")


def test_the_help_names_every_command_and_none_that_is_not_there(alone: Cli) -> None:
    done = alone("--help")
    assert (done.code, done.err) == (0, "")
    commands = done.out.partition("Commands:")[2]
    assert [row.split()[0] for row in commands.splitlines() if row.startswith("  ") and row[2] != " "][
        : len(COMMANDS)
    ] == [*COMMANDS]
    assert not any(f"  {name} " in commands for name in LATER)


@pytest.mark.parametrize("name", LATER)
def test_a_command_of_a_later_version_is_unknown(alone: Cli, name: str) -> None:
    assert alone(name).code == 2


def test_the_help_names_every_exit_code(alone: Cli) -> None:
    told = " ".join(alone("--help").out.split())
    for code in ExitCode:
        assert f"{code.value} {code.word}" in told


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_the_global_options_apart(alone: Cli, name: str) -> None:
    done = alone(name, "--help")
    assert done.code == 0
    assert done.out.startswith(f"Usage: hcloud-reassign {name} [OPTIONS]")
    own, _, shared = done.out.partition("Global options:")
    assert "--config" not in own
    for option in ("--config", "--token", "--output", "--verbose", "--quiet", "--no-color", "--timeout", "--help"):
        assert option in shared
    assert max(len(row) for row in done.out.splitlines()) <= 80


@pytest.mark.parametrize("words", [("--version",), ("run", "--version"), ("-v", "--version")])
def test_the_version_is_said_anywhere(alone: Cli, words: tuple[str, ...]) -> None:
    done = alone(*words)
    assert done.code == 0
    assert done.out.startswith("hcloud-reassign ")


def test_no_command_at_all_is_help_and_exit_2(alone: Cli) -> None:
    done = alone()
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: hcloud-reassign")


@pytest.mark.parametrize(
    "words", [("--help",), ("run", "--help"), ("trigger", "--help"), ("demo", "--help"), ("rum",), ("run", "")]
)
def test_what_asks_no_api_loads_nothing_of_it(alone: Cli, words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "hcloud_reassign", *words],
        env=dict(alone.environ),
        cwd=alone.home,
        capture_output=True,
        text=True,
    )
    loaded = {row.rpartition("|")[2].strip() for row in done.stderr.splitlines()}
    assert "typer" in loaded
    assert not loaded & {"hcloud", "requests", "textual", "rich", "uvicorn", "jsonschema"}


def complete(cli: Cli, typed: str, shell: str = "bash") -> list[str]:
    """What TAB offers at the end of what was typed."""
    env: dict[str, str | None] = {"_HCLOUD_REASSIGN_COMPLETE": f"complete_{shell}"}
    if shell == "bash":
        env |= {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1)}
    else:
        env |= {"_TYPER_COMPLETE_ARGS": typed, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    return cli(env=env).out.splitlines()


def test_commands_options_and_choices_are_completed(alone: Cli) -> None:
    assert complete(alone, "hcloud-reassign s") == ["status", "simulate"]
    assert complete(alone, "hcloud-reassign run --allow") == ["--allow-poweroff"]
    assert complete(alone, "hcloud-reassign run -d ") == ["dest", "src"]
    assert complete(alone, "hcloud-reassign -o j") == ["json", "jsonl"]


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_names_are_completed_from_the_file_that_would_be_used(alone: Cli, shell: str) -> None:
    alone.file(name="hcloud-reassign.ini")
    assert complete(alone, "hcloud-reassign run f", shell) == ["floating.web"]
    assert complete(alone, "hcloud-reassign hold ", shell) == ["floating.web", "alias.vip", "route.lan", "group.all"]


def test_names_are_completed_from_the_file_that_was_named(alone: Cli) -> None:
    alone.file("[a.one]\ntype = broken\n[tui]\n[gateway.client.x]\n", name="a.ini")
    assert complete(alone, "hcloud-reassign run -c a.ini -r ") == ["a.one"]
    assert complete(alone, "hcloud-reassign -c a.ini plan ") == ["a.one"]
    assert complete(alone, "hcloud-reassign run -c a") == ["a.ini"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_would_expand_is_not_offered(alone: Cli, shell: str) -> None:
    odd = [r"a\$(touch x)", "a`b`", "a;b", 'a"b', "a'b", "a b", "a*", "-a", "~a", "#a", "a=b", "a\\"]
    alone.file("".join(f"[{name}]\n[trigger.{name}]\n" for name in (*odd, "good")), name="a.ini")
    for name in odd:
        alone.file("", name=f"{name}.ini")
    for typed, wanted in (("run -c a.ini ", "good"), ("trigger -c a.ini ", "good"), ("run -c ", "a.ini")):
        offered = " ".join(complete(alone, f"hcloud-reassign {typed}", shell))
        assert re.findall(r"[\w.]+", offered.removeprefix("_arguments ")) == [wanted]


def test_no_file_completes_nothing_and_complains_about_nothing(alone: Cli) -> None:
    env: dict[str, str | None] = {"COMP_WORDS": "hcloud-reassign run ", "COMP_CWORD": "2"}
    done = alone(env={**env, "_HCLOUD_REASSIGN_COMPLETE": "complete_bash"})
    assert (done.out.strip(), done.err) == ("", "")


def test_zsh_shows_what_a_command_does(alone: Cli) -> None:
    (offered,) = complete(alone, "hcloud-reassign h", "zsh")
    assert '"hold":"Keep triggered requests' in offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_its_script(alone: Cli, shell: str) -> None:
    done = alone(env={"_HCLOUD_REASSIGN_COMPLETE": f"source_{shell}", "PATH": os.environ["PATH"]})
    assert done.code == 0
    assert "_HCLOUD_REASSIGN_COMPLETE" in done.out
    assert "hcloud-reassign" in done.out
