"""GitLab: a pipeline trigger token starts a pipeline of one project, and can do nothing else."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from hcloud_reassign.core.declare import Key, Section
from hcloud_reassign.triggers.fields import Fields
from hcloud_reassign.triggers.shape import (
    TOKEN_FILE,
    Accepted,
    Ended,
    Going,
    Hidden,
    HttpAnswer,
    HttpRequest,
    Options,
    Secrets,
    Trigger,
    plain,
    text_of,
)

_ENDED = {"success": True, "failed": False, "canceled": False, "skipped": False}


class GitLab(Trigger):
    section = Section(
        "gitlab",
        "A pipeline of a GitLab project, started with a pipeline trigger token.",
        (
            Key("url", "The server.", "url", "https://gitlab.com"),
            Key("project", "The project's number or path.", required=True),
            Key("ref", "The branch or tag whose pipeline runs.", required=True),
            TOKEN_FILE,
            Key("inputs", "Whether the values are sent as inputs, and not as variables.", "yesno", False),
            Key("read_token_file", "For --wait: a file with a token that may read pipelines (read_api).", "path"),
        ),
        "[trigger.pipeline]\ntype       = gitlab\nurl        = https://gitlab.example.com\nproject    = 42\n"
        "ref        = main\ntoken_file = /etc/hcloud-reassign/trigger-token\n",
    )
    title = "GitLab"

    def request(self, options: Options, secrets: Secrets, fields: Fields) -> HttpRequest:
        if options["inputs"]:
            values = {f"inputs[{name}]": text for name, text in fields.texts.items()}
        else:
            values = {f"variables[{name}]": text for name, text in fields.variables.items()}
        token = secrets["token_file"]
        return HttpRequest(
            "POST",
            f"{_project(options)}/trigger/pipeline",
            {"Content-Type": "application/x-www-form-urlencoded"},
            urlencode({"token": token, "ref": options["ref"], **values}).encode(),
            (token,),
        )

    def accepted(self, options: Options, answer: HttpAnswer) -> Accepted | None:
        id = text_of(answer.data.get("id"))
        return Accepted(id, text_of(answer.data.get("web_url")), id) if id else None

    def says(self, answer: HttpAnswer) -> str:
        return plain(answer.data.get("message")) or plain(answer.data.get("error"))

    def advice(self, options: Options, answer: HttpAnswer) -> str:
        if answer.status in (401, 403, 404):
            return f"is project {options['project']} right, and token_file one of its pipeline trigger tokens?"
        if "pipeline variables" in self.says(answer):
            return "let the pipeline declare inputs and write 'inputs = yes', or allow pipeline variables there"
        return f"is there a pipeline for triggers on ref {options['ref']}, with these inputs or variables?"

    def look(self, options: Options, secrets: Secrets, handle: str) -> HttpRequest | Hidden:
        token = secrets.get("read_token_file")
        if not token:
            return Hidden("a trigger token cannot read pipelines; read_token_file names one that can")
        url = f"{_project(options)}/pipelines/{quote(handle, safe='')}"
        return HttpRequest("GET", url, {"PRIVATE-TOKEN": token}, None, (token,))

    def seen(self, options: Options, answer: HttpAnswer) -> Going | Ended | None:
        status = text_of(answer.data.get("status"))
        if status in _ENDED:
            return Ended(_ENDED[status], status)
        return Going(status) if status else None


def _project(options: Options) -> str:
    return f"{options['url']}/api/v4/projects/{quote(options['project'], safe='')}"


TRIGGER = GitLab()
