"""Which addresses this machine takes as its own, as Linux tells it."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from hcloud_reassign.host.addresses import has, local_addresses

FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     +-- 10.0.1.0/24 2 0 2
        |-- 10.0.1.0
           /24 link UNICAST
        |-- 10.0.1.2
           /32 host LOCAL
        |-- 10.0.1.255
           /32 link BROADCAST
Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 10.0.1.2
        /32 host LOCAL
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
     |-- 192.0.2.10
        /32 host LOCAL
     |-- 198.51.100.0
        /24 host LOCAL
"""
IPV6_ROUTE = """\
20010db8000f00000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00200200     eth0
00000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000003 00000000 80200001       lo
20010db8000e00000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000400 00000001 00000000 80000001       lo
20010db8000f00000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000003 00000000 80200001     eth0
"""  # noqa: E501 - lines of the kernel


def written(folder: Path, **files: str | bytes) -> Path:
    for name, text in files.items():
        (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def test_the_local_routes_of_both_families_are_the_addresses(tmp_path: Path) -> None:
    found = local_addresses(written(tmp_path, fib_trie=FIB_TRIE, ipv6_route=IPV6_ROUTE))
    wanted = ["10.0.1.2", "127.0.0.0/8", "127.0.0.1", "192.0.2.10", "198.51.100.0/24", "::1", "2001:db8:e::/64"]
    assert found == tuple(ip_network(text) for text in [*wanted, "2001:db8:f::1"])


def test_a_machine_without_ipv6_has_its_other_addresses(tmp_path: Path) -> None:
    found = local_addresses(written(tmp_path, fib_trie=FIB_TRIE))
    assert found is not None and ip_network("192.0.2.10") in found


def test_where_the_kernel_cannot_be_asked_nothing_is_known(tmp_path: Path) -> None:
    assert local_addresses(tmp_path / "none") is None
    assert local_addresses(written(tmp_path, fib_trie=b"\xff\xfe")) is None


@pytest.mark.parametrize(
    ("trie", "routes"),
    [
        ("", ""),
        ("|--\n /32 host LOCAL\n", "\n"),
        ("     |-- 300.1.1.1\n        /32 host LOCAL\n", "zz 80 0 0 0 0 0 0 80200001 lo\n"),
        ("LOCAL\n", "20010db8 zz 0 0 0 0 0 0 nothex lo\n"),
    ],
)
def test_what_is_not_understood_is_passed_over(tmp_path: Path, trie: str, routes: str) -> None:
    assert local_addresses(written(tmp_path, fib_trie=trie, ipv6_route=routes)) == ()


@pytest.mark.parametrize(
    ("address", "there"),
    [
        ("192.0.2.10", True),
        ("192.0.2.11", False),
        ("10.0.1.2", True),
        ("2001:db8:f::/64", True),
        ("2001:db8:e::/64", True),
        ("2001:db8:d::/64", False),
    ],
)
def test_of_a_range_any_address_is_enough(tmp_path: Path, address: str, there: bool) -> None:
    local = local_addresses(written(tmp_path, fib_trie=FIB_TRIE, ipv6_route=IPV6_ROUTE))
    assert local is not None
    assert has(local, address) is there
