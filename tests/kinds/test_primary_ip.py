"""Primary IPs: who has them, what is refused, and the way that the label writes down."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign.core.claims import INTENTION
from hcloud_reassign.core.model import Assignment, Holder, Move, Request, Situation, Unreadable
from hcloud_reassign.core.objects import LoadBalancer, PrimaryIp, PrivateNet, Server
from hcloud_reassign.core.planning import plan
from hcloud_reassign.core.steps import (
    AssignPrimaryIp,
    Gone,
    Interrupted,
    LeftOpen,
    Lost,
    Overtaken,
    PowerOff,
    PowerOn,
    Refused,
    ServerIs,
    SetLabels,
    Shutdown,
    Step,
    UnassignPrimaryIp,
    every,
    one,
)
from hcloud_reassign.kinds.intention import intention_in
from hcloud_reassign.kinds.primary_ip import DEFAULTS, KIND
from tests.kinds.driver import Drive, FakeCloud, action_fails, after, answers, drive, fails
from tests.kinds.scenes import (
    HARD,
    NOW,
    OURS,
    OWN,
    PRIMARY,
    PRIMARY6,
    PUBLIC,
    PUBLIC6,
    SCENES,
    A,
    B,
    C,
    Scene,
    assignment,
    labelled,
    own,
    planned,
    primary,
    primary6,
    project,
    server,
    state,
)

BARE = replace(PUBLIC, options=DEFAULTS)
CONSENT = Request(allow_poweroff=True)
BEGUN = {INTENTION: f"{A}-on.{B}-on.0"}


def scene(name: str) -> Scene:
    return next(scene for scene in SCENES if scene.name == name)


def only(
    cloud: FakeCloud, request: Request = CONSENT, item: Assignment = BARE, here: int | None = None, **options: Any
) -> Move:
    item = replace(item, options={**item.options, **options})
    (move,) = plan(cloud.world(), [(KIND, item)], (), request, Situation(NOW, NOW, here))
    return move


def guard(move: Move) -> str | None:
    return move.refusal.guard if move.refusal else None


# found


def test_primary_ips_servers_and_load_balancers_are_read() -> None:
    assert KIND.reads(PUBLIC) == (every(PrimaryIp), every(Server), every(LoadBalancer))
    assert KIND.default_timeout_s == 300.0
    assert not KIND.groupable


@pytest.mark.parametrize(
    ("fields", "holder", "movable"),
    [
        ({"assignee": A}, Holder("server", A, "srv-a"), True),
        ({"assignee": None}, None, True),
        ({"assignee": None, "assignee_type": "unassigned"}, None, True),
        ({"assignee": 99}, Holder("server", 99), True),
        ({"assignee": 5, "assignee_type": "load_balancer"}, Holder("load_balancer", 5, "lb"), False),
        ({"assignee": 6, "assignee_type": "load_balancer"}, Holder("load_balancer", 6), False),
        ({"assignee": 5, "assignee_type": "toaster"}, Holder("other", 5, "toaster"), False),
    ],
)
def test_who_has_it_is_told_by_id_and_type(fields: dict[str, Any], holder: Holder | None, movable: bool) -> None:
    found = KIND.find(project(primary(**{"holder": None, **fields}), LoadBalancer(5, "lb")).world(), PUBLIC)
    assert (found.holder, found.movable) == (holder, movable)


@pytest.mark.parametrize("text", ["pub6", str(PRIMARY6), "2001:db8:a::/64", "2001:db8:a::1"])
def test_an_ipv6_primary_ip_is_named_by_anything_inside_its_network(text: str) -> None:
    found = KIND.find(project(primary(), primary6()).world(), assignment("ip_public", resource=text))
    assert found.resource.id == PRIMARY6


def test_load_balancers_that_cannot_be_read_do_not_hide_who_has_it() -> None:
    world = project(primary(holder=5, assignee_type="load_balancer")).world().failed(every(LoadBalancer), "timed out")
    assert KIND.find(world, PUBLIC).holder == Holder("load_balancer", 5)


def test_load_balancers_that_cannot_be_read_are_not_none() -> None:
    world = project(primary()).world().failed(every(LoadBalancer), "timed out")
    (move,) = plan(world, [(KIND, BARE)], (), CONSENT, Situation(NOW, NOW))
    assert (move.outcome, move.message) == ("failed", "cannot tell who holds it: timed out")
    with pytest.raises(Unreadable):
        world.all(LoadBalancer)


@pytest.mark.parametrize("type", ["load_balancer", "toaster"])
@pytest.mark.parametrize("force", [False, True])
def test_what_no_server_has_is_taken_from_nobody(type: str, force: bool) -> None:
    move = only(project(primary(holder=5, assignee_type=type)), Request(allow_poweroff=True, force=force))
    assert guard(move) == "holder"


def test_who_has_it_is_read_again_by_one_request_and_verified_with_both_servers() -> None:
    move = only(project(primary()))
    assert move.found is not None
    assert KIND.again(move.found) == (one(PrimaryIp, PRIMARY),)
    assert set(KIND.sees(move)) == {one(PrimaryIp, PRIMARY), one(Server, A), one(Server, B)}


# guards


@pytest.mark.parametrize(
    ("request_", "options", "refused"),
    [
        (Request(), {}, True),
        (Request(force=True), {}, True),
        (Request(allow_poweroff=True), {}, False),
        (Request(), {"allow_poweroff": True}, False),
    ],
)
def test_nothing_is_stopped_without_consent(request_: Request, options: dict[str, Any], refused: bool) -> None:
    move = only(project(primary()), request_, **options)
    assert (guard(move) == "reboot") is refused
    if move.refusal:
        assert move.refusal.message == "it would stop srv-a, srv-b"
        assert move.refusal.next == "hcloud-reassign run ip_public --allow-poweroff --to srv-b"


def test_what_stops_nothing_needs_no_consent() -> None:
    off = project(server(A, status="off"), server(B, status="off"), primary())
    assert only(off, Request()).outcome == "pending"


@pytest.mark.parametrize(
    ("status", "forceable"), [("deleting", True), ("rebuilding", True), ("off", None), ("stopping", None)]
)
def test_a_target_that_is_being_deleted_or_rebuilt_is_refused(status: str, forceable: bool | None) -> None:
    move = only(project(server(B, status=status), primary()))
    assert (move.refusal.forceable if move.refusal else None) == forceable
    assert guard(move) == ("destination-off" if forceable else None)


@pytest.mark.parametrize(
    ("place", "target", "refused"), [("fsn1", "nbg1", True), ("fsn1", "fsn1", False), (None, "nbg1", False)]
)
@pytest.mark.parametrize("force", [False, True])
def test_another_location_is_refused_and_nothing_passes_it(
    place: str | None, target: str, refused: bool, force: bool
) -> None:
    cloud = project(server(B, location=target), primary(location=place))
    assert (guard(only(cloud, Request(allow_poweroff=True, force=force))) == "zone") is refused


@pytest.mark.parametrize(
    ("occupied", "holder", "refused"),
    [("refuse", B, True), ("detach", B, False), ("refuse", C, False), ("refuse", None, False)],
)
def test_a_target_that_has_an_address_of_that_family_is_refused(
    occupied: str, holder: int | None, refused: bool
) -> None:
    assert (guard(only(project(primary(), own(holder)), occupied=occupied)) == "occupied") is refused


def test_an_address_of_the_other_family_occupies_nothing() -> None:
    assert only(project(primary(), primary6(B))).outcome == "pending"


ALONE = server(A, private_nets=())


@pytest.mark.parametrize(
    ("source", "others", "options", "refused"),
    [
        (ALONE, (), {}, True),
        (ALONE, (), {"leave_off": True}, False),
        (ALONE, (primary6(A),), {}, False),
        (ALONE, (primary6(B),), {}, True),
        (server(A), (), {}, False),
        (replace(ALONE, status="off"), (), {}, False),
    ],
    ids=["last-interface", "left-off", "other-family", "not-its-own", "network", "off-already"],
)
def test_a_source_that_could_not_start_again_is_refused(
    source: Server, others: tuple[Any, ...], options: dict[str, Any], refused: bool
) -> None:
    assert (guard(only(project(source, primary(), *others), **options)) == "no-interface") is refused


def test_both_families_leaving_at_once_leave_no_interface_either() -> None:
    moves = planned(project(ALONE, primary(), primary6()), (BARE, replace(BARE, name="six", resource="pub6")), CONSENT)
    assert [guard(move) for move in moves] == ["no-interface", "no-interface"]


def test_a_source_that_is_to_be_left_off_is_left_off() -> None:
    cloud = project(ALONE, primary())
    move = only(cloud, leave_off=True)
    assert move.side_effects == ("stops srv-a and leaves it off", "stops srv-b and starts it again")
    assert dict(move.intention) == {INTENTION: f"{A}-off.{B}-on.0"}
    assert [step.what for step in move.steps if isinstance(step, PowerOn)] == ["power on srv-b"]


@pytest.mark.parametrize(
    ("cloud", "refused"),
    [
        (project(primary(), LoadBalancer(5, "lb", (A,))), True),
        (project(primary(), LoadBalancer(5, "lb", (B,))), False),
        (project(primary(None), LoadBalancer(5, "lb", (A,))), False),
        (project(primary(), own(), LoadBalancer(5, "lb", (B,))), True),
    ],
    ids=["source", "target", "nobody", "displaced"],
)
def test_what_a_load_balancer_sends_to_is_refused(cloud: FakeCloud, refused: bool) -> None:
    move = only(cloud, occupied="detach")
    assert (guard(move) == "lb-target") is refused
    if move.refusal:
        assert "hcloud load-balancer remove-target" in str(move.refusal.next)


def test_an_ipv6_address_is_no_load_balancers_target() -> None:
    cloud = project(primary6(), LoadBalancer(5, "lb", (A,)))
    assert only(cloud, item=replace(BARE, resource="pub6")).outcome == "pending"


@pytest.mark.parametrize(("here", "refused"), [(A, True), (B, True), (C, False), (None, False)])
@pytest.mark.parametrize("force", [False, True])
def test_a_machine_does_not_stop_itself(here: int | None, refused: bool, force: bool) -> None:
    move = only(project(primary()), Request(allow_poweroff=True, force=force), here=here)
    assert (guard(move) == "own-path") is refused


def refusal_of(move: Move) -> tuple[str, str | None]:
    assert move.refusal is not None
    return move.refusal.message, move.refusal.next


def test_every_refusal_says_what_was_found_and_the_way_past() -> None:
    assert refusal_of(only(project(primary(), own()))) == (
        "srv-b has own (198.51.100.99) of the same family",
        "set occupied = detach to take that one off, or unassign it",
    )
    assert refusal_of(only(project(ALONE, primary()))) == (
        "srv-a would have no interface left and could not start again",
        "attach it to a network, or set leave_off = yes",
    )
    assert refusal_of(only(project(primary()), here=A)) == (
        "this program runs on a server that the move stops",
        "run it from another machine",
    )
    assert refusal_of(only(project(primary(), LoadBalancer(5, "lb", (A,))))) == (
        "it is a target of the load balancer lb",
        "hcloud load-balancer remove-target --server srv-a lb",
    )
    assert refusal_of(only(project(server(B, status="deleting"), primary()))) == ("srv-b is deleting", "add --force")
    assert refusal_of(only(project(server(B, location="nbg1"), primary(location="fsn1")))) == (
        "it is bound to fsn1, srv-b is in nbg1",
        None,
    )


def test_what_goes_back_does_not_take_an_address_off_for_it() -> None:
    cloud = project(primary(B, labels=BEGUN), own(A))
    message, way = refusal_of(only(cloud, Request(to="srv-a", allow_poweroff=True), occupied="detach"))
    assert message.startswith("srv-a has own ") and way == "unassign it"


# a move begun earlier


@pytest.mark.parametrize(
    ("label", "source"),
    [(f"{A}-on.{B}-on.0", "srv-a"), (f"0-off.{B}-on.0", "nobody"), (f"99-on.{B}-on.0", "99")],
)
def test_an_unfinished_move_is_told_with_the_commands_that_end_it(label: str, source: str) -> None:
    item = replace(BARE, source=None, destination=None, members=("srv-a", "srv-b", "srv-c"))
    message, way = refusal_of(only(project(primary(labels={INTENTION: label})), Request(to="srv-c"), item))
    assert message == f"a move from {source} to srv-b was begun and not finished"
    command = "hcloud-reassign run ip_public --allow-poweroff --to"
    undo = "" if source == "nobody" else f"; undo it: {command} {source}"
    assert way == f"finish it: {command} srv-b{undo}"


@pytest.mark.parametrize(
    ("label", "to", "outcome", "undo"),
    [
        (f"{A}-on.{B}-on.0", "srv-c", "unfinished", True),
        (f"0-off.{B}-on.0", "srv-c", "unfinished", False),
        (f"{A}-on.99-on.0", "srv-c", "unfinished", True),
        (f"{A}-on.{B}-on.0", "srv-b", None, True),
        (f"{A}-on.{B}-on.0", "srv-a", None, True),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_what_was_begun_is_finished_or_undone_before_anything_else(
    label: str, to: str, outcome: str | None, undo: bool, force: bool
) -> None:
    item = replace(BARE, source=None, destination=None, members=("srv-a", "srv-b", "srv-c"))
    cloud = project(primary(labels={INTENTION: label}))
    move = only(cloud, Request(to=to, allow_poweroff=True, force=force), item)
    assert guard(move) == outcome
    if move.refusal:
        assert ("undo it:" in str(move.refusal.next)) is undo
        assert "hcloud-reassign run ip_public --allow-poweroff --to" in str(move.refusal.next)


def test_a_move_that_was_begun_goes_on_with_what_was_written_down_not_with_what_is_seen() -> None:
    cloud = project(server(A, status="off"), server(B, status="off"), primary(None, labels=BEGUN))
    move = only(cloud)
    assert dict(move.intention) == BEGUN
    assert any("finishes what an earlier run began" in warning for warning in move.warnings)
    assert [type(step) for step in move.steps] == [AssignPrimaryIp, PowerOn, PowerOn, SetLabels]


def test_what_the_target_has_but_was_not_finished_is_not_unchanged() -> None:
    cloud = project(server(A, status="off"), primary(B, labels=BEGUN))
    move = only(cloud, Request())
    assert move.outcome == "pending"
    assert [step.what for step in move.steps] == ["power on srv-a", "remove the intention label from pub"]
    done = drive(KIND.carry_out([move]), cloud)
    assert tuple(done.writes) == move.steps
    assert KIND.settled(cloud.world(), move) is None


# the plan


def test_the_plan_locks_both_servers_and_writes_down_where_it_goes() -> None:
    move = only(project(primary(), own()), occupied="detach")
    assert move.locks == {(Server, A), (Server, B)}
    assert move.bundle == f"ip_public/{A}/{B}"
    assert dict(move.intention) == {INTENTION: f"{A}-on.{B}-on.{OWN}"}
    assert move.side_effects == (
        "stops srv-a and starts it again",
        "stops srv-b and starts it again",
        "detaches own (198.51.100.99) from srv-b",
    )
    assert [step.what for step in move.steps] == [
        "shut down srv-a",
        "shut down srv-b",
        "unassign primary IP own from srv-b",
        "unassign primary IP pub from srv-a",
        "assign primary IP pub to srv-b",
        "power on srv-b",
        "power on srv-a",
        "remove the intention label from pub",
    ]


def test_the_same_move_in_the_vendors_words() -> None:
    off = "until [ \"$(hcloud server describe -o 'format={{.Status}}' %d)\" = off ]; do sleep 1; done"
    assert only(project(primary())).vendor_command == (
        f"hcloud server shutdown {A} && {off % A} && hcloud server shutdown {B} && {off % B} && "
        f"hcloud primary-ip unassign {PRIMARY} && hcloud primary-ip assign --server {B} {PRIMARY} && "
        f"hcloud server poweron {A} && hcloud server poweron {B}"
    )
    quiet = project(server(A, status="off"), server(B, status="off"), primary(None))
    assert only(quiet).vendor_command == f"hcloud primary-ip assign --server {B} {PRIMARY}"


def test_deletion_together_with_the_server_is_warned_about() -> None:
    own_too = replace(own(), auto_delete=True)
    move = only(project(primary(auto_delete=True), own_too), occupied="detach")
    assert [warning.partition(":")[0] for warning in move.warnings] == [
        "auto_delete is set",
        "auto_delete is set on own, which is detached",
    ]


@pytest.mark.parametrize(
    ("statuses", "power_on", "warned", "started"),
    [
        ({A: "off", B: "off"}, False, True, []),
        ({A: "off", B: "off"}, True, False, ["power on srv-b", "power on srv-a"]),
        ({A: "off"}, False, True, ["power on srv-b"]),
        ({}, False, False, ["power on srv-b"]),
    ],
)
def test_without_label_and_holder_nobody_knows_what_ran_before(
    statuses: dict[int, str], power_on: bool, warned: bool, started: list[str]
) -> None:
    cloud = project(*(server(id, status=status) for id, status in statuses.items()), primary(None))
    move = only(cloud, Request(allow_poweroff=True, power_on=power_on))
    assert any("--power-on starts them" in warning for warning in move.warnings) is warned
    assert [step.what for step in move.steps if isinstance(step, PowerOn)] == started


def test_of_several_others_none_is_taken_for_the_one_that_had_it() -> None:
    item = replace(BARE, source=None, destination=None, members=("srv-a", "srv-b", "srv-c"))
    move = only(project(primary(None)), Request(to="srv-b", allow_poweroff=True), item)
    assert dict(move.intention) == {INTENTION: f"0-off.{B}-on.0"}
    assert move.bundle == f"ip_public/0/{B}"


def test_every_primary_ip_of_a_project_is_an_assignment_with_the_usual_options() -> None:
    (item,) = KIND.inventory(project(primary()).world())
    assert (item.name, item.resource, item.anybody) == ("public.pub", str(PRIMARY), True)
    assert item.options["occupied"] == "refuse"
    assert item.options["allow_poweroff"] is False
    assert "members" not in item.options


# carried out


def driven(cloud: FakeCloud, *items: Assignment, meddle: Any = None, request: Request = CONSENT) -> Drive:
    moves = planned(cloud, items or (PUBLIC,), request).pending
    for move in moves:
        assert move.found is not None
        labels = {**move.found.labels, **move.intention}
        cloud.change(PrimaryIp, move.found.labelled.id, labels=labels)
    return drive(KIND.carry_out(moves), cloud, meddle, OURS)


def order(done: Drive) -> list[str]:
    return [step.what for step in done.of(Shutdown, PowerOff, ServerIs, UnassignPrimaryIp, AssignPrimaryIp, PowerOn)]


def test_the_source_is_seen_off_before_the_target_is_stopped_and_both_run_in_the_end() -> None:
    done = driven(project(primary()))
    assert order(done) == [
        "shut down srv-a",
        "wait until srv-a is off",
        "shut down srv-b",
        "wait until srv-b is off",
        "unassign primary IP pub from srv-a",
        "assign primary IP pub to srv-b",
        "power on srv-b",
        "power on srv-a",
        "wait until srv-b is running",
        "wait until srv-a is running",
    ]
    assert isinstance(done.writes[-1], SetLabels)


def test_both_families_of_a_server_go_in_one_stop() -> None:
    done = driven(project(primary(), primary6()), PUBLIC, PUBLIC6)
    assert done.error is None
    assert len(done.of(Shutdown)) == 2
    assert len(done.of(PowerOn)) == 2
    assert [step.what for step in done.of(AssignPrimaryIp)] == [
        "assign primary IP pub to srv-b",
        "assign primary IP pub6 to srv-b",
    ]


def test_both_families_of_a_server_are_one_bundle() -> None:
    made = planned(project(primary(), primary6()), (PUBLIC, PUBLIC6))
    assert len({move.bundle for move in made}) == 1


@pytest.mark.parametrize(
    ("statuses", "stops", "starts"),
    [
        ({A: "off"}, ["srv-b"], ["srv-b"]),
        ({B: "off"}, ["srv-a"], ["srv-a"]),
        ({A: "off", B: "off"}, [], []),
        ({A: "stopping"}, ["srv-b"], ["srv-b"]),
    ],
)
def test_what_is_off_is_neither_stopped_nor_started(
    statuses: dict[int, str], stops: list[str], starts: list[str]
) -> None:
    done = driven(project(*(server(id, status=status) for id, status in statuses.items()), primary()))
    assert done.error is None
    assert [step.name for step in done.of(Shutdown)] == stops
    assert [step.name for step in done.of(PowerOn)] == starts


def test_other_labels_stay_when_the_intention_is_taken_off() -> None:
    cloud = project(primary(labels={"team": "web"}))
    driven(cloud)
    assert cloud.tables[PrimaryIp][PRIMARY].labels == {"team": "web"}


def test_a_server_that_does_not_obey_leaves_the_move_open_with_its_label() -> None:
    cloud = project(primary(), obeys=False)
    done = driven(cloud)
    assert isinstance(done.error, LeftOpen)
    assert "srv-a has not obeyed the shutdown within 30 s" in done.error.message
    assert "--hard-poweroff" in done.error.message
    assert labelled(cloud)
    assert [step.name for step in done.of(Shutdown)] == ["srv-a"]
    assert cloud.tables[PrimaryIp][PRIMARY].assignee == A


@pytest.mark.parametrize(
    ("item", "request_"), [(HARD, CONSENT), (PUBLIC, Request(allow_poweroff=True, hard_poweroff=True))]
)
def test_the_plug_is_pulled_where_that_is_allowed(item: Assignment, request_: Request) -> None:
    done = driven(project(primary(), obeys=False), item, request=request_)
    assert done.error is None
    assert [step.what for step in done.of(PowerOff)] == ["power off srv-a", "power off srv-b"]


def test_a_server_that_stays_on_without_its_plug_leaves_the_move_open() -> None:
    cloud = project(primary(), obeys=False)
    done = driven(cloud, HARD, meddle=dict.fromkeys(range(99), never_off))
    assert isinstance(done.error, LeftOpen)
    assert done.error.message == "srv-a was powered off and is still not seen off"
    assert labelled(cloud)


def never_off(cloud: FakeCloud, step: Step) -> Any:
    return False if isinstance(step, ServerIs) and step.status == "off" else cloud.answer(step)


def test_a_goal_that_is_gone_ends_it_with_the_address_at_home() -> None:
    cloud = project(primary())
    scene_ = scene("primary")
    run = scene_.begin(cloud)
    del cloud.tables[Server][B]
    done = drive(run.generator, cloud)
    assert isinstance(done.error, Gone)
    assert cloud.tables[PrimaryIp][PRIMARY].assignee == A
    assert cloud.tables[Server][A].status == "running"
    assert not labelled(cloud)


def test_a_source_that_is_gone_needs_no_stop() -> None:
    cloud = project(primary(None, labels={INTENTION: f"99-on.{B}-on.0"}))
    done = driven(cloud)
    assert done.error is None
    assert cloud.tables[PrimaryIp][PRIMARY].assignee == B


def test_a_source_that_vanishes_while_it_is_stopped_is_passed_over() -> None:
    cloud = project(primary())
    run = scene("primary").begin(cloud)
    cloud.change(PrimaryIp, PRIMARY, assignee=None)
    del cloud.tables[Server][A]
    assert drive(run.generator, cloud).error is None
    assert cloud.tables[PrimaryIp][PRIMARY].assignee == B


def test_a_server_that_vanishes_between_two_readings_is_passed_over() -> None:
    cloud = project(primary())
    done = driven(cloud, meddle={1: answers(None)})
    assert done.of(Shutdown)[0].name == "srv-b"
    assert isinstance(done.error, Refused)


def test_an_address_that_is_gone_is_left_open() -> None:
    cloud = project(primary())
    run = scene("primary").begin(cloud)
    del cloud.tables[PrimaryIp][PRIMARY]
    done = drive(run.generator, cloud)
    assert isinstance(done.error, LeftOpen)
    assert "the primary IP pub does not exist any more" in done.error.message
    assert done.writes == []


def test_another_runs_intention_is_left_to_that_run() -> None:
    cloud = project(primary())
    run = scene("primary").begin(cloud)
    cloud.change(PrimaryIp, PRIMARY, labels={INTENTION: f"{A}-on.{C}-on.0"})
    done = drive(run.generator, cloud)
    assert isinstance(done.error, Overtaken)
    assert done.writes == []
    assert intention_in(cloud.tables[PrimaryIp][PRIMARY].labels) is not None


def test_a_move_that_another_run_has_ended_starts_what_was_stopped_since() -> None:
    """That run saw the servers on and took the label off: nobody else starts them."""

    def ended(cloud: FakeCloud) -> None:
        cloud.change(PrimaryIp, PRIMARY, labels={})

    steps = driven(project(primary())).steps
    for number, step in enumerate(steps):
        if isinstance(step, Shutdown | ServerIs) and "running" not in step.what:
            cloud = project(primary())
            done = driven(cloud, meddle={number: after(ended)})
            assert isinstance(done.error, Overtaken), step.what
            assert state(cloud) == state(project(primary())), step.what


@pytest.mark.parametrize(("target", "overtaken"), [(A, True), (C, True), (B, False)])
def test_a_newer_request_for_somebody_else_ends_the_move_and_one_for_the_target_does_not(
    target: int, overtaken: bool
) -> None:
    def claimed(cloud: FakeCloud) -> None:
        labels = {**cloud.tables[PrimaryIp][PRIMARY].labels, "hcloud-reassign/claim": f"{NOW + 1}.{target}_{A}"}
        cloud.change(PrimaryIp, PRIMARY, labels=labels)

    cloud = project(primary())
    first = next(n for n, step in enumerate(driven(project(primary())).steps) if isinstance(step, ServerIs))
    done = driven(cloud, meddle={first: after(claimed)})
    assert isinstance(done.error, Overtaken) is overtaken
    assert cloud.tables[PrimaryIp][PRIMARY].assignee == (A if overtaken else B)
    assert [cloud.tables[Server][id].status for id in (A, B)] == ["running", "running"]
    assert not labelled(cloud)


def test_another_runs_intention_found_at_the_end_is_not_taken_off() -> None:
    cloud = project(primary())

    def rewrite(cloud: FakeCloud) -> None:
        cloud.change(PrimaryIp, PRIMARY, labels={INTENTION: f"{B}-on.{C}-on.0"})

    last = max(number for number, step in enumerate(driven(project(primary())).steps) if isinstance(step, ServerIs))
    done = driven(cloud, meddle={last: after(rewrite)})
    assert done.error is None
    assert labelled(cloud)


def busy_release(times: int) -> Any:
    """Hetzner calls it assigned for so many tries although nobody has it."""
    left = [times]

    def meddling(cloud: FakeCloud, step: Step) -> Any:
        if isinstance(step, AssignPrimaryIp) and left[0]:
            left[0] -= 1
            raise Refused("it is assigned", "primary_ip_already_assigned")
        return cloud.answer(step)

    return meddling


@pytest.mark.parametrize(("times", "holder"), [(1, B), (3, B), (4, A)])
def test_what_is_still_being_released_is_tried_again_a_few_times(times: int, holder: int) -> None:
    cloud = project(primary())
    done = driven(cloud, meddle=dict.fromkeys(range(200), busy_release(times)))
    assert cloud.tables[PrimaryIp][PRIMARY].assignee == holder
    assert (done.error is None) is (holder == B)
    assert [cloud.tables[Server][id].status for id in (A, B)] == ["running", "running"]
    assert not labelled(cloud)


def test_what_was_displaced_comes_back_when_the_move_fails() -> None:
    cloud = project(primary(), own())
    done = driven(cloud, meddle=dict.fromkeys(range(200), refused_for(PRIMARY, B)))
    assert isinstance(done.error, Refused)
    assert state(cloud) == state(project(primary(), own()))
    assert not labelled(cloud)


def refused_for(address: int, server: int) -> Any:
    """This address is never assigned to that server."""

    def meddling(cloud: FakeCloud, step: Step) -> Any:
        if isinstance(step, AssignPrimaryIp) and (step.primary_ip, step.server) == (address, server):
            raise Refused("no", "invalid_input")
        return cloud.answer(step)

    return meddling


UNDO = Request(to="srv-a", allow_poweroff=True)


@pytest.mark.parametrize(
    ("holder", "running"),
    [(B, True), (B, False), (A, False), (A, True), (None, False), (None, True)],
    ids=["moved", "moved-and-off", "not-yet", "not-yet-and-on", "in-between", "in-between-and-on"],
)
def test_an_undone_move_gives_back_what_it_displaced(holder: int | None, running: bool) -> None:
    label = {INTENTION: f"{A}-on.{B}-on.{OWN}"}
    status = "running" if running else "off"
    cloud = project(server(A, status=status), server(B, status=status), primary(holder, labels=label), own(None))
    (move,) = planned(cloud, (PUBLIC,), UNDO)
    done = driven(cloud, request=UNDO)
    assert done.error is None
    assert tuple(done.writes) == move.steps
    assert state(cloud) == state(project(primary(), own()))


def test_undoing_stops_a_server_only_with_consent() -> None:
    label = {INTENTION: f"{A}-on.{B}-on.{OWN}"}
    cloud = project(primary(A, labels=label), own(None))
    assert guard(only(cloud, Request(to="srv-a"))) == "reboot"
    assert only(cloud, UNDO).side_effects == ("stops srv-b and starts it again",)


def test_what_was_displaced_from_a_server_that_is_gone_stays_with_nobody() -> None:
    label = {INTENTION: f"{A}-on.99-on.{OWN}"}
    cloud = project(primary(A, labels=label), own(None))
    (move,) = planned(cloud, (PUBLIC,), UNDO)
    done = driven(cloud, request=UNDO)
    assert done.error is None
    assert tuple(done.writes) == move.steps
    assert cloud.tables[PrimaryIp][OWN].assignee is None


def test_what_cannot_be_given_back_leaves_the_undone_move_open() -> None:
    label = {INTENTION: f"{A}-on.{B}-on.{OWN}"}
    cloud = project(primary(B, labels=label), own(None))
    done = driven(cloud, request=UNDO, meddle=dict.fromkeys(range(200), refused_for(OWN, B)))
    assert isinstance(done.error, LeftOpen)
    assert done.error.message.startswith("own could not be given back to srv-b")
    assert labelled(cloud)
    assert [cloud.tables[Server][id].status for id in (A, B)] == ["running", "running"]


@pytest.mark.parametrize(("holder", "end"), [(B, B), (None, None)], ids=["taken", "nobodys"])
def test_an_undone_move_that_fails_gives_back_only_what_it_took(holder: int | None, end: int | None) -> None:
    cloud = project(primary(holder, labels=BEGUN))
    done = driven(cloud, request=UNDO, meddle=dict.fromkeys(range(200), refused_for(PRIMARY, A)))
    assert cloud.tables[PrimaryIp][PRIMARY].assignee == end
    assert isinstance(done.error, Refused if holder else LeftOpen)
    assert labelled(cloud) is (holder is None)
    assert [cloud.tables[Server][id].status for id in (A, B)] == ["running", "running"]


def test_a_resumed_move_that_fails_gives_it_back_to_where_it_came_from() -> None:
    cloud = project(server(A, status="off"), server(B, status="off"), primary(None, labels=BEGUN))
    done = driven(cloud, meddle=dict.fromkeys(range(200), refused_for(PRIMARY, B)))
    assert isinstance(done.error, Refused)
    assert state(cloud) == state(project(primary()))
    assert not labelled(cloud)


@pytest.mark.parametrize("first", ["srv-a", "srv-b"])
def test_a_server_that_cannot_be_started_does_not_keep_the_other_one_off(first: str) -> None:
    def no_start(cloud: FakeCloud, step: Step) -> Any:
        if isinstance(step, PowerOn) and step.name == first:
            raise Refused("no capacity", "resource_unavailable")
        return cloud.answer(step)

    cloud = project(primary())
    done = driven(cloud, meddle=dict.fromkeys(range(200), no_start))
    assert isinstance(done.error, Refused)
    assert sorted(cloud.tables[Server][id].status for id in (A, B)) == ["off", "running"]
    assert labelled(cloud)


def test_a_server_that_is_not_seen_running_leaves_the_move_open() -> None:
    def never_running(cloud: FakeCloud, step: Step) -> Any:
        return False if isinstance(step, ServerIs) and step.status == "running" else cloud.answer(step)

    cloud = project(primary())
    done = driven(cloud, meddle=dict.fromkeys(range(200), never_running))
    assert isinstance(done.error, LeftOpen)
    assert done.error.message == "srv-b was powered on and is still not seen running"
    assert labelled(cloud)


def test_a_server_that_was_going_down_by_itself_is_started_again() -> None:
    cloud = project(server(A, status="stopping"), primary(B, labels=BEGUN))
    done = driven(cloud)
    assert done.error is None
    assert [step.what for step in done.of(ServerIs, PowerOn)] == [
        "wait until srv-a is off",
        "power on srv-a",
        "wait until srv-a is running",
    ]


def test_a_server_that_is_starting_is_only_waited_for() -> None:
    cloud = project(server(A, status="starting"), primary(B, labels=BEGUN))
    done = driven(cloud)
    assert done.of(PowerOn) == []
    assert [step.what for step in done.of(ServerIs)] == ["wait until srv-a is running"]


def test_a_lost_start_is_read_from_the_server() -> None:
    cloud = project(server(A, status="off"), primary(B, labels=BEGUN))
    start = next(n for n, step in enumerate(driven(cloud).steps) if isinstance(step, PowerOn))
    again = project(server(A, status="off"), primary(B, labels=BEGUN))

    def started_unseen(cloud: FakeCloud, step: Step) -> Any:
        cloud.answer(step)
        raise Lost("timed out")

    done = driven(again, meddle={start: started_unseen})
    assert done.error is None
    assert len(done.of(PowerOn)) == 1


def test_a_label_that_was_lost_on_its_way_off_is_looked_at() -> None:
    cloud = project(primary())
    last = len(driven(project(primary())).steps) - 1

    def unlabelled_unseen(cloud: FakeCloud, step: Step) -> Any:
        cloud.answer(step)
        raise Lost("timed out")

    done = driven(cloud, meddle={last: unlabelled_unseen})
    assert done.error is None
    assert len(done.of(SetLabels)) == 1


def test_an_interruption_before_anything_was_stopped_takes_the_label_off() -> None:
    cloud = project(primary())
    first = next(n for n, step in enumerate(driven(project(primary())).steps) if isinstance(step, Shutdown))
    done = driven(cloud, meddle={first: fails(Interrupted("stop"))})
    assert isinstance(done.error, Interrupted)
    assert state(cloud) == state(project(primary()))
    assert not labelled(cloud)


def test_an_action_that_fails_for_good_brings_everything_back() -> None:
    steps = driven(project(primary())).steps
    assigned = next(n for n, step in enumerate(steps) if step.what.startswith("wait for assign"))
    cloud = project(primary())
    done = driven(cloud, meddle={assigned: action_fails(Refused("broken", "server_error"))})
    assert isinstance(done.error, Refused)
    assert state(cloud) == state(project(primary()))


# settled


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None),
        ({"labels": BEGUN}, "the label hcloud-reassign/intention is still there: the move is not finished"),
    ],
)
def test_a_label_that_is_still_there_is_not_settled(change: dict[str, Any], why: str | None) -> None:
    cloud = project(primary())
    move = only(cloud)
    cloud.change(PrimaryIp, PRIMARY, assignee=B, **change)
    assert KIND.settled(cloud.world(), move) == why


def test_a_server_that_does_not_run_any_more_is_not_settled() -> None:
    cloud = project(primary())
    move = only(cloud)
    cloud.change(Server, A, status="off")
    assert KIND.settled(cloud.world(), move) == "srv-a was running before and is off now"
    del cloud.tables[Server][A]
    assert KIND.settled(cloud.world(), move) is None


# whatever state it is found in


statuses = st.sampled_from(["running", "off"])


@given(
    st.sampled_from([A, B, None]),
    statuses,
    statuses,
    st.sampled_from([None, B, "nobody"]),
    st.none() | st.tuples(st.booleans(), st.booleans(), st.booleans()),
    st.sampled_from(["srv-a", "srv-b"]),
    st.booleans(),
)
def test_the_planned_steps_are_the_writes_that_are_made_from_any_state(
    holder: int | None,
    a: str,
    b: str,
    displaced: int | str | None,
    begun: tuple[bool, bool, bool] | None,
    to: str,
    power_on: bool,
) -> None:
    labels = {}
    if begun:
        words = ["on" if on else "off" for on in begun[:2]]
        labels = {INTENTION: f"{A}-{words[0]}.{B}-{words[1]}.{OWN if begun[2] and displaced else 0}"}
    objects: list[Any] = [server(A, status=a), server(B, status=b), primary(holder, labels=labels)]
    if displaced and not (displaced == B and holder == B):
        objects.append(own(B if displaced == B else None))
    cloud = project(*objects)
    (move,) = planned(cloud, (PUBLIC,), Request(to=to, allow_poweroff=True, power_on=power_on))
    if move.outcome != "pending":
        assert move.outcome == "unchanged"
        return
    done = driven(cloud, request=Request(to=to, allow_poweroff=True, power_on=power_on))
    if done.error is None:
        assert tuple(done.writes) == move.steps
        assert KIND.settled(cloud.world(), move) is None
        assert cloud.tables[PrimaryIp][PRIMARY].assignee == (A if to == "srv-a" else B)
    else:
        assert isinstance(done.error, LeftOpen | Refused)
    assert done.stolen == []


def test_interfaces_are_networks_or_other_addresses() -> None:
    in_network = replace(ALONE, private_nets=(PrivateNet(5, "10.0.1.2"),))
    assert only(project(in_network, primary())).outcome == "pending"
