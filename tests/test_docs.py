"""The documentation is held against the code: what it says exists, is complete, and prints what it shows."""

from __future__ import annotations

import ast
import dataclasses
import json
import os
import random
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from jsonschema import Draft202012Validator
from typer.main import get_group

from hcloud_reassign import ExitCode, Request
from hcloud_reassign.cli.group import COMMANDS, build
from hcloud_reassign.project import open_project
from hcloud_reassign.simulator import Scenario, Simulator, Switches, load_faults, load_scenario, scenario_names
from tests.harness import Lab

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "hcloud_reassign"
PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
)
README, EXIT_CODES, SEMANTICS, SIMULATOR, JSON, LIBRARY = (
    ROOT / name
    for name in (
        "README.md",
        "docs/exit-codes.md",
        "docs/semantics.md",
        "docs/simulator.md",
        "docs/json.md",
        "docs/library.md",
    )
)
SCHEMA_OF = {"run": "run", "plan": "run", "hold": "hold", "unhold": "hold"}
"""Which schema a command's document has, where it is not called like the command."""


class Block(NamedTuple):
    """A fenced block, and the paragraph before it."""

    language: str
    text: str
    before: str


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, *languages: str) -> list[Block]:
    found, text = [], text_of(page)
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if match[1] in languages:
            found.append(Block(match[1], match[2], text[: match.start()].rstrip().rpartition("\n\n")[2]))
    return found


