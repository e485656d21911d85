"""Tekton: a signed event for an EventListener, which answers before it has looked at the signature."""

from __future__ import annotations

import hashlib
import hmac
import json

from hcloud_reassign.core.declare import Key, Section
from hcloud_reassign.triggers.fields import Fields
from hcloud_reassign.triggers.shape import (
    Accepted,
    HttpAnswer,
    HttpRequest,
    Options,
    Secrets,
    Trigger,
    plain,
    text_of,
)


class Tekton(Trigger):
    section = Section(
        "tekton",
        "An EventListener of Tekton, asked with a signed event.",
        (
            Key("url", "The listener.", "url", required=True),
            Key("secret_file", "A file whose first line signs the event.", "path", required=True),
        ),
        "[trigger.cluster]\ntype        = tekton\nurl         = https://reassign.example.com\n"
        "secret_file = /etc/hcloud-reassign/tekton-secret\n",
    )
    title = "Tekton"

    def request(self, options: Options, secrets: Secrets, fields: Fields) -> HttpRequest:
        values = {**fields.texts, "issued_at": fields.issued_at_ms, "age": fields.age_ms}
        body, secret = json.dumps(values).encode(), secrets["secret_file"]
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "hcloud-reassign",
            "X-Hub-Signature-256": f"sha256={signature}",
        }
        return HttpRequest("POST", f"{options['url']}/", headers, body, (secret, signature))

    def accepted(self, options: Options, answer: HttpAnswer) -> Accepted | None:
        id = text_of(answer.data.get("eventID"))
        return Accepted(id, confirmed=False) if id else None

    def says(self, answer: HttpAnswer) -> str:
        return plain(answer.data.get("errorMessage"))

    def advice(self, options: Options, answer: HttpAnswer) -> str:
        return "is url that of the EventListener, and does the way to it let this host through?"


TRIGGER = Tekton()
