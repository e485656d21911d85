"""The shells in which scripts of the project have to work. One that this machine has not got skips its tests."""

from __future__ import annotations

import shutil

import pytest

SHELLS = {"dash": ["dash"], "busybox": ["busybox", "sh"], "bash": ["bash"]}


def in_shells(*names: str) -> pytest.MarkDecorator:
    """Gives the test its `shell`: the words that a script's name comes after."""
    return pytest.mark.parametrize(
        "shell", [pytest.param(SHELLS[name], id=name, marks=_needed(name)) for name in names]
    )


def _needed(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"needs {name}")
