"""Sections [trigger.NAME]: what is wrong in one is told with its place, and what a file's sections come to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from hcloud_reassign.core.errors import AccessError, Missing, UsageError
from hcloud_reassign.project import Project, open_project
from hcloud_reassign.triggers import WORDS, trigger
from hcloud_reassign.triggers.opening import ways

Opened = Callable[[str], Project]
GITLAB = "[trigger.ci]\ntype = gitlab\nproject = 42\nref = main\ntoken_file = token\n"
TEKTON = "[trigger.cluster]\ntype = tekton\nurl = https://listener.test\nsecret_file = secret\n"


@pytest.fixture
def opened(home: Path) -> Opened:
    def write(text: str) -> Project:
        file = home / "prod.ini"
        file.write_text(text)
        file.chmod(0o600)
        return open_project("prod.ini", environ={})

    return write


class Fault(NamedTuple):
    text: str
    line: int
    section: str
    key: str | None
    message: str


FAULTS = {
    "no type": Fault("[trigger.x]\nurl = https://x\n", 1, "trigger.x", "type", "'type' is missing in [trigger.x]"),
    "no such type": Fault(
        "[trigger.x]\nurl = https://x\ntype = gitlub\n", 3, "trigger.x", "type", "did you mean 'gitlab'?"
    ),
    "a later type": Fault(
        "[trigger.x]\ntype = gateway\nurl = https://x\n", 2, "trigger.x", "type", "'gateway' is not in this version"
    ),
    "a key of another type": Fault(
        TEKTON + "token_file = x\n", 5, "trigger.cluster", "token_file", "unknown key 'token_file' in [trigger.cluster]"
    ),
    "a key that is missing": Fault(
        "[trigger.x]\ntype = jenkins\nurl = https://x\njob = j\nuser = u\n", 1, "trigger.x", "token_file", "is missing"
    ),
    "no time at all": Fault(TEKTON + "timeout = 0\n", 5, "trigger.cluster", "timeout", "a time above 0"),
    "no such fallback": Fault(
        GITLAB + "fallback = cluter\n" + TEKTON, 6, "trigger.ci", "fallback", "did you mean 'cluster'?"
    ),
    "its own fallback": Fault(GITLAB + "fallback = ci\n", 6, "trigger.ci", "fallback", "no other section [trigger.ci]"),
    "no owner": Fault(
        "[trigger.x]\ntype = github\nrepository = failover\nworkflow = a.yml\nref = main\ntoken_file = t\n",
        3,
        "trigger.x",
        "repository",
        "is not OWNER/NAME",
    ),
    "a path to the workflow": Fault(
        "[trigger.x]\ntype = github\nrepository = a/b\nworkflow = .github/workflows/a.yml\nref = main\n"
        "token_file = t\n",
        4,
        "trigger.x",
        "workflow",
        "a file without its folder",
    ),
    "an address in place of a job": Fault(
        "[trigger.x]\ntype = jenkins\nurl = https://x\njob = job/a/job/b\nuser = u\ntoken_file = t\n",
        4,
        "trigger.x",
        "job",
        "a name with its folders",
    ),
    "no name": Fault("[trigger.]\ntype = gitlab\n", 1, "trigger.", None, "has no name"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_is_told_with_its_place(fault: Fault, opened: Opened) -> None:
    with pytest.raises(UsageError) as caught:
        opened(fault.text)
    error = caught.value
    assert fault.message in error.message
    assert (error.file, error.line, error.object, error.key) == ("prod.ini", fault.line, fault.section, fault.key)
    assert error.next


def test_a_token_that_goes_in_clear_text_is_warned_about(opened: Opened) -> None:
    (warning,) = opened(TEKTON.replace("https", "http")).warnings
    assert "clear text" in warning


def test_a_secret_that_everybody_may_read_is_warned_about(opened: Opened, home: Path) -> None:
    for name in ("token", "read"):
        (home / name).write_text("x")
        (home / name).chmod(0o644)
    warnings = opened(GITLAB + "read_token_file = read\n").warnings
    assert len(warnings) == 2 and all("everybody may read it" in warning for warning in warnings)


@pytest.mark.parametrize("word", WORDS)
def test_every_type_names_its_secrets_in_files_alone(word: str) -> None:
    keys = trigger(word).section.keys
    assert trigger(word).secret_keys
    assert {key.name for key in keys if "token" in key.name or "secret" in key.name} == set(trigger(word).secret_keys)
    assert not [key for key in keys if key.type == "secret"]


# From sections to ways


def test_the_ways_are_the_one_named_and_its_fallbacks_each_once(opened: Opened, home: Path) -> None:
    (home / "token").write_text("glptt\n")
    (home / "secret").write_text("hmac\n")
    project = opened(f"{GITLAB}fallback = cluster\n{TEKTON}fallback = ci\n")
    warned: list[str] = []
    found = ways("ci", project.settings.triggers, project.secret, warned.append)
    assert [(way.name, dict(way.secrets)) for way in found] == [
        ("ci", {"token_file": "glptt"}),
        ("cluster", {"secret_file": "hmac"}),
    ]
    assert not warned
    assert set(project.known_secrets()) == {"glptt", "hmac"}


def test_a_name_that_is_none_is_told_with_the_nearest(opened: Opened) -> None:
    project = opened(GITLAB + TEKTON)
    with pytest.raises(Missing, match="there is no trigger 'clutser'; did you mean 'cluster'") as caught:
        ways("clutser", project.settings.triggers, project.secret, print, project.file)
    assert (caught.value.file, caught.value.next) == ("prod.ini", "triggers: ci, cluster")


def test_one_without_a_readable_secret_is_passed_over_with_a_warning(opened: Opened, home: Path) -> None:
    (home / "secret").write_text("hmac\n")
    project = opened(f"{GITLAB}fallback = cluster\n{TEKTON}")
    warned: list[str] = []
    found = ways("ci", project.settings.triggers, project.secret, warned.append)
    assert [way.name for way in found] == ["cluster"]
    assert warned == [
        "[trigger.ci] is not asked: 'token_file' in [trigger.ci] gives no secret: No such file or directory"
    ]


def test_without_any_readable_secret_nothing_is_asked(opened: Opened) -> None:
    project = opened(f"{GITLAB}fallback = cluster\n{TEKTON}")
    with pytest.raises(AccessError, match=r"'token_file' in \[trigger.ci\]") as caught:
        ways("ci", project.settings.triggers, project.secret, print)
    assert (caught.value.file, caught.value.line) == ("prod.ini", 5)


# What `check` says


def test_check_tells_which_secret_cannot_be_read(opened: Opened, home: Path) -> None:
    (home / "secret").write_text("hmac\n")
    (home / "secret").chmod(0o600)
    (finding,) = opened(GITLAB + TEKTON).check(offline=True)
    assert (finding.level, finding.code, finding.section, finding.key) == (
        "warning",
        "trigger",
        "trigger.ci",
        "token_file",
    )
    (home / "token").write_text("glptt\n")
    (home / "token").chmod(0o600)
    assert opened(GITLAB + TEKTON).check(offline=True) == ()
