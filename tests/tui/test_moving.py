"""Moving by hand, as somebody at the screen does it: choose, read, confirm, watch; change one's mind; be stopped."""

from __future__ import annotations

import asyncio
import time

import pytest
from textual.widgets import Button

from hcloud_reassign.core.errors import AccessError
from hcloud_reassign.core.model import Request
from hcloud_reassign.simulator import Fault
from hcloud_reassign_tui.options import Options
from hcloud_reassign_tui.view.registry import ACTS
from tests.engine.samples import (
    ALIASED,
    FLOAT,
    FLOATING,
    PRIMARY,
    ROUTE,
    TRIO,
    A,
    B,
    C,
    posts,
    trio,
    verbs,
    with_server,
)
from tests.harness import READ_ONLY, Lab
from tests.tui.gates import Gate, held_open
from tests.tui.session import PATIENCE_S, Session, play

INI = FLOAT.section() + ROUTE.section()
MEMBERS = FLOAT.members("srv-a", "srv-b", "srv-c")
GROUP = INI + "\n[group.site]\nmembers = floating.web, route.default\n"


def holder(lab: Lab) -> int | None:
    return FLOAT.holder(lab)


def focused(session: Session) -> str | None:
    return session.app.focused.id if session.app.focused else None


async def left(session: Session) -> None:
    """Wait until the program is left."""
    end = time.monotonic() + PATIENCE_S
    while not session.app._exit:
        assert time.monotonic() < end, session.text()
        await asyncio.sleep(0.02)


async def open_plan(session: Session, *keys: str) -> None:
    """From the table to the plan of the first row."""
    await session.until("resources")
    await session.press(*keys, "m")
    await session.until("can get it")
    await session.press("enter")
    await session.until(lambda: "making the plan" not in session.text() and "Cancel" in session.text())


async def confirm(session: Session) -> None:
    """Past Cancel to the button that acts."""
    await session.press("tab")
    await session.until(lambda: focused(session) == "move", what="the button has the focus")
    await session.press("enter")


# Choosing, reading, confirming


