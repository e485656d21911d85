"""What the package may import, looked at in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]

_PROGRAM = """
import json, sys
before = set(sys.modules)
import {module}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded(module: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(module=module)], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_the_core_needs_the_standard_library_alone() -> None:
    names = loaded("hcloud_reassign.simulator")
    ours = {name for name in names if name.startswith("hcloud_reassign.")}
    assert all(name.startswith("hcloud_reassign.simulator") for name in ours)
    others = {name.partition(".")[0] for name in names} - {"hcloud_reassign"}
    assert others <= set(sys.stdlib_module_names)
    assert "asyncio" not in names


def test_the_shell_adds_uvicorn_and_nothing_of_ours() -> None:
    names = loaded("hcloud_reassign.simulator.asgi")
    assert "uvicorn" in names
    ours = {name for name in names if name.startswith("hcloud_reassign.")}
    assert all(name.startswith("hcloud_reassign.simulator") for name in ours)
