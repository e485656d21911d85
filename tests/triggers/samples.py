"""Sections, secrets and fields that the tests of the triggers share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hcloud_reassign.config.sections import TRIGGER, defaults
from hcloud_reassign.triggers import trigger
from hcloud_reassign.triggers.fields import Fields
from hcloud_reassign.triggers.result import Way
from hcloud_reassign.triggers.shape import HttpAnswer, HttpRequest

ISSUED_MS = 1_790_000_000_000
FIELDS = Fields("floating.web", "srv-b", ISSUED_MS, 250, "srv-b.example.com")
SECRETS = {
    "gitlab": {"token_file": "glptt-secret-of-gitlab"},
    "github": {"token_file": "github_pat_secret"},
    "jenkins": {"token_file": "11secret-of-jenkins"},
    "tekton": {"secret_file": "secret-of-tekton"},
}
SECTIONS: Mapping[str, Mapping[str, Any]] = {
    "gitlab": {"url": "https://gitlab.test/sub", "project": "infra/failover", "ref": "main"},
    "github": {"repository": "acme/failover", "workflow": "reassign.yml", "ref": "main"},
    "jenkins": {"url": "https://jenkins.test", "job": "infra/reassign", "user": "bot"},
    "tekton": {"url": "https://listener.test"},
}


def way(word: str, name: str = "", secrets: Mapping[str, str] | None = None, **more: Any) -> Way:
    """A section of a type with its defaults, called like its type."""
    platform = trigger(word)
    options = {**defaults(TRIGGER.keys), **defaults(platform.section.keys), "type": word, **SECTIONS[word], **more}
    return Way(name or word, platform, options, SECRETS[word] if secrets is None else secrets)


def request(word: str, fields: Fields = FIELDS, **more: Any) -> HttpRequest:
    return way(word, **more).request(fields)


def answer(status: int, body: Any = None, **headers: str) -> HttpAnswer:
    """`Retry_After="1"` is the header retry-after; what is no bytes is JSON."""
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpAnswer(status, {name.lower().replace("_", "-"): text for name, text in headers.items()}, data)


GOOD = {
    "gitlab": answer(201, {"id": 1001, "status": "created", "web_url": "https://gitlab.test/p/1001"}),
    "github": answer(200, {"workflow_run_id": 1001, "run_url": "x", "html_url": "https://github.com/r/1001"}),
    "jenkins": answer(201, None, Location="https://elsewhere.test/queue/item/1001/"),
    "tekton": answer(202, {"eventListener": "x", "eventID": "1001"}),
}
"""How each platform accepts."""
