"""packages/repository: what it makes is installed from by apt and dnf, and refused once a byte of it is another."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.packages.built import built
from tests.packages.checkout import VERSION
from tests.packages.roots import DISTRIBUTIONS, Root, UnreachableError, unusable, with_package

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "packages/repository"
NAME = "hcloud-reassign"
KEY = "A key of this test <test@example.org>"

SPEC = f"""\
Name: {NAME}
Version: 0.0.1
Release: 1%{{?dist}}
Summary: A small package
License: MIT
BuildArch: noarch
%description
A small package.
%install
mkdir -p %{{buildroot}}/opt
echo installed >%{{buildroot}}/opt/{NAME}
%files
/opt/{NAME}
"""

CONTROL = f"""\
Package: {NAME}
Version: 0.0.1
Architecture: all
Maintainer: Nobody <nobody@example.org>
Description: a small package
"""

SYSTEMS = {"el9": "el9", "el10": "el10", "fc43": "fedora"}
"""What the name of a package for it has, and the folder of its repository."""


def needs(*programs: str) -> None:
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"needs the program {program}")


def run(*command: str | Path, cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, "LC_ALL": "C", **environ}, capture_output=True, text=True, timeout=100
    )


def succeed(*command: str | Path, cwd: Path | None = None, **environ: str) -> str:
    done = run(*command, cwd=cwd, **environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def gnupg() -> Iterator[str]:
    """gpg's home with a key; its path is short, because that of a socket has to be."""
    needs("gpg")
    with tempfile.TemporaryDirectory(prefix="gpg") as folder:
        quick = ("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key")
        for name in (KEY, "Somebody else <else@example.org>"):
            succeed(*quick, name, "rsa2048", "sign", "never", GNUPGHOME=folder)
        yield folder
        succeed("gpgconf", "--kill", "all", GNUPGHOME=folder)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small package for each system, all with the name of the real ones."""
    needs("dpkg-deb", "rpmbuild")
    folder = tmp_path_factory.mktemp("dist")
    tree = tmp_path_factory.mktemp("deb")
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(CONTROL)
    succeed("dpkg-deb", "--root-owner-group", "--build", tree, folder / f"{NAME}_0.0.1_all.deb")
    top = tmp_path_factory.mktemp("rpm")
    (top / "small.spec").write_text(SPEC)
    for dist in SYSTEMS:
        succeed("rpmbuild", "--quiet", "-D", f"_topdir {top}", "-D", f"dist .{dist}", "-bb", top / "small.spec")
    for package in (top / "RPMS/noarch").iterdir():
        package.rename(folder / package.name)
    return folder


@pytest.fixture(scope="module")
def made(packages: Path, gnupg: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repositories of the small packages. To be copied before anything in them is changed."""
    needs("apt-ftparchive", "rpmsign", "createrepo_c")
    target = tmp_path_factory.mktemp("made") / "repositories"
    succeed(SCRIPT, packages, target, KEY, f"file://{target}/", GNUPGHOME=gnupg)
    return target


@pytest.fixture
def target(made: Path, tmp_path: Path) -> Path:
    """A copy of the repositories, for one test to spoil."""
    target = tmp_path / "repositories"
    shutil.copytree(made, target)
    for file in (target / f"{NAME}.sources", *target.glob(f"rpm/*/{NAME}.repo")):
        file.write_text(file.read_text().replace(str(made), str(target)))
    return target


def flip(file: Path, after: bytes) -> None:
    """One bit of the byte that follows these bytes."""
    content = bytearray(file.read_bytes())
    at = content.index(after) + len(after)
    content[at] ^= 1
    file.write_bytes(content)


# apt


class Apt:
    """apt-get that knows nothing of this machine: its own sources, lists, cache and status."""

    def __init__(self, folder: Path, sources: Path) -> None:
        needs("apt-get")
        self.folder = folder
        (folder / "var/lib/apt/lists/partial").mkdir(parents=True)
        for name in ("apt.conf.d", "sources.list.d", "preferences.d"):
            (folder / "etc/apt" / name).mkdir(parents=True)
        (folder / "status").touch()
        shutil.copy(sources, folder / "etc/apt/sources.list.d")
        (folder / "apt.conf").write_text(
            f'Dir "{folder}";\nDir::State::status "{folder}/status";\nAPT::Sandbox::User "root";\n'
            'Dir::Etc::Trusted "/nowhere";\nDir::Etc::TrustedParts "/nowhere";\n'
        )

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run("apt-get", *words, cwd=self.folder, APT_CONFIG=str(self.folder / "apt.conf"))


