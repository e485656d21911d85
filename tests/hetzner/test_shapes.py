"""Hetzner's objects as they look today, as they looked in mid 2026, and as nobody has seen them yet."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from hcloud_reassign.core.model import Request
from hcloud_reassign.hetzner import shapes
from hcloud_reassign.simulator import Simulator, Switches, load_scenario
from tests.harness import Lab

ZONE = {"name": "fsn1", "network_zone": "eu-central"}


def _listed(switches: Switches, table: str) -> Any:
    sim = Simulator(load_scenario("pair"), clock=lambda: 1e9, rng=random.Random(1), switches=switches)
    reply = sim.handle("GET", f"/v1/{table}", [], {"Authorization": "Bearer simulated-token"}, b"")
    return json.loads(reply.body)[table]


@pytest.mark.parametrize("reader", shapes.READERS.values(), ids=lambda reader: reader[0])
def test_both_shapes_of_2026_read_alike(reader: Any) -> None:
    table, _, read = reader
    today = [read(item) for item in _listed(Switches(), table)]
    before = [read(item) for item in _listed(Switches.mid_2026(), table)]
    assert today == before


def test_the_location_may_be_in_three_places() -> None:
    for data in ({"location": ZONE}, {"datacenter": {"location": ZONE}}, {"home_location": ZONE}):
        assert shapes.server({"id": 1, **data}).network_zone == "eu-central"
    assert shapes.server({"id": 1, "location": None, "datacenter": None}).location is None


@pytest.mark.parametrize("word", ["unassigned", "server", None, "something_new"])
def test_a_primary_ip_of_nobody_is_told_by_its_id_alone(word: Any) -> None:
    assert shapes.primary_ip({"id": 1, "ip": "192.0.2.1", "assignee_id": None, "assignee_type": word}).assignee is None


@pytest.mark.parametrize("word", ["load_balancer", "quantum_server"])
def test_an_assignee_keeps_the_word_that_it_has(word: str) -> None:
    read = shapes.primary_ip({"id": 1, "ip": "192.0.2.1", "assignee_id": 5, "assignee_type": word})
    assert (read.assignee, read.assignee_type) == (5, word)


@pytest.mark.parametrize("status", ["hibernating", "", None, 7])
def test_an_unknown_status_is_kept_or_unknown(status: Any) -> None:
    read = shapes.server({"id": 1, "name": "a", "status": status})
    assert read.status == (status if isinstance(status, str) and status else "unknown")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:10Z", 10.0),
        ("1970-01-01T00:00:10+00:00", 10.0),
        ("1970-01-01T02:00:10+02:00", 10.0),
        ("1970-01-01T00:00:10.5Z", 10.5),
        ("1970-01-01T00:00:10.123456789Z", 10.123456789),
        ("1970-01-01T00:00:10", 10.0),
    ],
)
def test_times_are_read_in_every_form_of_rfc_3339(text: str, seconds: float) -> None:
    read = shapes.action({"id": 1, "status": "success", "started": text})
    assert read.started == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["soon", "", 7, None, "9999-99-99T00:00:00Z", "1970-01-01", "٢٠٢٦-01-01T00:00:00Z"])
def test_a_time_that_is_none_does_not_spoil_the_action(text: Any) -> None:
    assert shapes.action({"id": 1, "status": "running", "started": text, "finished": text}).started == 0.0


def test_a_failed_action_says_why() -> None:
    data = {"id": 1, "status": "error", "error": {"code": "action_failed", "message": "no"}}
    assert (shapes.action(data).error_code, shapes.action(data).error_message) == ("action_failed", "no")


def test_the_error_beside_a_success_is_not_one() -> None:
    """The description's examples show one there."""
    data = {"id": 1, "status": "success", "error": {"code": "action_failed", "message": "no"}}
    assert shapes.action(data).error_code is None


@pytest.mark.parametrize("missing", ["id", "status"])
def test_an_action_without_what_it_needs_is_none(missing: str) -> None:
    data = {"id": 1, "status": "running"}
    del data[missing]
    with pytest.raises(ValueError, match=missing):
        shapes.action(data)


def test_a_load_balancer_reaches_servers_directly_and_by_selector_but_not_in_private() -> None:
    targets = [
        {"type": "server", "server": {"id": 1}, "use_private_ip": False},
        {"type": "server", "server": {"id": 2}, "use_private_ip": True},
        {
            "type": "label_selector",
            "use_private_ip": False,
            "targets": [{"type": "server", "server": {"id": 3}, "use_private_ip": False}],
        },
        {"type": "label_selector", "use_private_ip": True, "targets": [{"type": "server", "server": {"id": 4}}]},
        {"type": "ip", "ip": {"ip": "203.0.113.1"}},
    ]
    assert shapes.load_balancer({"id": 9, "name": "lb", "targets": targets}).public_targets == (1, 3)


def test_a_server_without_public_net_is_one() -> None:
    read = shapes.server({"id": 1, "name": "a", "public_net": {"ipv4": None, "ipv6": None}, "private_net": []})
    assert read.ipv4 is None and read.ipv6 is None


def test_a_run_on_the_shapes_of_mid_2026_does_the_same() -> None:
    ini = "[public.web]\ntype = ip_public\nresource = public-web\nsource = srv-a\ndestination = srv-b\n"
    alias = "[alias.vip]\ntype = ip_alias\nresource = 10.0.1.200\nnetwork = internal\ndestination = srv-b\n"
    lab = Lab("pair", switches=Switches.mid_2026())
    lab.sim.state.primary_ips[701].assignee_id = None
    report = lab.project(ini + alias).run([], Request(allow_poweroff=True))
    assert [result.outcome for result in report.results] == ["done", "done"]
