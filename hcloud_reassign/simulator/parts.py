"""The parts of a scenario that need no other part of it."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from .model import FailoverIp, RobotAccount, RobotServer, Subnet
from .reader import Reader


def robot(part: Reader) -> tuple[RobotAccount, dict[str, FailoverIp]]:
    """The Robot webservice's side of a project: the account, and its failover IPs by address."""
    account = RobotAccount(part.text("user", RobotAccount.user), part.text("password", RobotAccount.password))
    for inner in part.readers("servers", "server"):
        server = RobotServer(inner.whole("number", 0), _address(inner, "ip"), _address(inner, "ipv6_net"))
        inner.done()
        account.servers.append(server)
    items = [_failover(inner, account) for inner in part.readers("failover_ips", "failover IP")]
    part.done()
    return account, {item.ip: item for item in items}


def _failover(inner: Reader, account: RobotAccount) -> FailoverIp:
    ip = _address(inner, "ip")
    number = inner.whole("server_number", 0)
    home = next((server for server in account.servers if server.number == number), None)
    if home is None:
        raise inner.fail("server_number", f"names {number}, which does not exist here")
    version = ip_address(ip).version
    active = inner.optional_text("active_server_ip")
    if active is None and not inner.has("active_server_ip"):
        active = home.ip if version == 4 else home.ipv6_net
    inner.done()
    return FailoverIp(ip, "255.255.255.255" if version == 4 else "ffff:ffff:ffff:ffff::", number, active)


def _address(inner: Reader, key: str) -> str:
    text = inner.text(key)
    try:
        return str(ip_address(text))
    except ValueError:
        raise inner.fail(key, f"is not an address: {text!r}") from None


def ip_range(part: Reader, key: str) -> IPv4Network:
    """An IPv4 network without host bits."""
    text = part.text(key)
    try:
        return IPv4Network(text)
    except ValueError:
        raise part.fail(key, f"is not an IPv4 network: {text!r}") from None


def subnet(inner: Reader, whole: IPv4Network) -> Subnet:
    """A part of a network."""
    part = ip_range(inner, "ip_range")
    if not part.subnet_of(whole):
        raise inner.fail("ip_range", f"{part} is not inside {whole}")
    kind = inner.one_of("type", ("cloud", "server", "vswitch"), "cloud") or "cloud"
    # The gateway of every cloud subnet is the first address of the whole network (Hetzner's API description).
    gateway = inner.text("gateway", str(whole.network_address + 1))
    zone, switch = inner.text("network_zone", "eu-central"), inner.optional_whole("vswitch_id", None)
    inner.done()
    return Subnet(str(part), zone, gateway, kind, switch)


def family(part: Reader, key: str, text: str) -> str:
    """The family of an address; IPv4 is a plain address, IPv6 a /64 network."""
    try:
        if "/" not in text and ip_network(text).version == 4:
            return "ipv4"
        if isinstance(net := ip_network(text), IPv6Network) and net.prefixlen == 64:
            return "ipv6"
    except ValueError:
        pass
    raise part.fail(key, f"must be an IPv4 address or an IPv6 /64 network, not {text!r}")
