"""Whatever fails, at whatever step: nothing is taken from a third party, and nobody is told that it went well.

Every scene is driven once without trouble; then every step of that way fails once, in every manner that it can; then
hypothesis lets several steps fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign.core.model import Request
from hcloud_reassign.core.objects import PrimaryIp, Server
from hcloud_reassign.core.steps import (
    ActionFailed,
    Busy,
    Denied,
    FindAction,
    Finished,
    Gone,
    Interrupted,
    LeftOpen,
    Lost,
    OutOfTime,
    Pause,
    Read,
    Refused,
    ServerIs,
    SetLabels,
    Step,
    Unsettled,
    Write,
)
from tests.kinds.driver import (
    Drive,
    FakeCloud,
    Meddling,
    Tables,
    action_fails,
    after,
    answers,
    drive,
    fails,
    happens_but,
)
from tests.kinds.scenes import OURS, SCENES, A, B, C, Scene, labelled, state

PRIMARIES = [scene for scene in SCENES if scene.name.startswith("primary")]
AT_ONCE = [scene for scene in SCENES if scene not in PRIMARIES]
WITH_SOMEBODY = [scene for scene in SCENES if scene.somebody]

every_scene = pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)


def is_write(step: Step) -> bool:
    return isinstance(step, Write)


def is_forward_write(step: Step) -> bool:
    return isinstance(step, Write) and not step.restoring


FAILURES: Mapping[str, tuple[Callable[[Step], bool], Meddling]] = {
    "refused": (is_write, fails(Refused("no", "invalid_input"))),
    "locked": (is_write, fails(Busy("locked", "locked"))),
    "limited": (is_write, fails(Busy("slow down", "rate_limit_exceeded"))),
    "gone": (is_write, fails(Gone("not there", "not_found"))),
    "denied": (is_write, fails(Denied("no", "unauthorized"))),
    "no time": (is_forward_write, fails(OutOfTime("too late"))),
    "interrupted": (is_forward_write, fails(Interrupted("stop"))),
    "lost unsent": (is_write, fails(Lost("timed out"))),
    "lost but done": (is_write, happens_but(Lost("timed out"))),
    "action failed": (lambda step: isinstance(step, Finished), action_fails(ActionFailed("no", "server_error"))),
    "action locked": (lambda step: isinstance(step, Finished), action_fails(ActionFailed("is locked", "failed"))),
    "unsettled": (lambda step: isinstance(step, Finished), fails(Unsettled("still running"))),
    "unreadable": (lambda step: isinstance(step, Read | ServerIs | FindAction), fails(Lost("timed out"))),
    "read denied": (lambda step: isinstance(step, Read), fails(Denied("no", "unauthorized"))),
    "never seen": (lambda step: isinstance(step, ServerIs), answers(False)),
    "no trace": (lambda step: isinstance(step, FindAction), answers(None)),
    "no time to wait": (lambda step: isinstance(step, Pause), fails(OutOfTime("too late"))),
}

CLEAN = ("refused", "locked", "limited", "no time", "action failed", "action locked", "lost unsent", "lost but done")
"""Failures that leave no doubt, or whose doubt a reading ends."""


def here_or_there(now: Tables, start: Tables, end: Tables) -> bool:
    """Whether everything is as at the start or as at the end. Of two moves in one stop each goes its own way."""
    if len(now[PrimaryIp]) < 2 or any(address.family == "ipv4" for address in list(now[PrimaryIp].values())[1:]):
        return now in (start, end)
    addresses = now[PrimaryIp].items()
    return now[Server] == start[Server] and all(
        address in (start[PrimaryIp][id], end[PrimaryIp][id]) for id, address in addresses
    )


def smooth(scene: Scene) -> tuple[Drive, FakeCloud]:
    cloud = scene.cloud()
    run = scene.begin(cloud)
    return drive(run.generator, cloud, ours=OURS), cloud


def driven(scene: Scene, meddle: Mapping[int, Meddling]) -> tuple[Drive, FakeCloud]:
    cloud = scene.cloud()
    run = scene.begin(cloud)
    return drive(run.generator, cloud, meddle, OURS), cloud


def single_failures(scene: Scene) -> Iterator[tuple[int, Step, str]]:
    done, _ = smooth(scene)
    for number, step in enumerate(done.steps):
        for name, (applies, _) in FAILURES.items():
            if applies(step):
                yield number, step, name


# the smooth way


@every_scene
def test_without_trouble_the_target_has_it_and_all_is_as_promised(scene: Scene) -> None:
    cloud = scene.cloud()
    run = scene.begin(cloud)
    done = drive(run.generator, cloud, ours=OURS)
    assert done.error is None
    assert done.stolen == []
    for move in run.moves:
        found = run.kind.find(cloud.world(), move.assignment)
        assert found.holder is not None
        assert move.wanted is not None
        assert found.holder.key == move.wanted.key
        assert run.kind.settled(cloud.world(), move) is None


@every_scene
def test_the_planned_steps_are_the_writes_that_are_made(scene: Scene) -> None:
    cloud = scene.cloud()
    run = scene.begin(cloud)
    done = drive(run.generator, cloud)
    if scene.name == "floating-strict":
        assert [step.what for step in run.moves[0].steps] == ["assign floating IP web to srv-b"]
        assert [step.what for step in done.writes][1:] == [
            "unassign floating IP web",
            "assign floating IP web to srv-b",
        ]
    elif scene.name == "primary-hard":
        assert [step for step in done.writes if not step.what.startswith("power off")] == list(run.moves[0].steps)
    elif len(run.moves) > 1:
        assert set(done.writes) == {step for move in run.moves for step in move.steps}
        assert len(done.writes) == len(set(done.writes))
    else:
        assert tuple(done.writes) == run.moves[0].steps


@every_scene
def test_done_once_there_is_nothing_left_to_do(scene: Scene) -> None:
    _, cloud = smooth(scene)
    assert scene.begin(cloud).moves == ()


@every_scene
def test_everything_of_the_way_is_locked_or_labelled(scene: Scene) -> None:
    run = scene.begin(scene.cloud())
    for move in run.moves:
        assert move.found is not None
        held = {*move.locks, (type(move.found.labelled), move.found.labelled.id)}
        touched = {touch for step in move.steps if isinstance(step, Write) for touch in step.touches}
        assert {touch for touch in touched if touch[0] is not PrimaryIp} <= held


# one failure


@every_scene
def test_after_any_one_failure_it_is_here_or_there_or_somebody_is_told(scene: Scene) -> None:
    _, end = smooth(scene)
    for number, step, name in single_failures(scene):
        done, cloud = driven(scene, {number: FAILURES[name][1]})
        told = f"{name} at {number}: {step.what}"
        assert done.stolen == [], told
        if done.error is None:
            assert state(cloud) == state(end), told
            assert not labelled(cloud), told


@every_scene
def test_a_failure_that_leaves_no_doubt_leaves_nothing_open(scene: Scene) -> None:
    _, end = smooth(scene)
    for number, step, name in single_failures(scene):
        if name not in CLEAN or (isinstance(step, Write) and step.restoring):
            continue
        if isinstance(step, Finished) and step.write.restoring:
            continue
        done, cloud = driven(scene, {number: FAILURES[name][1]})
        told = f"{name} at {number}: {step.what}, {done.error}"
        assert here_or_there(state(cloud), state(scene.cloud()), state(end)), told
        assert not labelled(cloud), told
        assert (state(cloud) == state(end)) or done.error is not None, told


@every_scene
def test_what_is_interrupted_before_its_first_write_has_not_begun(scene: Scene) -> None:
    done, _ = smooth(scene)
    first = next(number for number, step in enumerate(done.steps) if is_write(step))
    stopped, cloud = driven(scene, {first: fails(Interrupted("stop"))})
    assert isinstance(stopped.error, Interrupted)
    assert state(cloud) == state(scene.cloud())
    assert not labelled(cloud)


@pytest.mark.parametrize("scene", AT_ONCE, ids=lambda scene: scene.name)
def test_a_first_write_that_is_locked_is_judged_anew_instead_of_sent_again(scene: Scene) -> None:
    done, cloud = driven(scene, {0: fails(Busy("locked", "locked"))})
    assert isinstance(done.error, Busy)
    assert len(done.writes) == 1
    assert state(cloud) == state(scene.cloud())


# somebody else


@every_scene
def test_what_somebody_else_takes_meanwhile_stays_with_them(scene: Scene) -> None:
    done, _ = smooth(scene)
    for number, step in enumerate(done.steps):
        if isinstance(step, Read):
            continue
        overtaken, cloud = driven(scene, {number: after(scene.seize)})
        told = f"after {number}: {step.what}, {overtaken.error}"
        assert overtaken.stolen == [], told
        holder = scene.holder(cloud)
        assert holder is not None, told
        assert holder.id == C, told


@every_scene
def test_servers_run_again_and_no_label_stays_when_somebody_else_takes_it(scene: Scene) -> None:
    start = scene.cloud()
    done, _ = smooth(scene)
    for number, step in enumerate(done.steps):
        if isinstance(step, Read):
            continue
        _, cloud = driven(scene, {number: after(scene.seize)})
        for id in (A, B, C):
            assert cloud.tables[Server][id].status == start.tables[Server][id].status, step.what
        assert not labelled(cloud), step.what


@every_scene
def test_what_somebody_else_takes_while_a_lock_is_waited_for_stays_with_them(scene: Scene) -> None:
    done, _ = smooth(scene)
    for number, step in enumerate(done.steps):
        locked = (fails(Busy("locked", "locked")), fails(Lost("timed out")))
        if isinstance(step, Finished):
            locked = (action_fails(ActionFailed("is locked", "failed")),) * 2
        elif not isinstance(step, Write) or isinstance(step, SetLabels):
            continue
        for failure in locked:

            def seized(cloud: FakeCloud, step: Step, failure: Meddling = failure) -> Any:
                try:
                    return failure(cloud, step)
                finally:
                    scene.seize(cloud)

            overtaken, cloud = driven(scene, {number: seized})
            told = f"at {number}: {step.what}, {overtaken.error}"
            assert overtaken.stolen == [], told
            holder = scene.holder(cloud)
            assert holder is not None and holder.id == C, told


# a process that is killed


@every_scene
def test_killed_at_any_step_the_same_command_finishes_it(scene: Scene) -> None:
    done, end = smooth(scene)
    for survived in range(len(done.steps)):
        cloud = killed(scene, survived)
        again = scene.begin(cloud)
        finished = drive(again.generator, cloud, ours=OURS)
        told = f"killed after {survived}: {done.steps[survived].what}, {finished.error}"
        assert finished.error is None, told
        assert finished.stolen == [], told
        assert state(cloud) == state(end), told
        assert not labelled(cloud), told


@pytest.mark.parametrize("scene", WITH_SOMEBODY, ids=lambda scene: scene.name)
def test_killed_at_any_step_the_way_back_undoes_it(scene: Scene) -> None:
    done, _ = smooth(scene)
    back = Request(to=scene.home, allow_poweroff=True)
    for survived in range(len(done.steps)):
        cloud = killed(scene, survived)
        cloud.settle()
        again = scene.begin(cloud, back)
        undone = drive(again.generator, cloud, ours=OURS)
        told = f"killed after {survived}: {done.steps[survived].what}, {undone.error}"
        assert undone.error is None, told
        assert undone.stolen == [], told
        assert not labelled(cloud), told
        assert state(cloud) == state(scene.cloud()), told


def killed(scene: Scene, survived: int) -> FakeCloud:
    """The project as a process leaves it that is gone after so many answers."""
    cloud = scene.cloud()
    generator = scene.begin(cloud).generator
    step = next(generator)
    for _ in range(survived):
        try:
            answer = cloud.answer(step)
        except Refused as refused:
            step = generator.throw(refused)
        else:
            step = generator.send(answer)
    generator.close()
    return cloud


# several failures


def chaos(name: str) -> Meddling:
    applies, meddling = FAILURES[name]
    return lambda cloud, step: (meddling if applies(step) else FakeCloud.answer)(cloud, step)


failures = st.dictionaries(st.integers(0, 45), st.sampled_from(list(FAILURES)), min_size=2, max_size=6)


@given(st.sampled_from(SCENES), failures)
def test_after_several_failures_it_is_here_or_there_or_somebody_is_told(scene: Scene, names: dict[int, str]) -> None:
    _, end = smooth(scene)
    done, cloud = driven(scene, {number: chaos(name) for number, name in names.items()})
    assert done.stolen == []
    if done.error is None:
        assert state(cloud) == state(end)
        assert not labelled(cloud)
    if isinstance(done.error, LeftOpen):
        assert labelled(cloud)


@given(st.sampled_from(SCENES), failures, st.integers(0, 45))
def test_nothing_is_taken_from_somebody_else_whatever_fails(scene: Scene, names: dict[int, str], moment: int) -> None:
    def seized(cloud: FakeCloud, step: Step) -> Any:
        try:
            return chaos(names[moment])(cloud, step) if moment in names else cloud.answer(step)
        finally:
            if not isinstance(step, Read):
                scene.seize(cloud)

    done, _ = driven(scene, {**{number: chaos(name) for number, name in names.items()}, moment: seized})
    assert done.stolen == []


@given(st.sampled_from(PRIMARIES), failures)
def test_a_primary_ips_label_is_only_gone_when_nothing_is_open(scene: Scene, names: dict[int, str]) -> None:
    start, (_, end) = scene.cloud(), smooth(scene)
    done, cloud = driven(scene, {number: chaos(name) for number, name in names.items()})
    if labelled(cloud):
        assert done.error is not None
    else:
        servers = {id: server.status for id, server in state(cloud)[Server].items()}
        assert servers == {id: server.status for id, server in state(start)[Server].items()}
        holders = {id: address.assignee for id, address in state(cloud)[PrimaryIp].items()}
        for id, holder in holders.items():
            assert holder in (state(start)[PrimaryIp][id].assignee, state(end)[PrimaryIp][id].assignee)


def test_a_second_failure_while_giving_back_is_not_hidden() -> None:
    scene = next(scene for scene in SCENES if scene.name == "primary")
    done, _ = smooth(scene)
    assign = next(number for number, step in enumerate(done.steps) if step.what == "assign primary IP pub to srv-b")
    no = fails(Refused("no", "invalid_input"))

    def no_assigning(cloud: FakeCloud, step: Step) -> Any:
        return (no if step.what.startswith("assign") else FakeCloud.answer)(cloud, step)

    failed, cloud = driven(scene, dict.fromkeys(range(assign, assign + 8), no_assigning))
    assert isinstance(failed.error, LeftOpen)
    assert labelled(cloud)
    assert [cloud.tables[Server][id].status for id in (A, B)] == ["running", "running"]
