"""Plans, targets, progress and outcomes as lines, without a screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from hcloud_reassign.core.errors import AccessError, FailedError
from hcloud_reassign.core.model import Request
from hcloud_reassign.core.report import Result
from hcloud_reassign.project import Project
from hcloud_reassign.simulator import Fault
from hcloud_reassign_tui.view import choosing, going, plans
from hcloud_reassign_tui.view.detail import Lines, detail_of
from hcloud_reassign_tui.view.rows import Progress, Row, row_of
from hcloud_reassign_tui.view.shelf import Shelf
from hcloud_reassign_tui.view.signs import Signs
from hcloud_reassign_tui.view.whole import whole
from tests.engine.samples import ALIASED, FLOAT, NOW_MS, PRIMARY, PUBLIC, ROUTE, TRIO, A, B, C, trio, with_server
from tests.harness import READ_ONLY, Lab

SIGNS = Signs()
INI = FLOAT.section() + ROUTE.section() + ALIASED.section()
POWER = "[public.web]\ntype = ip_public\nresource = public-web\nsource = srv-a\ndestination = srv-b\n"


def text(lines: Lines) -> str:
    return "\n".join("  ".join(cell.text for cell in line).rstrip() for line in lines)


def rows(project: Project) -> tuple[Row, ...]:
    return Shelf(project.name, SIGNS).rows(project.status(everything=True).standings, NOW_MS, {})


def planned(project: Project, names: Sequence[str] = (), **request: Any) -> tuple[Result, ...]:
    return project.plan(names, Request(**request)).results


def shown(results: Sequence[Result], own: Iterable[str] | None = None) -> str:
    return text(plans.plan_lines(results, SIGNS, [result.name for result in results] if own is None else own))


# Plans


def test_a_plan_says_kind_address_name_holders_side_effects_and_steps() -> None:
    told = shown(planned(Lab(TRIO).project(INI), ["alias.vip"]))
    assert told == (
        "→  10.0.1.100  alias IP  alias.vip\n"
        "  srv-a → srv-b\n"
        "  ▲ nobody has 10.0.1.100 for the time of two actions\n"
        "  1. remove alias IP 10.0.1.100 from srv-a\n"
        "  2. add alias IP 10.0.1.100 to srv-b"
    )


def test_of_many_moves_the_steps_are_left_out() -> None:
    told = shown(planned(Lab(TRIO).project(INI + PUBLIC.section())))
    assert "srv-a → srv-b" in told and "  1. " not in told


def test_what_is_there_already_and_what_nobody_has_is_said() -> None:
    lab = Lab(TRIO)
    FLOAT.put(lab.sim, B)
    assert "is with srv-b already: nothing to do" in shown(planned(lab.project(FLOAT.section())))
    FLOAT.put(lab.sim, None)
    assert "nobody → srv-b" in shown(planned(lab.project(FLOAT.section())))


def test_a_refusal_has_its_guard_and_the_way_past_it_in_the_words_of_the_screen() -> None:
    lab = Lab(TRIO)
    FLOAT.put(lab.sim, C)
    results = planned(lab.project(FLOAT.section()))
    told = shown(results)
    assert "refused (holder): it is held by srv-c" in told and "stays with srv-c" in told
    assert "press f (--force) to take it from there" in told
    assert plans.forceable(results)
    assert not plans.needs_consent(results)


def test_a_command_line_is_not_advised_for_what_the_file_does_not_name() -> None:
    lab = Lab(TRIO)
    lab.sim.state.primary_ips[701].labels["hcloud-reassign/intention"] = "10-on.11-on.0"
    results = planned(lab.project(POWER.replace("srv-b", "srv-c")), allow_poweroff=True)
    assert "finish it: hcloud-reassign run" in shown(results)
    assert "hcloud-reassign run" not in shown(results, own=())


def test_power_is_asked_for_by_the_names_of_the_servers() -> None:
    project = Lab(TRIO).project(POWER)
    assert plans.needs_consent(planned(project))
    results = planned(project, allow_poweroff=True)
    assert plans.goes_off(results) == ("srv-a", "srv-b")
    assert plans.button(results, "srv-b") == "Power off srv-a, srv-b and move 1 address to srv-b"


def test_each_consent_is_offered_where_it_changes_something() -> None:
    lab = Lab(TRIO)
    assert plans.offered(planned(lab.project(FLOAT.section()))) == set()
    assert plans.offered(planned(lab.project(POWER))) == {"poweroff", "hard"}
    assert plans.offered(planned(lab.project(POWER), allow_poweroff=True)) == {"hard"}
    assert plans.offered(planned(lab.project(f"{POWER}hard_poweroff = yes\n"), allow_poweroff=True)) == set()
    FLOAT.put(lab.sim, C)
    assert plans.offered(planned(lab.project(FLOAT.section()))) == {"force"}


def test_what_may_have_been_off_before_can_be_started() -> None:
    lab = Lab(with_server(with_server(TRIO, "srv-a", status="off"), "srv-b", status="off"))
    PUBLIC.put(lab.sim, None)
    results = planned(lab.project(POWER), force=True)
    assert plans.offered(results) == {"on"}
    assert "o (--power-on) starts them" in shown(results)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("add --force to take it", "press r, then f (--force) to take it"),
        (
            "hard_poweroff = yes or --hard-poweroff pulls it",
            "hard_poweroff = yes or r, then h (--hard-poweroff) pulls it",
        ),
        ("finish it: hcloud-reassign run x --force", "finish it: hcloud-reassign run x --force"),
        ("try again", "try again"),
    ],
)
def test_options_are_told_by_their_keys_but_for_command_lines(said: str, told: str) -> None:
    assert plans.by_key(said, "r, then ") == told


@pytest.mark.parametrize(
    ("typed", "missing"),
    [
        ("", "still to be typed: srv-a srv-b"),
        ("srv-a", "still to be typed: srv-b"),
        ("SRV-A srv-b", "still to be typed: srv-a"),
        ("srv-b, srv-a", None),
        (" srv-a  srv-b ", None),
        ("srv-a srv-b srv-c", "too much: srv-c"),
    ],
)
def test_every_name_has_to_stand_there_exactly(typed: str, missing: str | None) -> None:
    assert plans.still_to_type(typed, ("srv-a", "srv-b")) == missing


def test_nothing_has_to_be_typed_where_nothing_goes_off() -> None:
    assert plans.still_to_type("", ()) is None


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["floating.web"], "Move 1 address to srv-b"),
        (["route.default"], "Move 1 route to srv-b"),
        (["floating.web", "alias.vip"], "Move 2 addresses to srv-b"),
        ([], "Move 3 resources to srv-b"),
    ],
)
def test_the_button_says_the_act(names: list[str], said: str) -> None:
    assert plans.button(planned(Lab(TRIO).project(INI), names), "srv-b") == said


def test_the_command_line_does_the_same_and_quotes_names() -> None:
    project = Lab(TRIO).project(FLOAT.section().replace("[floating.web]", "[the web]"))
    (first, *others) = rows(project)
    assert plans.command_of("hr run", [first], (), "srv-b", ["--force"]) == ("hr run 'the web' --to srv-b --force")
    assert plans.command_of("hr run", [first], ["site"], "b", ["--allow-poweroff"]) == (
        "hr run group.site --to b --allow-poweroff"
    )
    assert plans.command_of("hr run", [first, others[0]], (), "srv-b") is None


def test_what_changed_between_two_plans_is_told_per_resource() -> None:
    lab = Lab(TRIO)
    project = lab.project(FLOAT.members("srv-a", "srv-b", "srv-c") + ALIASED.section())
    before = planned(project, ["floating.web", "alias.vip"], to="srv-b")
    assert plans.differences(before, planned(project, ["floating.web", "alias.vip"], to="srv-b"), SIGNS) == ()
    FLOAT.put(lab.sim, C)
    after = planned(project, ["floating.web", "alias.vip"], to="srv-b")
    told = text(plans.differences(before, after, SIGNS))
    assert told == "• 192.0.2.10 was with srv-a when the plan was shown; now it is with srv-c"


def test_warnings_that_every_run_has_are_not_repeated() -> None:
    project = Lab(TRIO).project(FLOAT.section())
    report = project.plan((), Request())
    assert project.warnings and set(project.warnings) <= set(report.warnings)
    assert plans.other_warnings(report.warnings, project.warnings, report.results, SIGNS) == ()
    assert "!" in text(plans.other_warnings(["odd!"], project.warnings, report.results, SIGNS))


# Targets


def choices(project: Project, row: Row) -> tuple[choosing.Target, ...]:
    found = project.choices(project.selection([row.assignment]), Request(to="", allow_poweroff=True))
    return choosing.targets(found, SIGNS)


def test_targets_come_eligible_first_and_say_why_not() -> None:
    lab = Lab(with_server(TRIO, "srv-b", status="off"))
    project = lab.project(FLOAT.members("srv-a", "srv-b", "srv-c"))
    found = choices(project, rows(project)[0])
    assert [(target.name, target.eligible, target.here) for target in found] == [
        ("srv-c", True, False),
        ("srv-a", False, True),
        ("srv-b", False, False),
    ]
    assert "srv-b is off" in found[2].words


def test_the_other_end_is_preferred_and_after_it_whoever_can_get_it() -> None:
    lab = Lab(TRIO)
    project = lab.project(FLOAT.section("srv-c", "srv-b"))
    row = rows(project)[0]
    found = choices(project, row)
    assert found[choosing.preferred(found, [row])].name == "srv-b"
    FLOAT.put(lab.sim, B)
    row = rows(project)[0]
    found = choices(project, row)
    assert found[choosing.preferred(found, [row])].name == "srv-c"
    adhoc = rows(project)[1]
    found = choices(project, adhoc)
    assert found[choosing.preferred(found, [adhoc])].eligible
    assert choosing.preferred((), [row]) == 0


def test_typing_leaves_the_servers_that_have_every_word() -> None:
    project = Lab(TRIO).project(FLOAT.section())
    found = choices(project, rows(project)[0])
    assert [target.name for target in choosing.matching(found, "SRV not listed")] == ["srv-c"]


# The way back


def after_a_move(lab: Lab) -> Project:
    project = lab.project(FLOAT.section())
    project.run(["floating.web"], Request())
    return project


def back(project: Project) -> choosing.Back | str:
    status = project.status(everything=True)
    return choosing.way_back(status.standings[0], project.history(), status.servers, SIGNS)


def test_the_last_move_is_reverted_to_the_holder_before_it() -> None:
    found = back(after_a_move(Lab(TRIO)))
    assert isinstance(found, choosing.Back)
    assert (found.to, found.name) == (str(A), "srv-a")
    assert "srv-a → srv-b" in found.told and "somebody else" not in found.told


def test_a_resource_that_somebody_moved_since_is_reverted_with_a_word_about_that() -> None:
    lab = Lab(TRIO)
    project = after_a_move(lab)
    FLOAT.put(lab.sim, C)
    found = back(project)
    assert isinstance(found, choosing.Back) and "somebody else has moved it since" in found.told


def test_what_cannot_be_reverted_says_why() -> None:
    lab = Lab(TRIO)
    assert "knows no move" in str(back(lab.project(FLOAT.section())))
    project = after_a_move(lab)
    FLOAT.put(lab.sim, A)
    assert "already, where it was before" in str(back(project))
    FLOAT.put(lab.sim, B)
    del lab.sim.state.servers[A]
    assert "there is no such server any more" in str(back(project))


def test_a_holder_that_was_nobody_is_no_way_back() -> None:
    lab = Lab(TRIO)
    FLOAT.put(lab.sim, None)
    assert "nobody had it before" in str(back(after_a_move(lab)))


def test_a_gateway_of_no_server_is_gone_back_to_by_its_address() -> None:
    lab = Lab(trio(networks=[{**TRIO["networks"][0], "routes": [{"destination": "0.0.0.0/0", "gateway": "10.0.1.9"}]}]))
    project = lab.project(f"{ROUTE.ini}destination = srv-b\n")
    project.run([], Request())
    found = back(project)
    assert isinstance(found, choosing.Back) and found.to == "10.0.1.9"


# On its way


def test_a_move_goes_from_waiting_over_its_steps_to_its_outcome() -> None:
    project = Lab(TRIO).project(ALIASED.section())
    goings = going.expected(planned(project))
    assert text(going.going_lines(goings, SIGNS)) == "   10.0.1.100  → srv-b  waiting"
    told: list[str] = []
    short: list[str] = []

    def hear(event: Any) -> None:
        nonlocal goings
        goings = going.heard(goings, event.event, event.data)
        told.append(text(going.going_lines(goings, SIGNS)))
        short.append(going.on_the_row(goings["alias.vip"]).text)

    project.run([], Request(), on_event=hear)
    assert any("step 1 of 2: remove alias IP 10.0.1.100 from srv-a" in line for line in told)
    assert any("step 2 of 2: add alias IP 10.0.1.100 to srv-b" in line and " %" in line for line in told)
    seen = list(dict.fromkeys(word.partition(" ")[0] for word in short))
    assert seen == ["waiting", "moving", "verifying", "done"]
    assert goings["alias.vip"].over and going.on_the_row(goings["alias.vip"]).wanted is None


def test_what_is_tried_again_or_undone_says_why() -> None:
    goings = going.expected(planned(Lab(TRIO).project(ALIASED.section())))
    name = {"name": "alias.vip"}
    goings = going.heard(goings, "step.started", {**name, "what": "remove it"})
    goings = going.heard(goings, "step.retried", {**name, "reason": "it is locked", "wait_ms": 700})
    assert "again in 700 ms: it is locked" in text(going.going_lines(goings, SIGNS))
    goings = going.heard(goings, "step.failed", {**name, "message": "no"})
    assert "▲ no" in text(going.going_lines(goings, SIGNS))
    goings = going.heard(goings, "move.undoing", {**name, "reason": "the other one failed"})
    goings = going.heard(goings, "step.started", {**name, "what": "add it"})
    assert going.on_the_row(goings["alias.vip"]).text == "undoing"
    assert going.heard(goings, "step.started", {"name": "another", "what": "x"}) == goings


def test_an_unfinished_move_is_told_of_only_while_nobody_is_at_it() -> None:
    lab = Lab(TRIO)
    lab.sim.state.primary_ips[PRIMARY].labels["hcloud-reassign/intention"] = "10-on.11-on.0"
    project = lab.project(POWER)
    (standing, *_) = project.status(everything=True).standings

    def told(progress: Progress | None) -> str:
        row = row_of(project.name, standing, SIGNS, NOW_MS, progress)
        return text(detail_of(row, SIGNS, NOW_MS)) + text(whole(row, SIGNS, NOW_MS))

    assert told(None).count("an earlier move was not finished") == 2
    assert "not finished" not in told(Progress("busy", "bold", "moving 2/9", "srv-b"))
    assert told(Progress("bad", "bad", "failed")).count("an earlier move was not finished") == 2


# Outcomes


def ran(lab: Lab, ini: str = FLOAT.section(), token: str | None = None) -> going.Outcome:
    project = lab.project(ini, token) if token else lab.project(ini)
    report = project.run([], Request())
    return going.outcome_of(report, SIGNS, project.names(), project.warnings)


def test_success_says_from_whom_to_whom_and_how_long() -> None:
    outcome = ran(Lab(TRIO), ALIASED.section())
    assert outcome.well and outcome.headline.text.startswith("● 1 done, ")
    assert "10.0.1.100  alias IP  srv-a → srv-b  done" in outcome.text()
    assert "nobody had it for " in outcome.text()


def test_failure_says_why_and_where_it_is() -> None:
    lab = Lab(TRIO, faults=[Fault(method="POST", path=FLOAT.path, status=422, code="invalid_input")])
    outcome = ran(lab)
    assert outcome.word == "failed" and not outcome.well
    assert "with srv-a  failed" in outcome.text() and "it is with srv-a as before" in outcome.text()


def test_unknown_has_the_two_lines_that_mend_it_and_the_worst_word_wins() -> None:
    lab = Lab(TRIO, faults=[Fault(method="POST", path=FLOAT.path, stuck_action=True)])
    outcome = ran(lab, FLOAT.section() + ROUTE.section())
    assert outcome.word == "unknown"
    assert outcome.headline.text.startswith("? 1 unknown, 1 done")
    assert "next: hcloud-reassign run floating.web --to srv-b" in outcome.text()
    assert "or by Hetzner's own: hcloud floating-ip assign" in outcome.text()


def test_an_error_before_anything_began_and_a_defect_are_told_apart() -> None:
    nothing = going.outcome_of_error(FailedError("the API is away", next="try again"), SIGNS)
    assert nothing.word == "failed" and nothing.text() == "✖ not done\nthe API is away\ntry again"
    defect = going.outcome_of_error(KeyError("x"), SIGNS)
    assert defect.word == "unknown" and "internal error: KeyError" in defect.text()


def test_a_read_only_token_is_told_from_a_wrong_one() -> None:
    lab = Lab(TRIO)
    report = lab.project(FLOAT.section(), READ_ONLY).run([], Request())
    assert going.token_may_only_read(report, None)
    assert not going.token_may_only_read(lab.project(FLOAT.section()).run([], Request()), None)
    assert not going.token_may_only_read(None, AccessError("Hetzner does not accept the token"))
    assert going.token_may_only_read(None, AccessError("the token may only read"))


def test_only_a_run_that_did_nothing_for_its_digest_is_planned_anew() -> None:
    project = Lab(TRIO).project(FLOAT.section())
    assert going.only_the_digest(project.run([], Request(expect_digest="0" * 16)))
    assert not going.only_the_digest(project.run([], Request()))
    assert not going.only_the_digest(None)
