"""Importing a module loads what its layer may know, and nothing else: each one is tried in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hcloud_reassign

ROOT = Path(hcloud_reassign.__file__).parent

WIRED = {"core", "kinds", "engine", "config", "chain", "triggers", "declared", "equipment"}
KNOWS = {
    "__main__": set[str](),
    "version": set[str](),
    "core": set[str](),
    "config": {"core"},
    "kinds": {"core"},
    "host": {"core"},
    "triggers": {"core", "version"},
    "hetzner": {"core", "version"},
    "engine": {"core", "kinds"},
    "chain": {"core"},
    "declared": {"core", "kinds", "config", "triggers"},
    "equipment": set[str](),
    "project": WIRED,
    "api": {*WIRED, "project"},
    "cli": {*WIRED, "project", "version"},
    "simulator": set[str](),
}
"""Which others of our packages are loaded along with each; what a function imports when called does not count."""

NEEDS = {
    "hcloud_reassign.cli": {"typer"},
    "hcloud_reassign.hetzner": {"hcloud", "requests"},
    "hcloud_reassign.simulator.asgi": {"uvicorn"},
    "hcloud_reassign.triggers.http": {"requests"},
}
"""Who may load a package of others; everybody else makes do with the standard library."""

OF_OTHERS = {"hcloud", "requests", "starlette", "textual", "typer", "uvicorn"}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = sorted(module_name(path) for path in ROOT.rglob("*.py"))


def loaded_by(module: str) -> frozenset[str]:
    code = f"import sys; before = set(sys.modules); import {module}; print(*set(sys.modules) - before)"
    return frozenset(python("-c", code).stdout.split())


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("module", MODULES)
def test_a_module_loads_only_what_its_layer_may_know_and_need(module: str) -> None:
    loaded = loaded_by(module)
    ours = {name.split(".")[1] for name in loaded if name.startswith("hcloud_reassign.")}
    layer = module.partition(".")[2].partition(".")[0]
    assert ours - {layer} <= KNOWS.get(layer, set())
    foreign = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - {"hcloud_reassign"}
    needed = {name for user, names in NEEDS.items() if f"{module}.".startswith(f"{user}.") for name in names}
    assert foreign & OF_OTHERS <= needed
    assert needed or not foreign


@pytest.mark.parametrize("layer", KNOWS)
def test_every_layer_named_here_exists(layer: str) -> None:
    assert any(f"{module}.".startswith(f"hcloud_reassign.{layer}.") for module in MODULES)


@pytest.mark.parametrize(
    ("argument", "avoided"),
    [
        ("--version", {"hcloud", "requests", "textual", "typer", "rich", "uvicorn"}),
        ("--help", {"hcloud", "requests", "textual", "uvicorn"}),
    ],
)
def test_saying_who_it_is_loads_nothing_heavy(argument: str, avoided: set[str]) -> None:
    timings = python("-X", "importtime", "-m", "hcloud_reassign", argument).stderr.splitlines()
    loaded = {line.rpartition("|")[2].strip() for line in timings}
    assert "hcloud_reassign" in loaded
    assert not loaded & avoided
