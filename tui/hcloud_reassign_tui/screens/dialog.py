"""What all dialogs have: a title, lines that can be scrolled, a few buttons, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button

from hcloud_reassign_tui.view.detail import Lines
from hcloud_reassign_tui.widgets.lines import Line

if TYPE_CHECKING:
    from hcloud_reassign_tui.app import ReassignApp

R = TypeVar("R")


class Dialog(ModalScreen[R]):
    """Esc goes one step back. Nothing in it acts by a bare Enter: it begins on the harmless button."""

    AUTO_FOCUS = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("ctrl+c", "app.quit", "Quit", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
        Binding("pageup", "scroll(-8)", show=False),
        Binding("pagedown", "scroll(8)", show=False),
    ]

    _is_answered = False

    @property
    def owner(self) -> ReassignApp:
        """The program, typed."""
        return cast("ReassignApp", self.app)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Line("title")
            yield from self.body()
            with Horizontal(id="buttons"):
                yield from self.buttons()
            yield Line("hint")

    def body(self) -> ComposeResult:
        """What is between title and buttons."""
        with VerticalScroll(id="body", can_focus=False):
            yield Line("lines")

    def buttons(self) -> ComposeResult:
        """The harmless one first."""
        raise NotImplementedError

    def entitle(self, text: str) -> None:
        self.query_one("#title", Line).say(Text(text, style="bold"))

    def say(self, lines: Lines) -> None:
        self.query_one("#lines", Line).say(self.owner.drawn(lines))

    def hint(self, text: str) -> None:
        self.query_one("#hint", Line).say(Text(text, style=self.owner.styles_of_cells["dim"]))

    def button(self, id: str) -> Button:
        return self.query_one(f"#{id}", Button)

    def name_button(self, id: str, text: str) -> None:
        button = self.button(id)
        if str(button.label) != text:
            button.label = Content(text)
            # A label alone does not change how wide its button is.
            button.refresh(layout=True)

    def tell(self, text: str) -> None:
        """A word that goes away by itself."""
        self.owner.notify(text, markup=False)

    def copy(self, text: str, what: str) -> None:
        """Copy a text, by the terminal."""
        self.owner.copy_to_clipboard(text)
        self.tell(f"{what} copied, if the terminal allows that")

    def answer(self, answer: R | None) -> None:
        """Close it with an answer: once, and only when nothing stands in front of it."""
        if self.is_current and not self._is_answered:
            self._is_answered = True
            self.dismiss(answer)

    def action_back(self) -> None:
        self.answer(None)

    def action_scroll(self, lines: int) -> None:
        for body in self.query("#body").results(VerticalScroll):
            body.scroll_relative(y=lines, animate=False)


def pressed(label: str, id: str, classes: str | None = None) -> Button:
    """A button one line high."""
    return Button(Content(label), id=id, classes=classes, compact=True)
