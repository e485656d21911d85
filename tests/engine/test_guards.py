"""Every guard, on the whole program: what it refuses, what it says, and its way past."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hcloud_reassign.core.model import Request
from hcloud_reassign.simulator import Fault
from tests.engine.samples import (
    ALIASED,
    FLOAT,
    NETWORK,
    NOW_MS,
    PRIMARY,
    PUBLIC,
    QUICK,
    ROUTE,
    SAMPLES,
    TRIO,
    A,
    B,
    C,
    Sample,
    by_name,
    only,
    posts,
    run,
    statuses,
    told,
    triggered,
    trio,
    verbs,
    with_server,
)
from tests.harness import Lab

every_kind = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
quick_kinds = pytest.mark.parametrize("sample", QUICK, ids=lambda sample: sample.type)
FORCE = Request(force=True)


# destination-off


@quick_kinds
@pytest.mark.parametrize("status", ["off", "stopping", "deleting", "rebuilding"])
def test_a_target_that_cannot_serve_is_refused(sample: Sample, status: str) -> None:
    lab = Lab(with_server(TRIO, "srv-b", status=status))
    result = only(run(lab, sample.section()))
    assert told(result) == ("refused", 3, "destination-off")
    assert result.message is not None and "srv-b" in result.message and status in result.message
    assert not lab.writes


@quick_kinds
def test_a_target_that_is_off_takes_it_with_force(sample: Sample) -> None:
    lab = Lab(with_server(TRIO, "srv-b", status="off"))
    assert told(only(run(lab, sample.section(), FORCE))) == ("done", 0, None)
    assert sample.holder(lab) == B


@quick_kinds
@pytest.mark.parametrize("status", ["initializing", "starting", "migrating", "unknown"])
def test_other_odd_states_of_the_target_only_warn(sample: Sample, status: str) -> None:
    lab = Lab(with_server(TRIO, "srv-b", status=status))
    report = run(lab, sample.section())
    assert told(only(report)) == ("done", 0, None)
    assert any("srv-b" in warning and status in warning for warning in report.warnings)


@quick_kinds
def test_a_status_that_nobody_knows_yet_only_warns(sample: Sample) -> None:
    lab = Lab(TRIO)
    lab.sim.state.servers[B].status = "hibernating"
    report = run(lab, sample.section())
    assert told(only(report)) == ("done", 0, None)
    assert any("hibernating" in warning for warning in report.warnings)


def test_a_primary_ip_may_go_to_a_server_that_is_off_which_then_stays_off() -> None:
    lab = Lab(with_server(TRIO, "srv-b", status="off"))
    assert told(only(run(lab, PUBLIC.section()))) == ("done", 0, None)
    assert PUBLIC.holder(lab) == B
    assert statuses(lab)[B] == "off"


# veto


@every_kind
@pytest.mark.parametrize("force", [False, True])
def test_a_before_command_that_fails_vetoes_and_nothing_is_sent(sample: Sample, force: bool) -> None:
    lab = Lab(TRIO)
    result = only(run(lab, sample.section(more="before = /bin/false"), Request(force=force)))
    assert told(result) == ("refused", 3, "veto")
    assert not lab.writes


@every_kind
def test_a_before_command_that_succeeds_lets_it_pass(sample: Sample) -> None:
    lab = Lab(TRIO)
    assert told(only(run(lab, sample.section(more="before = /bin/true")))) == ("done", 0, None)


def test_a_before_command_that_cannot_be_run_vetoes() -> None:
    lab = Lab(TRIO)
    result = only(run(lab, FLOAT.section(more="before = /nonexistent/command")))
    assert told(result) == ("refused", 3, "veto")
    assert not lab.writes


def test_an_after_command_that_fails_is_only_warned_about() -> None:
    lab = Lab(TRIO)
    report = run(lab, FLOAT.section(more="after = /bin/false"))
    assert told(only(report)) == ("done", 0, None)
    assert any("after" in warning for warning in report.warnings)


def test_a_plan_runs_no_commands(tmp_path: Any) -> None:
    lab = Lab(TRIO)
    project = lab.project(FLOAT.section(more=f"before = touch {tmp_path}/touched"))
    report = project.plan([], Request())
    assert report.results[0].outcome == "pending"
    assert not (tmp_path / "touched").exists()


# zone


def test_a_floating_ip_of_another_network_zone_is_refused_and_moves_with_force() -> None:
    scenario = with_server(TRIO, "srv-b", location="ash", networks={})
    lab = Lab(scenario)
    result = only(run(lab, FLOAT.section()))
    assert told(result) == ("refused", 3, "zone")
    assert not lab.writes
    assert told(only(run(lab, FLOAT.section(), FORCE))) == ("done", 0, None)


@pytest.mark.parametrize("force", [False, True])
def test_a_primary_ip_never_leaves_its_location(force: bool) -> None:
    lab = Lab(with_server(TRIO, "srv-b", location="nbg1"))
    result = only(run(lab, PUBLIC.section(), Request(force=force)))
    assert told(result) == ("refused", 3, "zone")
    assert not lab.writes


# not-in-network


@pytest.mark.parametrize("sample", [ROUTE, ALIASED], ids=lambda sample: sample.type)
@pytest.mark.parametrize("force", [False, True])
def test_a_target_outside_the_network_is_refused(sample: Sample, force: bool) -> None:
    lab = Lab(with_server(TRIO, "srv-b", networks={}))
    result = only(run(lab, sample.section(), Request(force=force)))
    assert told(result) == ("refused", 3, "not-in-network")
    assert result.next is not None and "attach-to-network" in result.next
    assert not lab.writes


def test_a_gateway_of_no_server_only_warns() -> None:
    lab = Lab(TRIO)
    report = run(lab, ROUTE.section(destination="10.0.1.99"))
    assert told(only(report)) == ("done", 0, None)
    assert any("10.0.1.99" in warning for warning in report.warnings)


# reboot


def test_stopping_servers_needs_consent_from_the_file_or_the_command_line() -> None:
    bare = replace(PUBLIC, needs="")
    lab = Lab(TRIO)
    result = only(run(lab, bare.section()))
    assert told(result) == ("refused", 3, "reboot")
    assert result.message is not None and "srv-a" in result.message and "srv-b" in result.message
    assert result.next is not None and "--allow-poweroff" in result.next
    assert not lab.writes
    assert told(only(run(lab, bare.section(), FORCE))) == ("refused", 3, "reboot")
    assert told(only(run(lab, bare.section(), Request(allow_poweroff=True)))) == ("done", 0, None)


def test_between_stopped_servers_no_consent_is_needed() -> None:
    scenario = with_server(with_server(TRIO, "srv-b", status="off"), "srv-a", status="off")
    lab = Lab(scenario)
    assert told(only(run(lab, replace(PUBLIC, needs="").section()))) == ("done", 0, None)
    assert "shutdown" not in verbs(lab)
    assert statuses(lab) == {A: "off", B: "off", C: "running"}


# occupied


@pytest.mark.parametrize("force", [False, True])
def test_a_target_with_an_address_of_that_family_is_refused_until_it_may_be_detached(force: bool) -> None:
    lab = Lab(with_server(TRIO, "srv-b", ipv4="198.51.100.9"))
    result = only(run(lab, PUBLIC.section(), Request(force=force)))
    assert told(result) == ("refused", 3, "occupied")
    assert result.message is not None and "198.51.100.9" in result.message
    assert not lab.writes
    assert told(only(run(lab, PUBLIC.section(more="occupied = detach")))) == ("done", 0, None)
    assert PUBLIC.holder(lab) == B


def test_an_address_of_the_other_family_does_not_occupy() -> None:
    lab = Lab(with_server(TRIO, "srv-b", ipv6="2001:db8:b::/64"))
    assert told(only(run(lab, PUBLIC.section()))) == ("done", 0, None)


# no-interface


def _only_public(more: dict[str, Any] | None = None) -> dict[str, Any]:
    """srv-a has nothing but public-web."""
    primary = [{"name": "public-web", "id": PRIMARY, "ip": "198.51.100.7", "server": "srv-a"}]
    return with_server(trio(primary_ips=primary), "srv-a", networks={}, **(more or {}))


@pytest.mark.parametrize("force", [False, True])
def test_a_source_that_could_not_start_again_is_refused(force: bool) -> None:
    lab = Lab(_only_public())
    result = only(run(lab, PUBLIC.section(), Request(force=force)))
    assert told(result) == ("refused", 3, "no-interface")
    assert not lab.writes


def test_leave_off_moves_it_and_leaves_the_source_off() -> None:
    lab = Lab(_only_public())
    assert told(only(run(lab, PUBLIC.section(more="leave_off = yes")))) == ("done", 0, None)
    assert statuses(lab)[A] == "off" and statuses(lab)[B] == "running"
    assert not [key for key in PUBLIC.labels(lab) if key.startswith("hcloud-reassign/")]


def test_leave_off_starts_a_source_that_can_start() -> None:
    lab = Lab(TRIO)
    assert told(only(run(lab, PUBLIC.section(more="leave_off = yes")))) == ("done", 0, None)
    assert statuses(lab)[A] == "running"


def test_taking_both_families_at_once_counts_as_leaving_no_interface() -> None:
    lab = Lab(with_server(trio(), "srv-a", networks={}))
    second = PUBLIC.section().replace("public.web", "public.web6").replace("public-web", "public-web6")
    found = by_name(run(lab, PUBLIC.section() + second))
    assert {told(result) for result in found.values()} == {("refused", 3, "no-interface")}
    assert not lab.writes


def test_both_families_leave_the_source_off_also_when_they_are_judged_once_more() -> None:
    lab = Lab(with_server(trio(), "srv-a", networks={}), latency_s=0.7)
    second = PUBLIC.section(more="leave_off = yes").replace("public.web", "public.web6")
    sections = PUBLIC.section(more="leave_off = yes") + second.replace("public-web", "public-web6")
    found = by_name(run(lab, sections))
    assert {told(result) for result in found.values()} == {("done", 0, None)}
    assert (statuses(lab)[A], statuses(lab)[B]) == ("off", "running")


# lb-target


@pytest.mark.parametrize("force", [False, True])
def test_a_load_balancers_target_is_refused(force: bool) -> None:
    lab = Lab(trio(load_balancers=[{"name": "lb", "targets": [{"server": "srv-a"}]}]))
    result = only(run(lab, PUBLIC.section(), Request(force=force)))
    assert told(result) == ("refused", 3, "lb-target")
    assert result.message is not None and "lb" in result.message
    assert not lab.writes


def test_a_target_reached_over_the_private_network_is_no_hindrance() -> None:
    balancer: dict[str, Any] = {"name": "lb", "networks": {"internal": {"ip": "10.0.1.200"}}}
    balancer["targets"] = [{"server": "srv-a", "use_private_ip": True}]
    lab = Lab(trio(load_balancers=[balancer]))
    assert told(only(run(lab, PUBLIC.section()))) == ("done", 0, None)


def test_an_address_to_be_displaced_that_a_load_balancer_targets_is_refused_before_anything_is_stopped() -> None:
    scenario = with_server(TRIO, "srv-b", ipv4="198.51.100.9")
    lab = Lab({**scenario, "load_balancers": [{"name": "lb", "targets": [{"server": "srv-b"}]}]})
    result = only(run(lab, PUBLIC.section(more="occupied = detach")))
    assert told(result) == ("refused", 3, "lb-target")
    assert not lab.writes


# unfinished


def test_another_move_that_was_begun_is_refused_with_the_commands_that_end_it() -> None:
    lab = Lab(TRIO)
    lab.sim.state.primary_ips[PRIMARY].labels["hcloud-reassign/intention"] = f"{A}-on.{B}-on.0"
    section = PUBLIC.members("srv-a", "srv-b", "srv-c")
    result = only(run(lab, section, Request(to="srv-c", force=True)))
    assert told(result) == ("refused", 3, "unfinished")
    assert result.next is not None and "--to srv-b" in result.next and "--to srv-a" in result.next
    assert not lab.writes
    assert told(only(run(lab, section, Request(to="srv-b")))) == ("done", 0, None)
    assert "hcloud-reassign/intention" not in PUBLIC.labels(lab)


def test_a_label_that_is_no_intention_is_not_one() -> None:
    lab = Lab(TRIO)
    lab.sim.state.primary_ips[PRIMARY].labels["hcloud-reassign/intention"] = "garbage"
    assert told(only(run(lab, PUBLIC.section()))) == ("done", 0, None)
    assert PUBLIC.holder(lab) == B


# late


@every_kind
def test_a_triggered_request_older_than_max_age_is_refused(sample: Sample) -> None:
    lab = Lab(TRIO)
    result = only(run(lab, sample.section(), triggered(301, force=True)))
    assert told(result) == ("refused", 3, "late")
    assert result.message is not None and "301 s old" in result.message
    assert not lab.writes


@every_kind
def test_the_age_that_a_trigger_gives_counts(sample: Sample) -> None:
    lab = Lab(TRIO)
    assert told(only(run(lab, sample.section(), triggered(100, age_ms=201_000)))) == ("refused", 3, "late")
    assert told(only(run(lab, sample.section(), triggered(100, age_ms=100_000)))) == ("done", 0, None)


def test_a_section_may_allow_another_age() -> None:
    lab = Lab(TRIO)
    assert told(only(run(lab, FLOAT.section(more="max_age = 10m"), triggered(400)))) == ("done", 0, None)
    assert told(only(run(lab, FLOAT.section("srv-b", "srv-a", "max_age = 5"), triggered(7)))) == ("refused", 3, "late")


def test_the_age_is_told_by_the_apis_clock() -> None:
    """This machine's clock is an hour behind."""
    lab = Lab(TRIO)
    project = lab.project(FLOAT.section())
    wall = lab.clock.wall
    lab.clock.wall = lambda: wall() - 3600  # type: ignore[method-assign]
    lab.sim._clock = wall
    assert told(project.run([], triggered(1)).results[0]) == ("done", 0, None)
    result = lab.project(FLOAT.section("srv-b", "srv-a")).run([], triggered(301)).results[0]
    assert told(result) == ("refused", 3, "late")


