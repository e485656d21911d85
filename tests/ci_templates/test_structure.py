"""What no linter of a platform sees: where the token is, what is checked before, what is pasted and what is pinned."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest

from hcloud_reassign import UsageError
from hcloud_reassign.triggers.fields import Fields
from tests.ci_templates.templates import (
    PATTERNS,
    REQUEST,
    STEPS,
    TEMPLATES,
    Step,
    documents,
    github_steps,
    gitlab,
    jenkins_steps,
    jenkinsfile,
    tekton_steps,
    variables,
)

GITLAB = ("reassign.yml", "reassign-variables.yml")
by_step = pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.template}:{step.name}")


# One text


def test_the_shell_parts_are_the_same_everywhere() -> None:
    done = subprocess.run(
        [sys.executable, str(TEMPLATES / "render.py"), "--check"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("part", sorted(TEMPLATES.glob("*.sh")), ids=lambda path: path.name)
def test_a_shell_part_has_nothing_that_a_platform_would_take_for_its_own(part: Any) -> None:
    text = part.read_text("utf-8")
    # A backslash and three quotes for Groovy, expressions for GitHub and GitLab; Tekton's begin like $(params.
    assert not re.search(r"\\|'''|\$\{\{|\$\[\[|\$\(", text)


# The patterns


def in_the_script() -> dict[str, str]:
    text = (TEMPLATES / "check.sh").read_text("utf-8")
    found = re.findall(r"""^check HR_(\w+) "\$\{HR_\1-\}" '([^']+)'""", text, re.MULTILINE)
    return {name.lower(): pattern for name, pattern in found}


def in_the_rules(job: dict[str, Any]) -> list[dict[str, str]]:
    conditions = [rule["if"] for rule in job["rules"] if "=~" in rule.get("if", "")]
    return [
        {name.lower(): pattern for name, pattern in re.findall(r"\$HR_(\w+) =~ /\^(.*?)\$/", text)}
        for text in conditions
    ]


def the_filter() -> str:
    (listener,) = [one for one in documents("tekton/trigger.yaml") if one["kind"] == "EventListener"]
    (trigger,) = listener["spec"]["triggers"]
    (cel,) = [one for one in trigger["interceptors"] if one["ref"]["name"] == "cel"]
    (found,) = [one["value"] for one in cel["params"] if one["name"] == "filter"]
    return str(found)


def test_the_script_has_the_patterns_of_the_contract() -> None:
    assert in_the_script() == PATTERNS


def test_gitlabs_rules_and_inputs_have_the_patterns_of_the_contract() -> None:
    for name in GITLAB:
        jobs = [job for job in gitlab(name).values() if isinstance(job, dict) and "rules" in job and "script" in job]
        assert jobs
        for job in jobs:
            assert in_the_rules(job) == [PATTERNS]
            (text,) = [rule["if"] for rule in job["rules"] if "=~" in rule.get("if", "")]
            assert '$HR_TO != "self"' in text
            assert text.replace("&&", "").count("$HR_") == len(PATTERNS) + 1
            assert "||" not in text
    declared = documents("gitlab/reassign.yml")[0]["spec"]["inputs"]
    assert {name: declared[name]["regex"] for name in PATTERNS} == {n: f"^{p}$" for n, p in PATTERNS.items()}
    assert all("default" not in declared[name] for name in PATTERNS)
    assert all(one["regex"][0] + one["regex"][-1] == "^$" for one in declared.values() if "regex" in one)


def test_the_listener_has_the_patterns_of_the_contract() -> None:
    parts = [part.strip() for part in the_filter().split("&&")]
    names = {name: f"body.{name}.matches('^{PATTERNS[name]}$')" for name in ("resource", "to", "by")}
    numbers = {name: f"string(int(body.{name})).matches('^{PATTERNS[name]}$')" for name in ("issued_at", "age")}
    assert sorted(parts) == sorted([*names.values(), *numbers.values(), "body.to != 'self'"])


@pytest.mark.parametrize(
    "change",
    [
        {"resource": "web; id"},
        {"resource": ""},
        {"resource": "a" * 65},
        {"resource": "web\n"},
        {"to": "srv_b"},
        {"to": "self"},
        {"by": "-x"},
        {},
        {"resource": "A.b_c-9"},
        {"to": "a" * 253},
    ],
    ids=repr,
)
def test_who_triggers_sends_what_the_templates_take(change: dict[str, str]) -> None:
    asked = {**REQUEST, **change}
    taken = all(re.fullmatch(PATTERNS[name], value) for name, value in asked.items()) and asked["to"] != "self"
    try:
        fields = Fields(asked["resource"], asked["to"], int(asked["issued_at"]), int(asked["age"]), asked["by"])
    except UsageError:
        assert not taken
    else:
        assert taken
        assert fields.variables == variables(asked)


