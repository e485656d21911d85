"""What was observed: what is known, what is not there, and what cannot be told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign.core.model import Unreadable, World
from hcloud_reassign.core.objects import FloatingIp, Member, Server
from hcloud_reassign.core.steps import LatestActions, Members, Read, every, one

A, B = Server(1, "srv-a"), Server(2, "srv-b")


def test_a_class_that_nobody_asked_for_is_not_the_same_as_an_empty_one() -> None:
    with pytest.raises(Unreadable, match="Server was not read"):
        World().all(Server)
    with pytest.raises(Unreadable):
        World().get(Server, 1)
    assert World().learned(every(Server), ()).all(Server) == ()


def test_a_world_learns_all_objects_of_a_class_and_answers_by_id() -> None:
    world = World().learned(every(Server), (A, B))
    assert world.all(Server) == (A, B)
    assert world.get(Server, 2) is B
    assert world.get(Server, 3) is None
    assert world.get(Server, None) is None
    assert world.has(Server)
    assert not world.has(FloatingIp)
    assert world.why_unreadable(Server) is None


def test_a_world_never_changes_but_makes_a_new_one() -> None:
    world = World().learned(every(Server), (A,))
    later = world.learned(every(Server), (A, B))
    assert world.all(Server) == (A,)
    assert later.all(Server) == (A, B)


def test_reading_one_object_again_exchanges_or_removes_it() -> None:
    world = World().learned(every(Server), (A, B))
    off = Server(2, "srv-b", status="off")
    assert world.learned(one(Server, 2), off).get(Server, 2) is off
    assert world.learned(one(Server, 2), None).all(Server) == (A,)


def test_a_failed_reading_makes_the_class_unreadable_and_says_why() -> None:
    world = World().learned(every(Server), (A,)).failed(every(Server), "timed out")
    with pytest.raises(Unreadable, match="timed out"):
        world.all(Server)
    assert world.why_unreadable(Server) == "timed out"
    assert not world.has(Server)
    assert world.learned(every(Server), (B,)).all(Server) == (B,)


def test_one_object_read_does_not_make_a_class_readable_that_was_not() -> None:
    world = World().failed(every(Server), "timed out").learned(one(Server, 1), A)
    with pytest.raises(Unreadable):
        world.all(Server)


def test_one_networks_members_read_does_not_tell_those_of_another() -> None:
    world = World().failed(Members(network=1), "timed out").learned(Members(network=2), ())
    with pytest.raises(Unreadable):
        world.all(Member)


def test_a_network_without_a_list_of_members_has_none() -> None:
    assert World().learned(Members(network=1), None).all(Member) == ()


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4)), max_size=6))
def test_the_members_of_every_network_are_those_read_last(readings: list[tuple[int, int]]) -> None:
    world, expected = World({Member: {}}), dict[int, list[Member]]()
    for number, (network, count) in enumerate(readings):
        members = [Member(100 * number + id, "server", network, f"10.{network}.0.{id}") for id in range(count)]
        world = world.learned(Members(network=network), tuple(members))
        expected[network] = members
    for network, members in expected.items():
        assert [member for member in world.all(Member) if member.network == network] == members


@given(st.lists(st.integers(1, 9), unique=True), st.integers(1, 9), st.booleans())
def test_reading_one_object_leaves_all_others_alone(ids: list[int], id: int, there: bool) -> None:
    world = World().learned(every(Server), tuple(Server(number, f"srv-{number}") for number in ids))
    later = world.learned(one(Server, id), Server(id, "new") if there else None)
    assert {server.id for server in later.all(Server)} == ({*ids, id} if there else {*ids} - {id})
    assert all(later.get(Server, other) == world.get(Server, other) for other in ids if other != id)


def test_a_reading_that_no_world_holds_says_so() -> None:
    reads: tuple[Read[Any], ...] = (LatestActions(of=Server, id=1), Read(cls=Server))
    for read in reads:
        with pytest.raises(NotImplementedError):
            World().learned(read, ())
