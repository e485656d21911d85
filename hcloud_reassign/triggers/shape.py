"""The shape of a platform that is asked: pure decisions about requests and answers, no input or output."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from hcloud_reassign.core.declare import Key, Section
from hcloud_reassign.core.errors import ExitCode
from hcloud_reassign.triggers.fields import Fields

Options = Mapping[str, Any]
"""The values of a section [trigger.NAME]."""
Secrets = Mapping[str, str]
"""What its keys that name a file with a secret gave, by these keys."""

_LONGEST = 300
_DEEPEST = 4

TOKEN_FILE = Key("token_file", "A file whose first line is the token.", "path", required=True)


@dataclass(frozen=True)
class HttpRequest:
    """One request. What may hold a secret is not in its repr; `secrets` are cut out of the answer."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class HttpAnswer:
    """One answer; names of headers in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def data(self) -> dict[str, Any]:
        """Its JSON object; empty when it is none."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def retry_after_s(self) -> float | None:
        """How long the platform asks to be left alone; None when it does not say it in seconds."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None


class NoAnswer(Exception):
    """Why there is none. `maybe`: the request may have arrived. `again`: it may go better another time."""

    def __init__(self, message: str, *, maybe: bool = False, again: bool = True) -> None:
        super().__init__(message)
        self.message, self.maybe, self.again = message, maybe, again


@dataclass(frozen=True)
class Accepted:
    """The platform took it. `id` is its own for the run, `url` is for people, `handle` is what `look` needs.

    Not `confirmed`: the answer does not say whether anything will be started.
    """

    id: str | None = None
    url: str | None = None
    handle: str | None = None
    confirmed: bool = True


@dataclass(frozen=True)
class Refused:
    """It said no, and would again. `next` is what to do."""

    message: str
    next: str
    code: ExitCode = ExitCode.FAILED


@dataclass(frozen=True)
class Down:
    """It cannot be asked now. `maybe`: it may have taken the request all the same."""

    message: str
    maybe: bool = False
    retry_after_s: float | None = None


@dataclass(frozen=True)
class Going:
    """The run is queued or at work. `handle` and `url` when they are others by now."""

    what: str
    handle: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Ended:
    """The run came to its end; `what` is the platform's word for it."""

    ok: bool
    what: str
    url: str | None = None


@dataclass(frozen=True)
class Hidden:
    """What became of it cannot be seen from here."""

    why: str


class Trigger(ABC):
    """One platform. Adding one: a file with a subclass and an instance called TRIGGER, and a registry line."""

    section: ClassVar[Section]
    title: ClassVar[str]
    """The platform's name for people."""

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The keys of its section that name a file with a secret."""
        return tuple(key.name for key in self.section.keys if key.type == "path")

    def check(self, options: Options) -> None:
        """What can be wrong with a section without asking anybody. Raises UsageError with the `key`."""
        return

    @abstractmethod
    def request(self, options: Options, secrets: Secrets, fields: Fields) -> HttpRequest:
        """What is sent."""

    @abstractmethod
    def accepted(self, options: Options, answer: HttpAnswer) -> Accepted | None:
        """What a good answer says; None when it is not one of this platform."""

    @abstractmethod
    def advice(self, options: Options, answer: HttpAnswer) -> str:
        """What to do about an answer that says no."""

    def says(self, answer: HttpAnswer) -> str:
        """The platform's own words for a refusal; empty when it has none."""
        return plain(answer.data.get("message"))

    def instead(self, request: HttpRequest, answer: HttpAnswer) -> HttpRequest | None:
        """Another request that is to be sent after this answer."""
        return None

    def is_busy(self, answer: HttpAnswer) -> bool:
        """Whether it wants to be asked later."""
        return answer.status == 429

    def look(self, options: Options, secrets: Secrets, handle: str) -> HttpRequest | Hidden:
        """What asks how the run is."""
        return Hidden(f"{self.title} does not tell")

    def seen(self, options: Options, answer: HttpAnswer) -> Going | Ended | None:
        """What a good answer to that says; None when it is not one of this platform."""
        return None

    def judge(self, options: Options, answer: HttpAnswer) -> Accepted | Refused | Down:
        """What an answer to `request` means."""
        if 200 <= answer.status < 300:
            strange = Down(f"an answer that is not one of {self.title}", maybe=True)
            return self.accepted(options, answer) or strange
        return self._bad(options, answer)

    def judge_look(self, options: Options, answer: HttpAnswer) -> Going | Ended | Hidden | Down:
        """What an answer to `look` means."""
        if 200 <= answer.status < 300:
            return self.seen(options, answer) or Down(f"an answer that is not one of {self.title}")
        bad = self._bad(options, answer)
        return bad if isinstance(bad, Down) else Hidden(bad.message)

    def _bad(self, options: Options, answer: HttpAnswer) -> Refused | Down:
        told = _told(answer.status, self.says(answer))
        if self.is_busy(answer):
            wait_s = answer.retry_after_s
            return Down(told + (f"; it asks to wait {wait_s:g} s" if wait_s else ""), retry_after_s=wait_s)
        if answer.status >= 500:
            # 503 is said in place of the platform; behind the others it may have got the request.
            return Down(told, maybe=answer.status != 503, retry_after_s=answer.retry_after_s)
        if answer.status == 407:
            return Refused("HTTP 407: the proxy asks who this is", "give HTTPS_PROXY a user and a password")
        if 300 <= answer.status < 400:
            return Refused(f"{told}: a redirect, which is not followed with a token", "mend url in its section")
        # A platform hides with 404 what a token may not see.
        code = ExitCode.ACCESS if answer.status in (401, 403, 404) else ExitCode.FAILED
        return Refused(told, self.advice(options, answer), code)


def plain(value: object, depth: int = 0) -> str:
    """A message in JSON as text: one, several, or several by field."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        # What is nested further is no message, and would end the program at some depth.
        said = (plain(one, depth + 1) for one in value) if depth < _DEEPEST else ()
        return "; ".join(filter(None, said))[:_LONGEST]
    return value[:_LONGEST] if isinstance(value, str) else ""


def text_of(value: object) -> str | None:
    """An id, address or state in JSON as text; None for anything else, such as half of a sign."""
    if isinstance(value, str) and value and value.isprintable():
        return value[:_LONGEST]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _told(status: int, words: str) -> str:
    return f"HTTP {status}: {words}" if words else f"HTTP {status}"
