"""SIGKILL to the real process before and after its writes, and the same command again from another machine.

Every write of every kind here; every request in `make kills`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.samples import PRIMARY, PUBLIC, A, statuses, verbs
from tests.system.conftest import Serve
from tests.system.kill_points import (
    KILLS,
    SCENES,
    Place,
    Scene,
    Way,
    cut_short,
    killed_and_repeated,
    words_of,
)
from tests.system.site import AtHand, Site, machine

FLOATING, ROUTED, ALIASES, ADDRESS, ADDRESSES, GROUP = SCENES
OFF_AND_ON = ("shutdown", "shutdown", "unassign", "assign", "poweron", "poweron")
WRITES: tuple[tuple[Scene, Way, tuple[str, ...]], ...] = (
    (FLOATING, "triggered", ("label", "assign")),
    (ROUTED, "triggered", ("label", "delete_route", "add_route")),
    (ALIASES, "typed", ("change_alias_ips", "change_alias_ips")),
    (ADDRESS, "typed", ("label", *OFF_AND_ON, "label")),
    (ADDRESSES, "triggered", ("label", "label", *OFF_AND_ON[:4], *OFF_AND_ON[2:], "label", "label")),
    (GROUP, "typed", ("assign", "delete_route", "add_route", "change_alias_ips", "change_alias_ips")),
)
"""What a move writes that nothing disturbs. Those of a group are under way side by side, in any order."""
OF_BOTH = (2, 7, 8, 12)
"""The writes of two addresses that one address alone has not got."""


def places() -> Iterator[object]:
    for scene, way, writes in WRITES:
        for number, verb in enumerate(writes, 1):
            if scene is ADDRESSES and number not in OF_BOTH:
                continue
            for how in KILLS if scene is not GROUP else ("after",):
                name = f"{scene.title} {way} {how} {number}" + ("" if scene is GROUP else f" {verb}")
                yield pytest.param(scene, way, Place(how, number, writes=True), id=name)


@pytest.mark.parametrize(("scene", "way", "writes"), WRITES, ids=[scene.title for scene, _, _ in WRITES])
def test_these_are_all_the_writes_there_are(
    scene: Scene, way: Way, writes: tuple[str, ...], serve: Serve, home: Path
) -> None:
    site = serve()
    assert machine(home, site, AtHand).run(scene.ini, *words_of(scene, way)).code == 0
    in_order = tuple if scene is not GROUP else sorted
    assert in_order(verbs(site)) == in_order(writes)


@pytest.mark.parametrize(("scene", "way", "place"), tuple(places()))
def test_it_ends_as_if_nothing_had_been_killed(scene: Scene, way: Way, place: Place, tmp_path: Path) -> None:
    result = killed_and_repeated(scene, way, place, tmp_path, AtHand)
    assert result is not None, "it ended before it was killed"
    assert result.loss is None, result


def undone_elsewhere(site: Site, place: Path) -> None:
    """The opposite command where nothing is known of the first one."""
    done = machine(place, site, AtHand).run(PUBLIC.section(), "public.web", "--to", "srv-a")
    assert done.code == 0, done.out + done.err


def test_a_killed_move_can_be_undone_from_elsewhere_too(serve: Serve, home: Path, tmp_path: Path) -> None:
    site = serve()
    cut_short(site, home, PUBLIC.section(), Place("after", 4, writes=True))
    undone_elsewhere(site, tmp_path / "elsewhere")
    assert PUBLIC.holder(site) == A and set(statuses(site).values()) == {"running"}
    assert site.sim.state.primary_ips[PRIMARY].labels == {"team": "web"}


def test_a_shutdown_that_is_still_under_way_when_the_move_is_undone_is_waited_for(
    serve: Serve, home: Path, tmp_path: Path
) -> None:
    """Hetzner goes on saying `running` until the operating system reacts."""
    site = serve()
    cut_short(site, home, PUBLIC.section(), Place("after", 2, writes=True), slow_action=1.0)
    assert statuses(site)[A] == "running"
    undone_elsewhere(site, tmp_path / "elsewhere")
    assert [action.command for action in site.sim.state.actions.values()] == ["shutdown_server", "start_server"]
    assert PUBLIC.holder(site) == A and set(statuses(site).values()) == {"running"}
    assert PUBLIC.labels(site) == {"team": "web"}
