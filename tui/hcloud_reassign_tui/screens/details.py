"""Everything about one resource, and what `run` would do to it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from hcloud_reassign.core.model import Request
from hcloud_reassign_tui.desk import told_of
from hcloud_reassign_tui.screens.export import TakingPage
from hcloud_reassign_tui.view.detail import Lines
from hcloud_reassign_tui.view.listed import Key
from hcloud_reassign_tui.view.plans import plan_lines
from hcloud_reassign_tui.view.rows import Row
from hcloud_reassign_tui.view.signs import Cell
from hcloud_reassign_tui.view.whole import whole
from hcloud_reassign_tui.widgets.lines import Line

if TYPE_CHECKING:
    from hcloud_reassign.project import Report


class DetailsPage(TakingPage):
    """One resource. The plan is made once, and again when it is asked to look anew."""

    AUTO_FOCUS = "#all"
    WORD = "details"

    def __init__(self, key: Key) -> None:
        super().__init__()
        self._key = key
        self._plan: Lines = ()

    def body(self) -> ComposeResult:
        with VerticalScroll(id="all"):
            yield Line("text")

    def on_mount(self) -> None:
        self._make_plan()
        self.refreshed()

    def row(self) -> Row | None:
        """The resource as it was seen last; None when it is gone."""
        return next((row for row in self.owner.rows() if row.key == self._key), None)

    def refreshed(self) -> None:
        self.query_one("#text", Line).say(self.owner.drawn(self.lines()))
        self.tick()

    def lines(self) -> Lines:
        """All that is shown."""
        row = self.row()
        if row is None:
            return ((Cell("this resource is gone; Esc goes back", "warn"),),)
        return (*whole(row, self.owner.signs, self.owner.now_ms()), *self._plan)

    def copied(self) -> str:
        return "\n".join("  ".join(cell.text for cell in line).rstrip() for line in self.lines())

    def exported(self) -> list[Any]:
        row = self.row()
        return [] if row is None else [row.standing.data()]

    def action_refresh(self) -> None:
        super().action_refresh()
        self._make_plan()

    def action_move(self) -> None:
        row = self.row()
        if row is not None:
            self.owner.start_move([row])

    def _make_plan(self) -> None:
        row = self.row()
        if row is None or not row.standing.configured:
            self._say_plan("no section names it, so `run` leaves it alone; m moves it by hand")
            return
        self._say_plan("asking ...")
        desk = self.owner.desk_of(self._key)
        name = row.standing.name
        desk.questions.submit(lambda: desk.project.plan([name], Request()), self._planned)

    def _say_plan(self, text: str) -> None:
        self._plan = (_HEADING, (Cell(f"  {self.owner.signs.text(text)}"),))

    def _planned(self, report: Report | None, error: Exception | None) -> None:
        error = error or (report.error if report else None)
        if error is not None or report is None:
            self._say_plan(told_of(error))
        else:
            found = plan_lines(report.results, self.owner.signs, [self._key[1]])
            self._plan = (_HEADING, *((Cell("  "), *line) for line in found))
        if self.is_attached:
            self.refreshed()


_HEADING = (Cell("If `run` were called now", "bold"),)
