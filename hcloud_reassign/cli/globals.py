"""Options that every command has, before it and after it: what stands after the command wins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer

from hcloud_reassign.cli.completion import config_files

Output = Literal["text", "json", "jsonl"]

_YES = ("1", "yes", "true", "on")


@dataclass(frozen=True)
class Globals:
    """The global options of one command line, merged, with what the environment says about them.

    Token, API URL, file and time limit may be in the environment and the file too: who opens the project looks there.
    """

    files: tuple[str, ...] = ()
    token: str | None = None
    token_file: str | None = None
    api_url: str | None = None
    output: Output = "text"
    verbose: int = 0
    quiet: bool = False
    no_color: bool = False
    timeout: str | None = None


def options(
    config: Annotated[
        list[str] | None,
        typer.Option(
            "--config",
            "-c",
            metavar="FILE",
            help="The configuration file; `status`, `check` and `tui` take several.",
            autocompletion=config_files,
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            "--token", "-t", metavar="TOKEN", help="The API token; others can see it here. Better: HCLOUD_TOKEN."
        ),
    ] = None,
    token_file: Annotated[
        str | None,
        typer.Option("--token-file", metavar="FILE", help="A file whose first line is the token; - is stdin."),
    ] = None,
    api_url: Annotated[
        str | None, typer.Option("--api-url", metavar="URL", help="The Hetzner Cloud API. Also HCLOUD_ENDPOINT.")
    ] = None,
    output: Annotated[
        Output | None,
        typer.Option(
            "--output", "-o", help="text; json: one document at the end; jsonl: one event a line while it runs."
        ),
    ] = None,
    verbose: Annotated[
        int, typer.Option("--verbose", "-v", count=True, show_default=False, help="Say more; -vv adds tracebacks.")
    ] = 0,
    quiet: Annotated[
        bool | None, typer.Option("--quiet", "-q", help="No narration: only data, warnings and errors.")
    ] = None,
    no_color: Annotated[bool | None, typer.Option("--no-color", help="No colour. Also NO_COLOR.")] = None,
    timeout: Annotated[
        str | None,
        typer.Option("--timeout", metavar="SECONDS", help="Bounds the whole run. Also HCLOUD_REASSIGN_TIMEOUT."),
    ] = None,
    version: Annotated[
        bool | None,
        typer.Option("--version", is_eager=True, callback=lambda value: _version(value), help="Print it and exit."),
    ] = None,
) -> None:
    """Reassign Hetzner floating IPs, primary IPs, alias IPs and routes: guarded, verified, undone on failure."""


def merged(before: Mapping[str, Any], after: Mapping[str, Any], environ: Mapping[str, str]) -> Globals:
    """One set of options out of those before the command, those after it, and the environment, which is read last."""

    def last(name: str) -> Any:
        return after.get(name) if after.get(name) is not None else before.get(name)

    return Globals(
        files=(*(before.get("config") or ()), *(after.get("config") or ())),
        token=last("token"),
        token_file=last("token_file"),
        api_url=last("api_url"),
        output=last("output") or "text",
        verbose=(before.get("verbose") or 0) + (after.get("verbose") or 0) or _count(environ),
        quiet=bool(last("quiet")) or _is_set(environ, "HCLOUD_REASSIGN_QUIET"),
        no_color=bool(last("no_color")) or _is_set(environ, "HCLOUD_REASSIGN_NO_COLOR"),
        timeout=last("timeout"),
    )


def _is_set(environ: Mapping[str, str], variable: str) -> bool:
    return environ.get(variable, "").strip().lower() in _YES


def _count(environ: Mapping[str, str]) -> int:
    text = environ.get("HCLOUD_REASSIGN_VERBOSE", "").strip().lower()
    return int(text) if text.isascii() and text.isdecimal() else int(text in _YES)


def _version(wanted: bool | None) -> None:
    if wanted:
        from hcloud_reassign.version import version

        typer.echo(f"hcloud-reassign {version()}")
        raise typer.Exit
