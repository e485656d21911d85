"""The OCF resource agent, called as Pacemaker calls it, with the real command on a simulated project."""

from __future__ import annotations

import math
import socket
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from hcloud_reassign.simulator import Fault
from tests.cli.process import Done
from tests.engine.samples import FLOATING, A, B, C
from tests.examples.programs import EXAMPLES, SYSTEM_PATH, ended, every_shell, put_command
from tests.harness import READ_ONLY, TOKEN
from tests.platforms.gitlab import GitLab
from tests.system.site import Site

AGENT = EXAMPLES / "pacemaker" / "hcloud-reassign"
SHELLFUNCS = Path("/usr/lib/ocf/lib/heartbeat/ocf-shellfuncs")
DTD = Path("/usr/share/resource-agents/ra-api-1.dtd")
OK, GENERIC, ARGS, UNIMPLEMENTED, PERM, INSTALLED, CONFIGURED, NOT_RUNNING = range(8)
WEB = "/v1/floating_ips*"

INI = """\
[client]
api_url = {url}
api_token_file = {token}

[floating.web]
type = ip_floating
resource = web
members = srv-a, srv-b

[route.default]
type = route
network = 0.0.0.0/0
resource = internal
members = srv-a, srv-b

[group.both]
members = floating.web, route.default
"""


@pytest.fixture
def shell() -> Sequence[str]:
    """Where a test is about the API; what is about the shell runs in every one."""
    return ["dash"]


@dataclass(frozen=True)
class Node:
    """A node of a cluster that runs the agent. `parameters` are its instance parameters."""

    shell: Sequence[str]
    home: Path
    server: str = "srv-b"
    ocf_root: str = "/nonexistent"
    parameters: dict[str, str] = field(default_factory=dict)

    def with_(self, **parameters: str) -> Node:
        return replace(self, parameters={**self.parameters, **parameters})

    def __call__(self, action: str, *, interval_s: int = 0, timeout_s: float = 60) -> Done:
        given = {"name": "floating.web", "config": f"{self.home}/prod.ini", "server": self.server, **self.parameters}
        env = {
            "PATH": f"{self.home}:{SYSTEM_PATH}",
            "OCF_ROOT": self.ocf_root,
            "HA_RSCTMP": str(self.home),
            "OCF_RESOURCE_INSTANCE": f"web-{self.server}",
            "OCF_RESKEY_CRM_meta_timeout": str(int(timeout_s * 1000)),
            "OCF_RESKEY_CRM_meta_interval": str(interval_s * 1000),
            # Not root everywhere: a state directory that a test may write.
            "HCLOUD_REASSIGN_STATE": str(self.home / "state"),
            **{f"OCF_RESKEY_{name}": value for name, value in given.items()},
        }
        return ended([*self.shell, str(AGENT), action], env, self.home)

    def monitor(self, *, timeout_s: float = 60) -> Done:
        """The recurring one, which runs where Pacemaker has it started."""
        return self("monitor", interval_s=60, timeout_s=timeout_s)

    def probe(self, *, timeout_s: float = 60) -> Done:
        return self("monitor", timeout_s=timeout_s)

    def out_of_reach(self) -> Node:
        """The same node while nobody answers at the API's address."""
        return self.with_(config=f"{self.home}/unreachable.ini")

    def refused(self) -> Node:
        """The same node with a token that Hetzner does not accept."""
        return self.with_(config=f"{self.home}/refused.ini")


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def node(site: Site, home: Path, shell: Sequence[str]) -> Node:
    """srv-b, while srv-a has everything."""
    put_command(home)
    _put_sleep(home)
    (home / "token").write_text(TOKEN)
    (home / "wrong").write_text("wrong-token")
    for name, url, token in (
        ("prod", site.url, "token"),
        ("unreachable", "http://127.0.0.1:1/v1", "token"),
        ("refused", site.url, "wrong"),
    ):
        (home / f"{name}.ini").write_text(INI.format(url=url, token=home / token))
    return Node(shell, home)


