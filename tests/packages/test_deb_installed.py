"""The .deb installed by apt in clean roots of all distributions it is for; and upgraded, removed and purged there."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.packages import roots
from tests.packages.built import ENVIRON, built, output
from tests.packages.checkout import VERSION
from tests.packages.roots import DISTRIBUTIONS, Distribution, Root, UnreachableError
from tests.packages.test_completions import BASH, Shell

WHY_NOT = roots.unusable()
pytestmark = [
    pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT)),
    # The first test waits for the roots of all distributions.
    pytest.mark.timeout(600),
]

CONFIG, NOTIFY = "/etc/hcloud-reassign/config.ini", "/etc/hcloud-reassign/notify.conf"
LIBRARY, STATE = "/usr/lib/hcloud-reassign", "/var/lib/hcloud-reassign"
UNIT = "/usr/lib/systemd/system/hcloud-reassign@.service"
NOBODY = 65534

PYTHON = r"python3(\.\d+)?(-minimal)?"
POISON = "raise SystemExit('poisoned')\n"

CERTIFIED = """\
set -eu
cd /root
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout key -out certificate \
  -subj /CN=company -addext subjectAltName=IP:127.0.0.1 2>/dev/null
hcloud-reassign simulate --listen 127.0.0.1:0 --tls-cert certificate --tls-key key >shown 2>&1 &
until url=$(grep -om1 'https://[0-9.:]*/v1' shown); do kill -0 $!; sleep 0.05; done
HCLOUD_TOKEN=simulated-token HCLOUD_ENDPOINT=$url
export HCLOUD_TOKEN HCLOUD_ENDPOINT
if hcloud-reassign init -c -; then echo 'trusted too early'; exit 1; fi
cp certificate /usr/local/share/ca-certificates/company.crt
update-ca-certificates >/dev/null 2>&1
hcloud-reassign init -c -
"""
"""A project behind a certificate of the company's own, before and after the administrator has this machine trust it."""


class Prepared(NamedTuple):
    """A distribution's roots: as debootstrap makes it, with what the package depends on, with the package."""

    distribution: Distribution
    clean: Path
    depends: Path
    installed: Path


def package() -> Path:
    return built(f"hcloud-reassign_{VERSION}_all.deb")


def prepare(distribution: Distribution, deb: Path) -> Prepared:
    clean = roots.clean(distribution)
    return Prepared(distribution, clean, roots.with_depends(distribution, deb), roots.with_package(distribution, deb))


@pytest.fixture(scope="session")
def making() -> Iterator[Mapping[str, Future[Prepared]]]:
    """All at the same time, because much of it is waiting."""
    deb = package()
    with ThreadPoolExecutor(len(DISTRIBUTIONS)) as threads:
        yield {one.suite: threads.submit(prepare, one, deb) for one in DISTRIBUTIONS}


@pytest.fixture(scope="session", params=[one.suite for one in DISTRIBUTIONS])
def prepared(making: Mapping[str, Future[Prepared]], request: pytest.FixtureRequest) -> Prepared:
    try:
        return making[request.param].result()
    except UnreachableError as error:
        # Not a skip, which is a failure in CI: Ubuntu's archive is not to be had everywhere.
        pytest.xfail(str(error))


@pytest.fixture
def root(prepared: Prepared) -> Iterator[Root]:
    """The package is installed here."""
    with Root(prepared.installed) as root:
        yield root


@pytest.fixture
def bare(prepared: Prepared) -> Iterator[Root]:
    """All is here but the package."""
    with Root(prepared.depends) as root:
        yield root


@pytest.fixture
def debian(making: Mapping[str, Future[Prepared]]) -> Iterator[Root]:
    """The package is installed here, in the newest Debian."""
    with Root(making["trixie"].result().installed) as root:
        yield root


