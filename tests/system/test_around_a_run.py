"""What is around a move: the section's own commands, the journal, a stdout that nobody reads."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import Any

import pytest

from hcloud_reassign.simulator import Fault
from tests.cli.process import Done
from tests.engine.samples import ALIASED, FLOAT, PUBLIC, ROUTE, SAMPLES, A, B, Sample, statuses
from tests.system.site import Machine, Site, only, told

every_kind = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)

NOTE = """\
import json, os, sys
with open(sys.argv[1], "a") as file:
    file.write(json.dumps({k: v for k, v in os.environ.items() if k.startswith("HCLOUD_REASSIGN_")}) + "\\n")
print("a line of the command")
sys.exit(int(sys.argv[2]))
"""


def command(cli: Machine, file: str, code: int = 0) -> str:
    """A command for `before` or `after` that writes down what it was told."""
    script = cli.home / cli.file(NOTE, "note.py")
    return f"{sys.executable} {script} {cli.home / file} {code}"


def noted(cli: Machine, file: str) -> list[dict[str, str]]:
    path = cli.home / file
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def journal(cli: Machine) -> list[dict[str, Any]]:
    text = (cli.home / "state" / "journal.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


# before and after


@every_kind
def test_both_commands_are_told_what_it_is_about(sample: Sample, cli: Machine, site: Site) -> None:
    more = f"before = {command(cli, 'before')}\nafter = {command(cli, 'after')}"
    done = cli.run(sample.section(more=more))
    assert told(done) == ("done", 0, None)
    (before,), (after,) = noted(cli, "before"), noted(cli, "after")
    assert before["HCLOUD_REASSIGN_NAME"] == after["HCLOUD_REASSIGN_NAME"] == sample.name
    assert before["HCLOUD_REASSIGN_TYPE"] == sample.type
    assert "srv-a" in before["HCLOUD_REASSIGN_BEFORE"] and "srv-b" in before["HCLOUD_REASSIGN_WANTED"]
    assert (before["HCLOUD_REASSIGN_OUTCOME"], after["HCLOUD_REASSIGN_OUTCOME"]) == ("pending", "done")
    assert done.err.count("a line of the command") == 2


def test_a_veto_stops_it_before_anything_is_written(cli: Machine, site: Site) -> None:
    more = f"before = {command(cli, 'before', 7)}\nafter = {command(cli, 'after')}"
    done = cli.run(FLOAT.section(more=more))
    assert told(done) == ("refused", 3, "veto")
    assert "it ended with 7" in only(done)["message"]
    assert noted(cli, "before") and not noted(cli, "after")
    assert not site.writes and FLOAT.holder(site) == A


def test_no_command_runs_for_what_is_unchanged_or_planned(cli: Machine, site: Site) -> None:
    more = f"before = {command(cli, 'before')}\nafter = {command(cli, 'after')}"
    assert cli("plan", "-c", cli.file(FLOAT.section(more=more))).code == 0
    assert told(cli.run(FLOAT.section("srv-b", "srv-a", more=more))) == ("unchanged", 0, None)
    assert not noted(cli, "before") and not noted(cli, "after")


def test_an_after_command_that_fails_is_a_warning(cli: Machine, site: Site) -> None:
    done = cli.run(FLOAT.section(more=f"after = {command(cli, 'after', 1)}"))
    assert told(done) == ("done", 0, None)
    assert any("`after` command failed" in text for text in done.document["warnings"])


def test_a_command_is_not_given_to_a_shell(cli: Machine, site: Site) -> None:
    done = cli.run(FLOAT.section(more="before = /bin/echo $(touch hacked) ; touch hacked && touch hacked"))
    assert told(done) == ("done", 0, None)
    assert not (cli.home / "hacked").exists()


# The journal


def test_the_journal_says_who_moved_what_from_where_to_where(cli: Machine, site: Site) -> None:
    ini = FLOAT.section() + ALIASED.section()
    assert cli.run(ini, "--by", "the night shift").code == 0
    path = cli.home / "state" / "journal.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = journal(cli)
    assert {line["who"] for line in lines} == {"the night shift"}
    assert {line["project"] for line in lines} == {"prod"}
    assert len({line["run"] for line in lines}) == 1
    moves = {line["name"]: line for line in lines if line["event"] == "move.done"}
    assert set(moves) == {"floating.web", "alias.vip"}
    for move in moves.values():
        assert (move["before"]["name"], move["after"]["name"], move["outcome"]) == ("srv-a", "srv-b", "done")
    assert [line["event"] for line in lines][-1] == "run.finished"


def test_the_old_gateway_is_in_the_journal_before_it_is_taken(cli: Machine, site: Site) -> None:
    seen: list[str] = []
    path = cli.home / "state" / "journal.jsonl"
    site.sim.faults.append(Fault("POST", "*/delete_route", run=lambda *_: seen.append(path.read_text())))
    assert cli.run(ROUTE.section()).code == 0
    assert any("10.0.1.2" in line and "step.started" in line for line in seen[0].splitlines())


def test_a_refusal_is_in_the_journal_too(cli: Machine, site: Site) -> None:
    PUBLIC.put(site.sim, 12)
    assert cli.run(PUBLIC.section()).code == 3
    (move,) = [line for line in journal(cli) if line["event"] == "move.done"]
    assert (move["outcome"], move["guard"], move["after"]["name"]) == ("refused", "holder", "srv-c")


def test_several_processes_write_whole_lines_into_one_journal(cli: Machine, site: Site) -> None:
    file = cli.file(FLOAT.section())
    started = [cli.start("run", "--dry-run", "-c", file, "--by", f"number {number}") for number in range(6)]
    assert [process.ended().code for process in started] == [0] * 6
    lines = journal(cli)
    assert {line["who"] for line in lines} == {f"number {number}" for number in range(6)}


def assert_the_journal_is_missed(done: Done) -> None:
    """Told once to a person, and in the document."""
    assert any("the journal" in text and "is not written" in text for text in done.document["warnings"])
    assert sum("is not written" in line for line in done.err.splitlines()) == 1


@pytest.mark.parametrize("where", ["/proc/state", "/dev/null/state", "prod.ini", "prod.ini/state"])
def test_a_state_directory_that_cannot_be_written_is_a_warning(where: str, cli: Machine, site: Site) -> None:
    """Nothing is read-only for root, but nobody can make a directory of a file."""
    done = cli.run(ROUTE.section(), env={"HCLOUD_REASSIGN_STATE": str(cli.home / where)})
    assert told(done) == ("done", 0, None)
    assert ROUTE.holder(site) == B
    assert_the_journal_is_missed(done)


@every_kind
def test_a_journal_on_a_full_disk_is_a_warning(sample: Sample, cli: Machine, site: Site) -> None:
    state = cli.home / "state"
    state.mkdir()
    (state / "journal.jsonl").symlink_to("/dev/full")
    done = cli.run(sample.section())
    assert told(done) == ("done", 0, None)
    assert sample.holder(site) == B
    assert_the_journal_is_missed(done)


@pytest.mark.parametrize("sample", [ROUTE, PUBLIC], ids=lambda sample: sample.type)
def test_a_disk_that_fills_up_on_the_way_is_a_warning(sample: Sample, cli: Machine, site: Site) -> None:
    """No file can become longer than a block: the journal is cut off, and the report is whole or not there."""
    words = f"run -c {cli.file(sample.section())} -o json --report report.json"
    line = f'ulimit -f 1; exec "{sys.executable}" -m hcloud_reassign {words}'
    # Python itself would leave cut off byte-code behind, and fail on it ever after.
    env = {**cli.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(["sh", "-c", line], cwd=cli.home, env=env, capture_output=True, timeout=60)
    done = Done(ended.returncode, ended.stdout.decode(), ended.stderr.decode())
    assert told(done) == ("done", 0, None)
    assert sample.holder(site) == B
    assert_the_journal_is_missed(done)
    assert "the report report.json was not written" in done.err
    assert not list(cli.home.glob("report.json*"))


def test_a_state_directory_that_is_missing_is_made_for_its_owner_alone(cli: Machine, site: Site) -> None:
    state = cli.home / "a" / "b" / "state"
    assert told(cli.run(FLOAT.section(), env={"HCLOUD_REASSIGN_STATE": str(state)})) == ("done", 0, None)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_the_journal_is_in_the_home_of_whoever_has_one(cli: Machine, site: Site) -> None:
    env = {"HCLOUD_REASSIGN_STATE": None, "STATE_DIRECTORY": str(cli.home / "of-systemd")}
    assert told(cli.run(FLOAT.section(), env=env)) == ("done", 0, None)
    assert (cli.home / "of-systemd" / "journal.jsonl").exists()


# stdout


@pytest.mark.parametrize("sample", [ROUTE, PUBLIC], ids=lambda sample: sample.type)
@pytest.mark.parametrize("output", ["text", "json", "jsonl"])
def test_a_stdout_that_nobody_reads_changes_nothing(sample: Sample, output: str, cli: Machine, site: Site) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with cli.start("run", "-c", cli.file(sample.section()), "-o", output, stdout=writer) as started:
        os.close(writer)
        done = started.ended()
    assert (done.code, sample.holder(site)) == (0, B)
    assert "Traceback" not in done.err and "BrokenPipe" not in done.err and "Exception" not in done.err


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_change_nothing(closed: str, cli: Machine, site: Site) -> None:
    file = cli.file(ROUTE.section())
    line = f'exec "{sys.executable}" -m hcloud_reassign run -c {file} {closed}'
    done = subprocess.run(
        ["sh", "-c", line], cwd=cli.home, env=dict(cli.environ), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, ROUTE.holder(site)) == (0, B), done.stderr
    assert "Traceback" not in done.stderr


def test_an_exit_code_is_kept_when_nobody_reads(cli: Machine, site: Site) -> None:
    FLOAT.put(site.sim, 12)
    reader, writer = os.pipe()
    os.close(reader)
    with cli.start("run", "-c", cli.file(FLOAT.section()), "-o", "jsonl", stdout=writer) as started:
        os.close(writer)
        assert started.ended().code == 3


@pytest.mark.parametrize("output", ["text", "json", "jsonl"])
@pytest.mark.parametrize("sample", [FLOAT, PUBLIC], ids=lambda sample: sample.type)
def test_a_full_disk_is_told_and_the_move_is_made(sample: Sample, output: str, cli: Machine, site: Site) -> None:
    with (
        open("/dev/full", "w") as full,
        cli.start("run", "-c", cli.file(sample.section()), "-o", output, stdout=full) as started,
    ):
        done = started.ended()
    assert sample.holder(site) == B and set(statuses(site).values()) == {"running"}
    assert done.code == 1 and "cannot write the output" in done.err
    assert "Traceback" not in done.err


def test_a_full_disk_for_all_that_is_said_changes_nothing(cli: Machine, site: Site) -> None:
    with (
        open("/dev/full", "w") as full,
        cli.start("run", "-c", cli.file(ROUTE.section()), "-o", "json", stdout=full, stderr=full) as started,
    ):
        assert started.ended().code == 1
    assert ROUTE.holder(site) == B
