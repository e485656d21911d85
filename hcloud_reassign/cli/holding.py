"""What `hold` and `unhold` share."""

from __future__ import annotations

from hcloud_reassign.cli.documents import document
from hcloud_reassign.cli.opening import opened
from hcloud_reassign.cli.parsing import names_of
from hcloud_reassign.cli.progress import looking_on
from hcloud_reassign.cli.session import Session
from hcloud_reassign.cli.text import Piece, columns, moment
from hcloud_reassign.core.errors import ExitCode, UsageError, worst
from hcloud_reassign.core.guards import clock_time


def hold(session: Session, name: str, for_s: float | None) -> ExitCode:
    """Hold for some seconds, or not any more; a group's members all alike."""
    (name,) = names_of([name])
    if session.options.output == "jsonl":
        raise UsageError(f"{session.command} is text or json", object="--output", next="-o json")
    project = opened(session, session.one_file())
    for warning in project.warnings:
        session.writer.say(f"warning: {warning}", always=True)
    with looking_on(session) as progress:
        held = project.hold(name, for_s, on_event=progress)
    code = worst(item.code for item in held)
    if session.machine:
        holds = [
            {
                "name": item.name,
                "held_until": None if item.until_ms is None else clock_time(item.until_ms),
                "message": item.message,
            }
            for item in held
        ]
        session.answer(document(session, code, warnings=project.warnings, holds=holds))
        return code
    session.writer.lines(
        columns(
            [
                [
                    Piece(item.name, "bold"),
                    Piece("free" if item.until_ms is None else f"held until {moment(item.until_ms)}"),
                    Piece(item.message or "", "bad" if item.code else "plain"),
                ]
                for item in held
            ]
        )
    )
    return code
