"""GitLab: the API that takes a pipeline trigger token, and the reading of a pipeline, which takes another one."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.platforms.server import FIELDS, Answer, OnAccepted, Platform, Received, Run, bracketed

_TRIGGER = re.compile(r"/api/v4/projects/([^/]+)/trigger/pipeline")
_PIPELINE = re.compile(r"/api/v4/projects/([^/]+)/pipelines/(\d+)")
_STATUS = {"queued": "pending", "running": "running", "success": "success", "failure": "failed"}
_NOT_FOUND = Answer(404, {"message": "404 Not Found"})


class GitLab(Platform):
    """One project.

    Args:
        inputs: what the pipeline declares under `spec: inputs`; all are required. None: it has none.
        variables_allowed: whether the owner of the trigger token may set pipeline variables.
        read_token: a token that may read pipelines; a trigger token never may.
    """

    def __init__(
        self,
        on_accepted: OnAccepted = lambda asked: True,
        *,
        token: str = "glptt-trigger",
        project: str = "42",
        path: str = "infra/failover",
        ref: str = "main",
        inputs: Sequence[str] | None = None,
        variables_allowed: bool = True,
        read_token: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(on_accepted, **more)
        self.token, self.project, self.path, self.ref = token, project, path, ref
        self.inputs, self.variables_allowed, self.read_token = inputs, variables_allowed, read_token

    def handle(self, request: Received) -> Answer:
        trigger, pipeline = _TRIGGER.fullmatch(request.path), _PIPELINE.fullmatch(request.path)
        if request.method == "POST" and trigger:
            return self._trigger(unquote(trigger[1]), request)
        if request.method == "GET" and pipeline:
            return self._read(unquote(pipeline[1]), int(pipeline[2]), request)
        return Answer(404, {"error": "404 Not Found"})

    def _trigger(self, project: str, request: Received) -> Answer:
        given, variables, inputs = _parameters(request)
        missing = [name for name in ("ref", "token") if not given.get(name)]
        if missing:
            return Answer(400, {"error": ", ".join(f"{name} is missing" for name in missing)})
        if not all(isinstance(value, str) for value in variables.values()):
            return Answer(400, {"message": "variables needs to be a map of key-valued strings"})
        if project not in (self.project, self.path):
            return Answer(404, {"message": "404 Project Not Found"})
        if given["token"] != self.token:
            return _NOT_FOUND
        if given["ref"] != self.ref:
            return _refused("Reference not found")
        if variables and not self.variables_allowed:
            return _refused("Insufficient permissions to set pipeline variables")
        unknown = sorted(set(inputs) - set(self.inputs or ()))
        missing = sorted(set(self.inputs or ()) - set(inputs))
        if unknown:
            return _refused(f"Given inputs not defined in the `spec` section: {unknown}")
        if missing:
            return _refused(f"`{missing[0]}` input: required value has not been provided")
        named = {name: variables.get(f"HR_{name.upper()}", inputs.get(name, "")) for name in FIELDS}
        return Answer(201, self._pipeline(self.start_run(named, variables)))

    def _read(self, project: str, id: int, request: Received) -> Answer:
        token = request.headers.get("private-token")
        if token is None:
            return Answer(404, {"message": "404 Project Not Found"})
        if token != self.read_token:
            return Answer(401, {"message": "401 Unauthorized"})
        run = self.run_with(id)
        return Answer(200, self._pipeline(run)) if run and project in (self.project, self.path) else _NOT_FOUND

    def _pipeline(self, run: Run) -> dict[str, Any]:
        return {
            "id": run.id,
            "iid": self.runs.index(run) + 1,
            "project_id": int(self.project),
            "sha": "be93687618e4b132087f430a4d8fc3a609c9b77c",
            "ref": self.ref,
            "status": _STATUS[run.state],
            "source": "trigger",
            "created_at": run.created,
            "web_url": f"{self.url}/{self.path}/-/pipelines/{run.id}",
        }


def _refused(*messages: str) -> Answer:
    return Answer(400, {"message": {"base": list(messages)}})


def _parameters(request: Received) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """What a query, a form of either encoding or a JSON body gives: its plain names, variables and inputs."""
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        body = json.loads(request.body)
        return body, body.get("variables", {}), body.get("inputs", {})
    pairs = list(request.query.items())
    if kind.startswith("multipart/form-data"):
        pairs += _multipart(kind, request.body)
    else:
        pairs += parse_qsl(request.body.decode(), keep_blank_values=True)
    return dict(pairs), bracketed(pairs, "variables"), bracketed(pairs, "inputs")


def _multipart(kind: str, body: bytes) -> list[tuple[str, str]]:
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    return [
        (str(part.get_param("name", header="content-disposition")), bytes(part.get_payload(decode=True)).decode())
        for part in message.iter_parts()
    ]