def _put_sleep(folder: Path) -> None:
    """Pauses between two readings are short here."""
    (folder / "sleep").write_text("#!/bin/sh\nexec /bin/sleep 0.02\n")
    (folder / "sleep").chmod(0o755)


def holder(site: Site) -> int | None:
    return site.sim.state.floating_ips[FLOATING].server_id


def put(site: Site, server: int | None) -> None:
    site.sim.state.floating_ips[FLOATING].server_id = server


# start and stop


@every_shell
def test_start_moves_it_here_and_monitor_finds_it(site: Site, node: Node) -> None:
    assert node("start").code == OK
    assert holder(site) == B
    assert node.monitor().code == OK


def test_a_second_start_finds_it_here_already_and_changes_nothing(site: Site, node: Node) -> None:
    assert node("start").code == OK
    writes = len(site.writes)
    assert node("start").code == OK
    assert len(site.writes) == writes


def test_stop_leaves_it_where_it_is_and_the_other_node_takes_it(site: Site, node: Node) -> None:
    other = replace(node, server="srv-a")
    assert node("start").code == OK
    asked = len(site.sim.requests)
    stopped = node("stop")
    assert (stopped.code, holder(site), len(site.sim.requests)) == (OK, B, asked)
    assert "stays where it is" in stopped.err
    assert node.probe().code == NOT_RUNNING
    assert other("start").code == OK
    assert holder(site) == A


def test_a_group_moves_and_is_here_only_as_a_whole(site: Site, node: Node) -> None:
    both = node.with_(name="both")
    assert both("start").code == OK
    assert both.monitor().code == OK
    put(site, A)
    assert both.monitor().code == NOT_RUNNING


def test_self_is_the_server_with_this_machines_hostname(home: Path, shell: Sequence[str]) -> None:
    name = socket.gethostname().partition(".")[0]
    servers = [{"name": name, "id": B}, {"name": "srv-a", "id": A}]
    scenario = {"servers": servers, "floating_ips": [{"name": "web", "id": FLOATING, "ip": "192.0.2.10"}]}
    put_command(home)
    (home / "token").write_text(TOKEN)
    with Site(scenario) as site:
        ini = INI.partition("[route")[0].format(url=site.url, token=home / "token")
        (home / "prod.ini").write_text(ini.replace("srv-b", name))
        assert Node(shell, home, server="self")("start").code == OK
        assert holder(site) == B


def test_a_start_that_the_api_does_not_confirm_fails(site: Site, node: Node) -> None:
    site.sim.faults.append(Fault("POST", WEB, fail_action={"code": "action_failed", "message": "no", "after": 0.01}))
    started = node("start")
    assert started.code == GENERIC
    assert "ocf-exit-reason:" in started.err
    assert holder(site) == A


def test_start_ends_before_pacemaker_would_kill_it(node: Node) -> None:
    started = node.out_of_reach()("start", timeout_s=9)
    assert started.code == GENERIC
    assert "cannot be read" in started.err


@every_shell
def test_start_takes_the_time_it_has_from_pacemaker(node: Node) -> None:
    for limit_s in (60, 180):
        given = recorded(node, "start", limit_s)
        assert limit_s - 10 < int(given[given.index("--timeout") + 1]) <= limit_s - 5


def recorded(node: Node, action: str, timeout_s: float) -> list[str]:
    """What the command is called with."""
    program = node.home / "recorder"
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {node.home}/called\n")
    program.chmod(0o755)
    assert node.with_(binary=str(program))(action, timeout_s=timeout_s).code == OK
    return (node.home / "called").read_text().splitlines()


# monitor: what is read


def test_monitor_says_not_running_where_another_server_is_read_to_have_it(site: Site, node: Node) -> None:
    assert node("start").code == OK
    put(site, A)
    lost = node.monitor()
    assert lost.code == NOT_RUNNING
    assert "ocf-exit-reason:floating.web is not with this node" in lost.err


