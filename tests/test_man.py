"""The man pages say what the program knows, and what they show works."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.main import get_group

from hcloud_reassign.cli.group import COMMANDS, build
from hcloud_reassign.config.sections import SECTIONS
from hcloud_reassign.core.declare import ASSIGNMENT_KEYS
from hcloud_reassign.kinds import WORDS, kind
from hcloud_reassign.project import open_project
from hcloud_reassign.triggers import WORDS as TRIGGERS
from hcloud_reassign.triggers import trigger

ROOT = Path(__file__).resolve().parents[1]
COMMAND, INI, NOTIFY = (
    ROOT / "packages/man" / name for name in ("hcloud-reassign.1", "hcloud-reassign.ini.5", "hcloud-reassign-notify.1")
)
SCRIPT = ROOT / "keepalived/hcloud-reassign-notify"
NEVER_SET = {"HCLOUD_REASSIGN_TOKEN"}
"""Taken out of the environment of other programs, should somebody have set it."""


def plain(text: str) -> str:
    """What is read of some lines: without fonts and macros, with the characters that escapes stand for."""
    text = re.sub(r"^\.\S+ ?|\\f[BIR]|\\&", "", text, flags=re.MULTILINE)
    for escape, character in {r"\-": "-", r"\(aq": "'", r"\(dq": '"', r"\(ti": "~", r"\e": "\\"}.items():
        text = text.replace(escape, character)
    return text


def section(page: Path, title: str) -> str:
    text = page.read_text("utf-8").partition(f"\n.SH {title}\n")[2]
    assert text, title
    return text.partition("\n.SH ")[0]


def shown(page: Path) -> list[str]:
    """The examples at the end of a page."""
    return [plain(text) for text in re.findall(r"^\.EX\n(.*?)^\.EE$", section(page, "EXAMPLES"), re.M | re.S)]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_told_with_its_options(name: str) -> None:
    told = section(COMMAND, "COMMANDS").partition(f"\n.SS \\fBhcloud\\-reassign {name}\\fR")[2].partition("\n.SS ")[0]
    group = get_group(build())
    context = group.make_context("hcloud-reassign", [], resilient_parsing=True)
    command = group.get_command(context, name)
    assert command is not None
    own = [param for param in command.params if param not in group.params]
    entries = re.findall(r"^\.TP\n(.*)$", told, re.MULTILINE)
    for param in own:
        assert any(set(param.opts) <= set(re.split(r",? ", plain(entry))) for entry in entries) or (
            param.param_type_name == "argument" and any(str(param.metavar) == plain(entry) for entry in entries)
        ), (param.name, entries)


def test_every_variable_that_the_code_reads_is_told() -> None:
    sources = [*(ROOT / "hcloud_reassign").rglob("*.py"), *(ROOT / "tui/hcloud_reassign_tui").rglob("*.py")]
    read = {name for file in sources for name in re.findall(r'"(HCLOUD_[A-Z_]+)"', file.read_text("utf-8"))}
    assert {"HCLOUD_TOKEN", "HCLOUD_REASSIGN_STATE"} <= read
    assert read - NEVER_SET <= set(re.findall(r"HCLOUD_[A-Z_]+", section(COMMAND, "ENVIRONMENT")))


def test_every_key_of_the_file_is_told() -> None:
    told = section(INI, "ASSIGNMENTS") + section(INI, "OTHER SECTIONS")
    declared = [*SECTIONS, *(kind(word).section for word in WORDS), *(trigger(word).section for word in TRIGGERS)]
    for key in (*ASSIGNMENT_KEYS, *(key for section in declared for key in section.keys)):
        assert f".TP\n\\fB{key.name}\\fR = " in told


def test_every_command_line_shown_can_be_typed() -> None:
    group = get_group(build())
    lines = [line for text in shown(COMMAND) for line in text.replace("\\\n", "").splitlines()]
    lines = [line for line in lines if not line.startswith("systemctl ")]
    assert len(lines) > 10
    for line in lines:
        program, first, *rest = shlex.split(line)
        assert program == "hcloud-reassign"
        command = group.get_command(group.make_context(program, [first]), first)
        assert command is not None
        # It raises for an option that does not exist, a value that cannot be, or an argument that is missing.
        command.make_context(first, rest)


def test_every_file_shown_is_sound(tmp_path: Path) -> None:
    assert len(shown(INI)) == 3
    for text in shown(INI):
        file = tmp_path / "prod.ini"
        file.write_text(text, "utf-8")
        file.chmod(0o600)
        assert open_project(file, environ={}).warnings == () or "[trigger." in text


def test_the_file_shown_for_keepalived_is_sound(tmp_path: Path) -> None:
    (text,) = [text for text in shown(NOTIFY) if "[vrrp." in text]
    (tmp_path / "trigger-token").write_text("secret\n")
    (tmp_path / "trigger-token").chmod(0o600)
    file = tmp_path / "notify.conf"
    file.write_text(text, "utf-8")
    file.chmod(0o600)
    done = subprocess.run([SCRIPT, "-c", file, "--check"], stdout=subprocess.PIPE, text=True, timeout=60)
    assert f"ok       {file} is sound" in done.stdout
    assert "ok       trigger pipeline" in done.stdout


def test_the_notify_script_is_told_as_it_describes_itself() -> None:
    usage = subprocess.run([SCRIPT, "--help"], stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout
    forms = re.findall(r"^  (hcloud-reassign-notify .*?)(?:    .*)?$", usage, re.MULTILINE)
    synopsis = plain(section(NOTIFY, "SYNOPSIS").replace("\\\n", ""))
    assert len(forms) == 3
    for form in forms:
        assert form in synopsis.splitlines()
