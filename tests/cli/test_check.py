"""`check` warns beforehand about what would hurt later: every warning with its section, key, words and way out."""

from __future__ import annotations

import ast
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from hcloud_reassign.core.errors import AccessError, FailedError
from hcloud_reassign.engine import checking
from hcloud_reassign.simulator.model import Route
from tests.cli.inside import call
from tests.cli.process import ROOT, Done, assert_fits
from tests.engine.samples import ALIASED, FLOAT, NETWORK, PRIMARY, PUBLIC, ROUTE, TRIO, A
from tests.harness import START, Lab
from tests.system.site import Machine

SAME = "source and destination are the same server, {}: nothing is ever moved"


def checked(lab: Lab, machine: Machine, ini: str, *words: str, code: int = 0) -> Done:
    done = call(lab, "check", "-c", machine.file(ini), "-o", "json", *words)
    assert_fits(done.document, "check")
    assert done.code == done.document["exit_code"] == code
    return done


def findings(done: Done) -> list[dict[str, Any]]:
    """All but those that every check in a lab has: a plain address, and rights that nobody knows."""
    everyday = ("token", "file")
    return [finding for finding in done.document["findings"] if finding["code"] not in everyday]


def only(done: Done) -> tuple[Any, ...]:
    (finding,) = findings(done)
    return tuple(finding[key] for key in ("level", "code", "section", "key", "message", "fix"))


@pytest.fixture
def here(home: Any) -> Machine:
    """Files of this test's own."""
    return Machine(home, {})


def test_a_sound_file_has_no_warning(here: Machine) -> None:
    sections = FLOAT.section() + ROUTE.section() + ALIASED.section() + PUBLIC.section()
    assert findings(checked(Lab(TRIO), here, sections)) == []


def test_every_code_is_told_in_the_documentation() -> None:
    """Those of the findings, of the guards that last, and of the errors that can end a check."""
    tree = ast.parse(Path(checking.__file__).read_text("utf-8"))
    made = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding"]
    codes = {call.args[1].value for call in made if isinstance(call.args[1], ast.Constant)}
    codes |= {*checking._LASTING, AccessError.code, FailedError.code, "exposed"}
    page = (ROOT / "docs" / "check.md").read_text("utf-8").partition("## Findings")[2].partition("## ")[0]
    told = {
        code for row in page.splitlines() for code in re.findall(r"`([^`]+)`", row.split("|")[1] if "|" in row else "")
    }
    assert told == codes


# What dies with its server


@pytest.mark.parametrize("source", ["srv-a", "srv-b"])
def test_an_address_that_is_deleted_with_its_server(here: Machine, source: str) -> None:
    """Whoever has it now, and whether or not there is anything to move."""
    lab = Lab(TRIO)
    lab.sim.state.primary_ips[PRIMARY].auto_delete = True
    destination = "srv-b" if source == "srv-a" else "srv-a"
    assert only(checked(lab, here, PUBLIC.section(source, destination))) == (
        "warning",
        "auto-delete",
        "public.web",
        "resource",
        "auto_delete is set on public-web: who deletes the server that has it deletes the address as well",
        "hcloud primary-ip update 701 --auto-delete=false",
    )


# Routes


def test_a_network_that_is_nearly_full_of_routes(here: Machine) -> None:
    lab = Lab(TRIO)
    routes = lab.sim.state.networks[NETWORK].routes
    routes += [Route(f"172.16.{number}.0/24", "10.0.1.4") for number in range(90 - len(routes))]
    assert only(checked(lab, here, ROUTE.section())) == (
        "warning",
        "routes",
        "route.default",
        "resource",
        "the network internal has 90 of 100 routes",
        "remove the stale ones; a move of a route keeps the number",
    )
    routes.pop()
    assert findings(checked(lab, here, ROUTE.section())) == []


def test_a_full_network_is_told_once_and_only_to_sections_of_routes(here: Machine) -> None:
    lab = Lab(TRIO)
    lab.sim.state.networks[NETWORK].routes += [Route(f"172.16.{number}.0/24", "10.0.1.4") for number in range(99)]
    again = ROUTE.section().replace("route.default", "route.other").replace("0.0.0.0/0", "172.16.5.0/24")
    assert [found["code"] for found in findings(checked(lab, here, ROUTE.section() + again))].count("routes") == 1
    assert findings(checked(lab, here, ALIASED.section())) == []


# The clock


@pytest.mark.parametrize(("ahead_s", "way"), [(-3600.0, "behind"), (3600.0, "ahead of")])
def test_a_clock_that_is_wrong(here: Machine, ahead_s: float, way: str) -> None:
    lab = Lab(TRIO)
    lab.sim._clock = lambda: START + lab.clock.monotonic()
    lab.clock._start = START + ahead_s
    level, code, section, key, message, fix = only(checked(lab, here, FLOAT.section()))
    assert (level, code, section, key) == ("warning", "clock", None, None)
    assert message.startswith("the clock of this machine is 3") and message.endswith(f" s {way} Hetzner's")
    assert fix.startswith("let NTP set it")


