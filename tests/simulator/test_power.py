"""Power: on, off, and asked to go off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hcloud_reassign.simulator import Fault, Switches

if TYPE_CHECKING:
    from tests.simulator.conftest import Api, Make


def status(api: Api, server: int) -> str:
    return str(api.get(f"servers/{server}").data["server"]["status"])


def test_poweroff_stops_and_is_done_when_off(api: Api) -> None:
    assert api.post("servers/10/actions/poweroff").action["command"] == "stop_server"
    assert status(api, 10) == "stopping"
    api.go(2)
    assert status(api, 10) == "off"


def test_poweron_starts_and_is_done_when_running(api: Api) -> None:
    assert api.post("servers/12/actions/poweron").action["command"] == "start_server"
    assert status(api, 12) == "starting"
    api.go(2)
    assert status(api, 12) == "running"


def test_a_shutdown_that_succeeded_was_only_sent(make: Make) -> None:
    api = make({"servers": [{"name": "a", "id": 1, "shutdown_s": 20}]})
    action = api.post("servers/1/actions/shutdown").action
    assert action["command"] == "shutdown_server"
    api.go(2)
    assert api.ended(action)["status"] == "success"
    assert status(api, 1) == "stopping"
    api.go(19)
    assert status(api, 1) == "stopping"
    api.go(1)
    assert status(api, 1) == "off"


def test_a_switch_shows_a_server_that_shuts_down_as_running(make: Make) -> None:
    api = make(
        {"servers": [{"name": "a", "id": 1, "shutdown_s": 20}]}, switches=Switches(shutdown_shows_stopping=False)
    )
    api.post("servers/1/actions/shutdown")
    api.go(10)
    assert status(api, 1) == "running"
    api.go(12)
    assert status(api, 1) == "off"


def test_a_server_that_ignores_it_runs_until_the_plug_is_pulled(make: Make) -> None:
    api = make({"servers": [{"name": "a", "id": 1, "ignores_shutdown": True}]})
    api.post("servers/1/actions/shutdown")
    api.go(3600)
    assert status(api, 1) == "running"
    api.post("servers/1/actions/poweroff")
    api.go(2)
    assert status(api, 1) == "off"


def test_a_later_command_overtakes_a_shutdown_under_way(make: Make) -> None:
    api = make({"servers": [{"name": "a", "id": 1, "shutdown_s": 60, "ipv4": "192.0.2.1"}]})
    api.post("servers/1/actions/shutdown")
    api.go(3)
    api.post("servers/1/actions/poweroff")
    api.go(2)
    api.post("servers/1/actions/poweron")
    api.go(300)
    assert status(api, 1) == "running"


def test_commands_that_change_nothing_succeed(api: Api) -> None:
    for path, wanted in (("servers/10/actions/poweron", "running"), ("servers/12/actions/poweroff", "off")):
        action = api.post(path).action
        assert status(api, int(path.split("/")[1])) == wanted
        api.go(2)
        assert api.ended(action)["status"] == "success"


@pytest.mark.parametrize("mode", ["refused", "action_fails"])
def test_a_server_without_any_interface_does_not_start(make: Make, mode: str) -> None:
    bare = {"servers": [{"name": "bare", "id": 1, "status": "off"}]}
    api = make(bare, switches=Switches(poweron_without_interface=mode))
    answer = api.post("servers/1/actions/poweron")
    api.go(2)
    if mode == "refused":
        assert answer.status == 422
    else:
        assert api.ended(answer.action)["status"] == "error"
    assert status(api, 1) == "off"


def test_a_private_interface_is_enough(api: Api) -> None:
    for ip in api.sim.state.primary_ips.values():
        ip.assignee_id = None
    assert api.post("servers/12/actions/poweron").status == 201


def test_a_failing_command_leaves_the_server_as_it_was(make: Make) -> None:
    api = make(faults=[Fault(fail_action={"code": "action_failed", "message": "no"})])
    api.post("servers/10/actions/poweroff")
    assert status(api, 10) == "stopping"
    api.go(2)
    assert status(api, 10) == "running"


def test_a_server_deleted_meanwhile_fails_the_action(api: Api) -> None:
    action = api.post("servers/12/actions/poweron").action
    api.sim.delete_server(12)
    api.go(2)
    assert api.ended(action)["status"] == "error"
