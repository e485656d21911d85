"""What a move leaves as it was, and what becomes of one that fails half-way."""

from __future__ import annotations

import shlex
import time
from typing import Any

import pytest

from hcloud_reassign.simulator import Fault
from hcloud_reassign.simulator.model import Route
from tests.engine.samples import (
    ALIAS,
    ALIASED,
    FLOAT,
    NETWORK,
    PRIMARY6,
    PUBLIC,
    ROUTE,
    SAMPLES,
    A,
    B,
    C,
    Sample,
    aliases,
    gateway,
    statuses,
    verbs,
)
from tests.system.site import Machine, Site, id_of, only, told

REFUSED: dict[str, Any] = {"status": 422, "code": "invalid_input", "message": "invalid input in field 'gateway'"}
BOTH = PUBLIC.section() + PUBLIC.section().replace("public.web", "public.web6").replace("public-web", "public-web6")


def add_route_is_refused(times: int | None) -> Fault:
    return Fault("POST", "*/actions/add_route", times=times, **REFUSED)


def test_other_alias_ips_stay_where_they_are(cli: Machine, site: Site) -> None:
    assert told(cli.run(ALIASED.section())) == ("done", 0, None)
    assert (aliases(site, A), aliases(site, B), aliases(site, C)) == (["10.0.1.50"], ["10.0.1.51", ALIAS], [])


def test_an_alias_ip_that_somebody_adds_during_the_move_stays(cli: Machine, site: Site) -> None:
    def somebody(*_: object) -> None:
        site.sim.state.servers[B].private_net[0].alias_ips.append("10.0.1.60")

    site.sim.faults.append(Fault("POST", "/v1/servers/10/actions/change_alias_ips", run=somebody))
    assert told(cli.run(ALIASED.section())) == ("done", 0, None)
    assert (aliases(site, A), aliases(site, B)) == (["10.0.1.50"], ["10.0.1.51", "10.0.1.60", ALIAS])


def test_other_routes_stay_as_they_are(cli: Machine, site: Site) -> None:
    others = [Route("192.168.77.0/24", "10.0.1.3"), Route("10.200.0.0/16", "10.0.1.2")]
    site.sim.state.networks[NETWORK].routes[:0] = others
    assert told(cli.run(ROUTE.section())) == ("done", 0, None)
    assert gateway(site) == "10.0.1.3"
    assert [route for route in site.sim.state.networks[NETWORK].routes if route.destination != "0.0.0.0/0"] == others
    assert not any(b"192.168" in item.body or b"10.200" in item.body for item in site.writes)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
