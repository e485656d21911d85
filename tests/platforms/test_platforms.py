"""The stand-ins answer as the platforms' documentation says, and misbehave as they are told."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import shutil
import subprocess
from typing import Any

import pytest
import requests

from tests.platforms.github import GitHub
from tests.platforms.gitlab import GitLab
from tests.platforms.jenkins import Jenkins
from tests.platforms.server import FIELDS, Asked
from tests.platforms.tekton import Tekton

VALUES = {"resource": "web", "to": "srv-b", "issued_at": "1790000000000", "age": "12", "by": "srv-b"}
IN_ENVIRONMENT = {f"HR_{name.upper()}": value for name, value in VALUES.items()}


def _form(token: str = "glptt-trigger", ref: str = "main") -> dict[str, str]:
    return {"token": token, "ref": ref, **{f"variables[{name}]": value for name, value in IN_ENVIRONMENT.items()}}


def _post(url: str, **more: Any) -> requests.Response:
    return requests.post(url, timeout=10, allow_redirects=False, **more)


def test_gitlab_starts_a_pipeline_for_a_form_and_for_json() -> None:
    asked: list[Asked] = []
    with GitLab(asked.append) as gitlab:
        url = f"{gitlab.url}/api/v4/projects/infra%2Ffailover/trigger/pipeline"
        body = {"token": "glptt-trigger", "ref": "main", "variables": IN_ENVIRONMENT}
        answers = [_post(url, data=_form()), _post(url, json=body)]
        gitlab.wait_for(lambda: len(asked) == 2)
        assert [answer.status_code for answer in answers] == [201, 201]
        assert [answer.json()["id"] for answer in answers] == [run.id for run in gitlab.runs]
    assert {tuple(getattr(one, name) for name in FIELDS) for one in asked} == {tuple(VALUES.values())}
    assert all(one.created_ms for one in asked)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_gitlab_reads_the_form_that_curl_sends() -> None:
    with GitLab() as gitlab:
        words = [word for name, value in _form().items() for word in ("--form", f"{name}={value}")]
        url = f"{gitlab.url}/api/v4/projects/42/trigger/pipeline"
        done = subprocess.run(["curl", "-fsS", "-X", "POST", *words, url], capture_output=True, timeout=20, check=True)
        assert json.loads(done.stdout)["source"] == "trigger"
        assert gitlab.runs[0].asked.resource == "web"


@pytest.mark.parametrize(
    ("project", "form", "status", "message"),
    [
        ("42", _form(token="other"), 404, "404 Not Found"),
        ("43", _form(), 404, "404 Project Not Found"),
        ("42", _form(ref="nope"), 400, "Reference not found"),
        ("42", {"token": "glptt-trigger"}, 400, "ref is missing"),
        ("42", {**_form(), "inputs[resource]": "web"}, 400, "not defined"),
    ],
)
def test_gitlab_says_no(project: str, form: dict[str, str], status: int, message: str) -> None:
    with GitLab() as gitlab:
        answer = _post(f"{gitlab.url}/api/v4/projects/{project}/trigger/pipeline", data=form)
        assert (answer.status_code, message in answer.text) == (status, True)
        assert not gitlab.runs


def test_a_trigger_token_cannot_read_a_pipeline_at_gitlab() -> None:
    with GitLab(read_token="glpat-read") as gitlab:
        run = gitlab.start_run(VALUES, IN_ENVIRONMENT)
        url = f"{gitlab.url}/api/v4/projects/42/pipelines/{run.id}"
        codes = [
            requests.get(url, headers=headers, timeout=10).status_code
            for headers in ({}, {"PRIVATE-TOKEN": gitlab.token}, {"PRIVATE-TOKEN": "glpat-read"})
        ]
        assert codes == [404, 401, 200]


def _dispatch(github: GitHub, token: str = "github_pat_trigger", **body: Any) -> requests.Response:
    url = f"{github.url}/repos/acme/failover/actions/workflows/reassign.yml/dispatches"
    headers = {"Authorization": f"Bearer {token}"}
    return _post(url, headers=headers, json={"ref": "main", "inputs": VALUES, **body})


def test_github_tells_the_run_only_to_who_asks_for_it() -> None:
    with GitHub() as github:
        assert _dispatch(github).status_code == 204
        answer = _dispatch(github, return_run_details=True)
        assert answer.status_code == 200
        github.wait_for(lambda: github.runs[1].state == "success")
        headers = {"Authorization": "Bearer github_pat_trigger"}
        run = requests.get(answer.json()["run_url"], headers=headers, timeout=10).json()
    assert (run["status"], run["conclusion"]) == ("completed", "success")


def test_github_says_no() -> None:
    with GitHub() as github:
        assert _dispatch(github, token="other").status_code == 401
        assert "No ref found" in _dispatch(github, ref="nope").text
        assert "Unexpected inputs" in _dispatch(github, inputs={**VALUES, "x": "1"}).text
        assert "Required input 'to'" in _dispatch(github, inputs={**VALUES, "to": ""}).text
        github.may_write = False
        assert _dispatch(github).status_code == 403
        github.older, github.may_write = True, True
        refused = _dispatch(github, return_run_details=True)
        assert (refused.status_code, "return_run_details" in refused.text) == (422, True)
        github.workflow = "another.yml"
        assert _dispatch(github).status_code == 404
        assert not github.runs


def test_jenkins_queues_and_has_a_build_once_it_is_not_queued_any_more() -> None:
    with Jenkins() as jenkins:
        jenkins.queueing = True
        auth = ("failover-bot", "11jenkins-token")
        url = f"{jenkins.url}/job/infra/job/reassign/buildWithParameters"
        answer = _post(url, auth=auth, data={**IN_ENVIRONMENT, "UNDECLARED": "1"})
        item = f"{answer.headers['Location']}api/json"
        assert answer.status_code == 201
        assert "executable" not in requests.get(item, auth=auth, timeout=10).json()
        jenkins.runs[0].end(False)
        build = requests.get(item, auth=auth, timeout=10).json()["executable"]["url"]
        assert requests.get(f"{build}api/json", auth=auth, timeout=10).json()["result"] == "FAILURE"
        assert jenkins.runs[0].variables == IN_ENVIRONMENT


def test_jenkins_says_no() -> None:
    with Jenkins() as jenkins:
        url, auth = f"{jenkins.url}/job/infra/job/reassign/buildWithParameters", (jenkins.user, jenkins.token)
        assert _post(url, auth=(jenkins.user, "other")).status_code == 401
        assert _post(f"{jenkins.url}/job/other/buildWithParameters", auth=auth).status_code == 404
        jenkins.may_build = False
        assert _post(url, auth=auth).status_code == 403
        assert not jenkins.runs


@pytest.mark.parametrize(
    ("change", "secret", "refused"),
    [
        ({}, "tekton-secret", None),
        ({}, "other", "payload signature check failed"),
        ({"resource": "web; id"}, "tekton-secret", "expression did not return true: resource"),
        ({"age": "12"}, "tekton-secret", "expression did not return true: age"),
    ],
)
def test_tekton_accepts_everything_and_looks_afterwards(
    change: dict[str, Any], secret: str, refused: str | None
) -> None:
    body = json.dumps({**VALUES, "issued_at": 1790000000000, "age": 12, **change}).encode()
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": signature, "X-GitHub-Event": "hcloud-reassign"}
    with Tekton() as listener:
        answer = _post(listener.url, data=body, headers={**headers, "Content-Type": "application/json"})
        assert answer.status_code == 202
        assert "eventID" in answer.json()
        assert (len(listener.runs), listener.refused) == (int(refused is None), [refused] if refused else [])


def test_a_platform_can_be_down_broken_slow_or_hang_up() -> None:
    with GitHub() as github:
        with github.down(), pytest.raises(requests.ConnectionError):
            _dispatch(github)
        github.answer_with(429, {"message": "slow down"}, Retry_After="1")
        assert _dispatch(github).headers["Retry-After"] == "1"
        github.cut()
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            _dispatch(github, return_run_details=True)
        assert len(github.runs) == 1
        github.answer_with(503, times=math.inf)
        assert [_dispatch(github).status_code for _ in range(3)] == [503, 503, 503]
        assert len(github.runs) == 1


def test_a_run_fails_when_its_executor_says_so() -> None:
    with GitLab(lambda asked: asked.to != "srv-b") as gitlab:
        run = gitlab.start_run(VALUES, {})
        gitlab.wait_for(lambda: run.state == "failure")
