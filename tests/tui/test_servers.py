"""What each server holds, and evacuating one."""

from __future__ import annotations

from dataclasses import replace

from hcloud_reassign.core.model import Assignment, Found, Holder, Resource
from hcloud_reassign.core.objects import Server
from hcloud_reassign.engine.standing import Standing
from hcloud_reassign_tui.view.rows import Row, row_of
from hcloud_reassign_tui.view.servers import about_server, evacuation, servers_of
from hcloud_reassign_tui.view.signs import Signs
from tests.engine.samples import FLOAT, FLOATING, PUBLIC, ROUTE, TRIO, A, B, C, aliases, gateway
from tests.harness import Lab
from tests.tui.session import Session, play

INI = FLOAT.section() + ROUTE.section()
SIGNS = Signs()


def held(type: str, address: str, holder: Holder | None) -> Row:
    """A row of something that a section restricts to two servers."""
    found = Found(Resource(1, address, address), holder)
    assignment = Assignment(f"x.{address}", type, address, "srv-a", "srv-b", ("srv-c",))
    return row_of("prod", Standing(assignment, "at-source", found), SIGNS, 0)


ON_A = Holder("server", A, "srv-a")
SRV_A, SRV_B = Server(A, "srv-a", location="fsn1"), Server(B, "srv-b", "off")


def test_servers_come_by_name_and_each_with_what_it_holds() -> None:
    rows = [
        held("ip_floating", "192.0.2.1", ON_A),
        held("ip_public", "192.0.2.2", ON_A),
        held("route", "10.0.0.0/8", Holder("gateway", B, "srv-b", "10.0.1.3")),
        held("ip_alias", "10.0.1.9", Holder("load_balancer", A, "lb")),
        held("ip_alias", "10.0.1.8", None),
    ]
    first, second = servers_of("prod", [SRV_B, SRV_A], rows, SIGNS)
    assert [row.assignment.resource for row in first.holds] == ["192.0.2.1", "192.0.2.2"]
    assert [row.assignment.resource for row in second.holds] == ["10.0.0.0/8"]
    assert first.cells["ip_floating"].text.strip() == "1" and first.cells["route"].text == ""
    assert second.cells["status"].text == "▲ off"


def test_an_evacuation_goes_anywhere_under_no_name_and_leaves_primary_ips() -> None:
    rows = [held("ip_floating", "192.0.2.1", ON_A), held("ip_public", "192.0.2.2", ON_A)]
    (server,) = servers_of("prod", [SRV_A], rows, SIGNS)
    found = evacuation(server)
    (row,) = found.goes
    assert (row.assignment.source, row.assignment.destination, row.assignment.members) == (None, None, ())
    assert row.assignment.anybody and not row.standing.configured
    assert row.key == rows[0].key
    assert found.stays == (rows[1],)


def test_a_server_without_anything_says_so() -> None:
    (server,) = servers_of("prod", [SRV_B], [], SIGNS)
    assert "holds nothing" in about_server(server, SIGNS)[1][0].text


def test_a_server_is_opened_and_left_step_by_step(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("2")
        await session.until("3 servers")
        assert session.line("srv-a").split()[1:4] == ["●", "running", "fsn1"]
        await session.press("enter")
        await session.until("held by srv-a")
        assert "7 resources" in session.text() and "10.0.1.51" not in session.text()
        await session.press("escape")
        await session.until("3 servers")
        await session.press("escape")
        await session.until("8 resources")

    play(lab.project(INI), script)


def test_servers_are_filtered_by_what_they_hold(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("2", "slash")
        await session.type("10.0.1.51")
        await session.until("1 of 3 servers")
        assert "srv-b" in session.text() and "srv-c" not in session.text()

    play(lab.project(INI), script)


def test_evacuating_moves_all_but_primary_ips_as_one_plan(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("2", "E")
        await session.until("2 primary IPs of srv-a stay")
        await session.until("5 selected resources")
        await session.type("srv-c")
        await session.until("1 of 3 servers")
        await session.press("enter")
        await session.until("Move 5")
        assert "hcloud-reassign run" not in session.text()
        assert not lab.writes
        await session.press("escape")

    play(lab.project(INI), script)


def test_an_evacuation_that_is_confirmed_is_carried_out(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("2", "E")
        await session.until("5 selected resources")
        await session.type("srv-c")
        await session.until("1 of 3 servers")
        await session.press("enter")
        await session.until("Move 5")
        await session.press("tab", "enter")
        await session.until(lambda: gateway(lab) == "10.0.1.4", what="the route at srv-c")
        await session.until(lambda: lab.sim.state.floating_ips[FLOATING].server_id == C, what="the address at srv-c")
        await session.until(lambda: not aliases(lab, A), what="the aliases gone")
        assert lab.sim.state.primary_ips[701].assignee_id == A

    play(lab.project(INI + PUBLIC.section()), script)


def test_a_locked_screen_evacuates_nothing(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("L", "2", "E")
        await session.until("the screen is locked read-only")

    play(lab.project(INI), script)


def test_an_empty_server_is_not_evacuated(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("2", "end", "E")
        await session.until("srv-c holds nothing that")
        await session.press("enter")
        await session.until("srv-c holds nothing that could be moved")

    play(lab.project(INI), script)


def test_a_project_without_servers_says_so() -> None:
    async def script(session: Session) -> None:
        await session.until("nothing in this project")
        await session.press("2")
        await session.until("no server was seen")

    play(Lab({}).project(""), script)


def test_names_of_servers_are_text_and_nothing_else() -> None:
    names = ["[red]x[/]", "[/x]", "node[prod]", "s" * 63, "a\u0301\u202eb\x1b[31m"]
    servers = [replace(SRV_A, id=number, name=name) for number, name in enumerate(names)]
    shown = [row.cells["name"].text for row in servers_of("prod", servers, [], SIGNS)]
    assert {"[red]x[/]", "[/x]", "node[prod]"} <= set(shown)
    assert not any("\x1b" in text or "\u202e" in text for text in shown)


def test_odd_names_are_shown_as_they_are() -> None:
    odd = {**TRIO, "floating_ips": [{"name": "[/x] [red]y[/]", "id": FLOATING, "ip": "192.0.2.10", "server": "srv-a"}]}

    async def script(session: Session) -> None:
        await session.until("7 resources")
        await session.press("2")
        await session.until("[/x] [red]y[/]")

    play(Lab(odd).project(""), script, size=(120, 40))