def test_monitor_says_not_running_where_an_unlisted_server_or_nobody_has_it(site: Site, node: Node) -> None:
    for server in (C, None):
        put(site, server)
        assert node.monitor().code == NOT_RUNNING


def test_one_reading_that_shows_another_server_is_not_believed(site: Site, node: Node) -> None:
    assert node("start").code == OK
    put(site, A)
    readings = []

    def another(*_: object) -> None:
        readings.append(holder(site))
        if len(readings) == 2:
            put(site, B)

    site.sim.faults.append(Fault("GET", WEB, times=None, run=another))
    assert node.monitor().code == OK
    assert readings == [A, A]


def test_monitor_writes_nothing_at_the_api_and_costs_two_requests(site: Site, node: Node) -> None:
    assert node("start").code == OK
    writes, asked = len(site.writes), len(site.sim.requests)
    assert node.monitor().code == OK
    assert (len(site.writes), len(site.sim.requests)) == (writes, asked + 2)


def test_a_probe_of_a_node_that_has_it_finds_it(site: Site, node: Node) -> None:
    put(site, B)
    assert node.probe().code == OK
    assert replace(node, server="srv-a").probe().code == NOT_RUNNING


# monitor: what cannot be read


@every_shell
def test_what_was_here_stays_here_while_the_api_cannot_be_read(node: Node) -> None:
    assert node("start").code == OK
    for unreadable in (node.out_of_reach(), node.refused()):
        for seen in (unreadable.monitor(timeout_s=9), unreadable.probe(timeout_s=9)):
            assert seen.code == OK
            assert "cannot tell who has floating.web, going by what is known (here)" in seen.err


@every_shell
def test_what_was_read_elsewhere_stays_elsewhere_while_the_api_cannot_be_read(site: Site, node: Node) -> None:
    assert node("start").code == OK
    put(site, A)
    assert node.monitor().code == NOT_RUNNING
    assert node.out_of_reach().monitor(timeout_s=9).code == NOT_RUNNING


def test_a_recurring_monitor_without_memory_believes_pacemaker_that_it_runs_here(node: Node) -> None:
    seen = node.out_of_reach().monitor(timeout_s=9)
    assert seen.code == OK
    assert "going by what is known (nothing)" in seen.err


def test_a_probe_without_memory_finds_nothing_that_could_be_recovered(node: Node) -> None:
    assert node.out_of_reach().probe(timeout_s=9).code == NOT_RUNNING


@every_shell
def test_what_was_known_before_a_reboot_counts_no_more(site: Site, node: Node) -> None:
    assert node("start").code == OK
    (state,) = node.home.glob("*.state")
    assert state.read_text().startswith("here ")
    state.write_text("here 00000000-0000-0000-0000-000000000000\n")
    assert node.out_of_reach().probe(timeout_s=9).code == NOT_RUNNING
    assert node.probe().code == OK


def test_a_fault_of_the_api_is_not_taken_for_a_holder(site: Site, node: Node) -> None:
    assert node("start").code == OK
    for fault in (Fault(path=WEB, times=None, status=500), Fault(path=WEB, times=None, body="html", status=200)):
        site.sim.faults[:] = [fault]
        assert node.monitor(timeout_s=9).code == OK


def test_a_program_that_is_missing_for_a_moment_moves_nothing(node: Node) -> None:
    assert node("start").code == OK
    assert node.with_(binary="/nonexistent/hcloud-reassign").monitor().code == OK


def test_a_name_that_fits_two_resources_cannot_be_told(site: Site, node: Node) -> None:
    assert node("start").code == OK
    state = site.sim.state
    state.floating_ips[502].name = "501"
    file = node.home / "prod.ini"
    file.write_text(file.read_text().replace("= web\n", "= 501\n"))
    seen = node.monitor()
    assert seen.code == OK
    assert "ambiguous: " in seen.err


