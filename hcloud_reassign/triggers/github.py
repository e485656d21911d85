"""GitHub: the dispatch of one workflow. It needs "Actions: write"; repository_dispatch would need the right to push."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from urllib.parse import quote

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

_REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
_DETAILS = "return_run_details"
"""Asks for the id of the run. An older Enterprise server refuses what it does not know."""


class GitHub(Trigger):
    section = Section(
        "github",
        "A workflow of a GitHub repository, started by workflow_dispatch.",
        (
            Key("url", "The API; of an Enterprise server `https://HOST/api/v3`.", "url", "https://api.github.com"),
            Key("repository", "OWNER/NAME.", required=True),
            Key("workflow", "The workflow's file, without its folder.", required=True),
            Key("ref", "The branch or tag whose workflow runs.", required=True),
            TOKEN_FILE,
        ),
        "[trigger.workflow]\ntype       = github\nrepository = acme/failover\nworkflow   = reassign.yml\n"
        "ref        = main\ntoken_file = /etc/hcloud-reassign/github-token\n",
    )
    title = "GitHub"

    def check(self, options: Options) -> None:
        if not _REPOSITORY.fullmatch(options["repository"]):
            raise UsageError("'repository' is not OWNER/NAME", key="repository", next="repository = acme/failover")
        if "/" in options["workflow"]:
            raise UsageError("'workflow' is a file without its folder", key="workflow", next="workflow = reassign.yml")

    def request(self, options: Options, secrets: Secrets, fields: Fields) -> HttpRequest:
        url = f"{_repository(options)}/actions/workflows/{quote(options['workflow'], safe='')}/dispatches"
        body = {"ref": options["ref"], "inputs": fields.texts, _DETAILS: True}
        headers = {**_headers(secrets), "Content-Type": "application/json"}
        return HttpRequest("POST", url, headers, json.dumps(body).encode(), (secrets["token_file"],))

    def instead(self, request: HttpRequest, answer: HttpAnswer) -> HttpRequest | None:
        body = json.loads(request.body or b"{}")
        if answer.status not in (400, 422) or _DETAILS not in body or _DETAILS.encode() not in answer.body:
            return None
        del body[_DETAILS]
        return replace(request, body=json.dumps(body).encode())

    def accepted(self, options: Options, answer: HttpAnswer) -> Accepted | None:
        if answer.status == 204:
            return Accepted(None, f"{_page(options)}/actions/workflows/{options['workflow']}")
        id = text_of(answer.data.get("workflow_run_id"))
        return Accepted(id, text_of(answer.data.get("html_url")), id) if id else None

    def is_busy(self, answer: HttpAnswer) -> bool:
        spent = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
        return answer.status == 429 or (answer.status == 403 and spent)

    def advice(self, options: Options, answer: HttpAnswer) -> str:
        if answer.status == 401:
            return "put a token that is valid into token_file"
        if answer.status in (403, 404):
            return (
                f"is there {options['workflow']} in {options['repository']}, and has the token 'Actions: write' there?"
            )
        return f"has {options['workflow']} on ref {options['ref']} a workflow_dispatch with these inputs?"

    def look(self, options: Options, secrets: Secrets, handle: str) -> HttpRequest:
        url = f"{_repository(options)}/actions/runs/{quote(handle, safe='')}"
        return HttpRequest("GET", url, _headers(secrets), None, (secrets["token_file"],))

    def seen(self, options: Options, answer: HttpAnswer) -> Going | Ended | None:
        status = text_of(answer.data.get("status"))
        if status != "completed":
            return Going(status) if status else None
        conclusion = text_of(answer.data.get("conclusion")) or "no conclusion"
        return Ended(conclusion == "success", conclusion)


def _repository(options: Options) -> str:
    return f"{options['url']}/repos/{options['repository']}"


def _page(options: Options) -> str:
    """The repository for people; an Enterprise server has its API below the same host."""
    host = options["url"].replace("://api.github.com", "://github.com").removesuffix("/api/v3")
    return f"{host}/{options['repository']}"


def _headers(secrets: Secrets) -> dict[str, str]:
    return {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {secrets['token_file']}",
        "X-GitHub-Api-Version": "2022-11-28",
    }


TRIGGER = GitHub()
