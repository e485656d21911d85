"""`demo`: a fail-over from beginning to end, on a simulated project."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Mapping

import typer

from hcloud_reassign.cli.commands.simulate import MISSING_EXTRA, TOKEN
from hcloud_reassign.cli.session import Session
from hcloud_reassign.cli.text import Piece, line
from hcloud_reassign.core.errors import ExitCode, UsageError

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


def command(ctx: typer.Context) -> ExitCode:
    """Show a fail-over on a simulated project; no account is needed."""
    session: Session = ctx.obj
    if session.machine:
        raise UsageError("demo is for people: text only", object="--output", next="leave out -o")
    try:
        from hcloud_reassign.simulator.asgi import RunningServer
    except ImportError as error:
        raise MISSING_EXTRA from error
    from hcloud_reassign.simulator import Simulator, load_scenario

    sim = Simulator(load_scenario("pair"), clock=time.time, rng=random.Random(_SEED), action_time=_ACTION_S)
    with RunningServer(sim, latency_s=_LATENCY_S) as server, tempfile.TemporaryDirectory() as folder:
        return _told(session, _environment(session, server.url, folder))


def _environment(session: Session, url: str, folder: str) -> Mapping[str, str]:
    """What the commands of the demonstration see: nothing of a real project."""
    file = os.path.join(folder, "hcloud-reassign.ini")
    with open(file, "w", encoding="utf-8") as opened:
        opened.write(CONFIGURATION)
    kept = {name: value for name, value in session.environ.items() if not name.startswith(("HCLOUD_", "GITHUB_"))}
    return {
        **kept,
        "HCLOUD_ENDPOINT": url,
        "HCLOUD_TOKEN": TOKEN,
        "HCLOUD_REASSIGN_CONFIG": file,
        "HCLOUD_REASSIGN_STATE": folder,
    }


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
