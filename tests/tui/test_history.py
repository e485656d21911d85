"""What was moved: the journal of this machine and Hetzner's own actions as one story."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import pytest

from hcloud_reassign.core.model import Request
from hcloud_reassign.core.objects import Action, FloatingIp, Network
from hcloud_reassign.engine.past import Past
from hcloud_reassign.simulator import Fault
from hcloud_reassign_tui.view.past import PastRow, about_past, history
from hcloud_reassign_tui.view.signs import Signs
from tests.engine.samples import FLOAT, FLOATING, NETWORK, ROUTE, A, B
from tests.harness import Lab
from tests.tui.session import Session, play

INI = FLOAT.section() + ROUTE.section()
SIGNS = Signs()
WEB = FloatingIp(FLOATING, "web", "192.0.2.10", A)
SERVERS = {A: "srv-a", B: "srv-b"}


def assigned(id: int, to: int | None, started: float, status: str = "success") -> Action:
    command = "unassign_floating_ip" if to is None else "assign_floating_ip"
    server = () if to is None else (("server", to),)
    return Action(id, command, status, started, resources=(("floating_ip", FLOATING), *server))


def done(**more: Any) -> dict[str, Any]:
    """An entry of the journal, as the engine writes it."""
    return {
        "event": "move.done",
        "time": "2026-09-21T14:13:20.500Z",
        "name": "floating.web",
        "before": {"type": "server", "id": A, "name": "srv-a", "address": None},
        "after": {"type": "server", "id": B, "name": "srv-b", "address": None},
        "outcome": "done",
        "who": "ops@bastion",
        "steps": [{"what": "assign web to srv-b", "status": "done", "action_id": 7, "duration_ms": 900}],
        **more,
    }


def told(journal: list[Mapping[str, Any]], *pasts: Past) -> tuple[PastRow, ...]:
    return history("prod", journal, pasts, {(FloatingIp, FLOATING): "floating.web"}, SERVERS, SIGNS)


def moves(rows: tuple[PastRow, ...]) -> list[tuple[str, str]]:
    return [(row.cells["move"].text, row.cells["outcome"].text) for row in rows]


def test_what_the_journal_knows_is_not_told_a_second_time_by_the_api() -> None:
    rows = told([done()], Past(WEB, (assigned(7, B, 1_790_000_000.0),)))
    assert [(row.happened.who, row.happened.actions) for row in rows] == [("ops@bastion", (7,))]


def test_an_action_of_somebody_else_says_whom_it_was_taken_from() -> None:
    actions = (assigned(9, A, 30.0), assigned(8, B, 20.0, "error"), assigned(7, B, 10.0))
    assert moves(told([], Past(WEB, actions))) == [
        ("srv-b → srv-a", "● done"),
        ("srv-b → srv-b", "✖ failed"),
        ("? → srv-b", "● done"),
    ]


def test_after_being_taken_away_nobody_has_it() -> None:
    actions = (assigned(9, 99, 30.0), assigned(8, None, 20.0))
    assert moves(told([], Past(WEB, actions)))[0] == ("nobody → server 99", "● done")


def test_other_actions_are_no_moves_and_a_route_of_a_network_is_not_guessed() -> None:
    network = Network(NETWORK, "internal", "10.0.0.0/16")
    actions = (Action(1, "add_route", "success", 5.0), Action(2, "change_protection", "success", 4.0))
    (row,) = told([], Past(network, actions))
    assert row.cells["move"].text == "add_route" and row.cells["name"].text == "internal"
    assert "does not tell which route" in about_past(row, SIGNS, 0)[-1][0].text


def test_the_newest_comes_first_wherever_it_is_from() -> None:
    old, new = done(time="2020-01-01T00:00:00Z", steps=[]), done(time="2030-01-01T00:00:00Z", steps=[])
    rows = told([old, new], Past(WEB, (assigned(9, A, 1_790_000_000.0),)))
    assert [row.cells["time"].text[:4] for row in rows] == ["2030", "2026", "2020"]


def test_entries_that_are_broken_are_left_out_and_odd_ones_are_survived() -> None:
    odd: list[Any] = [
        {},
        {"event": "move.done"},
        done(time="yesterday"),
        done(time=None),
        done(name=5),
        {"event": "held", "name": "x", "time": "2026-09-21T14:13:20Z", "until_ms": 10**30},
        done(steps=5, before="srv-a", after=[], outcome=None, who={}, message=7),
        done(steps=["x", {"what": None}], before=None, wanted={}, outcome="failed"),
    ]
    rows = told(odd)
    assert len(rows) == 3
    assert all(about_past(row, SIGNS, 0) for row in rows)


def test_a_hold_is_part_of_the_story() -> None:
    entry = {"event": "held", "name": "floating.web", "time": "2026-09-21T14:13:20Z", "until_ms": 1_790_000_900_000}
    (row,) = told([entry])
    assert row.cells["move"].text == "held"
    assert "held until 2026-09-21" in about_past(row, SIGNS, 0)[-1][0].text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("[red]x[/]", "[red]x[/]"),
        ("[/x]", "[/x]"),
        ("node[prod]", "node[prod]"),
        ("n" * 255, "n" * 255),
        ("a\u0301\u202e\x1b[2J", "a\u0301\\u202e\\x1b[2J"),
    ],
)
def test_foreign_names_in_the_history_are_text(name: str, shown: str) -> None:
    (row,) = told([done(name=name, who=name, message=name)])
    first, second, third = about_past(row, SIGNS, 0)[:3]
    assert (first[0].text, second[2].text, third[0].text) == (shown, f"by {shown}", shown)


def test_the_actions_of_a_pipeline_are_part_of_it(lab: Lab) -> None:
    elsewhere = lab.project(INI, environ={"HCLOUD_REASSIGN_STATE": os.environ["HOME"] + "/elsewhere"})
    elsewhere.run(["floating.web"], Request())

    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("H")
        await session.until("? → srv-b")
        assert "floating.web" in session.line("? → srv-b")
        assert "who did it is not known" in session.text()
        await session.press("escape")
        await session.until("8 resources")

    play(lab.project(INI), script)


def test_the_history_survives_a_restart_and_says_who(lab: Lab) -> None:
    lab.project(INI, by="ops@bastion").run(["floating.web"], Request())

    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("3")
        await session.until("by ops@bastion")
        assert "done (action" in session.text()
        await session.press("slash")
        await session.type("nothing")
        await session.until("0 of 1 move")
        await session.until("nothing matches")

    play(lab.project(INI), script)


def test_lines_of_the_journal_that_are_broken_do_not_hide_the_others(lab: Lab) -> None:
    project = lab.project(INI)
    project.run(["floating.web"], Request())
    with project.journal_path().open("a", encoding="utf-8") as journal:
        journal.write("{half a li\n\x00\n")
        journal.write(json.dumps({**done(project="prod"), "steps": 7}) + "\n")

    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("3")
        await session.until("2 moves")

    play(project, script)


def test_without_the_api_the_journal_is_told_all_the_same(lab: Lab) -> None:
    project = lab.project(INI)
    project.run(["floating.web"], Request())

    async def script(session: Session) -> None:
        await session.until("8 resources")
        lab.sim.faults.append(Fault(path="/v1/*/actions", status=503, times=None))
        await session.press("3")
        await session.until("not all could be read")
        assert " 1 move  " in session.text()

    play(project, script, size=(120, 40))


def test_an_empty_history_says_so(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("3")
        await session.until("nothing was moved yet")

    play(lab.project(INI), script)


def test_no_more_than_25_objects_are_asked_about_and_the_one_under_the_cursor_is_among_them() -> None:
    many = [{"name": f"f{number}", "id": 1000 + number, "ip": f"192.0.2.{number}"} for number in range(40)]
    lab = Lab({"floating_ips": many})

    async def script(session: Session) -> None:
        await session.until("40 resources")
        await session.press("end")
        await session.until("id 1039")
        await session.press("3")
        await session.until("the API was asked about 25 of 40")
        asked = [one.path for one in lab.sim.requests if one.path.endswith("/actions")]
        assert len(asked) == 25 and asked[0] == "/v1/floating_ips/1039/actions"

    play(lab.project(""), script)
