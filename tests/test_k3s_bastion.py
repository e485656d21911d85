"""The example with two bastions: its file is sound, its fail-over works, and its own cluster does not do it."""

from __future__ import annotations

import configparser
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hcloud_reassign import Request
from tests.harness import Lab
from tests.system.site import Machine, Site, machine

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "k3s-bastion"
INI = (EXAMPLE / "hcloud-reassign.ini").read_text("utf-8")
ONE, TWO, MASTER, NETWORK, FLOATING = 1, 2, 3, 4711, 501

CLUSTER: Mapping[str, Any] = {
    "networks": [
        {
            "name": "ten-1",
            "id": NETWORK,
            "ip_range": "10.1.0.0/16",
            "subnets": [{"ip_range": "10.1.0.0/24"}],
            "routes": [{"destination": "0.0.0.0/0", "gateway": "10.1.0.2"}],
        }
    ],
    "servers": [
        {"name": "bastion-1", "id": ONE, "networks": {"ten-1": {"ip": "10.1.0.2"}}},
        {"name": "bastion-2", "id": TWO, "networks": {"ten-1": {"ip": "10.1.0.3"}}},
        {"name": "master-1", "id": MASTER, "networks": {"ten-1": {"ip": "10.1.0.11"}}},
    ],
    "floating_ips": [{"name": "bastion", "id": FLOATING, "ip": "203.0.113.10", "server": "bastion-1"}],
    "primary_ips": [
        {"name": "bastion-1", "id": 701, "ip": "198.51.100.1", "server": "bastion-1"},
        {"name": "bastion-2", "id": 702, "ip": "198.51.100.2", "server": "bastion-2"},
    ],
}


def where(lab: Lab) -> tuple[int | None, list[str]]:
    """Who has the floating IP, and the gateways of the way out."""
    routes = lab.sim.state.networks[NETWORK].routes
    return lab.sim.state.floating_ips[FLOATING].server_id, [route.gateway for route in routes]


def triggered(cli: Machine, to: str) -> Any:
    """As a template runs it."""
    now = str(time.time_ns() // 1_000_000)
    return cli.run(INI, "--by", to, "--issued-at", now, "--age", "200", "--max-age", "300", "--to", to, "--", "bastion")


def test_the_file_is_sound(home: Path) -> None:
    with Site(CLUSTER) as site:
        cli = machine(home, site)
        done = cli("check", "--offline", "-c", cli.file(INI))
        assert (done.code, done.out) == (0, "● sound\n")
        assert cli("check", "-c", "prod.ini").code == 0


def test_the_bastion_fails_over_and_back(home: Path) -> None:
    with Site(CLUSTER) as site:
        cli = machine(home, site)
        assert where(site) == (ONE, ["10.1.0.2"])
        done = triggered(cli, "bastion-2")
        assert done.code == 0, done.err
        assert {move["name"]: move["outcome"] for move in done.document["moves"]} == {
            "floating.bastion": "done",
            "route.way-out": "done",
        }
        assert where(site) == (TWO, ["10.1.0.3"])
        assert triggered(cli, "bastion-1").code == 0
        assert where(site) == (ONE, ["10.1.0.2"])


@pytest.mark.parametrize("status", ["off", "deleting"])
def test_it_fails_over_from_a_dead_bastion(home: Path, status: str) -> None:
    servers = [{**server, "status": status} if server["id"] == ONE else server for server in CLUSTER["servers"]]
    with Site({**CLUSTER, "servers": servers}) as site:
        assert triggered(machine(home, site), "bastion-2").code == 0
        assert where(site) == (TWO, ["10.1.0.3"])


def test_a_node_of_the_cluster_does_not_move_its_own_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hcloud_reassign.engine.borders.this_server", lambda: MASTER)
    lab = Lab(CLUSTER)
    report = lab.project(INI).run(["bastion"], Request(to="bastion-2"))
    found = {result.name: (result.outcome, result.guard) for result in report.results}
    assert found == {"route.way-out": ("refused", "own-path"), "floating.bastion": ("refused", "group")}
    assert where(lab) == (ONE, ["10.1.0.2"])


def test_the_standby_bastion_could(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hcloud_reassign.engine.borders.this_server", lambda: TWO)
    lab = Lab(CLUSTER)
    report = lab.project(INI).run(["bastion"], Request(to="bastion-2"))
    assert [result.outcome for result in report.results] == ["done", "done"]


def test_the_bastions_ask_for_the_group_of_the_file() -> None:
    notify, file = (configparser.ConfigParser(interpolation=None) for _ in range(2))
    notify.read_string((EXAMPLE / "notify.conf").read_text("utf-8"))
    file.read_string(INI)
    assert f"group.{notify['vrrp.bastion']['resource']}" in file.sections()
    keepalived = (EXAMPLE / "keepalived.conf").read_text("utf-8")
    assert f"{notify['vrrp.bastion']['address']}/32 dev {notify['vrrp.bastion']['interface']}\n" in keepalived
    assert "vrrp_instance bastion {" in keepalived
    assert not [key for section in notify for key in notify[section] if "hcloud" in key]
