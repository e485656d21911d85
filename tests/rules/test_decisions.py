"""Every row of the table of who may hold what, through the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hcloud_reassign.simulator import Fault, Switches
from tests.cli.process import Done, assert_fits
from tests.engine.samples import ALIAS, ALIASED, FLOAT, PUBLIC, ROUTE, SAMPLES, TRIO, A, B, C, Sample, posts, trio
from tests.system.conftest import Serve
from tests.system.site import AtHand, Machine, Site, id_of, machine, only, told

every_kind = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
with_and_without_force = pytest.mark.parametrize("force", [(), ("--force",)], ids=["plain", "force"])
Flags = tuple[str, ...]


def run(cli: Machine, ini: str, *words: str) -> tuple[Done, dict[str, Any]]:
    """One run: how it ended, and its one move. Every document is what the schema says."""
    done = cli.run(ini, *words)
    assert_fits(done.document, "run")
    assert "Traceback" not in done.err
    return done, only(done)


@every_kind
@with_and_without_force
def test_what_the_target_has_is_unchanged(sample: Sample, force: Flags, cli: Machine, site: Site) -> None:
    done, move = run(cli, sample.section("srv-b", "srv-a"), *force)
    assert told(done) == ("unchanged", 0, None)
    assert (id_of(move["before"]), id_of(move["after"]), id_of(move["wanted"])) == (A, A, A)
    assert move["message"] is move["next"] is None
    assert not site.writes


@every_kind
@with_and_without_force
def test_what_an_expected_holder_has_is_moved(sample: Sample, force: Flags, cli: Machine, site: Site) -> None:
    done, move = run(cli, sample.section(), *force)
    assert told(done) == ("done", 0, None)
    assert (id_of(move["before"]), id_of(move["after"]), sample.holder(site)) == (A, B, B)
    assert all(step["status"] == "done" for step in move["steps"])


@every_kind
@with_and_without_force
def test_what_nobody_has_is_moved(sample: Sample, force: Flags, cli: Machine, site: Site) -> None:
    sample.put(site.sim, None)
    done, move = run(cli, sample.section(), *force)
    assert told(done) == ("done", 0, None)
    assert (move["before"], id_of(move["after"]), sample.holder(site)) == (None, B, B)


@every_kind
def test_what_somebody_else_has_is_refused_and_then_taken_with_force(sample: Sample, cli: Machine, site: Site) -> None:
    sample.put(site.sim, C)
    done, move = run(cli, sample.section())
    assert told(done) == ("refused", 3, "holder")
    assert "srv-c" in move["message"] and "--force" in move["next"]
    assert (id_of(move["before"]), id_of(move["after"]), sample.holder(site)) == (C, C, C)
    assert not site.writes
    done, move = run(cli, sample.section(), "--force")
    assert told(done) == ("done", 0, None)
    assert (id_of(move["before"]), id_of(move["after"]), sample.holder(site)) == (C, B, B)
    assert any("forced past holder" in text for text in move["warnings"])


@every_kind
def test_without_a_source_anybody_may_hold_it(sample: Sample, cli: Machine, site: Site) -> None:
    sample.put(site.sim, C)
    done, move = run(cli, sample.section(source=""))
    assert (told(done), id_of(move["before"]), sample.holder(site)) == (("done", 0, None), C, B)


@every_kind
@with_and_without_force
def test_what_cannot_be_read_is_not_taken_for_nobodys(sample: Sample, force: Flags, cli: Machine, site: Site) -> None:
    site.sim.faults.append(Fault("GET", sample.seen, status=422, times=None, code="service_error", message="no order"))
    done, move = run(cli, sample.section(), *force)
    assert told(done) == ("failed", 1, None)
    assert "cannot tell" in move["message"] and move["after"] is None
    assert not site.writes


@pytest.mark.parametrize("sample", [ALIASED, PUBLIC], ids=lambda sample: sample.type)
@with_and_without_force
def test_what_a_load_balancer_has_stays_there(sample: Sample, force: Flags, serve: Serve, home: Path) -> None:
    balancer: dict[str, Any] = {"name": "lb", "id": 9001}
    if sample is ALIASED:
        balancer["networks"] = {"internal": {"ip": ALIAS}}
        servers = [
            {**server, "networks": {"internal": {"ip": f"10.0.1.{number}"}}}
            for number, server in enumerate(TRIO["servers"], 2)
        ]
        site = serve(trio(servers=servers, load_balancers=[balancer]))
    else:
        primary = [{"name": "public-web", "id": 701, "ip": "198.51.100.7", "load_balancer": "lb"}]
        site = serve(trio(load_balancers=[balancer], primary_ips=primary))
    done, move = run(machine(home, site, AtHand), sample.section(source=""), *force)
    assert told(done) == ("refused", 3, "holder")
    assert move["before"]["type"] == "load_balancer"
    assert "load balancer" in move["message"] and "--force" not in (move["next"] or "")
    assert not posts(site)


@with_and_without_force
def test_an_assignee_of_an_unknown_kind_keeps_it(force: Flags, cli: Machine, site: Site) -> None:
    site.sim.state.primary_ips[701].assignee_type = "quantum_server"
    done, move = run(cli, PUBLIC.section(source=""), *force)
    assert told(done) == ("refused", 3, "holder")
    assert "quantum_server" in move["message"] and move["before"]["type"] == "other"
    assert not site.writes


@every_kind
def test_a_target_beside_the_list_is_refused_even_with_force(sample: Sample, cli: Machine, site: Site) -> None:
    done, move = run(cli, sample.section(), "--to", "srv-c", "--force")
    assert told(done) == ("refused", 3, "not-listed")
    assert "srv-a" in move["next"] and "srv-b" in move["next"]
    assert not site.writes


@every_kind
def test_a_source_that_was_deleted_does_not_stop_a_failover(sample: Sample, cli: Machine, site: Site) -> None:
    site.sim.delete_server(A)
    done, move = run(cli, sample.section())
    assert told(done) == ("done", 0, None)
    assert (id_of(move["after"]), sample.holder(site)) == (B, B)
    assert any("srv-a is listed, but there is no server" in text for text in move["warnings"])


@pytest.mark.parametrize("sample", [FLOAT, PUBLIC], ids=lambda sample: sample.type)
def test_an_address_that_still_names_the_deleted_server_moves(sample: Sample, serve: Serve, home: Path) -> None:
    site = serve(switches=Switches(deleted_holder_lingers_s=60))
    site.sim.delete_server(A)
    done, move = run(machine(home, site, AtHand), sample.section())
    assert told(done) == ("done", 0, None)
    assert (id_of(move["before"]), id_of(move["after"]), sample.holder(site)) == (A, B, B)


def test_a_gateway_of_no_server_is_somebody_else_while_all_that_are_listed_exist(cli: Machine, site: Site) -> None:
    site.sim.state.networks[4711].routes[0].gateway = "10.0.1.99"
    done, move = run(cli, ROUTE.section())
    assert told(done) == ("refused", 3, "holder")
    assert "10.0.1.99" in move["message"] and not site.writes


@every_kind
def test_a_target_that_does_not_exist_is_exit_2_with_the_nearest_name(sample: Sample, cli: Machine, site: Site) -> None:
    done, move = run(cli, sample.section(destination="srv-bb"))
    assert told(done) == ("failed", 2, None)
    assert "did you mean 'srv-b'?" in move["message"]
    assert sample.holder(site) == A and not site.writes
