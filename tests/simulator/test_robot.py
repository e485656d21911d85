"""Failover IPs of the Robot webservice."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from hcloud_reassign.simulator import Fault, Switches

if TYPE_CHECKING:
    from tests.simulator.conftest import Answer, Api, Make

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
IP = "/robot/failover/203.0.113.4"


@pytest.fixture
def robot(make: Make) -> Api:
    api = make(switches=Switches(robot_switch_s=(90.0, 110.0)))
    login(api)
    return api


def login(api: Api, password: str = "simulated-password") -> None:
    api.authorization = "Basic " + base64.b64encode(f"simulated-robot:{password}".encode()).decode()


def switch(api: Api, target: str, path: str = IP) -> Answer:
    return api.send("POST", path, f"active_server_ip={target}".encode(), headers=FORM)


def test_all_failover_ips_are_listed_and_each_can_be_read(robot: Api) -> None:
    listed = robot.send("GET", "/robot/failover").data
    assert [entry["failover"]["ip"] for entry in listed] == ["203.0.113.4", "2001:db8:f4::"]
    assert robot.send("GET", IP).data == {
        "failover": {
            "ip": "203.0.113.4",
            "netmask": "255.255.255.255",
            "server_ip": "203.0.113.101",
            "server_ipv6_net": "2001:db8:101::",
            "server_number": 321,
            "active_server_ip": "203.0.113.101",
        }
    }


def test_a_switch_blocks_shows_the_new_server_and_is_locked_meanwhile(robot: Api) -> None:
    answer = switch(robot, "203.0.113.102")
    assert answer.status == 200
    assert 90 <= answer.reply.delay_s <= 110
    assert answer.data["failover"]["active_server_ip"] == "203.0.113.102"
    assert robot.send("GET", IP).data["failover"]["active_server_ip"] == "203.0.113.101"
    for again in (switch(robot, "203.0.113.102"), switch(robot, "203.0.113.101"), robot.send("DELETE", IP)):
        assert (again.status, again.data["error"]["code"]) == (409, "FAILOVER_LOCKED")
    robot.go(answer.reply.delay_s)
    assert robot.send("GET", IP).data["failover"]["active_server_ip"] == "203.0.113.102"
    assert switch(robot, "203.0.113.102").data["error"] == {
        "status": 409,
        "code": "FAILOVER_ALREADY_ROUTED",
        "message": "the failover IP is already routed to the given server",
    }


def test_delete_answers_with_the_object_and_nobody(robot: Api) -> None:
    answer = robot.send("DELETE", IP)
    assert (answer.status, answer.data["failover"]["active_server_ip"]) == (200, None)
    robot.go(answer.reply.delay_s)
    assert robot.send("GET", IP).data["failover"]["active_server_ip"] is None


def test_an_ipv6_subnet_goes_to_the_main_subnet_of_a_server(robot: Api) -> None:
    path = "/robot/failover/2001:db8:f4::"
    assert switch(robot, "203.0.113.102", path).data["error"]["code"] == "FAILOVER_NEW_SERVER_NOT_FOUND"
    assert switch(robot, "2001:db8:0102::", "/robot/failover/2001%3Adb8%3Af4%3A%3A").status == 200


def test_multipart_forms_are_read_too(robot: Api) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="active_server_ip"\r\n\r\n203.0.113.102\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert robot.send("POST", IP, body, headers=headers).status == 200


@pytest.mark.parametrize(
    ("body", "missing", "invalid"),
    [(b"", ["active_server_ip"], None), (b"active_server_ip=nonsense", None, ["active_server_ip"])],
)
def test_bad_input_names_the_field(
    robot: Api, body: bytes, missing: list[str] | None, invalid: list[str] | None
) -> None:
    answer = robot.send("POST", IP, body, headers=FORM)
    error = answer.data["error"]
    assert (answer.status, error["code"], error["missing"], error["invalid"]) == (
        400,
        "INVALID_INPUT",
        missing,
        invalid,
    )


def test_what_does_not_exist_is_not_found(robot: Api, make: Make) -> None:
    assert robot.send("GET", "/robot/failover/198.51.100.1").data["error"]["code"] == "NOT_FOUND"
    assert robot.send("GET", "/robot/server").status == 404
    assert switch(robot, "198.51.100.9").data["error"]["code"] == "FAILOVER_NEW_SERVER_NOT_FOUND"
    empty = make({"robot": {}})
    login(empty)
    assert empty.send("GET", "/robot/failover").status == 404


def test_verbs_that_do_not_exist_are_refused(robot: Api) -> None:
    assert robot.send("PUT", IP).status == 405
    assert robot.send("POST", "/robot/failover").status == 405


def test_three_bad_logins_block_for_ten_minutes(robot: Api) -> None:
    login(robot, "wrong")
    assert [robot.send("GET", IP).status for _ in range(3)] == [401, 401, 401]
    login(robot)
    assert robot.send("GET", IP).status == 401
    robot.go(599)
    assert robot.send("GET", IP).status == 401
    robot.go(1)
    assert robot.send("GET", IP).status == 200


def test_a_good_login_forgets_bad_ones(robot: Api) -> None:
    for _ in range(3):
        login(robot, "wrong")
        robot.send("GET", IP)
        robot.send("GET", IP)
        login(robot)
        assert robot.send("GET", IP).status == 200


def test_the_quota_is_403_and_comes_back_after_an_hour(robot: Api) -> None:
    for _ in range(50):
        switch(robot, "198.51.100.9")
    answer = switch(robot, "203.0.113.102")
    assert answer.status == 403
    error = answer.data["error"]
    assert (error["code"], error["max_request"], error["interval"]) == ("RATE_LIMIT_EXCEEDED", 50, 3600)
    assert robot.send("GET", IP).status == 200
    robot.go(3600)
    assert switch(robot, "203.0.113.102").status == 200


def test_the_webservice_has_no_rate_limit_headers(robot: Api) -> None:
    assert not any(name.lower().startswith("ratelimit") for name in robot.send("GET", IP).reply.headers)


def test_a_failing_switch_changes_nothing(robot: Api) -> None:
    robot.sim.faults.append(Fault(method="POST", fail_action={"code": "FAILOVER_FAILED", "message": "no"}))
    answer = switch(robot, "203.0.113.102")
    assert (answer.status, answer.data["error"]["code"]) == (500, "FAILOVER_FAILED")
    robot.go(answer.reply.delay_s)
    assert robot.sim.state.failover_ips["203.0.113.4"].active_server_ip == "203.0.113.101"


def test_a_lost_answer_may_still_have_switched(robot: Api) -> None:
    robot.sim.faults.append(Fault(method="POST", status=500, code="FAILOVER_NOT_COMPLETE", when="after"))
    answer = switch(robot, "203.0.113.102")
    assert answer.data["error"] == {
        "status": 500,
        "code": "FAILOVER_NOT_COMPLETE",
        "message": "internal server error",
    }
    robot.go(answer.reply.delay_s)
    assert robot.sim.state.failover_ips["203.0.113.4"].active_server_ip == "203.0.113.102"


def test_a_stuck_switch_stays_locked(robot: Api) -> None:
    robot.sim.faults.append(Fault(method="POST", stuck_action=True, slow_action=5.0))
    switch(robot, "203.0.113.102")
    robot.go(3600)
    assert switch(robot, "203.0.113.102").data["error"]["code"] == "FAILOVER_LOCKED"


def test_a_read_may_be_stale(robot: Api) -> None:
    robot.go(switch(robot, "203.0.113.102").reply.delay_s)
    robot.sim.faults.append(Fault(method="GET", stale="last-write"))
    assert robot.send("GET", IP).data["failover"]["active_server_ip"] == "203.0.113.101"
    assert robot.send("GET", IP).data["failover"]["active_server_ip"] == "203.0.113.102"


def test_without_a_switch_of_its_own_a_demonstration_does_not_wait_long(make: Make) -> None:
    api = make(action_time=None)
    login(api)
    assert switch(api, "203.0.113.102").reply.delay_s <= 5
