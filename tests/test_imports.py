"""Each module loads what its layer may know, and nothing else: tried in an interpreter that has loaded none of them."""

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


FORKED = """
import importlib, os, sys
import asyncio, concurrent.futures, dataclasses, http.client, json, logging, pathlib, ssl, subprocess, typing
before = set(sys.modules)
for module in sys.argv[1:]:
    if not os.fork():
        importlib.import_module(module)
        os.write(1, " ".join((module, *(set(sys.modules) - before), "\\n")).encode())
        os._exit(0)
    if os.wait()[1]:
        sys.exit(f"{module} cannot be imported")
"""
"""An interpreter with the standard library alone, copied for each module: starting one for each takes much longer."""


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def surplus(module: str, names: frozenset[str]) -> set[str]:
    """Packages that a module loads, although neither its layer knows nor the module needs them."""
    ours = {name.split(".")[1] for name in names if name.startswith("hcloud_reassign.")}
    layer = module.partition(".")[2].partition(".")[0]
    foreign = {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"hcloud_reassign"}
    needed = {name for user, known in NEEDS.items() if f"{module}.".startswith(f"{user}.") for name in known}
    return (ours - {layer} - KNOWS.get(layer, set())) | (foreign & OF_OTHERS - needed if needed else foreign)


def test_every_module_loads_only_what_its_layer_may_know_and_need() -> None:
    lines = [line.split() for line in python("-c", FORKED, *MODULES).stdout.splitlines()]
    assert [module for module, *_ in lines] == MODULES
    found = {module: surplus(module, frozenset(names)) for module, *names in lines}
    assert not {module: names for module, names in found.items() if names}


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
