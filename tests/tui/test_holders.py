"""The home screen: who holds what, filtered, sorted, selected, and as old as it says."""

from __future__ import annotations

import asyncio

import pytest

from hcloud_reassign.simulator import Fault
from hcloud_reassign_tui.app import ReassignApp
from hcloud_reassign_tui.view.rows import STATES
from hcloud_reassign_tui.view.signs import Signs
from hcloud_reassign_tui.widgets.table import fitted
from tests.engine.samples import FLOAT, FLOATING, ROUTE, TRIO, B
from tests.harness import Lab
from tests.tui.session import Session, play

INI = FLOAT.section() + ROUTE.section()


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("plain", [False, True])
def test_every_state_fits_at_80_columns_beside_a_scrollbar(several: bool, plain: bool) -> None:
    columns = fitted(80, several=several)
    scrollbar, spaces = 2, 2 * len(columns)
    words = [f"{Signs(plain)[sign]} {word}" for sign, _, word in STATES.values()]
    assert max(map(len, words)) <= columns["state"]
    assert sum(columns.values()) + spaces - 1 <= 80 - scrollbar


def test_the_first_whole_picture_is_told_of_once(lab: Lab) -> None:
    told: list[int] = []
    other = Lab(TRIO).project(INI + "\n[client]\nproject = other\n")
    app = ReassignApp([lab.project(INI), other])
    app.on_first_picture = lambda: told.append(len(app.rows()))

    async def run() -> None:
        async with app.run_test() as pilot:
            session = Session(app, pilot)
            await session.until("16 resources")
            seen = app.desks[0].status
            await session.press("r")
            await session.until(lambda: app.desks[0].status is not seen, what="another picture")

    asyncio.run(run())
    assert told == [16]


def test_what_is_configured_comes_first_and_the_rest_of_the_project_below(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        rows = session.text().splitlines()[2:10]
        assert "192.0.2.10" in rows[0] and "srv-a" in rows[0] and "at source" in rows[0]
        assert "0.0.0.0/0" in rows[1] and "not configured" not in rows[1]
        assert all("not configured" in row for row in rows[2:])

    play(lab.project(INI), script)


def test_the_pane_says_more_about_the_row_under_the_cursor(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        assert "id 501" in session.text() and "team=web" in session.text()
        await session.press("down")
        await session.until("team=net")

    play(lab.project(INI), script)


def test_a_filter_leaves_only_matching_rows_and_escape_ends_it(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("slash")
        await session.type("alias srv-b")
        await session.until("1 of 8 resources")
        await session.press("enter", "escape")
        await session.until("8 resources")
        assert "filter" not in session.line("resources")

    play(lab.project(INI), script)


def test_what_moved_between_two_looks_is_marked_and_the_cursor_stays(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("down", "down")
        lab.sim.state.floating_ips[FLOATING].server_id = B
        await session.press("r")
        await session.until("• floating")
        assert "srv-b" in session.line("192.0.2.10")
        assert session.app.screen.query_one("#resources").cursor_row == 2  # type: ignore[attr-defined]

    play(lab.project(INI), script)


def test_an_outage_leaves_the_last_picture_and_says_when_it_is_asked_again(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        lab.sim.faults.append(Fault(status=503, times=None))
        await session.press("r")
        await session.until("STALE")
        assert "next try in" in session.text()
        assert "192.0.2.10" in session.text()

    play(lab.project(INI), script)
