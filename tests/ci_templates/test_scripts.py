"""The shell of the templates, run for real in three shells: good requests, hostile ones, hostile surroundings."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ci_templates.templates import (
    CREATED_AT,
    PATTERNS,
    RECORDER,
    REQUEST,
    SECRET,
    STEPS,
    TEMPLATES,
    Step,
    gitlab_steps,
    program,
    variables,
)
from tests.shells import SHELLS, in_shells

REPORT = "hcloud-reassign.json"

in_every_shell = in_shells(*SHELLS)
CHECKING = [step for step in STEPS if "# check.sh: begin" in step.script]
RUNNING = [step for step in STEPS if step.knows_the_token]
every_check = pytest.mark.parametrize("step", CHECKING, ids=lambda step: f"{step.template}:{step.name}")
every_run = pytest.mark.parametrize("step", RUNNING, ids=lambda step: step.template)

HOSTILE = {
    "a command": "web; touch pwned",
    "a substitution": "$(touch pwned)",
    "backquotes": "`touch pwned`",
    "a line more": "web\ntouch pwned",
    "a line end": "web\n",
    "a quote": "web'; touch pwned; '",
    "two quotes": 'web"; touch pwned; "',
    "an option": "--force",
    "nothing": "",
    "a space": " ",
    "too long": "a" * 254,
    "very long": "a" * 100_000,
    "a letter of another alphabet": "wéb",
    "a digit of another alphabet": "١٢٣",
    "a pattern": "*",
    "a class": "[a-z]",
    "a path": "../web",
    "a workflow command": "::add-mask::web",
    "a control character": "web\x1b[2J",
}


def environment(**more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "LANG": "C.UTF-8",
        "CI_PIPELINE_CREATED_AT": CREATED_AT,
        "GITHUB_STEP_SUMMARY": "summary.md",
        "HR_CREATED_AT": CREATED_AT,
        "HR_CONFIG": "hcloud-reassign.ini",
        "HR_API_URL": "https://api.hetzner.cloud/v1",
        "HR_TIMEOUT": "120",
        "HR_INSTALL": "",
        "HR_REPORTS": "",
        "HR_RUN": "hcloud-reassign",
        **more,
    }


def script_of(step: Step) -> str:
    """Without installing anything: the program is there."""
    if step.template == "gitlab/reassign.yml":
        (found,) = [one for one in gitlab_steps("reassign.yml", install="") if one.name == step.name]
        return found.script
    return step.script.replace("install='--no-index --find-links wheels hcloud-reassign'", "install=''")


def ran(step: Step, shell: list[str], request: Mapping[str, str], **more: str) -> subprocess.CompletedProcess[str]:
    """A step, as a file that the shell is given, where its platform would start it."""
    Path("step.sh").write_text(script_of(step), encoding="utf-8")
    return subprocess.run(
        [*shell, "step.sh"],
        env=environment(**variables(request), **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


def recorded() -> Any:
    return json.loads(Path(".hcloud-reassign/state.json").read_text("utf-8"))


# Requests


@in_every_shell
@every_check
@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_value_that_is_no_name_ends_it_before_anything_is_done(step: Step, shell: list[str], value: str) -> None:
    program(Path.cwd())
    Path(REPORT).write_text("an old one", encoding="utf-8")
    for field, pattern in PATTERNS.items():
        done = ran(step, shell, {**REQUEST, field: value}, **({"HCLOUD_TOKEN": SECRET} if step.knows_the_token else {}))
        said = f"hcloud-reassign: HR_{field.upper()} is not of the form {pattern}; nothing was started\n"
        assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
        assert not Path(".hcloud-reassign/state.json").exists()
        assert sorted(path.name for path in Path.cwd().iterdir()) == [".hcloud-reassign", "step.sh"]


@in_every_shell
@every_check
def test_self_is_not_the_machine_that_runs_the_pipeline(step: Step, shell: list[str]) -> None:
    done = ran(step, shell, {**REQUEST, "to": "self"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "HR_TO has to be a server" in done.stderr


@in_every_shell
@every_check
def test_a_value_that_was_not_sent_is_named(step: Step, shell: list[str]) -> None:
    for field in REQUEST:
        done = ran(step, shell, {name: value for name, value in REQUEST.items() if name != field})
        assert done.returncode == 2
        assert f"HR_{field.upper()} is not of the form" in done.stderr


@in_every_shell
def test_every_value_of_its_form_passes(shell: list[str]) -> None:
    (check,) = [step for step in CHECKING if step.template.startswith("tekton")]
    for change in (
        {"resource": "a"},
        {"resource": "A.b_c-9"},
        {"resource": "a" * 64},
        {"to": "a" * 253},
        {"to": "selfish"},
        {"age": "0"},
        {"age": "999999999"},
        {"by": "srv-b.example.com"},
    ):
        done = ran(check, shell, {**REQUEST, **change})
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), change


VALUES = st.text(st.sampled_from("aZ09._-;$ \n'\"\\*é/"), max_size=6) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6
)


@given(value=VALUES)
def test_the_script_takes_what_the_pattern_takes(value: str) -> None:
    script = "report=none\n" + (TEMPLATES / "check.sh").read_text("utf-8")
    for name in ("resource", "to", "age"):
        environ = environment(**variables({**REQUEST, name: value}))
        done = subprocess.run(["sh", "-c", script], env=environ, capture_output=True, timeout=60)
        taken = re.fullmatch(PATTERNS[name], value) is not None
        assert done.returncode == (0 if taken else 2)


# What the program is given


WORDS = (
    *("run", "-c", "hcloud-reassign.ini", "--api-url", "https://api.hetzner.cloud/v1", "--token-file", "-"),
    *("--timeout", "120", "-o", "json"),
)


@in_every_shell
@every_run
def test_the_program_gets_fixed_words_and_the_checked_values(step: Step, shell: list[str]) -> None:
    program(Path.cwd())
    done = ran(step, shell, REQUEST, HCLOUD_TOKEN=SECRET)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")
    report = str(Path.cwd() / REPORT) if step.template.startswith("tekton") else REPORT
    when = (
        ["--issued-at", REQUEST["issued_at"]]
        if step.template.startswith("tekton")
        else ["--issued-at", CREATED_AT, "--age", REQUEST["age"]]
    )
    assert recorded()["words"] == [
        *WORDS,
        *("--report", report, "--by", REQUEST["by"], *when),
        *("--max-age", "300", "--to", REQUEST["to"], "--", REQUEST["resource"]),
    ]
    assert Path(report).exists()


@in_every_shell
@every_run
def test_the_token_goes_over_a_pipe_and_is_not_shown(step: Step, shell: list[str]) -> None:
    program(Path.cwd())
    done = ran(step, shell, REQUEST, HCLOUD_TOKEN=SECRET)
    found = recorded()
    assert found.pop("stdin") == SECRET
    assert SECRET not in json.dumps(found) + done.stdout + done.stderr


@in_every_shell
@every_run
def test_a_shell_that_traces_does_not_show_the_token(step: Step, shell: list[str]) -> None:
    program(Path.cwd())
    Path("step.sh").write_text(script_of(step), encoding="utf-8")
    done = subprocess.run(
        [*shell, "-x", "step.sh"],
        env=environment(**variables(REQUEST), HCLOUD_TOKEN=SECRET),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 3
    assert SECRET not in done.stdout + done.stderr


@in_every_shell
@every_run
def test_a_value_that_a_platform_replaced_by_the_token_is_refused(step: Step, shell: list[str]) -> None:
    program(Path.cwd())
    for name in ("resource", "to", "by"):
        for value in (SECRET, f"x{SECRET}", f"{SECRET}.x"):
            done = ran(step, shell, {**REQUEST, name: value}, HCLOUD_TOKEN=SECRET)
            assert (done.returncode, done.stdout) == (2, "")
            assert done.stderr == "hcloud-reassign: the token is in a value of the request; nothing was started\n"
    assert not Path(".hcloud-reassign/state.json").exists()


SURROUNDINGS = {
    "HCLOUD_ENDPOINT": "http://elsewhere.example",
    "HCLOUD_REASSIGN_CONFIG": "/tmp/other.ini",
    "HCLOUD_REASSIGN_STATE": "/tmp/elsewhere",
    "HTTPS_PROXY": "http://elsewhere.example",
    "https_proxy": "http://elsewhere.example",
    "ALL_PROXY": "http://elsewhere.example",
    "PYTHONPATH": "/tmp/elsewhere",
    "PYTHONSTARTUP": "/tmp/elsewhere",
    "PYTHONHOME": "/tmp/elsewhere",
    "LD_LIBRARY_PATH": "/tmp/elsewhere",
    "REQUESTS_CA_BUNDLE": "/tmp/elsewhere",
    "SSL_CERT_FILE": "/tmp/elsewhere",
    "OPENSSL_CONF": "/tmp/elsewhere",
    "BASH_ENV": "/nonexistent",
    "ENV": "/nonexistent",
    "XDG_CONFIG_HOME": "/tmp/elsewhere",
    "config": "/tmp/other.ini",
    "api_url": "http://elsewhere.example",
    "timeout": "9999",
    "report": "/tmp/elsewhere",
    "folder": "/tmp/elsewhere",
    "created_at": "2099-01-01T00:00:00Z",
    "IFS": "-",
}
"""What one who triggers could set where a platform lets him, or a runner has set."""


@in_every_shell
@every_run
def test_the_program_sees_nothing_of_its_surroundings(step: Step, shell: list[str]) -> None:
    program(Path.cwd(), RECORDER.replace("/usr/bin/env python3", "/usr/bin/env -S python3 -I"))
    assert ran(step, shell, REQUEST, HCLOUD_TOKEN=SECRET).returncode == 3
    quiet = recorded()
    assert ran(step, shell, REQUEST, HCLOUD_TOKEN=SECRET, **SURROUNDINGS).returncode == 3
    assert recorded() == quiet
    # The C library and the shell behind env add some of their own.
    added = {"LC_CTYPE", "PWD", "SHLVL", "_", "OLDPWD"}
    platform = {"gitlab": {"GITLAB_CI"}, "github": {"GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"}}
    wanted = {"PATH", "HOME", "LANG", "HCLOUD_REASSIGN_STATE", *platform.get(step.template.partition("/")[0], ())}
    assert set(quiet["environ"]) - added == wanted


@in_every_shell
@every_run
def test_without_a_token_it_says_so(step: Step, shell: list[str]) -> None:
    program(Path.cwd())
    done = ran(step, shell, REQUEST)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == "hcloud-reassign: HCLOUD_TOKEN is empty; nothing was started\n"
    assert not Path(".hcloud-reassign/state.json").exists()


@in_every_shell
def test_githubs_own_time_missing_the_asking_hosts_counts(shell: list[str]) -> None:
    (step,) = [one for one in RUNNING if one.template.startswith("github")]
    program(Path.cwd())
    assert ran(step, shell, REQUEST, HCLOUD_TOKEN=SECRET, HR_CREATED_AT="").returncode == 3
    words = recorded()["words"]
    assert words[words.index("--issued-at") + 1] == REQUEST["issued_at"]
    assert "--age" not in words


# Installing


def can_install() -> bool:
    """Whether the Python that the templates find makes virtual environments: on Debian that is a package of its own."""
    done = subprocess.run(
        ["env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", "python3", "-c", "import ensurepip"],
        capture_output=True,
        timeout=60,
    )
    return done.returncode == 0


def wheel(folder: Path) -> None:
    """A wheel of nothing but a program called hcloud-reassign."""
    folder.mkdir()
    info = "hcloud_reassign-0.0.1.dist-info"
    with zipfile.ZipFile(folder / "hcloud_reassign-0.0.1-py3-none-any.whl", "w") as archive:
        script = zipfile.ZipInfo("hcloud_reassign-0.0.1.data/scripts/hcloud-reassign")
        script.external_attr = (stat.S_IFREG | 0o755) << 16
        archive.writestr(script, RECORDER)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: hcloud-reassign\nVersion: 0.0.1\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.mark.skipif(not can_install(), reason="python3-venv is not installed")
def test_the_wheels_of_the_repository_are_enough_and_pip_sees_no_environment() -> None:
    wheel(Path("wheels"))
    (step,) = gitlab_steps("reassign.yml")
    Path("step.sh").write_text(step.script, encoding="utf-8")
    environ = environment(**variables(REQUEST), HCLOUD_TOKEN=SECRET, PIP_TARGET="elsewhere", PIP_FIND_LINKS="nowhere")
    done = subprocess.run(["sh", "step.sh"], env=environ, capture_output=True, encoding="utf-8", timeout=110)
    assert done.returncode == 3, done.stderr
    assert recorded()["words"][-1] == REQUEST["resource"]
    assert not Path("elsewhere").exists()


def test_what_cannot_be_installed_ends_it() -> None:
    (step,) = gitlab_steps("reassign-variables.yml")[:1]
    Path("step.sh").write_text(step.script, encoding="utf-8")
    environ = environment(**variables(REQUEST), HCLOUD_TOKEN=SECRET)
    done = subprocess.run(["sh", "step.sh"], env=environ, capture_output=True, encoding="utf-8", timeout=110)
    assert done.returncode != 0
    assert "hcloud-reassign" in done.stderr
    assert not Path(REPORT).exists()
