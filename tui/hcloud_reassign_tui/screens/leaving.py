"""Leaving while something is under way: wait for it, stop it in order, or stay."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button

from hcloud_reassign_tui.screens.dialog import Dialog, pressed
from hcloud_reassign_tui.view.going import going_lines
from hcloud_reassign_tui.view.signs import Cell

Way = Literal["wait", "stop"]


class LeaveDialog(Dialog[Way]):
    """Answers how to leave; None: stay."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "leave('wait')", "Wait", show=False),
        Binding("x", "leave('stop')", "Stop", show=False),
    ]

    def buttons(self) -> ComposeResult:
        yield pressed("Stay", "cancel")
        yield pressed("Wait, then leave (w)", "wait")
        yield pressed("Stop and leave (x)", "stop")

    def on_mount(self) -> None:
        self.entitle("Something is moving: leave?")
        self.refreshed()
        self.set_interval(1.0, self.refreshed)
        self.hint("w: leave when it is done   x: begin nothing new, finish what was taken away   Esc: stay")

    def refreshed(self) -> None:
        """Show what is under way now; when nothing is any more there is nothing to ask."""
        under_way = self.owner.changing.changes.under_way
        if not under_way:
            self.answer(None)
            return
        signs = self.owner.signs
        lines = [(Cell(f"{change.title}: {change.state}", "bold"),) for change in under_way]
        going = (line for change in under_way for line in going_lines(change.goings, signs))
        self.say((*lines, *going))

    def action_leave(self, way: Way) -> None:
        self.answer(way)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "cancel":
            self.answer(None)
        else:
            self.action_leave("stop" if event.button.id == "stop" else "wait")
