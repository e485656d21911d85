"""packages/vendor.txt: packages contain what was tested, and nothing that is bound to a machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.packages.checkout import ROOT, TOOLS, needs_release_tools, ran

LOCK, CONSTRAINTS = ROOT / "packages/vendor.txt", ROOT / "constraints.txt"
OLDEST = {"python_full_version": "3.10.0", "python_version": "3.10", "platform_python_implementation": "CPython"}


def requirements(file: Path) -> Iterator[Requirement]:
    for line in file.read_text("utf-8").splitlines():
        if not line.lstrip().startswith(("#", "--hash")):
            yield Requirement(line.removesuffix("\\"))


def versions(file: Path) -> Mapping[str, str]:
    """Version by name, on the oldest Python."""
    return {
        each.name: str(each.specifier).removeprefix("==")
        for each in requirements(file)
        if each.marker is None or each.marker.evaluate(dict(OLDEST))
    }


def test_packages_contain_the_versions_that_are_tested_on_the_oldest_python() -> None:
    tested = versions(CONSTRAINTS)
    assert versions(LOCK) == {name: tested[name] for name in versions(LOCK)}


def test_every_version_is_held_by_a_hash() -> None:
    entries = LOCK.read_text("utf-8").replace("\\\n", " ").splitlines()
    assert [entry for entry in entries if "==" in entry and "--hash=sha256:" not in entry] == []


def test_typer_is_the_last_without_compiled_parts() -> None:
    assert Version(versions(LOCK)["typer"]) < Version("0.29")


def test_what_only_installs_or_builds_is_not_vendored() -> None:
    assert versions(LOCK).keys() & {"pip", "setuptools", "wheel", "pbr", "hatchling", "uv", "pydantic-core"} == set()


def test_every_wheel_is_for_any_machine() -> None:
    wheels = sorted((ROOT / "build/wheels").glob("*.whl"))
    if not wheels:
        pytest.skip("make stage has not been run")
    assert [wheel.name for wheel in wheels if not wheel.name.endswith("-none-any.whl")] == []
    assert len(wheels) == len(versions(LOCK)) + 1


@needs_release_tools
def test_make_vendor_would_change_nothing(tmp_path: Path) -> None:
    """In a copy: the lock is what pyproject.toml asks for and constraints.txt allows."""
    for file in (
        "Makefile",
        "pyproject.toml",
        "README.md",
        "constraints.txt",
        "debian/changelog",
        "packages/vendor.txt",
    ):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    tools = tmp_path / "build/release-tools"
    (tools / "bin").mkdir(parents=True)
    (tools / "bin/uv").symlink_to(TOOLS / "uv")
    (tools / "ready").touch()
    ran("make", "vendor", cwd=tmp_path, environ={"UV_CACHE_DIR": str(ROOT / "build/uv-cache"), "UV_NO_CONFIG": "1"})
    assert (tmp_path / "packages/vendor.txt").read_text("utf-8") == LOCK.read_text("utf-8")
