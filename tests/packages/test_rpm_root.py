"""The .rpm as dnf installs, upgrades and removes it; its scripts are run by the shell and the programs of a root.

There is no root of RHEL or Fedora to be had. Ubuntu 24.04 has the same /usr/bin/python3.12 as RHEL; where its archive
cannot be reached, Debian's Python is called so. What the package requires is provided by a stand-in of that name.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packages.built import ENVIRON, ROOT, built, output
from tests.packages.checkout import VERSION
from tests.packages.roots import DISTRIBUTIONS, Root, UnreachableError, unusable, with_python

PROGRAMS = ("rpmbuild", "createrepo_c", "dnf")
missing = unusable() or ", ".join(f"{name} is missing" for name in PROGRAMS if not shutil.which(name))
# The first one makes the root.
pytestmark = [pytest.mark.skipif(bool(missing), reason=missing), pytest.mark.timeout(600)]

LIBRARY = "/usr/lib/hcloud-reassign"
CERTIFICATES = "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
CONFIG = "/etc/hcloud-reassign/config.ini"
REQUIRED = ("/bin/sh", "/usr/bin/python3", "python3 = 3.12", "ca-certificates", "findutils", "shadow-utils")
OF_DNF = ("/var/lib/rpm", "/var/lib/dnf", "/var/log/", "/var/cache/", "/tmp/")

STAND_IN = """\
Name: stand-in
Version: 1
Release: 1
Summary: What the packages of the distribution provide
License: MIT
BuildArch: noarch
Provides: {provides}
%description
%{{summary}}.
%package -n python3.12
Summary: What RHEL 9 has besides its python3
Provides: /usr/bin/python3.12
%description -n python3.12
%{{summary}}.
%install
mkdir -p %{{buildroot}}/usr/share/licenses %{{buildroot}}/usr/lib/sysusers.d $(dirname %{{buildroot}}{certificates})
echo certificates of the system >%{{buildroot}}{certificates}
%files
{certificates}
%dir /usr/share/licenses
%dir /usr/lib/sysusers.d
%files -n python3.12
"""

EARLIER = """\
hcloud-reassign (0.0.1) unstable; urgency=medium

  * First.

 -- Ada <ada@example.org>  Sat, 21 Nov 2020 08:41:13 +0000
