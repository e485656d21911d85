"""The whole command line in the process of the test, against a simulated project that listens on a port."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.conftest import serve, site
from tests.system.site import AtHand, Machine, Site, machine

__all__ = ["serve", "site"]


@pytest.fixture
def cli(site: Site, home: Path) -> Machine:
    """A machine that carries the command out on the site."""
    return machine(home, site, AtHand)
