"""The rows of the history: this machine's journal and Hetzner's own actions as one story, the newest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from hcloud_reassign.core.objects import Action, FloatingIp, Network, PrimaryIp
from hcloud_reassign.core.shown import moment, seconds
from hcloud_reassign_tui.view.detail import Lines
from hcloud_reassign_tui.view.listed import Key
from hcloud_reassign_tui.view.signs import Cell, Sign, Signs, Style

if TYPE_CHECKING:
    from hcloud_reassign.project import Past

COLUMNS: Sequence[tuple[str, str]] = (
    ("project", "PROJECT"),
    ("time", "WHEN (UTC)"),
    ("name", "NAME"),
    ("move", "MOVE"),
    ("outcome", "OUTCOME"),
    ("who", "WHO"),
    ("action", "ACTION"),
    ("what", "WHAT"),
)
MOST = 1000
"""More than this is more than anybody reads here; the journal itself has the rest."""

_OUTCOMES: Mapping[str, tuple[Sign, Style]] = {
    "done": ("ok", "good"),
    "unchanged": ("ok", "dim"),
    "refused": ("warn", "warn"),
    "failed": ("bad", "bad"),
    "unknown": ("unknown", "bad"),
    "running": ("busy", "warn"),
}
_STATUSES = {"success": "done", "error": "failed"}
_MOVING = ("assign", "route", "alias")
"""What Hetzner's commands are called that change who holds something."""


@dataclass(frozen=True)
class Happened:
    """One move, or an attempt. `before` and `after` None: not known. Times in unix milliseconds."""

    id: str
    time_ms: int
    name: str
    what: str
    outcome: str
    before: str | None = None
    after: str | None = None
    who: str | None = None
    actions: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PastRow:
    """What happened once, as it is shown."""

    key: Key
    happened: Happened
    cells: Mapping[str, Cell]
    words: str


def history(
    project: str,
    journal: Sequence[Mapping[str, Any]],
    pasts: Iterable[Past],
    names: Mapping[tuple[type, int], str],
    servers: Mapping[int, str],
    signs: Signs,
) -> tuple[PastRow, ...]:
    """One story. What the journal knows of an action is not told a second time by the API.

    Args:
        journal: the entries, oldest first; what is not understood is left out.
        names: what people here call the objects of `pasts`.
        servers: the names of servers by their ids.
    """
    here = list(_journalled(journal))
    known = {action for one in here for action in one.actions}
    remembered = (one for past in pasts for one in _remembered(past, names, servers))
    there = {one.id: one for one in remembered if not known.intersection(one.actions)}
    found = sorted([*here, *there.values()], key=lambda one: one.time_ms, reverse=True)
    return tuple(_row(project, one, signs) for one in found)


# From the journal


def _journalled(entries: Sequence[Mapping[str, Any]]) -> Iterator[Happened]:
    for number, entry in enumerate(entries):
        event, name, time_ms = entry.get("event"), entry.get("name"), _time_ms(entry.get("time"))
        if not isinstance(name, str) or time_ms is None:
            continue
        if event == "move.done":
            yield _moved(f"journal {number}", entry, name, time_ms)
        elif event in ("held", "released"):
            yield _held(f"journal {number}", entry, name, time_ms)


def _moved(id: str, entry: Mapping[str, Any], name: str, time_ms: int) -> Happened:
    steps = [step for step in _list(entry.get("steps")) if isinstance(step, Mapping)]
    outcome = entry.get("outcome")
    after = entry.get("after") if outcome in ("done", "unchanged") or entry.get("undone") else entry.get("wanted")
    told = [str(entry[key]) for key in ("message", "next") if entry.get(key)]
    return Happened(
        id,
        time_ms,
        name,
        "moved from here",
        outcome if isinstance(outcome, str) else "unknown",
        _holder(entry.get("before")),
        _holder(after),
        _text(entry.get("who")),
        tuple(step["action_id"] for step in steps if isinstance(step.get("action_id"), int)),
        (*told, *(_step(step) for step in steps)),
    )