# Secrets that others may read


def test_a_file_with_a_token_in_it_that_others_may_read(here: Machine) -> None:
    file = here.file("[client]\napi_token = simulated-token\n" + FLOAT.section(), mode=0o644)
    done = call(Lab(TRIO), "check", "-c", file, "-o", "json")
    told = ("exposed", "client", "api_token", "prod.ini holds a secret and everybody may read it", "chmod o= prod.ini")
    assert only(done) == ("warning", *told)
    (here.home / file).chmod(0o640)
    assert findings(call(Lab(TRIO), "check", "-c", file, "-o", "json")) == []


def test_a_token_file_that_others_may_read(here: Machine) -> None:
    token = here.home / here.file("simulated-token\n", "token", mode=0o644)
    done = checked(Lab(TRIO), here, "[client]\napi_token_file = token\n" + FLOAT.section())
    message, fix = f"{token} holds a secret and everybody may read it", f"chmod o= {token}"
    assert only(done) == ("warning", "exposed", "client", "api_token_file", message, fix)


def test_a_token_file_of_the_command_line_that_others_may_read(here: Machine) -> None:
    here.file("simulated-token\n", "token", mode=0o644)
    done = checked(Lab(TRIO), here, FLOAT.section(), "--token-file", "token")
    message = "token holds a secret and everybody may read it"
    assert only(done) == ("warning", "exposed", None, "--token-file", message, "chmod o= token")


def test_what_others_may_read_shows_without_asking_the_api(here: Machine) -> None:
    file = here.file("[client]\napi_token = simulated-token\n" + FLOAT.section(), mode=0o644)
    done = call(None, "check", "--offline", "-c", file)
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "▲ warning client, api_token: prod.ini holds a secret and everybody may read it\n"
        "    next:    chmod o= prod.ini\n"
    )


# One server under two names


@pytest.mark.parametrize("words", [(), ("--offline",)])
def test_source_and_destination_alike(here: Machine, words: tuple[str, ...]) -> None:
    done = checked(Lab(TRIO), here, FLOAT.section("srv-a", "srv-a"), *words)
    assert only(done) == (
        "warning",
        "same-server",
        "floating.web",
        "destination",
        SAME.format("srv-a"),
        "name the server that takes over as destination",
    )


@pytest.mark.parametrize("sample", [FLOAT, ROUTE, ALIASED, PUBLIC], ids=lambda sample: sample.type)
@pytest.mark.parametrize("name", [str(A), "10.0.1.2"])
def test_source_and_destination_alike_under_two_names(here: Machine, sample: Any, name: str) -> None:
    level, code, section, key, message, _ = only(checked(Lab(TRIO), here, sample.section("srv-a", name)))
    assert (level, code, section, key) == ("warning", "same-server", sample.name, "destination")
    assert message == SAME.format(name)


# One resource in two sections


@pytest.mark.parametrize(
    ("ini", "by"),
    [
        (FLOAT.section(), "resource = 501"),
        (FLOAT.section(), "resource = 192.0.2.10"),
        (FLOAT.section().replace("= web\n", "= web6\n"), "resource = 502"),
        (FLOAT.section().replace("= web\n", "= web6\n"), "resource = 2001:db8:f::77"),
        (PUBLIC.section(), "resource = 701"),
        (PUBLIC.section(), "resource = 198.51.100.7"),
        (PUBLIC.section().replace("public-web\n", "public-web6\n"), "resource = 2001:db8:a::1"),
        (ROUTE.section(), "resource = 4711"),
        (ALIASED.section(), "network = 4711"),
    ],
)
def test_one_resource_in_two_sections_under_two_names(here: Machine, ini: str, by: str) -> None:
    first = ini.partition("]")[0].removeprefix("[")
    key = by.partition(" ")[0]
    other = "\n".join(by if line.startswith(f"{key} =") else line for line in ini.splitlines())
    other = other.replace(f"[{first}]", "[again]")
    assert other != ini.replace(f"[{first}]", "[again]").rstrip("\n")
    assert only(checked(Lab(TRIO), here, f"{ini}{other}\n")) == (
        "warning",
        "twice",
        "again",
        None,
        f"{first} and again are the same resource; a run of both is refused",
        "make them one section, or always name one of them",
    )


def test_one_resource_in_two_sections_under_one_name_is_told_once(here: Machine) -> None:
    again = FLOAT.section().replace("[floating.web]", "[again]")
    assert only(checked(Lab(TRIO), here, FLOAT.section() + again))[1:3] == ("twice", "again")
    assert only(checked(Lab(TRIO), here, FLOAT.section() + again, "--offline"))[1:3] == ("twice", "again")


# Addresses that this machine does not have


