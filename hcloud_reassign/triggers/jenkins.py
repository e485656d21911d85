"""Jenkins: a build with parameters. What it accepts waits in a queue and has no number before it leaves it."""

from __future__ import annotations

import re
from base64 import b64encode
from urllib.parse import quote, urlencode

from hcloud_reassign.core.declare import Key, Section
from hcloud_reassign.core.errors import UsageError
from hcloud_reassign.triggers.fields import Fields
from hcloud_reassign.triggers.shape import (
    TOKEN_FILE,
    Accepted,
    Ended,
    Going,
    HttpAnswer,
    HttpRequest,
    Options,
    Secrets,
    Trigger,
    text_of,
)

_ITEM = re.compile(r"/queue/item/([0-9]+)/?$")


class Jenkins(Trigger):
    section = Section(
        "jenkins",
        "A job of a Jenkins server, started with parameters.",
        (
            Key("url", "The server.", "url", required=True),
            Key("job", "The job with its folders: `infra/reassign`.", required=True),
            Key("user", "The user of the token.", required=True),
            TOKEN_FILE,
        ),
        "[trigger.build]\ntype       = jenkins\nurl        = https://jenkins.example.com\njob        = infra/reassign\n"
        "user       = failover-bot\ntoken_file = /etc/hcloud-reassign/jenkins-token\n",
    )
    title = "Jenkins"

    def check(self, options: Options) -> None:
        parts = options["job"].split("/")
        if "" in parts or parts[0] == "job":
            raise UsageError("'job' is a name with its folders", key="job", next="job = infra/reassign")

    def request(self, options: Options, secrets: Secrets, fields: Fields) -> HttpRequest:
        headers, hidden = _access(options, secrets)
        return HttpRequest(
            "POST",
            f"{_job(options)}/buildWithParameters",
            {**headers, "Content-Type": "application/x-www-form-urlencoded"},
            urlencode(fields.variables).encode(),
            hidden,
        )

    def accepted(self, options: Options, answer: HttpAnswer) -> Accepted | None:
        if answer.status != 201:
            return None
        # The address in it is the server's idea of its own; a token goes to the configured one alone.
        item = _ITEM.search(answer.headers.get("location", ""))
        if item is None:
            return Accepted(None, _job(options))
        return Accepted(item[1], f"{options['url']}/queue/item/{item[1]}/", f"/queue/item/{item[1]}")

    def says(self, answer: HttpAnswer) -> str:
        """Jenkins answers with pages."""
        return ""

    def advice(self, options: Options, answer: HttpAnswer) -> str:
        if answer.status == 401:
            return f"is token_file an API token of the user {options['user']}?"
        if answer.status in (403, 404):
            return f"is there a job {options['job']}, and may {options['user']} read and build it?"
        return f"is {options['job']} enabled, with the parameters HR_RESOURCE, HR_TO, HR_ISSUED_AT, HR_AGE and HR_BY?"

    def look(self, options: Options, secrets: Secrets, handle: str) -> HttpRequest:
        headers, hidden = _access(options, secrets)
        return HttpRequest("GET", f"{options['url']}{handle}/api/json", headers, None, hidden)

    def seen(self, options: Options, answer: HttpAnswer) -> Going | Ended | None:
        data = answer.data
        if data.get("cancelled") is True:
            return Ended(False, "cancelled")
        build = data.get("executable")
        number = text_of(build.get("number")) if isinstance(build, dict) else None
        if number and number.isdecimal():
            return Going("running", f"{_path(options)}/{number}", f"{_job(options)}/{number}/")
        if "building" not in data:
            return Going("queued") if "id" in data else None
        result = text_of(data.get("result"))
        return Going("running") if data["building"] or not result else Ended(result == "SUCCESS", result.lower())


def _path(options: Options) -> str:
    return "".join(f"/job/{quote(part, safe='')}" for part in options["job"].split("/"))


def _job(options: Options) -> str:
    return f"{options['url']}{_path(options)}"


def _access(options: Options, secrets: Secrets) -> tuple[dict[str, str], tuple[str, ...]]:
    token = secrets["token_file"]
    encoded = b64encode(f"{options['user']}:{token}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}, (token, encoded)


TRIGGER = Jenkins()
