"""Who may get it, who may hold it: every row of the table, for every kind, with and without force."""

from __future__ import annotations

from typing import Any

import pytest

from hcloud_reassign.core.model import Request
from hcloud_reassign.simulator import Fault, Simulator
from tests.engine.samples import (
    ALIAS,
    ALIASED,
    FLOAT,
    PUBLIC,
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
    told,
    trio,
)
from tests.harness import Lab

every_kind = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
with_and_without_force = pytest.mark.parametrize("force", [False, True], ids=["plain", "force"])


@every_kind
@with_and_without_force
def test_what_the_target_has_is_unchanged_and_nothing_is_sent(sample: Sample, force: bool) -> None:
    lab = Lab(TRIO)
    result = only(run(lab, sample.section("srv-b", "srv-a"), Request(force=force)))
    assert told(result) == ("unchanged", 0, None)
    assert not lab.writes
    assert result.after == result.move.before


@every_kind
@with_and_without_force
def test_what_an_expected_holder_has_is_moved(sample: Sample, force: bool) -> None:
    lab = Lab(TRIO)
    result = only(run(lab, sample.section(), Request(force=force)))
    assert told(result) == ("done", 0, None)
    assert sample.holder(lab) == B
    assert result.after is not None and result.after.id == B


@every_kind
@with_and_without_force
def test_what_nobody_has_is_moved(sample: Sample, force: bool) -> None:
    lab = Lab(TRIO)
    sample.put(lab.sim, None)
    result = only(run(lab, sample.section(), Request(force=force)))
    assert told(result) == ("done", 0, None)
    assert sample.holder(lab) == B
    assert result.move.before is None


@every_kind
def test_what_somebody_else_has_is_refused_by_name(sample: Sample) -> None:
    lab = Lab(TRIO)
    sample.put(lab.sim, C)
    result = only(run(lab, sample.section()))
    assert told(result) == ("refused", 3, "holder")
    assert result.message is not None and "srv-c" in result.message
    assert result.next is not None and "--force" in result.next
    assert sample.holder(lab) == C
    assert not lab.writes


@every_kind
def test_what_somebody_else_has_is_moved_with_force(sample: Sample) -> None:
    lab = Lab(TRIO)
    sample.put(lab.sim, C)
    report = run(lab, sample.section(), Request(force=True))
    assert told(only(report)) == ("done", 0, None)
    assert sample.holder(lab) == B
    assert any("forced past holder" in warning for warning in report.warnings)


@every_kind
def test_without_a_source_anybody_may_hold_it(sample: Sample) -> None:
    lab = Lab(TRIO)
    sample.put(lab.sim, C)
    result = only(run(lab, sample.section(source="")))
    assert told(result) == ("done", 0, None)
    assert sample.holder(lab) == B


@every_kind
def test_every_member_may_hold_it(sample: Sample) -> None:
    lab = Lab(TRIO)
    sample.put(lab.sim, C)
    result = only(run(lab, sample.members("srv-a", "srv-b", "srv-c"), Request(to="srv-b")))
    assert told(result) == ("done", 0, None)
    assert sample.holder(lab) == B


@every_kind
@with_and_without_force
@pytest.mark.parametrize("status", [403, 410, 422])
def test_what_cannot_be_read_is_failed_and_never_taken_for_nobodys(sample: Sample, force: bool, status: int) -> None:
    fault = Fault("GET", sample.seen, status=status, times=None, code="service_error", message="out of order")
    lab = Lab(TRIO, faults=[fault])
    result = only(run(lab, sample.section(), Request(force=force)))
    assert told(result) == ("failed", 1, None)
    assert result.message is not None and "cannot tell" in result.message
    assert not lab.writes


@every_kind
@with_and_without_force
def test_servers_that_cannot_be_read_are_failed_too(sample: Sample, force: bool) -> None:
    lab = Lab(TRIO, faults=[Fault("GET", "/v1/servers*", status=410, times=None, message="out of order")])
    result = only(run(lab, sample.section(), Request(force=force)))
    assert told(result) == ("failed", 1, None)
    assert not lab.writes


def test_a_project_that_cannot_be_read_at_all_is_an_error_that_says_so() -> None:
    lab = Lab(TRIO, faults=[Fault("GET", "*", status=410, times=None, message="out of order")])
    report = run(lab, FLOAT.section())
    assert report.code == 1
    assert report.error is not None and "out of order" in report.error.message


