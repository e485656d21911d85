"""The workflows that make a release on GitHub and GitLab: sound, with few rights, and with no logic of their own."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.packages.checkout import ROOT, ran

BIN = Path(sys.executable).parent
GITHUB = ROOT / ".github/workflows/release.yml"
GITLAB = ROOT / ".gitlab-ci.yml"
SCHEMA_OF = {GITHUB: "github-workflows", ROOT / ".github/dependabot.yml": "dependabot", GITLAB: "gitlab-ci"}


@pytest.fixture(scope="module")
def github() -> dict[str, Any]:
    return dict(yaml.safe_load(GITHUB.read_text("utf-8")))


@pytest.fixture(scope="module")
def gitlab() -> dict[str, Any]:
    return dict(yaml.safe_load(GITLAB.read_text("utf-8")))


def test_zizmor_finds_nothing() -> None:
    audit = ("--offline", "--persona=auditor", "--no-progress", "--strict-collection")
    assert "No findings to report" in ran(BIN / "zizmor", *audit, ROOT / ".github")


@pytest.mark.parametrize("file", SCHEMA_OF, ids=SCHEMA_OF.values())
def test_each_file_has_the_shape_that_its_platform_takes(file: Path) -> None:
    transform = ("--data-transform", "gitlab-ci") if file == GITLAB else ()
    schema = ("--builtin-schema", f"vendor.{SCHEMA_OF[file]}", *transform)
    assert ran(BIN / "check-jsonschema", *schema, file) == "ok -- validation done\n"


def test_an_action_has_one_version_in_the_whole_project() -> None:
    files = [*(ROOT / ".github").rglob("*.yml"), *(ROOT / "ci-templates").rglob("*.yml")]
    uses = {line for file in files for line in re.findall(r"uses: ([\w-]+/[\w-]+@.*)", file.read_text("utf-8")) if line}
    assert {re.sub("@.*", "", use) for use in uses} >= {"actions/checkout", "pypa/gh-action-pypi-publish"}
    assert len({re.sub("@.*", "", use) for use in uses}) == len(uses)
    assert [use for use in uses if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)] == []


def test_no_job_on_github_has_a_right_that_its_step_does_not_need(github: dict[str, Any]) -> None:
    assert github["permissions"] == {}
    assert {name: job["permissions"] for name, job in github["jobs"].items()} == {
        "build": {"contents": "read"},
        "attest": {"id-token": "write", "attestations": "write"},
        "pypi": {"id-token": "write"},
        "release": {"contents": "write"},
    }


def test_no_job_on_github_that_may_write_runs_what_the_checkout_has(github: dict[str, Any]) -> None:
    for name in ("attest", "pypi", "release"):
        steps = github["jobs"][name]["steps"]
        assert [step for step in steps if "actions/checkout" in step.get("uses", "")] == []
        assert ["gh release create" in step["run"] for step in steps if "run" in step] == [True] * (name == "release")


def test_both_only_call_the_script_and_take_what_it_leaves(github: dict[str, Any], gitlab: dict[str, Any]) -> None:
    commands = [step["run"] for step in github["jobs"]["build"]["steps"] if "run" in step]
    assert commands == [".ci/run programs", "packages/release"]
    assert gitlab["build"]["script"][-2:] == commands
    left = gitlab["build"]["artifacts"]["paths"]
    options = [step.get("with", {}) for step in github["jobs"]["build"]["steps"]]
    uploaded = [given["path"] for given in options if "path" in given]
    assert uploaded == ["".join(f"{path}\n" for path in left), "dist/hcloud_reassign-*"]
    script = (ROOT / "packages/release").read_text("utf-8")
    assert f">{gitlab['release']['release']['description']}" in script
    assert left == ["dist/", gitlab["release"]["release"]["description"]]


def test_the_release_on_github_gets_every_file_and_no_folder(github: dict[str, Any], tmp_path: Path) -> None:
    for name in ("dist/SHA256SUMS", "dist/hcloud-reassign_0.2.0_all.deb", "dist/alpine/APKBUILD"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "gh").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    (tmp_path / "gh").chmod(0o755)
    (command,) = (step["run"] for step in github["jobs"]["release"]["steps"] if "run" in step)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GITHUB_REF_NAME": "v0.2.0"}
    release, create, tag, *more = ran("bash", "-e", "-c", command, cwd=tmp_path, environ=environ).splitlines()
    assert (release, create, tag) == ("release", "create", "v0.2.0")
    assert more[:3] == ["--verify-tag", "--notes-file", "build/release-notes.md"]
    assert sorted(more[3:]) == ["dist/SHA256SUMS", "dist/alpine/APKBUILD", "dist/hcloud-reassign_0.2.0_all.deb"]


def test_both_begin_with_the_tags_that_the_script_asks_for(github: dict[str, Any], gitlab: dict[str, Any]) -> None:
    # PyYAML, as YAML 1.1 has it, takes `on` for a truth.
    triggers: Any = github
    assert triggers[True] == {"push": {"tags": ["v[0-9]*"]}}
    assert gitlab["workflow"]["rules"] == [{"if": "$CI_COMMIT_TAG =~ /^v[0-9]/"}]
    assert "v$version" in (ROOT / "packages/release").read_text("utf-8")
