"""The engine under random faults: whatever the dice say, every invariant holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.main import get_group

from hcloud_reassign.cli.group import build
from tests.faults.dice import WAYS, schedule
from tests.faults.invariants import breaches
from tests.faults.play import parsed, play
from tests.faults.schedule import Schedule
from tests.faults.shrink import shrunk, still_breaks

SEEDS, AT_ONCE = 500, 50
REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.json"))


def report(schedule: Schedule) -> str | None:
    """What a schedule breaks, with the smallest one that still does; None when all is well."""
    found = breaches(play(schedule))
    if not found:
        return None
    small = shrunk(schedule, still_breaks(found[0].invariant))
    return f"seed {schedule.seed} breaks {found[0].invariant}: {found[0].detail}\n{small.as_json()}"


@pytest.mark.parametrize("start", range(0, SEEDS, AT_ONCE))
def test_nothing_breaks_whatever_goes_wrong(start: int) -> None:
    found = [text for seed in range(start, start + AT_ONCE) if (text := report(schedule(seed)))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("file", REGRESSIONS, ids=lambda file: file.stem)
def test_what_was_found_once_stays_mended(file: Path) -> None:
    """`outcome`: what it has to end with, where no invariant asks for that."""
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert len(kept["what"]) > 30
    made = Schedule.from_data(kept["schedule"])
    assert report(made) is None
    if "outcome" in kept:
        assert {result.outcome for result in play(made).runs[0].results.values()} == {kept["outcome"]}


def test_a_schedule_survives_its_json() -> None:
    for seed in range(200):
        made = schedule(seed)
        assert Schedule.from_data(json.loads(made.as_json())) == made == schedule(seed)


def test_every_trouble_is_met() -> None:
    met = {trouble.what for seed in range(200) for trouble in schedule(seed).troubles}
    assert met == set(WAYS)


def test_a_schedule_plays_the_same_every_time() -> None:
    for seed in range(10):
        first, second = play(schedule(seed)), play(schedule(seed))
        assert [(item.at, item.path, item.status) for item in first.log] == [
            (item.at, item.path, item.status) for item in second.log
        ]


def test_the_command_understands_what_is_advised_as_the_exploration_does() -> None:
    group = get_group(build())
    run = group.get_command(group.make_context("hcloud-reassign", ["run"]), "run")
    assert run is not None
    for line in ("run alias.vip --to srv-b --force", "run public.web --to 10.0.1.3 --allow-poweroff --hard-poweroff"):
        name, request = parsed(f"hcloud-reassign {line}")
        options = run.make_context("run", line.split()[1:]).params
        assert list(options["names"]) == [name]
        for option in ("to", "force", "allow_poweroff", "hard_poweroff", "power_on"):
            assert options[option] == getattr(request, option)
    with pytest.raises(ValueError, match="no option"):
        parsed("hcloud-reassign run alias.vip --too srv-b")
