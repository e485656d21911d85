"""Names to vendor objects: by name, by id, by address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Protocol, TypeVar

from hcloud_reassign.core import guards
from hcloud_reassign.core.errors import Ambiguous, Missing, UsageError
from hcloud_reassign.core.kind import Case
from hcloud_reassign.core.model import Assignment, Holder, Refusal, World
from hcloud_reassign.core.objects import Server


class Named(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The address that a text is, None when it is none."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def covers(range_or_address: str | None, text: str) -> bool:
    """Whether an address, or a network in CIDR text, is or contains what the text names."""
    if range_or_address is None:
        return False
    if range_or_address == text:
        return True
    address = address_of(text.partition("/")[0])
    network = ip_network(range_or_address, strict=False)
    if address is None or address.version != network.version:
        return False
    return address in network


def _by_address(text: str, items: Sequence[N], addresses: Callable[[N], Iterable[str | None]]) -> list[N]:
    if address_of(text.partition("/")[0]) is None:
        return []
    return [item for item in items if any(covers(address, text) for address in addresses(item))]


def named(what: str, text: str, items: Sequence[N], addresses: Callable[[N], Iterable[str | None]]) -> N:
    """The one item that a name, an id or an address means.

    Raises:
        Missing: none. Ambiguous: several.
    """
    # Who is named like somebody else's id is not to be mistaken for that one.
    matches = [item for item in items if item.name == text or str(item.id) == text]
    matches = matches or _by_address(text, items, addresses)
    if len(matches) > 1:
        names = ", ".join(f"{item.name or what} (id {item.id})" for item in matches)
        raise Ambiguous(f"{text!r} can be any of: {names}")
    if not matches:
        raise Missing(what, text, [item.name for item in items if item.name])
    return matches[0]


def _server_addresses(server: Server) -> list[str | None]:
    return [server.ipv4, server.ipv6, *(net.ip for net in server.private_nets)]


def server_named(world: World, text: str) -> Server:
    """The server that a name, an id or one of its addresses means. Raises like `named`."""
    return named("server", text, world.all(Server), _server_addresses)


def server_holder(server: Server) -> Holder:
    return Holder("server", server.id, server.name, server.ipv4 or server.ipv6)


def holder_with_id(world: World, id: int | None) -> Holder | None:
    """The server with an id as a holder; one that is not there (any more) keeps its id. None for None."""
    if id is None:
        return None
    server = world.get(Server, id)
    return server_holder(server) if server else Holder("server", id)


def need_address(assignment: Assignment, key: str, text: str) -> IPv4Address | IPv6Address:
    """Raises UsageError naming the key when the text is no address."""
    address = address_of(text)
    if address is None:
        raise UsageError(f"{text!r} is no IP address", object=assignment.name, key=key, next=f"{key} = 10.0.1.100")
    return address


def off_guard(case: Case) -> Iterable[Refusal]:
    """The guard `destination-off`, for kinds whose target must run."""
    refusal = guards.destination_off(case)
    return (refusal,) if refusal else ()


def free_name(prefix: str, name: str) -> str:
    """A section name for an ad hoc assignment."""
    return f"{prefix}.{name}"
