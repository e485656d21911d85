"""What the packaged program costs: its start beside that of a pip install, and the size of each part of the package.

`python benchmarks/packaged.py`, after `make packages`, on Debian or Ubuntu, not as an installed package: the .deb is
unpacked into a folder, and its byte-code compiled as at its installation. Both are run by /usr/bin/python3, in turn.
Whole processes, wall time; least, median and most of the runs in milliseconds.
"""

from __future__ import annotations

import lzma
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "/usr/bin/python3"
LIBRARY = "usr/lib/hcloud-reassign"
RUNS = 30
COMMANDS = (("--version",), ("--help",), ("run", "--help"))


def unpacked(deb: Path, folder: Path) -> Path:
    """The launcher of the package, led to the library where it was unpacked."""
    quiet("dpkg-deb", "-x", deb, folder)
    launcher, library = folder / "usr/bin/hcloud-reassign", folder / LIBRARY
    text = launcher.read_text("utf-8")
    assert f'"/{LIBRARY}"' in text
    launcher.write_text(text.replace(f'"/{LIBRARY}"', f'"{library}"'), encoding="utf-8")
    quiet(PYTHON, "-m", "compileall", "-q", library)
    return launcher


def installed(wheel: Path, folder: Path) -> Path:
    """The console script of a pip install with everything in it, compiled as pip does."""
    quiet(PYTHON, "-m", "venv", folder)
    pip = (folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--compile")
    quiet(*pip, "--constraint", ROOT / "constraints.txt", f"{wheel}[all]")
    return folder / "bin/hcloud-reassign"


def quiet(*command: str | Path) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def milliseconds(program: Path, words: Sequence[str]) -> float:
    started = time.perf_counter()
    quiet(program, *words)
    return (time.perf_counter() - started) * 1000


def starts(programs: dict[str, Path]) -> Iterator[str]:
    """A line for each command: both ways, and the second as a multiple of the first."""
    for words in COMMANDS:
        times: dict[str, list[float]] = {name: [] for name in programs}
        for run in range(RUNS + 2):
            for name, program in programs.items():
                took = milliseconds(program, words)
                if run >= 2:
                    times[name].append(took)
        medians = [statistics.median(found) for found in times.values()]
        told = "   ".join(
            f"{name} {min(found):4.0f} {statistics.median(found):4.0f} {max(found):4.0f}"
            for name, found in times.items()
        )
        yield f"{' '.join(words):12} {told}   {medians[1] / medians[0]:.2f}"


def parts(library: Path) -> Iterator[str]:
    """What each vendored project takes: installed, with byte-code, and compressed by itself."""
    costs = []
    for part in library.iterdir():
        if part.name.endswith(".dist-info") or part.name == "__pycache__":
            continue
        files = [file for file in (part.rglob("*") if part.is_dir() else [part]) if file.is_file()]
        source = [file for file in files if file.suffix != ".pyc"]
        packed = len(lzma.compress(b"".join(file.read_bytes() for file in source)))
        costs.append((packed, sum(size(file) for file in source), sum(map(size, files)), part.name))
    yield f"{'compressed':>10} {'installed':>10} {'compiled':>10}   KiB"
    for packed, plain, whole, name in sorted(costs, reverse=True):
        yield f"{packed / 1024:10.0f} {plain / 1024:10.0f} {whole / 1024:10.0f}   {name}"


def size(file: Path) -> int:
    return file.stat().st_size


def main() -> int:
    (deb,), (wheel,) = ROOT.glob("dist/*.deb"), ROOT.glob("dist/*.whl")
    for package in sorted(file for kind in ("deb", "rpm", "apk", "whl") for file in ROOT.glob(f"dist/*.{kind}")):
        print(f"{size(package) / 1024 / 1024:5.2f} MiB  {package.name}")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        programs = {"pip": installed(wheel, place / "venv"), "package": unpacked(deb, place / "deb")}
        for line in (*starts(programs), *parts(place / "deb" / LIBRARY)):
            print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
