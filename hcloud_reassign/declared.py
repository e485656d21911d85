"""The configuration as the kinds and the triggers declare it: `config` itself knows none of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hcloud_reassign import kinds, triggers
from hcloud_reassign.config.load import load
from hcloud_reassign.config.settings import Settings
from hcloud_reassign.core.declare import Section
from hcloud_reassign.core.errors import UsageError


def settings(path: Path) -> Settings:
    """What a file says. Raises UsageError, with file, line and key of what is wrong in it."""
    read = load(path, section_of, kinds.WORDS, trigger_of=trigger_of, ungroupable=_Ungroupable())
    for assignment in read.assignments:
        with _placed(read, assignment.name):
            kinds.kind(assignment.type).check(assignment)
    for name, section in read.triggers.items():
        with _placed(read, f"trigger.{name}"):
            triggers.trigger(section["type"]).check(section)
    return read


def section_of(word: str) -> Section | None:
    """The declared section of a `type`; None for a word of no kind."""
    try:
        return kinds.kind(word).section
    except KeyError:
        return None


def trigger_of(word: str) -> Section | None:
    """The declared section of a trigger's `type`; None for a word of no platform of this version."""
    return triggers.trigger(word).section if word in triggers.WORDS else None


class _Ungroupable:
    def __contains__(self, word: object) -> bool:
        return not kinds.kind(str(word)).groupable


@contextmanager
def _placed(settings: Settings, section: str) -> Iterator[None]:
    """An error about a section's key gets its place."""
    try:
        yield
    except UsageError as error:
        where = settings.where(section, error.key)
        error.file, error.line = where.file, where.line
        error.object = error.object or section
        raise
