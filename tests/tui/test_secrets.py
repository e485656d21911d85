"""A canary for a token: no screen, log, clipboard or file of the terminal UI has it, whatever the API says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hcloud_reassign.project import Overrides, Project, open_project
from hcloud_reassign.simulator import Fault
from tests.engine.samples import FLOAT, ROUTE, TRIO
from tests.harness import URL, Lab
from tests.tui.session import Session, play

CANARY = "Zq7kCanary4NobodyMaySeeThis0123456789abcdefghijklmnopqrstuvwxyzAB"[:64]
SCENARIO = {**TRIO, "tokens": {CANARY: "read-write"}}
HTML = f"<html><pre>Authorization: Bearer {CANARY}</pre></html>"

TOURS = {
    "details": ("d", "c", "escape", "escape"),
    "a move": ("m", "enter", "c", "tab", "enter", "c", "r", "escape", "escape"),
    "a command": ("C", "escape", "c", "escape"),
    "a hold": ("h", "2", "c", "escape", "escape"),
    "servers": ("2", "enter", "c", "escape", "escape"),
    "history": ("3", "r", "c", "escape", "e", "escape", "escape"),
    "help": ("question_mark", "escape"),
    "the palette": ("ctrl+p", "Z", "q", "7", "escape"),
    "the log": ("4", "c", "escape", "e", "enter", "escape"),
    "what is on the screen": ("r", "e", "enter"),
}
ALWAYS = ("details", "a move", "a hold", "history", "the log", "what is on the screen")
"""The tours on which something fails. The others are made where nothing does."""
SEEN = ("8 resources", "where to?", "Cancel", "Hold 192.0.2.10", "If `run` were called now", "of this session")
SEEN_WELL = ("3 servers", "held by srv-a", "On other screens", "Zq7", "Copied the command", "WHEN (UTC)", "1 done")

FAULTS = {
    "no fault": Fault(nth=10**9),
    "a refused write": Fault("POST", status=422, message=f"your token {CANARY} is not well", times=None),
    "a failed action": Fault(
        "POST", fail_action={"code": "x", "message": f"Bearer {CANARY}", "after": 0.1}, times=None
    ),
    "a refused token": Fault(status=401, code="unauthorized", message=f"the token {CANARY} is invalid", times=None),
    "an error page": Fault("POST", status=500, body=HTML, times=None),
    "a redirect": Fault(status=302, headers={"Location": f"http://{CANARY}/"}, times=None),
    "a reset": Fault(drop="after", times=None),
}
REACHED = {"a refused write": "your token ***", "a failed action": "Bearer ***"}
"""What the screen has to say, so that nothing is hidden by never being there."""


class Witness(Session):
    """Remembers every screen that a key leads to, and what is there when it was waited for."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.app, session.pilot)
        self.screens: list[str] = []

    async def press(self, *keys: str) -> None:
        for key in keys:
            await super().press(key)
            self.screens.append(self.text())

    async def until(self, said: str | Callable[[], bool], *, what: str = "") -> None:
        await super().until(said, what=what)
        self.screens.append(self.text())

    async def tour(self, keys: tuple[str, ...]) -> None:
        """Each key, and what is asked for by it until it is answered."""
        app = self.app
        lanes = [app.moves, *(lane for desk in app.desks for lane in (desk.lane, desk.questions))]
        for key in keys:
            await self.press(key)
            await self.until(lambda: not any(lane.waiting for lane in lanes), what="nothing under way")
        while len(app.screen_stack) > 2:
            await self.press("escape")


def opened(lab: Lab, client: str, token: str | None = None) -> Project:
    Path("token").write_text(f"{CANARY}\n")
    Path("fails.sh").write_text("cat token; cat token >&2; exit 1\n")
    Path("prod.ini").write_text(f"[client]\n{client}" + FLOAT.section() + ROUTE.section())
    Path("prod.ini").chmod(0o600)
    return open_project("prod.ini", Overrides(token=token, api_url=URL), equipment=lab.equipment())


def written() -> Iterator[str]:
    """Every file below the home, the exported ones and the journal among them."""
    for folder, _, names in os.walk(os.environ["HOME"]):
        for name in names:
            if name not in ("token", "prod.ini"):
                yield Path(folder, name).read_text("utf-8", "replace")


def shown(witness: Witness) -> str:
    app = witness.app
    return "\n".join((*witness.screens, *app.logged.lines, app.clipboard, app.last_words, *written()))


@pytest.mark.parametrize(
    ("name", "client"),
    [(name, "api_token_command = cat token\n" if name == "a failed action" else "") for name in FAULTS],
)
def test_no_screen_shows_the_token(
    name: str, client: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    lab = Lab(SCENARIO)
    fault = replace(FAULTS[name])
    seen: list[str] = []

    async def script(session: Session) -> None:
        witness = Witness(session)
        await witness.until("8 resources")
        lab.sim.faults.append(fault)
        for tour in TOURS if name == "no fault" else ALWAYS:
            await witness.tour(TOURS[tour])
        seen.append(shown(witness))

    play(opened(lab, client, None if client else CANARY), script, size=(100, 40))
    out = capsys.readouterr()
    told = "\n".join((seen[0], out.out, out.err))
    assert CANARY.casefold() not in told.replace("\n", "").casefold()
    words = SEEN_WELL if name == "no fault" else (REACHED.get(name, ""),)
    assert [word for word in (*SEEN, *words) if word not in told] == []
    assert fault.fired or name == "no fault"
    assert sum("hcloud-reassign-" in path.name for path in home.iterdir()) == 2, "two screens were saved"
    assert {request.authorization for request in lab.sim.requests} == {f"Bearer {CANARY}"}


def test_what_a_command_for_the_token_says_when_it_fails_is_not_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    seen: list[str] = []

    async def script(session: Session) -> None:
        witness = Witness(session)
        await witness.until("api_token_command")
        await witness.tour(("4",))
        seen.append(shown(witness))

    play(opened(Lab(SCENARIO), "api_token_command = sh fails.sh\n"), script)
    assert CANARY.casefold() not in seen[0].replace("\n", "").casefold()
