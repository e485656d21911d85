"""From the global options to an open project."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hcloud_reassign.cli.globals import Globals
from hcloud_reassign.cli.parsing import duration_s
from hcloud_reassign.cli.session import Session

if TYPE_CHECKING:
    from hcloud_reassign.project import Overrides, Project

_SEEN_BY_OTHERS = "--token shows the token to everybody on this machine; use HCLOUD_TOKEN or --token-file"


def opened(session: Session, file: str | None, *, by: str | None = None, several: bool = False) -> Project:
    """The project of a file; None looks in the usual places. Raises ReassignError."""
    from hcloud_reassign.project import open_project

    given = overrides(session.options, by)
    project = open_project(file, given, environ=session.environ, stdin=sys.stdin, several_files=several)
    if session.options.token:
        project.warnings = (*project.warnings, _SEEN_BY_OTHERS)
    session.project = project.name
    session.writer.hide_later(project.known_secrets)
    return project


def bare(session: Session, file: str) -> Project:
    """A project that no file describes, named after one that may come to be."""
    from hcloud_reassign.project import bare_project

    project = bare_project(file, overrides(session.options), environ=session.environ, stdin=sys.stdin)
    session.project = project.name
    session.writer.hide_later(project.known_secrets)
    return project


def overrides(options: Globals, by: str | None = None) -> Overrides:
    """What the command line says about the project's client. Raises UsageError."""
    from hcloud_reassign.project import Overrides

    timeout_s = None if options.timeout is None else duration_s("--timeout", options.timeout)
    return Overrides(options.token, options.token_file, options.api_url, timeout_s, by)
