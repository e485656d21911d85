"""Hetzner's own command line, as real processes, against the simulator."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hcloud_reassign.simulator import Simulator, Switches, load_scenario

pytest.importorskip("uvicorn")

from hcloud_reassign.simulator.asgi import RunningServer  # noqa: E402

HCLOUD = Path("/usr/bin/hcloud")

pytestmark = pytest.mark.skipif(not HCLOUD.exists(), reason="the hcloud command (package hcloud-cli) is not installed")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def sim() -> Simulator:
    # The packaged hcloud 1.30 knows the shapes of mid 2026.
    return Simulator(
        load_scenario("pair"),
        clock=time.time,
        rng=random.Random(1),
        switches=Switches.mid_2026(),
        action_time=(0.01, 0.02),
    )


@pytest.fixture
def hcloud(sim: Simulator, tmp_path: Path) -> Iterator[Run]:
    with RunningServer(sim) as server:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "HCLOUD_ENDPOINT": server.url,
            "HCLOUD_TOKEN": "simulated-token",
        }

        def run(*arguments: str, code: int = 0, token: str = "simulated-token") -> subprocess.CompletedProcess[str]:
            done = subprocess.run(
                [str(HCLOUD), "--poll-interval", "20ms", *arguments],
                env={**environment, "HCLOUD_TOKEN": token},
                capture_output=True,
                text=True,
                timeout=30,
            )
            assert done.returncode == code, done.stderr
            return done

        yield run


def columns(output: str) -> list[list[str]]:
    """The rows of a list without its header."""
    return [line.split() for line in output.splitlines()[1:]]


def test_everything_can_be_listed(hcloud: Run) -> None:
    assert [row[:4] for row in columns(hcloud("server", "list").stdout)] == [
        ["10", "srv-a", "running", "198.51.100.7"],
        ["11", "srv-b", "running", "-"],
        ["12", "srv-c", "off", "198.51.100.12"],
    ]
    floating = hcloud("floating-ip", "list", "-o", "columns=id,name,ip,server").stdout
    assert columns(floating) == [["501", "web", "192.0.2.10", "srv-a"], ["502", "web6", "2001:db8:f::/64", "srv-a"]]
    assert columns(hcloud("network", "list").stdout) == [["4711", "internal", "10.0.0.0/16", "3", "servers"]]
    assert ["701", "ipv4", "public-web"] in [row[:3] for row in columns(hcloud("primary-ip", "list").stdout)]
    for kind in ("location", "datacenter", "server-type", "image", "load-balancer-type"):
        assert columns(hcloud(kind, "list").stdout), kind


def test_lists_are_filtered_by_the_simulator(hcloud: Run) -> None:
    selected = hcloud("server", "list", "--selector", "role=web", "-o", "columns=name", "-o", "noheader").stdout
    assert selected.split() == ["srv-a", "srv-b"]


def test_everything_can_be_described(hcloud: Run) -> None:
    server = hcloud("server", "describe", "srv-a").stdout
    assert "198.51.100.7" in server and "10.0.1.100" in server and "fsn1-dc14" in server
    assert "srv-a" in hcloud("floating-ip", "describe", "web").stdout
    assert "0.0.0.0/0" in hcloud("network", "describe", "internal").stdout
    assert "public-web" in hcloud("primary-ip", "describe", "public-web").stdout


def test_a_floating_ip_is_assigned_and_unassigned(hcloud: Run, sim: Simulator) -> None:
    assert hcloud("floating-ip", "assign", "web", "srv-b").stdout == "Floating IP 501 assigned to server 11\n"
    assert sim.state.floating_ips[501].server_id == 11
    assert hcloud("floating-ip", "unassign", "web").stdout == "Floating IP 501 unassigned\n"
    assert sim.state.floating_ips[501].server_id is None


def test_alias_ips_are_replaced(hcloud: Run, sim: Simulator) -> None:
    done = hcloud("server", "change-alias-ips", "srv-a", "--network", "internal", "--alias-ips", "10.0.1.50")
    assert done.stdout == "Alias IPs changed for server 10 in network 4711\n"
    assert sim.state.servers[10].private_net[0].alias_ips == ["10.0.1.50"]


def test_a_route_is_removed_and_added(hcloud: Run, sim: Simulator) -> None:
    route = ("--destination", "0.0.0.0/0", "--gateway")
    assert hcloud("network", "remove-route", "internal", *route, "10.0.1.2").returncode == 0
    assert [one.destination for one in sim.state.networks[4711].routes] == ["192.168.77.0/24"]
    assert hcloud("network", "add-route", "internal", *route, "10.0.1.3").stdout == "Route added to network 4711\n"
    assert [(one.destination, one.gateway) for one in sim.state.networks[4711].routes] == [
        ("192.168.77.0/24", "10.0.1.3"),
        ("0.0.0.0/0", "10.0.1.3"),
    ]


def test_a_server_is_powered_off_and_on(hcloud: Run, sim: Simulator) -> None:
    assert hcloud("server", "poweroff", "srv-a").stdout == "Server 10 stopped\n"
    assert sim.state.servers[10].status == "off"
    assert hcloud("server", "poweron", "srv-a").stdout == "Server 10 started\n"
    assert sim.state.servers[10].status == "running"


def test_a_primary_ip_moves_between_servers_that_are_off(hcloud: Run, sim: Simulator) -> None:
    assert "server_not_stopped" in hcloud("primary-ip", "unassign", "public-web", code=1).stderr
    for name in ("srv-a", "srv-b"):
        hcloud("server", "poweroff", name)
    hcloud("primary-ip", "unassign", "public-web")
    hcloud("primary-ip", "assign", "public-web", "--server", "srv-b")
    assert sim.state.primary_ips[701].assignee_id == 11


def test_labels_are_kept_and_added(hcloud: Run, sim: Simulator) -> None:
    hcloud("server", "add-label", "srv-a", "more=yes")
    assert sim.state.servers[10].labels == {"role": "web", "more": "yes"}


def test_refusals_reach_the_user(hcloud: Run) -> None:
    assert "floating_ip_assigned" in hcloud("floating-ip", "assign", "web", "srv-a", code=1).stderr
    assert "the token you have provided is invalid" in hcloud("server", "list", code=1, token="x" * 64).stderr
    read_only = hcloud("server", "poweroff", "srv-a", code=1, token="simulated-token-read-only").stderr
    assert "token_readonly" in read_only
