"""The parts of the man pages that come from the code, and the guards from their table. groff and mandoc read both."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from typer.main import get_command

from hcloud_reassign import ExitCode, triggers
from hcloud_reassign.cli.group import COMMANDS, build
from hcloud_reassign.config.reference import default_of, title_of, type_of
from hcloud_reassign.config.sections import LATER, SECTIONS, TRIGGER, WATCH_NAMED
from hcloud_reassign.core.declare import ASSIGNMENT_KEYS, Key, Section
from hcloud_reassign.kinds import WORDS, kind
from hcloud_reassign.triggers import trigger
from hcloud_reassign_tui.view.registry import by_group, key_names

ROOT = Path(__file__).resolve().parent.parent

_PART = re.compile(r'^\.\\" begin: (.*)\n(?s:.*?)^\.\\" end: \1\n', re.MULTILINE)

_ESCAPES = str.maketrans(
    {"\\": r"\e", "-": r"\-", "'": r"\(aq", '"': r"\(dq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
)
"""The hyphen of an option and the quote of a command line stay what they are when somebody copies them."""

_TITLES = {"1": "User Commands", "5": "File Formats"}

Lines = Iterator[str]


def pages() -> Mapping[str, str]:
    """Every man page by its path, with what stands between its marks made anew."""
    parts = dict(_parts())
    found = {file: file.read_text("utf-8") for file in sorted((ROOT / "packages/man").iterdir())}
    return {
        file.relative_to(ROOT).as_posix(): _PART.sub(partial(_made, parts | {"head": partial(_head, file)}), text)
        for file, text in found.items()
    }


def _made(parts: Mapping[str, Callable[[], Lines]], found: re.Match[str]) -> str:
    return "\n".join([f'.\\" begin: {found[1]}', *parts[found[1]](), f'.\\" end: {found[1]}', ""])


def _parts() -> Iterator[tuple[str, Callable[[], Lines]]]:
    """What may be named in a mark."""
    line = CommandLine()
    yield "synopsis", line.synopsis
    for name in COMMANDS:
        yield f"command {name}", partial(line.command, name)
        yield f"options {name}", partial(line.options, name)
    yield from {"global options": line.global_options, "keys of tui": _keys_of_tui, "guards": _guards}.items()
    yield from {"exit codes": _exit_codes, "assignments": _assignments, "sections": _sections}.items()


def _head(file: Path) -> Lines:
    """Its date is that of the newest entry of the changelog: a page does not change with the day it is made on."""
    changelog = (ROOT / "debian/changelog").read_text("utf-8")
    version = changelog.partition("(")[2].partition(")")[0]
    (written, *_) = re.findall(r"^ -- .*>  (.*)$", changelog, re.MULTILINE)
    name, section = file.stem, file.suffix[1:]
    date = parsedate_to_datetime(written).strftime("%Y-%m-%d")
    yield f'.TH {escaped(name.upper())} {section} {date} "{escaped("hcloud-reassign")} {version}" "{_TITLES[section]}"'
    # What is copied has no hyphen of its own at the end of a line, and no gaps.
    yield from (".nh", ".ad l")


class CommandLine:
    """Commands and options, as the parser has them."""

    @cached_property
    def group(self) -> Any:
        return get_command(build())

    def synopsis(self) -> Lines:
        for name in COMMANDS:
            yield from (self._usage(name), ".br")
        yield r"\fBhcloud\-reassign\fR [\fICOMMAND\fR] \fB\-\-help\fR | \fB\-\-version\fR"

    def command(self, name: str) -> Lines:
        """The heading of a command, and what its help begins with."""
        yield f".SS {self._usage(name)}"
        for number, paragraph in enumerate(self._command(name).help.split("\n\n")):
            yield from [".PP"] * bool(number)
            yield from prose(paragraph)

    def options(self, name: str) -> Lines:
        """Its arguments, and the options that are not those of all commands."""
        return self._listed(self._command(name), self._own(name))

    def global_options(self) -> Lines:
        return self._listed(self.group, self.group.get_params(_context(self.group)))

    def _command(self, name: str) -> Any:
        return self.group.get_command(_context(self.group), name)

    def _own(self, name: str) -> list[Any]:
        return [param for param in self._command(name).params if param not in self.group.params]

    def _usage(self, name: str) -> str:
        own = self._own(name)
        words = [rf"\fBhcloud\-reassign {escaped(name)}\fR"]
        if any(param.param_type_name == "option" and not param.required for param in own):
            words.append(r"[\fIOPTIONS\fR]")
        for param in own:
            if param.param_type_name == "argument":
                words.append(_placeholder(param.metavar))
            elif param.required:
                words.append(_spelled(f"{param.opts[0]} {param.metavar}"))
        return " ".join(words)

    def _listed(self, command: Any, params: Iterable[Any]) -> Lines:
        context = _context(command)
        for param in params:
            left, meaning = param.get_help_record(context)
            meaning = re.sub(r"\[default: (.*)\]$", r"Default: `\1`.", meaning).replace("[required]", "Required.")
            yield from (".TP", _spelled(left), *prose(meaning))


def _context(command: Any) -> Any:
    return command.make_context("hcloud-reassign", [], resilient_parsing=True)


def _keys_of_tui() -> Lines:
    for _, acts in by_group():
        for act in acts:
            yield from (".TP", rf"\fB{escaped(key_names(act.keys))}\fR (\fIkey.{escaped(act.id)}\fR)", *prose(act.help))


def _guards() -> Lines:
    """The page about what moving means has them by hand; its table is held against the code."""
    table = (ROOT / "docs/semantics.md").read_text("utf-8").partition("\n## Guards\n")[2].partition("\n## ")[0]
    for word, refuses, past in re.findall(r"^\| `([\w-]+)` \| (.*) \| (.*) \|$", table, re.MULTILINE):
        none, _, instead = past.partition("none: ")
        way = f"No way past it: {instead}" if instead and not none else f"Way past it: {past}"
        yield from (".TP", rf"\fB{escaped(word)}\fR", *prose(f"{_sentence(refuses)} {_sentence(way)}"))


def _exit_codes() -> Lines:
    for code in ExitCode:
        yield from (".TP", rf"\fB{int(code)}\fR (\fI{code.word}\fR)", *prose(_sentence(code.meaning)))


def _assignments() -> Lines:
    if later := [f"`{word}`" for word in LATER if word not in WORDS]:
        yield from prose(f"Of a later version: {' and '.join(later)}.")
    yield ".SS Keys of every assignment"
    yield from _keys(ASSIGNMENT_KEYS)
    for word in WORDS:
        yield from _section(kind(word).section, f"type = {word}")


def _sections() -> Lines:
    for section in SECTIONS:
        yield from _section(section, f"[{title_of(section)}]")
        if section is TRIGGER:
            for word in triggers.WORDS:
                yield from _section(trigger(word).section, f"[{title_of(section)}], type = {word}")


def _section(section: Section, title: str) -> Lines:
    yield f".SS {escaped(title)}"
    yield from prose(section.meaning)
    # Its meaning says whose keys it has.
    yield from _keys(() if section is WATCH_NAMED else section.keys)
    if section.example:
        yield from (".PP", ".RS 4", ".EX", *map(escaped, section.example.strip().splitlines()), ".EE", ".RE")


def _keys(keys: Iterable[Key]) -> Lines:
    for key in keys:
        default = default_of(key)
        told = f"Default: {default}." if default.startswith("`") else _sentence(default)
        yield from (".TP", rf"\fB{escaped(key.name)}\fR = {_value(key)}", *prose(f"{key.meaning} {told}"))


def _value(key: Key) -> str:
    value = type_of(key)
    return _with_bold(value.replace(", ", " | ")) if key.choices else rf"\fI{escaped(value)}\fR"


def _spelled(left: str) -> str:
    """An option or argument as the help has it: what is typed is bold, what stands for something is not."""
    return " ".join(
        re.sub(r"^([^,]+)", lambda found: rf"\fB{escaped(found[0])}\fR", word)
        if word.startswith("-")
        else _placeholder(word)
        for word in left.split(" ")
    )


def _placeholder(word: str) -> str:
    if choices := re.fullmatch(r"<(.*)>", word):
        return "|".join(rf"\fB{escaped(choice)}\fR" for choice in choices[1].split("|"))
    return re.sub(r"[A-Z]+", r"\\fI\g<0>\\fR", word.strip("{}"))


def prose(text: str) -> Lines:
    """Each sentence begins a line: then its full stop is known for one, and is spaced like one."""
    for sentence in re.split(r"(?<=\.)\s+(?=[A-Z`])", " ".join(text.split())):
        for line in textwrap.wrap(_with_bold(sentence), 79, break_long_words=False, break_on_hyphens=False):
            yield rf"\&{line}" if line.startswith((".", "'")) else line


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _with_bold(text: str) -> str:
    parts = map(escaped, text.split("`"))
    return "".join(rf"\fB{part}\fR" if number % 2 else part for number, part in enumerate(parts))


def escaped(text: str) -> str:
    """Text in which nothing is a macro, an escape or a typographic quote."""
    return text.translate(_ESCAPES)
