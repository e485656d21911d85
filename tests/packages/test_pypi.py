"""What goes to PyPI: the two files, and what comes of them in an empty environment."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from trove_classifiers import classifiers

from tests.packages.checkout import PYTHONS, ROOT, TOOLS, VERSION, build, copy_checkout, needs_release_tools, ran, run

pytestmark = needs_release_tools

UV = TOOLS / "uv"
CACHE = {"UV_CACHE_DIR": str(ROOT / "build/uv-cache"), "UV_PYTHON_DOWNLOADS": "never"}
CONSTRAINTS = str(ROOT / "constraints.txt")

RUN = {
    *("annotated-doc", "certifi", "charset-normalizer", "hcloud", "hcloud-reassign", "idna", "markdown-it-py", "mdurl"),
    *("pygments", "python-dateutil", "requests", "rich", "shellingham", "typer", "tzdata", "urllib3"),
}
SIMULATE = {"click", "h11", "uvicorn"}
TUI = {"linkify-it-py", "mdit-py-plugins", "platformdirs", "textual", "typing-extensions"}
EXTRAS: Mapping[str, set[str]] = {
    "": RUN,
    "[simulate]": RUN | SIMULATE,
    "[tui]": RUN | TUI,
    "[all]": RUN | SIMULATE | TUI,
}
"""What `pip install hcloud-reassign...` leaves in an empty environment."""

OLDEST = {"": {"six"}, "[simulate]": {"six", "typing-extensions"}, "[tui]": {"six"}, "[all]": {"six"}}
"""And besides on Python 3.10."""

SAME = {"[watch]": "", "[gateway]": "[simulate]"}
"""Extras that bring what another one brings."""

NEEDS = {"demo": "[simulate]", "simulate": "[simulate]", "tui": "[tui]"}
"""Commands that do not work without an extra."""

SOUND = """[floating.web]
type        = ip_floating
resource    = web
source      = srv-a
destination = srv-b
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return build(ROOT, tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def wheel(built: Mapping[str, Path]) -> Path:
    return built[".whl"]


@pytest.fixture
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_twine_has_nothing_to_say(built: Mapping[str, Path]) -> None:
    said = ran(TOOLS / "twine", "--no-color", "check", "--strict", *built.values())
    assert said.count("PASSED") == len(built) == 2
    assert "WARNING" not in said


def test_the_metadata_says_who_it_is_for_and_whose_it_is(metadata: Message) -> None:
    assert metadata["Summary"]
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert metadata["Keywords"]
    assert set(metadata.get_all("Classifier", [])) <= classifiers
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 14)} <= set(
        metadata.get_all("Classifier", [])
    )


def test_the_extras_are_those_that_the_readme_tells_of_and_dev(metadata: Message) -> None:
    assert {f"[{extra}]" for extra in metadata.get_all("Provides-Extra", [])} == {*EXTRAS, *SAME, "[dev]"} - {""}


def test_built_elsewhere_by_somebody_else_they_are_the_same_bytes(built: Mapping[str, Path], tmp_path: Path) -> None:
    umask = os.umask(0o077)
    try:
        copied = copy_checkout(tmp_path / "elsewhere")
        again = build(copied, tmp_path / "built", LC_ALL="C", TZ="Pacific/Auckland", PYTHONHASHSEED="7")
    finally:
        os.umask(umask)
    assert {end: path.read_bytes() for end, path in again.items()} == {
        end: path.read_bytes() for end, path in built.items()
    }


def test_the_source_archive_gives_the_same_wheel(built: Mapping[str, Path], tmp_path: Path) -> None:
    with tarfile.open(built[".tar.gz"]) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    assert build(source, tmp_path / "built")[".whl"].read_bytes() == built[".whl"].read_bytes()


def test_the_source_archive_has_every_file_of_git_and_no_other(tmp_path: Path) -> None:
    copied = copy_checkout(tmp_path / "copy")
    with tarfile.open(build(copied, tmp_path / "built")[".tar.gz"]) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert packed == {str(path.relative_to(copied)) for path in copied.rglob("*") if path.is_file()} | {"PKG-INFO"}


def test_what_make_packages_left_is_what_this_checkout_gives(built: Mapping[str, Path]) -> None:
    changed = ran("git", "status", "--porcelain", cwd=ROOT)
    if changed:
        pytest.skip(f"make packages may have had other files: {changed.splitlines()[0]}")
    for path in built.values():
        left = ROOT / "dist" / path.name
        if not left.exists():
            pytest.skip(f"make packages has not been run: no {left}")
        same = left.read_bytes() == path.read_bytes()
        assert same, f"{left} is of another checkout; next: make packages"


