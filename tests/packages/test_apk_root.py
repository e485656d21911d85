"""The .apk in a root: its scripts, the program on another Python, and the service under OpenRC.

There is no root of Alpine to be had, and no apk. Debian's OpenRC is the same; so is the `su` of its busybox.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.samples import FLOATING, A, B
from tests.harness import TOKEN
from tests.packages.built import built
from tests.packages.checkout import VERSION
from tests.packages.roots import DISTRIBUTIONS, Root, unusable, with_openrc
from tests.system.site import Site

pytestmark = pytest.mark.skipif(bool(unusable()), reason=str(unusable()))

TRIXIE = next(distribution for distribution in DISTRIBUTIONS if distribution.suite == "trixie")
LIBRARY = "/usr/lib/hcloud-reassign"
SERVICE = "hcloud-reassign.floating.web"

ADDGROUP = """#!/bin/sh
[ "$*" = '-S hcloud-reassign' ] && exec groupadd --system hcloud-reassign
exit 9
"""
ADDUSER = """#!/bin/sh
name=hcloud-reassign home=/var/lib/hcloud-reassign shell=/sbin/nologin
[ "$*" = "-S -D -H -h $home -s $shell -G $name -g $name $name" ] &&
  exec useradd --system --no-create-home --home-dir $home --shell $shell --gid $name $name
exit 9
"""
"""Debian's busybox has neither: what Alpine's would do, for these words and no others."""

NETWORK = "#!/sbin/openrc-run\ndepend() { provide net; }\nstart() { :; }\n"
CONFIG = """\
[client]
project = prod
api_url = {url}

