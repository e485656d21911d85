"""Jenkins: a job with parameters, its queue and its builds. A build has no number before it leaves the queue."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from tests.platforms.server import FIELDS, Answer, OnAccepted, Platform, Received, Run

_ITEM = re.compile(r"/queue/item/(\d+)/api/json")
_DECLARED = tuple(f"HR_{name.upper()}" for name in FIELDS)
_HTML = {"Content-Type": "text/html;charset=utf-8"}


class Jenkins(Platform):
    """One job in a folder.

    Args:
        parameters: what the job declares; others are dropped without a word.
        may_build: whether the user has Job/Build.
        may_read: whether the user may see the queue and the builds.
    """

    def __init__(
        self,
        on_accepted: OnAccepted = lambda asked: True,
        *,
        user: str = "failover-bot",
        token: str = "11jenkins-token",
        job: str = "infra/reassign",
        parameters: Sequence[str] = _DECLARED,
        may_build: bool = True,
        may_read: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(on_accepted, **more)
        self.user, self.token, self.job, self.parameters = user, token, job, tuple(parameters)
        self.may_build, self.may_read = may_build, may_read

    @property
    def job_path(self) -> str:
        return "".join(f"/job/{part}" for part in self.job.split("/"))

    def handle(self, request: Received) -> Answer:
        if request.headers.get("authorization") != "Basic " + b64encode(f"{self.user}:{self.token}".encode()).decode():
            return Answer(401, "<h1>401 Unauthorized</h1>", {**_HTML, "WWW-Authenticate": 'Basic realm="Jenkins"'})
        item = _ITEM.fullmatch(request.path)
        build = re.fullmatch(rf"{re.escape(self.job_path)}/(\d+)/api/json", request.path)
        if request.path == f"{self.job_path}/buildWithParameters":
            return self._build(request)
        if request.method == "GET" and (item or build):
            return self._read(item, build)
        return Answer(404, "<h1>404 Not Found</h1>", _HTML)

    def _build(self, request: Received) -> Answer:
        if request.method != "POST":
            return Answer(405, "<h1>405 Method Not Allowed</h1>", _HTML)
        if not self.may_build:
            return Answer(403, f"<h1>403</h1>{self.user} is missing the Job/Build permission", _HTML)
        if not self.parameters:
            return Answer(400, f"<h1>400</h1>{self.job} is not parameterized", _HTML)
        given = {**request.query, **dict(parse_qsl(request.body.decode(), keep_blank_values=True))}
        declared = {name: value for name, value in given.items() if name in self.parameters}
        run = self.start_run({name: declared.get(f"HR_{name.upper()}", "") for name in FIELDS}, declared)
        return Answer(201, None, {"Location": f"{self.url}/queue/item/{run.id}/"})

    def _read(self, item: re.Match[str] | None, build: re.Match[str] | None) -> Answer:
        if not self.may_read:
            return Answer(403, f"<h1>403</h1>{self.user} is missing the Job/Read permission", _HTML)
        if item:
            run = self.run_with(int(item[1]))
            return Answer(200, self._item(run)) if run else Answer(404, "<h1>404</h1>", _HTML)
        number = int(build[1]) if build else 0
        if not 0 < number <= len(self.runs) or self.runs[number - 1].state == "queued":
            return Answer(404, "<h1>404</h1>", _HTML)
        return Answer(200, self._data(self.runs[number - 1]))

    def _item(self, run: Run) -> dict[str, Any]:
        item: dict[str, Any] = {
            "_class": "hudson.model.Queue$WaitingItem",
            "id": run.id,
            "url": f"queue/item/{run.id}/",
        }
        if run.state == "queued":
            return {**item, "why": "Waiting for next available executor", "cancelled": False}
        data = self._data(run)
        executable = {"number": data["number"], "url": data["url"]}
        return {**item, "_class": "hudson.model.Queue$LeftItem", "cancelled": False, "executable": executable}

    def _data(self, run: Run) -> dict[str, Any]:
        number = self.runs.index(run) + 1
        result = {"success": "SUCCESS", "failure": "FAILURE"}.get(run.state)
        return {
            "number": number,
            "url": f"{self.url}{self.job_path}/{number}/",
            "building": result is None,
            "result": result,
            "timestamp": run.created_ms,
        }
