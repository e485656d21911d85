"""`simulate`: a simulated Hetzner project behind a local address."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Annotated

import typer

from hcloud_reassign.cli.parsing import duration_s
from hcloud_reassign.cli.session import Session, now_ms
from hcloud_reassign.cli.text import Line, Piece, line
from hcloud_reassign.core.errors import ExitCode, FailedError, UsageError

if TYPE_CHECKING:
    from hcloud_reassign.simulator import Fault, Simulator

TOKEN = "simulated-token"
"""What the packaged scenarios accept."""
MISSING_EXTRA = UsageError(
    "the simulator needs packages that are not installed",
    object="simulate",
    next="pip install 'hcloud-reassign[simulate]'",
)


def command(
    ctx: typer.Context,
    listen: Annotated[str, typer.Option("--listen", metavar="HOST:PORT", help="Where to serve.")] = "127.0.0.1:8410",
    scenario: Annotated[
        str, typer.Option("--scenario", metavar="NAME|FILE", help="What the project consists of at the start.")
    ] = "pair",
    latency: Annotated[
        str | None, typer.Option("--latency", metavar="TIME", help="Round trip of every request, like 50ms.")
    ] = None,
    action_time: Annotated[
        str | None, typer.Option("--action-time", metavar="TIME", help="How long every action takes, like 2s.")
    ] = None,
    faults: Annotated[
        str | None, typer.Option("--faults", metavar="FILE", help="What goes wrong: a JSON list of rules.")
    ] = None,
    tls_cert: Annotated[str | None, typer.Option("--tls-cert", metavar="FILE", help="Serve https.")] = None,
    tls_key: Annotated[str | None, typer.Option("--tls-key", metavar="FILE", help="The certificate's key.")] = None,
) -> ExitCode:
    """Serve a simulated Hetzner project."""
    session: Session = ctx.obj
    if (tls_cert is None) != (tls_key is None):
        raise UsageError("--tls-cert and --tls-key go together", object="--tls-cert", next="give both, or neither")
    host, port = _address(listen)
    sim = simulator(scenario, action_time, faults)
    if session.options.output == "json":
        raise UsageError("simulate is text or jsonl", object="--output", next="-o jsonl")
    latency_s = 0.0 if latency is None else duration_s("--latency", latency)
    try:
        from hcloud_reassign.simulator.asgi import serve
    except ImportError as error:
        raise MISSING_EXTRA from error
    try:
        serve(
            sim,
            host=host,
            port=port,
            latency_s=latency_s,
            tls_cert=tls_cert,
            tls_key=tls_key,
            on_ready=lambda url: _ready(session, scenario, url),
        )
    except OSError as error:
        raise FailedError(f"cannot serve at {listen}: {error.strerror or error}", object="--listen") from error
    return ExitCode.OK


def simulator(scenario: str, action_time: str | None = None, faults: str | None = None) -> Simulator:
    """The project in memory. Raises UsageError for a scenario or a fault file that is wrong."""
    from hcloud_reassign.simulator import ScenarioError, Simulator, load_faults, load_scenario

    duration = None if action_time is None else duration_s("--action-time", action_time)
    try:
        rules: list[Fault] = [] if faults is None else load_faults(faults)
        return Simulator(
            load_scenario(scenario),
            clock=time.time,
            rng=random.Random(),
            faults=rules,
            action_time=None if duration is None else (duration, duration),
        )
    except ScenarioError as error:
        raise UsageError(str(error), object="--scenario or --faults", next="hcloud-reassign simulate --help") from error


def _address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not (colon and host and port.isascii() and port.isdecimal() and int(port) < 65536):
        raise UsageError(f"--listen: {listen!r} is not HOST:PORT", object="--listen", next="--listen 127.0.0.1:8410")
    return host.strip("[]"), int(port)


def _ready(session: Session, scenario: str, url: str) -> None:
    if session.machine:
        from hcloud_reassign.core.guards import clock_time

        more = {"url": f"{url}/v1", "robot_url": f"{url}/robot", "token": TOKEN, "scenario": scenario}
        session.writer.json(
            {"event": "simulate.ready", "time": clock_time(now_ms()), "seq": 1, "run": None, **more}, one_line=True
        )
        return
    session.writer.say(f"a simulated Hetzner project ({scenario}) at {url}; Ctrl-C ends it. For another terminal:")
    session.writer.lines(environment(url))


def environment(url: str) -> list[Line]:
    """What to put into a shell so that everything talks to the simulator."""
    variables = {"HCLOUD_ENDPOINT": f"{url}/v1", "HCLOUD_TOKEN": TOKEN}
    return [line(Piece(f"export {name}={value}")) for name, value in variables.items()]
