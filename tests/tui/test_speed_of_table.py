"""A long list costs what is in view: counted in rows made and lines drawn, not in time."""

from __future__ import annotations

import gc
import json
import re
import weakref
from importlib.resources import files
from unittest.mock import patch

import pytest

from hcloud_reassign.project import Overrides, Project, bare_project
from hcloud_reassign_tui.screens.holders import HoldersPage
from hcloud_reassign_tui.view import rows, shelf
from hcloud_reassign_tui.widgets.table import ResourceTable
from tests.harness import TOKEN, URL, Lab
from tests.tui.session import Session, play

ROWS, CHANGED = 627, 30
"""A quarter of the project of 1,000 servers, for which `benchmarks/tui.py` tells the times."""
LINES = 24
LISTED = ("floating_ips", "load_balancers", "networks", "primary_ips", "servers")


@pytest.fixture(scope="module")
def large() -> Lab:
    whole = (files("hcloud_reassign.simulator") / "scenarios/thousand.json").read_text("utf-8")
    quarter = re.sub(r'"count": (\d+)', lambda found: f'"count": {int(found[1]) // 4}', whole)
    scenario = json.loads(quarter.replace("node-0001", "node-001"))
    return Lab(scenario, action_time=(0.01, 0.02))


def project(lab: Lab) -> Project:
    return bare_project("large", Overrides(token=TOKEN, api_url=URL), equipment=lab.equipment())


def table(session: Session) -> ResourceTable:
    page = session.app.page
    assert isinstance(page, HoldersPage)
    return session.app.screen.query_one(ResourceTable)


async def seen_again(session: Session) -> None:
    """One more look, shown."""
    desk = session.app.desks[0]
    before = desk.status
    session.app.look_now()
    await session.until(lambda: desk.status is not before, what="another picture")
    await session.pilot.pause()


def test_the_first_picture_of_a_long_list_draws_a_screenful(large: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until(f"{ROWS} resources")
        assert table(session).row_count == ROWS
        assert table(session).drawn_lines < 4 * LINES

    play(project(large), script)


def test_a_refresh_makes_anew_what_changed_and_keeps_cursor_and_scroll(large: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until(f"{ROWS} resources")
        table(session).cursor_row = 300
        await session.pilot.pause()
        key, scroll = table(session).current, table(session).scroll_y
        assert key is not None and scroll > 0
        for number in range(CHANGED):
            large.sim.state.floating_ips[20001 + number].server_id = 10001 + number
        drawn = table(session).drawn_lines
        with patch.object(shelf, "row_of", wraps=rows.row_of) as made:
            await seen_again(session)
            assert made.call_count == CHANGED
        assert table(session).current is key
        assert table(session).scroll_y == scroll
        assert table(session).drawn_lines == drawn

    play(project(large), script)


def test_a_refresh_that_shows_nothing_else_draws_no_line(large: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until(f"{ROWS} resources")
        drawn = table(session).drawn_lines
        with patch.object(shelf, "row_of", wraps=rows.row_of) as made:
            await seen_again(session)
            await seen_again(session)
            assert made.call_count == 0
        assert table(session).drawn_lines == drawn

    play(project(large), script)


def test_every_letter_of_a_filter_draws_a_screenful_at_most(large: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until(f"{ROWS} resources")
        await session.press("slash")
        drawn, letters = table(session).drawn_lines, "node-177"
        await session.type(letters)
        await session.until(f"2 of {ROWS} resources")
        assert table(session).drawn_lines - drawn <= (len(letters) + 2) * LINES
        assert "node-177" in session.text()

    play(project(large), script)


def test_while_nothing_moves_a_large_project_is_asked_for_its_newest_actions_alone(large: Lab) -> None:
    now = [0.0]

    async def script(session: Session) -> None:
        await session.until(f"{ROWS} resources")
        desk, sim = session.app.desks[0], large.sim

        async def asked(at: float) -> list[str]:
            now[0], before = at, len(sim.requests)
            large.clock.advance(60)
            session.app._tick()
            await session.until(lambda: desk.freshness.seen == at and not desk.lane.waiting, what=f"a look at {at}")
            return [request.path for request in sim.requests[before:]]

        assert len(await asked(5.0)) > 12
        picture = desk.status
        assert await asked(10.0) == await asked(15.0)
        assert desk.status is picture
        assert sorted(await asked(20.0)) == [f"/v1/{name}/actions" for name in LISTED]
        token = {"authorization": f"Bearer {TOKEN}"}
        assert (
            sim.handle("POST", "/v1/floating_ips/20001/actions/assign", (), token, b'{"server": 10120}').status == 201
        )
        assert len(await asked(25.0)) > 12
        await session.until("• floating")

    play(project(large), script, monotonic=lambda: now[0])


def test_rows_of_earlier_pictures_are_let_go(large: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until(f"{ROWS} resources")
        earlier = [weakref.ref(row) for row in session.app.rows() if row.standing.resource.id in range(20011, 20041)]
        assert len(earlier) == CHANGED
        for number in range(CHANGED):
            large.sim.state.floating_ips[20011 + number].server_id = 10002
        await seen_again(session)
        gc.collect()
        assert not [row for row in earlier if row() is not None]

    play(project(large), script)