# The token


def test_the_token_is_in_one_step_of_each_template() -> None:
    knowing = [(step.template, step.name) for step in STEPS if step.knows_the_token]
    assert knowing == [
        ("gitlab/reassign.yml", "hcloud-reassign"),
        ("gitlab/reassign-variables.yml", "hcloud-reassign"),
        ("github/action.yml", "Reassign"),
        ("jenkins/Jenkinsfile", "reassign"),
        ("tekton/task.yaml", "reassign"),
    ]
    assert [step for step in STEPS if "HCLOUD_TOKEN" in step.script and not step.knows_the_token] == []


@pytest.mark.parametrize(
    "steps", [github_steps(), jenkins_steps(), tekton_steps()], ids=["github", "jenkins", "tekton"]
)
def test_the_first_step_checks_and_the_last_has_the_token(steps: list[Step]) -> None:
    check = (TEMPLATES / "check.sh").read_text("utf-8")
    assert check in steps[0].script
    assert set(variables(REQUEST)) <= set(steps[0].environ)
    assert [step.knows_the_token for step in steps] == [False] * (len(steps) - 1) + [True]


def test_on_gitlab_a_job_with_the_token_is_only_made_for_a_checked_request() -> None:
    for name in GITLAB:
        rules = gitlab(name)["hcloud-reassign"]["rules"]
        # What comes before the one that takes it refuses; nothing comes after it.
        assert [rule.get("when") for rule in rules] == ["never", "never", None]
        assert "=~" in rules[-1]["if"]
    taken, refused = (gitlab(GITLAB[1])[job]["rules"] for job in ("hcloud-reassign", "hcloud-reassign:refused"))
    # The other job is made exactly where this one is not, but never under a trace.
    assert refused[:2] == taken[:2]
    assert refused[2:] == [{**taken[2], "when": "never"}, {"when": "on_success"}]
    assert "environment" not in gitlab(GITLAB[1])["hcloud-reassign:refused"]


ACTS_EARLY = {
    *("CI_DEBUG_TRACE", "CI_DEBUG_SERVICES", "BASH_ENV", "ENV", "SHELLOPTS", "PS4", "PATH", "LD_PRELOAD"),
    *("LD_LIBRARY_PATH", "GIT_STRATEGY", "GIT_CHECKOUT", "GIT_CONFIG_COUNT", "GIT_SSH_COMMAND"),
}


@pytest.mark.parametrize("name", GITLAB)
def test_gitlab_makes_no_job_where_a_variable_acts_before_the_script(name: str) -> None:
    rules = gitlab(name)["hcloud-reassign"]["rules"]
    named = re.findall(r"\$(\w+)", rules[1]["if"])
    assert rules[1]["if"].split(" || ") == [f"${variable}" for variable in named]
    assert set(named) >= ACTS_EARLY
    # A variable of the job itself would count, too, and stop it for good.
    assert not set(named) & set(gitlab(name)["hcloud-reassign"].get("variables", {}))


def test_kubernetes_knows_the_token_after_all_values() -> None:
    (step,) = [step for step in tekton_steps() if step.knows_the_token]
    assert list(step.environ)[-1] == "HCLOUD_TOKEN"


# What is pasted


@by_step
def test_nothing_is_pasted_into_a_script(step: Step) -> None:
    raw = (TEMPLATES / step.template).read_text("utf-8")
    assert not re.search(r"\$\{\{|\$\(params|\$\(tt\.|\$\(body|\$\(workspaces|\$\(context", step.script)
    if step.template == "gitlab/reassign.yml":
        pasted = re.findall(r"^ {6}(\w+)='\$\[\[ inputs\.(\w+) \]\]'$", raw, re.MULTILINE)
        assert pasted == [(name, name) for name in ("config", "api_url", "timeout", "install")]
        scripts = raw.partition("  script:\n")[2].partition("  artifacts:\n")[0]
        assert scripts.count("$[[") == len(pasted)
        declared = documents(step.template)[0]["spec"]["inputs"]
        # They stand between single quotes.
        assert not [name for name, _ in pasted if "'" in declared[name]["regex"] or "[^" in declared[name]["regex"]]
    assert not re.search(r"\beval\b|\bxargs\b|`|sh -c", step.script)


def test_groovy_pastes_no_parameter_into_a_text() -> None:
    text = jenkinsfile()
    assert text.count("sh '''#!/bin/sh\n") == len(re.findall(r"\bsh\b(?= *['\"(])", text)) == 3
    outside = re.sub(r"'''.*?'''", "", text, flags=re.DOTALL)
    assert re.findall(r'"[^"\n]*"', outside) == ['"${currentBuild.timeInMillis}"']
    assert re.findall(r"params\.\w+", text) == ["params.HR_RESOURCE"]
    assert "lock(resource: 'hcloud-reassign-' + params.HR_RESOURCE, inversePrecedence: true) {" in text
    # The lock is named after the check.
    assert text.index("check HR_RESOURCE") < text.index("lock(")


