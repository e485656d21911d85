"""Unpacks the locked wheels and lays out every file that a package installs: what deb, rpm and apk are made from.

`python packages/stage.py WHEELS STAGE`: WHEELS holds the wheels of packages/vendor.txt and the one of this project.
STAGE gets `root/`, as it will lie on a machine, and what only some packages take: `systemd/`, `openrc/`, `changelog`.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LIBRARY = "usr/lib/hcloud-reassign"
DOCUMENTS = "usr/share/doc/hcloud-reassign"

INSTALLER_ONLY = {"RECORD", "WHEEL", "INSTALLER", "REQUESTED", "entry_points.txt", "top_level.txt", "zip-safe"}
"""What pip alone reads. METADATA and the licences stay: scanners, lawyers and `importlib.metadata` read those."""

NOT_UNPACKED = ("textual/__main__.py", "textual/demo/", "typer/.agents/")
"""What no program here runs or reads. Textual's demo has a text under a licence of its own, CC-BY-SA-4.0."""

NOT_SHIPPED = {"__pycache__", "generate.py", "make.py", "manual.py", "render.py"}
"""What makes pages, pictures and templates: they are shipped as it made them."""

DOCUMENTED = (
    "README.md",
    "ci-templates",
    "docs",
    "examples",
    "keepalived/hcloud-reassign-notify.conf",
    "keepalived/os",
    "keepalived/samples",
    "keepalived/systemd",
)
"""What lies in the documents as it does in the checkout: the pages link to each other, and to these."""

FILES: Sequence[tuple[str, str, int]] = (
    ("packages/launcher", "usr/bin/hcloud-reassign", 0o755),
    ("keepalived/hcloud-reassign-notify", "usr/bin/hcloud-reassign-notify", 0o755),
    ("keepalived/notify.d", "usr/share/hcloud-reassign/notify.d", 0o644),
    ("keepalived/hcloud-reassign-notify.conf", "etc/hcloud-reassign/notify.conf", 0o644),
    ("packages/config.ini", "etc/hcloud-reassign/config.ini", 0o640),
    ("examples/pacemaker/hcloud-reassign", "usr/lib/ocf/resource.d/hetzner/hcloud-reassign", 0o755),
    ("packages/completions/bash", "usr/share/bash-completion/completions/hcloud-reassign", 0o644),
    ("packages/completions/zsh", "usr/share/zsh/site-functions/_hcloud-reassign", 0o644),
    ("packages/completions/fish", "usr/share/fish/vendor_completions.d/hcloud-reassign.fish", 0o644),
    *((name, f"{DOCUMENTS}/{name}", 0o644) for name in DOCUMENTED),
)
"""Where each file or folder of the checkout goes, and the mode of its files."""


class StageError(Exception):
    """What is missing or wrong, in the words to print."""


def stage(wheels: Path, target: Path) -> None:
    """Lay out everything below `target`, which must not exist yet.

    Raises:
        StageError: a wheel is missing, too many or not pure Python.
    """
    root = target / "root"
    for wheel in chosen(wheels):
        unpack(wheel, root / LIBRARY)
    for source, place, mode in FILES:
        copy(PROJECT / source, root / place, mode)
    for page in sorted((PROJECT / "packages/man").iterdir()):
        compress(page, root / "usr/share/man" / f"man{page.suffix[1:]}" / f"{page.name}.gz")
    for folder in ("systemd", "openrc"):
        copy(PROJECT / "packages" / folder, target / folder, 0o644)
    copy(PROJECT / "debian/changelog", target / "changelog", 0o644)
    copy(PROJECT / "LICENSE", target / "LICENSE", 0o644)


def chosen(wheels: Path) -> list[Path]:
    """The wheels of the lock and ours: no less, no more, and none with compiled code."""
    found = {_normal(path.name.split("-")[0]): path for path in sorted(wheels.glob("*.whl"))}
    wanted = dict(locked()) | {"hcloud-reassign": ""}
    missing, surplus = wanted.keys() - found.keys(), found.keys() - wanted.keys()
    if missing or surplus:
        raise StageError(
            f"{wheels}: missing: {', '.join(sorted(missing)) or 'none'}; not in packages/vendor.txt:"
            f" {', '.join(sorted(surplus)) or 'none'}; next: rm -r {wheels} && make stage"
        )
    for name, path in found.items():
        if wanted[name] and path.name.split("-")[1] != wanted[name]:
            raise StageError(f"{path}: packages/vendor.txt has {wanted[name]}; next: rm -r {wheels} && make stage")
        if not path.name.endswith("-none-any.whl"):
            raise StageError(f"{path}: has compiled code, which one package for all machines cannot have")
    return list(found.values())


def locked() -> Iterator[tuple[str, str]]:
    """Name and version of each vendored project."""
    for line in (PROJECT / "packages/vendor.txt").read_text("utf-8").splitlines():
        if found := re.match(r"([\w.-]+)==(\S+)", line):
            yield _normal(found[1]), found[2]


def unpack(wheel: Path, library: Path) -> None:
    """The wheel's files, without what only pip reads and without shebangs: no module here is started by its path."""
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            head, _, rest = name.partition("/")
            if name.endswith("/") or (head.endswith(".dist-info") and rest in INSTALLER_ONLY):
                continue
            if name.startswith(NOT_UNPACKED):
                continue
            if head.endswith(".data"):
                raise StageError(
                    f"{wheel}: {name} belongs outside of the library; packages/stage.py has to learn where"
                )
            content = archive.read(name)
            if name.endswith(".py") and content.startswith(b"#!"):
                content = content.partition(b"\n")[2]
            write(library / name, content, 0o644)


def copy(source: Path, target: Path, mode: int) -> None:
    """A file, or all files of a folder. What git has as executable stays so."""
    if source.is_dir():
        for entry in sorted(source.iterdir()):
            if entry.name not in NOT_SHIPPED:
                copy(entry, target / entry.name, mode)
    else:
        write(target, source.read_bytes(), mode | (source.stat().st_mode & 0o111))


def compress(source: Path, target: Path) -> None:
    """The same bytes each time: gzip would put the time and the name in."""
    write(target, gzip.compress(source.read_bytes(), 9, mtime=0), 0o644)


def write(target: Path, content: bytes, mode: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    target.chmod(mode)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main(arguments: Sequence[str]) -> int:
    """0 when all is laid out; 1 with one line about what is wrong; 2 when called wrongly."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python packages/stage.py WHEELS STAGE\n")
        return 2
    os.umask(0o022)
    wheels, target = map(Path, arguments)
    shutil.rmtree(target, ignore_errors=True)
    try:
        stage(wheels, target)
    except (StageError, OSError, zipfile.BadZipFile) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
