"""`init`: a configuration of what the project has."""

from __future__ import annotations

import os

import typer

from hcloud_reassign.cli.documents import document
from hcloud_reassign.cli.opening import bare
from hcloud_reassign.cli.progress import looking_on
from hcloud_reassign.cli.session import Session
from hcloud_reassign.core.errors import ExitCode, FailedError, UsageError

_HERE = "hcloud-reassign.ini"


def command(ctx: typer.Context) -> ExitCode:
    """Write a configuration of what the project has.

    All its floating IPs, primary IPs, alias IPs and routes. It goes to -c FILE or ./hcloud-reassign.ini, never over a
    file; - is stdout.
    """
    session: Session = ctx.obj
    file = session.one_file() or session.environ.get("HCLOUD_REASSIGN_CONFIG") or _HERE
    if session.options.output == "jsonl" or (file == "-" and session.machine):
        raise UsageError("init is text, or json with a file", object="--output", next="leave out -o, or give -c FILE")
    if file != "-" and os.path.lexists(file):
        raise _exists(file)
    from hcloud_reassign.cli.inifile import ini

    project = bare(session, _HERE if file == "-" else file)
    with looking_on(session) as progress:
        drafts = project.inventory(on_event=progress)
    elsewhere = session.options.api_url or session.environ.get("HCLOUD_ENDPOINT")
    text = ini(drafts, project.api_url if elsewhere else None)
    if file == "-":
        session.writer.raw(text)
        return ExitCode.OK
    _write(file, text)
    if session.machine:
        session.answer(document(session, ExitCode.OK, file=file, sections=[draft.name for draft in drafts]))
        return ExitCode.OK
    session.writer.say(f"wrote {file} with {len(drafts)} sections; look through it, then:")
    session.writer.say(f"  {project.invocation('check')}")
    return ExitCode.OK


def _write(file: str, text: str) -> None:
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        with open(handle, "w", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise _exists(file) from None
    except OSError as error:
        raise FailedError(
            f"cannot write {file}: {error.strerror}", object="--config", next="-c FILE, or -c -"
        ) from None


def _exists(file: str) -> UsageError:
    return UsageError(
        f"{file} exists, and init writes over no file", object="--config", next="-c FILE, or -c - for stdout"
    )
