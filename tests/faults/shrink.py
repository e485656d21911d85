"""A schedule that breaks something, made smaller while it still does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace

from tests.faults.invariants import breaches
from tests.faults.play import play
from tests.faults.schedule import Call, Scene, Schedule


def still_breaks(invariant: str) -> Callable[[Schedule], bool]:
    """Whether a schedule breaks an invariant."""
    return lambda schedule: any(breach.invariant == invariant for breach in breaches(play(schedule)))


def shrunk(schedule: Schedule, breaks: Callable[[Schedule], bool]) -> Schedule:
    """The first smaller one that still breaks, again and again."""
    while True:
        smaller = next((item for item in _smaller(schedule) if breaks(item)), None)
        if smaller is None:
            return schedule
        schedule = smaller


def _smaller(schedule: Schedule) -> Iterator[Schedule]:
    scene, calls, troubles = schedule.scene, schedule.calls, schedule.troubles
    for place in range(len(troubles)):
        yield replace(schedule, troubles=troubles[:place] + troubles[place + 1 :])
    for place in range(len(calls)):
        if len(calls) > 1:
            yield replace(schedule, calls=calls[:place] + calls[place + 1 :])
    for type in scene.types:
        types = tuple(other for other in scene.types if other != type)
        if types and all(trouble.type in ("", *types) or trouble.type == type for trouble in troubles):
            about = tuple(replace(trouble, type=types[0]) if trouble.type == type else trouble for trouble in troubles)
            yield replace(schedule, scene=replace(scene, types=types, group=None), troubles=about)
    for key in scene.options:
        rest = {name: value for name, value in scene.options.items() if name != key}
        yield replace(schedule, scene=replace(scene, options=rest))
    for key in scene.switches:
        yield replace(
            schedule,
            scene=replace(scene, switches={name: value for name, value in scene.switches.items() if name != key}),
        )
    for name in ("group", "holder", "off", "deaf", "shutdown_s", "own", "action_s", "form"):
        default = getattr(Scene(()), name)
        if getattr(scene, name) != default and (name != "form" or all(call.to != "srv-c" for call in calls)):
            yield replace(schedule, scene=replace(scene, **{name: default}))
    for place, call in enumerate(calls):
        for field in fields(Call):
            default = getattr(Call(), field.name)
            if getattr(call, field.name) != default and not (field.name == "to" and scene.form == "members"):
                changed = replace(call, **{field.name: default})
                yield replace(schedule, calls=(*calls[:place], changed, *calls[place + 1 :]))
    for place, trouble in enumerate(troubles):
        if trouble.times > 1:
            yield replace(schedule, troubles=(*troubles[:place], replace(trouble, times=1), *troubles[place + 1 :]))
