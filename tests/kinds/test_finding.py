"""Names, ids and addresses: what a text in a section or after --to means."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign.core.errors import Ambiguous, Missing, UsageError
from hcloud_reassign.core.model import Holder
from hcloud_reassign.core.objects import FloatingIp, PrivateNet, Server
from hcloud_reassign.kinds.finding import (
    address_of,
    covers,
    free_name,
    holder_with_id,
    named,
    need_address,
    server_holder,
    server_named,
)
from tests.kinds.driver import FakeCloud
from tests.kinds.scenes import assignment


@pytest.mark.parametrize(
    ("whole", "text", "expected"),
    [
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("192.0.2.7", "192.0.2.7/32", True),
        ("2001:db8:f::/64", "2001:db8:f::/64", True),
        ("2001:db8:f::/64", "2001:db8:f::", True),
        ("2001:db8:f::/64", "2001:db8:f::5", True),
        ("2001:db8:f::/64", "2001:DB8:F:0:0:0:0:5", True),
        ("2001:db8:f::/64", "2001:db8:f::5/64", True),
        ("2001:db8:f::/64", "2001:db8:f:1::5", False),
        ("2001:db8:f::/64", "192.0.2.7", False),
        ("192.0.2.7", "2001:db8::1", False),
        ("192.0.2.7", "web", False),
        ("192.0.2.7", "192", False),
        (None, "192.0.2.7", False),
    ],
)
def test_a_network_of_an_ipv6_address_covers_every_address_in_it(whole: str | None, text: str, expected: bool) -> None:
    assert covers(whole, text) is expected


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_any_address_inside_a_64_names_it(address: IPv6Address, offset: int) -> None:
    base = int(address) >> 64 << 64
    whole = f"{IPv6Address(base)}/64"
    assert covers(whole, str(address))
    assert covers(whole, str(IPv6Address(base + offset)))
    assert not covers(whole, str(IPv6Address((base + 2**64) % 2**128 + offset)))


@given(st.text(max_size=20))
def test_no_text_confuses_the_comparison_with_an_address(text: str) -> None:
    covers("2001:db8:f::/64", text)
    address_of(text)


ITEMS = [
    FloatingIp(1, "web", "192.0.2.1"),
    FloatingIp(2, "db", "192.0.2.2"),
    FloatingIp(3, "twin", "2001:db8:3::/64"),
    FloatingIp(4, "twin", "2001:db8:4::/64"),
    FloatingIp(5, "2", "192.0.2.5"),
    FloatingIp(6, "same", "192.0.2.1"),
]


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("web", 1),
        ("1", 1),
        ("192.0.2.2", 2),
        ("2001:db8:3::9", 3),
        ("2001:db8:4::/64", 4),
        ("3", 3),
    ],
    ids=["name", "id", "address", "inside", "network", "twin-by-id"],
)
def test_a_text_is_a_name_or_an_id_or_else_an_address(text: str, id: int) -> None:
    assert named("floating IP", text, ITEMS, lambda item: [item.ip]).id == id


@pytest.mark.parametrize("text", ["twin", "192.0.2.1", "2"], ids=["one name", "one address", "a name and an id"])
def test_what_two_things_match_is_ambiguous_and_both_are_named(text: str) -> None:
    with pytest.raises(Ambiguous, match=r"can be any of: .*\(id [0-9]\), .*\(id [0-9]\)"):
        named("floating IP", text, ITEMS, lambda item: [item.ip])


def test_what_nothing_matches_is_missing_with_the_nearest_name() -> None:
    with pytest.raises(Missing) as error:
        named("floating IP", "wbe", ITEMS, lambda item: [item.ip])
    assert error.value.suggestion == "web"
    for text in ("", ".", "-1", "99"):
        with pytest.raises(Missing):
            named("floating IP", text, ITEMS, lambda item: [item.ip])


SERVERS = (
    Server(1, "srv-a", ipv4="192.0.2.1", ipv6="2001:db8:1::/64", private_nets=(PrivateNet(5, "10.0.0.2"),)),
    Server(2, "srv-b", ipv6="2001:db8:2::/64", private_nets=(PrivateNet(5, "10.0.0.3"), PrivateNet(6, "10.0.0.2"))),
    Server(3, "srv-c"),
)


@pytest.mark.parametrize(
    ("text", "id"),
    [("srv-a", 1), ("1", 1), ("192.0.2.1", 1), ("2001:db8:1::1", 1), ("10.0.0.3", 2), ("2001:db8:2::/64", 2)],
)
def test_a_server_is_found_by_any_of_its_addresses(text: str, id: int) -> None:
    assert server_named(FakeCloud(*SERVERS).world(), text).id == id


def test_a_private_address_of_two_networks_is_ambiguous() -> None:
    with pytest.raises(Ambiguous):
        server_named(FakeCloud(*SERVERS).world(), "10.0.0.2")


def test_a_server_as_holder_has_a_public_address_where_there_is_one() -> None:
    assert [server_holder(server).address for server in SERVERS] == ["192.0.2.1", "2001:db8:2::/64", None]


def test_a_holder_that_is_gone_keeps_its_id() -> None:
    world = FakeCloud(*SERVERS).world()
    assert holder_with_id(world, None) is None
    assert holder_with_id(world, 1) == Holder("server", 1, "srv-a", "192.0.2.1")
    assert holder_with_id(world, 99) == Holder("server", 99)


def test_a_key_that_needs_an_address_says_so() -> None:
    assert str(need_address(assignment("ip_alias"), "resource", "10.0.1.1")) == "10.0.1.1"
    with pytest.raises(UsageError, match="'vip' is no IP address") as error:
        need_address(assignment("ip_alias"), "resource", "vip")
    assert (error.value.key, error.value.object) == ("resource", "ip_alias")


def test_an_ad_hoc_section_is_named_after_its_resource() -> None:
    assert free_name("floating", "web") == "floating.web"
