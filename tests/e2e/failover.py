"""A pair of nodes, a platform, a simulated project: what happens from the death of a master to the new holder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.process import ROOT
from tests.e2e.executor import Executor
from tests.e2e.nodes import Node, Pair, wait_until
from tests.engine.samples import A, B
from tests.platforms.github import GitHub
from tests.platforms.gitlab import GitLab
from tests.platforms.jenkins import Jenkins
from tests.platforms.server import Platform
from tests.platforms.tekton import Tekton
from tests.system.site import Site

ADDRESS = "192.0.2.10"
"""The floating IP is the VRRP address, too."""
NOTIFY = ROOT / "keepalived" / "hcloud-reassign-notify"
TEMPLATE = ROOT / "ci-templates"
IDS: Mapping[str, int] = {"srv-a": A, "srv-b": B}

SECTIONS: Mapping[type[Platform], str] = {
    GitLab: "type = gitlab\nurl = {url}\nproject = 42\nref = main\ntoken_file = {secret}",
    GitHub: "type = github\nurl = {url}\nrepository = acme/failover\nworkflow = reassign.yml\nref = main\n"
    "token_file = {secret}",
    Jenkins: "type = jenkins\nurl = {url}\njob = infra/reassign\nuser = failover-bot\ntoken_file = {secret}",
    Tekton: "type = tekton\nurl = {url}\nsecret_file = {secret}",
}
KEEPALIVED = """\
global_defs {{
    enable_script_security
    script_user root
    vrrp_version 3
}}
vrrp_instance VI_1 {{
    state BACKUP
    nopreempt
    interface vrrp
    virtual_router_id 51
    priority {priority}
    advert_int {advert_s}
    unicast_src_ip {node.address}
    unicast_peer {{
        {other.address}
    }}
    virtual_ipaddress {{
        {address}/32 dev lo
    }}
    notify "{notify} -c {node.folder}/notify.conf"
    notify_master_rx_lower_pri "{notify} -c {node.folder}/notify.conf INSTANCE VI_1 MASTER_RX_LOWER_PRI"
}}
"""
NOTIFY_CONF = """\
[notify]
to = {node.name}
state_dir = {node.folder}/state
timeout = 5
retry_wait_max = 2
{more}

[vrrp.VI_1]
resource = floating.web
address = {address}
interface = lo

[trigger.main]
allow_http = yes
{trigger}
"""


@dataclass(frozen=True)
class Legs:
    """When the other one was MASTER, when it had asked, when the API showed it: seconds since the death."""

    master: float
    asked: float
    moved: float


@dataclass
class FailOver:
    """Everything that takes part. `more` are lines for [notify]; `secret` is what the nodes know, right or wrong."""

    folder: Path
    pair: Pair
    site: Site
    platform: Platform
    advert_s: float = 0.2
    more: str = ""
    secret: str | None = None
    executor: Executor = field(init=False)

    def __post_init__(self) -> None:
        self.executor = self.platform.on_accepted = Executor(self.folder, self.site)
        for node, priority in ((self.pair.a, 150), (self.pair.b, 100)):
            self._configure(node, priority)

    def _configure(self, node: Node, priority: int) -> None:
        port = self.platform.url.rpartition(":")[2]
        secret = node.folder / "secret"
        _private(secret, self.secret or _secret_of(self.platform))
        trigger = SECTIONS[type(self.platform)].format(url=f"http://{node.host}:{port}", secret=secret)
        notify = node.folder / "hcloud-reassign-notify"
        shutil.copy2(NOTIFY, notify)
        shutil.copytree(NOTIFY.parent / "notify.d", node.folder / "notify.d")
        values = {"node": node, "other": self.pair.other(node), "address": ADDRESS, "notify": notify}
        _private(node.folder / "notify.conf", NOTIFY_CONF.format(**values, trigger=trigger, more=self.more))
        text = KEEPALIVED.format(**values, priority=priority, advert_s=self.advert_s)
        (node.folder / "keepalived.conf").write_text(text)

    def start(self) -> None:
        """srv-a becomes MASTER and holder, srv-b stands by."""
        self.pair.a.start()
        self.until(lambda: len(self.platform.runs) == 1, "srv-a asks")
        self.pair.b.start()
        self.settled(self.pair.a)

    def settled(self, node: Node) -> None:
        """The holder agrees with the master, and nothing is under way."""
        self.until(lambda: self.pair.master(ADDRESS) is node, f"{node.name} is MASTER")
        self.until(lambda: self.executor.holder() == node.name, f"{node.name} is the holder")
        self.until(self.quiet, "all requests are carried out")

    def quiet(self) -> bool:
        return len(self.executor.ended) == len(self.platform.runs)

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 30) -> float:
        try:
            return wait_until(condition, what, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.story()}") from None

    def lose(self, node: Node) -> Legs:
        """Kill the master; the other one takes over. Then it comes back as a backup, as after a reboot."""
        other = self.pair.other(node)
        asked_before = len(self.platform.received)
        start = node.kill()
        legs = Legs(
            self.until(lambda: other.has(ADDRESS), f"{other.name} is MASTER") - start,
            self.until(lambda: len(self.platform.received) > asked_before, f"{other.name} asks") - start,
            self.until(lambda: self.executor.holder() == other.name, f"{other.name} is the holder") - start,
        )
        node.forget(f"{ADDRESS}/32")
        node.start()
        self.settled(other)
        return legs

    def story(self) -> str:
        """What a person wants to read when a test fails."""
        runs = "\n".join(f"{asked}: {code}\n{report}" for asked, code, report in self.executor.ended)
        return "\n".join((*(node.log for node in self.pair.nodes), f"holder: {self.executor.holder()}", runs))


def _secret_of(platform: Platform) -> str:
    assert isinstance(platform, (GitLab, GitHub, Jenkins, Tekton))
    return platform.secret if isinstance(platform, Tekton) else platform.token


def _private(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o600)
