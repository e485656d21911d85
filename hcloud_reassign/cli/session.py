"""What the parts of one command line share while it is carried out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hcloud_reassign.cli.globals import Globals
from hcloud_reassign.cli.parsing import early
from hcloud_reassign.cli.writer import Writer
from hcloud_reassign.core.errors import ExitCode, UsageError


class Stopped(BaseException):
    """SIGINT or SIGTERM came while nothing was under way. Not KeyboardInterrupt, which typer ends without a word."""


def now_ms() -> int:
    return int(time.time() * 1000)


@dataclass
class Session:
    """One command line: what was typed, where output goes, and what must be known when it ends early.

    `command`, `options` and `report` are filled as soon as they are known; an error before that finds what `early` saw.
    """

    argv: Sequence[str]
    environ: Mapping[str, str]
    writer: Writer
    started_ms: int = field(default_factory=now_ms)
    command: str | None = None
    options: Globals = Globals()
    report: str | None = None
    project: str | None = None
    answered: bool = False
    at_risk: bool = False
    """Whether something may have been changed of which no report tells yet."""
    code_so_far: ExitCode | None = None

    def __post_init__(self) -> None:
        output = early(self.argv, "--output", "o")
        if output in ("json", "jsonl"):
            self.options = replace(self.options, output="json" if output == "json" else "jsonl")
        self.report = early(self.argv, "--report")
        self.writer.hide(early(self.argv, "--token", "t"))
        if "--no-color" in self.argv:
            self.writer.without_colour()

    def use(self, options: Globals) -> None:
        """Everything was parsed: from here on the merged options count."""
        self.options = options
        self.writer.quiet = options.quiet
        self.writer.hide(options.token)
        if options.no_color:
            self.writer.without_colour()

    @property
    def machine(self) -> bool:
        """Whether stdout is for programs."""
        return self.options.output != "text"

    def answer(self, document: Mapping[str, Any]) -> None:
        """The one JSON document of `-o json`; the last line of `-o jsonl`."""
        self.answered = True
        self.writer.json(document, one_line=self.options.output == "jsonl")

    def one_file(self) -> str | None:
        """The file that was named; None means the usual places."""
        if len(self.options.files) > 1:
            raise UsageError(f"{self.command} takes one file", object="--config", next="give -c once")
        return next(iter(self.options.files), None)
