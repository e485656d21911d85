"""SIGKILL to the real process after each of its calls, and the same command again from another machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcloud_reassign.simulator import Fault
from tests.engine.samples import (
    ALIAS,
    ALIASED,
    FLOAT,
    PRIMARY,
    PRIMARY6,
    PUBLIC,
    ROUTE,
    A,
    B,
    Sample,
    aliases,
    gateway,
    statuses,
    verbs,
)
from tests.system.conftest import Serve
from tests.system.site import Signaller, Site, machine
from tests.system.test_moves import BOTH

KILL = 9
SMOOTH = ("label", "shutdown", "shutdown", "unassign", "assign", "poweron", "poweron", "label")
"""The writes of a primary IP's move that nothing disturbs."""


def killed(site: Site, home: Path, ini: str, fault: Fault, *words: str) -> None:
    """A run of which nothing is left from where the fault acts."""
    kill = Signaller(KILL)
    fault.run = kill
    site.sim.faults.append(fault)
    cli = machine(home, site)
    with kill.aim(cli.start("run", "-c", cli.file(ini), *words)) as started:
        assert started.ended().code == -KILL
    site.sim.faults.remove(fault)


def ended_elsewhere(site: Site, place: Path, ini: str, *words: str) -> None:
    """The same command where nothing is known of the first one."""
    done = machine(place, site).run(ini, *words)
    assert done.code == 0, done
    assert all(move["outcome"] in ("done", "unchanged") for move in done.document["moves"])


def as_if_nothing_had_happened(site: Site) -> None:
    assert PUBLIC.holder(site) == B
    assert set(statuses(site).values()) == {"running"}
    assert PUBLIC.labels(site) == {"team": "web"}


def test_the_smooth_way_is_the_one_that_is_cut_below(serve: Serve, home: Path) -> None:
    site = serve()
    assert machine(home, site).run(PUBLIC.section()).code == 0
    assert tuple(verbs(site)) == SMOOTH


@pytest.mark.parametrize("number", range(1, len(SMOOTH) + 1), ids=[f"{n} {w}" for n, w in enumerate(SMOOTH, 1)])
def test_a_primary_ip_ends_as_if_its_run_had_not_been_killed_after_a_write(
    number: int, serve: Serve, home: Path, tmp_path: Path
) -> None:
    site = serve()
    killed(site, home, PUBLIC.section(), _nth_write(number))
    assert len(site.writes) == number
    ended_elsewhere(site, tmp_path / "elsewhere", PUBLIC.section())
    as_if_nothing_had_happened(site)


def _nth_write(number: int) -> Fault:
    """A rule for the n-th request that is no GET, whatever its method: it counts them itself."""
    return _Write("*", "*", nth=number, when="after")


class _Write(Fault):
    def fires(self, request: object, rng: object) -> bool:
        if getattr(request, "method", "GET") == "GET":
            return False
        return super().fires(request, rng)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [2, 4, 5], ids=["shutdown", "unassign", "assign"])
def test_a_primary_ip_ends_well_also_when_the_killed_write_never_arrived(
    number: int, serve: Serve, home: Path, tmp_path: Path
) -> None:
    site = serve()
    fault = _nth_write(number)
    fault.when, fault.drop = "before", "before"
    killed(site, home, PUBLIC.section(), fault)
    ended_elsewhere(site, tmp_path / "elsewhere", PUBLIC.section())
    as_if_nothing_had_happened(site)


@pytest.mark.parametrize("nth", [4, 9, 14])
def test_a_primary_ip_ends_well_when_its_run_is_killed_after_a_read(
    nth: int, serve: Serve, home: Path, tmp_path: Path
) -> None:
    site = serve()
    killed(site, home, PUBLIC.section(), Fault("GET", nth=nth, when="after"))
    ended_elsewhere(site, tmp_path / "elsewhere", PUBLIC.section())
    as_if_nothing_had_happened(site)


@pytest.mark.parametrize("number", [4, 6], ids=["after the first unassign", "after the second"])
def test_both_families_end_together(number: int, serve: Serve, home: Path, tmp_path: Path) -> None:
    site = serve()
    killed(site, home, BOTH, _nth_write(number + 1))
    ended_elsewhere(site, tmp_path / "elsewhere", BOTH)
    as_if_nothing_had_happened(site)
    six = site.sim.state.primary_ips[PRIMARY6]
    assert (six.assignee_id, six.labels) == (B, {})


def test_a_killed_move_can_be_undone_from_elsewhere_too(serve: Serve, home: Path, tmp_path: Path) -> None:
    site = serve()
    killed(site, home, PUBLIC.section(), _nth_write(4))
    ended_elsewhere(site, tmp_path / "elsewhere", PUBLIC.section(), "public.web", "--to", "srv-a")
    assert PUBLIC.holder(site) == A and set(statuses(site).values()) == {"running"}
    assert site.sim.state.primary_ips[PRIMARY].labels == {"team": "web"}


@pytest.mark.parametrize("sample", [FLOAT, ROUTE, ALIASED], ids=lambda sample: sample.type)
def test_the_other_kinds_end_well_when_killed_after_their_first_write(
    sample: Sample, serve: Serve, home: Path, tmp_path: Path
) -> None:
    site = serve()
    killed(site, home, sample.section(), _nth_write(1))
    assert len(site.writes) == 1
    ended_elsewhere(site, tmp_path / "elsewhere", sample.section())
    assert sample.holder(site) == B
    assert aliases(site, A)[-1:] == ["10.0.1.50"] and gateway(site) in ("10.0.1.2", "10.0.1.3")
    assert sum(ALIAS in aliases(site, server) for server in site.sim.state.servers) == 1


def test_a_shutdown_that_is_still_under_way_when_the_move_is_undone_is_waited_for(
    serve: Serve, home: Path, tmp_path: Path
) -> None:
    """Hetzner goes on saying `running` until the operating system reacts."""
    site = serve()
    fault = _nth_write(2)
    fault.slow_action = 1.0
    killed(site, home, PUBLIC.section(), fault)
    assert statuses(site)[A] == "running"
    ended_elsewhere(site, tmp_path / "elsewhere", PUBLIC.section(), "public.web", "--to", "srv-a")
    assert [action.command for action in site.sim.state.actions.values()] == ["shutdown_server", "start_server"]
    assert PUBLIC.holder(site) == A and set(statuses(site).values()) == {"running"}
    assert PUBLIC.labels(site) == {"team": "web"}
