"""The plan before it is carried out: what moves, what that breaks, and what has to be typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button, Input

from hcloud_reassign.core.report import Result
from hcloud_reassign_tui.desk import told_of
from hcloud_reassign_tui.moving import Errand, Wish
from hcloud_reassign_tui.screens.dialog import Dialog, pressed
from hcloud_reassign_tui.view import plans
from hcloud_reassign_tui.view.detail import Lines
from hcloud_reassign_tui.view.signs import Cell
from hcloud_reassign_tui.widgets.lines import Line

if TYPE_CHECKING:
    from hcloud_reassign.project import Report


@dataclass(frozen=True)
class Approved:
    """A plan that was read and confirmed: it is asked for by its digest."""

    wish: Wish
    digest: str | None
    results: tuple[Result, ...]


class PlanDialog(Dialog["Approved | str"]):
    """Answers what was approved, "closed", or None for one step back. It begins on Cancel."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(one.key, f"turn('{one.id}')", one.label, show=False) for one in plans.CONSENTS),
        Binding("c", "copy", "Copy command", show=False),
        Binding("r", "again", "Plan anew", show=False),
    ]

    def __init__(self, errand: Errand, wish: Wish, note: str = "", before: Sequence[Result] = ()) -> None:
        super().__init__()
        self._errand, self._wish, self._note = errand, wish, note
        self._before = tuple(before)
        self._report: Report | None = None
        self._turn = 0
        self._interrupt: Callable[[], None] | None = None
        self._command = ""
        self._turned: str | None = None
        """The consent that was given or taken back last."""

    def body(self) -> ComposeResult:
        yield from super().body()
        yield Line("command")
        for consent in plans.CONSENTS:
            yield pressed("", consent.id, "consent")
        yield Line("missing")
        yield Input(id="typed", placeholder="the names go here (Tab)", compact=True)

    def buttons(self) -> ComposeResult:
        yield pressed("Cancel", "cancel")
        yield pressed("Move", "move")

    def on_mount(self) -> None:
        errand, signs = self._errand, self.owner.signs
        what = plans.title(errand.rows, errand.group_names, signs)
        self.entitle(f"Move {what} to {signs.text(self._wish.name)}")
        self.hint("Tab: next   c: copy command   r: plan anew   Esc: back")
        self._make()

    def on_unmount(self) -> None:
        self._give_up()

    # Planning

    @property
    def _results(self) -> tuple[Result, ...]:
        return self._report.results if self._report else ()

    def _make(self) -> None:
        """Have the plan made; one that is being made is given up."""
        self._give_up()
        self._report, turn = None, self._turn
        errand, request = self._errand, self._wish.request(self._errand)
        self._show()
        self.say(((Cell("looking, and making the plan ...", "dim"),),))

        def job() -> Report | None:
            if turn != self._turn:
                return None
            return errand.desk.carry(errand.rows, errand.groups, request, apply=False, on_start=self._started)

        errand.desk.questions.submit(job, lambda report, error: self._made(turn, report, error))

    def _started(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt

    def _give_up(self) -> None:
        self._turn += 1
        if self._interrupt:
            self._interrupt()
        self._interrupt = None

    def _made(self, turn: int, report: Report | None, error: Exception | None) -> None:
        if turn != self._turn or not self.is_attached:
            return
        self._interrupt = None
        self._report = report
        error = error or (report.error if report else None)
        if error is not None:
            self._report = None
            self.say(((Cell(f"{self.owner.signs['bad']} {self.owner.signs.text(told_of(error))}", "bad"),),))
            return
        self._show()
        if self._off and self._turned == "poweroff":
            self.query_one("#typed").focus()

    # Showing

    @property
    def _pending(self) -> bool:
        return any(result.outcome == "pending" for result in self._results)

    @property
    def _off(self) -> tuple[str, ...]:
        return plans.goes_off(self._results)

    def _show(self) -> None:
        self.say(self._lines())
        self._say_command()
        self._show_consents()
        self.button("move").display = self._pending
        if self._pending:
            self.name_button("move", plans.button(self._results, self.owner.signs.text(self._wish.name)))
        self._check_typed()

    def _lines(self) -> Lines:
        signs, errand = self.owner.signs, self._errand
        notes: list[tuple[Cell, ...]] = [(Cell(text),) for text in (self._note,) if text]
        if self._report and self._before:
            notes.append((Cell(f"{signs['warn']} The world has moved: nothing was done, this is a new plan.", "warn"),))
            notes += plans.differences(self._before, self._results, signs)
        own = plans.plan_lines(self._results, signs, errand.own)
        told = self._report.warnings if self._report else ()
        return (*notes, *own, *plans.other_warnings(told, errand.desk.project.warnings, self._results, signs))

    def _say_command(self) -> None:
        wish, errand, line = self._wish, self._errand, self.query_one("#command", Line)
        begin = errand.desk.project.invocation("run")
        same = plans.command_of(begin, errand.rows, errand.group_names, wish.name, wish.options)
        self._command = same or plans.vendor_commands(self._results) or ""
        line.display = bool(self._command) and self._pending
        line.say(Text(f"$ {self.owner.signs.text(self._command)}", style=self.owner.styles_of_cells["dim"]))

    def _show_consents(self) -> None:
        given, offered = self._wish.consents, plans.offered(self._results)
        for id, key, _, label in plans.CONSENTS:
            self.button(id).display = id in given or id in offered
            self.name_button(id, f"[{'x' if id in given else ' '}] {label} ({key})")
        field = self.query_one("#typed", Input)
        field.display = self.query_one("#missing").display = bool(self._off)

    @on(Input.Changed, "#typed")
    def _check_typed(self) -> None:
        off = self._off
        missing = plans.still_to_type(self._typed, off)
        self.button("move").disabled = missing is not None
        if off:
            ready = "typed; Enter goes to the button" if missing is None else self.owner.signs.text(missing)
            signs, style = self.owner.signs, self.owner.styles_of_cells["warn"]
            names = signs.text(", ".join(off))
            self.query_one("#missing", Line).say(Text(f"{names} will be powered off. {ready}", style=style))

    # Acting

    @on(Input.Submitted, "#typed")
    def _typed_all(self) -> None:
        if not self.button("move").disabled:
            self.button("move").focus()

    @on(Button.Pressed, ".consent")
    def _consented(self, event: Button.Pressed) -> None:
        self.action_turn(str(event.button.id))

    def action_turn(self, id: str) -> None:
        """Give a consent, or take it back; either makes another plan."""
        if self.button(id).display:
            self._turned = id
            self._wish = self._wish.turned(id)
            self._make()

    def action_again(self) -> None:
        self._make()

    def action_copy(self) -> None:
        if self._command:
            self.copy(self._command, "command")

    @on(Button.Pressed, "#cancel")
    def _cancelled(self) -> None:
        self.answer("closed")

    @on(Button.Pressed, "#move")
    def _confirmed(self) -> None:
        if self._report is None or not self._pending or plans.still_to_type(self._typed, self._off):
            return
        self.answer(Approved(self._wish, self._report.digest, self._results))

    @property
    def _typed(self) -> str:
        return self.query_one("#typed", Input).value
