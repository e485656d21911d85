"""Scenario files: what comes with the package, and what is wrong with a wrong one."""

from __future__ import annotations

import json
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest

from hcloud_reassign.simulator import Scenario, ScenarioError, Switches, load_scenario, scenario_names

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator.conftest import Api, Make

DOCUMENTATION = [ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]


def test_three_scenarios_come_with_the_package() -> None:
    assert scenario_names() == ["fifty", "pair", "thousand"]


@pytest.mark.parametrize("name", ["fifty", "pair", "thousand"])
def test_public_addresses_are_all_from_documentation_ranges_and_unique(name: str) -> None:
    project = load_scenario(name).project()
    found = [ip.ip for ip in project.primary_ips.values()] + [ip.ip for ip in project.floating_ips.values()]
    found += list(project.failover_ips)
    assert len(set(found)) == len(found)
    for text in found:
        net = ip_network(text)
        assert any(net.version == block.version and net.subnet_of(block) for block in DOCUMENTATION), text  # type: ignore[arg-type]


def test_the_pair_is_what_the_demonstration_tells(api: Api) -> None:
    state = api.sim.state
    assert [(s.name, s.status, s.location) for s in state.servers.values()] == [
        ("srv-a", "running", "fsn1"),
        ("srv-b", "running", "fsn1"),
        ("srv-c", "off", "nbg1"),
    ]
    assert {ip.name: ip.server_id for ip in state.floating_ips.values()} == {"web": 10, "web6": 10}
    assert state.primary_ip_of(10, "ipv4") is state.primary_ips[701]
    assert state.primary_ip_of(11, "ipv4") is None
    assert state.primary_ip_of(11, "ipv6") is not None
    assert state.failover_ips["203.0.113.4"].active_server_ip == "203.0.113.101"
    assert state.tokens == {"simulated-token": "read-write", "simulated-token-read-only": "read"}


def test_fifty_has_fifty_pairs(make: Make) -> None:
    state = make("fifty").sim.state
    assert len(state.floating_ips) == 50 and len(state.servers) == 100
    held = {ip.name: state.servers[ip.server_id or 0].name for ip in state.floating_ips.values()}
    assert held["ip-01"] == "a-01" and held["ip-50"] == "a-50"


def test_thousand_has_a_thousand_servers(make: Make) -> None:
    api = make("thousand")
    assert api.get("servers", ("per_page", "50")).data["meta"]["pagination"]["total_entries"] == 1000
    assert api.get("servers", ("name", "node-1000")).data["servers"][0]["private_net"][0]["ip"] == "10.1.4.232"


def test_every_simulator_starts_from_a_fresh_copy() -> None:
    scenario = load_scenario("pair")
    scenario.project().servers.clear()
    assert len(scenario.project().servers) == 3


def test_a_file_may_be_named_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"servers": [{"name": "only"}], "switches": {"mid_2026": True, "max_routes": 5}}))
    scenario = load_scenario(str(file))
    assert [server.name for server in scenario.project().servers.values()] == ["only"]
    assert scenario.switches == Switches.mid_2026(max_routes=5)


def test_tokens_and_robot_login_can_be_set() -> None:
    data = {"tokens": {"t": "read"}, "robot": {"user": "u", "password": "p"}}
    project = Scenario.from_data(data).project()
    assert project.tokens == {"t": "read"}
    assert (project.robot.user, project.robot.password) == ("u", "p")


def test_counted_objects_differ_by_number_and_address() -> None:
    project = Scenario.from_data(
        {
            "networks": [{"name": "n", "ip_range": "10.0.0.0/16", "subnets": [{"ip_range": "10.0.0.0/16"}]}],
            "servers": [
                {
                    "name": "s-{n}",
                    "count": 12,
                    "id": 5,
                    "ipv4": "192.0.2.1",
                    "ipv6": "2001:db8::/64",
                    "networks": {"n": {"ip": "10.0.1.1", "alias_ips": ["10.0.2.1"]}},
                    "labels": {"number": "{n}"},
                }
            ],
        }
    ).project()
    last = project.servers[16]
    assert (last.name, last.labels) == ("s-12", {"number": "12"})
    assert (last.private_net[0].ip, last.private_net[0].alias_ips) == ("10.0.1.12", ["10.0.2.12"])
    assert getattr(project.primary_ip_of(16, "ipv4"), "ip", None) == "192.0.2.12"
    assert getattr(project.primary_ip_of(16, "ipv6"), "ip", None) == "2001:db8:0:b::/64"


def server(**keys: Any) -> dict[str, Any]:
    return {"servers": [{"name": "a", **keys}]}


def inside(ip: str, *aliases: Any) -> dict[str, Any]:
    return {"networks": [NET], **server(networks={"n": {"ip": ip, "alias_ips": list(aliases)}})}


def held(ip: str, **keys: Any) -> dict[str, Any]:
    return {**server(**keys), "primary_ips": [{"name": "p", "ip": ip, "server": "a"}]}


