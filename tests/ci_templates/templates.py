"""The templates as tests see them: the shell scripts in them, and what each of them finds in its environment."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "ci-templates"

PATTERNS = {
    "resource": "[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
    "to": "[A-Za-z0-9][A-Za-z0-9.-]{0,252}",
    "issued_at": "[0-9]{13}",
    "age": "[0-9]{1,9}",
    "by": "[A-Za-z0-9][A-Za-z0-9.-]{0,252}",
}
"""The contract between who triggers and who executes; each is meant for the whole value."""

REQUEST = {"resource": "floating.web", "to": "srv-b", "issued_at": "1795255000000", "age": "250", "by": "srv-b"}
CREATED_AT = "2026-11-21T10:00:00Z"
SECRET = "the-hetzner-token"


def variables(request: Mapping[str, str]) -> dict[str, str]:
    return {f"HR_{name.upper()}": value for name, value in request.items()}


@dataclass(frozen=True)
class Step:
    """A script as the platform starts it.

    Attributes:
        environ: what its own definition puts into the environment, expressions as they are written.
    """

    template: str
    name: str
    script: str
    environ: Mapping[str, str]

    @property
    def knows_the_token(self) -> bool:
        return "HCLOUD_TOKEN" in self.environ

    @property
    def reads(self) -> set[str]:
        """The variables of ours that it reads."""
        return set(re.findall(r"\$\{?((?:HR|HCLOUD)_[A-Z_]+)", self.script)) - {"HCLOUD_REASSIGN_STATE"}


class _Loader(yaml.SafeLoader):
    """YAML in which `on` is a word and not a truth, as GitHub reads it."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))


@cache
def documents(name: str) -> list[Any]:
    """The documents of a YAML file."""
    return list(yaml.load_all((TEMPLATES / name).read_text("utf-8"), _Loader))  # noqa: S506 - a safe loader


@cache
def gitlab(name: str, **inputs: str) -> dict[str, Any]:
    """A GitLab file's jobs, with the defaults of its inputs filled in where none are given."""
    text = (TEMPLATES / "gitlab" / name).read_text("utf-8")
    header, marked, rest = text.partition("\n---\n")
    if not marked:
        return dict(yaml.load(text, _Loader))  # noqa: S506
    declared = yaml.load(header, _Loader)["spec"]["inputs"]  # noqa: S506
    values = {key: inputs.get(key, REQUEST.get(key, one.get("default"))) for key, one in declared.items()}
    return dict(yaml.load(re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda m: values[m[1]], rest), _Loader))  # noqa: S506


def gitlab_steps(name: str, **inputs: str) -> list[Step]:
    found = []
    for job, body in gitlab(name, **inputs).items():
        if not isinstance(body, dict) or "script" not in body:
            continue
        (script,) = body["script"]
        environ = {key: f"variable {key}" for key in (*variables(REQUEST), "CI_PIPELINE_CREATED_AT")}
        if "environment" in body:
            environ["HCLOUD_TOKEN"] = "bound to the environment"
        found.append(Step(f"gitlab/{name}", job, script, environ))
    return found


def github_steps() -> list[Step]:
    (action,) = documents("github/action.yml")
    return [
        Step("github/action.yml", step["name"], step["run"], step.get("env", {}))
        for step in action["runs"]["steps"]
        if "run" in step
    ]


def tekton_steps() -> list[Step]:
    (task,) = documents("tekton/task.yaml")
    return [
        Step(
            "tekton/task.yaml",
            step["name"],
            step["script"],
            {one["name"]: one.get("value", "a secret") for one in step.get("env", ())},
        )
        for step in task["spec"]["steps"]
    ]


def jenkinsfile() -> str:
    return (TEMPLATES / "jenkins" / "Jenkinsfile").read_text("utf-8")


def jenkins_steps() -> list[Step]:
    text = jenkinsfile()
    shared = dict.fromkeys(re.findall(r"string\(name: '(HR_\w+)'", text), "a parameter")
    (settings,) = re.findall(r"^    environment \{\n(.*?)^    \}", text, re.MULTILINE | re.DOTALL)
    shared.update(re.findall(r"^ +(HR_\w+) = (.*)$", settings, re.MULTILINE))
    found = []
    for match in re.finditer(r"^( *)sh '''(#!/bin/sh)\n(.*?)'''", text, re.MULTILINE | re.DOTALL):
        before = text[: match.start()]
        name = re.findall(r"stage\('(\w+)'\)", before)[-1]
        # The credentials are known as long as their block is not closed: until a line that is indented less.
        opened = re.search(
            r"^( *)withCredentials\(\[.*variable: '(\w+)'\)\]\) \{\n(?:\1 .*\n)*\Z", before, re.MULTILINE
        )
        secret = {opened[2]: "a credential"} if opened else {}
        found.append(Step("jenkins/Jenkinsfile", name, f"{match[2]}\n{dedent(match[3])}", {**shared, **secret}))
    return found


STEPS = (
    *gitlab_steps("reassign.yml"),
    *gitlab_steps("reassign-variables.yml"),
    *github_steps(),
    *jenkins_steps(),
    *tekton_steps(),
)

RECORDER = """\
#!/usr/bin/env python3
import json, os, sys
found = {"words": sys.argv[1:], "environ": dict(os.environ), "stdin": sys.stdin.read()}
open(os.environ["HCLOUD_REASSIGN_STATE"] + ".json", "w").write(json.dumps(found))
open(sys.argv[sys.argv.index("--report") + 1], "w").write("{}")
sys.exit(3)
"""
"""Stands where the program is, tells what it was given, and ends as a refused run does."""


def program(folder: Path, text: str = RECORDER) -> Path:
    """A program called hcloud-reassign where the templates look first."""
    path = folder / ".hcloud-reassign" / "bin" / "hcloud-reassign"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path
