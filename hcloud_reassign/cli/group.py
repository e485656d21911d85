"""Commands that are imported when they are typed, and options that stand before them or after them."""

from __future__ import annotations

from functools import cache, cached_property
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from hcloud_reassign.cli.globals import merged, options
from hcloud_reassign.cli.session import Session
from hcloud_reassign.core.errors import Missing

COMMANDS = ("run", "plan", "status", "tui", "hold", "unhold", "trigger", "check", "init", "simulate", "demo")
"""In the order of the help; each is a module in `commands`."""

_GLOBAL_NAMES = tuple(options.__annotations__.keys() - {"return"})


class Command(TyperCommand):
    """A command that also takes the global options, and lists them apart from its own."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        after = {name: ctx.params.pop(name, None) for name in _GLOBAL_NAMES}
        before = ctx.parent.params if ctx.parent else {}
        session: Session = ctx.obj
        session.use(merged(before, after, session.environ))
        return super().invoke(ctx)

    def format_options(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        records: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": [], "Global options": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                records[_heading(param)].append(record)
        for heading, rows in records.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


def _heading(param: Any) -> str:
    if param.param_type_name == "argument":
        return "Arguments"
    return "Global options" if param.name in _GLOBAL_NAMES or param.name == "help" else "Options"


class Group(TyperGroup):
    """The commands by name, each made when it is asked for."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        return _command(cmd_name, self._global_options) if cmd_name in COMMANDS else None

    @cached_property
    def _global_options(self) -> tuple[Any, ...]:
        return tuple(param for param in self.params if param.name in _GLOBAL_NAMES)

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise Missing("command", args[0], COMMANDS, next="hcloud-reassign --help")
        if isinstance(ctx.obj, Session):
            ctx.obj.command = args[0]
        return super().resolve_command(ctx, args)


@cache
def _command(name: str, global_options: tuple[Any, ...]) -> TyperCommand:
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name, cls=Command)(import_module(f"hcloud_reassign.cli.commands.{name}").command)
    command = typer.main.get_command(app)
    assert isinstance(command, TyperCommand)
    command.params.extend(global_options)
    return command


def build() -> typer.Typer:
    """The application."""
    app = typer.Typer(
        cls=Group,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        subcommand_metavar="COMMAND [NAME]...",
        options_metavar="[OPTIONS]",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        epilog="Exit codes: 0 ok, 1 failed, 2 usage, 3 refused, 4 access, 5 unknown, 10 pending, 130 interrupted.",
    )
    app.callback()(options)
    return app