@pytest.fixture
def is_srv_a(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine is srv-a by the metadata service, and has one address."""
    monkeypatch.setattr("hcloud_reassign.engine.borders.this_server", lambda: A)
    has(monkeypatch, "10.0.1.2")


def has(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    found = tuple(ip_network(address) for address in addresses)
    monkeypatch.setattr("hcloud_reassign.host.addresses.local_addresses", lambda: found)


ABOUT = "this machine is srv-a, and no interface of it has {}: what is sent there would not be answered"
REST = ", and write it into the network configuration; where keepalived or the like adds it, all is well"
WEB6 = FLOAT.section().replace("= web\n", "= web6\n")


@pytest.mark.usefixtures("is_srv_a")
@pytest.mark.parametrize(
    ("ini", "address", "command"),
    [
        (FLOAT.section(), "192.0.2.10", "ip addr add 192.0.2.10/32 dev eth0"),
        (FLOAT.section("srv-b", "srv-a"), "192.0.2.10", "ip addr add 192.0.2.10/32 dev eth0"),
        (FLOAT.section(str(A), "srv-b"), "192.0.2.10", "ip addr add 192.0.2.10/32 dev eth0"),
        (FLOAT.members("srv-b", "srv-a"), "192.0.2.10", "ip addr add 192.0.2.10/32 dev eth0"),
        (WEB6, "2001:db8:f::/64", "ip addr add 2001:db8:f::1/64 dev eth0"),
        (ALIASED.section(), "10.0.1.100", "ip addr add 10.0.1.100/32 dev DEVICE (that of the network)"),
    ],
)
def test_an_address_that_this_machine_should_have(here: Machine, ini: str, address: str, command: str) -> None:
    name = ini.partition("]")[0].removeprefix("[")
    told = ("warning", "not-configured", name, "resource", ABOUT.format(address), f"{command}{REST}")
    assert only(checked(Lab(TRIO), here, ini)) == told


@pytest.mark.usefixtures("is_srv_a")
@pytest.mark.parametrize(
    ("ini", "address"),
    [
        (FLOAT.section(), "192.0.2.10"),
        (WEB6, "2001:db8:f::77"),
        (WEB6, "2001:db8:f::/64"),
        (ALIASED.section(), "10.0.1.100"),
    ],
)
def test_an_address_that_this_machine_has(
    here: Machine, monkeypatch: pytest.MonkeyPatch, ini: str, address: str
) -> None:
    has(monkeypatch, "10.0.1.2", address)
    assert findings(checked(Lab(TRIO), here, ini)) == []


@pytest.mark.usefixtures("is_srv_a")
@pytest.mark.parametrize("ini", [FLOAT.section("", "srv-c"), ROUTE.section(), PUBLIC.section()])
def test_what_this_machine_does_not_answer_for_is_not_looked_for(here: Machine, ini: str) -> None:
    assert findings(checked(Lab(TRIO), here, ini)) == []


def test_a_machine_that_is_no_server_of_the_project_answers_for_nothing(
    here: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    has(monkeypatch, "10.9.9.9")
    for id, names in ((None, ("laptop",)), (99, ("srv-a",))):
        monkeypatch.setattr("hcloud_reassign.engine.borders.this_server", lambda id=id: id)
        monkeypatch.setattr("hcloud_reassign.engine.borders.host_names", lambda names=names: names)
        assert findings(checked(Lab(TRIO), here, FLOAT.section())) == []


def test_elsewhere_than_at_the_metadata_service_the_hostname_says_who_it_is(
    here: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    has(monkeypatch, "10.9.9.9")
    monkeypatch.setattr("hcloud_reassign.engine.borders.this_server", lambda: None)
    monkeypatch.setattr("hcloud_reassign.engine.borders.host_names", lambda: ("srv-a.example.com", "srv-a"))
    assert only(checked(Lab(TRIO), here, FLOAT.section()))[1] == "not-configured"


@pytest.mark.usefixtures("is_srv_a")
def test_where_this_machine_cannot_be_asked_nothing_is_said(here: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hcloud_reassign.host.addresses.local_addresses", lambda: None)
    assert findings(checked(Lab(TRIO), here, FLOAT.section())) == []


@pytest.mark.usefixtures("is_srv_a")
def test_a_listed_server_that_is_gone_hides_no_other_warning(here: Machine) -> None:
    found = findings(checked(Lab(TRIO), here, FLOAT.members("srv-gone", "srv-a")))
    assert sorted(finding["code"] for finding in found) == ["missing", "not-configured"]


@pytest.mark.usefixtures("is_srv_a")
def test_servers_that_cannot_be_read_keep_this_quiet(here: Machine) -> None:
    from hcloud_reassign.simulator import Fault

    lab = Lab(TRIO, faults=[Fault("GET", "/v1/servers", times=None, status=503)])
    codes = {finding["code"] for finding in findings(checked(lab, here, FLOAT.section(), code=1))}
    assert codes == {"unreadable"}
