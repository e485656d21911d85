"""What was done from this machine is written down, and what cannot be written down never matters."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from hcloud_reassign.engine import journal as module
from hcloud_reassign.engine.events import Event, Events
from hcloud_reassign.engine.journal import Journal
from hcloud_reassign.engine.state import state_directory, who
from tests.engine.samples import FLOAT, ROUTE, TRIO, only, run, told
from tests.harness import Lab


def _journal(place: Path, warnings: list[str] | None = None, **more: str) -> Journal:
    told_to = warnings if warnings is not None else []
    return Journal(place, project=more.get("project", "prod"), who=more.get("who", "me"), warn=told_to.append)


def _event(ms: int = 0, **data: Any) -> Event:
    return Event("move.done", ms, 1, "run", data)


def test_lines_carry_project_who_and_process(tmp_path: Path) -> None:
    _journal(tmp_path).write(_event(outcome="done"))
    (line,) = (tmp_path / "journal.jsonl").read_text().splitlines()
    found = json.loads(line)
    assert (found["project"], found["who"], found["pid"]) == ("prod", "me", os.getpid())
    assert found["time"] == "1970-01-01T00:00:00.000Z"


def test_a_secret_that_an_unforeseen_error_quotes_is_hidden(tmp_path: Path) -> None:
    secret = 'token"with\\odd letters'
    Journal(tmp_path, project="prod", who="me", warn=print, secrets=lambda: (secret,)).write(
        _event(message=f"no {secret}")
    )
    written = (tmp_path / "journal.jsonl").read_text()
    assert "odd letters" not in written
    assert json.loads(written)["message"] == "no ***"


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    place = tmp_path / "state"
    _journal(place).write(_event())
    assert stat.S_IMODE((place / "journal.jsonl").stat().st_mode) == 0o600
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory to another user")
def test_what_root_makes_in_the_directory_of_a_service_is_the_services(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 23456)
    _journal(tmp_path).write(_event(number=1))
    _journal(tmp_path).write(_event(number=2))
    for name in ("journal.jsonl", "journal.lock"):
        found = (tmp_path / name).stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (12345, 23456, 0o600)
    assert len((tmp_path / "journal.jsonl").read_text().splitlines()) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory to another user")
@pytest.mark.parametrize("there", [True, False])
def test_root_follows_no_link_in_the_directory_of_a_service(tmp_path: Path, there: bool) -> None:
    other, place, warnings = tmp_path / "other", tmp_path / "state", list[str]()
    place.mkdir()
    if there:
        other.write_text("")
    (place / "journal.jsonl").symlink_to(other)
    os.chown(place, 12345, 23456)
    _journal(place, warnings).write(_event())
    assert len(warnings) == 1 and "is not written" in warnings[0]
    assert other.exists() is there
    assert not there or (other.stat().st_uid, other.stat().st_size) == (0, 0)


def test_it_rotates_and_keeps_five(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 300)
    journal = _journal(tmp_path)
    for number in range(40):
        journal.write(_event(number=number))
    files = sorted(path.name for path in tmp_path.glob("journal.jsonl*"))
    assert files == ["journal.jsonl", *(f"journal.jsonl.{number}" for number in range(1, 6))]
    numbers = [entry["number"] for entry in journal.entries()]
    assert numbers == sorted(numbers) and numbers[-1] == 39
    assert all(path.stat().st_size <= 300 for path in tmp_path.glob("journal.jsonl*"))


def test_a_project_reads_its_own_lines_and_skips_what_is_no_line(tmp_path: Path) -> None:
    _journal(tmp_path, project="other").write(_event(number=1))
    mine = _journal(tmp_path)
    mine.write(_event(number=2))
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"half": \n\xff\xfe\n[1]\n"text"\n\n')
    mine.write(_event(number=3))
    assert [entry["number"] for entry in mine.entries()] == [2, 3]


def test_moves_are_counted_by_name_time_and_outcome(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    for ms, name, outcome in ((0, "a", "done"), (5000, "a", "done"), (5000, "a", "failed"), (5000, "b", "done")):
        journal.write(_event(ms=ms, name=name, outcome=outcome))
    assert journal.moves_since("1970-01-01T00:00:05.000Z") == {"a": 1, "b": 1}


@pytest.mark.parametrize("text", ["\ud800", "\udcff", "\x00", "\u2028", "💥"])
def test_text_of_any_kind_is_written(tmp_path: Path, text: str) -> None:
    """A job's address with bytes that are no UTF-8, an object's name with half a character."""
    warnings: list[str] = []
    journal = _journal(tmp_path, warnings, who=text)
    journal.write(_event(number=1, name=text))
    assert [entry["number"] for entry in journal.entries()] == [1]
    assert not warnings


def test_a_journal_that_cannot_be_written_is_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    warnings: list[str] = []
    journal = _journal(tmp_path / "file" / "below", warnings)
    journal.write(_event())
    journal.write(_event())
    assert len(warnings) == 1 and "journal" in warnings[0]
    assert list(journal.entries()) == []


def test_a_lock_that_somebody_keeps_is_not_waited_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_S", 0.02)
    warnings: list[str] = []
    journal = _journal(tmp_path, warnings)
    journal.write(_event(number=1))
    with (tmp_path / "journal.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        journal.write(_event(number=2))
    assert len(warnings) == 1
    assert [entry["number"] for entry in journal.entries()] == [1]


@pytest.mark.timeout(20)
def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "journal.jsonl")
    warnings: list[str] = []
    journal = _journal(tmp_path, warnings)
    journal.write(_event())
    assert len(warnings) == 1 and "is not written" in warnings[0]
    assert list(journal.entries()) == []


def test_a_run_without_a_journal_is_done_with_a_warning(home: Path) -> None:
    (home / "nothing").write_text("")
    lab = Lab(TRIO)
    report = run(lab, FLOAT.section(), environ={"HCLOUD_REASSIGN_STATE": str(home / "nothing" / "below")})
    assert told(only(report)) == ("done", 0, None)
    assert any("journal" in warning for warning in report.warnings)


def test_a_run_by_somebody_with_an_odd_name_is_done(home: Path) -> None:
    lab = Lab(TRIO)
    report = run(lab, FLOAT.section(), environ={"CI_JOB_URL": "https://ci/\udcff"})
    assert told(only(report)) == ("done", 0, None)
    assert (home / "state" / "journal.jsonl").read_bytes().count(b"\n") > 3


def test_the_old_gateway_is_in_the_journal_before_the_route_is_deleted(home: Path) -> None:
    lab = Lab(TRIO)
    run(lab, ROUTE.section())
    lines = [json.loads(line) for line in (home / "state" / "journal.jsonl").read_text().splitlines()]
    before = next(place for place, line in enumerate(lines) if "10.0.1.2" in json.dumps(line))
    deleted = next(place for place, line in enumerate(lines) if line["event"] == "step.done")
    assert before < deleted


def test_the_token_is_nowhere_in_it(home: Path) -> None:
    from tests.harness import TOKEN

    run(Lab(TRIO), FLOAT.section())
    assert TOKEN not in (home / "state" / "journal.jsonl").read_text()


# Events


def test_a_listener_that_fails_changes_nothing() -> None:
    def broken(event: Event) -> None:
        raise BrokenPipeError

    lab = Lab(TRIO)
    assert told(only(run(lab, ROUTE.section(), on_event=broken))) == ("done", 0, None)


def test_a_listener_that_fails_is_left_out_and_the_others_hear_of_it() -> None:
    heard: list[Event] = []

    def broken(event: Event) -> None:
        raise ValueError("full")

    events = Events("run", lambda: 0.0, (broken, heard.append))
    events.emit("one")
    events.emit("two")
    assert sorted(event.seq for event in heard) == [1, 2, 3]
    assert any("full" in event.data.get("message", "") for event in heard)


# Where state lives, and who asks


@pytest.mark.parametrize(
    ("environ", "uid", "expected"),
    [
        ({"HCLOUD_REASSIGN_STATE": "/a", "STATE_DIRECTORY": "/b", "HOME": "/h"}, 1000, "/a"),
        ({"STATE_DIRECTORY": "/b:/c", "HOME": "/h"}, 1000, "/b"),
        ({"HOME": "/h"}, 0, "/var/lib/hcloud-reassign"),
        ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, 1000, "/x/hcloud-reassign"),
        ({"HOME": "/h"}, 1000, "/h/.local/state/hcloud-reassign"),
        ({"HCLOUD_REASSIGN_STATE": "", "XDG_STATE_HOME": "", "HOME": "/h"}, 1000, "/h/.local/state/hcloud-reassign"),
    ],
)
def test_the_state_directory(environ: dict[str, str], uid: int, expected: str) -> None:
    assert str(state_directory(environ, uid)) == expected


@pytest.mark.parametrize(
    ("environ", "by", "expected"),
    [
        ({"CI_JOB_URL": "https://gitlab/1"}, "anna", "anna"),
        ({"CI_JOB_URL": "https://gitlab/1"}, None, "https://gitlab/1"),
        ({"BUILD_URL": "https://jenkins/1"}, None, "https://jenkins/1"),
        (
            {"GITHUB_RUN_ID": "7", "GITHUB_SERVER_URL": "https://github", "GITHUB_REPOSITORY": "o/r"},
            None,
            "https://github/o/r/actions/runs/7",
        ),
    ],
)
def test_who_asks(environ: dict[str, str], by: str | None, expected: str) -> None:
    assert who(environ, by) == expected


def test_who_asks_is_the_user_of_this_machine_elsewhere() -> None:
    name, _, host = who({"SUDO_USER": "anna"}, None).partition("@")
    assert name == "anna" and host
    assert who({}, None).partition("@")[0]