def test_the_web_address_is_moved_with_a_change_of_mind_and_brought_back(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await open_plan(session)
        assert "srv-a → srv-b" in session.text()
        await session.press("escape")
        await session.until("where to?")
        await session.press("escape")
        await session.until(lambda: "where to?" not in session.text())
        assert not lab.writes

        await open_plan(session)
        await confirm(session)
        await session.until("1 done")
        assert holder(lab) == B
        await session.press("enter")
        await session.until("at destination")

        await session.press("u")
        await session.until("srv-b → srv-a")
        assert "the last move from here: srv-a → srv-b" in session.text()
        await confirm(session)
        await session.until("1 done")
        assert holder(lab) == A

    play(lab.project(INI), script)


def test_a_whole_move_takes_five_keys(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("enter")
        await session.until("can get it")
        await session.press("down", "down", "down", "enter")
        await session.until("Move 1 address to srv-b")
        await session.press("tab", "enter")
        await session.until("1 done")

    play(lab.project(INI), script)


def test_the_same_works_with_the_mouse(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.pilot.click("#resources", offset=(5, 1))
        await session.press("m")
        await session.until(lambda: session.app.screen.query_one("#targets").size.height == 3, what="three servers")
        await session.pilot.click("#targets", offset=(5, 0))
        await session.until("Move 1 address to srv-b")
        await session.pilot.click("#move")
        await session.until("1 done")
        await session.pilot.click("#cancel")
        await session.until("at destination")

    play(lab.project(INI), script)


def test_enter_and_a_pasted_newline_confirm_nothing(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await open_plan(session)
        assert focused(session) == "cancel"
        await session.press("enter")
        await session.until(lambda: session.app.screen is session.app.page)
        for _ in range(6):
            await session.press("enter")
            await session.until(lambda: "..." not in session.text())
            assert focused(session) != "move"
        assert not lab.writes

    play(lab.project(INI), script)


def test_the_other_end_of_the_section_is_chosen_already_and_others_say_why_not(lab: Lab) -> None:
    FLOAT.put(lab.sim, B)

    async def script(session: Session) -> None:
        await session.until("at destination")
        await session.press("m")
        await session.until("can get it")
        assert "srv-c is not listed for it" in session.line("srv-c")
        assert "srv-b" in session.line("has it now")
        await session.press("enter")
        await session.until("srv-b → srv-a")

    play(lab.project(INI), script)


def test_a_server_is_found_by_typing(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("m")
        await session.until("can get it")
        await session.type("srv-c")
        await session.until("1 of 3 servers")
        await session.press("escape")
        await session.until("3 servers, 2 can")
        await session.type("-c")
        await session.press("enter")
        await session.until("srv-a → srv-c")

    play(lab.project(MEMBERS), script)


def test_a_refused_plan_has_no_button_and_says_why(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("m")
        await session.until("can get it")
        await session.type("srv-c")
        await session.press("enter")
        await session.until("refused (not-listed)")
        assert "--to takes one of: srv-a, srv-b" in session.text()
        assert not session.app.screen.query_one("#move", Button).display
        assert not session.app.screen.query_one("#force").display

    play(lab.project(INI), script)


def test_force_is_offered_where_it_helps_and_plans_anew() -> None:
    lab = Lab(with_server(TRIO, "srv-b", status="off"))

    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("m")
        await session.until("srv-b is off")
        await session.press("home", "enter")
        await session.until("has it now" if "has it now" in session.text() else "nothing to do")
        await session.press("escape")
        await session.until("can get it")
        await session.type("srv-b")
        await session.press("enter")
        await session.until("refused (destination-off)")
        await session.press("f")
        await session.until("Move 1 address to srv-b")
        assert "forced past destination-off" in session.text() and "--force" in session.text()
        await session.pilot.click("#move")
        await session.until("1 done")
        assert holder(lab) == B

    play(lab.project(INI), script)


def test_a_primary_ip_needs_consent_and_the_names_of_what_is_powered_off(lab: Lab) -> None:
    public = "[public.web]\ntype = ip_public\nresource = public-web\nsource = srv-a\ndestination = srv-b\n"

    async def script(session: Session) -> None:
        await open_plan(session)
        await session.until("refused (reboot)")
        assert "p allows that" in session.text()
        await session.press("p")
        await session.until("still to be typed: srv-a srv-b")
        assert "stops srv-a and starts it again" in session.text()
        await session.type("srv-a srv-x")
        await session.until("still to be typed: srv-b")
        assert session.app.screen.query_one("#move", Button).disabled
        await session.press("enter")
        assert not lab.writes
        await session.press(*["backspace"] * 5)
        await session.type("srv-b")
        await session.until("typed;")
        await session.press("enter")
        assert not lab.writes
        await session.press("enter")
        await session.until("1 done")
        assert lab.sim.state.primary_ips[PRIMARY].assignee_id == B

    play(lab.project(public), script, size=(100, 40))


def test_a_server_that_does_not_obey_is_stopped_by_the_key_that_the_outcome_names() -> None:
    lab = Lab(with_server(TRIO, "srv-a", ignores_shutdown=True))

    async def script(session: Session) -> None:
        await open_plan(session)
        await session.press("p")
        await session.until("still to be typed: srv-a srv-b")
        await session.type("srv-a srv-b")
        await session.press("enter", "enter")
        await session.until("1 unknown")
        assert "r, then h (--hard-poweroff) pulls the plug" in session.flat()
        await session.press("r")
        await session.until("[ ] pull the plug where a shutdown is not obeyed (h)")
        await session.press("h")
        await session.until("[x] pull the plug where a shutdown is not obeyed (h)")
        await session.until("--hard-poweroff")
        session.app.screen.query_one("#typed").focus()
        await session.type("srv-a srv-b")
        await session.press("enter", "enter")
        await session.until("1 done")
        assert lab.sim.state.primary_ips[PRIMARY].assignee_id == B and "poweroff" in verbs(lab)

    public = "[public.web]\ntype = ip_public\nresource = public-web\nsource = srv-a\ndestination = srv-b\n"
    play(lab.project(public), script, size=(110, 40))


def test_the_command_line_for_it_can_be_copied(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await open_plan(session)
        await session.press("c")
        assert session.app.clipboard.startswith("hcloud-reassign run -c ")
        assert session.app.clipboard.endswith("floating.web --to srv-b")

    play(lab.project(INI), script)


def test_what_no_section_names_is_moved_too_and_shows_hetzners_own_command(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await open_plan(session, "down", "down")
        await session.until("Move 1 address to srv-b")
        assert "$ hcloud floating-ip assign 502" in session.text()
        await confirm(session)
        await session.until("1 done")
        assert lab.sim.state.floating_ips[502].server_id == B

    play(lab.project(INI), script)


def test_names_with_brackets_are_text() -> None:
    lab = Lab(trio(floating_ips=[{"name": "we[/b]b", "id": FLOATING, "ip": "192.0.2.10", "server": "srv-a"}]))

    async def script(session: Session) -> None:
        await open_plan(session)
        await session.until("assign floating IP we[/b]b to srv-b")
        await confirm(session)
        await session.until("1 done")

    play(lab.project("[float]\ntype = ip_floating\nresource = 501\ndestination = srv-b\n"), script)


# The world moves meanwhile


def test_another_world_at_the_confirmation_is_said_and_planned_anew(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await open_plan(session)
        FLOAT.put(lab.sim, C)
        await confirm(session)
        await session.until("The world has moved")
        await session.until("192.0.2.10 was with srv-a when the plan was shown; now it is with srv-c")
        assert focused(session) == "cancel" and not posts(lab)
        await confirm(session)
        await session.until("1 done")
        assert holder(lab) == B

    play(lab.project(MEMBERS), script, size=(100, 40))


def test_what_has_arrived_there_by_itself_needs_no_move(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await open_plan(session)
        FLOAT.put(lab.sim, B)
        await session.press("r")
        await session.until("is with srv-b already: nothing to do")
        assert not session.app.screen.query_one("#move", Button).display

    play(lab.project(INI), script)


# While it runs


def test_a_move_shows_its_steps_in_the_dialog_and_on_its_row(lab: Lab) -> None:
    gate = held_open(lab, FLOAT.path)

    async def script(session: Session) -> None:
        await open_plan(session)
        await confirm(session)
        await session.until("step 1 of 1: assign floating IP web to srv-b")
        await session.press("escape")
        await session.until("moving 1/1")
        assert "→ srv-b" in session.line("192.0.2.10")
        gate.open.set()
        await session.until("1 done")
        await session.until("at destination")

    play(lab.project(INI), script)


async def queue_a_second_move(session: Session, gate: Gate) -> None:
    """The first row's move is held up; the second row's is confirmed meanwhile."""
    await open_plan(session)
    await confirm(session)
    await session.until(gate.reached.is_set, what="the write is held up")
    await session.press("escape")
    await open_plan(session, "down")
    await confirm(session)
    await session.until("waits: only one change at a time")


def test_a_second_move_waits_and_says_for_what(lab: Lab) -> None:
    gate = held_open(lab, FLOAT.path)

    async def script(session: Session) -> None:
        await queue_a_second_move(session, gate)
        assert "move 192.0.2.10 to srv-b is under way" in session.flat()
        assert not lab.writes
        gate.open.set()
        await session.until("1 done")
        await session.press("escape")
        await session.until(lambda: session.text().count("at destination") == 2)
        assert verbs(lab) == ["assign", "delete_route", "add_route"]

    play(lab.project(INI), script)


def test_a_move_that_waited_while_the_world_moved_is_planned_anew_also_when_nobody_watched(lab: Lab) -> None:
    gate = held_open(lab, FLOAT.path)
    ini = FLOAT.section() + ROUTE.members("srv-a", "srv-b", "srv-c")

    async def script(session: Session) -> None:
        await queue_a_second_move(session, gate)
        await session.press("escape")
        await session.until("waiting")
        ROUTE.put(lab.sim, C)
        gate.open.set()
        await session.until("The world has moved")
        await session.until("now it is with srv-c")
        assert verbs(lab) == ["assign"] and focused(session) == "cancel"

    play(lab.project(ini), script, size=(100, 40))


def test_a_move_that_waits_is_called_off_without_a_trace(lab: Lab) -> None:
    gate = held_open(lab, FLOAT.path)

    async def script(session: Session) -> None:
        await queue_a_second_move(session, gate)
        await session.press("x")
        gate.open.set()
        await session.until("called off before anything was begun")
        assert verbs(lab) == ["assign"]

    play(lab.project(INI), script)


def test_a_hold_waits_too(lab: Lab) -> None:
    gate = held_open(lab, FLOAT.path)

    async def script(session: Session) -> None:
        await open_plan(session)
        await confirm(session)
        await session.until(gate.reached.is_set, what="the write is held up")
        await session.press("escape", "down", "h")
        await session.until("Hold 0.0.0.0/0")
        await session.press("2")
        await session.until("Hold 0.0.0.0/0 for 2 h: waiting")
        await session.until("waits: only one change at a time")
        gate.open.set()
        await session.until("held by a person")
        assert verbs(lab) == ["assign", "label"]

    play(lab.project(INI), script)


def test_a_failure_comes_up_by_itself_and_stays_until_it_is_closed(lab: Lab) -> None:
    gate = held_open(lab, FLOAT.path)
    lab.sim.faults.append(Fault(method="POST", path=FLOAT.path, status=422, code="invalid_input"))

    async def script(session: Session) -> None:
        await open_plan(session)
        await confirm(session)
        await session.until("step 1 of 1")
        await session.press("escape")
        await session.until("moving 1/1")
        gate.open.set()
        await session.until("1 failed")
        await session.press("c")
        assert "it is with srv-a as before" in session.app.clipboard
        await session.press("escape")
        await session.until("✖ failed")
        await session.press("r")
        await session.until("at source")

    play(lab.project(INI), script)


def test_an_unknown_outcome_is_looked_at_again_and_never_written_again(lab: Lab) -> None:
    lab.sim.faults.append(Fault(method="POST", path=FLOAT.path, stuck_action=True))

    async def script(session: Session) -> None:
        await open_plan(session)
        await confirm(session)
        await session.until("1 unknown")
        assert "next: hcloud-reassign run" in session.text()
        sent = len(posts(lab))
        await session.press("r")
        await session.until("Looked again and planned anew")
        await session.until(lambda: "making the plan" not in session.text())
        assert len(posts(lab)) == sent and focused(session) == "cancel"

    play(lab.project(INI), script)


def test_a_move_is_stopped_in_order(lab: Lab) -> None:
    gate = held_open(lab, ALIASED.path)

    async def script(session: Session) -> None:
        await open_plan(session)
        await confirm(session)
        await session.until("step 1 of 2")
        await session.press("x")
        await session.until("stopping in order")
        gate.open.set()
        await session.until("stopped: 1 done")
        assert ALIASED.holder(lab) == B

    play(lab.project(ALIASED.section()), script)


# Several at once


def test_what_is_selected_moves_as_one_plan(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("space", "space", "M")
        await session.until("2 selected resources")
        await session.until("can get it")
        await session.press("enter")
        await session.until("Move 2 resources to srv-b")
        await confirm(session)
        await session.until("2 done")
        assert holder(lab) == B and ROUTE.holder(lab) == B
        await session.press("escape")
        await session.until("8 resources")
        assert "selected" not in session.line("resources")

    play(lab.project(INI), script, size=(100, 40))


def test_the_group_of_a_row_moves_whole(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("M")
        await session.until("group site (2 resources)")
        await session.until("can get it")
        await session.press("enter")
        await session.until("Move 2 resources to srv-b")
        assert "group.site --to srv-b" in session.text().replace("\n", " ").replace("│", "")
        lab.sim.faults.append(Fault(method="POST", path="/v1/networks/*/actions/add_route", status=422, times=None))
        await confirm(session)
        await session.until("unknown")
        assert holder(lab) in (A, B)

    play(lab.project(GROUP), script, size=(120, 40))


def test_with_nothing_selected_and_no_group_it_says_so(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("M")
        await session.until("is in no group")

    play(lab.project(INI), script)


def test_rows_of_two_projects_are_not_moved_together(lab: Lab) -> None:
    other = Lab(TRIO).project(INI + "\n[client]\nproject = other\n")

    async def script(session: Session) -> None:
        await session.until("16 resources")
        await session.press("home", "space", "end", "space", "M")
        await session.until("of several projects")

    play([lab.project(INI), other], script, size=(120, 40))


# Reverting, holding


def test_what_this_machine_never_moved_cannot_be_reverted(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("u")
        await session.until("knows no move of it")

    play(lab.project(INI), script)


def test_a_hold_is_set_and_released(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("h")
        await session.until("Hold 192.0.2.10")
        await session.press("2")
        await session.until("held by a person")
        await session.press("h")
        await session.until("Hold 192.0.2.10")
        await session.press("r")
        await session.until(lambda: "at source" in session.line("192.0.2.10"), what="its row at source")
        assert verbs(lab) == ["label", "label"]

    play(lab.project(INI), script)


def test_a_hold_that_cannot_be_says_why(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("h")
        await session.until("Hold 192.0.2.10")
        await session.press("1")
        await session.until("claims = no switches holds off")
        assert not lab.writes

    play(lab.project(INI + "\n[client]\nclaims = no\n"), script)


def test_a_hold_that_hangs_is_given_up_and_says_what_came_of_it(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        gate = held_open(lab, "/v1/floating_ips*", "GET")
        await session.press("h")
        await session.until("Hold 192.0.2.10")
        await session.press("2")
        await session.until(gate.reached.is_set, what="the read is held up")
        await session.until("Esc gives it up")
        await session.press("escape")
        await session.until("stopping in order")
        gate.open.set()
        await session.until("the label was not written: the run was asked to stop")
        assert not lab.writes

    play(lab.project(INI), script)


def test_a_hold_that_is_given_up_too_late_is_held_and_says_so(lab: Lab) -> None:
    gate = held_open(lab, "/v1/floating_ips/501", "PUT")

    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("h")
        await session.until("Hold 192.0.2.10")
        await session.press("2")
        await session.until(gate.reached.is_set, what="the write is held up")
        await session.press("escape")
        await session.until("stopping in order")
        await session.press("escape")
        await session.until(lambda: session.app.screen is session.app.page)
        gate.open.set()
        await session.until("hold 192.0.2.10 for 2 h: ● done")
        await session.until("held by a person")

    play(lab.project(INI), script)


def test_a_hold_of_which_no_answer_comes_is_unknown(lab: Lab) -> None:
    lab.sim.faults.append(Fault(method="PUT", path="/v1/floating_ips/501", drop="before", times=None))

    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("h")
        await session.until("Hold 192.0.2.10")
        await session.press("2")
        await session.until("? unknown")
        assert "nobody knows whether the label was written" in session.text()

    play(lab.project(INI), script, size=(120, 24))


# Locked


@pytest.mark.parametrize("keys", [act.keys.split(",")[0] for act in ACTS if act.dangerous and act.id != "evacuate"])
def test_a_locked_screen_refuses_whatever_changes_something(lab: Lab, keys: str) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("space", keys)
        await session.until("L unlocks")
        assert session.app.screen is session.app.page

    play(lab.project(INI), script, options=Options(read_only=True))


def test_behind_a_locked_screen_nothing_is_sent_either(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        rows = session.app.rows()[:1]
        desk = session.app.desks[0]
        with pytest.raises(AccessError, match="locked"):
            desk.carry(rows, (), Request(to="srv-b"), apply=True)
        with pytest.raises(AccessError, match="locked"):
            desk.hold(rows, 60.0)
        assert not lab.writes

    play(lab.project(INI), script, options=Options(read_only=True))


def test_a_token_that_may_only_read_locks_the_screen(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await open_plan(session)
        await confirm(session)
        await session.until("1 failed")
        assert "the token may only read" in session.text()
        await session.until("LOCKED read-only")
        await session.press("escape")
        await session.until(lambda: session.app.screen is session.app.page)
        await session.press("m")
        await session.until("L unlocks it")

    play(lab.project(INI, token=READ_ONLY), script)


# Leaving


def test_leaving_is_immediate_when_nothing_moves_also_while_a_look_hangs(lab: Lab) -> None:
    gates: list[Gate] = []

    async def script(session: Session) -> None:
        await session.until("8 resources")
        gates.append(held_open(lab, "/v1/*", "GET"))
        await session.press("r")
        await session.until(gates[0].reached.is_set, what="the look hangs")
        await session.press("q")
        await left(session)
        assert session.app.return_value == 0

    try:
        play(lab.project(INI), script)
    finally:
        gates[0].open.set()


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
def test_leaving_while_something_moves_asks_and_one_can_stay(lab: Lab, key: str) -> None:
    gate = held_open(lab, FLOAT.path)

    async def script(session: Session) -> None:
        await open_plan(session)
        await confirm(session)
        await session.until("step 1 of 1")
        if key == "q":
            await session.press("escape")
            await session.until("moving 1/1")
        await session.press(key)
        await session.until("Something is moving: leave?")
        assert focused(session) == "cancel"
        await session.press("enter")
        await session.until(lambda: "leave?" not in session.text())
        gate.open.set()
        await session.until("1 done")
        assert not session.app._exit

    play(lab.project(INI), script)


@pytest.mark.parametrize(("key", "code"), [("w", 0), ("x", 130)])
def test_leaving_waits_for_what_moves_and_says_what_came_of_it(lab: Lab, key: str, code: int) -> None:
    gate = held_open(lab, FLOAT.path)
    told: list[str] = []

    async def script(session: Session) -> None:
        await open_plan(session)
        await confirm(session)
        await session.until("step 1 of 1")
        await session.press("ctrl+c")
        await session.until("leave?")
        await session.press(key)
        await session.until("LEAVING")
        assert not session.app._exit
        gate.open.set()
        await left(session)
        assert session.app.return_value == code
        told.append(session.app.last_words)

    play(lab.project(INI), script)
    assert "move 192.0.2.10 to srv-b" in told[0] and "1 done" in told[0]
    assert holder(lab) == B


def test_what_moves_is_not_put_to_sleep(lab: Lab) -> None:
    gate = held_open(lab, FLOAT.path)

    async def script(session: Session) -> None:
        await open_plan(session)
        await confirm(session)
        await session.until("step 1 of 1")
        await session.press("escape", "ctrl+z")
        await session.until("something moves")
        gate.open.set()
        await session.until("1 done")

    play(lab.project(INI), script)
    assert holder(lab) == B


def test_somebody_who_ends_the_program_stops_what_moves_in_order(lab: Lab) -> None:
    gate = held_open(lab, FLOAT.path)

    async def script(session: Session) -> None:
        await open_plan(session)
        await confirm(session)
        await session.until("step 1 of 1")
        session.app.changing.stop_and_leave()
        gate.open.set()
        await left(session)
        assert session.app.return_value == 130

    play(lab.project(INI), script)


def test_what_cannot_be_finished_in_time_ends_the_program_as_unknown(lab: Lab) -> None:
    gate = held_open(lab, FLOAT.path)
    lab.sim.faults.append(Fault(method="POST", path=FLOAT.path, stuck_action=True))
    told: list[str] = []

    async def script(session: Session) -> None:
        await open_plan(session)
        await confirm(session)
        await session.until("step 1 of 1")
        await session.press("escape")
        await session.until("moving 1/1")
        session.app.changing.stop_and_leave()
        gate.open.set()
        await left(session)
        assert session.app.return_value == 5
        told.append(session.app.last_words)

    began = lab.clock.monotonic()
    play(lab.project(INI), script)
    assert lab.clock.monotonic() - began < 12
    assert "1 unknown" in told[0] and "next: hcloud-reassign run " in told[0]
