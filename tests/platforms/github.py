"""GitHub: the dispatch of a workflow, and the reading of its run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.platforms.server import FIELDS, Answer, OnAccepted, Platform, Received, Run

_DISPATCH = re.compile(r"(?:/api/v3)?/repos/([^/]+/[^/]+)/actions/workflows/([^/]+)/dispatches")
_RUN = re.compile(r"(?:/api/v3)?/repos/([^/]+/[^/]+)/actions/runs/(\d+)")


class GitHub(Platform):
    """One repository with one workflow that declares the five inputs, all of them required.

    Args:
        older: an Enterprise server that does not know `return_run_details`.
        may_write: whether the token has "Actions: write".
        may_read: whether it may read runs.
    """

    def __init__(
        self,
        on_accepted: OnAccepted = lambda asked: True,
        *,
        token: str = "github_pat_trigger",
        repository: str = "acme/failover",
        workflow: str = "reassign.yml",
        ref: str = "main",
        older: bool = False,
        may_write: bool = True,
        may_read: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(on_accepted, **more)
        self.token, self.repository, self.workflow, self.ref = token, repository, workflow, ref
        self.older, self.may_write, self.may_read = older, may_write, may_read

    def handle(self, request: Received) -> Answer:
        if not request.headers.get("user-agent"):
            return Answer(403, "Request forbidden by administrative rules.", {"Content-Type": "text/html"})
        if request.headers.get("authorization") not in (f"Bearer {self.token}", f"token {self.token}"):
            return _message(401, "Bad credentials")
        dispatch, run = _DISPATCH.fullmatch(request.path), _RUN.fullmatch(request.path)
        if request.method == "POST" and dispatch and dispatch.groups() == (self.repository, self.workflow):
            return self._dispatch(request)
        if request.method == "GET" and run and run[1] == self.repository:
            return self._read(int(run[2]))
        return _message(404, "Not Found")

    def _dispatch(self, request: Received) -> Answer:
        if not self.may_write:
            return _message(403, "Resource not accessible by personal access token")
        body: dict[str, Any] = json.loads(request.body)
        if self.older and "return_run_details" in body:
            return _message(422, 'Invalid request.\n\n"return_run_details" is not a permitted key.')
        if body.get("ref") != self.ref:
            return _message(422, f"No ref found for: {body.get('ref')}")
        inputs: Mapping[str, str] = body.get("inputs", {})
        unexpected = sorted(set(inputs) - set(FIELDS))
        if unexpected:
            return _message(422, f"Unexpected inputs provided: {json.dumps(unexpected)}")
        absent = [name for name in FIELDS if not inputs.get(name)]
        if absent:
            return _message(422, f"Required input '{absent[0]}' not provided")
        run = self.start_run(inputs, inputs)
        if not body.get("return_run_details"):
            return Answer(204)
        data = self._data(run)
        return Answer(200, {"workflow_run_id": run.id, "run_url": data["url"], "html_url": data["html_url"]})

    def _read(self, id: int) -> Answer:
        if not self.may_read:
            return _message(403, "Resource not accessible by personal access token")
        run = self.run_with(id)
        return Answer(200, self._data(run)) if run else _message(404, "Not Found")

    def _data(self, run: Run) -> dict[str, Any]:
        going_on = {"queued": "queued", "running": "in_progress"}.get(run.state)
        return {
            "id": run.id,
            "event": "workflow_dispatch",
            "status": going_on or "completed",
            "conclusion": None if going_on else run.state,
            "created_at": run.created,
            "url": f"{self.url}/repos/{self.repository}/actions/runs/{run.id}",
            "html_url": f"{self.url}/{self.repository}/actions/runs/{run.id}",
        }


def _message(status: int, text: str) -> Answer:
    return Answer(status, {"message": text, "documentation_url": "https://docs.github.com/rest", "status": str(status)})
