"""Options before and after the command, and the environment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign.cli.globals import merged
from hcloud_reassign.cli.parsing import duration_s, early, unix_ms
from hcloud_reassign.core.errors import UsageError
from tests.cli.process import Cli


@pytest.mark.parametrize(
    "words",
    [
        ("-c", "prod.ini", "-o", "json", "plan", "floating.web"),
        ("plan", "floating.web", "-c", "prod.ini", "-o", "json"),
        ("-o", "text", "-c", "prod.ini", "plan", "-o", "json", "floating.web"),
        ("-q", "plan", "-qo", "json", "floating.web", "--config=prod.ini"),
    ],
)
def test_global_options_stand_before_or_after_the_command(cli: Cli, words: tuple[str, ...]) -> None:
    cli.file()
    done = cli(*words)
    assert (done.code, done.document["command"]) == (0, "plan")


def test_after_the_command_beats_before() -> None:
    found = merged({"output": "json", "token": "a"}, {"output": "jsonl", "token": None}, {})
    assert (found.output, found.token) == ("jsonl", "a")


def test_files_and_verbosity_add_up() -> None:
    found = merged({"config": ["a"], "verbose": 1}, {"config": ["b"], "verbose": 1}, {})
    assert (found.files, found.verbose) == (("a", "b"), 2)


def test_the_environment_is_read_last(cli: Cli) -> None:
    assert merged({}, {"verbose": 1}, {"HCLOUD_REASSIGN_VERBOSE": "2"}).verbose == 1
    assert merged({}, {}, {"HCLOUD_REASSIGN_VERBOSE": "2"}).verbose == 2
    assert merged({}, {}, {"HCLOUD_REASSIGN_QUIET": "yes", "HCLOUD_REASSIGN_NO_COLOR": "0"}).quiet
    assert not merged({}, {}, {"HCLOUD_REASSIGN_NO_COLOR": "0"}).no_color


def test_a_flag_before_the_command_beats_the_environment(cli: Cli) -> None:
    cli.file()
    done = cli("-c", "prod.ini", "plan", "floating.web", env={"HCLOUD_REASSIGN_CONFIG": "nowhere.ini"})
    assert done.code == 0
    assert cli("plan", "floating.web", env={"HCLOUD_REASSIGN_CONFIG": "prod.ini"}).code == 0


def test_a_token_on_the_command_line_works_and_is_warned_about(cli: Cli) -> None:
    done = cli("plan", "floating.web", "-t", "simulated-token", "-c", cli.file(), env={"HCLOUD_TOKEN": None})
    assert done.code == 0
    assert "warning: --token shows the token to everybody" in done.err
    assert "simulated-token" not in done.out + done.err


def test_a_token_is_read_from_a_file_and_from_standard_input(cli: Cli) -> None:
    (cli.home / "token").write_text("simulated-token\n")
    words = ("plan", "floating.web", "-c", cli.file(), "--token-file")
    assert cli(*words, "token", env={"HCLOUD_TOKEN": None}).code == 0
    assert cli(*words, "-", env={"HCLOUD_TOKEN": None}, stdin="simulated-token\n").code == 0


def test_where_output_goes_is_seen_before_anything_is_parsed() -> None:
    assert early(["run", "-o", "json"], "--output", "o") == "json"
    assert early(["run", "-vqojson", "--bad"], "--output", "o") == "json"
    assert early(["run", "--output=jsonl", "-o", "json"], "--output", "o") == "json"
    assert early(["run", "--", "-o", "json"], "--output", "o") is None
    assert early(["run", "--only", "x"], "--output", "o") is None
    assert early(["run", "-o"], "--output", "o") == ""


@given(st.lists(st.text(max_size=8), max_size=6))
def test_looking_ahead_never_fails(argv: list[str]) -> None:
    early(argv, "--output", "o")


@pytest.mark.parametrize(
    ("text", "seconds"), [("5", 5.0), ("2h", 7200.0), ("1.5m", 90.0), ("250ms", 0.25), (" 1d ", 86400.0)]
)
def test_a_time_has_a_unit_or_is_in_seconds(text: str, seconds: float) -> None:
    assert duration_s("--for", text) == seconds


@given(st.text(max_size=24))
def test_a_time_that_is_none_is_a_usage_error(text: str) -> None:
    for parse in (unix_ms, duration_s):
        try:
            assert parse("--x", text) > 0
        except UsageError as error:
            assert error.object == "--x"


@given(st.integers(1_000_000_000, 99_999_999_999))
def test_seconds_and_milliseconds_mean_the_same_moment(seconds: int) -> None:
    assert unix_ms("--issued-at", str(seconds)) == unix_ms("--issued-at", str(seconds * 1000)) == seconds * 1000


@pytest.mark.parametrize("text", ["2026-11-21T10:00:00Z", "2026-11-21T11:30:00.000+01:30", "1795255200"])
def test_a_pipelines_own_time_is_taken_as_it_stands(text: str) -> None:
    assert unix_ms("--issued-at", text) == 1795255200000
