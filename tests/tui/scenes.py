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
    "help": help_,
    "servers": servers,
    "details": details,
    "history": history,
    "log": log,
}


def stage(name: str) -> Stage:
    """Three servers of which the third is off."""
    return Stage(Lab(with_server(TRIO, "srv-c", status="off")), moved=name == "history")


async def frozen(session: Session) -> None:
    """Nothing under way: no look, no question, no move, and nothing left to draw."""
    app = session.app
    lanes = [app.moves, *(lane for desk in app.desks for lane in (desk.lane, desk.questions))]
    await session.until(lambda: not any(lane.waiting for lane in lanes), what="nothing under way")
    await session.until(lambda: app.focused is not None or app.screen.AUTO_FOCUS == "", what="a focus")
    await session.pilot.pause()
