"""SIGKILL between any two API calls, and the same command again, from another machine: it must converge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hcloud_reassign.chain import Report
from hcloud_reassign.core.model import Request
from hcloud_reassign.simulator import Fault
from tests.engine.samples import (
    ALIAS,
    ALIASED,
    FLOAT,
    PRIMARY,
    PUBLIC,
    QUICK,
    ROUTE,
    TRIO,
    A,
    B,
    C,
    Sample,
    aliases,
    only,
    run,
    statuses,
    told,
    triggered,
    with_server,
)
from tests.harness import Killed, Lab

INTENTION = "hcloud-reassign/intention"
OWN = 7100
"""The primary IP that srv-b has of its own, where it has one."""

Make = Callable[[], Lab]


def quick_lab(scenario: Mapping[str, Any] = TRIO) -> Lab:
    """A project whose actions end before they are asked for the second time: fewer calls to be killed at."""
    return Lab(scenario, action_time=(0.05, 0.15))


def killed_labs(
    make: Make, ini: str, request: Request, wait_s: float, ways: tuple[str, ...] = ("after",)
) -> Iterator[tuple[str, Lab]]:
    """The same run again and again, killed one API call later each time: before it is sent, or after its answer."""
    for way in ways:
        for number in range(1, 500):
            lab = make()
            setattr(lab, f"kill_{way}", number)
            try:
                run(lab, ini, request)
            except Killed:
                lab.kill_before = lab.kill_after = None
                lab.clock.advance(wait_s)
                yield f"killed {way} call {number}", lab
            else:
                assert number > 3
                break
        else:
            raise AssertionError("it never came to its end")


def elsewhere(lab: Lab, ini: str, request: Request, place: Path) -> Report:
    """A run on a machine that knows nothing of the first one."""
    return run(lab, ini, request, environ={"HCLOUD_REASSIGN_STATE": str(place)})


soon_and_late = pytest.mark.parametrize("wait_s", [0.3, 60.0], ids=["soon", "late"])


@pytest.mark.parametrize("sample", QUICK, ids=lambda sample: sample.type)
@pytest.mark.parametrize("request_", [Request(), triggered(1)], ids=["typed", "triggered"])
@soon_and_late
def test_the_same_command_again_ends_it(sample: Sample, request_: Request, wait_s: float, tmp_path: Path) -> None:
    for when, lab in killed_labs(
        quick_lab, sample.section(), request_, wait_s, ("after",) if wait_s < 1 else ("before", "after")
    ):
        result = only(elsewhere(lab, sample.section(), request_, tmp_path))
        assert result.code == 0, (when, result)
        assert sample.holder(lab) == B, when
        assert aliases(lab, A)[-1:] == ["10.0.1.50"] and aliases(lab, B)[:1] == ["10.0.1.51"], when
        assert sample.labels(lab)["team"] in ("web", "net"), when


@pytest.mark.parametrize("sample", QUICK, ids=lambda sample: sample.type)
def test_the_opposite_command_undoes_it(sample: Sample, tmp_path: Path) -> None:
    for when, lab in killed_labs(quick_lab, sample.section(), Request(), 1.0):
        result = only(elsewhere(lab, sample.section(), Request(direction="src"), tmp_path))
        assert result.code == 0, (when, result)
        assert sample.holder(lab) == A, when


@soon_and_late
def test_a_group_goes_forward(wait_s: float, tmp_path: Path) -> None:
    group = "[group.all]\nmembers = floating.web, route.default, alias.vip\n"
    ini = FLOAT.section() + ROUTE.section() + ALIASED.section() + group
    for when, lab in killed_labs(quick_lab, ini, Request(), wait_s):
        report = elsewhere(lab, ini, Request(), tmp_path)
        assert report.code == 0, (when, report.results)
        assert [sample.holder(lab) for sample in QUICK] == [B, B, B], when


# Primary IPs


def _with_power(source: str, target: str, occupied: bool) -> Make:
    def make() -> Lab:
        more: dict[str, Any] = {"ipv4": "198.51.100.9"} if occupied else {}
        scenario = with_server(with_server(TRIO, "srv-a", status=source), "srv-b", status=target, **more)
        return quick_lab(scenario)

    return make


def _own_of(lab: Lab) -> int | None:
    """Who has the address that srv-b has of its own."""
    return next(ip.assignee_id for ip in lab.sim.state.primary_ips.values() if ip.ip == "198.51.100.9")


powers = pytest.mark.parametrize(
    ("source", "target", "occupied"),
    [
        ("running", "running", False),
        ("running", "off", False),
        ("off", "running", False),
        ("off", "off", False),
        ("running", "running", True),
        ("off", "running", True),
        ("running", "off", True),
    ],
)


@powers
def test_a_primary_ip_arrives_and_the_power_is_as_it_was(
    source: str, target: str, occupied: bool, tmp_path: Path
) -> None:
    ini, wait_s = PUBLIC.section(more="occupied = detach"), 0.1 if source == target else 30.0
    for when, lab in killed_labs(_with_power(source, target, occupied), ini, Request(), wait_s):
        result = only(elsewhere(lab, ini, Request(), tmp_path))
        lab.clock.advance(60)
        assert result.code == 0, (when, result)
        assert PUBLIC.holder(lab) == B, when
        assert statuses(lab) == {A: source, B: target, C: "running"}, when
        assert INTENTION not in PUBLIC.labels(lab), when
        assert not occupied or _own_of(lab) is None, when


@powers
def test_a_primary_ip_goes_back_and_everything_is_as_it_was(
    source: str, target: str, occupied: bool, tmp_path: Path
) -> None:
    ini = PUBLIC.section(more="occupied = detach")
    for when, lab in killed_labs(_with_power(source, target, occupied), ini, Request(), 2.0):
        # Without a label the move had not begun, or was over.
        unfinished = INTENTION in PUBLIC.labels(lab)
        result = only(elsewhere(lab, ini, Request(to="srv-a"), tmp_path))
        lab.clock.advance(60)
        assert result.code == 0, (when, result)
        assert PUBLIC.holder(lab) == A, when
        assert statuses(lab) == {A: source, B: target, C: "running"}, when
        assert INTENTION not in PUBLIC.labels(lab), when
        assert not (occupied and unfinished) or _own_of(lab) == B, when


def test_a_primary_ip_goes_back_although_what_the_killed_run_sent_is_still_under_way(tmp_path: Path) -> None:
    for when, lab in killed_labs(lambda: Lab(TRIO, action_time=(0.2, 0.3)), PUBLIC.section(), Request(), 0.0):
        result = only(elsewhere(lab, PUBLIC.section(), Request(to="srv-a"), tmp_path))
        lab.clock.advance(60)
        assert result.code == 0, (when, result)
        assert PUBLIC.holder(lab) == A, when
        assert statuses(lab) == {A: "running", B: "running", C: "running"}, when
        assert INTENTION not in PUBLIC.labels(lab), when


def test_an_action_of_a_killed_run_that_never_ends_keeps_no_server_off_but_the_one_it_locks(tmp_path: Path) -> None:
    lab = Lab(TRIO, faults=[Fault("POST", "*/unassign", slow_action=10_000.0)])
    lab.kill_after = next(n for n, item in enumerate(_requests_of(PUBLIC), 1) if item.endswith("/unassign"))
    with pytest.raises(Killed):
        run(lab, PUBLIC.section())
    lab.kill_after = None
    begun = lab.clock.monotonic()
    result = only(elsewhere(lab, PUBLIC.section(), Request(to="srv-a"), tmp_path))
    assert told(result) == ("unknown", 5, None) and "locked" in str(result.message), result
    assert statuses(lab) == {A: "off", B: "running", C: "running"}
    assert lab.clock.monotonic() - begun <= PUBLIC.limit_s + 2


def _requests_of(sample: Sample) -> list[str]:
    """What a run that nothing disturbs asks for, in order."""
    lab = Lab(TRIO)
    run(lab, sample.section())
    return [item.path for item in lab.sim.requests]


def test_a_triggered_move_of_a_primary_ip_converges_too(tmp_path: Path) -> None:
    for when, lab in killed_labs(quick_lab, PUBLIC.section(), triggered(1), 1.0):
        result = only(elsewhere(lab, PUBLIC.section(), triggered(1), tmp_path))
        assert result.code == 0, (when, result)
        assert PUBLIC.holder(lab) == B, when
        assert statuses(lab)[A] == statuses(lab)[B] == "running", when
        assert INTENTION not in PUBLIC.labels(lab), when


def test_both_families_converge_together(tmp_path: Path) -> None:
    second = PUBLIC.section().replace("public.web", "public.web6").replace("public-web", "public-web6")
    ini = PUBLIC.section() + second
    for when, lab in killed_labs(quick_lab, ini, Request(), 1.0):
        report = elsewhere(lab, ini, Request(), tmp_path)
        assert report.code == 0, (when, report.results)
        held = {ip.assignee_id for ip in lab.sim.state.primary_ips.values()}
        assert held == {B}, when
        assert statuses(lab)[A] == statuses(lab)[B] == "running", when
        assert not any(INTENTION in ip.labels for ip in lab.sim.state.primary_ips.values()), when


def test_a_second_kill_while_the_first_one_is_mended_converges_as_well(tmp_path: Path) -> None:
    for first, lab in killed_labs(quick_lab, PUBLIC.section(), Request(), 1.0):
        if lab._sent % 3:
            continue
        lab.kill_after = lab._sent + 9
        try:
            elsewhere(lab, PUBLIC.section(), Request(), tmp_path)
        except Killed:
            lab.kill_after = None
        result = only(elsewhere(lab, PUBLIC.section(), Request(), tmp_path))
        assert result.code == 0, (first, result)
        assert PUBLIC.holder(lab) == B
        assert statuses(lab)[A] == statuses(lab)[B] == "running", first
        assert INTENTION not in PUBLIC.labels(lab)


def test_an_unfinished_move_is_not_taken_for_another_one(tmp_path: Path) -> None:
    ini = PUBLIC.members("srv-a", "srv-b", "srv-c")
    seen = set()
    for when, lab in killed_labs(quick_lab, ini, Request(to="srv-b"), 2.0):
        unfinished = INTENTION in PUBLIC.labels(lab)
        writes = len(lab.writes)
        result = only(elsewhere(lab, ini, Request(to="srv-c"), tmp_path))
        seen.add(told(result))
        assert told(result) == (("refused", 3, "unfinished") if unfinished else ("done", 0, None)), when
        assert not unfinished or len(lab.writes) == writes, when
    assert len(seen) == 2


def test_without_a_label_the_earlier_power_state_is_not_guessed(tmp_path: Path) -> None:
    scenario = with_server(with_server(TRIO, "srv-a", status="off"), "srv-b", status="off")
    lab = Lab(scenario)
    PUBLIC.put(lab.sim, None)
    report = elsewhere(lab, PUBLIC.section(), Request(), tmp_path)
    assert only(report).outcome == "done"
    assert any("--power-on" in warning for warning in report.warnings)
    assert statuses(lab)[A] == statuses(lab)[B] == "off"


def test_power_on_starts_what_is_off(tmp_path: Path) -> None:
    scenario = with_server(with_server(TRIO, "srv-a", status="off"), "srv-b", status="off")
    lab = Lab(scenario)
    PUBLIC.put(lab.sim, None)
    assert only(elsewhere(lab, PUBLIC.section(), Request(power_on=True), tmp_path)).outcome == "done"
    assert statuses(lab)[A] == statuses(lab)[B] == "running"


def test_the_label_is_written_before_the_first_stop_and_removed_after_the_last_start() -> None:
    lab = Lab(TRIO)
    run(lab, PUBLIC.section())
    writes = [(request.method, request.path) for request in lab.writes]
    address = ("PUT", f"/v1/primary_ips/{PRIMARY}")
    assert writes[0] == writes[-1] == address
    assert b"10-on.11-on.0" in lab.writes[0].body
    assert ALIAS in aliases(lab, A)
