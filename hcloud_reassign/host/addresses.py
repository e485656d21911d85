"""Which addresses this machine takes as its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

Local = IPv4Network | IPv6Network
"""An address of this machine, or a whole range that it answers for."""

_NET = Path("/proc/net")
_IS_LOCAL = 0x8000_0000
"""RTF_LOCAL, a flag of Linux: the route says that the range is this machine's."""


def local_addresses(net: Path = _NET) -> tuple[Local, ...] | None:
    """What the kernel delivers to this machine itself; None where it cannot be asked, as elsewhere than on Linux.

    Its table of local routes is read, not the interfaces: it also has ranges that were made local without an address.
    """
    try:
        ipv4 = (net / "fib_trie").read_text("ascii")
    except (OSError, ValueError):
        return None
    try:
        ipv6 = (net / "ipv6_route").read_text("ascii")
    except (OSError, ValueError):
        ipv6 = ""
    return tuple(dict.fromkeys((*_ipv4(ipv4.splitlines()), *_ipv6(ipv6.splitlines()))))


def _ipv4(lines: Iterable[str]) -> Iterator[Local]:
    """A line `|-- 10.0.1.2` names an address; those below it say `/32 host LOCAL`."""
    address = ""
    for line in lines:
        words = line.split()
        if words[:1] == ["|--"]:
            address = words[-1]
        elif words[-1:] == ["LOCAL"]:
            yield from _network(f"{address}{words[0]}")


def _ipv6(lines: Iterable[str]) -> Iterator[Local]:
    """Destination and its length are the first two columns, the flags the ninth, all hexadecimal."""
    for line in lines:
        words = line.split()
        try:
            if int(words[8], 16) & _IS_LOCAL:
                address = ":".join(words[0][at : at + 4] for at in range(0, 32, 4))
                yield from _network(f"{address}/{int(words[1], 16)}")
        except (IndexError, ValueError):
            continue


def _network(text: str) -> Iterator[Local]:
    try:
        yield ip_network(text)
    except ValueError:
        return


def has(local: Iterable[Local], address: str) -> bool:
    """Whether any address of `address`, which may be a range in CIDR text, is this machine's."""
    wanted = ip_network(address, strict=False)
    return any(item.version == wanted.version and item.overlaps(wanted) for item in local)
