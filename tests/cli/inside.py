"""The whole command line in the process of the test, on a lab: what costs a start of Python elsewhere costs nothing."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import requests

from hcloud_reassign import project
from hcloud_reassign.cli.main import carried_out
from hcloud_reassign.cli.session import Session
from hcloud_reassign.cli.writer import Writer
from tests.cli.process import Cli, Done
from tests.harness import TOKEN, URL, Direct, Lab

Change = Callable[[requests.PreparedRequest, requests.Response], None]
"""What is done to an answer on its way."""


class Meddled(Direct):
    """Changes answers of the simulator."""

    def __init__(self, lab: Lab, change: Change) -> None:
        super().__init__(lab)
        self._change = change

    def send(self, request: requests.PreparedRequest, limit_s: float) -> requests.Response:
        answer = super().send(request, limit_s)
        self._change(request, answer)
        return answer


class MeddledLab(Lab):
    """A lab between which and the program somebody stands who changes the answers."""

    def __init__(self, *given: Any, change: Change, **more: Any) -> None:
        super().__init__(*given, **more)
        self._change = change

    def _mount(self, session: requests.Session) -> None:
        self._wire(session, Meddled(self, self._change))


class _Text(io.StringIO):
    """What is written to a pipe in UTF-8."""

    encoding = "utf-8"


def call(lab: Lab | None, *words: str, env: Mapping[str, str | None] | None = None, stdin: str | None = "") -> Done:
    """Carry a command line out. Without a lab it has the real equipment; without `stdin` a closed one.

    None in `env` takes a variable away.
    """
    home = os.environ["HOME"]
    given = {"HOME": home, "HCLOUD_REASSIGN_STATE": f"{home}/state", "PATH": os.environ["PATH"]}
    given |= {"HCLOUD_ENDPOINT": URL, "HCLOUD_TOKEN": TOKEN} if lab else {}
    environ = {name: value for name, value in {**given, **(env or {})}.items() if value is not None}
    out, err = _Text(), _Text()
    with _surroundings(environ, stdin), _equipped(lab):
        code = carried_out(Session(list(words), environ, Writer(out, err, environ)))
    return Done(code, out.getvalue(), err.getvalue())


def at_hand(cli: Cli) -> Cli:
    """The same command, carried out in the process of the test; started, it still has one of its own."""

    def run(*words: str, stdin: str = "", env: Mapping[str, str | None] | None = None) -> Done:
        return call(None, *words, env={**cli.environ, **(env or {})}, stdin=stdin)

    return replace(cli, call=run)


@contextlib.contextmanager
def _surroundings(environ: Mapping[str, str], stdin: str | None) -> Iterator[None]:
    with (
        patch.dict(os.environ, environ, clear=True),
        patch("sys.stdin", None if stdin is None else io.StringIO(stdin)),
    ):
        yield


@contextlib.contextmanager
def _equipped(lab: Lab | None) -> Iterator[None]:
    if lab is None:
        yield
        return
    with patch.object(project, "real_equipment", lab.equipment):
        yield
