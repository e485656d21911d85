"""After a run Hetzner's own command line sees the new holder, and its own way does the same move."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hcloud_reassign.simulator import Switches
from tests.cli.process import Done
from tests.engine.samples import ALIAS, FLOATING, NETWORK, PRIMARY, SAMPLES, A, B, C, Sample, statuses
from tests.system.site import Machine, Site, id_of, machine, only, told

HCLOUD = Path("/usr/bin/hcloud")

pytestmark = pytest.mark.skipif(not HCLOUD.exists(), reason="the hcloud command (package hcloud-cli) is not installed")
every_kind = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)

Hcloud = Callable[..., Any]


@pytest.fixture
def site() -> Any:
    # The packaged hcloud 1.30 knows the shapes of mid 2026.
    with Site(switches=Switches.mid_2026()) as running:
        yield running


@pytest.fixture
def cli(site: Site, home: Path) -> Machine:
    return machine(home, site)


def shell(cli: Machine, line: str) -> None:
    """A line as a person pastes it."""
    environ = {**cli.environ, "PATH": f"{HCLOUD.parent}:{cli.environ['PATH']}", "HCLOUD_POLL_INTERVAL": "20ms"}
    done = subprocess.run(["sh", "-ec", line], env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (line, done.stderr)


@pytest.fixture
def hcloud(cli: Machine) -> Hcloud:
    """Its answer as data."""

    def ask(*words: str) -> Any:
        done = subprocess.run(
            [str(HCLOUD), *words, "-o", "json"], env=dict(cli.environ), capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


def seen_holder(hcloud: Hcloud, sample: Sample) -> Any:
    """Who has it by hcloud's own words."""
    if sample.type == "ip_floating":
        server = hcloud("floating-ip", "describe", str(FLOATING))["server"]
        return server["id"] if isinstance(server, dict) else server
    if sample.type == "ip_public":
        return hcloud("primary-ip", "describe", str(PRIMARY))["assignee_id"] or None
    if sample.type == "route":
        routes = hcloud("network", "describe", str(NETWORK))["routes"]
        (gateway,) = [route["gateway"] for route in routes if route["destination"] == "0.0.0.0/0"]
        return next(server for server, address in sample.keys.items() if address == gateway)
    holders = [
        server
        for server in (A, B, C)
        for leg in hcloud("server", "describe", str(server))["private_net"]
        if ALIAS in (leg["alias_ips"] or ())
    ]
    assert len(holders) <= 1
    return holders[0] if holders else None


@every_kind
def test_hcloud_sees_the_new_holder(sample: Sample, cli: Machine, hcloud: Hcloud) -> None:
    assert seen_holder(hcloud, sample) == A
    done = cli.run(sample.section())
    assert told(done) == ("done", 0, None)
    assert seen_holder(hcloud, sample) == id_of(only(done)["after"]) == B
    assert {server["status"] for server in hcloud("server", "list")} == {"running"}


@every_kind
def test_the_vendors_way_that_a_plan_prints_does_the_same_move(
    sample: Sample, cli: Machine, site: Site, hcloud: Hcloud
) -> None:
    plan = cli("plan", "-c", cli.file(sample.section()), "-o", "json")
    command = only(plan)["vendor_command"]
    assert command.startswith("hcloud ")
    shell(cli, command)
    assert seen_holder(hcloud, sample) == sample.holder(site) == B
    assert set(statuses(site).values()) == {"running"}
    again = cli.run(sample.section())
    assert told(again) == ("unchanged", 0, None)


@every_kind
def test_the_vendors_way_is_told_for_what_nobody_has_too(
    sample: Sample, cli: Machine, site: Site, hcloud: Hcloud
) -> None:
    sample.put(site.sim, None)
    shell(cli, only(cli("plan", "-c", cli.file(sample.section()), "-o", "json"))["vendor_command"])
    assert seen_holder(hcloud, sample) == B


def test_the_text_of_a_plan_has_the_same_line(cli: Machine) -> None:
    file = cli.file(SAMPLES[0].section())
    command = only(cli("plan", "-c", file, "-o", "json"))["vendor_command"]
    assert f"same as: {command}" in [line.strip() for line in cli("plan", "-v", "-c", file).out.splitlines()]


def rows(done: Done) -> dict[str, Any]:
    return {row["name"]: row for row in done.document["resources"]}


def test_status_agrees_with_hclouds_lists(cli: Machine, site: Site, hcloud: Hcloud) -> None:
    ini = "".join(sample.section() for sample in SAMPLES)
    for words in ((), ("-d", "src")):
        assert cli.run(ini, *words).code == 0
        found = rows(cli("status", "--all", "-c", "prod.ini", "-o", "json"))
        for sample in SAMPLES:
            assert found[sample.name]["holder"]["id"] == seen_holder(hcloud, sample), sample.type
        floating = {item["id"]: item["server"] for item in hcloud("floating-ip", "list")}
        primary = {item["id"]: item["assignee_id"] for item in hcloud("primary-ip", "list")}
        for row in found.values():
            holder = id_of(row["holder"])
            if row["type"] == "ip_floating":
                server = floating.pop(row["id"])
                assert holder == (server["id"] if isinstance(server, dict) else server)
            elif row["type"] == "ip_public":
                assert holder == (primary.pop(row["id"]) or None)
        assert not floating and not primary
        aliases = {row["address"] for row in found.values() if row["type"] == "ip_alias"}
        seen = [
            ip for server in hcloud("server", "list") for leg in server["private_net"] for ip in leg["alias_ips"] or ()
        ]
        assert aliases == set(seen)
        routes = {row["address"] for row in found.values() if row["type"] == "route"}
        assert routes == {route["destination"] for net in hcloud("network", "list") for route in net["routes"]}
