"""A schedule: a small project, commands given in it, and what goes wrong meanwhile; plain data from a seed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Stop = Literal["interrupt", "kill-before", "kill-after"]
NOBODY = ""


@dataclass(frozen=True)
class Scene:
    """What there is at the start.

    `types`: what is moved (`things.THINGS`). `form`: how the sections name servers: "pair" (srv-a to srv-b), "members"
    (srv-a, srv-b, srv-c), "open" (to srv-b from anybody). srv-d is named nowhere. `off`, `deaf`: servers that are off,
    and that do not obey a shutdown. `own`: srv-b has a primary IP of each family itself.
    """

    types: tuple[str, ...]
    group: Literal["undo", "keep"] | None = None
    form: Literal["pair", "members", "open"] = "pair"
    holder: str = "srv-a"
    options: Mapping[str, str] = field(default_factory=dict)
    off: tuple[str, ...] = ()
    deaf: tuple[str, ...] = ()
    shutdown_s: float = 1.0
    own: bool = False
    switches: Mapping[str, Any] = field(default_factory=dict)
    action_s: tuple[float, float] = (0.2, 0.9)


@dataclass(frozen=True)
class Call:
    """One `run` of everything. Seconds; `issued_s` counts from the start of the schedule, None is a typed request.

    `stop` happens at the `stop_at`th request of the run; who is killed gives the same command again.
    """

    to: str | None = None
    direction: Literal["dest", "src"] = "dest"
    issued_s: float | None = None
    force: bool = False
    allow_poweroff: bool = True
    hard_poweroff: bool = False
    power_on: bool = False
    wait_s: float = 0.0
    timeout_s: float | None = None
    stop: Stop | None = None
    stop_at: int = 0


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with the `nth` request of a method ("*": of any), counted over the whole schedule.

    `type` and `server`: which thing somebody else moves, and to whom; or which server vanishes.
    """

    what: str
    nth: int
    method: str = "*"
    times: int = 1
    status: int = 500
    body: str = "json"
    seconds: float = 0.0
    type: str = ""
    server: str = NOBODY


@dataclass(frozen=True)
class Schedule:
    """`mend_after_s`: how long after the last run what it advises is done."""

    seed: int
    scene: Scene
    calls: tuple[Call, ...]
    troubles: tuple[Trouble, ...] = ()
    mend_after_s: float = 0.0

    def as_json(self) -> str:
        """Everything that is not as by default, on few lines."""
        data = {
            "seed": self.seed,
            "scene": _changed(self.scene, Scene(())),
            "calls": [_changed(call, Call()) for call in self.calls],
            "troubles": [_changed(trouble, Trouble("", 0)) for trouble in self.troubles],
            "mend_after_s": self.mend_after_s,
        }
        return json.dumps(data)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Schedule:
        scene: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data["scene"].items()
        }
        return cls(
            data["seed"],
            Scene(**scene),
            tuple(Call(**call) for call in data["calls"]),
            tuple(Trouble(**trouble) for trouble in data["troubles"]),
            data.get("mend_after_s", 0.0),
        )


def _changed(item: Any, default: Any) -> dict[str, Any]:
    usual = asdict(default)
    return {key: value for key, value in asdict(item).items() if value != usual[key]}
