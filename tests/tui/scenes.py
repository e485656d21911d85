"""Screens that always look the same: frozen clocks, a relative file, a fixed theme, no blinking cursor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from textual.widgets import Input

from hcloud_reassign.core.model import Request
from hcloud_reassign.project import Overrides, Project, open_project
from hcloud_reassign.simulator import Fault
from hcloud_reassign_tui.app import ReassignApp
from hcloud_reassign_tui.options import Options
from tests.engine.samples import ALIASED, FLOAT, PUBLIC, ROUTE, TRIO, with_server
from tests.harness import START, TOKEN, URL, Lab
from tests.tui.gates import Gate, held_open
from tests.tui.session import Session

SIZES = ((80, 24), (120, 40))
THEME = "textual-dark"
INI = "\n".join(
    (
        "[client]\nproject = prod\n",
        FLOAT.section(),
        ALIASED.section(),
        ROUTE.section(),
        PUBLIC.section(),
        "[group.web]\nmembers = floating.web, route.default\n",
    )
)


@dataclass
class Stage:
    """A lab with a screen on it, and the clock of the screen."""

    lab: Lab
    options: Options = field(default_factory=lambda: Options(theme=THEME))
    now: float = 0.0
    moved: bool = False
    """Whether the first address was moved before."""
    gate: Gate | None = None
    """What a move waits at; somebody has to open it."""

    def app(self) -> ReassignApp:
        project = self._project()
        if self.moved:
            project.run(["floating.web"], Request())
        return ReassignApp([project], self.options, monotonic=lambda: self.now, wall=lambda: START)

    def _project(self) -> Project:
        Path("prod.ini").write_text(INI)
        Path("prod.ini").chmod(0o600)
        return open_project("prod.ini", Overrides(token=TOKEN, api_url=URL, by="admin"), equipment=self.lab.equipment())


Script = Callable[[Session, Stage], Awaitable[None]]


async def holders(session: Session, stage: Stage) -> None:
    await session.until("8 resources")


async def filtered(session: Session, stage: Stage) -> None:
    await holders(session, stage)
    session.app.screen.query_one(Input).cursor_blink = False
    await session.press("slash")
    await session.type("floating")
    await session.until("2 of 8 resources")


async def selected(session: Session, stage: Stage) -> None:
    await holders(session, stage)
    await session.press("space", "space")
    await session.until("2 selected")


async def error(session: Session, stage: Stage) -> None:
    await holders(session, stage)
    stage.lab.sim.faults.append(Fault(status=503, times=None))
    await session.press("r")
    await session.until("next try in")


async def stale(session: Session, stage: Stage) -> None:
    await holders(session, stage)
    await session.press("p")
    stage.now = 42.0
    session.app._tick()
    await session.until("STALE 42 s")


async def targets(session: Session, stage: Stage) -> None:
    await holders(session, stage)
    await session.press("m")
    await session.until("can get it")


async def plan(session: Session, stage: Stage) -> None:
    await targets(session, stage)
    await session.press("enter")
    await session.until("Cancel")
    await session.until(lambda: "making the plan" not in session.text())


async def confirmed(session: Session, stage: Stage) -> None:
    await plan(session, stage)
    await session.press("tab", "enter")


async def running(session: Session, stage: Stage) -> None:
    stage.gate = held_open(stage.lab, FLOAT.path)
    await confirmed(session, stage)
    await session.until("step 1 of 1")


async def leaving(session: Session, stage: Stage) -> None:
    await running(session, stage)
    await session.press("ctrl+c")
    await session.until("leave?")


async def done(session: Session, stage: Stage) -> None:
    await confirmed(session, stage)
    await session.until("1 done")


async def failed(session: Session, stage: Stage) -> None:
    stage.lab.sim.faults.append(Fault(method="POST", path=FLOAT.path, status=422, code="invalid_input"))
    await confirmed(session, stage)
    await session.until("1 failed")


async def unknown(session: Session, stage: Stage) -> None:
    stage.lab.sim.faults.append(Fault(method="POST", path=FLOAT.path, stuck_action=True))
    await confirmed(session, stage)
    await session.until("1 unknown")


async def hold(session: Session, stage: Stage) -> None:
    await holders(session, stage)
    await session.press("h")
    await session.until("Hold 192.0.2.10")


async def palette(session: Session, stage: Stage) -> None:
    await holders(session, stage)
    await session.press("ctrl+p")
    await session.until("All keys. (?)")
    session.app.screen.query_one(Input).cursor_blink = False


async def copied(session: Session, stage: Stage) -> None:
    await holders(session, stage)
    await session.press("C")
    await session.until("Copied the command")


async def saved(session: Session, stage: Stage) -> None:
    await holders(session, stage)
    await session.press("e")
    await session.until("Enter saves")
    session.app.screen.query_one("#path", Input).cursor_blink = False


async def holdings(session: Session, stage: Stage) -> None:
    await servers(session, stage)
    await session.press("enter")
    await session.until("held by srv-a")


async def help_(session: Session, stage: Stage) -> None:
    await holders(session, stage)
    await session.press("question_mark")
    await session.until("On this screen")


async def servers(session: Session, stage: Stage) -> None:
    await holders(session, stage)
    await session.press("2")
    await session.until("3 servers")


async def details(session: Session, stage: Stage) -> None:
    await holders(session, stage)
    await session.press("d")
    await session.until("assign floating IP")


async def history(session: Session, stage: Stage) -> None:
    """After a move that was made before the screen was opened: what runs beside it shares the lab's clock."""
    await holders(session, stage)
    await session.press("3")
    await session.until("900001")


async def log(session: Session, stage: Stage) -> None:
    await holders(session, stage)
    await session.press("4")
    await session.until(lambda: type(session.app.page).__name__ == "LogPage")


SCENES: Mapping[str, Script] = {
    "holders": holders,
    "filtered": filtered,
    "selected": selected,
    "error": error,
    "stale": stale,
    "targets": targets,
    "plan": plan,
    "running": running,
    "leaving": leaving,
    "done": done,
    "failed": failed,
    "unknown": unknown,
    "hold": hold,
    "palette": palette,
    "copied": copied,
    "saved": saved,
    "help": help_,
    "servers": servers,
    "holdings": holdings,
    "details": details,
    "history": history,
    "log": log,
}
SMALL_ONLY = {"leaving", "done", "failed", "hold", "palette", "copied", "saved", "holdings"}
"""Scenes that a larger terminal shows alike."""


def stage(name: str) -> Stage:
    """Three servers of which the third is off."""
    return Stage(Lab(with_server(TRIO, "srv-c", status="off")), moved=name == "history")


async def frozen(session: Session, stage: Stage) -> None:
    """Nothing under way: no look, no question, no move that is not held up, and nothing left to draw."""
    app = session.app
    lanes = [lane for desk in app.desks for lane in (desk.lane, desk.questions)]
    lanes += [] if stage.gate else [app.moves]
    await session.until(lambda: not any(lane.waiting for lane in lanes), what="nothing under way")
    await session.until(lambda: not app._to_redraw, what="the rows drawn")
    await session.until(lambda: app.focused is not None or app.screen.AUTO_FOCUS == "", what="a focus")
    await session.pilot.pause()