@by_step
def test_a_step_knows_every_variable_that_it_reads_and_no_other(step: Step) -> None:
    shared = step.template.startswith(("gitlab", "jenkins"))
    assert step.reads <= set(step.environ)
    named = {name for name in step.environ if name.startswith(("HR_", "HCLOUD_"))}
    assert shared or named <= step.reads


# Order, rights, limits


def test_one_run_at_a_time_and_none_is_cut_off() -> None:
    for name, key in zip(GITLAB, (REQUEST["resource"], "$HR_RESOURCE"), strict=True):
        job = gitlab(name)["hcloud-reassign"]
        assert job["resource_group"] == f"hcloud-reassign-{key}"
        assert job["interruptible"] is False
        assert job["timeout"] == "10 minutes"
        assert job["environment"] == {"name": "hcloud", "action": "access"}
        assert job["inherit"] == {"default": ["tags"], "variables": False}
    (reusable,) = documents("github/reassign-job.yml")
    job = reusable["jobs"]["reassign"]
    assert job["concurrency"] == {"group": "hcloud-reassign-${{ inputs.resource }}", "cancel-in-progress": False}
    assert job["timeout-minutes"] == 10
    assert "disableConcurrentBuilds" not in jenkinsfile()
    assert "timeout(time: 10, unit: 'MINUTES')" in jenkinsfile()
    (pipeline,) = documents("tekton/pipeline.yaml")
    assert [task["timeout"] for task in pipeline["spec"]["tasks"]] == ["10m"]


def test_github_grants_what_is_needed_and_no_more() -> None:
    (caller,), (reusable,) = documents("github/reassign.yml"), documents("github/reassign-job.yml")
    needed = {"contents": "read", "actions": "read"}
    for workflow in (caller, reusable):
        assert workflow["permissions"] == {}
        assert [job["permissions"] for job in workflow["jobs"].values()] == [needed]
    assert list(caller["on"]) == ["workflow_dispatch"]
    assert list(reusable["on"]) == ["workflow_call"]
    (checkout,) = [step for step in reusable["jobs"]["reassign"]["steps"] if "checkout" in step["uses"]]
    assert checkout["with"] == {"persist-credentials": False}


def test_what_github_takes_from_elsewhere_is_pinned_to_a_commit() -> None:
    used = [step["uses"] for step in documents("github/reassign-job.yml")[0]["jobs"]["reassign"]["steps"]]
    foreign = [name for name in used if not name.startswith("$/")]
    assert [name.partition("@")[0] for name in foreign] == ["actions/checkout", "actions/upload-artifact"]
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name) for name in foreign)
    assert not [step for step in documents("github/action.yml")[0]["runs"]["steps"] if "uses" in step]


def test_the_five_values_are_passed_on_by_the_same_names() -> None:
    inputs = {name: "${{ inputs." + name + " }}" for name in PATTERNS}
    (caller,), (reusable,) = documents("github/reassign.yml"), documents("github/reassign-job.yml")
    assert set(caller["on"]["workflow_dispatch"]["inputs"]) == set(PATTERNS)
    assert all(one["required"] is True for one in caller["on"]["workflow_dispatch"]["inputs"].values())
    assert caller["jobs"]["reassign"]["with"] == inputs
    (step,) = [step for step in reusable["jobs"]["reassign"]["steps"] if step["uses"].startswith("$/")]
    assert inputs.items() <= step["with"].items()
    header, body = documents("gitlab/gitlab-ci.yml")
    assert set(header["spec"]["inputs"]) == set(PATTERNS)
    (include,) = body["include"]
    assert include["inputs"] == {name: f"$[[ inputs.{name} ]]" for name in PATTERNS}
    assert gitlab("reassign.yml")["hcloud-reassign"]["variables"] == variables(REQUEST)
    assert re.findall(r"string\(name: '(\w+)', defaultValue: ''", jenkinsfile()) == list(variables(REQUEST))


def test_the_json_of_a_run_is_kept_when_it_failed() -> None:
    for name in GITLAB:
        artifacts = gitlab(name)["hcloud-reassign"]["artifacts"]
        assert (artifacts["when"], artifacts["paths"]) == ("always", ["hcloud-reassign.json"])
    upload = documents("github/reassign-job.yml")[0]["jobs"]["reassign"]["steps"][-1]
    assert (upload["if"], upload["with"]["path"]) == ("always()", "hcloud-reassign.json")
    assert re.search(r"post \{\s+always \{\s+archiveArtifacts artifacts: 'hcloud-reassign.json'", jenkinsfile())
