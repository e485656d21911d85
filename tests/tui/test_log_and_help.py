"""The log without secrets, the help as keys are bound, details, and the palette."""

from __future__ import annotations

from hcloud_reassign.core.shown import without_secrets
from hcloud_reassign.simulator import Fault
from hcloud_reassign_tui.options import Options
from hcloud_reassign_tui.view.keys import keys_of
from hcloud_reassign_tui.view.logged import MOST, Log, Seen, line_of_event, noted
from hcloud_reassign_tui.view.registry import ACTS, key_names
from tests.engine.samples import ALIASED, FLOAT, FLOATING, ROUTE, TRIO, B
from tests.harness import TOKEN, Lab
from tests.tui.session import Session, play

INI = FLOAT.section() + ROUTE.section()


def test_a_log_keeps_the_newest_lines_and_knows_what_is_new() -> None:
    log = Log()
    for number in range(MOST + 10):
        log.add(str(number))
    assert len(log.lines) == MOST and log.lines[0] == "10"
    assert log.since(MOST + 8) == [str(MOST + 8), str(MOST + 9)]
    assert log.since(log.count) == []
    assert len(log.since(0)) == MOST


def test_the_longer_secret_is_hidden_before_the_one_that_is_a_part_of_it() -> None:
    assert without_secrets("abcdef abc", ["abc", "abcdef", ""]) == "*** ***"


def test_a_look_is_worth_a_line_only_when_something_is_otherwise() -> None:
    first, same = Seen(1, {"x": "srv-a", "y": "srv-a"}), Seen(2, {"x": "srv-a", "y": "srv-a"})
    assert list(noted("prod", Seen(), first)) == ["prod: 2 resources seen"]
    assert list(noted("prod", first, same)) == []
    assert list(noted("prod", first, Seen(3, {"x": "srv-b", "z": "nobody"}))) == [
        "prod: x was with srv-a, is with srv-b",
        "prod: z is new, with nobody",
        "prod: y is not seen any more",
    ]


def test_an_outage_is_worth_two_lines_however_long_it_lasts() -> None:
    well = Seen(1, {"x": "srv-a"})
    broken = Seen(1, {"x": "srv-a"}, "no answer")
    assert list(noted("prod", well, broken)) == ["prod: no answer"]
    assert list(noted("prod", broken, broken)) == []
    assert list(noted("prod", broken, Seen(2, {"x": "srv-a"}))) == ["prod: the API answers again"]


def test_events_are_told_in_words_and_unknown_ones_not_at_all() -> None:
    step = {"name": "floating.web", "what": "assign web to srv-b", "action_id": 7, "duration_ms": 1200}
    assert line_of_event("step.done", step) == "floating.web: assign web to srv-b is done (action 7, 1.2 s)"
    ended = {"command": "run", "outcome": "failed", "error": {"message": "no answer"}}
    assert line_of_event("run.finished", ended) == "run ended: failed: no answer"
    assert line_of_event("step.progress", step) is None
    assert (
        line_of_event("observed", {"reads": ["read all Server", "read Network 1"]}) == "read all Server, read Network 1"
    )


def test_every_event_is_survived_when_it_lacks_all_that_it_should_have() -> None:
    names = ["run.started", "observed", "planned", "move.started", "step.started", "step.done", "step.failed"]
    names += ["step.retried", "move.undoing", "move.done", "held", "released", "warning", "run.finished"]
    assert all(line_of_event(name, {}) for name in names)


def test_the_help_has_every_action_once_with_the_keys_of_this_session() -> None:
    lines = keys_of(lambda id: id in ("move", "help"), {"move": "x"})
    texts = [(line[0].text.strip(), line[1].text) for line in lines if len(line) == 2]
    assert sorted(text for _, text in texts) == sorted(act.help for act in ACTS)
    assert ("x", "Move this resource: choose a server, read the plan, confirm.") in texts
    assert [keys for keys, _ in texts[:2]] == ["x", "?"]


def test_every_line_of_the_help_fits_into_80_columns() -> None:
    lines = keys_of(lambda id: True, {})
    assert max(len("  ".join(cell.text for cell in line)) for line in lines) <= 76
    assert max(len(key_names(act.keys)) for act in ACTS) <= 8


