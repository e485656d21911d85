"""What all tests share: they see nothing of the machine they run on, and skip nothing where that is forbidden."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

BESIDE = {Path(__file__).parent / "e2e", Path(__file__).parent / "packages"}
"""Folders that `make test` leaves out: they need programs of Debian, and minutes."""

NO_SKIP = "HCLOUD_REASSIGN_NO_SKIP"
"""Set by CI, which installs every program that these folders need: there a skipped test is a failed one."""

FOR_TESTS = {NO_SKIP, "HCLOUD_REASSIGN_OPENAPI", "HCLOUD_REASSIGN_TEKTON_CRDS"}
"""What is meant for the tests themselves: where Hetzner's API description lies, and the CRDs of Tekton."""

OF_THIS_MACHINE = re.compile(
    r"(HCLOUD|XDG|CI|GITLAB|GITHUB|RUNNER|JENKINS|BUILD|TEKTON|HETZNER)_.*|.*_PROXY"
    r"|CI|NETRC|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|STATE_DIRECTORY|CREDENTIALS_DIRECTORY|NOTIFY_SOCKET|INVOCATION_ID"
    # PYTHONDONTWRITEBYTECODE would have every program that a test starts compile everything anew.
    # A make that a test starts is not a part of the one that runs the tests.
    r"|PYTHON(DONTWRITEBYTECODE|UNBUFFERED)|MAKE(FLAGS|LEVEL)|MFLAGS",
    re.IGNORECASE,
)

R = TypeVar("R", pytest.CollectReport, pytest.TestReport)

settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("dev")


def pytest_configure() -> None:
    # With thousands of tests in memory a fifth of the time of the terminal UI's would go into looking for garbage as
    # often as Python does by itself, and a twentieth of that of the others in process.
    gc.set_threshold(20_000, 20, 100)
    for name in list(os.environ):
        if OF_THIS_MACHINE.fullmatch(name) and name not in FOR_TESTS:
            del os.environ[name]


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, a state directory and a working directory of the test's own: no file of the developer is found."""
    path = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(path))
    monkeypatch.setenv("HCLOUD_REASSIGN_STATE", str(path / "state"))
    monkeypatch.chdir(path)
    return path


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _not_skipped(report, collector.path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return report if hasattr(report, "wasxfail") else _not_skipped(report, item.path)


def _not_skipped(report: R, path: Path) -> R:
    if report.skipped and NO_SKIP in os.environ and BESIDE & set(path.parents):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"{reason} (and {NO_SKIP} is set)"
    return report