@every_kind
def test_a_request_that_a_newer_one_overtook_is_refused(sample: Sample) -> None:
    lab = Lab(TRIO)
    sample.labels(lab)[sample.claim] = f"{NOW_MS - 500}.{sample.keys[A]}"
    result = only(run(lab, sample.section(), triggered(1, force=True)))
    assert told(result) == ("refused", 3, "late")
    assert result.message is not None and "overtaken" in result.message
    assert ("10.0.1.2" if sample is ROUTE else "srv-a") in result.message
    assert not lab.writes


# cooldown


@every_kind
def test_a_move_back_too_soon_is_refused_and_says_when_it_may(sample: Sample) -> None:
    lab = Lab(TRIO)
    assert told(only(run(lab, sample.section(more="cooldown = 60"), triggered(1)))) == ("done", 0, None)
    lab.clock.advance(5)
    passed = lab.clock.wall() - NOW_MS / 1000 + 1
    request = Request(direction="src", issued_at_ms=int(lab.clock.wall() * 1000))
    before = len(lab.writes)
    result = only(run(lab, sample.section(more="cooldown = 60"), request))
    assert told(result) == ("refused", 3, "cooldown")
    assert result.retry_after_s is not None and abs(result.retry_after_s - (60 - passed)) <= 2
    assert len(lab.writes) == before
    lab.clock.advance(result.retry_after_s)
    request = Request(direction="src", issued_at_ms=int(lab.clock.wall() * 1000))
    assert told(only(run(lab, sample.section(more="cooldown = 60"), request))) == ("done", 0, None)


