"""Plans and outcomes for people: a line for each assignment, and below it only what asks to be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hcloud_reassign.cli.text import Line, Piece, Style, columns, indented, line, seconds
from hcloud_reassign.cli.writer import Writer
from hcloud_reassign.core.model import Holder, Resource
from hcloud_reassign.core.report import Result

STYLES: Mapping[str, Style] = {
    "pending": "bold",
    "done": "good",
    "unchanged": "dim",
    "refused": "warn",
    "failed": "bad",
    "unknown": "bad",
}


def results(found: Sequence[Result], writer: Writer, *, steps: bool = False, verbose: bool = False) -> list[Line]:
    """The table of a plan or of a run; `verbose` adds what Hetzner's own command line would be given."""
    rows = columns([_row(result, writer) for result in found])
    lines = []
    for row, result in zip(rows, found, strict=True):
        lines += [row, *indented(_below(result, steps=steps, verbose=verbose), 4)]
    return lines


def _row(result: Result, writer: Writer) -> list[Piece]:
    style = STYLES[result.outcome]
    return [
        Piece(f"{writer.symbol(result.outcome)} {result.outcome}", style),
        Piece(result.name, "bold"),
        Piece(resource_name(result.move.resource)),
        Piece(_way(result, writer.symbol("arrow"))),
        Piece(_time(result), "dim"),
    ]


def resource_name(resource: Resource) -> str:
    """The address, else the name, else the id: one word, so that a row fits into 80 columns."""
    return resource.address or resource.name or (f"id {resource.id}" if resource.id is not None else "")


def holder_name(holder: Holder | None) -> str:
    return "nobody" if holder is None else str(holder)


def _way(result: Result, arrow: str) -> str:
    """From where to where, or where it stays."""
    move = result.move
    if move.found is None:
        return "cannot tell who has it"
    if result.outcome == "pending":
        return f"{holder_name(move.before)} {arrow} {holder_name(move.wanted)}"
    if result.outcome == "done":
        return f"{holder_name(move.before)} {arrow} {holder_name(result.after)}"
    if result.outcome == "unknown":
        return f"{holder_name(move.before)} {arrow} {holder_name(result.after)}, wanted: {holder_name(move.wanted)}"
    if result.outcome == "unchanged" or move.wanted is None or result.after == move.wanted:
        return f"{holder_name(result.after)} has it"
    return f"stays with {holder_name(result.after)}" if result.after else "nobody has it"


def _time(result: Result) -> str:
    return seconds(result.duration_ms) if result.outcome not in ("pending", "unchanged", "refused") else ""


def _below(result: Result, *, steps: bool, verbose: bool) -> Iterator[Line]:
    planned = result.outcome == "pending"
    for effect in result.move.side_effects if planned else ():
        yield line(Piece("effect:  ", "warn"), effect)
    if result.gap_ms:
        yield line(Piece(f"nobody had it for {seconds(result.gap_ms)}", "dim"))
    if result.undone:
        yield line("it was put back")
    if result.message:
        yield line(Piece(f"{result.guard}: ", "warn") if result.guard else Piece(""), result.message)
    if result.next:
        yield line(Piece("next:    ", "bold"), result.next)
    if result.vendor_command and (result.outcome == "unknown" or (planned and verbose)):
        yield line("or:      " if result.outcome == "unknown" else "same as: ", result.vendor_command)
    if steps:
        yield from _steps(result)


def _steps(result: Result) -> Iterator[Line]:
    for number, step in enumerate(result.steps, 1):
        told = [] if step.status == "pending" else [step.status, seconds(step.duration_ms)]
        action = [] if step.action_id is None else [f"action {step.action_id}"]
        more = ", ".join(part for part in (*told, *action) if part)
        yield line(Piece(f"{number}. {step.what}" + (f" ({more})" if more else ""), "dim"))


def details(found: Sequence[Result]) -> list[Line]:
    """Every step of every move, for a folded section."""
    lines = []
    for result in found:
        lines += [line(f"{result.name}: {result.outcome}"), *indented(_steps(result), 4)]
    return lines


def counted(found: Sequence[Result]) -> str:
    """How many of each outcome, the worst first."""
    order = ("unknown", "failed", "refused", "pending", "done", "unchanged")
    numbers = {word: sum(result.outcome == word for result in found) for word in order}
    return ", ".join(f"{number} {word}" for word, number in numbers.items() if number)
