"""keepalived's configuration as statements, as its own parser takes it: blocks, quotes, includes, definitions, hosts.

Facts about its language are from keepalived.conf(5) and the source of 2.2.7.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

_WORDS = re.compile(r'"([^"]*)"|([{}])|([^\s"{}]+)')
_DEFINITION = re.compile(r"\$([A-Za-z_]\w*)\s*=\s*(.*)")
_USE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_DEEPEST = 16
"""Includes inside includes; more is a file that includes itself."""


@dataclass(frozen=True)
class Statement:
    """A keyword with what follows it; `block` is what stands between its braces."""

    words: tuple[str, ...]
    file: str
    line: int
    block: tuple[Statement, ...] = ()

    @property
    def keyword(self) -> str:
        return self.words[0]

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    def all(self, *keywords: str) -> Iterator[Statement]:
        """Statements of the block that begin with one of these words."""
        return (inner for inner in self.block if inner.keyword in keywords)


@dataclass(frozen=True)
class NotReadable(Exception):
    """The file, or one that it includes, cannot be read, or its braces do not match."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


def read(path: str, host: str | None = None) -> Statement:
    """The whole configuration, as the block of one statement. `host`: lines for other hosts (`@name`) are left out;
    it is the node's name up to the first dot where keepalived is not told otherwise. Raises NotReadable.
    """
    name = host if host is not None else os.uname().nodename.partition(".")[0]
    words = ((word, file, line) for text, file, line in _lines(path, name, {}, 0) for word in _words(text))
    return Statement((path,), path, 0, _block(words, None))


_Line = tuple[str, str, int]
_END = "\n"
"""Ends a statement; a brace on the next line still opens its block."""


def _lines(path: str, host: str, defined: dict[str, str], depth: int) -> Iterator[_Line]:
    """Without comments, with definitions put in and includes followed."""
    if depth > _DEEPEST:
        raise NotReadable(path, "it includes itself")
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as opened:
            texts = opened.read().splitlines()
    except OSError as error:
        raise NotReadable(path, error.strerror or str(error)) from None
    for number, text in _whole(texts):
        line = _for_host(_USE.sub(lambda use: defined.get(use[1] or use[2], use[0]), _bare(text)).strip(), host)
        definition = _DEFINITION.fullmatch(_bare(text).strip())
        if definition:
            defined[definition[1]] = _USE.sub(lambda use: defined.get(use[1] or use[2], use[0]), definition[2])
        elif re.match(r"include[a-z]?\s", line):
            pattern = os.path.join(os.path.dirname(path), line.split(None, 1)[1].strip('"'))
            for file in sorted(glob.glob(pattern)):
                yield from _lines(file, host, defined, depth + 1)
        elif line:
            yield line, path, number


def _whole(texts: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Lines that end in a backslash go on in the next one."""
    begun, first = "", 0
    for number, text in enumerate(texts, 1):
        first = first or number
        if text.endswith("\\"):
            begun += text[:-1] + " "
            continue
        yield first, begun + text
        begun, first = "", 0
    if begun:
        yield first, begun


def _bare(text: str) -> str:
    """Without the comment: from # or !, outside of quotes."""
    quoted = False
    for index, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif char in "#!" and not quoted:
            return text[:index]
    return text


def _for_host(line: str, host: str) -> str:
    """`@name line` counts on that host alone, `@^name line` on every other."""
    if not line.startswith("@"):
        return line
    name, _, rest = line[1:].partition(" ")
    counts = name[1:] != host if name.startswith("^") else name == host
    return rest.strip() if counts else ""


def _words(line: str) -> Iterator[str]:
    for quoted, brace, plain in _WORDS.findall(line):
        yield brace or plain or quoted
    yield _END


def _block(words: Iterator[_Line], opened: Statement | None) -> tuple[Statement, ...]:
    """Statements up to the brace that closes the block."""
    found: list[Statement] = []
    current: list[str] = []
    for word, file, line in words:
        if word in (_END, "{", "}") and current:
            found.append(Statement(tuple(current), file, line))
            current = []
        if word == "{":
            if not found:
                raise NotReadable(f"{file}:{line}", "a brace is opened after nothing")
            head = found.pop()
            found.append(replace(head, block=_block(words, head)))
        elif word == "}":
            if opened is None:
                raise NotReadable(f"{file}:{line}", "a brace is closed that was not opened")
            return tuple(found)
        elif word != _END:
            current.append(word)
    if opened is not None:
        raise NotReadable(opened.place, f"the block of {' '.join(opened.words)} is not closed")
    return tuple(found)