@every_kind
def test_force_passes_the_cooldown(sample: Sample) -> None:
    lab = Lab(TRIO)
    section = sample.section(more="cooldown = 60")
    assert told(only(run(lab, section))) == ("done", 0, None)
    assert told(only(run(lab, section, Request(direction="src")))) == ("refused", 3, "cooldown")
    assert told(only(run(lab, section, Request(direction="src", force=True)))) == ("done", 0, None)
    assert sample.holder(lab) == A


@every_kind
def test_the_cooldown_is_only_against_going_back(sample: Sample) -> None:
    lab = Lab(TRIO)
    section = sample.members("srv-a", "srv-b", "srv-c", more="cooldown = 60")
    assert told(only(run(lab, section, Request(to="srv-b")))) == ("done", 0, None)
    assert told(only(run(lab, section, Request(to="srv-c")))) == ("done", 0, None)
    assert told(only(run(lab, section, Request(to="srv-b")))) == ("refused", 3, "cooldown")


# held


@every_kind
def test_what_an_operator_holds_refuses_triggers_and_warns_people(sample: Sample) -> None:
    lab = Lab(TRIO)
    key = "hcloud-reassign/held-until"
    if sample.claim != "hcloud-reassign/claim":
        key += "." + sample.claim.partition("/")[2]
    sample.labels(lab)[key] = str(NOW_MS + 60_000)
    result = only(run(lab, sample.section(), triggered(1)))
    assert told(result) == ("refused", 3, "held")
    assert result.next is not None and "unhold" in result.next
    assert not lab.writes
    report = run(lab, sample.section())
    assert told(only(report)) == ("done", 0, None)
    assert any("holds it" in warning for warning in report.warnings)
    assert sample.labels(lab)[key] == str(NOW_MS + 60_000)


