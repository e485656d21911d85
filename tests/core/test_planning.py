"""World, assignments and a request become a plan: who moves, who stays, who is refused and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign.core.errors import UsageError
from hcloud_reassign.core.model import Assignment, Group, Move, Plan, Refusal, Request, World
from hcloud_reassign.core.objects import FloatingIp, Server
from hcloud_reassign.core.planning import check_request, doubtful, judge_groups, plan, plan_again, target_name
from hcloud_reassign.core.steps import every
from tests.core.toy import NOW, PINNED, TOY, section, situation, thing, world_of

MEMBERS: dict[str, Any] = {"source": None, "destination": None, "members": ("srv-a", "srv-b")}


def only(world: World, assignment: Assignment | None = None, request: Request | None = None) -> Move:
    (move,) = plan(world, [(TOY, assignment or section())], (), request or Request(), situation())
    return move


def guard(move: Move) -> str | None:
    return move.refusal.guard if move.refusal else None


# whom it goes to


@pytest.mark.parametrize(
    ("fields", "request_", "expected"),
    [
        ({}, Request(), "srv-b"),
        ({}, Request(direction="src"), "srv-a"),
        ({}, Request(to="srv-c"), "srv-c"),
        ({"source": None}, Request(), "srv-b"),
        ({"source": None}, Request(direction="src"), None),
        ({"destination": None}, Request(), None),
        (MEMBERS, Request(), None),
        (MEMBERS, Request(to="srv-b"), "srv-b"),
    ],
)
def test_the_target_is_named_by_the_request_or_by_the_section(
    fields: dict[str, Any], request_: Request, expected: str | None
) -> None:
    assert target_name(section(**fields), request_) == expected


@pytest.mark.parametrize(
    ("fields", "request_", "named", "message"),
    [
        (MEMBERS, Request(direction="src"), (), "has members; it takes --to, not --direction"),
        (MEMBERS, Request(), ("floating.web",), "needs --to: it has members"),
        ({"source": None}, Request(direction="src"), ("floating.web",), "needs --to: it has no source"),
        ({"destination": None}, Request(), ("floating.web",), "needs --to: it has no destination"),
        ({"source": None, "destination": None}, Request(), ("floating.web",), "needs --to: it has no destination"),
        ({}, Request(to="srv-b", direction="src"), (), "--to and --direction exclude each other"),
    ],
)
def test_a_request_that_names_no_target_is_a_usage_error(
    fields: dict[str, Any], request_: Request, named: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        check_request([section(**fields)], request_, named)


@pytest.mark.parametrize(
    ("fields", "choice"), [(MEMBERS, "srv-a, srv-b"), ({"destination": None, "source": "srv-c"}, "srv-c")]
)
def test_a_usage_error_says_who_can_be_chosen(fields: dict[str, Any], choice: str) -> None:
    with pytest.raises(UsageError) as error:
        check_request([section(**fields)], Request(), ["floating.web"])
    assert error.value.object == "floating.web"
    assert error.value.next == f"--to with one of: {choice}"


def test_a_usage_error_says_what_it_is_about() -> None:
    with pytest.raises(UsageError) as both:
        check_request([section()], Request(to="srv-b", direction="src"), [])
    assert str(both.value) == "--to and --direction exclude each other"
    assert (both.value.object, both.value.next) == ("--to", "give one of them")
    with pytest.raises(UsageError) as members:
        check_request([section(**MEMBERS)], Request(direction="src"), [])
    assert members.value.object == "floating.web"


def test_what_was_not_named_and_has_no_target_is_left_out() -> None:
    chosen = [section("one"), section("two", **MEMBERS), section("three", destination=None)]
    assert check_request(chosen, Request(), ["one"]) == ("two", "three")
    assert check_request(chosen, Request(to="srv-b"), ["one"]) == ()


# the table: who has it, and what happens


@pytest.mark.parametrize("force", [False, True], ids=["plain", "force"])
@pytest.mark.parametrize(
    ("holder", "fields", "outcome", "forced"),
    [
        (2, {}, "unchanged", "unchanged"),
        (1, {}, "pending", "pending"),
        (None, {}, "pending", "pending"),
        (3, {}, "refused", "pending"),
        (3, {"source": None}, "pending", "pending"),
        (99, {}, "refused", "pending"),
    ],
    ids=["target", "expected", "nobody", "somebody-else", "anybody", "deleted"],
)
def test_who_has_it_decides_what_happens(
    holder: int | None, fields: dict[str, Any], outcome: str, forced: str, force: bool
) -> None:
    move = only(world_of(thing(holder)), section(**fields), Request(force=force))
    assert move.outcome == (forced if force else outcome)
    assert bool(move.steps) is (move.outcome == "pending")
    assert guard(move) == ("holder" if move.outcome == "refused" else None)
    assert move.before is None or move.before.id == holder
    assert move.wanted is not None
    assert move.wanted.id == 2


@pytest.mark.parametrize("force", [False, True], ids=["plain", "force"])
def test_from_a_load_balancer_nothing_is_taken(force: bool) -> None:
    move = only(world_of(thing(5, location=PINNED)), request=Request(force=force))
    assert (move.outcome, guard(move)) == ("refused", "holder")


@pytest.mark.parametrize("force", [False, True], ids=["plain", "force"])
@pytest.mark.parametrize("cls", [FloatingIp, Server])
def test_what_cannot_be_read_is_never_taken_for_free(cls: type, force: bool) -> None:
    move = only(world_of(thing(1)).failed(every(cls), "timed out"), request=Request(force=force))
    assert (move.outcome, move.usage_error) == ("failed", False)
    assert move.message == "cannot tell who holds it: timed out"


def test_a_servers_table_that_cannot_be_read_leaves_the_target_unknown() -> None:
    move = only(world_of(thing(None)).failed(every(Server), "timed out"))
    assert (move.outcome, move.before) == ("failed", None)
    assert move.found is not None
    assert move.message == "cannot tell who holds it: timed out"


def test_force_is_written_down_where_it_was_needed() -> None:
    move = only(world_of(thing(3, {"guarded": "yes"})), request=Request(force=True))
    assert [warning.partition(":")[0] for warning in move.warnings] == ["forced past holder", "forced past guarded"]
    assert only(world_of(thing(1)), request=Request(force=True)).warnings == ()


def test_force_does_not_pass_what_has_no_way_past() -> None:
    late = {"hcloud-reassign/claim": f"{NOW + 1}.1"}
    move = only(world_of(thing(3, late)), request=Request(force=True))
    assert (move.outcome, guard(move)) == ("refused", "late")
    outside = only(world_of(thing(1)), request=Request(to="srv-c", force=True))
    assert (outside.outcome, guard(outside)) == ("refused", "not-listed")


def test_what_the_target_has_is_unchanged_even_for_a_late_request() -> None:
    assert only(world_of(thing(2)), request=Request(issued_at_ms=1)).outcome == "unchanged"


def test_a_move_that_was_not_finished_is_none_that_is_unchanged() -> None:
    assert only(world_of(thing(2, {"unfinished": "yes"}))).outcome == "pending"


# names


def test_a_resource_that_does_not_exist_is_a_usage_error_of_its_own_assignment() -> None:
    move = only(world_of(thing(name="webb")))
    assert (move.outcome, move.usage_error, move.found) == ("failed", True, None)
    assert move.message == "there is no thing 'web'; did you mean 'webb'?"
    assert (move.resource.id, move.resource.name) == (None, "web")


def test_a_target_that_does_not_exist_is_a_usage_error_with_the_nearest_name() -> None:
    move = only(world_of(thing()), request=Request(to="srv-bb"))
    assert (move.outcome, move.usage_error) == ("failed", True)
    assert "did you mean 'srv-b'?" in str(move.message)
    assert move.before is not None and move.before.id == 1


def test_an_assignment_without_any_target_says_what_is_missing() -> None:
    move = only(world_of(thing()), section(**MEMBERS))
    assert (move.outcome, move.usage_error, move.next) == ("failed", True, "--to SERVER")
    assert move.message == "floating.web does not say where it shall go"


def test_two_resources_of_one_name_are_refused() -> None:
    move = only(world_of(thing(), thing(id=8, ip="192.0.2.8")))
    assert (move.outcome, guard(move)) == ("refused", "ambiguous")
    assert move.refusal
    assert move.refusal.next == "name it by its id"


def test_two_servers_of_the_targets_name_are_refused() -> None:
    move = only(world_of(thing(), Server(22, "srv-b")))
    assert move.outcome == "refused"
    assert move.refusal == Refusal("ambiguous", "two servers are called srv-b", "name it by its id")
    assert move.found is not None


@pytest.mark.parametrize("extra", [(), (Server(22, "srv-x"), Server(23, "srv-x"))], ids=["gone", "ambiguous"])
def test_a_listed_holder_that_is_gone_only_warns(extra: tuple[Server, ...]) -> None:
    move = only(world_of(thing(2), *extra), section(source="srv-x", destination="srv-b"))
    assert move.outcome == "unchanged"
    assert len(move.warnings) == 1
    assert move.warnings[0].startswith("srv-x is listed, but ")


def test_a_source_that_is_gone_cannot_be_the_holder() -> None:
    move = only(world_of(thing(1)), section(source="srv-x"))
    assert (move.outcome, guard(move)) == ("refused", "holder")


def test_a_kind_may_find_a_usage_error_while_it_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(case: object, move: Move) -> Move:
        raise UsageError("out of range", next="another range")

    monkeypatch.setattr(TOY, "plan", refuse)
    move = only(world_of(thing()))
    assert (move.outcome, move.usage_error) == ("failed", True)
    assert (move.message, move.next) == ("out of range", "another range")
    assert move.found is not None


# held, dated ahead


@pytest.mark.parametrize(("issued", "outcome", "warned"), [(None, "pending", True), (NOW, "refused", False)])
def test_an_operators_hold_warns_who_types_and_refuses_what_was_triggered(
    issued: int | None, outcome: str, warned: bool
) -> None:
    held = thing(1, {"hcloud-reassign/held-until": str(NOW + 1000)})
    move = only(world_of(held), request=Request(issued_at_ms=issued))
    assert move.outcome == outcome
    assert any("an operator holds it until" in warning for warning in move.warnings) is warned


@pytest.mark.parametrize("ms", [-1, 0])
def test_a_hold_that_is_over_is_not_warned_about(ms: int) -> None:
    assert only(world_of(thing(1, {"hcloud-reassign/held-until": str(NOW + ms)}))).warnings == ()


@pytest.mark.parametrize(("ahead_ms", "warned"), [(30_000, False), (30_001, True)])
def test_a_request_dated_in_the_future_is_warned_about(ahead_ms: int, warned: bool) -> None:
    made = plan(world_of(), [], (), Request(issued_at_ms=NOW + ahead_ms), situation())
    expected = ("the request is dated in the future; it is treated as made now",)
    assert made.warnings == (expected if warned else ())


# several


def test_two_sections_that_mean_one_resource_are_a_usage_error() -> None:
    selected = [(TOY, section("one")), (TOY, section("two"))]
    with pytest.raises(UsageError) as error:
        plan(world_of(thing()), selected, (), Request(), situation())
    assert str(error.value) == "one and two are the same resource"
    assert (error.value.object, error.value.next) == ("two", "name one of them")


def test_what_is_not_found_hides_no_duplicate_behind_it() -> None:
    selected = [(TOY, section("none", resource="gone")), (TOY, section("one")), (TOY, section("two"))]
    with pytest.raises(UsageError, match="one and two are the same resource"):
        plan(world_of(thing()), selected, (), Request(), situation())


def test_two_sections_that_both_find_nothing_are_two_failures() -> None:
    selected = [(TOY, section("one")), (TOY, section("two"))]
    made = plan(world_of(), selected, (), Request(), situation())
    assert [move.outcome for move in made] == ["failed", "failed"]


TWO = (thing(), thing(id=8, name="db", ip="192.0.2.8"))
SELECTED = [(TOY, section("one")), (TOY, section("two", resource="db"))]


def test_a_plan_keeps_the_order_of_the_command_line() -> None:
    made = plan(world_of(*TWO), SELECTED, (), Request(), situation())
    assert [move.name for move in made] == ["one", "two"]
    back = plan(world_of(*TWO), SELECTED[::-1], (), Request(), situation())
    assert [move.name for move in back] == ["two", "one"]
    assert made.pending == made.moves


def test_the_same_input_gives_the_same_plan() -> None:
    plans = [plan(world_of(*TWO), SELECTED, (), Request(), situation()) for _ in range(2)]
    assert plans[0] == plans[1]


def test_a_kind_sees_what_else_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = dict[str, list[int | None]]()

    def look(case: Any, move: Move) -> Move:
        seen[move.name] = [found.resource.id for found in case.alongside]
        return move

    monkeypatch.setattr(TOY, "plan", look)
    plan(world_of(*TWO), SELECTED, (), Request(), situation())
    assert seen == {"one": [8], "two": [7]}


# groups

GROUP = Group("web", ("one", "two", "not-selected"))


def in_group(*things: FloatingIp, request: Request | None = None) -> list[Move]:
    return list(plan(world_of(*things), SELECTED, (GROUP,), request or Request(), situation()))


def test_the_members_of_a_group_know_that_they_are() -> None:
    assert [(move.group, move.outcome) for move in in_group(*TWO)] == [("web", "pending")] * 2


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        (thing(3, id=8, name="db", ip="192.0.2.8"), "refused"),
        (thing(1, id=8, name="gone", ip="192.0.2.8"), "failed"),
    ],
    ids=["refused", "missing"],
)
def test_one_member_that_cannot_move_keeps_all_of_a_group(other: FloatingIp, outcome: str) -> None:
    one, two = in_group(thing(), other)
    assert two.outcome == outcome
    assert (one.outcome, guard(one)) == ("refused", "group")
    assert one.refusal
    assert one.refusal.message == "two of the same group cannot move"
    assert one.refusal.next == "mend two, or run the others by their own names"
    assert not one.refusal.forceable


def test_a_member_that_is_there_already_keeps_nobody() -> None:
    one, two = in_group(thing(), thing(2, id=8, name="db", ip="192.0.2.8"))
    assert (one.outcome, two.outcome) == ("pending", "unchanged")


def test_a_member_that_is_there_already_stays_unchanged_when_another_is_refused() -> None:
    one, two = in_group(thing(2), thing(3, id=8, name="db", ip="192.0.2.8"))
    assert (one.outcome, guard(two)) == ("unchanged", "holder")


def test_a_section_of_two_groups_cannot_be_moved_by_both() -> None:
    groups = (GROUP, Group("db", ("two",)))
    with pytest.raises(UsageError, match="two is a member of two of the groups") as error:
        plan(world_of(*TWO), SELECTED, groups, Request(), situation())
    assert (error.value.object, error.value.next) == ("two", "run one group at a time")


@given(st.lists(st.sampled_from(["pending", "unchanged", "refused", "failed"]), min_size=1, max_size=6))
def test_a_group_moves_whole_or_not_at_all(outcomes: list[Any]) -> None:
    moves = tuple(Move(section(f"m{number}"), outcome) for number, outcome in enumerate(outcomes))
    judged = judge_groups(Plan(moves, (Group("all", tuple(move.name for move in moves)),)))
    can_move = {"refused", "failed"}.isdisjoint(outcomes)
    assert len(judged.pending) == (outcomes.count("pending") if can_move else 0)
    assert [move.outcome for move in judged if move.outcome != "pending" and guard(move) != "group"] == [
        outcome for outcome in outcomes if outcome != "pending"
    ]
    assert judge_groups(judged) == judged


def test_exchanged_moves_keep_their_places_in_a_plan() -> None:
    made = plan(world_of(*TWO), SELECTED, (), Request(), situation())
    changed = made.replaced([replace(made.moves[1], outcome="refused")])
    assert [move.outcome for move in changed] == ["pending", "refused"]
    assert changed.pending == made.moves[:1]


# a second look


@pytest.mark.parametrize(
    ("item", "request_", "doubted"),
    [
        (thing(1), Request(), False),
        (thing(2), Request(), False),
        (thing(None), Request(), True),
        (thing(3), Request(), True),
        (thing(3), Request(force=True), True),
        (thing(1), Request(force=True), False),
        (thing(5, location=PINNED), Request(), False),
        (thing(3), Request(to="srv-c"), False),
        (thing(name="gone"), Request(), False),
    ],
    ids=[
        "expected",
        "target",
        "nobody",
        "else",
        "forced",
        "forced-for-nothing",
        "balancer",
        "outside",
        "missing",
    ],
)
def test_nobody_and_somebody_else_are_looked_at_twice(item: FloatingIp, request_: Request, doubted: bool) -> None:
    made = plan(world_of(item), [(TOY, section())], (), request_, situation())
    assert bool(doubtful(made)) is doubted


def test_planning_one_again_goes_by_what_is_seen_now() -> None:
    def again(world: World) -> Move:
        return plan_again(world, TOY, section(), (), Request(), situation())

    assert again(world_of(thing(1))).outcome == "pending"
    assert again(world_of(thing(2))).outcome == "unchanged"
    assert again(world_of(thing(3))).outcome == "refused"
    assert again(world_of()).outcome == "failed"


@given(
    st.sampled_from([None, 1, 2, 3, 4, 99]),
    st.sampled_from(["srv-a", "srv-b", "srv-c", "srv-off", "nobody"]),
    st.sampled_from([None, NOW, NOW - 400_000]),
    st.sampled_from([{}, {"hcloud-reassign/claim": f"{NOW + 1}.1"}, {"hcloud-reassign/claim": f"{NOW}.2_1"}]),
    st.booleans(),
    st.sampled_from([0.0, 60.0]),
)
def test_a_plan_never_sends_anything_where_it_says_that_nothing_is_done(
    holder: int | None, to: str, issued: int | None, labels: dict[str, str], force: bool, cooldown_s: float
) -> None:
    request = Request(to=to, issued_at_ms=issued, force=force)
    move = only(world_of(thing(holder, labels)), section(cooldown_s=cooldown_s), request)
    assert bool(move.steps) is (move.outcome == "pending")
    assert (move.refusal is not None) is (move.outcome == "refused")
    assert move.outcome != "refused" or not (force and move.refusal and move.refusal.forceable)
    assert (move.outcome == "unchanged") is (
        move.wanted is not None and move.before == move.wanted and to in ("srv-a", "srv-b")
    )
