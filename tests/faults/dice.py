"""Schedules by the dice: the same seed always gives the same schedule."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from tests.faults.schedule import NOBODY, Call, Scene, Schedule, Stop, Trouble
from tests.faults.things import LISTED

QUICK = ("ip_floating", "route", "ip_alias")
_TYPES: tuple[tuple[str, ...], ...] = (
    *(((type,) * 1) for type in QUICK),
    *(((type,) * 1) for type in QUICK),
    ("ip_public",),
    ("ip_public",),
    ("ip_public6",),
    ("ip_public", "ip_public6"),
    ("ip_public", "ip_public6"),
    ("ip_floating", "ip_alias"),
    ("route", "ip_alias"),
    ("ip_floating", "route"),
    QUICK,
    ("ip_alias", "ip_public"),
    (*QUICK, "ip_public"),
)
WAYS: Mapping[str, str] = {
    "error-before": "500 to 504, nothing happened",
    "error-after": "500 to 504, it happened",
    "refused": "404, 412 or 422",
    "busy": "409 or 423",
    "rate-limit": "429 with an empty bucket",
    "reset-before": "connection reset, nothing happened",
    "reset-after": "connection reset, it happened",
    "timeout": "no answer in time, it happened",
    "arrives-late": "no answer in time, it happens later",
    "slow-answer": "the answer takes seconds",
    "action-fails": "the action fails at once",
    "action-fails-late": "the action fails later",
    "action-locked": "the action fails because of a lock",
    "action-stuck": "the action never ends",
    "action-slow": "the action takes long",
    "stale": "a read shows an older state",
    "server-vanishes": "a server is deleted",
    "moved": "somebody else moves it",
    "newer-claim": "a newer request is made",
    "newer-move": "a newer request is made and carried out",
    "neighbour": "somebody else writes a label and an alias IP",
    "revoked": "the token is revoked",
}
"""Every trouble there is, in words."""

_ON_WRITES = ("action-fails", "action-fails-late", "action-locked", "action-stuck", "action-slow")
_WEIGHTS = {"revoked": 1, "server-vanishes": 2, "moved": 5, "newer-claim": 3, "newer-move": 3, "stale": 4}
_BODIES = ("json", "json", "html", "empty")
_SWITCHES: Mapping[str, Any] = {
    "floating_strict": True,
    "network_members": False,
    "alias_locks_network": True,
    "alias_in_use_code": "invalid_input",
    "unassign_unassigned_code": "service_error",
    "poweron_without_interface": "action_fails",
    "shutdown_shows_stopping": False,
    "floating_assign_locks_source": False,
    "assignee_unassigned": False,
    "deleted_holder_lingers_s": 5.0,
}


def schedule(seed: int) -> Schedule:
    dice = random.Random(seed)
    scene = _scene(dice)
    calls = _calls(dice, scene)
    count = dice.choice((0, 1, 1, 1, 2, 2, 3, 4))
    troubles = tuple(_trouble(dice, scene) for _ in range(count))
    return Schedule(seed, scene, calls, troubles, dice.choice((0.0, 0.5, 3.0, 200.0)))


def _scene(dice: random.Random) -> Scene:
    types = dice.choice(_TYPES)
    public = any(type.startswith("ip_public") for type in types)
    form: Literal["pair", "members", "open"] = dice.choice(("pair", "pair", "pair", "members", "open"))
    holder = dice.choice(("srv-a",) * 12 + ("srv-b", "srv-c", "srv-d", NOBODY))
    return Scene(
        types,
        group=dice.choice(("undo", "keep", None)) if len(types) > 1 and not public else None,
        form=form,
        holder=holder,
        options=_options(dice, public),
        off=dice.choice(((), (), (), (), ("srv-a",), ("srv-b",), ("srv-a", "srv-b"))),
        deaf=dice.choice(((), (), (), (), ("srv-a",), ("srv-b",))) if public else (),
        shutdown_s=dice.choice((0.5, 2.0, 12.0, 40.0)) if public else 1.0,
        own=public and holder != "srv-b" and dice.random() < 0.25,
        switches={key: value for key, value in _SWITCHES.items() if dice.random() < 0.15},
        action_s=dice.choice(((0.2, 0.9), (0.2, 0.9), (0.02, 0.1), (1.0, 5.0))),
    )


def _options(dice: random.Random, public: bool) -> dict[str, str]:
    options = {"cooldown": "60"} if dice.random() < 0.15 else {}
    if public:
        options |= {"hard_poweroff": "yes"} if dice.random() < 0.3 else {}
        options |= {"occupied": "detach"} if dice.random() < 0.7 else {}
        options |= {"leave_off": "yes"} if dice.random() < 0.1 else {}
        options |= {"shutdown_timeout": "10"} if dice.random() < 0.3 else {}
    return options


def _calls(dice: random.Random, scene: Scene) -> tuple[Call, ...]:
    first = _call(dice, scene, stops=True)
    if dice.random() < 0.65:
        return (first,)
    second = replace(_call(dice, scene, stops=False), wait_s=dice.choice((0.0, 0.0, 1.0, 20.0, 100.0)))
    return (first, second)


def _call(dice: random.Random, scene: Scene, stops: bool) -> Call:
    to: str | None = None
    direction: Literal["dest", "src"] = "dest"
    if scene.form == "members":
        to = dice.choice(("srv-b", "srv-b", "srv-a", "srv-c"))
    elif scene.form == "pair":
        to = dice.choice((None, None, None, "srv-a", "srv-b"))
        direction = "src" if to is None and dice.random() < 0.3 else "dest"
    stop: Stop | None = dice.choice(("interrupt", "kill-before", "kill-after")) if dice.random() < 0.25 else None
    return Call(
        to=to,
        direction=direction,
        issued_s=dice.choice((None, None, -1.0, -5.0, -60.0, -290.0, 0.0, 20.0)),
        force=dice.random() < 0.15,
        allow_poweroff=dice.random() < 0.9,
        hard_poweroff=dice.random() < 0.15,
        power_on=dice.random() < 0.1,
        timeout_s=dice.choice((None, None, None, None, None, 8.0, 15.0, 40.0)),
        stop=stop if stops else None,
        stop_at=dice.randint(1, 22) if stops and stop else 0,
    )


def _trouble(dice: random.Random, scene: Scene) -> Trouble:
    what = dice.choices(tuple(WAYS), [_WEIGHTS.get(name, 4) for name in WAYS])[0]
    public = any(type.startswith("ip_public") for type in scene.types)
    writes = what in _ON_WRITES or dice.random() < 0.4
    method = dice.choice(("POST", "POST", "PUT")) if writes and what not in _ON_WRITES else "POST" if writes else "*"
    most = {"POST": 8 if public else 4, "PUT": 2, "*": 45 if public else 18}[method] + 2 * (len(scene.types) - 1)
    return Trouble(
        what,
        nth=dice.randint(1, most),
        method=method,
        times=dice.choice((1, 1, 1, 1, 2, 3, 5)),
        status=_status(dice, what, method),
        body=dice.choice(_BODIES),
        seconds=_seconds(dice, what),
        type=dice.choice(scene.types),
        server=_server(dice, what, scene),
    )


def _server(dice: random.Random, what: str, scene: Scene) -> str:
    if what == "moved":
        return dice.choice(("srv-d", "srv-d", "srv-a", "srv-b", NOBODY))
    if what in ("newer-claim", "newer-move"):
        return dice.choice(LISTED[scene.form][:3])
    return dice.choice(("srv-a", "srv-b"))


def _status(dice: random.Random, what: str, method: str) -> int:
    """Nothing lies by saying that there is no such server."""
    refusals = (412, 422) if method == "*" else (404, 412, 422, 422)
    choices: Mapping[str, tuple[int, ...]] = {"refused": refusals, "busy": (409, 423)}
    return dice.choice(choices.get(what, (500, 502, 503, 504)))


def _seconds(dice: random.Random, what: str) -> float:
    ranges: dict[str, tuple[float, float]] = {
        "action-slow": (2, 60),
        "timeout": (10.5, 40),
        "arrives-late": (10.5, 30),
        "slow-answer": (0.5, 8),
    }
    ranges |= {"action-fails-late": (1, 20), "stale": (0.1, 10)}
    return round(dice.uniform(*ranges.get(what, (0, 0))), 1)
