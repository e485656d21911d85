"""The real program, in processes of its own, against a simulated project that listens on a port."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.site import Machine, Site, machine

Serve = Callable[..., Site]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Makes sites, and ends them with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda *given, **more: stack.enter_context(Site(*given, **more))


@pytest.fixture
def site(serve: Serve) -> Site:
    """Three servers of which srv-a holds everything."""
    return serve()


@pytest.fixture
def cli(site: Site, home: Path) -> Machine:
    """A machine that runs the command on the site."""
    return machine(home, site)
