"""Assigning primary IPs: both servers off, free slot, same location."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hcloud_reassign.simulator import Switches

if TYPE_CHECKING:
    from tests.simulator.conftest import Api, Make

ASSIGN, UNASSIGN = "primary_ips/701/actions/assign", "primary_ips/701/actions/unassign"


def to(server: int) -> dict[str, Any]:
    return {"assignee_type": "server", "assignee_id": server}


def off(api: Api, *servers: int) -> None:
    for server in servers:
        api.sim.state.servers[server].status = "off"


def test_the_whole_move_needs_both_servers_off(api: Api) -> None:
    assert api.post(UNASSIGN).code == "server_not_stopped"
    off(api, 10)
    assert api.post(UNASSIGN).action["command"] == "unassign_primary_ip"
    api.go(2)
    assert api.post(ASSIGN, to(11)).code == "server_not_stopped"
    off(api, 11)
    assert api.post(ASSIGN, to(11)).action["command"] == "assign_primary_ip"
    api.go(2)
    shown = api.get("primary_ips/701").data["primary_ip"]
    assert (shown["assignee_type"], shown["assignee_id"]) == ("server", 11)
    assert api.get("servers/11").data["server"]["public_net"]["ipv4"]["id"] == 701
    assert api.get("servers/10").data["server"]["public_net"]["ipv4"] is None


def test_an_assigned_one_is_never_reassigned_directly(api: Api) -> None:
    off(api, 10, 11)
    answer = api.post(ASSIGN, to(11))
    assert (answer.status, answer.code) == (422, "primary_ip_already_assigned")


def test_an_occupied_slot_is_refused_by_family(api: Api) -> None:
    off(api, 10, 11)
    api.sim.state.primary_ips[7001].assignee_id = None
    assert api.post("primary_ips/7001/actions/assign", to(11)).code == "server_has_ipv6"
    api.sim.state.primary_ips[701].assignee_id = None
    api.sim.state.primary_ips[701].location = "nbg1"
    assert api.post(ASSIGN, to(12)).code == "server_has_ipv4"


@pytest.mark.parametrize("code", ["primary_ip_datacenter_mismatch", "invalid_input"])
def test_another_location_is_refused_as_a_switch_says(make: Make, code: str) -> None:
    api = make(switches=Switches(location_mismatch_code=code))
    api.sim.state.primary_ips[701].assignee_id = None
    answer = api.post(ASSIGN, to(12))
    assert (answer.status, answer.code) == (422, code)


def test_only_servers_can_be_named(api: Api) -> None:
    assert api.post(ASSIGN, {"assignee_type": "load_balancer", "assignee_id": 1}).code == "invalid_input"
    assert api.post(ASSIGN, {"assignee_id": 11}).code == "invalid_input"
    api.sim.state.primary_ips[701].assignee_id = None
    assert api.post(ASSIGN, to(99)).status == 404


@pytest.mark.parametrize(("switches", "word"), [(Switches(), "unassigned"), (Switches.mid_2026(), "server")])
def test_a_free_one_says_so_in_the_words_of_the_time(make: Make, switches: Switches, word: str) -> None:
    api = make(switches=switches)
    api.sim.state.primary_ips[701].assignee_id = None
    shown = api.get("primary_ips/701").data["primary_ip"]
    assert (shown["assignee_type"], shown["assignee_id"]) == (word, None)
    assert api.post(UNASSIGN).code == "invalid_input"


BALANCED = {
    "servers": [{"name": "a", "id": 1, "status": "off", "labels": {"role": "web"}}],
    "load_balancers": [{"name": "lb", "id": 3, "targets": [{"server": "a"}]}],
    "primary_ips": [
        {"name": "of-a", "id": 4, "ip": "198.51.100.1", "server": "a"},
        {"name": "of-a6", "id": 6, "ip": "2001:db8:1::/64", "server": "a"},
        {"name": "of-lb", "id": 5, "ip": "198.51.100.2", "load_balancer": "lb"},
    ],
}


def test_one_that_a_load_balancer_holds_stays_there(make: Make) -> None:
    api = make(BALANCED)
    shown = api.get("primary_ips/5").data["primary_ip"]
    assert (shown["assignee_type"], shown["assignee_id"]) == ("load_balancer", 3)
    assert api.post("primary_ips/5/actions/unassign").code == "unsupported_error"
    assert api.post("primary_ips/5/actions/assign", to(1)).code == "primary_ip_already_assigned"
    odd = make(BALANCED, switches=Switches(load_balancer_assignee="lb_v2"))
    assert odd.get("primary_ips/5").data["primary_ip"]["assignee_type"] == "lb_v2"


def test_a_public_target_s_ipv4_cannot_be_taken_away(make: Make) -> None:
    api = make(BALANCED)
    assert api.post("primary_ips/4/actions/unassign").code == "server_is_load_balancer_target"
    assert api.post("primary_ips/6/actions/unassign").status == 201
    private = make(BALANCED)
    private.sim.state.load_balancers[3].targets[0].use_private_ip = True
    assert private.post("primary_ips/4/actions/unassign").status == 201
    selected = make(BALANCED)
    selected.sim.state.load_balancers[3].targets[0].server = None
    selected.sim.state.load_balancers[3].targets[0].selector = "role=web"
    assert selected.post("primary_ips/4/actions/unassign").code == "server_is_load_balancer_target"


def test_load_balancers_show_their_targets_and_servers_their_load_balancers(make: Make) -> None:
    api = make(BALANCED)
    (target,) = api.get("load_balancers/3").data["load_balancer"]["targets"]
    assert (target["type"], target["server"], target["use_private_ip"]) == ("server", {"id": 1}, False)
    assert api.get("servers/1").data["server"]["load_balancers"] == [3]
    assert len(api.get("load_balancers").data["load_balancers"]) == 1
