"""A change on its way, and what came of it: the engine's events and its report, as lines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from hcloud_reassign.core.errors import ExitCode, ReassignError
from hcloud_reassign.core.report import Result
from hcloud_reassign.core.shown import moment, seconds
from hcloud_reassign_tui.view.detail import Lines
from hcloud_reassign_tui.view.plans import KINDS, by_key, other_warnings
from hcloud_reassign_tui.view.rows import Progress, holder_name
from hcloud_reassign_tui.view.signs import Cell, Sign, Signs, Style

if TYPE_CHECKING:
    from hcloud_reassign.project import Held, Report

State = Literal["waiting", "running", "verifying", "undoing", "done", "unchanged", "refused", "failed", "unknown"]

_SHOWN: Mapping[State, tuple[Sign, Style]] = {
    "waiting": ("none", "dim"),
    "running": ("busy", "bold"),
    "verifying": ("busy", "bold"),
    "undoing": ("busy", "warn"),
    "done": ("ok", "good"),
    "unchanged": ("ok", "good"),
    "refused": ("warn", "warn"),
    "failed": ("bad", "bad"),
    "unknown": ("unknown", "bad"),
}


@dataclass(frozen=True)
class Going:
    """One move on its way. `begun` and `ended` count its steps, `total` is how many the plan has."""

    name: str
    what: str
    wanted: str
    total: int
    begun: int = 0
    ended: int = 0
    step: str = ""
    percent: int | None = None
    note: str = ""
    state: State = "waiting"

    @property
    def over(self) -> bool:
        return self.state in ("done", "unchanged", "refused", "failed", "unknown")

    @property
    def short(self) -> str:
        """For the row of the table."""
        if self.state != "running":
            return self.state
        percent = "" if self.percent is None else f" {self.percent}%"
        return f"moving {max(self.begun, 1)}/{max(self.total, self.begun, 1)}{percent}"


def expected(results: Sequence[Result]) -> dict[str, Going]:
    """The moves of a plan before anything of it was begun."""
    return {
        result.name: Going(
            result.name,
            result.move.resource.address or result.name,
            holder_name(result.move.wanted),
            len(result.move.steps),
        )
        for result in results
        if result.outcome == "pending"
    }


def heard(goings: Mapping[str, Going], event: str, data: Mapping[str, Any]) -> dict[str, Going]:
    """The same moves after one more event of the engine."""
    names = data.get("names") or [data.get("name")]
    changed = {name: _after(goings[name], event, data) for name in names if name in goings}
    return {**goings, **changed}


def _after(going: Going, event: str, data: Mapping[str, Any]) -> Going:
    if event == "move.started":
        return replace(going, state="running")
    if event == "move.undoing":
        return replace(going, state="undoing", note=str(data.get("reason", "")), percent=None)
    if event == "move.done":
        return replace(going, state=data.get("outcome", "unknown"), step="", percent=None, note="")
    if event == "step.started":
        return replace(
            going, state=_moving(going), begun=going.begun + 1, step=str(data["what"]), percent=None, note=""
        )
    if event == "step.progress":
        return replace(going, percent=data.get("progress"), note="")
    if event == "step.retried":
        return replace(going, note=f"again in {seconds(data.get('wait_ms'))}: {data.get('reason', '')}")
    if event == "step.done":
        ended = going.ended + 1
        state: State = "verifying" if ended >= going.total and going.state == "running" else going.state
        return replace(going, ended=ended, percent=None, state=state)
    if event == "step.failed":
        return replace(going, note=str(data.get("message", "")), percent=None)
    return going


def _moving(going: Going) -> State:
    return "undoing" if going.state == "undoing" else "running"


def going_lines(goings: Mapping[str, Going], signs: Signs) -> Lines:
    """Where each move is."""
    return tuple(line for going in goings.values() for line in _going(going, signs))


def _going(going: Going, signs: Signs) -> Iterator[tuple[Cell, ...]]:
    sign, style = _SHOWN[going.state]
    yield (
        Cell(signs[sign], style),
        Cell(signs.text(going.what), "bold"),
        Cell(f"{signs['arrow']} {signs.text(going.wanted)}"),
        Cell(going.state, style),
    )
    if going.step and not going.over:
        number = f"step {going.begun} of {max(going.total, going.begun)}"
        percent = "" if going.percent is None else f"  {going.percent} %"
        yield (Cell(f"    {number}: {signs.text(going.step)}{percent}"),)
    if going.note and not going.over:
        yield (Cell(f"    {signs['warn']} {signs.text(going.note)}", "warn"),)


def on_the_row(going: Going) -> Progress:
    """The same on the row of the table."""
    sign, style = _SHOWN[going.state]
    return Progress("busy" if sign == "none" else sign, style, going.short, None if going.over else going.wanted)


@dataclass(frozen=True)
class Outcome:
    """What came of a change: its worst word, in a line of its own, and the rest below."""

    word: State
    headline: Cell
    lines: Lines

    @property
    def well(self) -> bool:
        return self.word in ("done", "unchanged")

    def text(self) -> str:
        """All of it, to be copied."""
        lines = (self.headline.text, *("  ".join(cell.text for cell in line) for line in self.lines))
        return "\n".join(line.rstrip() for line in lines)


_WORST_FIRST: tuple[State, ...] = ("unknown", "failed", "refused", "done", "unchanged")


def outcome_of(report: Report, signs: Signs, own: Sequence[str], known: Iterable[str] = ()) -> Outcome:
    """What a run came to. `own` are the names that the file has; `known` warnings were shown before."""
    words = [result.outcome for result in report.results]
    word: State = next((one for one in _WORST_FIRST if one in words), "unchanged")
    if report.error is not None:
        return outcome_of_error(report.error, signs)
    sign, style = _SHOWN[word]
    counted = ", ".join(f"{words.count(one)} {one}" for one in _WORST_FIRST if one in words)
    if report.code == ExitCode.INTERRUPTED:
        counted = f"stopped: {counted}"
    took = (report.finished_ms - report.started_ms) / 1000
    lines = [line for result in report.results for line in _ended(result, signs, result.name in own)]
    lines += other_warnings(report.warnings, known, report.results, signs)
    return Outcome(word, Cell(f"{signs[sign]} {counted}, {took:.1f} s", style), tuple(lines))


def outcome_of_error(error: Exception, signs: Signs) -> Outcome:
    """Nothing was begun, or this program has a defect."""
    if isinstance(error, ReassignError):
        lines = [(Cell(signs.text(text)),) for text in (error.message, error.next) if text]
        return Outcome("failed", Cell(f"{signs['bad']} not done", "bad"), tuple(lines))
    told = f"internal error: {type(error).__name__}: {error}"
    ask = "it is not known how far it came: look again before anything else"
    lines = [(Cell(signs.text(told), "bad"),), (Cell(ask),)]
    return Outcome("unknown", Cell(f"{signs['unknown']} unknown", "bad"), tuple(lines))


def _ended(result: Result, signs: Signs, named: bool) -> Iterator[tuple[Cell, ...]]:
    move = result.move
    sign, style = _SHOWN[result.outcome if result.outcome != "pending" else "waiting"]
    yield (
        Cell(signs[sign], style),
        Cell(signs.text(move.resource.address or move.resource.name or move.name), "bold"),
        Cell(KINDS.get(move.assignment.type, signs.text(move.assignment.type))),
        Cell(_came(result, signs)),
        Cell(result.outcome + " (undone)" * result.undone, style),
    )
    if result.message:
        guard = f"({result.guard}) " if result.guard else ""
        told = signs.text(by_key(result.message, "r, then "))
        yield (Cell(f"    {guard}{told}", "plain" if result.outcome == "done" else "bad"),)
    if result.gap_ms is not None:
        yield (Cell(f"    nobody had it for {seconds(result.gap_ms)}", "dim"),)
    if result.next and (named or "hcloud-reassign run" not in result.next):
        yield (Cell(f"    next: {signs.text(by_key(result.next, 'r, then '))}"),)
    if result.vendor_command and result.outcome in ("failed", "unknown"):
        yield (Cell(f"    or by Hetzner's own: {signs.text(result.vendor_command)}"),)


def _came(result: Result, signs: Signs) -> str:
    before, after = holder_name(result.move.before), holder_name(result.after)
    if result.outcome == "unknown" and result.after is None:
        after = "?"
    if before == after:
        return f"with {signs.text(after)}"
    return f"{signs.text(before)} {signs['arrow']} {signs.text(after)}"


def token_may_only_read(report: Report | None, error: Exception | None) -> bool:
    """Whether the API said so when something was to be changed."""
    told: list[tuple[ExitCode, str | None]] = []
    if report is not None:
        told += [(result.code, result.message) for result in report.results]
        error = error or report.error
    if isinstance(error, ReassignError):
        told.append((error.exit_code, error.message))
    return any(code == ExitCode.ACCESS and "may only read" in (message or "") for code, message in told)


def only_the_digest(report: Report | None) -> bool:
    """Whether nothing was done because the world was another one than the plan that was approved."""
    refused = [result for result in report.results if result.outcome != "unchanged"] if report else []
    return any(result.guard == "digest" for result in refused) and all(
        result.guard in ("digest", "group") for result in refused
    )


def outcome_of_hold(held: Sequence[Held], signs: Signs) -> Outcome:
    """What a hold, or a release, came to."""
    codes = {one.code for one in held}
    word: State = "unknown" if ExitCode.UNKNOWN in codes else "failed" if codes - {ExitCode.OK} else "done"
    sign, style = _SHOWN[word]
    lines = tuple((Cell(signs.text(one.name), "bold"), Cell(_held(one, signs), *_bad(one))) for one in held)
    return Outcome(word, Cell(f"{signs[sign]} {word}", style), lines)


def _held(one: Held, signs: Signs) -> str:
    if one.message:
        return signs.text(one.message)
    return "triggered requests may have it" if one.until_ms is None else f"held until {moment(one.until_ms)}"


def _bad(one: Held) -> tuple[Style, ...]:
    return () if one.code == ExitCode.OK else ("bad",)