# Tokens


@every_shell
def test_a_refused_token_is_a_matter_of_rights_in_start_and_validation_alone(node: Node) -> None:
    for action in ("start", "validate-all"):
        refused = node.refused()(action)
        assert refused.code == PERM
        assert "does not accept the token" in refused.err
    assert node.refused().probe().code == NOT_RUNNING


def test_a_token_that_may_not_write_is_a_matter_of_rights_in_start(node: Node, site: Site) -> None:
    (node.home / "token").write_text(READ_ONLY)
    assert node("start").code == PERM
    assert holder(site) == A
    assert node("validate-all").code == OK


@every_shell
def test_no_token_is_shown(node: Node) -> None:
    said = [node(action) for action in ("start", "monitor", "validate-all", "stop")]
    said += [node.refused()(action) for action in ("start", "monitor", "validate-all")]
    text = "".join(done.out + done.err for done in said)
    assert TOKEN not in text and "wrong-token" not in text


# A pipeline that moves


TRIGGER = """
[trigger.pipeline]
type = gitlab
url = {url}
project = 42
ref = main
token_file = {token}
"""


@pytest.fixture
def gitlab(site: Site) -> Iterator[GitLab]:
    """Its pipeline moves at once."""
    with GitLab(lambda asked: put(site, {"srv-a": A, "srv-b": B}[asked.to])) as running:
        yield running


@pytest.fixture
def asking(node: Node, gitlab: GitLab) -> Node:
    """srv-b with a token that may only read, and one that starts pipelines."""
    (node.home / "token").write_text(READ_ONLY)
    (node.home / "trigger-token").write_text(gitlab.token)
    with (node.home / "prod.ini").open("a") as file:
        file.write(TRIGGER.format(url=gitlab.url, token=node.home / "trigger-token"))
    return node.with_(trigger="pipeline")


@every_shell
def test_start_asks_the_pipeline_and_ends_when_it_is_here(site: Site, asking: Node, gitlab: GitLab) -> None:
    assert asking("start").code == OK
    (run,) = gitlab.runs
    assert (run.asked.resource, run.asked.to) == ("floating.web", "srv-b")
    assert asking.monitor().code == OK
    assert not site.writes


def test_start_asks_no_pipeline_for_what_is_here(site: Site, asking: Node, gitlab: GitLab) -> None:
    put(site, B)
    assert asking("start").code == OK
    assert not gitlab.received


def test_accepted_is_not_started(asking: Node, gitlab: GitLab) -> None:
    gitlab.on_accepted = lambda asked: False
    started = asking("start", timeout_s=9)
    assert (started.code, len(gitlab.runs)) == (GENERIC, 1)
    assert "the pipeline was asked, and floating.web did not come here in time" in started.err


def test_a_pipeline_that_refuses_is_no_start(site: Site, asking: Node, gitlab: GitLab) -> None:
    gitlab.token = "another"
    assert asking("start").code == PERM
    gitlab.answer_with(400, {"message": "no"}, times=math.inf)
    assert asking("start", timeout_s=12).code == GENERIC
    assert holder(site) == A


# Parameters


@every_shell
@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "--force"},
        {"name": "$(touch pwned)"},
        {"name": "web; touch pwned"},
        {"name": "floating.web\nfloating.web6"},
        {"name": "*"},
        {"server": "-x"},
        {"server": "a b"},
        {"server": "`touch pwned`"},
        {"trigger": "a;b"},
        {"config": "prod.ini"},
        {"config": "-c"},
        {"binary": "-c"},
        {"binary": "sh -c 'touch pwned'"},
    ],
    ids=str,
)
def test_what_is_no_value_of_its_kind_is_refused_on_every_node_and_stops_all_the_same(
    site: Site, node: Node, wrong: dict[str, str]
) -> None:
    odd = node.with_(**wrong)
    for action in ("start", "monitor", "validate-all"):
        assert odd(action).code == CONFIGURED
    assert odd("stop").code == OK
    assert not site.sim.requests
    assert not list(node.home.rglob("pwned"))


