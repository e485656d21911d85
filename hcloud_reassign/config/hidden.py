"""A text that does not show itself, and reading one from a file or a command."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import IO, NoReturn

COMMAND_LIMIT_S = 30.0
_LONGEST_LINE = 1 << 16
_HIDDEN = "***"


class NoSecret(Exception):
    """Why there is none: an empty or unreadable file, a command that failed."""


class Secret:
    """A text that shows itself to nobody by accident: not in a repr, a log, a traceback, a pickle or JSON."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return _HIDDEN

    def __format__(self, spec: str) -> str:
        return _HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """A text in which every secret is hidden, the longest first: one may be a part of another."""
    for word in sorted({secret.reveal() for secret in secrets if secret}, key=len, reverse=True):
        text = text.replace(word, _HIDDEN)
    return text


def checked_secret(text: str) -> Secret:
    """A secret that can stand in an HTTP header, its outer white space trimmed.

    Raises:
        NoSecret: it is empty.
        ValueError: what is wrong, without the text.
    """
    text = text.strip()
    if not text:
        raise NoSecret("it is empty")
    if "\n" in text or "\r" in text:
        raise ValueError("it has more than one line")
    if not text.isprintable() or not all(ord(letter) < 256 for letter in text):
        raise ValueError("it has characters that cannot be sent")
    return Secret(text)


def first_line(file: str | IO[str]) -> Secret:
    """The secret in the first line of a file, given by its path or open.

    Raises:
        NoSecret: it cannot be read, or there is nothing in it.
        ValueError: what is wrong with it, without anything that was read.
    """
    try:
        if not isinstance(file, str):
            return checked_secret(file.readline(_LONGEST_LINE))
        with open(os.path.expanduser(file), "rb") as opened:
            return checked_secret(opened.readline(_LONGEST_LINE).decode("utf-8-sig"))
    except OSError as error:
        raise NoSecret(error.strerror or "it cannot be read") from None
    except UnicodeDecodeError:
        pass
    # Raised out here, because an error carries the one it was raised under, and that one holds the bytes.
    raise ValueError("it is not UTF-8 text")


def printed_by(command: str) -> Secret:
    """The secret in the first line that a command prints. It runs without a shell; its stderr is ours.

    Raises:
        NoSecret: it could not be run, failed, took longer than 30 s or printed nothing.
        ValueError: what is wrong with its quotes or with its output, which is not shown.
    """
    output = _run(_split(command))
    try:
        return checked_secret(output.partition(b"\n")[0].decode())
    except UnicodeDecodeError:
        pass
    raise ValueError("its output is not UTF-8 text")


def _split(command: str) -> list[str]:
    from shlex import split

    try:
        return split(command)
    except ValueError:
        raise ValueError("its quotes do not match") from None


def _run(words: list[str]) -> bytes:
    import subprocess

    # With several files, the one in the environment is none of theirs.
    environment = {key: value for key, value in os.environ.items() if key != "HCLOUD_TOKEN"}
    try:
        done = subprocess.run(
            words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=COMMAND_LIMIT_S
        )
    except subprocess.TimeoutExpired:
        why = f"it did not end within {COMMAND_LIMIT_S:g} s"
    except OSError as error:
        why = f"it cannot be run: {error.strerror}"
    else:
        if done.returncode == 0:
            return done.stdout
        why = f"it ended with exit status {done.returncode}"
    raise NoSecret(why)
