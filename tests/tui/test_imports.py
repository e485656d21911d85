"""What loading the terminal UI loads: its views no Textual, and no other command anything of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hcloud_reassign
import hcloud_reassign_tui

ROOT = Path(hcloud_reassign.__file__).parents[1]
TUI = Path(hcloud_reassign_tui.__file__).parent
DRAWS = {"textual", "rich"}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(TUI.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = sorted(module_name(path) for path in TUI.rglob("*.py"))
VIEWS = [module for module in MODULES if module.startswith("hcloud_reassign_tui.view")]


def loaded_by(statement: str) -> frozenset[str]:
    code = f"import sys; sys.path[:0] = {[str(ROOT), str(TUI.parent)]!r}; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return frozenset(done.stdout.splitlines()[-1].split())


def layers(loaded: frozenset[str]) -> set[str]:
    return {name.split(".")[1] for name in loaded if name.startswith("hcloud_reassign.")}


def packages(loaded: frozenset[str]) -> set[str]:
    return {name.partition(".")[0] for name in loaded}


def test_the_views_are_made_without_anything_that_draws() -> None:
    loaded = loaded_by(f"import {', '.join(VIEWS)}")
    assert not packages(loaded) & DRAWS
    assert layers(loaded) <= {"core"}


def test_the_screens_load_neither_the_engine_nor_the_vendor_nor_the_command_line() -> None:
    loaded = loaded_by(f"import {', '.join(MODULES)}")
    assert "textual" in loaded
    assert not packages(loaded) & {"hcloud", "requests", "typer", "uvicorn"}
    assert layers(loaded) <= {"core", "project"}


def command(*words: str) -> str:
    return f"from hcloud_reassign.cli.main import run; run({list(words)!r})"


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["tui", "--help"],
        ["run"],
        ["plan"],
        ["status", "--all"],
        ["check", "--offline"],
        ["demo", "-o", "json"],
    ],
    ids=" ".join,
)
def test_no_other_command_loads_anything_of_it(words: list[str]) -> None:
    loaded = loaded_by(command(*words))
    assert "hcloud_reassign.cli.main" in loaded
    assert not packages(loaded) & {"textual", "hcloud_reassign_tui"}