@pytest.mark.parametrize("sample", [ALIASED, PUBLIC], ids=lambda sample: sample.type)
@with_and_without_force
def test_what_a_load_balancer_has_cannot_be_taken_from_it(sample: Sample, force: bool) -> None:
    balancer: dict[str, Any] = {"name": "lb", "id": 9001}
    if sample is ALIASED:
        balancer["networks"] = {"internal": {"ip": ALIAS}}
        servers = [{**server, "networks": {"internal": {"ip": f"10.0.1.{n}"}}} for n, server in zip(
            (2, 3, 4), TRIO["servers"], strict=True)]  # fmt: skip
        lab = Lab(trio(servers=servers, load_balancers=[balancer]))
    else:
        primary = [{"name": "public-web", "id": 701, "ip": "198.51.100.7", "load_balancer": "lb"}]
        lab = Lab(trio(load_balancers=[balancer], primary_ips=primary))
    result = only(run(lab, sample.section(source=""), Request(force=force)))
    assert told(result) == ("refused", 3, "holder")
    assert result.message is not None and "load balancer" in result.message
    assert not posts(lab)


@with_and_without_force
def test_an_assignee_of_an_unknown_kind_is_not_taken_for_a_server(force: bool) -> None:
    lab = Lab(TRIO)
    lab.sim.state.primary_ips[701].assignee_type = "quantum_server"
    result = only(run(lab, PUBLIC.section(source=""), Request(force=force)))
    assert told(result) == ("refused", 3, "holder")
    assert result.message is not None and "quantum_server" in result.message
    assert not lab.writes


@with_and_without_force
def test_a_servers_main_address_is_no_alias_ip_to_take(force: bool) -> None:
    lab = Lab(TRIO)
    ini = "[alias.vip]\ntype = ip_alias\nresource = 10.0.1.4\nnetwork = internal\ndestination = srv-b\n"
    result = only(run(lab, ini, Request(force=force)))
    assert told(result) == ("refused", 3, "holder")
    assert result.message is not None and "srv-c" in result.message
    assert not posts(lab)


@every_kind
def test_somebody_else_is_confirmed_by_a_second_read(sample: Sample) -> None:
    """A stale answer names srv-c; it has been at srv-a for some time."""
    lab = Lab(TRIO, faults=[Fault("GET", sample.seen, run=_moves_right_after(sample, C, A), when="before")])
    result = only(run(lab, sample.section()))
    assert told(result) == ("done", 0, None)
    assert sample.holder(lab) == B


def _moves_right_after(sample: Sample, first: int | None, then: int | None) -> Any:
    """The first reading finds one holder, every later one another."""

    def hook(sim: Simulator, _: Any) -> None:
        sample.put(sim, first)
        sim.faults.append(Fault("GET", sample.seen, run=lambda sim, _: sample.put(sim, then)))

    return hook


@every_kind
def test_nobody_is_confirmed_by_a_second_read(sample: Sample) -> None:
    lab = Lab(TRIO, faults=[Fault("GET", sample.seen, run=_moves_right_after(sample, None, B))])
    result = only(run(lab, sample.section()))
    assert told(result) == ("unchanged", 0, None)
    assert not posts(lab)


@every_kind
def test_nobody_that_turns_out_to_be_somebody_else_is_refused(sample: Sample) -> None:
    lab = Lab(TRIO, faults=[Fault("GET", sample.seen, run=_moves_right_after(sample, None, C))])
    result = only(run(lab, sample.section()))
    assert told(result) == ("refused", 3, "holder")
    assert sample.holder(lab) == C
    assert not posts(lab)


@every_kind
def test_a_second_read_that_fails_leaves_it_alone(sample: Sample) -> None:
    lab = Lab(TRIO)
    sample.put(lab.sim, None)
    first = 1 if sample is PUBLIC else 2
    lab.sim.faults = [
        Fault("GET", sample.seen if sample is not PUBLIC else "/v1/primary_ips/*", nth=first, times=None, status=410)
    ]
    result = only(run(lab, sample.section()))
    assert told(result) == ("failed", 1, None)
    assert sample.holder(lab) is None
    assert not posts(lab)


