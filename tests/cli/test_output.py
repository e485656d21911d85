"""Where output goes, and what can never come out of it."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign.cli.text import Piece, clean, columns, line, moment, seconds, width
from hcloud_reassign.cli.writer import Writer
from hcloud_reassign.simulator import Fault, Simulator
from tests.cli.process import INI, Cli
from tests.system.site import Cold

STARTED_BY = Cold

HOSTILE = "\x1b]0;owned\x07\x1b[31mred\u202e[/b] ##[error]\r\nnext"


def on_terminal(cli: Cli, *words: str, env: dict[str, str] | None = None) -> str:
    """What the command writes to a terminal that is its stdout and stderr."""
    leader, follower = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "hcloud_reassign", *words],
            cwd=cli.home,
            env={**cli.environ, "TERM": "xterm", **(env or {})},
            stdin=follower,
            stdout=follower,
            stderr=follower,
        ) as process:
            os.close(follower)
            follower = -1
            written = b""
            while True:
                try:
                    part = os.read(leader, 4096)
                except OSError:
                    break
                if not part:
                    break
                written += part
            process.wait(20)
    finally:
        os.close(leader)
        if follower >= 0:
            os.close(follower)
    return written.decode()


def test_a_terminal_gets_colour_and_progress(cli: Cli) -> None:
    written = on_terminal(cli, "run", "floating.web", "-c", cli.file())
    assert "\x1b[32m● done\x1b[0m" in written
    assert "floating.web: assign floating IP web to srv-b…" in written


@pytest.mark.parametrize("words", [("--no-color",), ()])
def test_colour_can_be_switched_off(cli: Cli, words: tuple[str, ...]) -> None:
    env = {} if words else {"NO_COLOR": "1"}
    written = on_terminal(cli, "run", "floating.web", *words, "-c", cli.file(), env=env)
    assert "\x1b[32m" not in written
    assert "● done" in written


def test_a_simple_terminal_gets_neither_colour_nor_signs(cli: Cli) -> None:
    written = on_terminal(cli, "run", "floating.web", "-c", cli.file(), env={"TERM": "dumb"})
    assert "\x1b" not in written
    assert "+ done  floating.web" in written
    assert "srv-a -> srv-b" in written


def test_a_pipe_gets_no_colour(cli: Cli) -> None:
    assert "\x1b" not in cli("status", "-c", cli.file()).out


def test_another_encoding_gets_plain_signs(cli: Cli) -> None:
    done = cli("status", "-c", cli.file(), env={"PYTHONIOENCODING": "latin-1"})
    assert done.out.startswith("+ at source")


@pytest.mark.parametrize("words", [("plan",), ("status", "--all"), ("--help",), ("run", "--help"), ("--version",)])
def test_a_reader_that_went_away_changes_no_exit_code(cli: Cli, words: tuple[str, ...]) -> None:
    cli.file(name="hcloud-reassign.ini")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "hcloud_reassign", *words],
            cwd=cli.home,
            env=dict(cli.environ),
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
        )
    assert done.returncode == 0
    assert "Broken" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_whose_reader_went_away_still_refuses_with_3(cli: Cli, sim: Simulator) -> None:
    sim.state.floating_ips[501].server_id = 12
    command = f"{sys.executable} -m hcloud_reassign run floating.web -c {cli.file()}; echo $? >code"
    subprocess.run(f"({command}) | true", shell=True, cwd=cli.home, env=dict(cli.environ), timeout=30, check=True)
    assert (cli.home / "code").read_text() == "3\n"


def test_a_closed_stdout_changes_no_exit_code(cli: Cli) -> None:
    command = f"{sys.executable} -m hcloud_reassign plan --detailed-exitcode floating.web -c {cli.file()} >&-"
    done = subprocess.run(command, shell=True, cwd=cli.home, env=dict(cli.environ), timeout=30, capture_output=True)
    assert done.returncode == 10


def test_a_full_disk_is_told_and_is_no_success(cli: Cli) -> None:
    command = f"{sys.executable} -m hcloud_reassign status -c {cli.file()} >/dev/full"
    done = subprocess.run(command, shell=True, cwd=cli.home, env=dict(cli.environ), timeout=30, capture_output=True)
    assert done.returncode == 1
    assert b"cannot write the output: No space left on device" in done.stderr


def test_names_from_the_api_stay_text(cli: Cli, sim: Simulator) -> None:
    sim.state.servers[10].name = HOSTILE
    sim.state.floating_ips[501].name = HOSTILE
    text = INI.replace("= web", "= 501").replace("source      = srv-a", "source = 10")
    for words in (("status",), ("plan", "floating.web"), ("run", "floating.web", "-v")):
        done = cli(*words, "-c", cli.file(text))
        for harm in ("\x1b", "\x07", "\u202e", "\r"):
            assert harm not in done.out + done.err
        assert "\\x1b[31mred\\u202e[/b]" in done.out


def test_messages_from_the_api_stay_text(cli: Cli, sim: Simulator) -> None:
    sim.faults.append(Fault(method="POST", path="*/assign", times=None, status=422, code="x", message=HOSTILE))
    done = cli("run", "floating.web", "-c", cli.file())
    assert done.code == 1
    assert "\x1b" not in done.out + done.err
    assert len([row for row in done.out.splitlines() if row.startswith("next")]) == 0


def test_json_is_ascii_whatever_is_in_it(cli: Cli, sim: Simulator) -> None:
    sim.state.servers[10].name = "srv-\u00e4\x9b31m\u202e"
    done = cli(
        "status", "floating.web", "-o", "json", "-c", cli.file(INI.replace("source      = srv-a", "source = 10"))
    )
    assert done.out.isascii()
    assert json.loads(done.out)["resources"][0]["holder"]["name"] == "srv-\u00e4\x9b31m\u202e"


def test_a_token_never_comes_out_not_even_with_tracebacks(cli: Cli, sim: Simulator) -> None:
    token = "simulated-token"
    sim.faults.append(Fault(method="POST", path="*", times=None, status=422, message=f"bad {token}", body="json"))
    sim.faults.append(Fault(method="GET", path="/v1/floating_ips*", nth=2, times=1, body="<html>", status=200))
    for words in (("-vv",), ("-o", "json"), ("-o", "jsonl")):
        done = cli("run", "floating.web", "--timeout", "3", *words, "--report", "r.json", "-c", cli.file())
        assert done.code != 0
        assert token not in done.out + done.err + (cli.home / "r.json").read_text()


class Pipe(io.StringIO):
    """A stream that breaks when it is written to."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_writing_goes_on_in_silence_after_a_pipe_broke() -> None:
    writer = Writer(Pipe(), io.StringIO(), {})
    writer.lines([line("one")])
    writer.lines([line("two")])
    assert isinstance(writer.out.error, BrokenPipeError)