@pytest.fixture(scope="session")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package at a lower version, with another configuration and a module that is gone since."""
    folder = tmp_path_factory.mktemp("earlier")
    content, deb = folder / "content", folder / "earlier.deb"
    output("dpkg-deb", "-R", package(), content)
    control = content / "DEBIAN/control"
    control.write_text(re.sub("(?m)^Version: .*", "Version: 0.0.1", control.read_text("utf-8")), "utf-8")
    (content / f".{CONFIG}").write_text("; earlier\n")
    (content / f".{NOTIFY}").write_text("; earlier\n")
    (content / f".{LIBRARY}/gone/__init__.py").parent.mkdir()
    (content / f".{LIBRARY}/gone/__init__.py").touch()
    output("dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "-b", content, deb)
    return deb


def stat(root: Root, path: str) -> str:
    """Owner, group and mode."""
    return root.output("stat", "-c", "%U:%G %a", path).strip()


def install(root: Root, deb: Path) -> None:
    root.apt_get("install", *root.take(deb))


def test_apt_installs_python_certificates_and_systemd_and_no_library_of_python(prepared: Prepared) -> None:
    with Root(prepared.clean) as before, Root(prepared.installed) as after:
        new = after.packages() - before.packages()
    assert {"ca-certificates", "hcloud-reassign", "python3", "systemd"} <= new
    assert [name for name in new if name.startswith("python3") and not re.fullmatch(PYTHON, name)] == []
    assert new & {"curl", "keepalived", "pacemaker", "wget", "iproute2"} == set()


def test_what_dpkg_has_installed_is_whole(root: Root) -> None:
    assert root.output("dpkg", "--audit") == ""
    assert root.output("dpkg", "--verify", "hcloud-reassign") == ""


def test_root_and_others_run_it_and_nothing_is_left_on_the_disk(root: Root) -> None:
    before = root.files(everything=True)
    for user, home in ((0, "/root"), (NOBODY, "/nonexistent")):
        words: dict[str, Any] = {"user": user, "environ": {"HOME": home}}
        assert root.output("hcloud-reassign", "--version", **words) == f"hcloud-reassign {VERSION}\n"
        assert "Usage: hcloud-reassign run" in root.output("hcloud-reassign", "run", "--help", **words)
        assert "notify.conf" in root.output("hcloud-reassign-notify", "--help", **words)
    assert re.search("done +floating.web .* srv-a → srv-b", root.output("hcloud-reassign", "demo"))
    assert root.files(everything=True) == before


def test_the_configuration_that_is_installed_says_what_to_do(root: Root) -> None:
    done = root.run("hcloud-reassign", "status", check=False)
    assert done.returncode == 2
    assert f"error: {CONFIG}: the file has no assignment" in done.stderr
    assert "next:   hcloud-reassign init" in done.stderr


def test_the_unit_has_a_user_that_may_read_the_configuration_and_nobody_else_may(root: Root) -> None:
    assert stat(root, CONFIG) == "root:hcloud-reassign 640"
    assert stat(root, NOTIFY) == "root:root 644"
    _, _, _, _, _, home, shell = root.output("getent", "passwd", "hcloud-reassign").strip().split(":")
    assert (home, Path(shell).name) == (STATE, "nologin")
    status = ("hcloud-reassign", "-c", CONFIG, "status")
    assert "has no assignment" in root.run("runuser", "-u", "hcloud-reassign", "--", *status, check=False).stderr
    assert "Permission denied" in root.run(*status, user=NOBODY, check=False).stderr


def test_the_unit_is_sound_and_started_by_nobody(root: Root) -> None:
    root.output("systemd-analyze", "verify", "--man=no", UNIT.replace("@", "@floating.web"))
    assert root.run("systemctl", "is-enabled", "hcloud-reassign@floating.web", check=False).stdout == "static\n"
    assert [path for path in root.files() if path.startswith("/etc/systemd") and "hcloud-reassign" in path] == []


def test_every_module_is_compiled(root: Root) -> None:
    compiled = root.output("find", LIBRARY, "-name", "*.pyc").splitlines()
    modules = root.output("find", LIBRARY, "-name", "*.py").splitlines()
    assert {re.sub(r"__pycache__/(.*)\.cpython-\d+\.pyc$", r"\1.py", path) for path in compiled} == set(modules)


def test_what_others_installed_for_python_does_not_reach_it(root: Root) -> None:
    root.run("useradd", "--create-home", "--uid", "1234", "poisoned")
    user = {"HOME": "/home/poisoned", "PYTHONPATH": "/opt/poison"}
    own = root.output(
        "python3", "-c", "import site; print(site.getusersitepackages())", user=1234, environ=user
    ).strip()
    local = f"/usr/local/lib/{Path(own).parent.name}/dist-packages"
    modules = ("hcloud", "hcloud_reassign", "requests", "rich", "sitecustomize", "typer", "usercustomize")
    for place in (own, local, "/usr/lib/python3/dist-packages", "/opt/poison"):
        (root.path / place[1:]).mkdir(parents=True, exist_ok=True)
        for module in modules:
            (root.path / place[1:] / f"{module}.py").write_text(POISON)
    assert "poisoned" in root.run("python3", "-c", "import rich", check=False).stderr
    assert "done" in root.output("env", "-C", "/opt/poison", "hcloud-reassign", "demo", user=1234, environ=user)


def test_the_resource_agent_is_where_pacemaker_looks(root: Root) -> None:
    agent = "/usr/lib/ocf/resource.d/hetzner/hcloud-reassign"
    assert '<resource-agent name="hcloud-reassign"' in root.output(agent, "meta-data")


def test_an_upgrade_keeps_what_the_administrator_edited_and_nothing_else(bare: Root, earlier: Path) -> None:
    install(bare, earlier)
    assert bare.output("cat", CONFIG, NOTIFY) == "; earlier\n; earlier\n"
    (bare.path / CONFIG[1:]).write_text("; mine\n")
    bare.run("chown", "root:adm", CONFIG)
    bare.run("chmod", "600", CONFIG)
    bare.output("test", "-d", f"{LIBRARY}/gone/__pycache__")
    install(bare, package())
    assert bare.output("cat", CONFIG) == "; mine\n"
    assert stat(bare, CONFIG) == "root:adm 600"
    assert "[vrrp.VI_1]" in bare.output("cat", NOTIFY)
    assert [path for path in bare.files() if path.startswith(f"{LIBRARY}/gone")] == []
    assert bare.output("hcloud-reassign", "--version") == f"hcloud-reassign {VERSION}\n"


def test_a_removal_keeps_the_configuration_and_a_purge_leaves_nothing(bare: Root) -> None:
    before = bare.files()
    install(bare, package())
    bare.run("mkdir", "-p", f"{STATE}/inner", "/run/hcloud-reassign-notify")
    (bare.path / STATE[1:] / "journal.jsonl").write_text("{}\n")
    bare.apt_get("remove", "hcloud-reassign")
    assert {path for path in bare.files() - before if path.startswith(("/etc/h", "/usr"))} == {
        "/etc/hcloud-reassign",
        CONFIG,
        NOTIFY,
    }
    bare.apt_get("purge", "hcloud-reassign")
    assert {path for path in bare.files() - before if not path.endswith("-")} == set()
    assert before - bare.files() == set()
    # Files elsewhere may belong to it, and nobody else must get its number.
    bare.output("getent", "passwd", "hcloud-reassign")


def test_an_override_of_owner_and_mode_is_respected(bare: Root) -> None:
    bare.run("dpkg-statoverride", "--add", "root", "adm", "0600", CONFIG)
    install(bare, package())
    assert stat(bare, CONFIG) == "root:adm 600"


def test_tab_completes_and_the_terminal_ui_opens_in_a_shell(debian: Root) -> None:
    debian.apt_get("install", "bash-completion")
    (debian.path / "root/rc").write_text(f". /usr/share/bash-completion/bash_completion\n{BASH}")
    shell = Shell(debian.command("bash", "--rcfile", "/root/rc", "-i", environ={"TERM": "xterm"}), ENVIRON)
    try:
        shell.type("hcloud-reassign unh\t")
        shell.until("hcloud-reassign unhold")
        shell.type("\x15hcloud-reassign demo --tui; echo ended with $?\r")
        shell.until("192.0.2.10")
        shell.type("q")
        shell.until("ended with 0")
    finally:
        shell.end()


def test_man_shows_every_page(debian: Root) -> None:
    debian.apt_get("install", "man-db")
    pages = re.findall(r"/usr/share/man/man(\d)/(.*)\.\d\.gz", debian.output("dpkg", "-L", "hcloud-reassign"))
    assert ("1", "hcloud-reassign") in pages
    for section, name in pages:
        done = debian.run("man", "--warnings", section, name, user=NOBODY, environ={"MANWIDTH": "80"})
        assert done.stdout.startswith(f"{name.upper()}({section})") or done.stdout.startswith(f"{name}({section})")
        assert done.stderr == ""


def test_an_authority_that_the_administrator_added_is_trusted(debian: Root) -> None:
    done = debian.run("sh", "-c", CERTIFIED)
    assert "is not trusted" in done.stderr
    assert "[floating." in done.stdout


@pytest.mark.skipif(not shutil.which("autopkgtest"), reason="autopkgtest is missing")
def test_the_test_of_the_source_package_passes(debian: Root, tmp_path: Path) -> None:
    source = tmp_path / "source"
    output("dpkg-source", "-q", "-x", built(f"hcloud-reassign_{VERSION}.dsc"), source)
    command = ["autopkgtest", "--no-built-binaries", f"{source}/", str(package()), "--", "chroot", "/mnt"]
    done = subprocess.run([*debian.entered, *command], capture_output=True, text=True)
    assert re.search(r"^installed +PASS$", done.stdout, re.MULTILINE), done.stdout + done.stderr
    assert done.returncode == 0