def test_pip_refuses_a_python_that_is_too_old_and_says_why(wheel: Path, tmp_path: Path) -> None:
    old = ("--python-version", "3.9", "--only-binary=:all:", "--no-deps", "--no-index")
    done = run(sys.executable, "-m", "pip", "download", *old, "--dest", tmp_path, wheel)
    assert done.returncode != 0
    assert "requires a different Python: 3.9.0 not in '>=3.10'" in done.stderr


class Environment:
    """A virtual environment with the wheel and one of its extras, at the versions of constraints.txt."""

    def __init__(self, path: Path, version: str, wheel: Path) -> None:
        self.version, self.bin, self._wheel = version, path / "bin", wheel
        ran(UV, "venv", "--quiet", "--no-config", "--python", PYTHONS[version], path, environ=CACHE)

    def install(self, extra: str) -> None:
        into = ("--quiet", "--no-config", "--python", self.bin / "python", "--constraint", CONSTRAINTS)
        ran(UV, "pip", "install", *into, f"{self._wheel}{extra}", environ=CACHE)

    def names(self) -> set[str]:
        listed = ran(UV, "pip", "list", "--quiet", "--format=freeze", "--python", self.bin / "python", environ=CACHE)
        return {line.partition("==")[0] for line in listed.splitlines()}

    def says(self, *words: str) -> str:
        return ran(self.bin / "hcloud-reassign", *words)


@pytest.fixture(params=PYTHONS)
def environments(request: pytest.FixtureRequest, wheel: Path, tmp_path: Path) -> Mapping[str, Environment]:
    """By extra, for one Python."""
    found = {extra: Environment(tmp_path / f"with{extra}", request.param, wheel) for extra in EXTRAS}
    for extra, environment in found.items():
        environment.install(extra)
    return found


def test_each_extra_brings_what_it_is_for_and_no_more(environments: Mapping[str, Environment], home: Path) -> None:
    (home / "prod.ini").write_text(SOUND, encoding="utf-8")
    demo = _started(environments["[simulate]"], "demo")
    for extra, environment in environments.items():
        wanted = EXTRAS[extra] | (OLDEST[extra] if environment.version == "3.10" else set())
        assert environment.names() == wanted
        for other in (other for other, same in SAME.items() if same == extra):
            environment.install(other)
            assert environment.names() == wanted
        assert environment.says("--version") == f"hcloud-reassign {VERSION}\n"
        assert "Usage: hcloud-reassign" in environment.says("--help")
        assert environment.says("check", "--offline", "-c", "prod.ini")
        for command, needs in NEEDS.items():
            if extra not in (needs, "[all]"):
                assert f"pip install 'hcloud-reassign{needs}'" in _missing(environment, command)
    out, _ = demo.communicate(timeout=60)
    assert (demo.returncode, out.count("● done  ")) == (0, 4), out


def _started(environment: Environment, *words: str) -> subprocess.Popen[str]:
    command = [str(environment.bin / "hcloud-reassign"), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")


def _missing(environment: Environment, command: str) -> str:
    """What a command says in a terminal that lacks its packages. It is a wrong use, without a traceback."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        (environment.bin / "hcloud-reassign", command), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said = b"".join(_until_closed(ours)).decode()
    os.close(ours)
    assert process.wait(timeout=30) == 2, said
    assert "Traceback" not in said
    return said


def _until_closed(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            yield os.read(terminal, 65536)
        except OSError:  # EIO: nobody has the other end any more
            return


def test_it_is_installed_by_plain_pip_as_users_do(wheel: Path, tmp_path: Path) -> None:
    """At the versions of today, whatever constraints.txt has."""
    ran(UV, "venv", "--quiet", "--no-config", "--seed", "--python", sys.executable, tmp_path / "venv", environ=CACHE)
    ran(
        tmp_path / "venv/bin/pip", "install", "--quiet", wheel, environ={"PIP_CACHE_DIR": str(ROOT / "build/pip-cache")}
    )
    assert ran(tmp_path / "venv/bin/hcloud-reassign", "--version") == f"hcloud-reassign {VERSION}\n"
    assert ran(tmp_path / "venv/bin/pip", "check") == "No broken requirements found.\n"


def test_it_runs_as_a_tool_that_is_not_installed(wheel: Path) -> None:
    command = ("tool", "run", "--quiet", "--no-config", "--python", sys.executable, "--from", wheel)
    assert ran(UV, *command, "hcloud-reassign", "--version", environ=CACHE) == f"hcloud-reassign {VERSION}\n"
