"""`--report FILE`: the JSON document in a file, whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import Any

from hcloud_reassign.cli.session import Session
from hcloud_reassign.core.errors import UsageError


def checked(session: Session, file: str | None) -> None:
    """See to it that the report can be written, before anything is changed."""
    session.report = None
    if file is None:
        return
    folder = os.path.dirname(file) or "."
    if not file.strip() or os.path.isdir(file) or not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(
            f"--report: cannot write {file!r}", object="--report", next="name a file in a folder that can be written"
        )
    session.report = file


def write(session: Session, document: Mapping[str, Any]) -> None:
    """Write the report, if one is wanted. That it cannot be written is a warning, never an outcome."""
    if not session.report:
        return
    import json

    file = session.report
    beside = f"{file}.{os.getpid()}.tmp"
    try:
        with open(beside, "w", encoding="ascii") as opened:
            opened.write(json.dumps(session.writer.data_without_secrets(document), indent=2) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(beside, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        session.writer.say(f"warning: the report {file} was not written: {error.strerror}", always=True)
