"""Clean roots of the distributions a package is for, made by debootstrap once per machine, and copies that vanish.

A root lies in build/roots and is never changed. A test gets an overlay of it, which is in memory and in namespaces of
its own: nothing has to be taken back, and nothing is left when the test is killed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.packages.built import ROOT, output

ROOTS = ROOT / "build/roots"
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
NEEDED = ("debootstrap", "nsenter", "unshare")
LIMIT_S = 300.0

UBUNTU_KEYS = (
    "http://archive.ubuntu.com/ubuntu/pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb",
    "36de43b15853ccae0028e9a767613770c704833f82586f28eb262f0311adb8a8",
)
"""With its SHA-256, which makes it trustworthy: Debian has no package of Ubuntu's keys."""


class Distribution(NamedTuple):
    """A release that the package is for. `required`: its archive has to be reachable wherever the tests run."""

    name: str
    suite: str
    mirror: str
    required: bool


_DEBIAN, _UBUNTU = "http://deb.debian.org/debian", "http://archive.ubuntu.com/ubuntu"
DISTRIBUTIONS = (
    Distribution("Debian 12", "bookworm", _DEBIAN, True),
    Distribution("Debian 13", "trixie", _DEBIAN, True),
    Distribution("Ubuntu 22.04", "jammy", _UBUNTU, False),
    Distribution("Ubuntu 24.04", "noble", _UBUNTU, False),
)


class UnreachableError(Exception):
    """The archive of a distribution that need not be reachable is not."""