NET = {"name": "n", "ip_range": "10.0.0.0/16", "subnets": [{"ip_range": "10.0.1.0/24"}]}


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ([], "bad: must be an object"),
        ({"severs": []}, "bad: unknown key severs; did you mean servers?"),
        ({"servers": {}}, "bad: servers must be a list"),
        ({"servers": [{}]}, "server #1: name is missing"),
        (server(colour=1), "server a: unknown key colour"),
        (server(status="asleep"), "server a: status must be one of"),
        (server(location="mars"), "server a: location must be one of fsn1"),
        ({"servers": [{"name": "a"}, {"name": "a"}]}, "server a: name a is used twice"),
        ({"servers": [{"name": "a", "id": 1}, {"name": "b", "id": 1}]}, "server b: id 1 is used twice"),
        (server(ipv4="2001:db8::/64"), "server a: ipv4 is not an ipv4 address"),
        (server(ipv6="2001:db8::1"), "server a: ipv6 must be an IPv4 address or an IPv6 /64"),
        (server(labels={"a b": "c"}), "server a: labels has an invalid label"),
        (server(networks={"x": {"ip": "10.0.1.2"}}), "networks names 'x', which does not exist"),
        (inside("10.9.1.2"), "server a: network n: ip 10.9.1.2 is in no subnet"),
        (inside("10.0.1.2", "10.0.1.2"), "alias_ips 10.0.1.2 is used twice"),
        (inside("10.0.1.255"), "is reserved"),
        (inside("x"), "ip is not an IPv4 address"),
        ({"networks": [{"name": "n", "ip_range": "10.0.0.1/16"}]}, "network n: ip_range is not an IPv4 network"),
        ({"networks": [{**NET, "subnets": [{"ip_range": "10.1.0.0/24"}]}]}, "ip_range 10.1.0.0/24 is not inside"),
        ({"networks": [{**NET, "routes": [{"destination": "x", "gateway": "y"}]}]}, "route #1: destination is not"),
        ({"floating_ips": [{"name": "f", "ip": "192.0.2.1", "server": "a"}]}, "floating IP f: server names 'a'"),
        ({"floating_ips": [{"name": "f", "ip": "nonsense"}]}, "floating IP f: ip must be an IPv4 address"),
        ({"floating_ips": [{"name": "f", "count": 2, "ip": "192.0.2.1"}]}, "floating IP f: name must contain {n}"),
        (
            {"floating_ips": [{"name": "f{n}", "count": 2, "ip": "255.255.255.255"}]},
            "IP f{n}: count cannot be reached",
        ),
        ({"primary_ips": [{"name": "p", "ip": "192.0.2.1", "load_balancer": "l"}]}, "p: load_balancer names"),
        (held("192.0.2.2", ipv4="192.0.2.1"), "primary IP p: server a has a primary IP of that family already"),
        (held("192.0.2.2", location="ash"), "primary IP p: location must be the server's, ash"),
        ({"tokens": {"t": "all"}}, "bad: tokens must say read-write or read"),
        ({"tokens": {"t": 1}}, "bad: tokens must have texts as values"),
        ({"switches": {"datacenter": True}}, "bad: switches: unknown switch datacenter; did you mean datacenters?"),
        ({"switches": {"max_routes": "many"}}, "bad: switches: max_routes must be int"),
        ({"robot": {"failover_ips": [{"ip": "203.0.113.4", "server_number": 1}]}}, "server_number names 1"),
        ({"robot": {"servers": [{"number": 1, "ip": "x", "ipv6_net": "::"}]}}, "server #1: ip is not an address"),
        (server(ignores_shutdown=1), "ignores_shutdown must be true or false"),
        (server(shutdown_s="x"), "shutdown_s must be a number"),
        (inside("10.0.1.2", 1), "alias_ips must be a list of texts"),
    ],
)
def test_a_mistake_is_named_with_object_and_key(data: Any, wanted: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_data(data, "bad")
    assert str(caught.value).startswith("bad")
    assert wanted in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="packaged scenarios: fifty, pair, thousand"):
        load_scenario("nonsense")
    with pytest.raises(ScenarioError, match=r"none\.json: cannot be read"):
        load_scenario(str(tmp_path / "none.json"))
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(ScenarioError, match=r"broken\.json: is not JSON"):
        load_scenario(str(broken))


def test_switches_are_read_by_name_with_their_types() -> None:
    found = Switches.from_data({"robot_switch_s": [1, 2], "action_rate_limit": 7200, "deleted_holder_lingers_s": 3})
    assert found == Switches(robot_switch_s=(1.0, 2.0), action_rate_limit=7200, deleted_holder_lingers_s=3.0)
    assert Switches.from_data({"action_rate_limit": None}) == Switches()


def test_the_scenario_s_switches_hold_unless_others_are_given(make: Make) -> None:
    data = {"switches": {"max_routes": 7}}
    assert make(data).sim.switches.max_routes == 7
    assert make(data, switches=Switches()).sim.switches.max_routes == 100
