"""The pages beside the templates: their links lead somewhere, their commands and configurations are taken."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_group

from hcloud_reassign.cli.group import build
from hcloud_reassign.project import open_project
from tests.ci_templates.templates import ROOT, TEMPLATES, documents
from tests.test_docs import blocks, broken_links, by_name, command_lines, text_of

PAGES = (*sorted(TEMPLATES.rglob("*.md")), ROOT / "examples" / "k3s-bastion" / "README.md")
every_page = pytest.mark.parametrize("page", PAGES, ids=by_name)


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    assert not list(broken_links(page))


@every_page
def test_every_command_can_be_typed(page: Path) -> None:
    group = get_group(build())
    for text in command_lines(page):
        first, *rest = shlex.split(text, comments=True)
        command = group.get_command(group.make_context("hcloud-reassign", [first]), first)
        assert command is not None, text
        command.make_context(first, rest)


def indented_blocks(page: Path, language: str) -> list[str]:
    """Blocks of a list, too."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", text_of(page), re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{margin}", "", text, flags=re.MULTILINE) for margin, text in found]


def test_every_configuration_shown_is_sound(home: Path) -> None:
    shown = [text for page in PAGES for text in indented_blocks(page, "ini")]
    assert len(shown) == 5
    for text in shown:
        file = home / "shown.ini"
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        assert open_project(file, environ={}).warnings == ()


def test_the_secrets_are_called_as_the_files_call_them() -> None:
    text = text_of(TEMPLATES / "tekton" / "README.md")
    made = set(re.findall(r"create secret generic (\S+) --from-file=(\w+)", text))
    (task,) = documents("tekton/task.yaml")
    keys = [
        one["valueFrom"]["secretKeyRef"] for step in task["spec"]["steps"] for one in step["env"] if "valueFrom" in one
    ]
    used = {(key["name"], key["key"]) for key in keys}
    assert made == used | {("hcloud-reassign-trigger", "secret")}
    for page, name in (("gitlab", "HCLOUD_TOKEN"), ("github", "HCLOUD_TOKEN"), ("jenkins", "hcloud-token")):
        assert f"`{name}`" in text_of(TEMPLATES / page / "README.md")


def test_the_page_shows_the_words_for_pip_that_are_the_default() -> None:
    default = "--no-index --find-links wheels hcloud-reassign"
    assert f"`{default}` (the default, but on Tekton)" in text_of(TEMPLATES / "README.md")
    assert documents("github/action.yml")[0]["inputs"]["install"]["default"] == default
    assert documents("gitlab/reassign.yml")[0]["spec"]["inputs"]["install"]["default"] == default
    (docker,) = blocks(TEMPLATES / "README.md", "Dockerfile")
    assert default.split()[1:3] == ["--find-links", "wheels"] and "--find-links /wheels hcloud-reassign" in docker.text
