"""`status --watch` on a terminal and elsewhere, without waiting for real."""

from __future__ import annotations

import io

import pytest

from hcloud_reassign.cli import watching
from hcloud_reassign.cli.session import Session, Stopped
from hcloud_reassign.cli.several import Looking
from hcloud_reassign.cli.sight import Look
from hcloud_reassign.cli.writer import Writer
from hcloud_reassign.core.errors import FailedError
from hcloud_reassign.engine.status import Status
from hcloud_reassign.project import Project
from tests.harness import Lab

INI = "[floating.web]\ntype = ip_floating\nresource = web\nsource = srv-a\ndestination = srv-b\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Eyes:
    """Looks at a lab; before each look something happens there."""

    def __init__(self, project: Project, *happens: object) -> None:
        self._look, self._happens = project.looking(), iter(happens)

    def __call__(self) -> Status:
        happening = next(self._happens, Stopped)
        if callable(happening):
            happening = happening()
        if isinstance(happening, BaseException):
            raise happening
        return self._look()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "REFRESH_S", 0.0)


def watch(out: io.StringIO, *happens: object, lab: Lab | None = None) -> tuple[int, str, str]:
    err = io.StringIO()
    session = Session(["status"], {}, Writer(out, err, {"TERM": "xterm"}))
    session.command, session.project = "status", "prod"
    look = Look(session, [Looking("", Eyes((lab or Lab()).project(INI), *happens))], [])
    return watching.Watching(look).run(), out.getvalue(), err.getvalue()


def moved(lab: Lab) -> object:
    def happen() -> None:
        lab.sim.state.floating_ips[501].server_id = 11

    return happen


def test_elsewhere_than_on_a_terminal_only_changes_are_told() -> None:
    lab = Lab()
    code, out, _ = watch(io.StringIO(), None, None, moved(lab), None, lab=lab)
    assert code == 130
    rows = [row.split("  ")[0] for row in out.splitlines() if " UTC" not in row]
    assert rows == ["+ at source", "+ at destination"]


def test_on_a_terminal_the_picture_is_drawn_anew_each_time() -> None:
    _, out, _ = watch(Terminal(), None, None)
    assert out.count("\033[H\033[2J") == 2
    assert out.rstrip().endswith(", every 0 s")


def test_an_api_that_fails_in_between_leaves_the_last_picture() -> None:
    code, out, err = watch(io.StringIO(), None, FailedError("nothing answers"), None)
    assert code == 130
    assert "warning: nothing answers; the last picture stays" in err
    assert out.count("at source") == 1


def test_an_api_that_fails_at_once_is_an_error() -> None:
    with pytest.raises(FailedError):
        watch(io.StringIO(), FailedError("nothing answers"))


def test_a_reader_that_went_away_ends_it() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    assert watch(Gone(), None, None, None)[0] == 0
