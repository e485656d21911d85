"""Assigning floating IPs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hcloud_reassign.simulator import Switches

if TYPE_CHECKING:
    from tests.simulator.conftest import Api, Make

ASSIGN, UNASSIGN = "floating_ips/501/actions/assign", "floating_ips/501/actions/unassign"


def test_a_held_ip_goes_straight_to_another_server(api: Api) -> None:
    assert api.post(ASSIGN, {"server": 11}).status == 201
    api.go(2)
    assert api.sim.state.floating_ips[501].server_id == 11


def test_the_server_that_holds_it_cannot_get_it_again(api: Api) -> None:
    answer = api.post(ASSIGN, {"server": 10})
    assert (answer.status, answer.code) == (422, "floating_ip_assigned")


def test_the_strict_switch_refuses_any_held_ip(make: Make) -> None:
    api = make(switches=Switches(floating_strict=True))
    assert api.post(ASSIGN, {"server": 11}).code == "floating_ip_assigned"
    api.post(UNASSIGN)
    api.go(2)
    assert api.post(ASSIGN, {"server": 11}).status == 201


def test_an_ipv6_network_moves_alike(api: Api) -> None:
    api.post("floating_ips/502/actions/assign", {"server": 12})
    api.go(2)
    shown = api.get("floating_ips/502").data["floating_ip"]
    assert (shown["server"], shown["ip"], shown["type"]) == (12, "2001:db8:f::/64", "ipv6")


def test_unassign_leaves_nobody_and_cannot_be_repeated(api: Api) -> None:
    assert api.post(UNASSIGN).action["command"] == "unassign_floating_ip"
    api.go(2)
    assert api.get("floating_ips/501").data["floating_ip"]["server"] is None
    answer = api.post(UNASSIGN)
    assert (answer.status, answer.code) == (422, "invalid_input")


def test_the_code_for_unassigning_nothing_is_a_switch(make: Make) -> None:
    api = make(switches=Switches(unassign_unassigned_code="service_error"))
    api.sim.state.floating_ips[501].server_id = None
    assert api.post(UNASSIGN).code == "service_error"


@pytest.mark.parametrize(("code", "status"), [("not_found", 404), ("invalid_input", 422)])
def test_a_server_that_does_not_exist_is_refused_as_a_switch_says(make: Make, code: str, status: int) -> None:
    api = make(switches=Switches(unknown_server_code=code))
    answer = api.post(ASSIGN, {"server": 99})
    assert (answer.status, answer.code) == (status, code)


def test_a_server_that_is_off_or_elsewhere_may_get_it(api: Api) -> None:
    assert api.post(ASSIGN, {"server": 12}).status == 201


def test_a_switch_asks_for_a_public_network_of_that_family(make: Make) -> None:
    api = make(switches=Switches(floating_needs_public_net=True))
    assert api.post(ASSIGN, {"server": 11}).code == "invalid_input"
    assert api.post("floating_ips/502/actions/assign", {"server": 11}).status == 201


def test_a_switch_leaves_the_source_unlocked(make: Make) -> None:
    api = make(switches=Switches(floating_assign_locks_source=False))
    api.post(ASSIGN, {"server": 11})
    assert api.post("servers/10/actions/poweroff").status == 201


def test_deleting_the_target_meanwhile_fails_the_action_and_keeps_the_holder(api: Api) -> None:
    action = api.post(ASSIGN, {"server": 11}).action
    api.sim.delete_server(11)
    api.go(2)
    assert api.ended(action)["status"] == "error"
    assert api.sim.state.floating_ips[501].server_id == 10


def test_deleting_the_holder_frees_its_addresses(api: Api) -> None:
    api.sim.delete_server(10)
    assert api.get("floating_ips/501").data["floating_ip"]["server"] is None
    assert api.get("primary_ips/701").data["primary_ip"]["assignee_id"] is None
    assert api.get("primary_ips/7001").status == 404, "it had auto_delete"
    assert api.get("servers/10").status == 404
    assert api.get("networks/4711").data["network"]["servers"] == [11, 12]


def test_a_deleted_holder_may_linger(make: Make) -> None:
    api = make(switches=Switches(deleted_holder_lingers_s=5.0))
    api.sim.delete_server(10)
    assert api.get("floating_ips/501").data["floating_ip"]["server"] == 10
    api.go(5)
    assert api.get("floating_ips/501").data["floating_ip"]["server"] is None


def test_somebody_else_may_move_it_behind_the_api(api: Api) -> None:
    api.sim.state.floating_ips[501].server_id = 12
    assert api.get("floating_ips/501").data["floating_ip"]["server"] == 12
