"""Copying a row and a command, and saving what is on the screen."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from hcloud_reassign_tui.screens.export import write_new
from tests.engine.samples import FLOAT, FLOATING, ROUTE, TRIO
from tests.harness import TOKEN, Lab
from tests.tui.session import Session, play

INI = FLOAT.section() + ROUTE.section()
NAME = "hcloud-reassign-{}-20260921T141320Z.json"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files are saved in the current folder unless somebody says otherwise."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_row_is_copied_and_shown_and_the_dialog_goes_away_with_escape(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("c")
        await session.until("Copied the row")
        assert session.app.clipboard.startswith("prod  floating  192.0.2.10  srv-a  srv-b")
        await session.press("escape")
        await session.until(lambda: "Copied" not in session.text(), what="the dialog gone")

    play(lab.project(INI), script)


def test_the_command_line_that_does_the_move_is_copied(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("C")
        await session.until("Copied the command")
        copied = session.app.clipboard
        assert copied.startswith("hcloud-reassign run -c ") and copied.endswith(" floating.web --to srv-b")
        assert TOKEN not in copied

    play(lab.project(INI), script)


def test_what_no_section_names_has_no_command_line(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("end", "C")
        await session.until("no section names it")
        assert session.app.clipboard == ""

    play(lab.project(INI), script)


def test_what_is_on_the_screen_is_saved_for_its_owner_alone(lab: Lab, here: Path) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("slash")
        await session.type("alias srv-b")
        await session.until("1 of 8")
        await session.press("enter", "e")
        await session.until("Save what is on the screen")
        await session.press("enter")
        await session.until("saved as")
        file = here / NAME.format("holders")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        document = json.loads(file.read_text())
        assert [item["address"] for item in document["items"]] == ["10.0.1.51"]
        assert (document["page"], document["projects"]) == ("holders", ["prod"])

    play(lab.project(INI), script)


def test_an_existing_file_is_never_written_over_and_the_dialog_says_why(lab: Lab, here: Path) -> None:
    file = here / NAME.format("servers")
    file.write_text("mine")

    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("2")
        await session.until("3 servers")
        await session.press("e")
        await session.until("Save what is on the screen")
        await session.press("enter")
        await session.until("File exists")
        assert file.read_text() == "mine"
        await session.press("end", "2", "enter")
        await session.until("saved as")
        await session.press("escape")
        await session.until("8 resources")

    play(lab.project(INI), script, size=(120, 24))
    assert len(json.loads((here / f"{file.name}2").read_text())["items"]) == 3


@pytest.mark.parametrize(
    ("keys", "word", "page"),
    [("3", "nothing was moved", "history"), ("4", "resources seen", "log"), ("d", "If `run`", "details")],
)
def test_every_page_with_something_on_it_can_be_saved(lab: Lab, here: Path, keys: str, word: str, page: str) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press(keys)
        await session.until(word)
        await session.press("e")
        await session.until("Save what is on the screen")
        await session.press("enter")
        await session.until("saved as")

    play(lab.project(INI), script)
    assert json.loads((here / NAME.format(page)).read_text())["page"] == page


def test_nothing_under_the_cursor_is_nothing_to_copy(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("3")
        await session.until("nothing was moved")
        await session.press("c")
        await session.until("there is nothing to copy here")

    play(lab.project(INI), script)


def test_odd_names_are_copied_and_shown_as_they_are() -> None:
    odd = {"name": "[/x][red]y[/]", "id": FLOATING, "ip": "192.0.2.10", "server": "srv-a"}

    async def script(session: Session) -> None:
        await session.until("7 resources")
        await session.press("c")
        await session.until("floating.[/x][red]y[/]")
        assert "floating.[/x][red]y[/]" in session.app.clipboard

    play(Lab({**TRIO, "floating_ips": [odd]}).project(""), script, size=(120, 24))


def test_a_link_in_the_way_is_not_followed(here: Path) -> None:
    (here / "link").symlink_to(here / "elsewhere")
    with pytest.raises(FileExistsError):
        write_new(os.fspath(here / "link"), "text")
    assert not (here / "elsewhere").exists()
