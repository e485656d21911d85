"""packages/release: in a repository of its own, from a tag, with a key of gpg. `make` alone is a stand-in."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.packages.checkout import ROOT, ran, run

KEY = "release@example.org"

MAKE = """#!/bin/sh
echo "$* NO_SKIP=$HCLOUD_REASSIGN_NO_SKIP" >>"$MADE"
[ "$1" = packages ] || exit "${TESTS_EXIT:-0}"
mkdir -p dist/alpine build
echo "pkgver=1.2.0" >dist/alpine/APKBUILD
for name in hcloud_reassign-1.2.0-py3-none-any.whl hcloud_reassign-1.2.0.tar.gz hcloud-reassign_1.2.0_all.deb \\
  hcloud-reassign-1.2.0-1.noarch.rpm hcloud-reassign-1.2.0-r0.apk hcloud-reassign-1.2.0.cdx.json; do
  case " $LEFT_OUT " in
    *" $name "*) ;;
    *) echo "$name" >"dist/$name" ;;
  esac
done
"""
"""Leaves a file of each kind, as `make packages` does, and writes down what it was asked for."""

RELEASED = """hcloud-reassign (1.2.0) unstable; urgency=medium

  * trigger: asks a second pipeline when
    the first one is down.
  * tui: shows both.

 -- hcloud-reassign developers <hcloud-reassign@example.org>  Sun, 06 Dec 2026 08:41:13 +0000

hcloud-reassign (0.1.0) unstable; urgency=medium

  * First version.

 -- hcloud-reassign developers <hcloud-reassign@example.org>  Sat, 21 Nov 2026 08:41:13 +0000
"""

NOTES = """* trigger: asks a second pipeline when
  the first one is down.
* tui: shows both.

"""


class Release:
    """A clean checkout of a tagged version, with all that the script reads, and a `make`."""

    def __init__(self, path: Path, shell: list[str]) -> None:
        self.root, self._shell, self._made = path / "checkout", shell, path / "made"
        for name in ("packages/release", "debian/changelog", ".gitignore", "LICENSE"):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.root / name)
        self.make, self.environ = path / "make", {"MAKE": str(path / "make"), "MADE": str(self._made)}
        self.environ["HCLOUD_REASSIGN_NO_SKIP"] = ""
        self.make.write_text(MAKE, encoding="utf-8")
        self.make.chmod(0o755)
        self.git("init", "--quiet")
        self.changelog(RELEASED)
        self.git("tag", "v1.2.0")

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
        ran("git", *who, *words, cwd=self.root)

    def changelog(self, text: str) -> None:
        """Committed with all else."""
        (self.root / "debian/changelog").write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Release")

    def __call__(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return run(*self._shell, self.root / "packages/release", *words, environ=self.environ | environ)

    @property
    def made(self) -> list[str]:
        return self._made.read_text("utf-8").splitlines() if self._made.exists() else []

    @property
    def dist(self) -> set[str]:
        folder = self.root / "dist"
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=["dash", "busybox sh"])
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Release:
    shell: list[str] = request.param.split()
    if shutil.which(shell[0]) is None:
        pytest.skip(f"needs {shell[0]}")
    return Release(tmp_path, shell)


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A key without a passphrase, in a folder whose name is short enough for a socket."""
    if shutil.which("gpg") is None or shutil.which("gpg-agent") is None:
        pytest.skip("needs gpg and gpg-agent")
    with tempfile.TemporaryDirectory(prefix="gpg-") as folder:
        monkeypatch.setenv("GNUPGHOME", folder)
        ran("gpg", "--batch", "--passphrase", "", "--quick-generate-key", KEY, "ed25519", "sign", "never")
        yield KEY
        ran("gpgconf", "--kill", "all")


def test_a_tagged_version_is_built_tested_listed_and_signed(release: Release, key: str) -> None:
    done = release(key)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "dist/ has hcloud-reassign 1.2.0; its notes are build/release-notes.md\n"
    assert release.made == ["packages NO_SKIP=", "test-packages NO_SKIP=1"]
    dist = release.root / "dist"
    listed = [line.split("  ")[1] for line in (dist / "SHA256SUMS").read_text("utf-8").splitlines()]
    assert listed == sorted(listed)
    assert {*listed, "SHA256SUMS", "SHA256SUMS.asc"} == release.dist
    assert len(listed) == 7
    ran("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS", cwd=dist)
    assert "Good signature" in run("gpg", "--verify", "SHA256SUMS.asc", "SHA256SUMS", cwd=dist).stderr
    assert (release.root / "build/release-notes.md").read_text("utf-8") == NOTES


