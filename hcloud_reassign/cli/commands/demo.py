"""`demo`: a fail-over from beginning to end, or the terminal UI to play with, on a simulated project."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from hcloud_reassign.cli.commands.simulate import MISSING_EXTRA, TOKEN
from hcloud_reassign.cli.session import Session
from hcloud_reassign.cli.text import Piece, line
from hcloud_reassign.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from hcloud_reassign.simulator import Simulator

_SEED = 7
_ACTION_S = (0.15, 0.45)
_LATENCY_S = 0.02

CONFIGURATION = """\
[client]
project = demo

[floating.web]
type        = ip_floating
resource    = web
source      = srv-a
destination = srv-b

[alias.vip]
type        = ip_alias
resource    = 10.0.1.100
network     = internal
source      = srv-a
destination = srv-b

[route.default]
type        = route
network     = 0.0.0.0/0
resource    = internal
source      = srv-a
destination = srv-b

[public.web]
type        = ip_public
resource    = public-web
source      = srv-a
destination = srv-b
allow_poweroff = yes
occupied    = detach
"""

_STORY = (
    ("Who holds what:", "status", ()),
    ("What a fail-over would do:", "plan", ("-q",)),
    ("srv-a has to go; srv-b takes over:", "run", ()),
    ("Who holds what now:", "status", ()),
)
"""What is said, the command that is shown, and options that keep its narration out of the story."""


def command(
    ctx: typer.Context,
    tui: Annotated[bool, typer.Option("--tui", help="Open the terminal UI, where something goes on.")] = False,
) -> ExitCode:
    """Show a fail-over on a simulated project; no account is needed."""
    session: Session = ctx.obj
    if session.machine:
        raise UsageError("demo is for people: text only", object="--output", next="leave out -o")
    from hcloud_reassign.simulator import Scenario, Simulator, load_scenario

    if tui:
        from hcloud_reassign.cli import stage

        scene, faults, text = Scenario.from_data(stage.SCENARIO), stage.faults(), CONFIGURATION + stage.SECTIONS
    else:
        scene, faults, text = load_scenario("pair"), [], CONFIGURATION
    sim = Simulator(scene, clock=time.time, rng=random.Random(_SEED), action_time=_ACTION_S, faults=faults)
    with _served(session, sim, text) as environ:
        return _played(session, sim, environ) if tui else _told(session, environ)


@contextmanager
def _served(session: Session, sim: Simulator, configuration: str) -> Iterator[Mapping[str, str]]:
    """A simulated project at a local port, and what commands have to see to work on it."""
    try:
        from hcloud_reassign.simulator.asgi import RunningServer
    except ImportError as error:
        raise MISSING_EXTRA from error
    # requests reads the environment of the process: no proxy of this host's knows the simulated project.
    os.environ["no_proxy"] = "127.0.0.1"
    with RunningServer(sim, latency_s=_LATENCY_S) as server, tempfile.TemporaryDirectory() as folder:
        yield _environment(session, server.url, folder, configuration)


def _environment(session: Session, url: str, folder: str, configuration: str) -> Mapping[str, str]:
    """What the commands of the demonstration see: nothing of a real project."""
    file = os.path.join(folder, "hcloud-reassign.ini")
    with open(file, "w", encoding="utf-8") as opened:
        opened.write(configuration)
    kept = {name: value for name, value in session.environ.items() if not name.startswith(("HCLOUD_", "GITHUB_"))}
    return {
        **kept,
        "HCLOUD_ENDPOINT": url,
        "HCLOUD_TOKEN": TOKEN,
        "HCLOUD_REASSIGN_CONFIG": file,
        "HCLOUD_REASSIGN_STATE": folder,
    }


def _played(session: Session, sim: Simulator, environ: Mapping[str, str]) -> ExitCode:
    from hcloud_reassign.cli.main import carried_out
    from hcloud_reassign.cli.stage import Players
    from hcloud_reassign.project import Overrides, open_project

    project = open_project(None, Overrides(by="keepalived"), environ=environ)
    globals_ = ["--no-color"] if session.options.no_color else []
    with Players(sim, project, TOKEN):
        return ExitCode(carried_out(Session([*globals_, "tui"], environ, session.writer)))


def _told(session: Session, environ: Mapping[str, str]) -> ExitCode:
    from hcloud_reassign.cli.main import carried_out

    _say(session, "A simulated Hetzner project: srv-a does the work, srv-b stands by. Nothing of it is real.")
    globals_ = ["--no-color"] if session.options.no_color else []
    for title, word, unseen in _STORY:
        _say(session, "")
        _say(session, title)
        session.writer.lines([line(Piece("$ ", "dim"), Piece(f"hcloud-reassign {word}", "bold"))])
        code = carried_out(Session([*globals_, word, *unseen], environ, session.writer))
        if code != 0:
            return ExitCode(code)
    _say(session, "")
    _say(session, "To try it by hand: hcloud-reassign simulate, and in another terminal what it prints, then")
    session.writer.lines([line("$ ", Piece("hcloud-reassign init && hcloud-reassign status --all", "bold"))])
    return ExitCode.OK


def _say(session: Session, text: str) -> None:
    session.writer.lines([line(text)])
