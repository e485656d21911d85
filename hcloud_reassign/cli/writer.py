"""The one way out: stdout is data, stderr is narration, and nothing that is written ever changes an outcome."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

from hcloud_reassign.cli.text import Line, Piece, Style, clean, line
from hcloud_reassign.core.shown import without_secrets

_CODES: Mapping[Style, str] = {"good": "32", "warn": "33", "bad": "1;31", "dim": "2", "bold": "1", "plain": ""}
_SHORTEST_SECRET = 8
_PROXY_PASSWORD = re.compile(r"//[^/@:]*:([^/@]+)@")
_SYMBOLS = {
    "pending": ("→", ">"),
    "done": ("●", "+"),
    "unchanged": ("○", "="),
    "refused": ("▲", "!"),
    "failed": ("✖", "x"),
    "unknown": ("?", "?"),
    "arrow": ("→", "->"),
    "dots": ("…", "..."),
}


class Channel:
    """A stream that may be closed, a pipe that nobody reads any more, or a terminal that knows little."""

    def __init__(self, stream: IO[str] | None, environ: Mapping[str, str]) -> None:
        self.stream = stream
        self.error: OSError | None = None
        self.terminal = stream is not None and stream.isatty()
        self.colour = self.terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        self.can_erase = self.terminal and environ.get("TERM") not in (None, "", "dumb")
        self.ascii = _ascii(stream, environ)
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")

    def write(self, text: str) -> None:
        if self.stream is None or self.error is not None:
            return
        try:
            self.stream.write(text)
            self.stream.flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Nothing more can be written. What Python still holds goes nowhere instead of failing again at exit."""
        self.error = error
        assert self.stream is not None
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)


class Writer:
    """Writes data to stdout and narration to stderr. Whatever is foreign in it stays text."""

    def __init__(self, out: IO[str] | None, err: IO[str] | None, environ: Mapping[str, str]) -> None:
        self.out, self.err = Channel(out, environ), Channel(err, environ)
        self.quiet = False
        self.hidden: set[str] = set()
        """Secrets known to the command line: shown to nobody, whoever puts them into a message."""
        self._later: list[Callable[[], Iterable[str]]] = []
        self.hide(environ.get("HCLOUD_TOKEN"))
        for name, value in environ.items():
            if name.lower().endswith("_proxy"):
                self.hide("".join(_PROXY_PASSWORD.findall(value)[:1]))
        self._on_github = environ.get("GITHUB_ACTIONS") == "true"

    def hide(self, secret: str | None) -> None:
        """A secret from now on. A very short one is no token, and hiding it would spoil every text."""
        if secret and len(secret.strip()) >= _SHORTEST_SECRET:
            self.hidden.add(secret.strip())

    def hide_later(self, secrets: Callable[[], Iterable[str]]) -> None:
        """Secrets that are not known yet, asked for whenever something is written."""
        self._later.append(secrets)

    def without_colour(self) -> None:
        self.out.colour = self.err.colour = False

    def symbol(self, word: str) -> str:
        """The sign for an outcome, or `arrow`; plain ASCII where stdout cannot show more."""
        return _SYMBOLS[word][self.out.ascii]

    def lines(self, lines: Iterable[Line]) -> None:
        """Data for people."""
        self.out.write("".join(f"{self._rendered(pieces, self.out.colour)}\n" for pieces in lines))

    def json(self, document: Mapping[str, Any], *, one_line: bool = False) -> None:
        """Data for programs. ASCII only, so no terminal can be harmed by it and no locale can break it."""
        import json

        shown = self.data_without_secrets(document)
        text = json.dumps(shown, separators=(",", ":")) if one_line else json.dumps(shown, indent=2)
        # The same text for whoever reads JSON; no command for GitHub's runner, which looks anywhere in a line.
        self.out.write((text.replace("##[", "#\\u0023[") if self._on_github else text) + "\n")

    def raw(self, text: str) -> None:
        """Data that is a file's text."""
        self.out.write(text)

    def say(self, *pieces: str | Piece, always: bool = False) -> None:
        """Narration; `--quiet` silences it, unless it must be heard."""
        if always or not self.quiet:
            self.narrate([line(*pieces)])

    def narrate(self, lines: Iterable[Line]) -> None:
        self.err.write("".join(f"{self._rendered(pieces, self.err.colour)}\n" for pieces in lines))

    def redraw(self) -> None:
        """An empty screen, for a picture that replaces the last one."""
        if self.out.can_erase:
            self.out.write("\033[H\033[2J")

    def control(self, text: str) -> None:
        """What a terminal or a CI system shall obey. Never with foreign text in it that was not made harmless."""
        self.err.write(self._harmless(text))

    def _rendered(self, pieces: Line, colour: bool) -> str:
        text = "".join(self._styled(piece, colour) for piece in pieces)
        # Its commands begin a line, before which it allows white space.
        on_github = self._on_github and "".join(piece.text for piece in pieces).lstrip().startswith("::")
        return text.replace("::", ": :", 1) if on_github else text

    def _styled(self, piece: Piece, colour: bool) -> str:
        text = self._harmless(clean(piece.text))
        code = _CODES[piece.style] if colour else ""
        return f"\033[{code}m{text}\033[0m" if code else text

    def _harmless(self, text: str) -> str:
        text = self.without_secrets(text)
        # GitHub's runner obeys this old form of a command anywhere in a line.
        return text.replace("##[", "# #[") if self._on_github else text

    def without_secrets(self, text: str) -> str:
        """The text with every secret hidden that is known by now; for what goes elsewhere than to stdout and stderr."""
        for ask in self._later:
            for secret in ask():
                self.hide(secret)
        return without_secrets(text, self.hidden)

    def data_without_secrets(self, data: Any) -> Any:
        """The same for all texts in JSON data."""
        if isinstance(data, str):
            return self.without_secrets(data)
        if isinstance(data, Mapping):
            return {key: self.data_without_secrets(value) for key, value in data.items()}
        return [self.data_without_secrets(item) for item in data] if isinstance(data, list | tuple) else data


def of_this_process(environ: Mapping[str, str]) -> Writer:
    return Writer(sys.stdout, sys.stderr, environ)


def _ascii(stream: IO[str] | None, environ: Mapping[str, str]) -> bool:
    """The text console of Linux has a font without most signs."""
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    return encoding != "utf8" or environ.get("TERM") in ("linux", "dumb")