def test_made_again_it_lists_the_same_and_nothing_that_lay_there(release: Release, key: str) -> None:
    assert release(key).returncode == 0
    first = (release.root / "dist/SHA256SUMS").read_bytes()
    (release.root / "dist/hcloud_reassign-1.1.0.tar.gz").write_text("of last year", encoding="utf-8")
    assert release(key).returncode == 0
    assert (release.root / "dist/SHA256SUMS").read_bytes() == first
    assert "hcloud_reassign-1.1.0.tar.gz" not in release.dist


def test_without_a_key_it_says_that_the_list_is_not_signed(release: Release) -> None:
    done = release()
    assert (done.returncode, done.stderr) == (0, "SHA256SUMS is not signed, as no KEY was given\n")
    assert "SHA256SUMS" in release.dist
    assert "SHA256SUMS.asc" not in release.dist


def of_a_changelog(old: str, new: str) -> Callable[[Release], object]:
    def change(release: Release) -> None:
        release.changelog(RELEASED.replace(old, new, 1))
        release.git("tag", "--force", "v1.2.0")

    return change


REFUSALS: dict[str, tuple[Callable[[Release], object], str, str]] = {
    "not released": (
        of_a_changelog("unstable", "UNRELEASED"),
        "debian/changelog: 1.2.0 is UNRELEASED",
        "docs/releasing.md#a-release: dch --release, docs/generate.py, git commit, git tag --sign v1.2.0",
    ),
    "a candidate": (
        of_a_changelog("1.2.0", "1.2.0~rc1"),
        "debian/changelog: 1.2.0~rc1 is no version that the wheel and the packages share",
        "dch --changelog debian/changelog, with numbers and dots alone",
    ),
    "no tag": (
        lambda release: release.git("tag", "--delete", "v1.2.0"),
        "debian/changelog has 1.2.0, and the commit no tag v1.2.0, but: none",
        "git checkout v1.2.0, or git tag --sign v1.2.0",
    ),
    "another tag": (
        of_a_changelog("1.2.0", "1.2.1"),
        "debian/changelog has 1.2.1, and the commit no tag v1.2.1, but: v1.2.0",
        "git checkout v1.2.1, or git tag --sign v1.2.1",
    ),
    "a commit after the tag": (
        lambda release: release.changelog(RELEASED),
        "debian/changelog has 1.2.0, and the commit no tag v1.2.0, but: none",
        "git checkout v1.2.0",
    ),
    "a changed file": (
        lambda release: (release.root / "LICENSE").write_text("mine\n", encoding="utf-8"),
        "the checkout is not what its commit says:  M LICENSE",
        "git status",
    ),
    "a new file": (
        lambda release: (release.root / "extra.py").write_text("", encoding="utf-8"),
        "the checkout is not what its commit says: ?? extra.py",
        "git status",
    ),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_it_refuses_before_anything_is_built(release: Release, why: str) -> None:
    change, said, following = REFUSALS[why]
    change(release)
    done = release()
    assert (done.returncode, done.stdout) == (1, "")
    error, following_line = done.stderr.splitlines()
    assert error.startswith(f"error: {said}")
    assert following_line.startswith(f"next:  {following}")
    assert release.made == []


def test_a_key_that_is_not_there_is_missed_before_anything_is_built(release: Release, key: str) -> None:
    done = release("nobody@example.org")
    assert (done.returncode, release.made) == (1, [])
    assert done.stderr.splitlines()[0] == "error: gpg has no secret key nobody@example.org"


def test_what_make_did_not_leave_is_named_and_nothing_is_listed(release: Release) -> None:
    done = release(LEFT_OUT="hcloud-reassign_1.2.0_all.deb hcloud-reassign-1.2.0-r0.apk")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "error: dist/ has no file of 1.2.0 that ends in .deb .apk"
    assert "SHA256SUMS" not in release.dist


def test_nothing_is_listed_when_a_test_fails(release: Release) -> None:
    done = release(TESTS_EXIT="2")
    assert done.returncode == 2
    assert "SHA256SUMS" not in release.dist
    assert not (release.root / "build/release-notes.md").exists()


def test_an_option_is_answered_with_the_usage(release: Release) -> None:
    done = release("--help")
    assert (done.returncode, done.stderr) == (2, "usage: packages/release [KEY]\n")
    assert release.made == []


def test_it_may_be_started_from_anywhere(release: Release) -> None:
    assert release.root not in (Path.cwd(), *Path.cwd().parents)
    assert os.access(release.root / "packages/release", os.X_OK)
    assert ran(release.root / "packages/release", environ=release.environ).startswith("dist/ has")
