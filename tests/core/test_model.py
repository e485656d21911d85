"""The words of the program: holders, assignments, requests, moves; and the errors and steps that name themselves."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from hcloud_reassign.core.declare import ASSIGNMENT_KEYS, Key, Section
from hcloud_reassign.core.kind import Kind
from hcloud_reassign.core.model import Assignment, Holder, Move, Request
from hcloud_reassign.core.objects import Action, FloatingIp, Network, PrimaryIp, PrivateNet, Route, Server
from hcloud_reassign.core.steps import (
    AddAliasIp,
    AddRoute,
    AssignFloatingIp,
    AssignPrimaryIp,
    DeleteRoute,
    Finished,
    Hook,
    PowerOff,
    PowerOn,
    Refused,
    RemoveAliasIp,
    ServerIs,
    SetLabels,
    Shutdown,
    Step,
    UnassignFloatingIp,
    UnassignPrimaryIp,
    Write,
    ask,
    every,
    one,
)
from tests.core.toy import TOY, case_of, section, thing, world_of


@pytest.mark.parametrize(
    ("holder", "text", "label"),
    [
        (Holder("server", 1, "srv-a", "192.0.2.1"), "srv-a", "1"),
        (Holder("server", 1), "server 1", "1"),
        (Holder("load_balancer", 5), "load balancer 5", "5"),
        (Holder("gateway", 1, "srv-a", "10.0.0.2"), "10.0.0.2 (srv-a)", "10.0.0.2"),
        (Holder("gateway", None, None, "10.0.0.2"), "10.0.0.2", "10.0.0.2"),
        (Holder("gateway", 1, "srv-a"), "srv-a", "None"),
        (Holder("robot", None, None, "192.0.2.1"), "192.0.2.1", "192.0.2.1"),
    ],
)
def test_a_holder_is_shown_by_its_name_and_labelled_by_its_id_or_address(holder: Holder, text: str, label: str) -> None:
    assert str(holder) == text
    assert holder.label == label


def test_a_holder_is_the_same_whatever_it_is_called() -> None:
    assert Holder("server", 1, "old", "192.0.2.1").key == Holder("server", 1, "new").key
    assert Holder("server", 1).key != Holder("load_balancer", 1).key
    assert Holder("gateway", 1, "srv-a", "10.0.0.2").key == Holder("gateway", None, None, "10.0.0.2").key
    assert Holder("gateway", 1, "srv-a", "10.0.0.2").key != Holder("gateway", 1, "srv-a", "10.0.0.3").key


@pytest.mark.parametrize(
    ("fields", "listed", "restricted"),
    [
        ({}, (), False),
        ({"destination": "b"}, ("b",), False),
        ({"source": "a", "destination": "b"}, ("a", "b"), True),
        ({"source": "a", "destination": "a"}, ("a",), True),
        ({"members": ("a", "b", "a")}, ("a", "b"), True),
        ({"source": "a", "anybody": True}, ("a",), False),
        ({"source": "", "destination": "b"}, ("b",), False),
    ],
)
def test_a_section_lists_everybody_once_and_restricts_only_with_a_source(
    fields: dict[str, Any], listed: tuple[str, ...], restricted: bool
) -> None:
    assignment = Assignment("n", "t", **fields)
    assert (assignment.listed, assignment.restricted) == (listed, restricted)


def test_a_request_is_triggered_when_it_says_when_it_was_issued() -> None:
    assert Request(issued_at_ms=0).triggered
    assert not Request().triggered


def test_a_move_that_found_nothing_still_names_its_resource() -> None:
    move = Move(section(), "failed")
    assert (move.before, move.resource.name, move.name) == (None, "web", "floating.web")
    assert move.with_group("g").group == "g"


@pytest.mark.parametrize(
    ("status", "on"),
    [
        ("running", True),
        ("starting", True),
        ("migrating", True),
        ("rebuilding", True),
        ("unknown", True),
        ("off", False),
        ("stopping", False),
        ("deleting", False),
    ],
)
def test_a_server_has_power_or_not(status: str, on: bool) -> None:
    assert Server(1, "srv-a", status=status).on is on


def test_places_and_routes_are_found_by_what_they_are_in() -> None:
    place, route = PrivateNet(5, "10.0.0.2"), Route("0.0.0.0/0", "10.0.0.2")
    server = Server(1, "srv-a", private_nets=(PrivateNet(4, "10.9.0.2"), place))
    network = Network(5, "internal", "10.0.0.0/16", routes=(route,))
    assert (server.place_in(5), server.place_in(6)) == (place, None)
    assert (network.route_to("0.0.0.0/0"), network.route_to("10.0.0.0/8")) == (route, None)


ROUTE = Route("0.0.0.0/0", "10.0.0.2")
WRITES: list[tuple[Write, str, tuple[tuple[type, int], ...], str, bool]] = [
    (
        AssignFloatingIp(7, 1, "web", "srv-a"),
        "assign floating IP web to srv-a",
        ((FloatingIp, 7), (Server, 1)),
        "assign_floating_ip",
        False,
    ),
    (UnassignFloatingIp(7, "web"), "unassign floating IP web", ((FloatingIp, 7),), "unassign_floating_ip", True),
    (
        AssignPrimaryIp(7, 1, "web", "srv-a"),
        "assign primary IP web to srv-a",
        ((PrimaryIp, 7), (Server, 1)),
        "assign_primary_ip",
        False,
    ),
    (
        UnassignPrimaryIp(7, "web", "srv-a"),
        "unassign primary IP web from srv-a",
        ((PrimaryIp, 7),),
        "unassign_primary_ip",
        True,
    ),
    (
        AddAliasIp(1, 5, "10.0.0.9", "srv-a"),
        "add alias IP 10.0.0.9 to srv-a",
        ((Server, 1), (Network, 5)),
        "change_alias_ips",
        False,
    ),
    (
        RemoveAliasIp(1, 5, "10.0.0.9", "srv-a"),
        "remove alias IP 10.0.0.9 from srv-a",
        ((Server, 1), (Network, 5)),
        "change_alias_ips",
        True,
    ),
    (AddRoute(5, ROUTE, "int"), "add route 0.0.0.0/0 via 10.0.0.2 to int", ((Network, 5),), "add_route", False),
    (
        DeleteRoute(5, ROUTE, "int"),
        "delete route 0.0.0.0/0 via 10.0.0.2 from int",
        ((Network, 5),),
        "delete_route",
        True,
    ),
    (Shutdown(1, "srv-a"), "shut down srv-a", ((Server, 1),), "shutdown_server", True),
    (PowerOff(1, "srv-a"), "power off srv-a", ((Server, 1),), "stop_server", True),
    (PowerOn(1, "srv-a"), "power on srv-a", ((Server, 1),), "start_server", False),
    (SetLabels(PrimaryIp, 7, "web", {"a": "b"}), "label web", ((PrimaryIp, 7),), "", False),
]


@pytest.mark.parametrize(("write", "what", "touches", "command", "takes"), WRITES, ids=lambda item: str(item)[:30])
def test_every_write_says_what_it_does_what_it_touches_and_whether_somebody_loses(
    write: Write, what: str, touches: tuple[tuple[type, int], ...], command: str, takes: bool
) -> None:
    assert (write.what, write.touches, write.command, write.takes_away) == (what, touches, command, takes)
    assert not write.restoring
    assert isinstance(hash(write), int)


@pytest.mark.parametrize(
    ("step", "what"),
    [
        (every(Server), "read all Server"),
        (one(Server, 5), "read Server 5"),
        (ServerIs(1, "srv-a", "off", 30.0), "wait until srv-a is off"),
        (Finished(Action(1, "start_server", "running"), PowerOn(1, "srv-a")), "wait for power on srv-a"),
        (Hook("/bin/true", {}), "run /bin/true"),
    ],
)
def test_every_wait_and_read_says_what_it_is_about(step: Step, what: str) -> None:
    assert step.what == what


def test_a_write_of_no_kind_touches_nothing_known() -> None:
    with pytest.raises(NotImplementedError):
        _ = Write().touches


def test_a_refusal_shows_the_vendors_code() -> None:
    assert str(Refused("server is locked", "locked", ("server",))) == "server is locked (locked)"


def test_asking_is_one_step_whose_answer_is_returned() -> None:
    def asking() -> Generator[Step, Any, object]:
        return (yield from ask(one(Server, 1)))

    generator = asking()
    assert next(generator) == one(Server, 1)
    with pytest.raises(StopIteration) as stop:
        generator.send("answer")
    assert stop.value.value == "answer"


def test_a_section_finds_its_keys_by_name() -> None:
    keys = (Key("resource", "Its name.", required=True), Key("note", "Text."))
    assert list(Section("toy", "A thing.", keys).by_name) == ["resource", "note"]
    assert Section("toy", "A thing.", keys).by_name["resource"].required


def test_every_assignment_takes_the_same_keys_each_with_a_meaning() -> None:
    names = [key.name for key in ASSIGNMENT_KEYS]
    assert names == ["type", "cooldown", "max_age", "max_moves_per_hour", "timeout", "before", "after", "note"]
    assert all(key.meaning.endswith(".") for key in ASSIGNMENT_KEYS)


def test_a_kind_that_says_no_more_checks_guards_and_promises_nothing() -> None:
    case = case_of(world_of(thing()))
    assert TOY.word == "toy"
    assert TOY.check(section()) is None  # type: ignore[func-returns-value]
    assert list(Kind.guards(TOY, case)) == []
    assert not Kind.unfinished(TOY, case.found)
    assert TOY.settled(case.world, Move(section(), "done")) is None
    assert TOY.sees(Move(section(), "done", case.found)) == TOY.again(case.found)
    assert case.target == Server(2, "srv-b")
