"""Every guard through the command line: what it refuses, what it says, and that its way past works."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from hcloud_reassign.simulator import Simulator
from tests.cli.process import Done, assert_fits
from tests.engine.samples import (
    ALIASED,
    FLOAT,
    PRIMARY,
    PUBLIC,
    QUICK,
    ROUTE,
    TRIO,
    A,
    B,
    C,
    Sample,
    statuses,
    trio,
    verbs,
    with_server,
)
from tests.system.conftest import Serve
from tests.system.site import AtHand, Cold, Machine, Site, id_of, machine, only, told

# What is remembered on the resource, and on its network. Every kind: tests/engine/test_guards.py, test_order.py.
two_kinds = pytest.mark.parametrize("sample", [FLOAT, ROUTE], ids=lambda sample: sample.type)
Change = Callable[[Simulator], None]
NO_CONSENT = replace(PUBLIC, needs="")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Case:
    """A refusal. `passes`: the same with these words, or in this section, goes through; nothing set: nothing helps."""

    guard: str
    sample: Sample
    says: tuple[str, ...]
    next: str
    scenario: dict[str, Any]
    section: str = ""
    force_passes: bool = False
    passes_in: str | None = None
    passes_with: tuple[str, ...] = ()

    @property
    def ini(self) -> str:
        return self.section or self.sample.section()


def only_public() -> dict[str, Any]:
    """srv-a has no interface but public-web."""
    primary = [{"name": "public-web", "id": PRIMARY, "ip": "198.51.100.7", "server": "srv-a"}]
    return with_server(trio(primary_ips=primary), "srv-a", networks={})


def twin_networks() -> dict[str, Any]:
    return trio(networks=[*TRIO["networks"], {**TRIO["networks"][0], "name": "second", "id": 4712, "routes": []}])


def begun(sim: Simulator) -> None:
    sim.state.primary_ips[PRIMARY].labels["hcloud-reassign/intention"] = f"{A}-on.{B}-on.0"


OFF = with_server(TRIO, "srv-b", status="off")
CASES = {
    **{
        f"destination-off {sample.type}": Case(
            "destination-off", sample, ("srv-b", "off"), "--force", OFF, force_passes=True
        )
        for sample in QUICK
    },
    "zone ip_floating": Case(
        "zone",
        FLOAT,
        ("srv-b",),
        "--force",
        with_server(TRIO, "srv-b", location="ash", networks={}),
        force_passes=True,
    ),
    "zone ip_public": Case("zone", PUBLIC, ("fsn1", "nbg1"), "", with_server(TRIO, "srv-b", location="nbg1")),
    "not-in-network route": Case(
        "not-in-network", ROUTE, ("srv-b",), "attach-to-network", with_server(TRIO, "srv-b", networks={})
    ),
    "not-in-network ip_alias": Case(
        "not-in-network", ALIASED, ("srv-b",), "attach-to-network", with_server(TRIO, "srv-b", networks={})
    ),
    "reboot": Case(
        "reboot",
        PUBLIC,
        ("srv-a", "srv-b"),
        "--allow-poweroff",
        dict(TRIO),
        section=NO_CONSENT.section(),
        passes_with=("--allow-poweroff",),
        passes_in=NO_CONSENT.section(),
    ),
    "occupied": Case(
        "occupied",
        PUBLIC,
        ("198.51.100.9",),
        "occupied = detach",
        with_server(TRIO, "srv-b", ipv4="198.51.100.9"),
        passes_in=PUBLIC.section(more="occupied = detach"),
    ),
    "no-interface": Case(
        "no-interface",
        PUBLIC,
        ("srv-a",),
        "leave_off = yes",
        only_public(),
        passes_in=PUBLIC.section(more="leave_off = yes"),
    ),
    "lb-target": Case(
        "lb-target",
        PUBLIC,
        ("lb",),
        "remove-target",
        trio(load_balancers=[{"name": "lb", "targets": [{"server": "srv-a"}]}]),
    ),
    "ambiguous": Case(
        "ambiguous",
        ALIASED,
        ("4711", "4712"),
        "id",
        twin_networks(),
        section="[alias.vip]\ntype = ip_alias\nresource = 10.0.1.100\ndestination = srv-b\n",
        passes_in="[alias.vip]\ntype = ip_alias\nresource = 10.0.1.100\nnetwork = 4711\ndestination = srv-b\n",
    ),
}


def checked(done: Done) -> dict[str, Any]:
    assert_fits(done.document, "run")
    assert "Traceback" not in done.err
    return only(done)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_guard_refuses_says_why_and_can_be_passed_as_it_says(case: Case, serve: Serve, home: Path) -> None:
    site = serve(case.scenario)
    cli = machine(home, site, AtHand)
    done = cli.run(case.ini)
    move = checked(done)
    assert told(done) == ("refused", 3, case.guard)
    assert all(text in move["message"] for text in case.says), move["message"]
    assert case.next in (move["next"] or ""), move["next"]
    assert move["before"] == move["after"]
    forced = cli.run(case.ini, "--force")
    if case.force_passes:
        assert (told(forced), id_of(only(forced)["after"]), case.sample.holder(site)) == (("done", 0, None), B, B)
        return
    assert told(forced) == ("refused", 3, case.guard)
    assert not site.writes
    if case.passes_in:
        passed = cli.run(case.passes_in, *case.passes_with)
        assert (told(passed), id_of(only(passed)["after"]), case.sample.holder(site)) == (("done", 0, None), B, B)


def test_a_target_that_is_being_rebuilt_gets_no_primary_ip(serve: Serve, home: Path) -> None:
    site = serve(with_server(TRIO, "srv-b", status="rebuilding"))
    done = machine(home, site, AtHand).run(PUBLIC.section())
    assert told(done) == ("refused", 3, "destination-off")
    assert "rebuilding" in checked(done)["message"] and not site.writes


def test_leave_off_leaves_only_the_source_off(serve: Serve, home: Path) -> None:
    site = serve(only_public())
    assert machine(home, site, AtHand).run(PUBLIC.section(more="leave_off = yes")).code == 0
    assert statuses(site) == {A: "off", B: "running", C: "running"}


@two_kinds
def test_a_before_command_that_fails_is_a_veto(sample: Sample, cli: Machine, site: Site) -> None:
    done = cli.run(sample.section(more="before = /bin/false"), "--force")
    move = checked(done)
    assert told(done) == ("refused", 3, "veto")
    assert "before" in move["message"] and not site.writes
    assert told(cli.run(sample.section(more="before = /bin/true"))) == ("done", 0, None)


def test_one_refused_member_keeps_its_group_back(cli: Machine, site: Site) -> None:
    ALIASED.put(site.sim, C)
    group = "[group.web]\nmembers = floating.web, alias.vip, route.default\n"
    done = cli.run(FLOAT.section() + ALIASED.section() + ROUTE.section() + group, "group.web")
    assert done.code == 3
    moves = {move["name"]: move for move in done.document["moves"]}
    assert {name: (move["outcome"], move["guard"]) for name, move in moves.items()} == {
        "alias.vip": ("refused", "holder"),
        "floating.web": ("refused", "group"),
        "route.default": ("refused", "group"),
    }
    assert "alias.vip" in moves["floating.web"]["message"] and moves["floating.web"]["group"] == "web"
    assert not site.writes


def test_a_move_that_was_begun_is_not_made_another_and_the_printed_command_finishes_it(
    cli: Machine, site: Site
) -> None:
    begun(site.sim)
    section = PUBLIC.members("srv-a", "srv-b", "srv-c")
    done = cli.run(section, "public.web", "--to", "srv-c", "--force")
    move = checked(done)
    assert told(done) == ("refused", 3, "unfinished")
    assert "srv-a" in move["message"] and "srv-b" in move["message"] and not site.writes
    finish, undo = (text.partition(": ")[2].split()[1:] for text in move["next"].split("; "))
    assert undo[-2:] == ["--to", "srv-a"]
    assert cli(*finish).code == 0
    assert PUBLIC.holder(site) == B and "hcloud-reassign/intention" not in PUBLIC.labels(site)


@two_kinds
def test_a_request_that_is_too_old_is_late(sample: Sample, cli: Machine, site: Site) -> None:
    done = cli.run(sample.section(), sample.name, "--issued-at", str(now_ms() - 320_000), "--force")
    assert told(done) == ("refused", 3, "late")
    assert "s old" in checked(done)["message"] and not site.writes
    fresh = ("--issued-at", str(now_ms() - 5_000))
    assert told(cli.run(sample.section(), sample.name, *fresh, "--age", "320000")) == ("refused", 3, "late")
    assert told(cli.run(sample.section(), sample.name, *fresh)) == ("done", 0, None)


@two_kinds
def test_a_move_back_too_soon_waits_for_the_cooldown(sample: Sample, cli: Machine, site: Site) -> None:
    section = sample.section(more="cooldown = 10m")
    assert told(cli.run(section)) == ("done", 0, None)
    done = cli.run(section, "-d", "src")
    move = checked(done)
    assert told(done) == ("refused", 3, "cooldown")
    assert 500 < move["retry_after_s"] <= 600 and str(move["retry_after_s"]) in move["message"]
    assert told(cli.run(section, "-d", "src", "--force")) == ("done", 0, None)
    assert sample.holder(site) == A


@two_kinds
def test_what_is_held_refuses_triggers_and_warns_people_until_it_is_not_any_more(
    sample: Sample, cli: Machine, site: Site
) -> None:
    file = cli.file(sample.section())
    assert cli("hold", sample.name, "--for", "2h", "-c", file).code == 0
    trigger = (sample.name, "--issued-at", str(now_ms()))
    done = cli.run(sample.section(), *trigger)
    move = checked(done)
    assert told(done) == ("refused", 3, "held")
    assert move["next"] == f"hcloud-reassign unhold {sample.name}"
    assert sample.holder(site) == A
    typed = cli.run(sample.section())
    assert told(typed) == ("done", 0, None)
    assert any("holds it" in text for text in only(typed)["warnings"])
    assert cli("unhold", sample.name, "-c", file).code == 0
    back = (sample.name, "--issued-at", str(now_ms()), "-d", "src")
    assert told(cli.run(sample.section(), *back)) == ("done", 0, None)


@two_kinds
def test_too_many_moves_in_an_hour_are_refused(sample: Sample, cli: Machine, site: Site) -> None:
    section = sample.section(more="max_moves_per_hour = 1")
    assert told(cli.run(section)) == ("done", 0, None)
    done = cli.run(section, "-d", "src")
    assert told(done) == ("refused", 3, "too-many")
    assert "max_moves_per_hour" in checked(done)["message"] and sample.holder(site) == B
    assert told(cli.run(section, "-d", "src", "--force")) == ("done", 0, None)


@two_kinds
def test_another_plan_than_the_approved_one_is_refused(sample: Sample, cli: Machine, site: Site) -> None:
    file = cli.file(sample.section())
    digest = cli("plan", "-c", file, "-o", "json").document["digest"]
    sample.put(site.sim, None)
    done = cli.run(sample.section(), "--expect-digest", digest, "--force")
    assert told(done) == ("refused", 3, "digest")
    assert digest in checked(done)["message"] and not site.writes
    sample.put(site.sim, A)
    assert told(cli.run(sample.section(), "--expect-digest", digest)) == ("done", 0, None)


ON_SRV_A = f"""\
import hcloud_reassign.host.identity as identity

identity.instance_id = lambda *_: {A}
"""


def on_srv_a(home: Path, site: Site) -> Machine:
    """A machine, whose Python is started anew, which the metadata service says is srv-a."""
    cli = machine(home, site, Cold)
    (cli.home / "inject").mkdir()
    cli.file(ON_SRV_A, "inject/sitecustomize.py")
    path = f"{cli.home / 'inject'}:{cli.environ['PYTHONPATH']}"
    return replace(cli, environ={**cli.environ, "PYTHONPATH": path})


def test_a_server_without_public_address_does_not_cut_itself_off(serve: Serve, home: Path) -> None:
    site = serve(trio(primary_ips=[]))
    cli = on_srv_a(home, site)
    done = cli.run(ROUTE.section())
    assert told(done) == ("refused", 3, "own-path")
    assert "srv-a" in checked(done)["message"] and not site.writes
    assert told(cli.run(ROUTE.section(), "--force")) == ("done", 0, None)


def test_no_server_stops_itself(site: Site, home: Path) -> None:
    done = on_srv_a(home, site).run(PUBLIC.section(), "--force", "--allow-poweroff")
    assert told(done) == ("refused", 3, "own-path")
    assert "another machine" in checked(done)["next"] and not verbs(site)