@pytest.fixture
def apt(target: Path, tmp_path: Path) -> Apt:
    return Apt(tmp_path / "apt", target / f"{NAME}.sources")


def test_apt_gets_the_package_and_has_nothing_to_complain_about(apt: Apt, packages: Path) -> None:
    updated = apt("update")
    assert (updated.returncode, updated.stderr) == (0, "")
    assert apt("download", NAME).returncode == 0
    (package,) = apt.folder.glob("*.deb")
    assert package.read_bytes() == next(packages.glob("*.deb")).read_bytes()


@pytest.mark.parametrize("arch", ["amd64", "arm64", "riscv64"])
def test_apt_would_install_it_on_every_machine(apt: Apt, arch: str) -> None:
    assert apt("-o", f"APT::Architecture={arch}", "update").returncode == 0
    done = apt("-o", f"APT::Architecture={arch}", "install", "--simulate", NAME)
    assert f"Inst {NAME} (0.0.1 hcloud-reassign:stable [all])" in done.stdout


def test_the_names_by_hash_are_those_of_the_indices(target: Path) -> None:
    stable = target / "deb/dists/stable"
    assert "Acquire-By-Hash: yes" in (stable / "Release").read_text()
    for index in stable.rglob("Packages*"):
        (digest,) = re.findall(r"^(\w{64}) ", succeed("sha256sum", index))
        assert (index.parent / "by-hash/SHA256" / digest).read_bytes() == index.read_bytes()


def test_apt_takes_the_signature_beside_the_file_too(apt: Apt, target: Path) -> None:
    (target / "deb/dists/stable/InRelease").unlink()
    assert apt("update").returncode == 0
    assert apt("download", NAME).returncode == 0


@pytest.mark.parametrize("signed", ["InRelease", "Release"])
def test_apt_refuses_what_is_not_what_was_signed(apt: Apt, target: Path, signed: str) -> None:
    stable = target / "deb/dists/stable"
    if signed == "Release":
        (stable / "InRelease").unlink()
    flip(stable / signed, b"\nDate: ")
    updated = apt("update")
    assert updated.returncode == 100
    assert "BADSIG" in updated.stderr or "invalid" in updated.stderr
    assert apt("download", NAME).returncode == 100


def test_apt_refuses_what_another_key_signed(apt: Apt, target: Path, gnupg: str) -> None:
    stable = target / "deb/dists/stable"
    by_another = ("gpg", "--batch", "--yes", "--local-user", "else@example.org", "--clearsign", "--output")
    succeed(*by_another, stable / "InRelease", stable / "Release", GNUPGHOME=gnupg)
    updated = apt("update")
    assert updated.returncode == 100
    assert "NO_PUBKEY" in updated.stderr


def test_apt_refuses_an_index_that_is_another(apt: Apt, target: Path) -> None:
    for index in (target / "deb/dists/stable/main/binary-all").rglob("*"):
        if index.is_file():
            index.write_bytes(index.read_bytes()[:-1] + b"x")
    updated = apt("update")
    assert updated.returncode == 100
    assert "Hash Sum mismatch" in updated.stderr


def test_apt_refuses_a_package_that_is_another(apt: Apt, target: Path) -> None:
    assert apt("update").returncode == 0
    flip(next(target.glob("deb/pool/**/*.deb")), b"debian-binary   ")
    done = apt("download", NAME)
    assert done.returncode == 100
    assert "Hash Sum mismatch" in done.stderr


# dnf and rpm


class Dnf:
    """dnf that installs into a root of its own, from one repository."""

    def __init__(self, folder: Path, repository: Path) -> None:
        needs("dnf")
        self.folder = folder
        for name in ("repos", "log"):
            (folder / name).mkdir(parents=True)
        shutil.copy(repository / f"{NAME}.repo", folder / "repos")

    def install(self) -> subprocess.CompletedProcess[str]:
        places = {"reposdir": "repos", "cachedir": "cache", "logdir": "log", "persistdir": "state"}
        options = [f"--setopt={option}={self.folder / name}" for option, name in places.items()]
        return run("dnf", "-y", *options, f"--installroot={self.folder / 'root'}", "--releasever=9", "install", NAME)

    @property
    def installed(self) -> bool:
        return (self.folder / f"root/opt/{NAME}").exists()


@pytest.fixture(params=SYSTEMS.values())
def repository(request: pytest.FixtureRequest, target: Path) -> Path:
    return target / "rpm" / str(request.param)


@pytest.fixture
def el9(target: Path) -> Path:
    return target / "rpm/el9"