def _held(id: str, entry: Mapping[str, Any], name: str, time_ms: int) -> Happened:
    until = entry.get("until_ms")
    notes = (f"held until {moment(until)}",) if isinstance(until, int) and 0 < until < 10**14 else ()
    return Happened(id, time_ms, name, str(entry["event"]), "done", who=_text(entry.get("who")), notes=notes)


def _step(step: Mapping[str, Any]) -> str:
    took = step.get("duration_ms")
    more = [f"action {step['action_id']}"] if step.get("action_id") else []
    more += [seconds(took)] if isinstance(took, int) else []
    return f"{step.get('what')}: {step.get('status')}" + (f" ({', '.join(more)})" if more else "")


def _holder(data: Any) -> str | None:
    """A holder as everybody calls it; "nobody" where an entry says that nobody has it."""
    if data is None:
        return "nobody"
    if not isinstance(data, Mapping):
        return None
    return next((str(data[key]) for key in ("name", "address", "id") if data.get(key)), None)


def _time_ms(text: Any) -> int | None:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return round(found.astimezone(timezone.utc).timestamp() * 1000)
    except (AttributeError, ValueError, OverflowError, OSError):
        return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


# From the API


def _remembered(past: Past, names: Mapping[tuple[type, int], str], servers: Mapping[int, str]) -> Iterator[Happened]:
    """Each action's holder before is the one after the action before it."""
    name = names.get((type(past.of), past.of.id), past.of.name)
    own = isinstance(past.of, (FloatingIp, PrimaryIp))
    before: str | None = None
    for action in reversed(past.actions):
        if not any(word in action.command for word in _MOVING):
            continue
        after = _after(action, servers) if own else None
        yield _action(action, name, before if own else None, after, past.of)
        if action.status == "success":
            before = after


def _after(action: Action, servers: Mapping[int, str]) -> str | None:
    if action.command.startswith("unassign"):
        return "nobody"
    id = next((id for kind, id in action.resources if kind == "server"), None)
    return None if id is None else servers.get(id, f"server {id}")


def _action(action: Action, name: str, before: str | None, after: str | None, of: Any) -> Happened:
    outcome = _STATUSES.get(action.status, action.status)
    notes = [f"{action.error_code}: {action.error_message}"] if action.error_code else []
    if isinstance(of, Network):
        notes.append("the API does not tell which route or alias IP it was about")
    time_ms = int(action.started * 1000)
    id = f"action {action.id}"
    return Happened(id, time_ms, name, action.command, outcome, before, after, None, (action.id,), tuple(notes))


# As it is shown


def _row(project: str, happened: Happened, signs: Signs) -> PastRow:
    sign, style = _OUTCOMES.get(happened.outcome, ("unknown", "warn"))
    cells = {
        "project": Cell(signs.text(project)),
        "time": Cell(moment(happened.time_ms)[:16], "dim"),
        "name": Cell(signs.text(happened.name), "bold"),
        "move": Cell(_move(happened, signs)),
        "outcome": Cell(f"{signs[sign]} {signs.text(happened.outcome)}", style),
        "who": Cell(signs.text(happened.who or "")),
        "action": Cell(" ".join(str(id) for id in happened.actions), "dim"),
        "what": Cell(signs.text(happened.what), "dim"),
    }
    words = " ".join(cell.text for cell in cells.values()).lower()
    return PastRow((project, happened.id), happened, cells, words)


def _move(happened: Happened, signs: Signs) -> str:
    if happened.before is None and happened.after is None:
        return signs.text(happened.what)
    return f"{signs.text(happened.before or '?')} {signs['arrow']} {signs.text(happened.after or '?')}"


def about_past(row: PastRow, signs: Signs, now_ms: int) -> Lines:
    """What the row has no room for."""
    happened = row.happened
    by = f"by {happened.who}" if happened.who else "who did it is not known"
    first = (row.cells["name"], Cell(signs.text(_move(happened, signs))), row.cells["outcome"])
    second = (Cell(signs.text(happened.what)), Cell(moment(happened.time_ms, now_ms)), Cell(signs.text(by)))
    return (first, second, *((Cell(signs.text(note)),) for note in happened.notes))
