"""A change on its way, step by step, and then what came of it until somebody closes that."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button

from hcloud_reassign_tui.moving import Change, MoveChange
from hcloud_reassign_tui.screens.dialog import Dialog, pressed
from hcloud_reassign_tui.view.detail import Lines
from hcloud_reassign_tui.view.going import Outcome, going_lines
from hcloud_reassign_tui.view.signs import Cell


class RunDialog(Dialog[str]):
    """Answers "digest" or "again" when a new plan is to be made. Closing it does not stop anything."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy", show=False),
        Binding("r", "recheck", "Re-check", show=False),
        Binding("x", "stop", "Stop", show=False),
    ]

    def __init__(self, change: Change[Any]) -> None:
        super().__init__()
        self.change = change
        self._outcome: Outcome | None = None
        self._since = 0.0

    def buttons(self) -> ComposeResult:
        yield pressed("Hide (it goes on)", "cancel")
        yield pressed("Re-check (r)", "recheck")
        yield pressed("Copy (c)", "copy")
        yield pressed("Stop in order (x)", "stop")

    def on_mount(self) -> None:
        self._since = self.owner.seconds()
        self.set_interval(1.0, self._show)
        self._show()

    def refreshed(self) -> None:
        """Something has happened to the change."""
        if self.is_attached:
            self._show()

    def _show(self) -> None:
        if self.change.state == "ended":
            self._show_end()
        else:
            self._show_going()

    def _show_going(self) -> None:
        change, signs = self.change, self.owner.signs
        before = self.owner.changing.changes.before(change)
        state = "stopping in order" if change.stopped else change.state
        self.entitle(f"{_capital(change.title)}: {state}, {self.owner.seconds() - self._since:.0f} s")
        lines: Lines = going_lines(change.goings, signs)
        if before is not None:
            lines = ((Cell(f"waits: only one change at a time, and {before.title} is under way", "warn"),), *lines)
        warnings = tuple((Cell(f"{signs['warn']} {signs.text(text)}", "warn"),) for text in change.warnings)
        self.say((*lines, *warnings))
        stoppable = self._is_move and not change.stopped
        for id, shown in {"recheck": False, "copy": False, "stop": stoppable}.items():
            self.button(id).display = shown
        button, hint = self._escape()
        self.name_button("cancel", button)
        self.hint(hint)

    def _escape(self) -> tuple[str, str]:
        """What Esc does: the name of its button, and the hint."""
        if self._is_move:
            return "Hide (it goes on)", "Esc hides this; it goes on, and its row shows how far it is"
        if not self.change.stopped:
            return "Give it up", "Esc gives it up"
        return "Hide (it ends by itself)", "Esc hides this; what came of it is told then"

    def _show_end(self) -> None:
        if self._outcome is not None:
            return
        change = self.change
        if change.overtaken:
            self.answer("digest")
            return
        outcome = change.outcome(self.owner.signs)
        if outcome.well and not self._is_move:
            if self.is_current:
                self.tell(f"{change.title}: {outcome.headline.text}")
            self.answer(None)
            return
        self._outcome = outcome
        self.entitle(_capital(change.title))
        self.say(((outcome.headline,), *outcome.lines))
        self.name_button("cancel", "Close")
        shown = {"recheck": not outcome.well and self._is_move, "copy": True, "stop": False}
        for id, is_shown in shown.items():
            self.button(id).display = is_shown
        self.button("cancel").focus()
        unknown = "r: look again and plan anew; nothing is sent by that   " if shown["recheck"] else ""
        self.hint(f"{unknown}c: copy   Enter or Esc: close")

    # Acting

    @property
    def _is_move(self) -> bool:
        return isinstance(self.change, MoveChange)

    def action_back(self) -> None:
        """A move goes on and is seen on its row. A hold is not: it is given up, and what came of that is shown."""
        if self._is_move or self.change.stopped or self.change.state == "ended":
            super().action_back()
        else:
            self.action_stop()

    @on(Button.Pressed, "#cancel")
    def _cancelled(self) -> None:
        self.action_back()

    @on(Button.Pressed, "#copy")
    def action_copy(self) -> None:
        if self._outcome:
            self.copy(self._outcome.text(), "outcome")

    @on(Button.Pressed, "#recheck")
    def action_recheck(self) -> None:
        if self._outcome and self.button("recheck").display:
            self.answer("again")

    @on(Button.Pressed, "#stop")
    def action_stop(self) -> None:
        if self.change.state != "ended":
            self.change.stop()
            self._show()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
