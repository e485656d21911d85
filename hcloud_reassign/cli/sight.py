"""One look at all projects that were named, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hcloud_reassign.cli import several
from hcloud_reassign.cli.documents import document
from hcloud_reassign.cli.session import Session
from hcloud_reassign.core.errors import ExitCode, Missing, worst

if TYPE_CHECKING:
    from hcloud_reassign.project import Standing


@dataclass(frozen=True)
class Seen:
    """One look at all the projects. `names` are as typed: with several projects `prod:floating.web`."""

    standings: tuple[Standing, ...]
    prefixes: tuple[str, ...]
    warnings: tuple[str, ...]
    expectations: tuple[dict[str, Any], ...] = ()

    @property
    def code(self) -> ExitCode:
        met = all(expectation["met"] for expectation in self.expectations)
        return worst([ExitCode.OK if met else ExitCode.FAILED, *(standing.code for standing in self.standings)])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{p}:{s.name}" if p else s.name for p, s in zip(self.prefixes, self.standings, strict=True))


class Look:
    """Looks, and shows what it saw."""

    def __init__(self, session: Session, looks: Sequence[several.Looking], expected: Sequence[tuple[str, str]]) -> None:
        self.session, self._looks, self._expected = session, looks, expected

    def now(self) -> Seen:
        """Raises AccessError, FailedError; Missing for an expectation of something that is not there."""
        standings: list[Standing] = []
        prefixes: list[str] = []
        warnings: list[str] = []
        for look in self._looks:
            status = look.now()
            standings += status.standings
            prefixes += [look.prefix] * len(status.standings)
            warnings += status.warnings
        seen = Seen(tuple(standings), tuple(prefixes), tuple(warnings))
        return replace(seen, expectations=tuple(_expectation(seen, name, server) for name, server in self._expected))

    def shown(self, seen: Seen) -> ExitCode:
        if self.session.machine:
            self.tell(seen, 1)
        else:
            self.warn(seen)
            self.as_text(seen)
        return seen.code

    def warn(self, seen: Seen) -> None:
        for warning in seen.warnings:
            self.session.writer.say(f"warning: {warning}", always=True)

    def tell(self, seen: Seen, number: int) -> None:
        """For programs: the document, as one of several lines where it was asked for so."""
        told = self.document(seen)
        event = {"event": "status", "time": told["finished"], "seq": number, "run": None}
        self.session.answer({**event, **told} if self.session.options.output == "jsonl" else told)

    def document(self, seen: Seen) -> dict[str, Any]:
        resources = [
            {**standing.data(), "name": name, "project": look_name}
            for standing, name, look_name in zip(seen.standings, seen.names, self._project_names(seen), strict=True)
        ]
        return document(
            self.session, seen.code, warnings=seen.warnings, resources=resources, expectations=list(seen.expectations)
        )

    def _project_names(self, seen: Seen) -> list[str | None]:
        return [prefix or self.session.project for prefix in seen.prefixes]

    def as_text(self, seen: Seen) -> None:
        from hcloud_reassign.cli.looks import table
        from hcloud_reassign.cli.text import Piece, line

        writer = self.session.writer
        lines = table(seen.standings, writer, prefix=seen.prefixes)
        writer.lines(lines or [line("nothing there")])
        for expectation in seen.expectations:
            if not expectation["met"]:
                told = f"expected {expectation['name']} with {expectation['expected']}, but {expectation['found']}"
                writer.narrate([line(Piece("error: ", "bad"), told)])


def _expectation(seen: Seen, name: str, server: str) -> dict[str, Any]:
    at = seen.names.index(name) if name in seen.names else None
    if at is None:
        raise Missing("resource", name, seen.names, next="hcloud-reassign status")
    standing = seen.standings[at]
    holder = standing.holder
    met = holder is not None and server in (holder.name, holder.address, str(holder.id))
    found = "it cannot be read" if standing.found is None else f"{holder} has it" if holder else "nobody has it"
    return {"name": name, "expected": server, "met": met, "found": found}