"""

DNF = """\
[main]
assumeyes=1
cachedir={folder}/cache
logdir={folder}
reposdir={folder}
plugins=0
[packages]
name=packages
baseurl=file://{folder}/packages
"""


class Machine:
    """A root, and a repository of packages for it. The stand-in is there from the beginning."""

    def __init__(self, root: Root, folder: Path, packages: Path) -> None:
        self.root, self._folder = root, folder
        (folder / "dnf.conf").write_text(DNF.format(folder=folder))
        # Debian's rpm would keep its database in the home of root.
        (folder / ".rpmmacros").write_text("%_dbpath /var/lib/rpm\n")
        shutil.copytree(packages, folder / "packages")
        self._index()
        self.dnf("install", "stand-in")

    def offer(self, package: Path) -> None:
        """Put a package into the repository."""
        shutil.copy(package, self._folder / "packages")
        self._index()

    def withdraw(self, name: str) -> None:
        """Take a package out of it."""
        (self._folder / "packages" / name).unlink()
        self._index()

    def _index(self) -> None:
        output("createrepo_c", "--quiet", self._folder / "packages")

    def dnf(self, *words: str) -> None:
        done = self.tried(*words)
        assert done.returncode == 0, f"dnf {' '.join(words)}:\n{done.stdout}{done.stderr}"

    def tried(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The same, but it may fail."""
        options = ("--config", str(self._folder / "dnf.conf"), "--installroot=/mnt", "--releasever=9", "--refresh")
        return self._outside("dnf", *options, *words)

    def rpm(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._outside("rpm", "--root=/mnt", *words)

    def _outside(self, *command: str) -> subprocess.CompletedProcess[str]:
        environ = ENVIRON | {"HOME": str(self._folder)}
        return subprocess.run([*self.root.entered, *command], env=environ, capture_output=True, text=True)

    def modules(self) -> set[str]:
        """The modules of the library, each by the name of the byte-code that this root's Python looks for."""
        tag = self.root.output("/usr/bin/python3.12", "-c", "import sys; print(sys.implementation.cache_tag)").strip()
        paths = map(Path, self.root.output("find", LIBRARY, "-name", "*.py").splitlines())
        return {f"{path.parent}/__pycache__/{path.stem}.{tag}.pyc" for path in paths}

    def byte_code(self) -> set[str]:
        return set(self.root.output("find", LIBRARY, "-name", "*.pyc").splitlines())

    def stat(self, path: str) -> str:
        return self.root.output("stat", "-c", "%U:%G %a", path).strip()

    def files(self) -> set[str]:
        """All there is, but for what rpm and dnf keep, and the copies that useradd makes of what it changes."""
        return {path for path in self.root.files() if not path.startswith(OF_DNF) and not path.endswith("-")}


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the packages that stand in for those of the distribution."""
    folder = tmp_path_factory.mktemp("stand-in")
    (folder / "spec").write_text(STAND_IN.format(provides=" ".join(REQUIRED), certificates=CERTIFICATES))
    output("rpmbuild", "--quiet", "--define", f"_topdir {folder}", "-bb", folder / "spec")
    return folder / "RPMS/noarch"


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version of which a library is gone today, and whose configuration began otherwise."""
    folder = tmp_path_factory.mktemp("earlier")
    library = folder / "stage/root/usr/lib/hcloud-reassign"
    shutil.copytree(ROOT / "build/stage", folder / "stage")
    for path in library.glob("*"):
        if path.is_dir() and path.suffix != ".dist-info" and path.name not in ("certifi", "hcloud_reassign"):
            shutil.rmtree(path)
    (library / "gone/deep").mkdir(parents=True)
    (library / "gone/deep/module.py").touch()
    (folder / "stage/changelog").write_text(EARLIER)
    (folder / "stage/root" / CONFIG[1:]).write_text("; of 0.0.1\n")
    output(ROOT / "packages/build-rpm", folder / "stage", folder)
    return folder / "hcloud-reassign-0.0.1-1.el9.noarch.rpm"


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    """The folder of a root with a Python."""
    try:
        yield with_python(next(distribution for distribution in DISTRIBUTIONS if distribution.suite == "noble"))
    except UnreachableError:
        yield with_python(DISTRIBUTIONS[0])


@pytest.fixture
def machine(base: Path, tmp_path: Path, stand_in: Path) -> Iterator[Machine]:
    with Root(base) as root:
        if not (root.path / "usr/bin/python3.12").exists():
            (root.path / "usr/bin/python3.12").symlink_to("python3")
        yield Machine(root, tmp_path, stand_in)


def package(distribution: str) -> Path:
    return built(f"hcloud-reassign-{VERSION}-1.{distribution}.noarch.rpm")


def test_installed_it_runs_by_its_own_libraries_with_byte_code_for_all(machine: Machine) -> None:
    machine.offer(package("el9"))
    machine.dnf("install", "hcloud-reassign")
    assert machine.byte_code() == machine.modules()
    assert machine.root.output("hcloud-reassign", "--version", user=65534) == f"hcloud-reassign {VERSION}\n"
    machine.root.output("hcloud-reassign", "demo", environ={"HCLOUD_REASSIGN_STATE": "/run/demo"})
    verified = machine.rpm("--verify", "hcloud-reassign")
    assert (verified.returncode, verified.stdout) == (0, "")


def test_whom_the_system_trusts_it_trusts(machine: Machine) -> None:
    machine.offer(package("fc43"))
    machine.dnf("install", "hcloud-reassign")
    code = f"import sys; sys.path.insert(0, {LIBRARY!r}); import requests.certs; print(requests.certs.where())"
    bundle = machine.root.output("python3", "-IS", "-c", code).strip()
    assert machine.root.output("cat", bundle) == "certificates of the system\n"


def test_the_user_of_the_unit_is_made_and_reads_the_configuration(machine: Machine) -> None:
    machine.offer(package("el9"))
    machine.dnf("install", "hcloud-reassign")
    user = machine.root.output("getent", "passwd", "hcloud-reassign").strip().split(":")
    assert user[5:] == ["/var/lib/hcloud-reassign", "/sbin/nologin"] and int(user[2]) < 1000
    assert machine.stat(CONFIG) == "root:hcloud-reassign 640"
    assert not [path for path in machine.files() if path.startswith("/etc/systemd/") and "hcloud-reassign" in path]


def test_a_user_that_the_administrator_made_is_left_as_it_is(machine: Machine) -> None:
    machine.root.output("groupadd", "--gid", "4242", "hcloud-reassign")
    machine.root.output("useradd", "--uid", "4243", "--gid", "4242", "--home-dir", "/srv", "hcloud-reassign")
    before = machine.root.output("getent", "passwd", "hcloud-reassign")
    machine.offer(package("el9"))
    machine.dnf("install", "hcloud-reassign")
    assert machine.root.output("getent", "passwd", "hcloud-reassign") == before
    assert machine.root.output("stat", "-c", "%g", CONFIG) == "4242\n"


@pytest.mark.parametrize("distribution", ["el10", "fc43"])
def test_removed_it_leaves_nothing_of_what_it_installed_or_wrote(machine: Machine, distribution: str) -> None:
    before = machine.files()
    machine.offer(package(distribution))
    machine.dnf("install", "hcloud-reassign")
    machine.root.output("python3", "-m", "compileall", "-q", "-o", "1", f"{LIBRARY}/hcloud_reassign")
    assert machine.byte_code() > machine.modules()
    machine.dnf("remove", "hcloud-reassign")
    assert machine.files() == before


def test_an_upgrade_keeps_the_edited_configuration_and_nothing_else(machine: Machine, earlier: Path) -> None:
    machine.offer(earlier)
    machine.dnf("install", "hcloud-reassign")
    assert machine.byte_code() == machine.modules()
    (machine.root.path / CONFIG[1:]).write_text("; edited\n")

    machine.offer(package("el9"))
    machine.dnf("upgrade", "hcloud-reassign")
    assert machine.byte_code() == machine.modules()
    assert not [path for path in machine.files() if path.startswith(f"{LIBRARY}/gone")]
    assert machine.root.output("hcloud-reassign", "--version") == f"hcloud-reassign {VERSION}\n"

    assert machine.root.output("cat", CONFIG) == "; edited\n"
    assert machine.root.output("cat", f"{CONFIG}.rpmnew") == (ROOT / "packages/config.ini").read_text("utf-8")
    assert machine.stat(CONFIG) == machine.stat(f"{CONFIG}.rpmnew") == "root:hcloud-reassign 640"

    machine.dnf("remove", "hcloud-reassign")
    assert machine.root.output("cat", f"{CONFIG}.rpmsave") == "; edited\n"


def test_without_its_python_it_is_not_installed(machine: Machine) -> None:
    machine.offer(package("el9"))
    machine.withdraw("python3.12-1-1.noarch.rpm")
    refused = machine.tried("install", "hcloud-reassign")
    assert refused.returncode == 1
    assert "nothing provides /usr/bin/python3.12 needed by hcloud-reassign" in refused.stderr
