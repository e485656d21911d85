"""What the file, the command line and the terminal say about the screen, and what it says when nothing is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hcloud_reassign.core.errors import Missing, UsageError
from hcloud_reassign.project import Overrides, Project, bare_project, open_project
from hcloud_reassign.simulator import Fault
from hcloud_reassign_tui.options import Options, options_of
from tests.engine.samples import FLOAT, ROUTE
from tests.harness import TOKEN, URL, Lab
from tests.tui.session import Session, play

INI = FLOAT.section() + ROUTE.section()


def section(text: str = "") -> Mapping[str, Any]:
    Path("tui.ini").write_text(f"[tui]\n{text}")
    return open_project("tui.ini").settings.section("tui")


def project(lab: Lab, file: str, ini: str) -> Project:
    Path(file).write_text(ini)
    return open_project(file, Overrides(token=TOKEN, api_url=URL), equipment=lab.equipment())


# The section


def test_without_a_section_there_are_defaults() -> None:
    assert options_of(section()) == Options()


def test_the_section_says_colours_characters_interval_and_keys() -> None:
    text = "theme = nord\nascii = yes\nrefresh = 30\nkey.move = x\nkey.help = F1, !\n"
    keys = {"move": "x", "help": "F1,exclamation_mark"}
    assert options_of(section(text), no_color=True) == Options(False, "nord", True, 30.0, keys, True)


@pytest.mark.parametrize(("text", "near"), [("key.mvoe = x", "move"), ("theme = nrod", "nord")])
def test_a_wrong_name_is_told_with_the_nearest_one(text: str, near: str) -> None:
    with pytest.raises(Missing) as caught:
        options_of(section(text), file="tui.ini")
    assert caught.value.suggestion == near
    assert caught.value.file == "tui.ini"


@pytest.mark.parametrize("key", ["q", "j", "down", "ctrl+p", "?"])
def test_a_key_that_something_else_has_is_refused(key: str) -> None:
    with pytest.raises(UsageError, match="is already that of") as caught:
        options_of(section(f"key.move = {key}"))
    assert caught.value.key == "key.move"


def test_two_actions_may_change_their_keys() -> None:
    assert options_of(section("key.move = q\nkey.quit = m")).keys == {"move": "q", "quit": "m"}


# The screen


def test_another_key_does_the_action_and_its_own_key_does_not(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("L")
        await session.until(lambda: "LOCKED" not in session.text())
        await session.press("x")
        await session.until("LOCKED read-only")

    play(lab.project(INI), script, options=options_of(section("key.lock = x")))


def test_in_ascii_no_other_character_is_drawn(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.until("o at source")
        frame = session.app.screen.query_one("#pane").region.y
        lines = [line for row, line in enumerate(session.text().splitlines()) if row != frame]
        assert "\n".join(lines).isascii()

    play(lab.project(INI), script, options=Options(ascii=True))


def test_without_colour_there_is_none_and_every_state_has_a_word(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(session: Session) -> None:
        await session.until("● at source")
        seen = [segment.style for strip in session.app.screen._compositor.render_strips() for segment in strip]
        colours = {colour.name for style in seen if style for colour in (style.color, style.bgcolor) if colour}
        assert colours <= {"default"}

    play(lab.project(INI), script)


@pytest.mark.parametrize("theme", ["ansi-light", "textual-dark", "gruvbox"])
def test_other_themes_show_the_same_words(lab: Lab, theme: str) -> None:
    async def script(session: Session) -> None:
        await session.until("● at source")
        await session.until("192.0.2.10")

    play(lab.project(INI), script, options=Options(theme=theme))


@pytest.mark.parametrize(("size", "fits"), [((60, 15), True), ((59, 24), False), ((80, 14), False)])
def test_a_terminal_that_is_too_small_is_told(lab: Lab, size: tuple[int, int], fits: bool) -> None:
    async def script(session: Session) -> None:
        await session.until("192.0.2.10" if fits else "too small")
        assert ("too small" in session.text()) is not fits
        await session.pilot.resize_terminal(80, 24)
        await session.until("192.0.2.10")
        assert "too small" not in session.text()

    play(lab.project(INI), script, size=size)


def test_more_is_shown_where_there_is_room(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        assert "NAME" in session.text() and "LAST MOVED" in session.text()
        await session.pilot.resize_terminal(80, 24)
        await session.until(lambda: "NAME" not in session.text())
        assert "STATE" in session.text()

    play(lab.project(INI), script, size=(120, 40))


def test_several_projects_stand_side_by_side(lab: Lab) -> None:
    other = Lab()

    async def script(session: Session) -> None:
        await session.until("project: one, two")
        await session.until(lambda: "one" in session.line("192.0.2.10") and "PROJECT" in session.text())
        await session.press("slash")
        await session.type("two floating")
        await session.until("2 of")
        assert "two" in session.line("192.0.2.10")

    projects = [project(lab, "one.ini", INI), project(other, "two.ini", FLOAT.section())]
    play(projects, script, size=(120, 40))


def test_one_project_out_of_reach_leaves_the_others(lab: Lab) -> None:
    other = Lab(faults=[Fault(status=503, times=None)])

    async def script(session: Session) -> None:
        await session.until("two: next try in")
        await session.until("192.0.2.10")
        assert "NO DATA" in session.text()

    play([project(lab, "one.ini", INI), project(other, "two.ini", FLOAT.section())], script, size=(120, 40))


# Where nothing can be shown


def bare(lab: Lab, token: str | None) -> Project:
    return bare_project("hcloud", Overrides(token=token, api_url=URL), equipment=lab.equipment())


def test_without_a_token_it_says_where_to_put_one(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("HCLOUD_TOKEN")
        assert "next try" not in session.text()

    play(bare(lab, None), script)


def test_a_wrong_token_is_told_and_not_tried_again(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("token")
        await session.until("NO DATA")
        asked = len(lab.sim.requests)
        session.app._tick()
        await session.pilot.pause()
        assert len(lab.sim.requests) == asked
        assert "next try" not in session.text()

    play(bare(lab, "a-wrong-token"), script)


def test_without_network_it_says_so_and_when_it_tries_again(lab: Lab) -> None:
    lab.sim.faults.append(Fault(drop="before", times=None))

    async def script(session: Session) -> None:
        await session.until("next try in")
        assert "cannot be read" in session.text()
        lab.sim.faults.clear()
        await session.press("r")
        await session.until("8 resources")

    play(bare(lab, TOKEN), script)


def test_an_empty_project_says_so() -> None:
    async def script(session: Session) -> None:
        await session.until("nothing in this project that could be moved")

    play(bare(Lab({}), TOKEN), script)
