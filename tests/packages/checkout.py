"""The checkout as its own packager sees it: copied, built, and the Pythons of this machine to install it into."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.packages.built import version

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "build/release-tools/bin"
VERSION = version()
_times = re.findall(r"^ -- .*>  (.*)$", (ROOT / "debian/changelog").read_text("utf-8"), re.MULTILINE)
EPOCH = str(int(parsedate_to_datetime(_times[0]).timestamp()))
"""The time of the newest entry of the changelog, in seconds: what the Makefile builds with."""

needs_release_tools = pytest.mark.skipif(not (TOOLS / "uv").exists(), reason="make release-tools has not been run")


def run(
    *command: str | Path, cwd: Path | None = None, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The program, finished, with what it said; it sees the environment of the tests and `environ`."""
    env = {**os.environ, **(environ or {})}
    return subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8")


def ran(*command: str | Path, cwd: Path | None = None, environ: Mapping[str, str] | None = None) -> str:
    """What a program said on stdout that must succeed."""
    done = run(*command, cwd=cwd, environ=environ)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def copy_checkout(target: Path) -> Path:
    """The files that git has or would take, as they are now."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    if listed.returncode:
        pytest.skip(f"this is no checkout: {listed.stderr.strip()}")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def build(source: Path, folder: Path, **environ: str) -> Mapping[str, Path]:
    """Wheel and source archive of a checkout or an unpacked source archive, by the ends of their names."""
    told = {"SOURCE_DATE_EPOCH": EPOCH, **environ}
    ran(sys.executable, "-m", "hatchling", "build", "--directory", str(folder), cwd=source, environ=told)
    return {"".join(path.suffixes[-2 if path.suffix == ".gz" else -1 :]): path for path in folder.iterdir()}


def _pythons() -> Iterator[tuple[str, Path]]:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for minor in range(10, 14):
        version = f"3.{minor}"
        here = [Path(sys.base_prefix, "bin/python3")] if sys.version_info[:2] == (3, minor) else []
        for candidate in (*here, Path(f"python{version}"), *sorted(pyenv.glob(f"versions/{version}.*/bin/python"))):
            try:
                done = run(candidate, "-c", "import sys; print(sys.executable)")
            except FileNotFoundError:
                continue
            if done.returncode == 0:
                yield version, Path(done.stdout.strip())
                break


PYTHONS = dict(_pythons())
"""By version, those that are here: the one of the tests, in the PATH, or of pyenv. Home is still the developer's."""