class Root:
    """A root with mounts and processes of its own; use it in a `with`.

    Args:
        folder: what it shows.
        keep: whether what is written stays in `folder`; else it is in memory, and gone at the end.

    Attributes:
        path: where its files are seen from outside, as long as it is open. Absolute links in it lead outside.
    """

    path: Path

    def __init__(self, folder: Path, *, keep: bool = False) -> None:
        self._folder, self._keep = folder, keep

    def __enter__(self) -> Root:
        mount = "mount --bind" if self._keep else _OVERLAY
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", _MOUNTS.format(mount=mount), "sh"]
            + [str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout and self._holder.stdout.readline() == b"mounted\n", f"{self._folder} cannot be used"
        self.path = Path(f"/proc/{self._holder.pid}/root/mnt")
        return self

    def __exit__(self, *_: object) -> None:
        # Without its standard input the holder ends, and with it every process and mount of the root.
        self._holder.communicate()

    def command(self, *words: str, user: int = 0, environ: Mapping[str, str] | None = None) -> list[str]:
        """What starts a program of the root, from `/`, with an environment of its own."""
        variables = [f"{name}={value}" for name, value in {**_ENVIRON, **(environ or {})}.items()]
        return [*self.entered, "chroot", f"--userspec={user}:{user}", "/mnt", "env", "-i", *variables, *words]

    def run(
        self, *words: str, user: int = 0, check: bool = True, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the root. Without `check` it may fail."""
        done = subprocess.run(
            self.command(*words, user=user, environ=environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=LIMIT_S,
        )
        assert not check or done.returncode == 0, f"{' '.join(words)}:\n{done.stdout}{done.stderr}"
        return done

    def output(self, *words: str, user: int = 0, environ: Mapping[str, str] | None = None) -> str:
        """What a program of the root prints, which must succeed."""
        return self.run(*words, user=user, environ=environ).stdout

    @property
    def entered(self) -> list[str]:
        """Before a command, so that it runs where the root is mounted: at /mnt."""
        namespaces = f"/proc/{self._holder.pid}/ns"
        return ["nsenter", f"--mount={namespaces}/mnt", f"--pid={namespaces}/pid_for_children"]

    def take(self, *files: Path) -> list[str]:
        """Copy files of this machine into it; where they are now."""
        for file in files:
            shutil.copy(file, self.path / "root")
        return [f"/root/{file.name}" for file in files]

    def apt_get(self, *words: str) -> str:
        """What apt says, which installs no more than what is needed, asks nobody and keeps edited configuration."""
        keep = "-oDpkg::Options::=--force-confold"
        return self.output("apt-get", "-q", "-y", "--no-install-recommends", keep, *words)

    def packages(self) -> set[str]:
        """The packages that are installed."""
        listed = self.output("dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Package}\n").splitlines()
        return {line[3:].strip() for line in listed if line.startswith("ii")}

    def files(self, *, everything: bool = False) -> set[str]:
        """The paths of all there is; without `everything` not what apt and dpkg keep for themselves."""
        listed = self.output("find", "/", "-xdev", "-print").splitlines()
        left_out = _MOUNTED if everything else _MOUNTED + _OF_APT
        return {path for path in listed if not path.startswith(left_out)}


_MOUNTED = ("/proc", "/dev/pts")
_OF_APT = ("/var/lib/apt/", "/var/lib/dpkg/", "/var/cache/", "/var/log/", "/root/", "/tmp/", "/run/lock")
_ENVIRON = {"PATH": SYSTEM_PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
_OVERLAY = """over() {
  mount -t tmpfs -o mode=755 tmpfs /media
  mkdir /media/upper /media/work
  mount -t overlay -o "lowerdir=$1,upperdir=/media/upper,workdir=/media/work" overlay "$2"
}
over"""
_MOUNTS = """{mount} "$1" /mnt
mount -t proc proc /mnt/proc
mount -t devpts devpts /mnt/dev/pts
echo mounted
read -r _ || :"""


def unusable() -> str | None:
    """Why there can be no root on this machine."""
    if os.geteuid() != 0:
        return "roots of other distributions need root"
    missing = [program for program in NEEDED if not shutil.which(program, path=SYSTEM_PATH)]
    return f"not installed: {', '.join(missing)}" if missing else None


def clean(distribution: Distribution) -> Path:
    """Its root of debootstrap's variant minbase. Raises UnreachableError."""
    return _made(distribution.suite, distribution.mirror, lambda folder: _debootstrap(distribution, folder))


def with_package(distribution: Distribution, package: Path) -> Path:
    """The clean root in which apt has installed a .deb. Raises UnreachableError."""
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    return _extended(distribution, "package", digest, lambda root: root.apt_get("install", *root.take(package)))


def with_depends(distribution: Distribution, package: Path) -> Path:
    """The clean root in which apt has installed all that a .deb depends on. Raises UnreachableError."""
    wanted = output("dpkg-deb", "-f", package, "Depends").strip()
    return _extended(distribution, "depends", wanted, lambda root: root.apt_get("satisfy", wanted))


def with_python(distribution: Distribution) -> Path:
    """The clean root in which apt has installed python3 alone. Raises UnreachableError."""
    return _extended(distribution, "python", "python3", lambda root: root.apt_get("install", "python3"))


def with_openrc(distribution: Distribution) -> Path:
    """The clean root in which apt has installed python3, OpenRC and busybox. Raises UnreachableError."""
    wanted = ("python3", "openrc", "busybox")
    return _extended(distribution, "openrc", str(wanted), lambda root: root.apt_get("install", *wanted))


def like_python_image(distribution: Distribution) -> Path:
    """The clean root with Python and pip in /usr/local, as the images of Python have them. Raises UnreachableError."""

    def install(root: Root) -> None:
        root.apt_get("install", "python3-venv")
        root.run("python3", "-m", "venv", "/usr/local")
        # Nor do they have these, and half as much is to be copied.
        root.run("find", "/var/lib/apt/lists", *(f"/usr/share/{name}" for name in _SLIM), "-type", "f", "-delete")

    return _extended(distribution, "image", "python3-venv, slim", install)


def of_image(key: str, build: Callable[[Path], None]) -> Path:
    """The folder of an image, which `build` makes and fills once for a key."""
    return _made("image", key, build)


_SLIM = ("doc", "locale", "man")


def _extended(distribution: Distribution, name: str, key: str, extend: Callable[[Root], object]) -> Path:
    base = clean(distribution)

    def make(folder: Path) -> None:
        subprocess.run(["cp", "-a", "--reflink=auto", base, folder], check=True)
        with Root(folder, keep=True) as root:
            root.apt_get("update")
            extend(root)
            root.apt_get("clean")

    return _made(f"{distribution.suite}-{name}", key, make)


def _made(name: str, key: str, make: Callable[[Path], None]) -> Path:
    """The folder of this name, made once for a key, whoever asks for it at the same time."""
    ROOTS.mkdir(parents=True, exist_ok=True)
    folder, half, made_for = ROOTS / name, ROOTS / f"{name}.half", ROOTS / f"{name}.key"
    with _alone(ROOTS / f"{name.partition('-')[0]}.lock"):
        if not folder.exists() or not made_for.exists() or made_for.read_text("utf-8") != key:
            for old in (half, folder):
                if old.exists():
                    shutil.rmtree(old)
            make(half)
            half.rename(folder)
            made_for.write_text(key, "utf-8")
    return folder


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _debootstrap(distribution: Distribution, folder: Path) -> None:
    try:
        urllib.request.urlopen(f"{distribution.mirror}/dists/{distribution.suite}/Release", timeout=20).close()
    except (urllib.error.URLError, TimeoutError) as error:
        if distribution.required:
            raise
        raise UnreachableError(f"{distribution.mirror} cannot be reached ({error})") from error
    # Debian's debootstrap has no script for the newest Ubuntu; all of Ubuntu are made by the same one.
    ubuntu = () if distribution.required else ("/usr/share/debootstrap/scripts/gutsy",)
    keys = f"--keyring={_ubuntu_keys()}" if ubuntu else "--force-check-gpg"
    options = ("--variant=minbase", keys, distribution.suite, str(folder), distribution.mirror, *ubuntu)
    subprocess.run(["debootstrap", *options], check=True, stdout=subprocess.DEVNULL, env={"PATH": SYSTEM_PATH})
    # Nothing here has to outlive a crash of the machine.
    (folder / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n")
    # No service is started: there is no init.
    policy = folder / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)


def _ubuntu_keys() -> Path:
    def make(folder: Path) -> None:
        folder.mkdir()
        package = folder / "keys.deb"
        url, digest = UBUNTU_KEYS
        with urllib.request.urlopen(url, timeout=20) as answer:
            package.write_bytes(answer.read())
        assert hashlib.sha256(package.read_bytes()).hexdigest() == digest, f"{url} is not what it was"
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True)

    return _made("ubuntu_keys", UBUNTU_KEYS[1], make) / "usr/share/keyrings/ubuntu-archive-keyring.gpg"
