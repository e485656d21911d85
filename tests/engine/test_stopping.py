"""SIGTERM: nothing new begins, what was taken away is finished within eight seconds, and the exit code says which."""

from __future__ import annotations

from typing import Any

import pytest

from hcloud_reassign.core.model import Request
from hcloud_reassign.engine.events import Event
from hcloud_reassign.engine.scheduler import Scheduler
from hcloud_reassign.simulator import Fault
from tests.engine.samples import (
    ALIASED,
    FLOAT,
    PUBLIC,
    QUICK,
    ROUTE,
    SAMPLES,
    TRIO,
    A,
    About,
    B,
    Sample,
    by_name,
    only,
    posts,
    run,
    statuses,
    told,
    triggered,
    with_server,
)
from tests.harness import Lab

every_kind = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
quick_kinds = pytest.mark.parametrize("sample", QUICK, ids=lambda sample: sample.type)


class Signal:
    """Stands in for SIGTERM: `now` interrupts whatever run is under way."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.schedulers: list[Scheduler] = []
        self.at: float | None = None
        build = Scheduler.__init__

        def remembered(scheduler: Scheduler, *args: Any) -> None:
            build(scheduler, *args)
            self.schedulers.append(scheduler)

        monkeypatch.setattr(Scheduler, "__init__", remembered)

    def now(self, *_: object) -> None:
        scheduler = self.schedulers[-1]
        self.at = self.at if self.at is not None else scheduler.now()
        scheduler.interrupt()

    def when(self, name: str, nth: int = 1, what: str = "") -> Any:
        """A listener that interrupts at an event."""
        seen = []

        def listener(event: Event) -> None:
            if event.event == name and what in str(event.data.get("what", "")):
                seen.append(event)
                if len(seen) == nth:
                    self.now()

        return listener


@pytest.fixture
def signal(monkeypatch: pytest.MonkeyPatch) -> Signal:
    return Signal(monkeypatch)


@every_kind
@pytest.mark.parametrize("event", ["run.started", "observed", "planned", "move.started"])
def test_before_the_first_write_nothing_is_sent(sample: Sample, event: str, signal: Signal) -> None:
    lab = Lab(TRIO)
    report = run(lab, sample.section(), on_event=signal.when(event))
    assert report.code == 130
    assert not posts(lab)
    assert sample.holder(lab) == A
    assert "hcloud-reassign/intention" not in sample.labels(lab)
    assert set(statuses(lab).values()) == {"running"}


@every_kind
def test_between_claim_and_first_write_nothing_more_is_sent(sample: Sample, signal: Signal) -> None:
    lab = Lab(TRIO)
    report = run(lab, sample.section(), triggered(1), on_event=signal.when("step.started", what="claim"))
    assert report.code == 130
    assert not posts(lab)
    assert sample.holder(lab) == A
    assert "hcloud-reassign/intention" not in sample.labels(lab)


@quick_kinds
def test_what_was_sent_is_finished_forward(sample: Sample, signal: Signal) -> None:
    lab = Lab(TRIO)
    report = run(lab, sample.section(), on_event=signal.when("step.started"))
    assert told(only(report)) == ("done", 0, None)
    assert sample.holder(lab) == B
    assert signal.at is not None and lab.clock.monotonic() < signal.at + 8


@quick_kinds
def test_a_first_write_that_is_only_waited_for_is_given_up(sample: Sample, signal: Signal) -> None:
    """Everything is locked; nothing was taken yet, so nothing has to be finished."""
    locked = Fault("POST", sample.path, status=409 if sample is ROUTE else 423, times=None)
    lab = Lab(TRIO, faults=[locked])
    report = run(lab, sample.section(), on_event=signal.when("step.retried", nth=3))
    result = only(report)
    assert told(result) == ("failed", 130, None)
    assert sample.holder(lab) == A
    assert signal.at is not None and lab.clock.monotonic() < signal.at + 2


@pytest.mark.parametrize("sample", [ROUTE, ALIASED], ids=lambda sample: sample.type)
def test_what_cannot_be_finished_in_time_is_put_back_in_time(sample: Sample, signal: Signal) -> None:
    """The second write is locked for ever for the target, the way back is open."""
    wanted = b"10.0.1.3" if sample is ROUTE else b"10.0.1.51"
    lab = Lab(TRIO, faults=[About("POST", sample.path, times=None, status=409, text=wanted)])
    report = run(lab, sample.section(), on_event=signal.when("step.started"))
    result = only(report)
    assert signal.at is not None and lab.clock.monotonic() <= signal.at + 10
    assert result.outcome == "failed" and result.code in (1, 130)
    assert sample.holder(lab) == A


@quick_kinds
def test_an_action_that_does_not_end_is_unknown_in_time(sample: Sample, signal: Signal) -> None:
    lab = Lab(TRIO, faults=[Fault("POST", sample.path, stuck_action=True)])
    result = only(run(lab, sample.section(), on_event=signal.when("step.started")))
    assert told(result) == ("unknown", 5, None)
    assert result.next is not None and "--to" in result.next
    assert signal.at is not None and lab.clock.monotonic() <= signal.at + 10


def test_a_primary_ip_move_is_finished_when_the_time_suffices(signal: Signal) -> None:
    lab = Lab(TRIO, action_time=(0.1, 0.3))
    report = run(lab, PUBLIC.section(), on_event=signal.when("step.done", what="shut down srv-a"))
    assert told(only(report)) == ("done", 0, None)
    assert PUBLIC.holder(lab) == B
    assert set(statuses(lab).values()) == {"running"}


def test_a_primary_ip_move_that_cannot_be_finished_leaves_its_label_and_says_so(signal: Signal) -> None:
    lab = Lab(with_server(TRIO, "srv-a", shutdown_s=25.0))
    report = run(lab, PUBLIC.section(), on_event=signal.when("step.done", what="shut down srv-a"))
    result = only(report)
    assert signal.at is not None and lab.clock.monotonic() <= signal.at + 10
    assert told(result) == ("unknown", 5, None)
    assert "hcloud-reassign/intention" in PUBLIC.labels(lab)
    assert result.next is not None and "public.web --to srv-b" in result.next
    lab.clock.advance(60)
    assert told(only(run(lab, PUBLIC.section()))) == ("done", 0, None)
    assert set(statuses(lab).values()) == {"running"}


def test_a_finishing_run_that_is_stopped_at_once_keeps_the_label_of_the_first_one(signal: Signal) -> None:
    """The label is all that tells which servers ran."""
    off = with_server(with_server(TRIO, "srv-a", status="off"), "srv-b", status="off")
    for event, what in (("planned", ""), ("move.started", ""), ("step.started", "claim")):
        lab = Lab(off)
        PUBLIC.put(lab.sim, None)
        PUBLIC.labels(lab)["hcloud-reassign/intention"] = f"{A}-on.{B}-on.0"
        report = run(lab, PUBLIC.section(), triggered(1), on_event=signal.when(event, what=what))
        assert report.code == 130
        assert PUBLIC.labels(lab)["hcloud-reassign/intention"] == f"{A}-on.{B}-on.0"
        assert told(only(run(lab, PUBLIC.section()))) == ("done", 0, None)
        assert statuses(lab)[A] == statuses(lab)[B] == "running"


def test_a_second_signal_changes_nothing(signal: Signal) -> None:
    lab = Lab(TRIO)

    def listener(event: Event) -> None:
        if event.event.startswith("step."):
            signal.now()

    assert told(only(run(lab, ROUTE.section(), on_event=listener))) == ("done", 0, None)
    assert ROUTE.holder(lab) == B


def test_what_waits_for_a_lock_of_this_run_is_not_begun(signal: Signal) -> None:
    """Both floating IPs go to one server: the second waits for the first."""
    lab = Lab(TRIO)
    second = FLOAT.section().replace("floating.web", "floating.web6").replace("resource = web", "resource = web6")
    report = run(lab, FLOAT.section() + second, on_event=signal.when("step.started"))
    found = by_name(report)
    assert told(found["floating.web"]) == ("done", 0, None)
    assert told(found["floating.web6"]) == ("failed", 130, None)
    assert len(posts(lab)) == 1
    assert report.code == 130


def test_the_eight_seconds_are_counted_once_for_moves_and_their_undo(signal: Signal) -> None:
    """The alias is finished, the route is stuck until the end: what is left then is not eight seconds again."""
    group = "[group.web]\nmembers = floating.web, route.default\n"
    lab = Lab(TRIO, faults=[Fault("POST", ROUTE.path, status=409, times=None)])
    report = run(lab, FLOAT.section() + ROUTE.section() + group, on_event=signal.when("step.retried", nth=6))
    assert signal.at is not None and lab.clock.monotonic() <= signal.at + 10
    assert report.code in (1, 5, 130)
    assert FLOAT.holder(lab) in (A, B)


def test_before_commands_are_not_begun_either(signal: Signal, tmp_path: Any) -> None:
    lab = Lab(TRIO)
    section = FLOAT.section(more=f"before = touch {tmp_path}/touched")
    report = run(lab, section, on_event=signal.when("planned"))
    assert report.code == 130
    assert not (tmp_path / "touched").exists()


def test_what_was_unchanged_anyway_is_no_interruption(signal: Signal) -> None:
    lab = Lab(TRIO)
    report = run(lab, FLOAT.section("srv-b", "srv-a"), Request(), on_event=signal.when("planned"))
    assert told(only(report)) == ("unchanged", 0, None)
