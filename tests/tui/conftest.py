"""Sessions on the terminal UI: the real program on the simulator, without a terminal."""

from __future__ import annotations

import pytest

from hcloud_reassign.simulator import Fault
from tests.engine.samples import TRIO
from tests.harness import Lab


@pytest.fixture
def lab() -> Lab:
    """Three servers of which srv-a holds everything; actions are quick, and nothing waits for a real second."""
    return Lab(TRIO)


@pytest.fixture
def fault() -> type[Fault]:
    return Fault