def test_network_members_that_cannot_be_read_do_not_make_nobody() -> None:
    lab = Lab(TRIO, faults=[Fault("GET", "/v1/networks/*/members", status=422, code="service_error", times=None)])
    ALIASED.put(lab.sim, None)
    result = only(run(lab, ALIASED.section()))
    assert told(result) == ("failed", 1, None)
    assert result.message is not None and "cannot tell" in result.message
    assert not posts(lab)


# Who can be named


@every_kind
@with_and_without_force
def test_a_target_that_is_not_listed_is_refused_even_with_force(sample: Sample, force: bool) -> None:
    lab = Lab(TRIO)
    result = only(run(lab, sample.section(), Request(to="srv-c", force=force)))
    assert told(result) == ("refused", 3, "not-listed")
    assert result.next is not None and "srv-a" in result.next and "srv-b" in result.next
    assert not lab.writes


@every_kind
def test_the_target_may_be_named_by_its_id(sample: Sample) -> None:
    lab = Lab(TRIO)
    assert told(only(run(lab, sample.section(), Request(to=str(B))))) == ("done", 0, None)
    assert sample.holder(lab) == B


@every_kind
def test_direction_src_brings_it_to_the_source(sample: Sample) -> None:
    lab = Lab(TRIO)
    sample.put(lab.sim, B)
    assert told(only(run(lab, sample.section(), Request(direction="src")))) == ("done", 0, None)
    assert sample.holder(lab) == A


@every_kind
def test_a_target_that_does_not_exist_is_a_usage_error_with_the_nearest_name(sample: Sample) -> None:
    lab = Lab(TRIO)
    result = only(run(lab, sample.section(destination="srv-bb")))
    assert told(result) == ("failed", 2, None)
    assert result.message is not None and "srv-b" in result.message
    assert not lab.writes


@every_kind
def test_a_source_that_is_gone_is_only_warned_about(sample: Sample) -> None:
    lab = Lab(TRIO)
    sample.put(lab.sim, None)
    report = run(lab, sample.section(source="srv-old"))
    assert told(only(report)) == ("done", 0, None)
    assert any("srv-old" in warning for warning in report.warnings)


@every_kind
def test_members_without_a_target_are_a_usage_error_when_named(sample: Sample) -> None:
    from hcloud_reassign.core.errors import UsageError

    lab = Lab(TRIO)
    with pytest.raises(UsageError, match="--to"):
        run(lab, sample.members("srv-a", "srv-b"), names=[sample.name])
    assert not lab.sim.requests


@every_kind
def test_members_without_a_target_are_left_out_with_a_warning_when_not_named(sample: Sample) -> None:
    lab = Lab(TRIO)
    report = run(lab, sample.members("srv-a", "srv-b"))
    assert report.code == 0 and not report.results
    assert any(sample.name in warning for warning in report.warnings)


@every_kind
def test_a_resource_that_does_not_exist_fails_its_own_assignment_alone(sample: Sample) -> None:
    lab = Lab(TRIO)
    other = FLOAT if sample is not FLOAT else ROUTE
    broken = sample.section().replace("public-web", "nothing").replace("= web", "= nothing")
    broken = broken.replace("resource = internal", "resource = nothing").replace("network = internal", "network = no")
    found = by_name(run(lab, broken + other.section()))
    assert told(found[sample.name]) == ("failed", 2, None)
    assert told(found[other.name]) == ("done", 0, None)


def test_two_names_of_one_resource_are_a_usage_error_before_anything_is_sent() -> None:
    lab = Lab(TRIO)
    report = run(lab, FLOAT.section() + FLOAT.section().replace("floating.web", "floating.same"))
    assert report.code == 2
    assert report.error is not None and "same resource" in report.error.message
    assert not lab.writes


def test_a_resource_that_matches_twice_is_refused_as_ambiguous() -> None:
    networks = [*TRIO["networks"], {**TRIO["networks"][0], "name": "second", "id": 4712, "routes": []}]
    lab = Lab(trio(networks=networks))
    result = only(run(lab, f"[alias.vip]\ntype = ip_alias\nresource = {ALIAS}\ndestination = srv-b\n"))
    assert told(result) == ("refused", 3, "ambiguous")
    assert result.message is not None and "4711" in result.message and "4712" in result.message
    assert not lab.writes
