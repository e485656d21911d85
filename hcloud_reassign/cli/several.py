"""One file or several, a project each: names then read `prod:floating.web`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hcloud_reassign.cli.opening import bare, opened
from hcloud_reassign.cli.progress import looking_on
from hcloud_reassign.cli.session import Session
from hcloud_reassign.core.errors import Missing, UsageError

if TYPE_CHECKING:
    from hcloud_reassign.project import Project, Status


@dataclass(frozen=True)
class Looking:
    """A look at one project; `prefix` is its name where there are several."""

    prefix: str
    now: Callable[[], Status]


def projects(session: Session, *, everything: bool = False) -> list[Project]:
    """All projects that were named, each once. To look at everything a token is enough: no file is needed."""
    from hcloud_reassign.project import find_file

    files: Sequence[str | None] = session.options.files or [None]
    if everything and files == [None] and find_file(session.environ) is None:
        return [bare(session, "hcloud")]
    found = [opened(session, file, several=len(files) > 1) for file in files]
    names = [project.name for project in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(
            f"two of the files are the project {twice!r}", object="--config", next="set project = in [client] of one"
        )
    if len(found) > 1:
        session.project = None
    return found


def looking(session: Session, names: Sequence[str], everything: bool) -> list[Looking]:
    """A look at each project of which something was named; without names at all of them."""
    found = projects(session, everything=everything)
    if len(found) == 1:
        return [Looking("", _look(session, found[0], names, everything))]
    wanted = _by_project(found, names)
    return [
        Looking(project.name, _look(session, project, wanted.get(project.name, ()), everything))
        for project in found
        if not names or project.name in wanted
    ]


def _look(session: Session, project: Project, names: Sequence[str], everything: bool) -> Callable[[], Status]:
    progress = looking_on(session)
    look = project.looking(names, everything=everything, on_event=progress)

    def now() -> Status:
        with progress:
            return look()

    return now


def _by_project(found: Sequence[Project], names: Sequence[str]) -> dict[str, list[str]]:
    known = [project.name for project in found]
    wanted: dict[str, list[str]] = {}
    for name in names:
        project, colon, rest = name.partition(":")
        if not colon or project not in known:
            raise Missing("project", project, known, next=f"write it like {known[0]}:{rest or name}")
        wanted.setdefault(project, []).append(rest)
    return wanted
