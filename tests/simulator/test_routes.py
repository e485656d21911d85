"""Routes: one per destination, one change at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hcloud_reassign.simulator import Switches
from hcloud_reassign.simulator.model import Route

if TYPE_CHECKING:
    from tests.simulator.conftest import Answer, Api, Make

OVERLAP = "network route destination overlaps with another subnetwork or network route"


def add(api: Api, destination: str, gateway: str = "10.0.1.3") -> Answer:
    return api.post("networks/4711/actions/add_route", {"destination": destination, "gateway": gateway})


def delete(api: Api, destination: str, gateway: str) -> Answer:
    return api.post("networks/4711/actions/delete_route", {"destination": destination, "gateway": gateway})


def test_a_route_moves_by_delete_and_add(api: Api) -> None:
    assert add(api, "0.0.0.0/0").message == OVERLAP
    assert delete(api, "0.0.0.0/0", "10.0.1.2").action["resources"] == [{"id": 4711, "type": "network"}]
    api.go(2)
    assert add(api, "0.0.0.0/0").action["command"] == "add_route"
    api.go(2)
    assert api.get("networks/4711").data["network"]["routes"] == [
        {"destination": "192.168.77.0/24", "gateway": "10.0.1.3"},
        {"destination": "0.0.0.0/0", "gateway": "10.0.1.3"},
    ]


def test_a_running_change_is_a_conflict_and_not_a_lock(api: Api) -> None:
    delete(api, "0.0.0.0/0", "10.0.1.2")
    for answer in (add(api, "172.20.0.0/16"), delete(api, "192.168.77.0/24", "10.0.1.3"),
                   api.put("networks/4711", {"labels": {"a": "b"}})):  # fmt: skip
        assert (answer.status, answer.code) == (409, "conflict")
    api.go(2)
    assert api.put("networks/4711", {"labels": {"a": "b"}}).status == 200


@pytest.mark.parametrize(
    "destination",
    ["10.0.1.0/24", "10.0.0.0/8", "192.168.77.0/25", "192.168.0.0/16", "172.16.0.0/12", "172.31.1.1/32"],
)
def test_an_overlap_is_refused_in_hetzner_s_words(api: Api, destination: str) -> None:
    answer = add(api, destination)
    assert (answer.status, answer.code, answer.message) == (422, "invalid_input", OVERLAP)


@pytest.mark.parametrize("destination", ["8.8.8.0/24", "192.168.78.1/24", "nonsense", "2001:db8::/32", "0.0.0.0/1"])
def test_a_destination_outside_of_private_ranges_or_with_host_bits_is_refused(api: Api, destination: str) -> None:
    answer = add(api, destination)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert answer.message != OVERLAP


@pytest.mark.parametrize("gateway", ["10.0.0.1", "172.31.1.1", "192.0.2.1", "nonsense", "2001:db8::1", "10.0.9.9"])
def test_an_invalid_gateway_is_refused_in_hetzner_s_words(make: Make, gateway: str) -> None:
    api = make({
        "networks": [{
            "name": "n", "id": 4711, "ip_range": "10.0.0.0/16",
            "subnets": [{"ip_range": "10.0.1.0/24"}, {"ip_range": "10.0.9.0/24", "type": "vswitch", "vswitch_id": 7}],
        }],
    })  # fmt: skip
    answer = add(api, "172.20.0.0/16", gateway)
    assert (answer.status, answer.code, answer.message) == (422, "invalid_input", "invalid gateway")


def test_a_switch_allows_gateways_outside_of_the_range(make: Make) -> None:
    assert add(make(switches=Switches(gateway_in_range=False)), "172.20.0.0/16", "10.9.9.9").status == 201


def test_an_alias_ip_may_be_a_gateway(api: Api) -> None:
    assert add(api, "172.20.0.0/16", "10.0.1.100").status == 201


@pytest.mark.parametrize(("code", "status"), [("not_found", 404), ("invalid_input", 422)])
def test_deleting_a_pair_that_is_not_there_is_refused_as_a_switch_says(make: Make, code: str, status: int) -> None:
    api = make(switches=Switches(delete_missing_route_code=code))
    answer = delete(api, "0.0.0.0/0", "10.0.1.3")
    assert (answer.status, answer.code) == (status, code)
    assert delete(api, "0.0.0.0/0", "10.0.1.2").status == 201


def test_a_route_that_somebody_took_away_meanwhile_fails_the_action(api: Api) -> None:
    action = delete(api, "0.0.0.0/0", "10.0.1.2").action
    api.sim.state.networks[4711].routes.remove(Route("0.0.0.0/0", "10.0.1.2"))
    api.go(2)
    assert api.ended(action)["status"] == "error"


def test_there_is_a_limit(make: Make) -> None:
    api = make(switches=Switches(max_routes=2))
    answer = add(api, "172.20.0.0/16")
    assert (answer.status, answer.code) == (403, "resource_limit_exceeded")
    assert add(make(switches=Switches(max_routes=0)), "172.20.0.0/16").status == 201


def test_destination_and_gateway_are_required(api: Api) -> None:
    assert api.post("networks/4711/actions/add_route", {"destination": "172.20.0.0/16"}).code == "invalid_input"
    assert api.post("networks/4711/actions/delete_route", {"gateway": "10.0.1.2"}).code == "invalid_input"
    assert api.post("networks/1/actions/add_route", {}).status == 404


def test_a_subnet_behind_a_vswitch_names_it(make: Make) -> None:
    subnets = [{"ip_range": "10.0.9.0/24", "type": "vswitch", "vswitch_id": 7}]
    api = make({"networks": [{"name": "n", "id": 1, "ip_range": "10.0.0.0/16", "subnets": subnets}]})
    assert api.get("networks/1").data["network"]["subnets"][0]["vswitch_id"] == 7
