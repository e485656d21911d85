"""The script in each of its shells."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.keepalived.host import Host


@pytest.fixture(params=["dash", "busybox sh"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    shell: list[str] = request.param.split()
    if shutil.which(shell[0]) is None:
        pytest.skip(f"needs {shell[0]}")
    made = Host(tmp_path, shell)
    yield made
    made.close()
