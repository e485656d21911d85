"""The man pages, as the programs that show them read them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "packages/man").iterdir())
READERS = {
    "mandoc": ("mandoc", "-T", "lint", "-W", "style"),
    "groff": ("groff", "-man", "-ww", "-Tutf8", "-z"),
    "man": ("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"),
}


def read(page: Path, command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    if not shutil.which(command[0]):
        pytest.skip(f"needs the program {command[0]}")
    return subprocess.run([*command, page], capture_output=True, text=True, timeout=60)


def test_what_is_packaged_is_of_this_version_and_of_this_code() -> None:
    done = subprocess.run([sys.executable, ROOT / "docs/generate.py", "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.parametrize("reader", READERS)
def test_a_page_is_read_without_a_complaint(page: Path, reader: str) -> None:
    done = read(page, READERS[reader])
    assert (done.returncode, done.stderr) == (0, "")
    # The output of man is the page itself.
    assert reader == "man" or done.stdout == ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_whatis_finds_the_name_and_what_it_is(page: Path) -> None:
    done = read(page, ("lexgrog",))
    assert done.returncode == 0
    assert f'"{page.stem} - ' in done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_fits_a_terminal_of_eighty_columns(page: Path) -> None:
    shown = re.sub(".\b", "", read(page, ("mandoc", "-T", "ascii", "-O", "width=80")).stdout).splitlines()
    assert shown[2] == "NAME"
    # keepalived takes this one on one line only.
    assert [line for line in shown if len(line) > 80 and "notify_master_rx_lower_pri " not in line] == []
