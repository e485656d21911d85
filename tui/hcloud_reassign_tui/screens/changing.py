"""What changes something, between pages and dialogs: who may begin it, how rows show it, and leaving meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hcloud_reassign.core.errors import ExitCode, worst
from hcloud_reassign.core.model import Group
from hcloud_reassign_tui.desk import told_of
from hcloud_reassign_tui.moving import Change, Changes, Errand, HoldChange, MoveChange, Wish, read_only
from hcloud_reassign_tui.screens.hold import HoldDialog
from hcloud_reassign_tui.screens.holders import HoldersPage
from hcloud_reassign_tui.screens.leaving import LeaveDialog, Way
from hcloud_reassign_tui.screens.move import Flow
from hcloud_reassign_tui.screens.running import RunDialog
from hcloud_reassign_tui.view.choosing import way_back
from hcloud_reassign_tui.view.going import on_the_row
from hcloud_reassign_tui.view.logged import line_of_event
from hcloud_reassign_tui.view.plans import title
from hcloud_reassign_tui.view.rows import Row

if TYPE_CHECKING:
    from hcloud_reassign_tui.app import ReassignApp


class Changing:
    """Every change of this session goes through here."""

    def __init__(self, app: ReassignApp) -> None:
        self._app = app
        self.changes = Changes(app.moves, app.on_screen_thread, self._progressed, self._ended, self._told)
        self.leaving: Way | None = None
        self._ended_meanwhile: list[Change[Any]] = []

    # Beginning

    def move(self, rows: Sequence[Row], groups: Sequence[Group] = ()) -> None:
        """Ask where these go; all of them as one plan."""
        errand = self._errand(rows, groups)
        if errand:
            Flow(self._app, errand).pick()

    def hold(self, rows: Sequence[Row]) -> None:
        """Ask for how long these are held."""
        errand = self._errand(rows)
        never = [row for row in rows if row.standing.found is not None and row.standing.found.labelled is None]
        if never:
            self._app.warn(f"{never[0].standing.name}: a resource of this type cannot be held")
        elif errand:
            self._app.push_screen(HoldDialog(errand), lambda answer: self._hold(errand, answer))

    def _hold(self, errand: Errand, answer: tuple[float | None, str] | None) -> None:
        if answer is None:
            return
        seconds, word = answer
        what = title(errand.rows, errand.group_names, self._app.signs)
        told = f"release {what}" if seconds is None else f"hold {what} for {word}"
        change = HoldChange(errand, seconds, told)
        if self.begin(change):
            self._app.push_screen(RunDialog(change))

    def revert(self, row: Row) -> None:
        """Show the plan of the last move of it, the other way round."""
        errand = self._errand([row])
        if errand is None:
            return
        desk = errand.desk
        desk.questions.submit(desk.project.history, lambda found, error: self._found(errand, found, error))

    def _found(self, errand: Errand, found: Sequence[Mapping[str, Any]] | None, error: Exception | None) -> None:
        if found is None:
            self._app.warn(f"the journal cannot be read: {told_of(error)}")
            return
        (row,), status = errand.rows, errand.desk.status
        back = way_back(row.standing, found, status.servers if status else (), self._app.signs)
        if isinstance(back, str):
            self._app.warn(f"cannot be reverted: {back}")
        else:
            Flow(self._app, errand).plan(Wish(back.to, back.name), note=back.told)

    def _errand(self, rows: Sequence[Row], groups: Sequence[Group] = ()) -> Errand | None:
        """What an act is about; None, with the reason on the screen, when it cannot be."""
        projects = {row.key[0] for row in rows}
        nameless = [row for row in rows if row.assignment.resource is None]
        if self._app.locked:
            self._app.warn("the screen is locked read-only: nothing can be changed. L unlocks it")
        elif len(projects) > 1:
            self._app.warn(f"these are of several projects ({', '.join(sorted(projects))}): one project at a time")
        elif nameless:
            self._app.warn(f"{nameless[0].standing.name}: {nameless[0].standing.message or 'cannot be read'}")
        elif rows:
            return Errand(self._app.desk_of(rows[0].key), tuple(rows), tuple(groups))
        return None

    def begin(self, change: Change[Any]) -> bool:
        """Have a change made after those that are under way; False while the program is being left."""
        if self.leaving or self._app.locked:
            self._app.warn("nothing new begins: " + ("the screen is locked" if self._app.locked else "leaving"))
            return False
        self._app.forget_marks()
        for screen in self._app.screen_stack:
            if isinstance(screen, HoldersPage):
                screen.unmark(row.key for row in change.errand.rows)
        self.changes.begin(change)
        return True

    # Meanwhile, and at the end

    def _told(self, change: Change[Any], event: str, data: Mapping[str, Any]) -> None:
        line = line_of_event(event, data)
        if line is not None:
            self._app.log_line(f"{change.errand.desk.name}: {line}")

    def _progressed(self, change: Change[Any]) -> None:
        self._app.progress.update({key: on_the_row(going) for key, going in change.on_rows().items()})
        self._show(change)

    def _show(self, change: Change[Any]) -> None:
        for screen in self._app.screen_stack:
            if isinstance(screen, RunDialog) and screen.change is change:
                screen.refreshed()
        self._app.redraw_soon()

    def _ended(self, change: Change[Any]) -> None:
        if change.error is not None:
            self._app.log_line(f"{change.errand.desk.name}: {change.title}: {told_of(change.error)}")
        self._lock_if_read_only(change)
        if isinstance(change, MoveChange) and change.answer is None:
            self.forget(change)
        self._progressed(change)
        change.errand.desk.look_anew(lambda: self._seen(change))
        if self.leaving:
            self._ended_meanwhile.append(change)
            self._leave_when_over()
        elif not self._watched(change):
            self._tell_end(change)

    def _watched(self, change: Change[Any]) -> bool:
        return any(isinstance(screen, RunDialog) and screen.change is change for screen in self._app.screen_stack)

    def _tell_end(self, change: Change[Any]) -> None:
        """Success passes by; everything else stays until somebody has closed it."""
        outcome = change.outcome(self._app.signs)
        if outcome.well:
            self._app.notify(f"{change.title}: {outcome.headline.text}", markup=False)
        elif isinstance(change, MoveChange):
            Flow(self._app, change.errand).watch(change)
        else:
            self._app.push_screen(RunDialog(change))

    def _lock_if_read_only(self, change: Change[Any]) -> None:
        if read_only(change) and not self._app.locked:
            self._app.lock(f"the token of {change.errand.desk.name} may only read")

    def _seen(self, change: Change[Any]) -> None:
        """The picture is newer than the change: what went well needs no word of its own any more."""
        if change.overtaken or change.outcome(self._app.signs).well:
            self.forget(change)
        self._app.seen()

    def forget(self, change: Change[Any]) -> None:
        """Take what a change says off its rows, unless another one has begun there."""
        others = {key for other in self.changes.under_way for key in other.on_rows()}
        for key in change.on_rows():
            if key not in others:
                self._app.progress.pop(key, None)
        self._app.redraw_soon()

    # Leaving

    def leave(self) -> None:
        """Leave at once when nothing is under way; else ask how."""
        if not self.changes.under_way:
            self._app.exit(ExitCode.OK)
        elif not isinstance(self._app.screen, LeaveDialog):
            self._app.push_screen(LeaveDialog(), self._leave)

    def _leave(self, way: Way | None) -> None:
        self.leaving = way
        if way == "stop":
            self.changes.stop()
        if way is not None:
            self._leave_when_over()
        self._app.redraw_soon()

    def stop_and_leave(self) -> None:
        """Somebody else ends this program: stop in order, and leave as soon as that is done."""
        if self.changes.under_way:
            self._leave("stop")
        else:
            self._app.exit(ExitCode.INTERRUPTED)

    def _leave_when_over(self) -> None:
        if self.changes.under_way:
            return
        over, signs = self._ended_meanwhile, self._app.signs
        told = "\n".join(f"{change.title}: {change.outcome(signs).text()}" for change in over)
        self._app.last_words = self._app.hidden(told)
        self._app.exit(worst(change.code for change in over))
