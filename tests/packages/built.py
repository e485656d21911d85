"""What `make packages` left in dist/, and what each package installs: for the tests of all formats."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
CHANGELOG = ROOT / "debian/changelog"


class File(NamedTuple):
    """A file or a link as a package installs it: permissions in octal, owner and group, and what it holds.

    That is the SHA-256 of its content, or where the link leads.
    """

    mode: str
    owner: str
    content: str


def version() -> str:
    """The version that is built."""
    found = re.match(r"hcloud-reassign \((\S+)\)", CHANGELOG.read_text("utf-8"))
    assert found
    return found[1]


def built(name: str) -> Path:
    """A file of dist/; where it was not built, the test is skipped."""
    package = DIST / name
    if not package.exists():
        pytest.skip(f"{package} is missing: make packages")
    return package


def installed(package: Path) -> dict[str, File]:
    """Each file and link that a package installs by its path, without folders and what its scripts make."""
    return dict({".rpm": _of_rpm, ".deb": _of_deb, ".apk": _of_apk}[package.suffix](package))


def output(*command: str | Path) -> str:
    """What a program prints, the locale being C; its failure is the test's."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=ENVIRON).stdout


ENVIRON = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
"""For programs of the distribution: no Python of a developer, no locale and no time zone of this machine."""


def _of_rpm(package: Path) -> Iterator[tuple[str, File]]:
    row = r"%{FILENAMES}\t%{FILEMODES:octal}\t%{FILEUSERNAME}:%{FILEGROUPNAME}\t%{FILEDIGESTS}%{FILELINKTOS}\n"
    for line in output("rpm", "-qp", "--qf", f"[{row}]", package).splitlines():
        path, mode, owner, content = line.split("\t")
        if content:
            yield path, File(mode[-4:], owner, content)


def _of_deb(package: Path) -> Iterator[tuple[str, File]]:
    archive = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        yield from ((path[1:], file) for path, file in _of_tar(files))


def _of_apk(package: Path) -> Iterator[tuple[str, File]]:
    with tarfile.open(package) as files:
        # Names with a dot in front are not for the machine: what the package says of itself, and its scripts.
        yield from ((f"/{path}", file) for path, file in _of_tar(files) if not path.startswith("."))


def _of_tar(files: tarfile.TarFile) -> Iterator[tuple[str, File]]:
    for member in files:
        if not member.isdir():
            owner = f"{member.uname}:{member.gname}"
            yield member.name, File(f"{member.mode:04o}", owner, _held(files, member))


def _held(files: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    content = files.extractfile(member) if member.isfile() else None
    return hashlib.sha256(content.read()).hexdigest() if content else member.linkname
