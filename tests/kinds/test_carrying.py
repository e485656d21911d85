"""One intent, carried through: what is sent, what is waited for, what is looked up, and when it is sent again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hcloud_reassign.core.objects import Action
from hcloud_reassign.core.steps import (
    ActionFailed,
    Busy,
    Denied,
    FindAction,
    Finished,
    Gone,
    Interrupted,
    Lost,
    OutOfTime,
    Overtaken,
    Pause,
    PowerOn,
    Refused,
    Step,
    StepError,
    Steps,
    Unsettled,
)
from hcloud_reassign.kinds.carrying import perform, waiting_s

WRITE = PowerOn(1, "srv-a")
RUNNING = Action(5, "start_server", "running")
LOOK, MINE = Pause(0.0, "landed?"), Pause(0.0, "still?")
LOCKED = ActionFailed("the server is locked", "failed")


def says(question: Pause, answer: bool) -> Callable[[], Steps[bool]]:
    def look() -> Steps[bool]:
        yield question
        return answer

    return look


def script(*answers: object, landed: bool = False, opening: bool = False, still: bool | None = None) -> list[Step]:
    """The steps of one intent when these are the answers, in turn. What is raised at the end comes through."""
    may = None if still is None else says(MINE, still)
    generator = perform(WRITE, says(LOOK, landed), opening=opening, still=may)
    steps = [next(generator)]
    for answer in answers:
        try:
            steps.append(generator.throw(answer) if isinstance(answer, Exception) else generator.send(answer))
        except StopIteration:
            assert answer is answers[-1]
            return steps
    return steps


def kinds_of(steps: list[Step]) -> list[type]:
    return [type(step) for step in steps]


def test_an_intent_is_one_request_and_its_action_waited_for() -> None:
    assert script(RUNNING, None) == [WRITE, Finished(RUNNING, WRITE)]


def test_where_there_is_nothing_to_do_nothing_is_waited_for() -> None:
    assert script(None) == [WRITE]


@pytest.mark.parametrize("error", [Refused("no", "invalid_input"), Gone("no", "not_found"), Denied("no", "forbidden")])
def test_a_refusal_counts_for_nothing_where_the_intent_is_true_already(error: Refused) -> None:
    assert script(error, None, landed=True) == [WRITE, LOOK]


@pytest.mark.parametrize("error", [Refused("no", "invalid_input"), Gone("no", "not_found")])
def test_a_refusal_is_raised_where_the_intent_is_not_true(error: Refused) -> None:
    with pytest.raises(type(error)):
        script(error, None)


@pytest.mark.parametrize("error", [OutOfTime("no"), Interrupted("no")])
def test_what_was_not_sent_is_not_looked_up(error: StepError) -> None:
    with pytest.raises(type(error)):
        script(error)


def test_after_a_lost_answer_its_action_is_looked_up_before_anything_else() -> None:
    steps = script(Lost("timed out"), RUNNING, None)
    assert steps == [WRITE, FindAction(WRITE), Finished(RUNNING, WRITE)]


def test_a_lost_answer_without_a_trace_is_read_from_the_resource() -> None:
    assert script(Lost("timed out"), None, None, landed=True) == [WRITE, FindAction(WRITE), LOOK]


def test_a_lost_answer_without_any_trace_is_sent_again_after_a_pause() -> None:
    steps = script(Lost("timed out"), None, None, None, RUNNING, None)
    assert kinds_of(steps) == [PowerOn, FindAction, Pause, Pause, PowerOn, Finished]
    assert steps[2] == LOOK


def test_an_opening_that_is_lost_without_a_trace_is_judged_anew() -> None:
    with pytest.raises(Busy, match="no answer"):
        script(Lost("timed out"), None, None, opening=True)


def test_what_is_locked_is_waited_for_with_growing_pauses() -> None:
    steps = script(*[Busy("locked", "locked"), None] * 3, RUNNING, None)
    assert kinds_of(steps) == [PowerOn, Pause, PowerOn, Pause, PowerOn, Pause, PowerOn, Finished]
    waits = [step.seconds for step in steps if isinstance(step, Pause)]
    assert waits == sorted(waits)
    assert len(set(waits)) == 3
    assert all("locked" in step.reason for step in steps if isinstance(step, Pause))


def test_an_opening_that_is_locked_is_judged_anew() -> None:
    with pytest.raises(Busy):
        script(Busy("locked", "locked"), opening=True)


def test_what_stays_locked_ends_some_day() -> None:
    with pytest.raises(Refused, match="tried too often"):
        script(*[Busy("locked", "locked"), None] * 1000)


@pytest.mark.parametrize("error", [LOCKED, ActionFailed("x", "locked"), ActionFailed("Conflict", "failed")])
def test_an_action_that_fails_by_a_lock_is_sent_again_three_times_at_most(error: ActionFailed) -> None:
    steps = script(RUNNING, error, None, RUNNING, None)
    assert kinds_of(steps) == [PowerOn, Finished, Pause, PowerOn, Finished]
    with pytest.raises(ActionFailed):
        script(*[RUNNING, error, None] * 3, RUNNING, error)


def test_an_action_that_fails_by_anything_else_is_not_sent_again() -> None:
    with pytest.raises(ActionFailed):
        script(RUNNING, ActionFailed("no capacity", "resource_unavailable"))


@pytest.mark.parametrize("error", [Unsettled("still running"), Lost("timed out"), Denied("no", "unauthorized")])
def test_what_nobody_can_tell_is_raised(error: StepError) -> None:
    with pytest.raises(type(error)):
        script(RUNNING, error)


@pytest.mark.parametrize("trouble", [(Busy("locked", "locked"),), (RUNNING, LOCKED), (Lost("lost"), None, None)])
def test_after_a_wait_it_is_asked_whether_it_may_still_be_sent(trouble: tuple[Any, ...]) -> None:
    steps = script(*trouble, None, None, RUNNING, None, still=True)
    assert kinds_of(steps)[-4:] == [Pause, Pause, PowerOn, Finished]
    assert steps[-3] == MINE
    with pytest.raises(Overtaken, match="^somebody else has it now$"):
        script(*trouble, None, None, still=False)


@pytest.mark.parametrize("restoring", [True, False])
@pytest.mark.parametrize(
    "trouble", [(Busy("locked", "locked"),), (RUNNING, LOCKED)], ids=["locked", "failed-by-a-lock"]
)
def test_who_gives_back_may_also_wait_in_the_time_kept_for_it(trouble: tuple[Any, ...], restoring: bool) -> None:
    write = PowerOn(1, "srv-a", restoring=restoring)
    generator = perform(write, says(LOOK, False))
    step = next(generator)
    for answer in trouble:
        step = generator.throw(answer) if isinstance(answer, Exception) else generator.send(answer)
    assert step == Pause(0.2, f"power on srv-a: {trouble[-1].message}", restoring)


def test_what_ends_a_try_has_a_code_of_its_own() -> None:
    with pytest.raises(Busy) as lost:
        script(Lost("timed out"), None, None, opening=True)
    assert lost.value.code == "lost"
    with pytest.raises(Refused) as stays:
        script(*[Busy("locked", "locked"), None] * 1000)
    assert stays.value.code == "busy"


@pytest.mark.parametrize(("attempt", "seconds"), [(0, 0.2), (1, 0.32), (2, 0.512), (20, 3.0)])
def test_the_first_wait_for_a_lock_is_short_and_none_is_long(attempt: int, seconds: float) -> None:
    assert waiting_s(Refused("locked", "locked"), attempt) == pytest.approx(seconds)


@pytest.mark.parametrize("attempt", [0, 1, 5, 20, 1000])
def test_a_rate_limit_is_waited_for_as_long_as_one_request_takes_to_come_back(attempt: int) -> None:
    assert waiting_s(Refused("slow down", "rate_limit_exceeded"), attempt) == 1.0
    assert 0.2 <= waiting_s(Refused("locked", "locked"), attempt) <= 3.0
