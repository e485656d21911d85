"""What is shipped: built for real, from this checkout."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from hcloud_reassign.version import _of_the_checkout

ROOT = Path(__file__).parents[1]


def build(target: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(build("wheel", tmp_path_factory.mktemp("wheel"))) as archive:
        yield archive


@pytest.fixture
def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    package = {
        path.relative_to(place).as_posix()
        for place, name in ((ROOT, "hcloud_reassign"), (ROOT / "tui", "hcloud_reassign_tui"))
        for path in (place / name).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert shipped == package
    assert "hcloud_reassign/py.typed" in shipped


def test_the_wheel_has_the_version_of_the_changelog(metadata: Message) -> None:
    first_line = (ROOT / "debian" / "changelog").read_text(encoding="utf-8").splitlines()[0]
    assert f"({metadata['Version']})" in first_line
    assert metadata["Version"] == _of_the_checkout()


def test_the_base_install_asks_for_what_run_needs_and_no_more(metadata: Message) -> None:
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert sorted(line.split("<")[0].split(">")[0] for line in needed) == ["hcloud", "requests", "typer"]


def test_a_wheel_can_be_built_from_the_source_archive(tmp_path: Path) -> None:
    with tarfile.open(build("sdist", tmp_path)) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "debian/changelog", "hcloud_reassign/py.typed"} <= names
