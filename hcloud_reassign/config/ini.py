"""Bytes of a configuration file -> its sections, with the line of everything.

The grammar is that of the standard configparser less what this format forbids: interpolation, [DEFAULT], values of
several lines. With these gone it is a page of code, and a reader of its own keeps line numbers, tells every fault the
same way on every Python and costs no import. A test holds it against configparser on all files that both accept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from hcloud_reassign.config.faults import Faults, quoted, shown_key

_COMMENT = re.compile(r"(?:^|\s)[;#]")
_ENTRY = re.compile(r"([^=:]*)[=:](.*)")
_HEADER = re.compile(r"\[([^\[\]]*)\]")
# What a terminal would obey or hide: control characters but tab and line ends, and the marks that turn text around.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Entry(NamedTuple):
    """A value as written, without comment and outer space; an empty one counts as absent."""

    value: str
    line: int


class Block(NamedTuple):
    """A section as written."""

    name: str
    line: int
    entries: Mapping[str, Entry]

    def line_of(self, key: str) -> int:
        """Where a key stands; the section's own line when it is not there."""
        return self.entries[key].line if key in self.entries else self.line

    def has(self, key: str) -> bool:
        return key in self.entries and self.entries[key].value != ""


def decoded(data: bytes, faults: Faults) -> str:
    """The text of a file, its line ends made one. Raises UsageError with the line of the first bad byte."""
    text, bad = _decoded(data)
    if bad is not None:
        raise faults.error("the file is not UTF-8 text", bad, next=f"iconv -t UTF-8 {quoted(faults.file)}")
    control = _CONTROL.search(text)
    if control:
        line = text.count("\n", 0, control.start()) + 1
        raise faults.error(f"control character U+{ord(control[0]):04X}", line)
    return text


def _decoded(data: bytes) -> tuple[str, int | None]:
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        # Told outside of this block: the exception holds the bytes of the file, and those may hold a token.
        return "", error.object.count(b"\n", 0, error.start) + 1


def parse(text: str, faults: Faults) -> dict[str, Block]:
    """The sections of a file by name. Raises UsageError for what is not INI and for duplicates."""
    blocks: dict[str, Block] = {}
    entries: dict[str, Entry] | None = None
    name = ""
    for number, line in _lines(text):
        if line.startswith("["):
            name, entries = _header(line, number, blocks, faults), {}
            blocks[name] = Block(name, number, entries)
        elif entries is None:
            raise faults.error("there is text before the first section", number, next="write [client] above it")
        else:
            _add(entries, name, line, number, faults)
    return blocks


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        comment = _COMMENT.search(line)
        stripped = (line[: comment.start()] if comment else line).strip()
        if stripped:
            yield number, stripped


def _header(line: str, number: int, blocks: Mapping[str, Block], faults: Faults) -> str:
    match = _HEADER.fullmatch(line)
    name = match[1].strip() if match else ""
    if not name:
        raise faults.error("this is not a section's line", number, next="write it as [name], and nothing behind it")
    if "," in name:
        raise faults.error(f"a section's name cannot have a comma: [{name}]", number, section=name)
    if name == "DEFAULT":
        raise faults.error(
            "[DEFAULT] is not supported", number, section=name, next="write its keys in each section that needs them"
        )
    if name in blocks:
        raise faults.error(
            f"[{name}] is there twice, first in line {blocks[name].line}",
            number,
            section=name,
            next="rename one of them, or make them one",
        )
    return name


def _add(entries: dict[str, Entry], section: str, line: str, number: int, faults: Faults) -> None:
    match = _ENTRY.fullmatch(line)
    key = match[1].strip().lower() if match else ""
    if not match or not key:
        raise faults.error(
            "this is not 'key = value'", number, section=section, next="write one key a line, its value beside it"
        )
    if key in entries:
        raise faults.error(
            f"{shown_key(key)!r} is there twice in [{section}], first in line {entries[key].line}",
            number,
            section=section,
            key=shown_key(key),
            next="keep one of the two",
        )
    entries[key] = Entry(match[2].strip(), number)