def test_dnf_installs_the_package(repository: Path, tmp_path: Path) -> None:
    dnf = Dnf(tmp_path / "dnf", repository)
    done = dnf.install()
    assert done.returncode == 0, done.stdout + done.stderr
    assert dnf.installed


def test_each_system_gets_its_own_package(made: Path) -> None:
    for dist, folder in SYSTEMS.items():
        assert [file.name for file in (made / "rpm" / folder).glob("*.rpm")] == [f"{NAME}-0.0.1-1.{dist}.noarch.rpm"]


def test_dnf_refuses_an_index_that_is_not_what_was_signed(el9: Path, tmp_path: Path) -> None:
    flip(el9 / "repodata/repomd.xml", b"<revision>")
    dnf = Dnf(tmp_path / "dnf", el9)
    done = dnf.install()
    assert done.returncode == 1
    assert "signature" in done.stderr
    assert not dnf.installed


def test_dnf_refuses_a_package_that_nobody_signed(el9: Path, packages: Path, gnupg: str, tmp_path: Path) -> None:
    for package in packages.glob("*.el9.*"):
        shutil.copy(package, el9)
    succeed("createrepo_c", "--quiet", "--no-database", el9)
    sign = ("gpg", "--batch", "--yes", "--local-user", KEY, "--armor", "--detach-sign")
    succeed(*sign, el9 / "repodata/repomd.xml", GNUPGHOME=gnupg)
    dnf = Dnf(tmp_path / "dnf", el9)
    done = dnf.install()
    assert done.returncode == 1
    assert "is not signed" in done.stdout + done.stderr
    assert not dnf.installed


def test_rpm_knows_the_signature_of_a_package(target: Path, el9: Path, tmp_path: Path) -> None:
    (package,) = el9.glob("*.rpm")
    database = ("rpmkeys", "--dbpath", tmp_path / "keys")
    succeed(*database, "--import", target / f"{NAME}.asc")
    assert "digests signatures OK" in succeed(*database, "--checksig", package)
    flip(package, b"\x1f\x8b" if b"\x1f\x8b" in package.read_bytes() else b"\x28\xb5\x2f\xfd")
    assert "NOT OK" in run(*database, "--checksig", package).stdout


# apk: neither program of Alpine's is to be had elsewhere, so what is tried is how they are called

APK = """\
#!/bin/sh
# index --allow-untrusted --quiet --rewrite-arch ARCH --output FILE PACKAGE...
[ "$1 $2 $3 $4 $6 $7" = 'index --allow-untrusted --quiet --rewrite-arch --output APKINDEX.tar.gz' ] || exit 1
{ echo "$5"; shift 7; ls "$@"; } >APKINDEX.tar.gz
"""
ABUILD_SIGN = """\
#!/bin/sh
# -q -k KEY FILE
[ "$1 $2" = '-q -k' ] && [ -f "$3" ] && echo "signed by ${3##*/}" >>"$4"
"""


@pytest.fixture
def dist_with_apk(packages: Path, tmp_path: Path) -> Path:
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / f"{NAME}-0.0.1-r0.apk").write_text("a package of Alpine's")
    for package in packages.glob("*.deb"):
        shutil.copy(package, dist)
    return dist