def test_foreign_labels_are_kept(sample: Sample, cli: Machine, site: Site) -> None:
    before = dict(sample.labels(site))
    assert "team" in before
    trigger = (sample.name, "--issued-at", str(time.time_ns() // 1_000_000))
    assert told(cli.run(sample.section(), *trigger)) == ("done", 0, None)
    after = sample.labels(site)
    assert after.pop(sample.claim).endswith(f".{sample.keys[B]}")
    assert after == before


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
def test_a_typed_run_of_a_project_without_triggers_leaves_no_label(sample: Sample, cli: Machine, site: Site) -> None:
    before = dict(sample.labels(site))
    assert told(cli.run(sample.section())) == ("done", 0, None)
    assert sample.labels(site) == before


def test_a_route_that_is_refused_is_put_back(cli: Machine, site: Site) -> None:
    site.sim.faults.append(add_route_is_refused(1))
    done = cli.run(ROUTE.section())
    move = only(done)
    assert told(done) == ("failed", 1, None)
    assert move["before"] == move["after"] and gateway(site) == "10.0.1.2"
    assert verbs(site) == ["delete_route", "add_route", "add_route"]
    assert "as before" in move["message"] and "invalid input" in move["message"]


@pytest.mark.parametrize("triggered", [False, True], ids=["typed", "triggered"])
def test_a_route_that_cannot_be_put_back_either_is_mended_by_the_printed_command(
    cli: Machine, site: Site, triggered: bool
) -> None:
    site.sim.faults.append(add_route_is_refused(None))
    words = (ROUTE.name, "--issued-at", str(time.time_ns() // 1_000_000)) if triggered else ()
    done = cli.run(ROUTE.section(), *words)
    move = only(done)
    assert told(done) == ("unknown", 5, None)
    assert move["after"] is None and gateway(site) is None
    assert "nobody has it now" in move["message"] and "10.0.1.2" in move["message"]
    vendor = f"hcloud network add-route --destination 0.0.0.0/0 --gateway 10.0.1.2 {NETWORK}"
    assert move["vendor_command"] == vendor
    assert move["next"] == "hcloud-reassign run -c prod.ini route.default --to 10.0.1.2"
    site.sim.faults.clear()
    mended = cli(*shlex.split(move["next"])[1:], "-o", "json")
    assert told(mended) == ("done", 0, None)
    assert gateway(site) == "10.0.1.2"


def test_the_text_for_people_has_the_two_lines_too(cli: Machine, site: Site) -> None:
    site.sim.faults.append(add_route_is_refused(None))
    done = cli("run", "-c", cli.file(ROUTE.section()))
    assert done.code == 5
    lines = [line.strip() for line in done.out.splitlines()]
    (line,) = [line for line in lines if line.startswith("next:")]
    assert f"or:      hcloud network add-route --destination 0.0.0.0/0 --gateway 10.0.1.2 {NETWORK}" in lines
    site.sim.faults.clear()
    assert cli(*shlex.split(line.removeprefix("next:"))[1:]).code == 0
    assert gateway(site) == "10.0.1.2"


def test_an_alias_ip_that_cannot_be_given_to_anybody_is_mended_by_the_printed_command(cli: Machine, site: Site) -> None:
    site.sim.faults.append(Fault("POST", "*/actions/change_alias_ips", nth=2, times=None, status=422, message="no"))
    done = cli.run(ALIASED.section())
    move = only(done)
    assert told(done) == ("unknown", 5, None)
    assert ALIASED.holder(site) is None and "nobody has it now" in move["message"]
    site.sim.faults.clear()
    mended = cli(*shlex.split(move["next"])[1:], "-o", "json")
    assert told(mended) == ("done", 0, None)
    assert ALIASED.holder(site) in (A, B)
    assert id_of(only(mended)["after"]) == ALIASED.holder(site)


def test_a_floating_ip_that_is_refused_stays(cli: Machine, site: Site) -> None:
    site.sim.faults.append(Fault("POST", FLOAT.path, status=422, code="service_error", message="no"))
    done = cli.run(FLOAT.section())
    assert told(done) == ("failed", 1, None)
    assert FLOAT.holder(site) == A and only(done)["after"]["name"] == "srv-a"


# Primary IPs


def test_without_consent_nothing_is_stopped(cli: Machine, site: Site) -> None:
    ini = BOTH.replace("allow_poweroff = yes\n", "")
    done = cli.run(ini)
    assert done.code == 3
    assert {move["guard"] for move in done.document["moves"]} == {"reboot"}
    assert not site.writes and set(statuses(site).values()) == {"running"}


def test_with_consent_both_families_move_in_one_stop_of_each_server(cli: Machine, site: Site) -> None:
    ini = BOTH.replace("allow_poweroff = yes\n", "")
    done = cli.run(ini, "--allow-poweroff")
    assert done.code == 0
    assert {move["name"]: move["after"]["name"] for move in done.document["moves"]} == {
        "public.web": "srv-b",
        "public.web6": "srv-b",
    }
    assert PUBLIC.holder(site) == site.sim.state.primary_ips[PRIMARY6].assignee_id == B
    assert set(statuses(site).values()) == {"running"}
    paths = [item.path for item in site.writes if item.method == "POST"]
    assert paths[:2] == [f"/v1/servers/{A}/actions/shutdown", f"/v1/servers/{B}/actions/shutdown"]
    assert paths[-2:] == [f"/v1/servers/{B}/actions/poweron", f"/v1/servers/{A}/actions/poweron"]
    assert sorted(path.rpartition("/")[2] for path in paths[2:-2]) == ["assign", "assign", "unassign", "unassign"]
    assert not any(key.startswith("hcloud-reassign/") for key in PUBLIC.labels(site))
