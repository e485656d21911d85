"""One way that a request can go, and what came of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hcloud_reassign.core.errors import ExitCode
from hcloud_reassign.triggers.fields import Fields
from hcloud_reassign.triggers.shape import Accepted, HttpRequest, Options, Secrets, Trigger

Outcome = Literal["planned", "accepted", "sent", "done", "failed", "unknown", "interrupted"]


@dataclass(frozen=True)
class Way:
    """A section [trigger.NAME], ready to be used."""

    name: str
    trigger: Trigger
    options: Options
    secrets: Secrets

    def request(self, fields: Fields) -> HttpRequest:
        return self.trigger.request(self.options, self.secrets, fields)


@dataclass(frozen=True)
class Result:
    """What came of it. `way` accepted it, else it is the first one; `run` is the last that was seen of its run.

    Outcomes: `accepted`, with --wait `done`; `sent` where the platform's answer says nothing; `unknown` where it may
    have been accepted, or where the end could not be seen in time.
    """

    fields: Fields
    way: Way
    outcome: Outcome
    code: ExitCode
    tries: int = 0
    accepted: Accepted | None = None
    url: str | None = None
    run: str | None = None
    message: str | None = None
    next: str | None = None