def rows(page: Path, heading: str = "") -> list[list[str]]:
    """The cells of all tables below a heading, up to the next one of its rank."""
    text = text_of(page)
    if heading:
        rank = heading.partition(" ")[0]
        text = re.split(rf"^{re.escape(rank)} ", text.partition(f"\n{heading}\n")[2], flags=re.MULTILINE)[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def by_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


# What the code says


@pytest.mark.parametrize("page", [README, EXIT_CODES], ids=by_name)
def test_the_exit_codes_are_all_told_with_their_meaning(page: Path) -> None:
    told = [row for row in rows(page) if row[0].isdecimal() and len(row) == 3]
    assert told == [[str(int(code)), f"`{code.word}`", code.meaning] for code in ExitCode]


def produced_guards() -> Iterator[tuple[str, bool]]:
    """Every guard that the code can name, and whether --force passes it there."""
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            named = {keyword.arg: keyword.value for keyword in node.keywords}
            guard = node.args[0] if node.func.id == "Refusal" and node.args else named.get("guard")
            if isinstance(guard, ast.Constant) and isinstance(guard.value, str):
                forceable = named.get("forceable")
                yield guard.value, isinstance(forceable, ast.Constant) and forceable.value is True


def test_every_guard_is_described_with_its_way_past() -> None:
    produced = set(produced_guards())
    told = {words(row[0])[0]: row[2] for row in rows(SEMANTICS, "## Guards") if words(row[0])}
    assert set(told) == {guard for guard, _ in produced}
    forced = {guard for guard, past in told.items() if "--force" in words(past)}
    assert forced == {guard for guard, forceable in produced if forceable}


def test_every_switch_of_the_simulator_is_told_with_its_default() -> None:
    told: dict[str, Any] = {}
    for row in rows(SIMULATOR, "## Switches"):
        told.update(zip(words(row[0]), [json.loads(default) for default in words(row[1])], strict=True))
    assert told == {field.name: field.default for field in dataclasses.fields(Switches)}


def test_every_packaged_scenario_is_told() -> None:
    assert sorted(words(row[0])[0] for row in rows(SIMULATOR, "## Scenarios")[2:5]) == scenario_names()


def test_every_command_is_in_the_readme() -> None:
    told = [word for row in rows(README, "## Use") for word in words(row[0])]
    assert sorted(told) == sorted(COMMANDS)


def test_every_field_of_a_request_is_described() -> None:
    told = {word for row in rows(LIBRARY, "## A request") for word in words(row[0])}
    assert told == {field.name for field in dataclasses.fields(Request)} - {"by"}


def test_every_variable_that_is_named_is_one_that_the_code_knows() -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py"))
    known = {*re.findall(r"HCLOUD_[A-Z_]+", code), "HCLOUD_REASSIGN_NO_SKIP"}
    assert {word for page in PAGES for word in re.findall(r"HCLOUD_[A-Z_]+", text_of(page))} <= known


# Links


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> Iterator[str]:
    """Links inside the project that lead nowhere."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        if not target.startswith("https://") and not (file.is_file() and (not anchor or anchor in anchors(file))):
            yield target


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    assert not list(broken_links(page))


# Examples of files


def ini_files(page: Path) -> list[str]:
    found = [block.text for block in blocks(page, "ini")]
    # The reference shows one section at a time; together they are a file.
    return ["\n".join(found)] if page.name == "configuration.md" else found


@pytest.mark.parametrize("page", [page for page in PAGES if ini_files(page)], ids=by_name)
def test_every_configuration_shown_is_sound(page: Path, tmp_path: Path) -> None:
    for text in ini_files(page):
        file = tmp_path / "prod.ini"
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        project = open_project(file, environ={})
        assert project.warnings == ()
        assert project.names()


def fault_examples() -> list[Block]:
    return [block for block in blocks(SIMULATOR, "json") if isinstance(json.loads(block.text), list)]


def test_every_scenario_shown_can_be_loaded() -> None:
    shown = [json.loads(block.text) for block in blocks(SIMULATOR, "json")]
    scenarios = [Scenario.from_data(data) for data in shown if isinstance(data, dict)]
    assert [scenario.switches.datacenters for scenario in scenarios] == [True]


@pytest.mark.parametrize("block", fault_examples(), ids=lambda block: block.before.partition(".")[0])
def test_every_fault_shown_comes_to_what_is_said_of_it(block: Block, tmp_path: Path) -> None:
    said = re.search(r"`hcloud-reassign run (\S+?)( [^`]*)?`.*comes\s+to\s+`(\w+)`", block.before, re.DOTALL)
    assert said, block.before
    file = tmp_path / "faults.json"
    file.write_text(block.text, encoding="utf-8")
    faults = load_faults(file)
    (ini,) = ini_files(SIMULATOR)
    report = Lab(faults=faults).project(ini, timeout_s=20).run([said[1]], Request())
    assert [result.outcome for result in report.results] == [said[3]]
    assert all(fault.fired for fault in faults)


# JSON


def schema(name: str) -> Any:
    file = resources.files("hcloud_reassign.cli") / "schemas" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))


def shown_documents() -> list[Any]:
    whole = [json.loads(block.text) for block in blocks(JSON, "json")]
    return [*whole, *(json.loads(line) for block in blocks(JSON, "jsonl") for line in block.text.splitlines())]


def test_every_document_shown_has_the_shape_of_its_schema() -> None:
    shown = shown_documents()
    assert shown
    for document in shown:
        if "event" in document:
            Draft202012Validator(schema("event")).validate(document)
        if "command" in document and document.get("event") != "run.started":
            wanted = schema(SCHEMA_OF.get(document["command"], document["command"]))
            Draft202012Validator(wanted).validate(document)
            assert set(document) - {"event", "time", "seq", "run"} == set(wanted["properties"])


def test_every_schema_is_named() -> None:
    folder = resources.files("hcloud_reassign.cli") / "schemas"
    shipped = {entry.name for entry in folder.iterdir() if entry.name.endswith(".json")}
    assert {word for word in words(text_of(JSON)) if re.fullmatch(r"[a-z]+\.json", word)} == shipped


# Command lines

COMMAND_LINE = re.compile(r"(?<![\w./'\"\[-])hcloud-reassign +([^\n|&;`]*)")


def command_lines(page: Path) -> list[str]:
    fenced = [block.text for block in blocks(page, "sh", "console", "yaml")]
    inline = re.findall(r"(?<!`)`([^`]+)`(?!`)", re.sub(r"^```.*?^```$", "", text_of(page), flags=re.M | re.S))
    inline = [" ".join(text.split()) for text in inline]
    return [found for text in (*fenced, *inline) for found in COMMAND_LINE.findall(text)]


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_command_line_can_be_typed(page: Path) -> None:
    group = get_group(build())
    for text in command_lines(page):
        first, *rest = shlex.split(text, comments=True)
        if first in ("--version", "--help"):
            continue
        assert first in COMMANDS, text
        # It raises for an option that does not exist, a value that cannot be, or an argument that is missing.
        command = group.get_command(group.make_context("hcloud-reassign", [first]), first)
        assert command is not None
        command.make_context(first, rest)


# What commands print

VARYING = (
    (r"\d+(\.\d+)? m?s\b", "TIME"),
    (r"\d+ requests", "N requests"),
    (r"digest [0-9a-f]{16}", "digest DIGEST"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "MOMENT"),
    (r"by \S+@\S+", "by WHO"),
)
"""Durations, counts of polls, moments, who; and the digest, because the address of the API is part of it."""


def steady(text: str) -> list[str]:
    for pattern, word in VARYING:
        text = re.sub(pattern, word, text)
    return text.splitlines()


def printed(arguments: list[str], cwd: Path, **more: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "hcloud_reassign", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "TERM": "xterm", **more},
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
    )
    return steady(done.stdout)


def shown_sessions(page: Path) -> list[list[tuple[str, list[str]]]]:
    """The console blocks: command lines of ours, and what is shown below each."""
    found = []
    for block in blocks(page, "console"):
        parts = re.split(r"^\$ (.*)\n", block.text, flags=re.MULTILINE)[1:]
        found.append([(parts[n], steady(parts[n + 1])) for n in range(0, len(parts), 2)])
    return found


def test_the_readme_shows_what_the_commands_print(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    from hcloud_reassign.simulator.asgi import RunningServer

    (ini,) = ini_files(README)
    (tmp_path / "prod.ini").write_text(ini, encoding="utf-8")
    sim = Simulator(load_scenario("pair"), clock=time.time, rng=random.Random(1), action_time=(0.05, 0.05))
    sessions = [session for session in shown_sessions(README) if session[0][0] != "hcloud-reassign demo"]
    assert len(sessions) >= 2
    with RunningServer(sim) as server:
        for command, shown in (step for session in sessions for step in session):
            program, *arguments = shlex.split(command)
            assert program == "hcloud-reassign"
            more = {"HCLOUD_ENDPOINT": server.url, "HCLOUD_TOKEN": "simulated-token"}
            assert printed(arguments, tmp_path, **more) == shown, command


def test_the_readme_shows_what_the_demonstration_prints(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    (shown,) = [block.text for block in blocks(README, "console") if block.text.startswith("$ hcloud-reassign demo\n")]
    told = printed(["demo"], tmp_path)
    for part in shown.partition("\n")[2].split("...\n"):
        lines = steady(part)
        assert any(told[at : at + len(lines)] == lines for at in range(len(told))), part
