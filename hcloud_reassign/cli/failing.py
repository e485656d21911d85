"""How a command line ends that did not get to its own end: told once, in the form that was asked for."""

from __future__ import annotations

from typing import Any

from hcloud_reassign.cli import ci, reportfile
from hcloud_reassign.cli.documents import document
from hcloud_reassign.cli.session import Session
from hcloud_reassign.cli.text import Line, Piece, line
from hcloud_reassign.core.errors import ExitCode, ReassignError, UsageError, nearest

_BEFORE_ANYTHING = (ExitCode.USAGE, ExitCode.ACCESS)


def fail(session: Session, error: ReassignError, code: ExitCode | None = None) -> ExitCode:
    """Tell an error on stderr, in the document, in the report and to the CI system. Returns the exit code."""
    code = error.exit_code if code is None else code
    session.writer.narrate(error_lines(error, changed=_changed(session, code)))
    ended = document(session, code, error=error)
    if session.machine and not session.answered:
        session.answer(ended if session.options.output == "json" else _finished(ended))
    reportfile.write(session, ended)
    ci.error(session, error)
    return code


def error_lines(error: ReassignError, changed: str | None = None) -> list[Line]:
    """What failed and where; below it on which object, what state it is in, what to do."""
    place = f"{error.file}:{error.line}: " if error.file and error.line else f"{error.file}: " if error.file else ""
    if error.file and not error.line and error.file in error.message:
        place = ""
    found = [line(Piece("error: ", "bad"), Piece(f"{place}{error.message}", "bold"))]
    known = {"object": _object(error), "state": changed, "next": error.next}
    return found + [line(f"  {name + ':':<8}{text}") for name, text in known.items() if text]


def _object(error: ReassignError) -> str | None:
    if error.object and error.key and error.key != error.object:
        return f"{error.object}, key {error.key}"
    return error.object or (f"key {error.key}" if error.key else None)


def _changed(session: Session, code: ExitCode) -> str | None:
    """What a command that may change something has to say about it."""
    if session.command in ("run", "hold", "unhold") and code in _BEFORE_ANYTHING:
        return "nothing was changed"
    if session.command == "trigger" and code in _BEFORE_ANYTHING:
        return "nothing was sent"
    return None


def _finished(ended: dict[str, Any]) -> dict[str, Any]:
    """The last JSON line of a run that never began."""
    return {"event": "run.finished", "time": ended["finished"], "seq": 1, "run": None, **ended}


def usage_error(error: Any, command: str | None) -> UsageError:
    """What the parser of the command line objects to, as an error of ours."""
    message = getattr(error, "format_message", lambda: str(error))()
    given = getattr(error, "option_name", "") if hasattr(error, "possibilities") else ""
    near = nearest(given, error.possibilities or ()) if given else None
    if given:
        message = f"there is no option {given}" + (f"; did you mean {near}?" if near else "")
    words = ["hcloud-reassign", *([command] if command else []), "--help"]
    return UsageError(
        message[:1].lower() + message[1:].rstrip("."),
        object=getattr(error, "option_name", None) or _option(error),
        suggestion=near,
        next=" ".join(words),
    )


def _option(error: Exception) -> str | None:
    param = getattr(error, "param", None)
    return max(param.opts, key=len) if param is not None and param.opts else None


def internal_error(error: BaseException) -> ReassignError:
    """A mistake in this program, told without a traceback."""
    return ReassignError(
        f"internal error: {type(error).__name__}: {error}", next="run it again with -vv and report what it prints"
    )
