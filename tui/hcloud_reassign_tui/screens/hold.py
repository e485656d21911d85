"""For how long triggered requests are kept away from something."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button

from hcloud_reassign_tui.moving import Errand
from hcloud_reassign_tui.screens.dialog import Dialog, pressed
from hcloud_reassign_tui.view.plans import title
from hcloud_reassign_tui.view.signs import Cell

TIMES = {"30": (1800.0, "30 min"), "2": (7200.0, "2 h"), "1": (86400.0, "1 d"), "r": (None, "release")}
"""The ids of the buttons, with what they stand for."""


class HoldDialog(Dialog["tuple[float | None, str]"]):
    """Answers for how many seconds, None to release, with the word for it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("3", "hold('30')", "30 min", show=False),
        Binding("2", "hold('2')", "2 h", show=False),
        Binding("1", "hold('1')", "1 d", show=False),
        Binding("r", "hold('r')", "Release", show=False),
    ]

    def __init__(self, errand: Errand) -> None:
        super().__init__()
        self._errand = errand

    def buttons(self) -> ComposeResult:
        yield pressed("Cancel", "cancel")
        yield pressed("30 min (3)", "for-30")
        yield pressed("2 h (2)", "for-2")
        yield pressed("1 d (1)", "for-1")
        yield pressed("Release (r)", "for-r")

    def on_mount(self) -> None:
        errand = self._errand
        self.entitle(f"Hold {title(errand.rows, errand.group_names, self.owner.signs)}")
        self.say(
            (
                (Cell("While it is held, what a pipeline or a monitor asks for is refused."),),
                (Cell("What is typed, here or on a command line, still works, with a warning."),),
            )
        )
        self.hint("3, 2, 1: hold it for so long   r: release it   Esc: back")

    def action_hold(self, id: str) -> None:
        self.answer(TIMES[id])

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        id = str(event.button.id)
        if id == "cancel":
            self.answer(None)
        else:
            self.action_hold(id.removeprefix("for-"))