[floating.web]
type = ip_floating
resource = web
source = srv-a
destination = srv-b
"""
SEES = """#!/bin/sh
{ echo "$@"; id -un; umask; tr '\\0' '\\n' </proc/$$/environ; } >/run/seen
cat >/run/heard
"""


class Machine:
    """A root in which the .apk is added: the first script, by busybox, then the files, since their group is there."""

    def __init__(self, root: Root) -> None:
        self.root, self.path = root, root.path
        (self._apk,) = root.take(built(f"hcloud-reassign-{VERSION}-r0.apk"))
        self._unpack("/root", "--wildcards", "--no-wildcards-match-slash", ".*")
        for name, text in (("addgroup", ADDGROUP), ("adduser", ADDUSER)):
            self.program(f"/usr/sbin/{name}", text)

    def add(self) -> None:
        """All but the byte-code."""
        self.script(".pre-install")
        self._unpack("/", "etc", "usr")

    def script(self, name: str) -> None:
        self.root.run("busybox", "sh", f"/root/{name}")

    def program(self, name: str, text: str) -> None:
        (self.path / name[1:]).unlink(missing_ok=True)
        self.write(name, text, 0o755)

    def write(self, name: str, text: str, mode: int = 0o600) -> None:
        (self.path / name[1:]).write_text(text, encoding="utf-8")
        (self.path / name[1:]).chmod(mode)

    def find(self, *words: str) -> set[str]:
        return set(self.root.output("find", LIBRARY, *words).splitlines())

    def start(self, service: str = SERVICE) -> tuple[bool, str]:
        """Whether OpenRC says that it worked, and all it says."""
        done = self.root.run("rc-service", service, "start", check=False)
        return done.returncode == 0, done.stdout + done.stderr

    def _unpack(self, folder: str, *words: str) -> None:
        self.root.run("tar", "-xzf", self._apk, "-C", folder, "--warning=no-unknown-keyword", *words)


@pytest.fixture
def machine() -> Iterator[Machine]:
    with Root(with_openrc(TRIXIE)) as root:
        yield Machine(root)


@pytest.fixture
def service(machine: Machine) -> Machine:
    """OpenRC is up, and has one service of ours whose token is there."""
    machine.add()
    (machine.path / "usr/bin/su").unlink()
    (machine.path / "usr/bin/su").symlink_to("busybox")
    machine.program("/etc/init.d/network", NETWORK)
    (machine.path / "run/openrc").mkdir(exist_ok=True)
    machine.write("/run/openrc/softlevel", "default\n")
    (machine.path / f"etc/init.d/{SERVICE}").symlink_to("hcloud-reassign")
    machine.write("/etc/hcloud-reassign/token", f"{TOKEN}\n")
    return machine


@pytest.fixture
def site() -> Iterator[Site]:
    running = Site().start()
    yield running
    running.stop()


def test_it_runs_for_all_with_byte_code_for_the_python_that_is_there_and_takes_that_away(machine: Machine) -> None:
    machine.add()
    added = machine.find()
    modules = [Path(name) for name in added if name.endswith(".py")]
    # Of an earlier version: a module that is gone.
    (machine.path / f"{LIBRARY[1:]}/hcloud/__pycache__").mkdir()
    (machine.path / f"{LIBRARY[1:]}/hcloud/__pycache__/gone.cpython-312.pyc").touch()

    machine.script(".post-upgrade")
    tag = machine.root.output("python3", "-c", "import sys; print(sys.implementation.cache_tag)").strip()
    compiled = {f"{module.parent}/__pycache__/{module.stem}.{tag}.pyc" for module in modules}
    assert machine.find("-path", "*/__pycache__/*") == compiled
    assert machine.root.output("hcloud-reassign", "--version", user=65534) == f"hcloud-reassign {VERSION}\n"

    machine.script(".pre-deinstall")
    assert machine.find() == added


def test_its_user_is_made_and_its_group_reads_the_configuration(machine: Machine) -> None:
    machine.add()
    user = machine.root.output("getent", "passwd", "hcloud-reassign").strip().split(":")
    assert user[5:] == ["/var/lib/hcloud-reassign", "/sbin/nologin"]
    read = "/etc/hcloud-reassign/config.ini"
    assert machine.root.output("stat", "-c", "%U:%G %a", read) == "root:hcloud-reassign 640\n"


def test_a_user_that_is_there_stays_as_it_is(machine: Machine) -> None:
    machine.root.run("groupadd", "--gid", "4242", "hcloud-reassign")
    machine.root.run("useradd", "--uid", "4243", "--gid", "4242", "--home-dir", "/srv", "hcloud-reassign")
    machine.add()
    assert machine.root.output("id", "hcloud-reassign").startswith("uid=4243(hcloud-reassign) gid=4242(")


def test_the_service_moves_whenever_it_is_started(service: Machine, site: Site) -> None:
    service.write("/etc/hcloud-reassign/config.ini", CONFIG.format(url=site.url), 0o644)
    web = site.sim.state.floating_ips[FLOATING]
    for _ in range(2):
        web.server_id = A
        worked, said = service.start()
        assert (worked, web.server_id) == (True, B), said
        assert service.root.run("rc-service", SERVICE, "status", check=False).stdout.endswith("status: stopped\n")
    journal = service.root.output(
        "stat", "-c", "%U %a", "/var/lib/hcloud-reassign", "/var/lib/hcloud-reassign/journal.jsonl"
    )
    assert journal == "hcloud-reassign 700\nhcloud-reassign 600\n"


def test_the_service_goes_on_with_the_journal_that_root_began(service: Machine, site: Site) -> None:
    service.write("/etc/hcloud-reassign/config.ini", CONFIG.format(url=site.url), 0o644)
    token, journal = "/etc/hcloud-reassign/token", service.path / "var/lib/hcloud-reassign/journal.jsonl"
    service.root.run("hcloud-reassign", "--token-file", token, "run", "floating.web")
    begun = journal.read_bytes()
    site.sim.state.floating_ips[FLOATING].server_id = A
    worked, said = service.start()
    assert worked and "journal" not in said, said
    assert journal.read_bytes().startswith(begun) and journal.stat().st_size > len(begun)


def test_the_service_gives_the_token_to_its_user_on_standard_input_alone(service: Machine) -> None:
    service.program("/usr/bin/hcloud-reassign", SEES)
    (service.path / "run").chmod(0o777)
    worked, said = service.start()
    assert worked, said
    seen = (service.path / "run/seen").read_text().splitlines()
    assert seen[:3] == [
        "-c /etc/hcloud-reassign/config.ini --token-file - run -- floating.web",
        "hcloud-reassign",
        "0077",
    ]
    assert (service.path / "run/heard").read_text() == f"{TOKEN}\n"
    assert TOKEN not in said + "\n".join(seen)
    assert service.root.output("stat", "-c", "%U %a", "/etc/hcloud-reassign/token") == "root 600\n"


def test_a_service_whose_move_fails_has_failed_and_can_be_started_again(service: Machine, site: Site) -> None:
    service.write("/etc/hcloud-reassign/config.ini", CONFIG.format(url=site.url), 0o644)
    service.write("/etc/hcloud-reassign/token", "wrong\n")
    worked, said = service.start()
    assert not worked and f"{SERVICE} failed to start" in said
    service.write("/etc/hcloud-reassign/token", f"{TOKEN}\n")
    assert service.start()[0]


def test_without_a_token_nothing_is_started(service: Machine) -> None:
    shutil.move(service.path / "etc/hcloud-reassign/token", service.path / "root/token")
    service.program("/usr/bin/hcloud-reassign", SEES)
    worked, said = service.start()
    assert not worked and "/etc/hcloud-reassign/token" in said
    assert not (service.path / "run/seen").exists()


def test_a_service_that_does_not_say_what_to_move_says_how_to(service: Machine) -> None:
    worked, said = service.start("hcloud-reassign")
    assert not worked and "ln -s hcloud-reassign /etc/init.d/hcloud-reassign.floating.web" in said