def test_a_secret_is_hidden_and_a_short_word_is_not() -> None:
    out = io.StringIO()
    writer = Writer(out, io.StringIO(), {"HCLOUD_TOKEN": "0123456789"})
    writer.hide("ab")
    writer.lines([line("ab 0123456789 ab")])
    assert out.getvalue() == "ab *** ab\n"


@given(st.text())
def test_clean_text_is_one_line_without_anything_a_terminal_obeys(text: str) -> None:
    cleaned = clean(text)
    assert not set(cleaned) & {chr(code) for code in (*range(32), *range(127, 160))}
    assert len(cleaned.splitlines()) <= 1


@given(st.lists(st.lists(st.text(max_size=6), min_size=2, max_size=3), min_size=1, max_size=4))
def test_the_last_column_starts_at_the_same_place_in_every_row(rows: list[list[str]]) -> None:
    made = columns([[Piece(cell) for cell in [*row[:1], "|"]] for row in rows])
    starts = {width(clean("".join(piece.text for piece in pieces[:-1]))) for pieces in made}
    assert len(starts) == 1


def test_wide_letters_take_two_columns() -> None:
    assert (width("ab"), width("日本"), width("e\u0301")) == (2, 4, 1)


def test_a_moment_says_how_long_ago_it_was() -> None:
    at = 1_790_000_000_000
    assert moment(at) == "2026-09-21 14:13:20 UTC"
    assert moment(at, at + 59_000).startswith("59 s ago (2026-09-21")
    assert moment(at, at + 7_260_000).startswith("2 h ago")
    assert moment(at, at - 1) == moment(at)


def test_a_moment_that_no_calendar_has_is_the_last_one() -> None:
    assert moment(int("9" * 60)) == "9999-12-31 23:59:59 UTC"
    assert moment(-1) == "1970-01-01 00:00:00 UTC"


def test_a_duration_is_short() -> None:
    assert [seconds(ms) for ms in (None, 0, 999, 1500)] == ["", "0 ms", "999 ms", "1.5 s"]
