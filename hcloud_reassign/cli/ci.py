"""What CI systems show beside the log: GitHub's error lines and summary, GitLab's folded sections."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from hcloud_reassign.cli.session import Session
from hcloud_reassign.cli.text import Line, clean
from hcloud_reassign.core.errors import ReassignError
from hcloud_reassign.core.report import Result

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,/()-")


def error(session: Session, failed: ReassignError) -> None:
    """An error as GitHub's own: on stderr, because stdout is data."""
    properties = {"title": "hcloud-reassign", "file": failed.file, "line": failed.line}
    _annotate(session, properties, failed.message + (f"; next: {failed.next}" if failed.next else ""))


def results(session: Session, found: Sequence[Result]) -> None:
    """Everything that did not end well, and the table of all for the summary of the job."""
    for result in found:
        if result.code != 0:
            told = [result.message or result.outcome, *([f"next: {result.next}"] if result.next else [])]
            title = {"title": f"{result.name} {result.outcome}"}
            _annotate(session, title, "; ".join(told))
    _summary(session, found)


def folded(session: Session, title: str, lines: Iterable[Line]) -> None:
    """Details that GitLab shows folded; nobody else gets them."""
    if session.environ.get("GITLAB_CI") != "true":
        return
    name, writer = "hcloud_reassign_details", session.writer
    writer.control(f"\033[0Ksection_start:{time.time():.0f}:{name}[collapsed=true]\r\033[0K{clean(title)}\n")
    writer.narrate(lines)
    writer.control(f"\033[0Ksection_end:{time.time():.0f}:{name}\r\033[0K")


def _annotate(session: Session, properties: Mapping[str, object], message: str) -> None:
    if session.environ.get("GITHUB_ACTIONS") != "true":
        return
    hidden = session.writer.without_secrets
    named = {key: hidden(str(value)) for key, value in properties.items() if value is not None}
    told = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in named.items())
    session.writer.control(f"::error {told}::{_escaped(hidden(message))}\n")


def _escaped(value: object, more: str = "") -> str:
    """The runner's own escapes, over text that is already harmless."""
    text = clean(value).replace("%", "%25")
    for letter in more:
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text


def _summary(session: Session, found: Sequence[Result]) -> None:
    file = session.environ.get("GITHUB_STEP_SUMMARY")
    if not file or session.environ.get("GITHUB_ACTIONS") != "true" or not found:
        return
    rows = ["| assignment | outcome | before | after | message |", "| --- | --- | --- | --- | --- |"]
    for result in found:
        before, after = result.move.before or "nobody", result.after or "nobody"
        cells = (result.name, result.outcome, before, after, result.message or "")
        rows.append("| " + " | ".join(_markdown(session.writer.without_secrets(str(cell))) for cell in cells) + " |")
    try:
        with open(file, "a", encoding="utf-8") as opened:
            opened.write("\n".join(["### hcloud-reassign", "", *rows, "", ""]))
    except OSError as failed:
        session.writer.say(f"warning: no summary was written: {failed.strerror}", always=True)


def _markdown(text: object) -> str:
    """Text in which nothing is markup: all but letters, digits and a few signs are character references."""
    return "".join(letter if letter in _SAFE else f"&#{ord(letter)};" for letter in clean(text))
