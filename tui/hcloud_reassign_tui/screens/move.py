"""Moving: choose a server, read the plan, confirm, watch, and see what came of it. Each step is a dialog of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.events import Key as KeyEvent
from textual.widgets import Button, OptionList
from textual.widgets.option_list import Option

from hcloud_reassign.core.model import Request
from hcloud_reassign_tui.desk import told_of
from hcloud_reassign_tui.moving import Errand, MoveChange, Wish
from hcloud_reassign_tui.screens.dialog import Dialog, pressed
from hcloud_reassign_tui.screens.plan import Approved, PlanDialog
from hcloud_reassign_tui.screens.running import RunDialog
from hcloud_reassign_tui.view.choosing import Target, matching, preferred, targets
from hcloud_reassign_tui.view.filtering import counted
from hcloud_reassign_tui.view.plans import title
from hcloud_reassign_tui.view.signs import Cell
from hcloud_reassign_tui.widgets.lines import Line

if TYPE_CHECKING:
    from hcloud_reassign.core.report import Result
    from hcloud_reassign.project import Choice
    from hcloud_reassign_tui.app import ReassignApp

LONG = 6
"""From so many servers on it is said that they can be filtered."""


class Flow:
    """One errand from dialog to dialog."""

    def __init__(self, app: ReassignApp, errand: Errand) -> None:
        self._app, self._errand = app, errand

    def pick(self) -> None:
        self._app.push_screen(PickDialog(self._errand), self._picked)

    def _picked(self, target: Target | None) -> None:
        if target is not None:
            self.plan(Wish(target.to, target.name), back=True)

    def plan(self, wish: Wish, *, note: str = "", before: Sequence[Result] = (), back: bool = False) -> None:
        """Show the plan; `before` is one that was approved and is not so any more. `back`: Esc leads to the servers."""
        dialog = PlanDialog(self._errand, wish, note, before)
        self._app.push_screen(dialog, lambda approved: self._decided(approved, back))

    def _decided(self, approved: Approved | str | None, back: bool) -> None:
        if isinstance(approved, Approved):
            self._go(approved)
        elif approved is None and back:
            self.pick()

    def _go(self, approved: Approved) -> None:
        what = title(self._errand.rows, self._errand.group_names, self._app.signs)
        told = f"move {what} to {self._app.signs.text(approved.wish.name)}"
        change = MoveChange(self._errand, approved.wish, approved.digest, approved.results, told)
        if self._app.changing.begin(change):
            self.watch(change)

    def watch(self, change: MoveChange) -> None:
        """Show how far it is, or what came of it."""
        self._app.push_screen(RunDialog(change), lambda answer: self._watched(change, answer))

    def _watched(self, change: MoveChange, answer: str | None) -> None:
        if answer is not None:
            self._app.changing.forget(change)
        if answer == "digest":
            self.plan(change.wish, before=change.approved)
        elif answer == "again":
            self.plan(change.wish, note="Looked again and planned anew; nothing was sent.")


class PickDialog(Dialog["Target"]):
    """Which server gets it. Those that cannot are grey, with the reason; their plan says more."""

    AUTO_FOCUS = "#targets"

    def __init__(self, errand: Errand) -> None:
        super().__init__()
        self._errand = errand
        self._targets: tuple[Target, ...] = ()
        self._shown: tuple[Target, ...] = ()
        self._typed = ""

    def body(self) -> ComposeResult:
        yield Line("lines")
        yield OptionList(id="targets", compact=True, markup=False)

    def buttons(self) -> ComposeResult:
        yield pressed("Cancel", "cancel")

    def on_mount(self) -> None:
        errand = self._errand
        what = title(errand.rows, errand.group_names, self.owner.signs)
        self.entitle(f"Move {what}: where to?")
        self.say(((Cell("looking ...", "dim"),),))
        self.hint("Enter: see the plan   Esc: back")
        request = Request(to="", allow_poweroff=True)
        errand.desk.questions.submit(lambda: errand.desk.choices(errand.rows, errand.groups, request), self._answered)

    def _answered(self, choices: Sequence[Choice] | None, error: Exception | None) -> None:
        if not self.is_attached:
            return
        if choices is None:
            self.say(((Cell(f"{self.owner.signs['bad']} {self.owner.signs.text(told_of(error))}", "bad"),),))
            return
        self._targets = targets(choices, self.owner.signs)
        self._show(preferred(self._targets, self._errand.rows))

    def _show(self, highlighted: int) -> None:
        self._shown = matching(self._targets, self._typed)
        styles = self.owner.styles_of_cells
        lines = [Text(" ").join(Text(c.text, style=styles[c.style]) for c in target.line) for target in self._shown]
        listed = self.query_one(OptionList)
        listed.clear_options()
        listed.add_options([Option(_one_line(line)) for line in lines])
        listed.highlighted = min(highlighted, len(lines) - 1) if lines else None
        self._say_count()

    def _say_count(self) -> None:
        signs = self.owner.signs
        able = sum(target.eligible for target in self._targets)
        words = f"{counted(len(self._shown), len(self._targets), 'server')}, {able} can get it"
        if self._typed:
            words += f"   filter: {signs.text(self._typed)}"
        elif len(self._targets) >= LONG:
            words += "   type to filter"
        self.say(((Cell(words, "dim"),),))

    def on_key(self, event: KeyEvent) -> None:
        if not self._targets:
            return
        if event.key == "backspace" and self._typed:
            self._filter(self._typed[:-1])
        elif event.is_printable and event.character and (self._typed or event.character != " "):
            self._filter(self._typed + event.character)
        else:
            return
        event.stop()

    def _filter(self, typed: str) -> None:
        self._typed = typed
        self._show(0 if typed else preferred(self._targets, self._errand.rows))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.answer(self._shown[event.option_index])

    @on(Button.Pressed, "#cancel")
    def _cancelled(self) -> None:
        self.answer(None)

    def action_back(self) -> None:
        if self._typed:
            self._filter("")
        else:
            self.answer(None)


def _one_line(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