@every_shell
def test_what_is_missing_on_this_node_is_told(node: Node) -> None:
    no_program, no_file = node.with_(binary="/nonexistent/it"), node.with_(config="/nonexistent/prod.ini")
    for action in ("start", "validate-all"):
        assert (no_program(action).code, no_file(action).code) == (INSTALLED, ARGS)
    assert "set binary to its path" in no_program("start").err
    assert (no_program("stop").code, no_file("stop").code) == (OK, OK)


def test_names_that_the_file_or_the_project_does_not_know_are_arguments_that_cannot_work_here(node: Node) -> None:
    for odd in (node.with_(name="floating.wep"), node.with_(server="srv-x"), node.with_(server="srv-c")):
        assert odd("validate-all").code == ARGS
    assert "did you mean 'floating.web'" in node.with_(name="floating.wep")("start").err


def test_validation_passes_wherever_it_is(site: Site, node: Node) -> None:
    for server in (A, B, None):
        put(site, server)
        assert node("validate-all").code == OK
    assert not site.writes


def test_validation_without_an_answer_proves_nothing(node: Node) -> None:
    assert node.out_of_reach()("validate-all", timeout_s=9).code == GENERIC


@every_shell
def test_a_state_that_cannot_be_kept_is_a_warning(site: Site, node: Node) -> None:
    (node.home / "hcloud-reassign-web-srv-b.state.new").mkdir()
    for action in ("start", "monitor", "stop"):
        done = node(action)
        assert done.code == OK
        assert "cannot be written" in done.err


# The agent itself


@every_shell
def test_an_unknown_action_is_not_implemented(node: Node) -> None:
    assert node("promote").code == UNIMPLEMENTED
    assert node("usage").code == OK


@every_shell
def test_the_meta_data_names_every_parameter_and_action(node: Node) -> None:
    told = node.with_(name="")("meta-data")
    assert told.code == OK
    root = ET.fromstring(told.out)
    assert (root.tag, root.get("name")) == ("resource-agent", AGENT.name)
    parameters = {parameter.get("name"): parameter for parameter in root.iter("parameter")}
    assert sorted(map(str, parameters)) == ["binary", "config", "name", "server", "trigger"]
    assert [name for name, parameter in parameters.items() if parameter.get("required") == "1"] == ["name"]
    for parameter in parameters.values():
        assert [child.tag for child in parameter] == ["longdesc", "shortdesc", "content"]
        assert all((child.text or "").strip() for child in parameter if child.tag != "content")
    actions = {action.get("name"): action.get("timeout") for action in root.iter("action")}
    assert sorted(map(str, actions)) == ["meta-data", "monitor", "start", "stop", "validate-all"]
    assert all(actions.values())


@pytest.mark.skipif(not DTD.exists(), reason="no DTD of resource agents (package resource-agents)")
def test_the_meta_data_fits_the_dtd_of_resource_agents(node: Node) -> None:
    document = node.home / "agent.xml"
    document.write_text(node("meta-data").out)
    subprocess.run(["xmllint", "--noout", "--dtdvalid", str(DTD), str(document)], check=True)


@every_shell
@pytest.mark.skipif(not SHELLFUNCS.exists(), reason="no functions of resource agents (package resource-agents)")
def test_it_works_with_the_functions_of_resource_agents(site: Site, node: Node) -> None:
    real = replace(node, ocf_root="/usr/lib/ocf")
    assert real.probe().code == NOT_RUNNING
    assert real("start").code == OK
    assert holder(site) == B
    assert real.out_of_reach().monitor(timeout_s=9).code == OK
    assert real("stop").code == OK
    assert "ocf-exit-reason:" in real.refused()("start").err