@every_kind
def test_a_hold_that_is_over_holds_nothing(sample: Sample) -> None:
    lab = Lab(TRIO)
    lab.sim.state.floating_ips[501].labels["hcloud-reassign/held-until"] = str(NOW_MS - 1)
    assert told(only(run(lab, sample.section(), triggered(1)))) == ("done", 0, None)


# own-path


def _on_srv_a(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hcloud_reassign.engine.borders.this_server", lambda: A)


def test_a_default_route_is_not_moved_from_a_server_that_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab(trio(primary_ips=[]))
    _on_srv_a(lab, monkeypatch)
    result = only(run(lab, ROUTE.section()))
    assert told(result) == ("refused", 3, "own-path")
    assert not lab.writes
    assert told(only(run(lab, ROUTE.section(), FORCE))) == ("done", 0, None)


def test_a_default_route_is_moved_from_a_server_with_a_public_address(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab(TRIO)
    _on_srv_a(lab, monkeypatch)
    assert told(only(run(lab, ROUTE.section()))) == ("done", 0, None)


@pytest.mark.parametrize("force", [False, True])
def test_no_server_stops_itself(monkeypatch: pytest.MonkeyPatch, force: bool) -> None:
    lab = Lab(TRIO)
    _on_srv_a(lab, monkeypatch)
    result = only(run(lab, PUBLIC.section(), Request(force=force)))
    assert told(result) == ("refused", 3, "own-path")
    assert not lab.writes


# too-many


@every_kind
def test_more_moves_in_an_hour_than_allowed_are_refused(sample: Sample) -> None:
    lab = Lab(TRIO)
    section = sample.section(more="max_moves_per_hour = 2")
    for request in (Request(), Request(direction="src")):
        assert told(only(run(lab, section, request))) == ("done", 0, None)
    result = only(run(lab, section))
    assert told(result) == ("refused", 3, "too-many")
    assert result.message is not None and "2 times" in result.message
    assert told(only(run(lab, section, FORCE))) == ("done", 0, None)
    lab.clock.advance(3600)
    assert told(only(run(lab, section, Request(direction="src")))) == ("done", 0, None)


# digest


@every_kind
def test_a_plan_that_was_approved_is_carried_out_and_another_is_not(sample: Sample) -> None:
    lab = Lab(TRIO)
    digest = lab.project(sample.section()).plan([], Request()).digest
    assert not lab.writes
    sample.put(lab.sim, None)
    result = only(run(lab, sample.section(), Request(expect_digest=digest, force=True)))
    assert told(result) == ("refused", 3, "digest")
    assert not lab.writes
    sample.put(lab.sim, A)
    assert told(only(run(lab, sample.section(), Request(expect_digest=digest)))) == ("done", 0, None)


@quick_kinds
def test_a_holder_that_changes_after_the_approval_is_refused_even_while_it_waits(sample: Sample) -> None:
    lab = Lab(TRIO)
    section = sample.members("srv-a", "srv-b", "srv-c")
    digest = lab.project(section).plan([], Request(to="srv-b")).digest
    busy = Fault("POST", sample.path, status=423 if sample is not ROUTE else 409, run=sample.to(C))
    lab.sim.faults = [busy]
    result = only(run(lab, section, Request(to="srv-b", expect_digest=digest)))
    assert told(result) == ("refused", 3, "digest")
    assert sample.holder(lab) == C


# group


def test_one_refused_member_keeps_the_whole_group_back() -> None:
    lab = Lab(TRIO)
    ALIASED.put(lab.sim, C)
    group = "[group.web]\nmembers = floating.web, alias.vip, route.default\n"
    found = by_name(run(lab, FLOAT.section() + ALIASED.section() + ROUTE.section() + group, names=["group.web"]))
    assert told(found["alias.vip"]) == ("refused", 3, "holder")
    assert told(found["floating.web"]) == told(found["route.default"]) == ("refused", 3, "group")
    assert found["floating.web"].message is not None and "alias.vip" in found["floating.web"].message
    assert not lab.writes


def test_a_veto_of_one_member_keeps_the_whole_group_back() -> None:
    lab = Lab(TRIO)
    group = "[group.web]\nmembers = floating.web, alias.vip\n"
    found = by_name(
        run(lab, FLOAT.section() + ALIASED.section(more="before = /bin/false") + group, names=["group.web"])
    )
    assert told(found["alias.vip"]) == ("refused", 3, "veto")
    assert told(found["floating.web"]) == ("refused", 3, "group")
    assert not lab.writes


def test_a_target_that_one_member_does_not_know_keeps_the_whole_group_back() -> None:
    lab = Lab(with_server(TRIO, "srv-b", networks={}))
    group = "[group.web]\nmembers = floating.web, alias.vip\n"
    found = by_name(run(lab, FLOAT.section() + ALIASED.section() + group, Request(to="srv-b"), names=["group.web"]))
    assert told(found["alias.vip"]) == ("refused", 3, "not-in-network")
    assert told(found["floating.web"]) == ("refused", 3, "group")
    assert not lab.writes


def test_independent_assignments_do_not_stop_each_other() -> None:
    lab = Lab(TRIO)
    ALIASED.put(lab.sim, C)
    report = run(lab, FLOAT.section() + ALIASED.section() + ROUTE.section())
    found = by_name(report)
    assert told(found["alias.vip"]) == ("refused", 3, "holder")
    assert told(found["floating.web"]) == told(found["route.default"]) == ("done", 0, None)
    assert report.code == 3


def test_all_guards_are_judged_before_the_first_write() -> None:
    lab = Lab(TRIO)
    lab.sim.state.networks[NETWORK].routes.clear()
    run(lab, FLOAT.section() + ROUTE.section())
    first_write = next(place for place, request in enumerate(lab.sim.requests) if request.method != "GET")
    reads = [request.path for request in lab.sim.requests[:first_write]]
    assert reads.count("/v1/networks/4711") == 1, "the second read of what nobody has"
    assert posts(lab)
