"""The JSON documents: one head for all commands, and what each command adds, also when it ended early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hcloud_reassign.cli.session import Session, now_ms
from hcloud_reassign.core.errors import ExitCode, ReassignError
from hcloud_reassign.core.guards import clock_time
from hcloud_reassign.core.report import VERSION, error_data

EMPTY: Mapping[str, Mapping[str, Any]] = {
    "run": {"requests": 0, "rate_limit_remaining": None, "digest": None, "moves": []},
    "plan": {"requests": 0, "rate_limit_remaining": None, "digest": None, "moves": []},
    "status": {"resources": [], "expectations": []},
    "check": {"findings": []},
    "init": {"file": None, "sections": []},
    "hold": {"holds": []},
    "unhold": {"holds": []},
    "trigger": {"triggers": []},
}
"""What a command's own keys hold as long as nothing is known: keys are never missing."""


def document(
    session: Session,
    code: ExitCode,
    *,
    error: ReassignError | None = None,
    warnings: Sequence[str] = (),
    **more: Any,
) -> dict[str, Any]:
    """A document with the head that all have, and a command's own keys."""
    return {
        "version": VERSION,
        "command": session.command,
        "started": clock_time(session.started_ms),
        "finished": clock_time(now_ms()),
        "exit_code": int(code),
        "outcome": code.word,
        "error": None if error is None else error_data(error),
        "warnings": list(warnings),
        "project": session.project,
        **EMPTY.get(session.command or "", {}),
        **more,
    }