def test_the_index_of_each_machine_is_made_and_signed_by_alpines_programs(
    dist_with_apk: Path, gnupg: str, tmp_path: Path
) -> None:
    programs, key, target = tmp_path / "bin", tmp_path / "me.rsa", tmp_path / "target"
    programs.mkdir()
    for name, text in (("apk", APK), ("abuild-sign", ABUILD_SIGN)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    key.write_text("PRIVATE KEY")
    Path(f"{key}.pub").write_text("the public half")
    path = f"{programs}:{os.environ['PATH']}"
    succeed(SCRIPT, dist_with_apk, target, KEY, "file:///x", GNUPGHOME=gnupg, PATH=path, PACKAGER_PRIVKEY=str(key))
    assert (target / "alpine/me.rsa.pub").read_text() == "the public half"
    for arch in ("x86_64", "aarch64"):
        index = (target / "alpine" / arch / "APKINDEX.tar.gz").read_text()
        assert index == f"{arch}\n./{NAME}-0.0.1-r0.apk\nsigned by me.rsa\n"
        assert (target / "alpine" / arch / f"{NAME}-0.0.1-r0.apk").exists()


def test_without_alpines_key_the_others_are_made_and_it_says_so(
    dist_with_apk: Path, gnupg: str, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    said = succeed(SCRIPT, dist_with_apk, target, KEY, "file:///x", GNUPGHOME=gnupg, PACKAGER_PRIVKEY="")
    assert "note: no repository for apk was made" in said
    assert (target / "deb/dists/stable/InRelease").exists()
    assert not (target / "alpine").exists()


# The real packages


def test_the_real_packages_are_as_they_were_built_and_signed(gnupg: str, tmp_path: Path) -> None:
    deb, *rpms = (
        built(f"{NAME}_{VERSION}_all.deb"),
        *(built(f"{NAME}-{VERSION}-1.{dist}.noarch.rpm") for dist in SYSTEMS),
    )
    target = tmp_path / "repositories"
    succeed(SCRIPT, deb.parent, target, KEY, f"file://{target}", GNUPGHOME=gnupg)
    apt = Apt(tmp_path / "apt", target / f"{NAME}.sources")
    assert apt("update").returncode == 0
    assert apt("download", NAME).returncode == 0
    assert next(apt.folder.glob("*.deb")).read_bytes() == deb.read_bytes()
    database = ("rpmkeys", "--dbpath", tmp_path / "keys")
    succeed(*database, "--import", target / f"{NAME}.asc")
    for package, folder in zip(rpms, SYSTEMS.values(), strict=True):
        signed = target / "rpm" / folder / package.name
        assert "digests signatures OK" in succeed(*database, "--checksig", signed)
        query = ("rpm", "-qp", "--nosignature", "--qf", "%{SHA256HEADER} [%{FILENAMES} %{FILEDIGESTS}\n]")
        assert succeed(*query, signed) == succeed(*query, package)


@pytest.mark.parametrize("name", ["Ubuntu 22.04", "Debian 13"])
def test_the_oldest_and_the_newest_apt_install_the_real_package(name: str, gnupg: str, tmp_path: Path) -> None:
    if why := unusable():
        pytest.skip(why)
    deb = built(f"{NAME}_{VERSION}_all.deb")
    target = tmp_path / "repositories"
    succeed(SCRIPT, deb.parent, target, KEY, "file:///srv/repositories", GNUPGHOME=gnupg)
    try:
        folder = with_package(next(one for one in DISTRIBUTIONS if one.name == name), deb)
    except UnreachableError as error:
        pytest.xfail(str(error))
    with Root(folder) as root:
        root.apt_get("remove", NAME)
        shutil.rmtree(root.path / "etc/apt")
        shutil.copytree(target, root.path / "srv/repositories")
        (root.path / "etc/apt/sources.list.d").mkdir(parents=True)
        shutil.copy(target / f"{NAME}.sources", root.path / "etc/apt/sources.list.d")
        root.apt_get("update")
        root.apt_get("install", NAME)
        assert root.output(NAME, "--version") == f"{NAME} {VERSION}\n"
        assert "file:/srv/repositories/deb stable/main" in root.output("apt-cache", "policy", NAME)


# The script itself


def test_an_older_version_stays_with_busybox_too(made: Path, gnupg: str, tmp_path: Path) -> None:
    needs("busybox")
    target, newer = tmp_path / "repositories", tmp_path / "newer"
    shutil.copytree(made, target)
    tree = tmp_path / "deb"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(CONTROL.replace("0.0.1", "0.0.2"))
    newer.mkdir()
    succeed("dpkg-deb", "--root-owner-group", "--build", tree, newer / f"{NAME}_0.0.2_all.deb")
    succeed("busybox", "sh", SCRIPT, newer, target, KEY, f"file://{target}", GNUPGHOME=gnupg)
    apt = Apt(tmp_path / "apt", target / f"{NAME}.sources")
    assert apt("update").returncode == 0
    for version in ("0.0.1", "0.0.2"):
        assert apt("download", f"{NAME}={version}").returncode == 0


def test_nothing_secret_is_among_what_is_served(made: Path) -> None:
    for file in made.rglob("*"):
        assert file.is_dir() or b"PRIVATE KEY" not in file.read_bytes()
        assert file.stat().st_mode & 0o004


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "usage: packages/repository DIST TARGET KEY URL\n"),
        (("{empty}", "{target}", KEY, "https://example.org"), 1, "holds no package\nnext:  make packages\n"),
        (("{packages}", "{target}", "nobody@example.org", "https://example.org"), 1, "gpg has no key nobody"),
    ],
)
def test_what_is_missing_is_said(
    words: Sequence[str], code: int, said: str, packages: Path, gnupg: str, tmp_path: Path
) -> None:
    places = {"empty": str(tmp_path), "packages": str(packages), "target": str(tmp_path / "target")}
    done = run(SCRIPT, *(word.format(**places) for word in words), GNUPGHOME=gnupg)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
