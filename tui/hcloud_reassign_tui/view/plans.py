"""A plan as lines: what would move, what that breaks for how long, why something is refused, and the same as a command.

Nothing here asks or changes anything.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from hcloud_reassign.core.model import Move
from hcloud_reassign.core.report import Result
from hcloud_reassign.core.steps import PowerOff, Shutdown
from hcloud_reassign_tui.view.detail import Lines
from hcloud_reassign_tui.view.filtering import many
from hcloud_reassign_tui.view.rows import Row, holder_name
from hcloud_reassign_tui.view.signs import Cell, Sign, Signs, Style

KINDS = {"ip_floating": "floating IP", "ip_public": "primary IP", "ip_alias": "alias IP", "route": "route"}
FEW = 3
"""So many moves are shown with their steps; of more, the steps would hide the moves."""


class Consent(NamedTuple):
    """Something that a plan needs or may have consent to: its key in the dialog, and its option on a command line."""

    id: str
    key: str
    option: str
    label: str


CONSENTS = (
    Consent("force", "f", "--force", "force: pass the guards that allow it"),
    Consent("poweroff", "p", "--allow-poweroff", "the servers may be powered off"),
    Consent("hard", "h", "--hard-poweroff", "pull the plug where a shutdown is not obeyed"),
    Consent("on", "o", "--power-on", "start servers that may have been off before"),
)

_OUTCOMES: dict[str, tuple[Sign, Style]] = {
    "pending": ("arrow", "bold"),
    "unchanged": ("ok", "good"),
    "refused": ("bad", "bad"),
    "failed": ("bad", "bad"),
    "done": ("ok", "good"),
    "unknown": ("unknown", "bad"),
}


def plan_lines(results: Sequence[Result], signs: Signs, own: Iterable[str]) -> Lines:
    """Every move of a plan. `own` are the names that the file has: only these mean something on a command line."""
    named = set(own)
    steps = sum(result.outcome == "pending" for result in results) <= FEW
    return tuple(line for result in results for line in _planned(result, signs, steps, result.name in named))


def _planned(result: Result, signs: Signs, steps: bool, named: bool) -> Iterator[tuple[Cell, ...]]:
    move = result.move
    sign, style = _OUTCOMES[result.outcome]
    yield (Cell(signs[sign], style), *_what(move, signs))
    yield (Cell(f"  {_whither(result, signs)}", "bold" if result.outcome == "pending" else "plain"),)
    if result.outcome in ("refused", "failed"):
        yield from _why_not(result, signs, named)
        return
    for text in move.side_effects:
        yield (Cell(f"  {signs['warn']} {signs.text(text)}", "warn"),)
    for text in move.warnings:
        yield (Cell(f"  {signs['warn']} {signs.text(by_key(text))}", "warn"),)
    if steps and result.outcome == "pending":
        for number, step in enumerate(move.steps, 1):
            yield (Cell(f"  {number}. {signs.text(step.what)}", "dim"),)


def _what(move: Move, signs: Signs) -> tuple[Cell, ...]:
    resource = move.resource
    known = (resource.address or resource.name or "", KINDS.get(move.assignment.type, move.assignment.type), move.name)
    cells = [Cell(signs.text(known[0]), "bold"), Cell(signs.text(known[1])), Cell(signs.text(known[2]), "dim")]
    return (*cells, Cell(f"group {signs.text(move.group)}", "dim")) if move.group else tuple(cells)


def _whither(result: Result, signs: Signs) -> str:
    before, wanted = _called(result.move.before, signs), _called(result.move.wanted, signs)
    if result.move.found is None:
        return "who has it cannot be told"
    if result.outcome == "unchanged":
        return f"is with {before} already: nothing to do"
    if result.outcome == "pending":
        return f"{before} {signs['arrow']} {wanted}"
    return f"stays with {before}" if result.move.before else "nobody has it, and that stays so"


def _called(holder: object, signs: Signs) -> str:
    return signs.text(holder_name(holder))  # type: ignore[arg-type]


def _why_not(result: Result, signs: Signs, named: bool) -> Iterator[tuple[Cell, ...]]:
    guard = f" ({result.guard})" if result.guard else ""
    yield (Cell(f"  {result.outcome}{guard}: {signs.text(result.message or 'no reason was given')}", "bad"),)
    way = _way_past(result, named)
    if way:
        yield (Cell(f"  {signs.text(way)}"),)


def _way_past(result: Result, named: bool) -> str | None:
    """What to do about a refusal, in the words of this screen."""
    if result.guard == "reboot":
        return "p allows that; the names of the servers have to be typed then"
    if result.next is None or (not named and "hcloud-reassign run" in result.next):
        return None
    return by_key(result.next)


def by_key(text: str, before: str = "") -> str:
    """A text with the keys for the options that it names; `before` leads to the dialog that has them."""
    if "hcloud-reassign run" in text:
        return text
    for consent in CONSENTS:
        key = f"{before}{consent.key} ({consent.option})"
        text = re.sub(f"(add )?{consent.option}", lambda found, key=key: "press " * bool(found[1]) + key, text)  # type: ignore[misc]
    return text


def other_warnings(told: Iterable[str], known: Iterable[str], results: Sequence[Result], signs: Signs) -> Lines:
    """What was warned about besides the moves; what is so of this project all the time was said when it was opened."""
    said = {*known, *(f"{result.name}: {text}" for result in results for text in result.move.warnings)}
    return tuple((Cell(f"{signs['warn']} {signs.text(text)}", "warn"),) for text in told if text not in said)


def offered(results: Sequence[Result]) -> set[str]:
    """The ids of the consents that would make another plan of these, or carry it out in another way."""
    found = {"force": forceable, "poweroff": needs_consent, "hard": may_not_obey, "on": may_stay_off}
    return {id for id, so in found.items() if so(results)}


def forceable(results: Iterable[Result]) -> bool:
    """Whether force would pass one of the refusals."""
    return any(result.move.refusal is not None and result.move.refusal.forceable for result in results)


def needs_consent(results: Iterable[Result]) -> bool:
    """Whether something is refused only because a server would lose power."""
    return any(result.guard == "reboot" for result in results)


def may_not_obey(results: Iterable[Result]) -> bool:
    """Whether a server is, or would be, asked to shut down whose plug the section does not pull anyway."""
    stopping = [result for result in results if result.guard == "reboot" or goes_off([result])]
    return any(not result.move.assignment.options.get("hard_poweroff") for result in stopping)


def may_stay_off(results: Iterable[Result]) -> bool:
    """Whether a server stays off because nobody knows whether it was off before."""
    return any("--power-on" in text for result in results for text in result.move.warnings)


def goes_off(results: Iterable[Result]) -> tuple[str, ...]:
    """The servers that lose power, each once."""
    steps = (step for result in results if result.outcome == "pending" for step in result.move.steps)
    return tuple(dict.fromkeys(step.name for step in steps if isinstance(step, Shutdown | PowerOff)))


def still_to_type(typed: str, names: Sequence[str]) -> str | None:
    """What is missing until every name stands there exactly; None when nothing is."""
    words = typed.replace(",", " ").split()
    missing = [name for name in names if name not in words]
    other = [word for word in words if word not in names]
    if missing:
        return f"still to be typed: {' '.join(missing)}"
    return f"too much: {' '.join(other)}" if other else None


def button(results: Sequence[Result], to: str) -> str:
    """What is on the button: the act, never "yes"."""
    pending = [result.move for result in results if result.outcome == "pending"]
    routes = sum(move.assignment.type == "route" for move in pending)
    word = "route" if routes == len(pending) else "resource" if routes else "address"
    many = {"route": "routes", "resource": "resources", "address": "addresses"}[word]
    act = f"Move {len(pending)} {word if len(pending) == 1 else many} to {to}"
    off = goes_off(results)
    return f"Power off {', '.join(off)} and m{act[1:]}" if off else act


def title(rows: Sequence[Row], groups: Sequence[str], signs: Signs) -> str:
    """What a dialog is about."""
    if groups:
        return f"group {signs.text(', '.join(groups))} ({many(len(rows), 'resource')})"
    if len(rows) > 1:
        return f"{len(rows)} selected resources"
    resource = rows[0].standing.resource
    return signs.text(resource.address or resource.name or rows[0].standing.name)


def command_of(
    begin: str, rows: Sequence[Row], groups: Sequence[str], to: str, options: Iterable[str] = ()
) -> str | None:
    """The command line that does the same; None where the file has no name for something."""
    if not all(row.standing.configured for row in rows):
        return None
    names = [f"group.{group}" for group in groups] if groups else [row.standing.name for row in rows]
    return f"{begin} {shlex.join([*names, '--to', to, *options])}"


def vendor_commands(results: Iterable[Result]) -> str | None:
    """The same by Hetzner's own program, for what no section names."""
    commands = [result.vendor_command for result in results if result.vendor_command]
    return " && ".join(commands) or None


def differences(old: Sequence[Result], new: Sequence[Result], signs: Signs) -> Lines:
    """What is otherwise in a new plan than in the one that was shown before."""
    before = {result.name: result for result in old}
    return tuple(
        (Cell(f"{signs['new']} {text}", "warn"),)
        for result in new
        if result.name in before
        for text in _differs(before[result.name], result, signs)
    )


def _differs(old: Result, new: Result, signs: Signs) -> Iterator[str]:
    what = signs.text(new.move.resource.address or new.name)
    if old.move.before != new.move.before:
        was, now = _called(old.move.before, signs), _called(new.move.before, signs)
        yield f"{what} was with {was} when the plan was shown; now it is with {now}"
    elif old.move.side_effects != new.move.side_effects or old.outcome != new.outcome:
        yield f"{what}: the plan is another one than the one that was shown"
