"""What all full screens have: the head, the keys of the registry, the footer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Static

from hcloud_reassign_tui.view.registry import ACTS, Act
from hcloud_reassign_tui.widgets.lines import Line

if TYPE_CHECKING:
    from hcloud_reassign_tui.app import ReassignApp


def _binding(act: Act) -> Binding:
    return Binding(
        act.keys,
        act.id,
        act.label,
        show=act.footer,
        tooltip=act.help,
        id=act.id,
    )


class Page(Screen[None]):
    """A full screen. An action of the registry is on its keys where the page or the program has a method for it."""

    BINDINGS: ClassVar[list[BindingType]] = [_binding(act) for act in ACTS]

    @property
    def owner(self) -> ReassignApp:
        """The program, typed."""
        return cast("ReassignApp", self.app)

    def compose(self) -> ComposeResult:
        yield Line("head")
        yield from self.body()
        yield Footer(compact=True, show_command_palette=False)
        yield Static("too small: it takes 60 x 15 at least", id="small", markup=False)

    def body(self) -> ComposeResult:
        """What is between head and footer."""
        raise NotImplementedError

    def offers(self, id: str) -> bool:
        """Whether an action of the registry does something on this page."""
        return hasattr(self, f"action_{id}")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if any(act.id == action for act in ACTS):
            return self.offers(action)
        return super().check_action(action, parameters)

    def on_mount(self) -> None:
        self.tick()

    def on_screen_resume(self) -> None:
        """Shown again: what came while something else was in front is not drawn yet."""
        if self.query("#head"):
            self.refreshed()

    def tick(self) -> None:
        """Once a second: only what has changed is drawn."""
        self.query_one("#head", Line).say(self.owner.head(self.size.width))

    def refreshed(self) -> None:
        """There is a new picture of a project."""

    def tell(self, text: Any, *, warn: bool = False) -> None:
        """A word about what was asked for, that goes away by itself."""
        self.owner.notify(str(text), severity="warning" if warn else "information", markup=False)

    # What works on every page

    def action_lock(self) -> None:
        self.owner.turn_lock()

    def action_refresh(self) -> None:
        self.owner.look_now()

    def action_pause(self) -> None:
        self.owner.turn_pause()

    def action_back(self) -> None:
        if len(self.owner.screen_stack) > 2:
            self.owner.pop_screen()

    def action_holders(self) -> None:
        self.owner.go("holders")

    def action_servers(self) -> None:
        self.owner.go("servers")

    def action_history(self) -> None:
        self.owner.go("history")

    def action_log(self) -> None:
        self.owner.go("log")

    def action_help(self) -> None:
        self.owner.help_about(self)

    def action_suspend(self) -> None:
        if self.owner.changing.changes.under_way:
            self.tell("something moves, and would stand still half way: wait for it, or leave with q", warn=True)
        else:
            self.owner.action_suspend_process()

    async def action_quit(self) -> None:
        await self.owner.action_quit()


def spaced(left: Text, right: Text, width: int) -> Text:
    """Two texts on one line, apart as far as they can be."""
    room = max(width - right.cell_len - 1, 0)
    if left.cell_len > room:
        left.truncate(room, overflow="ellipsis")
    left.pad_right(max(width - left.cell_len - right.cell_len, 1))
    return left + right
