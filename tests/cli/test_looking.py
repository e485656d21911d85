"""Status, holds, checks and the inventory on a virtual clock, in process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hcloud_reassign.core.errors import AccessError, FailedError
from hcloud_reassign.core.model import Request
from hcloud_reassign.engine.lastmove import journalled
from hcloud_reassign.project import Project, bare_project
from hcloud_reassign.simulator import Fault
from hcloud_reassign.simulator.model import FloatingIp
from tests.harness import READ_ONLY, TOKEN, URL, Lab

INI = """\
[client]
project = prod

[floating.web]
type        = ip_floating
resource    = web
source      = srv-a
destination = srv-b

[alias.vip]
type        = ip_alias
resource    = 10.0.1.100
network     = internal
members     = srv-a, srv-b

[route.lan]
type        = route
network     = 192.168.77.0/24
resource    = internal
destination = srv-a
"""


def bare(lab: Lab) -> Project:
    from hcloud_reassign.project import Overrides

    return bare_project("x.ini", Overrides(token=TOKEN, api_url=URL), equipment=lab.equipment())


def states(project: Project, **more: Any) -> dict[str, str | None]:
    return {standing.name: standing.state for standing in project.status(**more).standings}


def test_without_a_source_anybody_is_where_it_may_come_from() -> None:
    assert states(Lab().project(INI))["route.lan"] == "at-source"


def test_nobody_is_read_a_second_time_before_it_is_said() -> None:
    lab = Lab()
    lab.sim.state.servers[10].private_net[0].alias_ips.remove("10.0.1.100")
    project = lab.project(INI)
    assert states(project)["alias.vip"] == "nobody"
    asked = [request.path for request in lab.sim.requests]
    assert asked.count("/v1/servers") == 2
    assert "/v1/networks/4711/members" in asked


def test_a_source_that_is_gone_is_no_reason_to_fail() -> None:
    lab = Lab()
    lab.sim.delete_server(10)
    status = lab.project(INI).status(["floating.web"])
    assert (status.standings[0].state, status.code) == ("nobody", 0)


def test_two_things_of_one_name_are_unreadable() -> None:
    lab = Lab()
    lab.sim.state.floating_ips[599] = FloatingIp(599, "web", "192.0.2.99", "ipv4")
    (standing,) = lab.project(INI).status(["floating.web"]).standings
    assert standing.state == "unreadable"
    assert "name it by its id" in str(standing.message)


def test_looking_again_asks_for_last_moves_only_when_a_holder_changed() -> None:
    lab = Lab()
    look = lab.project(INI).looking(["floating.web"])

    def actions() -> int:
        return sum(request.path.endswith("/actions") for request in lab.sim.requests)

    look()
    look()
    assert actions() == 1
    lab.sim.state.floating_ips[501].server_id = 11
    assert look().standings[0].state == "at-destination"
    assert actions() == 2


def test_looking_again_has_its_whole_time_again() -> None:
    lab = Lab()
    look = lab.project(INI).looking()
    for _ in range(5):
        look()
        lab.clock.advance(60)


def test_a_look_gives_up_long_before_a_run_would() -> None:
    lab = Lab(faults=[Fault(path="*", times=None, status=503)])
    with pytest.raises(FailedError):
        lab.project(INI).status()
    assert lab.clock.monotonic() <= 21


def test_a_look_with_a_wrong_token_raises() -> None:
    with pytest.raises(AccessError):
        Lab().project(INI, token="wrong").status()


def test_a_kind_that_cannot_be_listed_is_told_beside_the_others() -> None:
    lab = Lab(faults=[Fault(path="/v1/primary_ips", times=None, status=503)])
    status = lab.project(INI).status(everything=True)
    by_name = {standing.name: standing for standing in status.standings}
    assert by_name["all of ip_public"].state == "unreadable"
    assert by_name["floating.web6"].state is None
    assert status.code == 1


def test_a_run_from_here_is_remembered_with_who_and_a_later_one_from_elsewhere_without(home: Path) -> None:
    lab = Lab()
    project = lab.project(INI, by="alice")
    project.run(["floating.web"], Request())
    last = project.status(["floating.web"]).standings[0].last_move
    assert last is not None
    assert (last.server, last.who) == ("srv-b", "alice")
    lab.clock.advance(10)
    other = lab.project(INI, environ={"HCLOUD_REASSIGN_STATE": str(home / "elsewhere")})
    other.run(["floating.web"], Request(direction="src"))
    last = project.status(["floating.web"]).standings[0].last_move
    assert last is not None
    assert (last.server, last.who) == ("srv-a", None)


def test_a_route_has_its_last_move_from_the_journal() -> None:
    lab = Lab()
    project = lab.project(INI, by="alice")
    project.run(["route.lan"], Request())
    last = project.status(["route.lan"]).standings[0].last_move
    assert last is not None
    assert (last.command, last.server, last.who) == ("run", "srv-a", "alice")


def test_a_journal_with_holes_is_read() -> None:
    assert journalled([{}, {"event": "move.done"}, {"event": "move.done", "outcome": "done"}]) == {}


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_hold_whose_answer_was_lost_is_looked_up(drop: Any) -> None:
    lab = Lab(faults=[Fault(method="PUT", drop=drop)])
    (held,) = lab.project(INI).hold("floating.web", 3600)
    assert held.code == 0
    assert lab.sim.state.floating_ips[501].labels["hcloud-reassign/held-until"] == str(held.until_ms)
    assert len(lab.writes) == (2 if drop == "before" else 1)


def test_a_hold_that_never_gets_through_is_failed() -> None:
    lab = Lab(faults=[Fault(method="PUT", times=None, status=409, code="conflict")])
    (held,) = lab.project(INI).hold("floating.web", 3600)
    assert (held.code, held.until_ms) == (1, None)
    assert "was not written" in str(held.message)


def test_a_hold_ends_by_the_clock_of_the_api() -> None:
    lab = Lab()
    (held,) = lab.project(INI).hold("floating.web", 60)
    assert held.until_ms is not None
    assert abs(held.until_ms - lab.clock.wall() * 1000 - 60_000) < 2000


def test_a_hold_that_is_over_is_none() -> None:
    lab = Lab()
    project = lab.project(INI)
    project.hold("floating.web", 60)
    assert states(project)["floating.web"] == "held"
    lab.clock.advance(70)
    assert states(project)["floating.web"] == "at-source"


def test_what_is_free_already_is_not_written() -> None:
    lab = Lab()
    lab.project(INI).hold("floating.web", None)
    assert lab.writes == []


def test_a_probe_writes_once_and_what_was_there() -> None:
    lab = Lab()
    lab.sim.state.floating_ips[501].labels["team"] = "web"
    findings = lab.project(INI).check(probe_write=True)
    assert findings[-1].message == "the token may write (tried on web)"
    (write,) = lab.writes
    assert b'"team": "web"' in write.body


def test_a_probe_with_a_read_only_token_changes_nothing() -> None:
    lab = Lab()
    finding = lab.project(INI, token=READ_ONLY).check(probe_write=True)[-1]
    assert (finding.level, finding.exit) == ("error", 4)


def test_a_check_asks_each_class_of_objects_once() -> None:
    lab = Lab()
    lab.project(INI).check()
    asked = [request.path for request in lab.sim.requests]
    assert len(asked) == len(set(asked)) == 3


def test_the_inventory_of_a_big_project_is_written_short() -> None:
    lab = Lab("fifty")
    drafts = bare(lab).inventory()
    assert len({draft.name for draft in drafts}) == len(drafts)
    assert all(draft.holder or draft.others for draft in drafts)


def test_names_that_ini_does_not_take_become_ids() -> None:
    lab = Lab()
    lab.sim.state.floating_ips[501].name = "web ; [x]"
    lab.sim.state.floating_ips[502].name = "web , [x]"
    lab.sim.state.servers[10].name = " srv #1"
    drafts = {draft.name: draft for draft in bare(lab).inventory()}
    assert dict(drafts["floating.web-x"].keys)["resource"] == "501"
    assert drafts["floating.web-x"].holder == "10"
    assert "floating.web-x-2" in drafts


def test_everything_of_one_name_is_told_apart_by_id() -> None:
    lab = Lab()
    lab.sim.state.floating_ips[502].name = "web"
    resources = {dict(draft.keys)["resource"] for draft in bare(lab).inventory() if draft.name.startswith("floating")}
    assert resources == {"501", "502"}


def test_what_init_writes_is_read_back_as_it_was_meant() -> None:
    from hcloud_reassign.cli.inifile import ini

    lab = Lab()
    lab.sim.state.floating_ips[501].server_id = None
    project = lab.project(ini(bare(lab).inventory(), None))
    found = {standing.name: standing.state for standing in project.status(everything=True).standings}
    assert found.pop("floating.web") == "nobody"
    assert set(found.values()) == {"member"}


def test_a_hold_tells_what_is_wrong_with_each_of_a_group() -> None:
    lab = Lab(faults=[Fault(path="/v1/networks", times=None, status=503)])
    lab.sim.state.floating_ips[599] = FloatingIp(599, "web", "192.0.2.99", "ipv4")
    text = INI.replace(
        "[floating.web]", "[floating.gone]\ntype = ip_floating\nresource = gone\ndestination = srv-b\n\n[floating.web]"
    )
    project = lab.project(text + "\n[group.all]\nmembers = floating.gone, floating.web, route.lan\n")
    held = {item.name: (int(item.code), item.message) for item in project.hold("all", 60)}
    assert held["floating.gone"] == (2, "there is no floating IP 'gone'")
    assert held["floating.web"][0] == held["route.lan"][0] == 1
    assert "name it by its id" in str(held["floating.web"][1])
    assert "cannot be read" in str(held["route.lan"][1])
    assert lab.writes == []


def test_a_check_tells_what_is_wrong_with_each_section() -> None:
    lab = Lab(faults=[Fault(path="/v1/networks", times=None, status=503)])
    lab.sim.state.floating_ips[599] = FloatingIp(599, "web", "192.0.2.99", "ipv4")
    told = {finding.section: finding for finding in lab.project(INI).check()}
    assert (told["floating.web"].code, told["floating.web"].fix) == ("ambiguous", "name it by its id")
    assert told["route.lan"].code == told["alias.vip"].code == "unreadable"


def test_a_probe_that_does_not_get_through_is_no_answer() -> None:
    lab = Lab(faults=[Fault(method="PUT", times=None, status=409, code="conflict")])
    finding = lab.project(INI).check(probe_write=True)[-1]
    assert (finding.level, finding.exit) == ("error", 1)
    assert "could not be tried" in finding.message


def test_a_probe_needs_something_to_write_to() -> None:
    lab = Lab()
    lab.sim.state.floating_ips.clear()
    lab.sim.state.networks.clear()
    finding = lab.project(INI).check(probe_write=True)[-1]
    assert (finding.level, finding.code) == ("warning", "token")


def test_a_file_without_sections_is_worth_a_word() -> None:
    (finding,) = Lab().project("[client]\nproject = x\n").check(offline=True)[-1:]
    assert finding.code == "empty"
