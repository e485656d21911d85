"""Alias IPs, attaching and detaching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hcloud_reassign.simulator import Switches

if TYPE_CHECKING:
    from tests.simulator.conftest import Answer, Api, Make


def change(api: Api, server: int, *aliases: str) -> Answer:
    return api.post(f"servers/{server}/actions/change_alias_ips", {"network": 4711, "alias_ips": list(aliases)})


def aliases_of(api: Api, server: int) -> list[str]:
    found: list[str] = api.get(f"servers/{server}").data["server"]["private_net"][0]["alias_ips"]
    return found


def test_the_whole_list_is_replaced(api: Api) -> None:
    answer = change(api, 10, "10.0.1.60")
    assert answer.action["command"] == "change_alias_ips"
    assert answer.action["resources"] == [{"id": 10, "type": "server"}, {"id": 4711, "type": "network"}]
    assert aliases_of(api, 10) == ["10.0.1.100", "10.0.1.50"]
    api.go(2)
    assert aliases_of(api, 10) == ["10.0.1.60"]


def test_an_empty_list_clears(api: Api) -> None:
    change(api, 10)
    api.go(2)
    assert aliases_of(api, 10) == []


@pytest.mark.parametrize("address", ["10.0.1.100", "10.0.1.2"])
@pytest.mark.parametrize("code", ["ip_not_available", "invalid_input"])
def test_an_address_used_elsewhere_is_refused_as_a_switch_says(make: Make, address: str, code: str) -> None:
    api = make(switches=Switches(alias_in_use_code=code))
    answer = change(api, 11, "10.0.1.51", address)
    assert (answer.status, answer.code) == (422, code)


def test_it_is_free_only_when_its_removal_has_ended(api: Api) -> None:
    change(api, 10, "10.0.1.50")
    assert change(api, 11, "10.0.1.51", "10.0.1.100").code == "ip_not_available"
    api.go(2)
    assert change(api, 11, "10.0.1.51", "10.0.1.100").status == 201
    api.go(2)
    assert aliases_of(api, 11) == ["10.0.1.51", "10.0.1.100"]


def test_of_two_that_ask_at_once_one_gets_it_and_the_other_s_action_fails(api: Api) -> None:
    first, second = change(api, 10, "10.0.1.70").action, change(api, 11, "10.0.1.70").action
    api.go(2)
    assert api.ended(first)["status"] == "success"
    assert api.ended(second)["error"]["code"] == "ip_not_available"
    assert aliases_of(api, 11) == ["10.0.1.51"]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("10.0.2.1", "not in a subnet"),
        ("192.168.1.1", "not in a subnet"),
        ("10.0.1.3", "own address"),
        ("10.0.1.0", "reserved"),
        ("10.0.1.255", "reserved"),
        ("172.31.1.1", "not in a subnet"),
        ("2001:db8::1", "not an IPv4 address"),
        ("nonsense", "not an IPv4 address"),
    ],
)
def test_an_address_that_cannot_be_is_refused(api: Api, address: str, why: str) -> None:
    answer = change(api, 11, address)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert why in answer.message


def test_the_network_s_first_address_is_reserved(make: Make) -> None:
    api = make({
        "networks": [{"name": "n", "id": 4711, "ip_range": "10.0.0.0/16", "subnets": [{"ip_range": "10.0.0.0/24"}]}],
        "servers": [{"name": "a", "id": 10, "networks": {"n": {"ip": "10.0.0.2"}}}],
    })  # fmt: skip
    assert "reserved" in change(api, 10, "10.0.0.1").message


def test_the_same_address_twice_and_too_many_are_refused(api: Api, make: Make) -> None:
    assert change(api, 11, "10.0.1.60", "10.0.1.60").code == "invalid_input"
    many = [f"10.0.1.{number}" for number in range(60, 66)]
    answer = change(api, 11, *many)
    assert (answer.status, answer.code) == (403, "resource_limit_exceeded")
    assert answer.data["error"]["details"] == {"limits": [{"name": "server_alias_ips"}]}
    assert change(make(switches=Switches(max_alias_ips=0)), 11, *many).status == 201
    assert change(make(switches=Switches(limit_code="invalid_input")), 11, *many).status == 422


def test_a_server_in_another_zone_needs_a_subnet_of_that_zone(api: Api) -> None:
    api.sim.state.servers[11].location = "ash"
    assert "network zone" in change(api, 11, "10.0.1.60").message


@pytest.mark.parametrize("code", ["server_not_attached_to_network", "invalid_input"])
def test_a_server_outside_the_network_is_refused_as_a_switch_says(make: Make, code: str) -> None:
    api = make(switches=Switches(alias_not_attached_code=code))
    api.sim.state.servers[11].private_net.clear()
    assert change(api, 11, "10.0.1.60").code == code


def test_the_body_is_checked(api: Api) -> None:
    path = "servers/11/actions/change_alias_ips"
    bodies: list[dict[str, Any]] = [{}, {"network": 4711}, {"network": 4711, "alias_ips": "10.0.1.60"},
                                    {"network": 4711, "alias_ips": [1]}, {"alias_ips": []}]  # fmt: skip
    for body in bodies:
        assert api.post(path, body).code == "invalid_input", body
    assert api.post(path, {"network": 1, "alias_ips": []}).status == 404


def test_the_server_is_locked_and_the_network_only_by_a_switch(api: Api, make: Make) -> None:
    route = {"destination": "192.168.77.0/24", "gateway": "10.0.1.3"}
    change(api, 10)
    assert change(api, 10).code == "locked"
    assert change(api, 11).status == 201
    assert api.post("networks/4711/actions/delete_route", route).status == 201
    strict = make(switches=Switches(alias_locks_network=True))
    change(strict, 10)
    assert strict.post("networks/4711/actions/delete_route", route).code == "conflict"


def test_members_show_who_has_which_address(api: Api) -> None:
    data = api.get("networks/4711/members").data
    assert data["members"][0] == {
        "id": 10, "type": "server", "ip": "10.0.1.2", "alias_ips": ["10.0.1.100", "10.0.1.50"],
        "subnet": "10.0.1.0/24", "status": "ok",
    }  # fmt: skip
    assert data["meta"]["pagination"]["total_entries"] == 3
    change(api, 11)
    busy = api.get("networks/4711/members", ("status", "updating"), ("type", "server")).data["members"]
    assert [member["id"] for member in busy] == [11]
    assert api.get("networks/4711/members", ("subnet", "10.9.0.0/24")).data["members"] == []


def test_members_were_unknown_in_early_2026_even_without_a_token(make: Make) -> None:
    api = make(switches=Switches(network_members=False))
    assert api.get("networks/4711/members").message == "api route not found"
    api.authorization = None
    assert api.get("networks/4711/members").status == 404


def test_a_server_can_leave_and_come_back(api: Api) -> None:
    assert api.post("servers/11/actions/detach_from_network", {"network": 4711}).status == 201
    api.go(2)
    assert api.get("servers/11").data["server"]["private_net"] == []
    assert api.post("servers/11/actions/detach_from_network", {"network": 4711}).status == 422
    body = {"network": 4711, "ip": "10.0.1.33", "alias_ips": ["10.0.1.34"]}
    assert api.post("servers/11/actions/attach_to_network", body).action["command"] == "attach_to_network"
    api.go(2)
    leg = api.get("servers/11").data["server"]["private_net"][0]
    assert (leg["ip"], leg["alias_ips"]) == ("10.0.1.33", ["10.0.1.34"])
    assert api.post("servers/11/actions/attach_to_network", body).code == "server_already_attached"


def test_attaching_finds_a_free_address_or_says_that_there_is_none(api: Api) -> None:
    api.sim.state.servers[11].private_net.clear()
    path = "servers/11/actions/attach_to_network"
    assert api.post(path, {"network": 4711, "ip": "10.0.1.2"}).code == "ip_not_available"
    assert api.post(path, {"network": 4711, "ip_range": "10.9.0.0/24"}).code == "no_subnet_available"
    api.post(path, {"network": 4711})
    api.go(2)
    assert api.sim.state.servers[11].private_net[0].ip == "10.0.1.1"


def test_networks_that_overlap_cannot_both_be_attached(make: Make) -> None:
    api = make({
        "networks": [{"name": n, "ip_range": "10.0.0.0/16", "subnets": [{"ip_range": "10.0.1.0/24"}]} for n in "ab"],
        "servers": [{"name": "s", "id": 1, "networks": {"a": {"ip": "10.0.1.2"}}}],
    })  # fmt: skip
    assert api.post("servers/1/actions/attach_to_network", {"network": 4002}).code == "networks_overlap"