def test_the_help_shows_rebound_keys_and_goes_away_with_escape(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("question_mark")
        await session.until("On this screen")
        assert session.line("Move this resource").strip().startswith("x ")
        await session.press("escape")
        await session.until("8 resources")

    play(lab.project(INI), script, options=Options(keys={"move": "x"}))


def test_the_log_tells_what_was_seen_to_move_and_errors_once(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        lab.sim.state.floating_ips[FLOATING].server_id = B
        await session.press("r")
        await session.until("• floating")
        lab.sim.faults.append(Fault(status=503, times=None))
        await session.press("r")
        await session.until("STALE")
        await session.press("4")
        await session.until("floating.web was with srv-a, is with srv-b")
        assert session.text().count("cannot be read") == 1

    play(lab.project(INI), script, size=(120, 40))


def test_a_move_is_in_the_log_step_by_step(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("m")
        await session.until("can get it")
        await session.press("enter")
        await session.until("Move 1 address to srv-b")
        await session.press("tab", "enter")
        await session.until(lambda: lab.sim.state.floating_ips[FLOATING].server_id == B, what="the address at srv-b")
        await session.until(lambda: any("run ended: ok" in line for line in session.app.logged.lines), what="its end")
        log = "\n".join(session.app.logged.lines)
        assert "floating.web: srv-a -> srv-b" in log
        assert "assign floating IP web to srv-b is done (action " in log

    play(lab.project(INI), script)


def test_no_secret_and_nothing_that_a_terminal_obeys_gets_into_the_log(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        session.app.log_line(f"token {TOKEN} [red]x[/] [/x] \x1b[31m\u202e")
        await session.press("4")
        await session.until("token *** [red]x[/] [/x] \\x1b[31m\\u202e")
        assert not any(TOKEN in line for line in session.app.logged.lines)

    play(lab.project(INI), script)


def test_a_long_line_of_the_log_is_shown_whole_at_80_columns(lab: Lab) -> None:
    said = "".join(f"{number:03} " for number in range(50))

    async def script(session: Session) -> None:
        await session.until("8 resources")
        session.app.log_line(said)
        await session.press("4")
        await session.until("049")
        assert said.strip() in " ".join(session.text().split())

    play(lab.project(INI), script)


def test_details_show_all_of_a_resource_and_what_run_would_do(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("d")
        await session.until("srv-a → srv-b")
        text = session.text()
        for said in ("floating IP", "501", "fsn1", "[floating.web]", "prod.ini:1", "destination  srv-b", "team  web"):
            assert said in text, said
        await session.press("escape")
        await session.until("8 resources")

    play(lab.project(INI), script, size=(100, 40))


def test_details_of_what_run_refuses_say_why(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("d")
        await session.until("alias.vip needs --to: it has members")

    play(lab.project(ALIASED.members("srv-a", "srv-b")), script, size=(100, 40))


def test_details_of_what_no_section_names_say_that_run_leaves_it_alone(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("end", "d")
        await session.until("`run` leaves it alone")

    play(lab.project(INI), script)


def test_foreign_texts_of_a_resource_are_shown_as_they_are() -> None:
    odd = {"name": "[/x] node[prod]", "id": FLOATING, "ip": "192.0.2.10", "server": "srv-a"}

    async def script(session: Session) -> None:
        await session.until("7 resources")
        await session.press("d")
        await session.until("name       [/x] node[prod]")

    play(Lab({**TRIO, "floating_ips": [odd]}).project(""), script)


def test_the_palette_goes_to_a_server_and_to_a_resource_by_name(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        await session.press("ctrl+p")
        await session.until("Copy command")
        await session.type("server srv-b")
        await session.until(lambda: "server srv-a" not in session.text(), what="only srv-b")
        await session.press("enter")
        await session.until("held by srv-b")
        await session.press("ctrl+p")
        await session.type("10.0.1.51")
        await session.until("Go to resource 10.0.1.51")
        await session.press("enter")
        await session.until("8 resources")
        await session.until("10.0.1.51  internal")

    play(lab.project(INI), script)


def test_the_palette_has_every_action_of_the_page(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        page = session.app.page
        assert page is not None
        found = {command.title for command in session.app.get_system_commands(page)}
        assert found == {"Theme", *(act.label for act in ACTS if page.offers(act.id))}
        assert {"Move", "Export", "Servers", "Details"} <= found

    play(lab.project(INI), script)


def test_odd_names_in_the_palette_are_text() -> None:
    odd = {"name": "[/x] [red]y[/]", "id": FLOATING, "ip": "192.0.2.10", "server": "srv-a"}

    async def script(session: Session) -> None:
        await session.until("7 resources")
        await session.press("ctrl+p")
        await session.type("red")
        await session.until("floating.[/x] [red]y[/]")
        await session.press("enter")
        await session.until("7 resources")

    play(Lab({**TRIO, "floating_ips": [odd]}).project(""), script)


def test_the_six_most_important_keys_are_in_view_at_80_columns(lab: Lab) -> None:
    async def script(session: Session) -> None:
        await session.until("8 resources")
        footer = session.text().splitlines()[-1]
        assert footer.split() == ["m", "Move", "r", "Refresh", "/", "Filter", "3", "History", "?", "Help", "q", "Quit"]
        await session.press("2")
        await session.until("3 servers")
        assert session.text().splitlines()[-1].startswith("E Evacuate")

    play(lab.project(INI), script)
