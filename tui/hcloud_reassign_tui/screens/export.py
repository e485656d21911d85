"""Taking along what is on the screen: as text, as a command line, as a file."""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, TextArea

from hcloud_reassign_tui.screens.page import Page
from hcloud_reassign_tui.widgets.lines import Line


class TakingPage(Page):
    """A page with something on it that can be taken along."""

    WORD: ClassVar[str]
    """What the page is called in the name of a file."""

    def copied(self) -> str | None:
        """What `copy` takes; None when there is nothing."""
        raise NotImplementedError

    def exported(self) -> list[Any]:
        """What is on the screen, as plain data."""
        raise NotImplementedError

    def action_copy(self) -> None:
        self.copy(self.copied(), "the row")

    def copy(self, text: str | None, what: str) -> None:
        """Hand a text to the terminal; it is shown too, because not every terminal takes it."""
        if not text:
            self.tell("there is nothing to copy here", warn=True)
            return
        text = self.owner.hidden(text)
        self.owner.copy_to_clipboard(text)
        self.owner.push_screen(CopyDialog(text, what))

    def action_export(self) -> None:
        now = datetime.fromtimestamp(self.owner.now_ms() / 1000, timezone.utc)
        name = f"./hcloud-reassign-{self.WORD}-{now:%Y%m%dT%H%M%SZ}.json"
        document = {
            "version": 1,
            "page": self.WORD,
            "projects": [desk.name for desk in self.owner.desks],
            "time": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "items": self.exported(),
        }
        text = self.owner.hidden(json.dumps(document, indent=2, ensure_ascii=False, default=str))
        self.owner.push_screen(SaveDialog(name, text), self._saved)

    def _saved(self, path: str | None) -> None:
        if path is not None:
            self.tell(f"saved as {self.owner.signs.text(path)}")


class CopyDialog(ModalScreen[None]):
    """What was copied, to be selected by hand where the terminal does not take it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter", "close", "Close", priority=True)]
    AUTO_FOCUS = "#copied"

    def __init__(self, text: str, what: str) -> None:
        super().__init__()
        self._text, self._what = text, what

    def compose(self) -> ComposeResult:
        with Vertical(classes="taking"):
            yield Line("about")
            yield TextArea(self._text, read_only=True, soft_wrap=True, id="copied")
            yield Line("keys")

    def on_mount(self) -> None:
        area = self.query_one(TextArea)
        area.cursor_blink = False
        area.select_all()
        self.query_one("#about", Line).say(f"Copied {self._what}. If your terminal did not take it, select it here:")
        self.query_one("#keys", Line).say("Esc closes this")

    def action_close(self) -> None:
        self.dismiss()


class SaveDialog(ModalScreen["str | None"]):
    """Asks for the name of a new file and writes it; stays open and says why when that fails."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close", priority=True)]
    AUTO_FOCUS = "#path"

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self._name, self._text = name, text

    def compose(self) -> ComposeResult:
        with Vertical(classes="taking"):
            yield Line("about")
            yield Input(self._name, id="path", select_on_focus=False)
            yield Line("why")
            yield Line("keys")

    def on_mount(self) -> None:
        self.query_one("#about", Line).say("Save what is on the screen as JSON, in a new file that only you can read:")
        self.query_one("#keys", Line).say("Enter saves, Esc closes this")

    @on(Input.Submitted)
    def _save(self, event: Input.Submitted) -> None:
        path = os.path.abspath(os.path.expanduser(event.value.strip()))
        try:
            write_new(path, self._text + "\n")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            self.query_one("#why", Line).say(f"not saved: {path!a}: {why}")
        else:
            self.dismiss(path)

    def action_close(self) -> None:
        self.dismiss(None)


def write_new(path: str, text: str) -> None:
    """Write a file that must not exist yet, readable by its owner alone; what cannot be finished is removed.

    Raises:
        OSError: why it was not written.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(file, "w", encoding="utf-8", errors="backslashreplace") as opened:
            opened.write(text)
    except OSError:
        os.unlink(path)
        raise
