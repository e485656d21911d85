"""Actions: their shape, their time, and how they are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.simulator.conftest import Api, Make


def test_a_write_answers_201_with_a_running_action_that_ends_by_the_clock(api: Api) -> None:
    answer = api.post("floating_ips/501/actions/assign", {"server": 11})
    assert answer.status == 201
    assert answer.action == {
        "id": 900001,
        "command": "assign_floating_ip",
        "status": "running",
        "progress": 0,
        "started": "2027-01-15T08:00:00Z",
        "finished": None,
        "resources": [{"id": 11, "type": "server"}, {"id": 501, "type": "floating_ip"}],
        "error": None,
    }
    api.go(1)
    assert api.ended(answer.action)["progress"] == 50
    api.go(1)
    done = api.ended(answer.action)
    assert (done["status"], done["progress"], done["finished"]) == ("success", 100, "2027-01-15T08:00:02Z")


def test_the_holder_changes_when_the_action_succeeds_and_not_before(api: Api) -> None:
    api.post("floating_ips/501/actions/assign", {"server": 11})
    api.go(1.9)
    assert api.get("floating_ips/501").data["floating_ip"]["server"] == 10
    api.go(0.1)
    assert api.get("floating_ips/501").data["floating_ip"]["server"] == 11
    assert api.get("servers/11").data["server"]["public_net"]["floating_ips"] == [501]


def test_an_action_that_takes_no_time_is_answered_as_done(make: Make) -> None:
    api = make(action_time=(0, 0))
    assert api.post("floating_ips/501/actions/assign", {"server": 11}).action["status"] == "success"
    assert api.sim.state.floating_ips[501].server_id == 11


def test_default_times_differ_by_command_and_are_short_enough_for_a_demonstration(make: Make) -> None:
    api = make(action_time=None)
    api.post("floating_ips/501/actions/assign", {"server": 11})
    due = api.sim.next_event()
    assert due is not None
    assert 0.1 <= due - api.clock.now <= 0.6


def test_ids_rise_strictly(make: Make) -> None:
    api = make(action_time=(0, 0))
    ids = [api.post("floating_ips/501/actions/assign", {"server": server}).action["id"] for server in (11, 12, 10)]
    assert ids == sorted(set(ids))


def test_several_actions_are_read_at_once_without_meta_and_unknown_ids_are_left_out(api: Api) -> None:
    first = api.post("floating_ips/501/actions/assign", {"server": 11}).action["id"]
    second = api.post("networks/4711/actions/delete_route", {"destination": "0.0.0.0/0", "gateway": "10.0.1.2"}).action
    data = api.get("actions", ("id", str(second["id"])), ("id", str(first)), ("id", "1")).data
    assert [item["id"] for item in data["actions"]] == [first, second["id"]]
    assert list(data) == ["actions"]


def test_all_actions_cannot_be_listed(api: Api) -> None:
    answer = api.get("actions")
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert api.get("actions", ("id", "x")).status == 422


def test_more_than_a_page_of_actions_is_cut_off(make: Make) -> None:
    api = make(action_time=(0, 0))
    ids = [api.post("servers/12/actions/poweroff").action["id"] for _ in range(30)]
    assert len(api.get("actions", *(("id", str(one)) for one in ids)).data["actions"]) == 25


def test_actions_of_a_resource_are_filtered_sorted_and_paged(api: Api) -> None:
    for server in (11, 12):
        api.post("floating_ips/501/actions/assign", {"server": server})
        api.go(5)
    api.post("floating_ips/501/actions/assign", {"server": 10})
    for path in ("floating_ips/501/actions", "floating_ips/actions", "servers/10/actions"):
        data = api.get(path, ("status", "running")).data
        assert [item["status"] for item in data["actions"]] == ["running"], path
        assert data["meta"]["pagination"]["total_entries"] == 1
    newest = api.get("floating_ips/501/actions", ("sort", "started:desc"), ("per_page", "1")).data["actions"]
    assert newest[0]["resources"][0] == {"id": 10, "type": "server"}
    assert api.get("floating_ips/502/actions").data["actions"] == []
    assert len(api.get("floating_ips/actions", ("id", "900001")).data["actions"]) == 1
    assert api.get("floating_ips/501/actions/900001").data["action"]["id"] == 900001
    assert api.get("floating_ips/actions/900001").data["action"]["id"] == 900001
    assert api.get("floating_ips/501/actions", ("status", "done")).status == 422


def test_what_has_not_finished_sorts_last(api: Api) -> None:
    api.post("servers/12/actions/poweron")
    api.go(5)
    api.post("servers/12/actions/poweroff")
    found = api.get("servers/12/actions", ("sort", "finished")).data["actions"]
    assert [item["status"] for item in found] == ["success", "running"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("floating_ips/501/actions/assign", {"server": 12}),
        ("floating_ips/501/actions/unassign", None),
        ("floating_ips/502/actions/assign", {"server": 11}),
        ("servers/10/actions/poweroff", None),
        ("servers/11/actions/shutdown", None),
        ("servers/10/actions/change_alias_ips", {"network": 4711, "alias_ips": []}),
        ("primary_ips/701/actions/unassign", None),
    ],
)
def test_what_a_running_action_touches_is_locked_until_it_ends(api: Api, path: str, body: object) -> None:
    api.post("floating_ips/501/actions/assign", {"server": 11})
    assert api.get("servers/10").data["server"]["locked"] is True
    answer = api.post(path, body)
    assert (answer.status, answer.code) == (423, "locked")
    api.go(2)
    assert api.get("servers/10").data["server"]["locked"] is False
    assert api.post(path, body).status != 423


def test_the_lock_s_message_is_the_one_seen_in_the_wild(api: Api) -> None:
    api.post("servers/12/actions/poweron")
    assert api.post("servers/12/actions/poweroff").message == "cannot perform operation because server is locked"


def test_other_servers_are_not_locked(api: Api) -> None:
    api.post("floating_ips/501/actions/assign", {"server": 11})
    assert api.post("servers/12/actions/poweron").status == 201


def test_somebody_may_end_a_running_action_either_way(api: Api) -> None:
    first = api.post("floating_ips/501/actions/assign", {"server": 11}).action
    api.sim.finish_action(first["id"], ("unknown_error", "server is locked"))
    assert api.ended(first)["error"] == {"code": "unknown_error", "message": "server is locked"}
    second = api.post("floating_ips/501/actions/assign", {"server": 11}).action
    api.sim.finish_action(second["id"])
    assert api.sim.state.floating_ips[501].server_id == 11
    api.go(10)
    assert api.ended(first)["status"] == "error"
