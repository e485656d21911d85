"""How old the picture is, when the next one is due, and how many requests that may take."""

from __future__ import annotations

import pytest

from hcloud_reassign_tui.view.freshness import Freshness


def seen(interval_s: float = 5.0, budget: int | None = 3600, cost: int = 4) -> Freshness:
    return Freshness(interval_s).succeeded(100.0, budget, cost)


def test_the_first_look_is_due_at_once_and_the_next_after_the_interval() -> None:
    assert Freshness().due(0.0)
    assert not seen().due(104.9)
    assert seen().due(105.0)


def test_nobody_can_make_it_look_more_often_than_every_five_seconds() -> None:
    assert seen(interval_s=0.1).wait_s == 5.0
    assert seen(interval_s=30.0).wait_s == 30.0


@pytest.mark.parametrize(
    ("budget", "cost", "wait_s"),
    [
        (3000, 52, 5.0),
        (1799, 4, 8.0),
        (1799, 52, 104.0),
        (599, 4, 16.0),
        (599, 52, 208.0),
        (1799, 1, 5.0),
        (None, 52, 5.0),
    ],
)
def test_a_large_project_is_looked_at_less_often_when_few_requests_are_left(
    budget: int | None, cost: int, wait_s: float
) -> None:
    assert seen(budget=budget, cost=cost).wait_s == wait_s


def test_a_glance_is_for_lists_of_many_pages_and_everything_is_read_every_minute() -> None:
    small, large = Freshness().succeeded(100.0, 3600, 8, 5), Freshness().succeeded(100.0, 3600, 52, 5)
    assert small.wants_all(105.0)
    assert not large.wants_all(105.0)
    assert large.wants_all(160.0) and large.glanced(155.0, 3600).wants_all(160.0)
    assert large.failed(105.0, "503").wants_all(110.0)
    assert not large.failed(105.0, "503").glanced(110.0, 3600).wants_all(115.0)
    assert Freshness().wants_all(0.0)


def test_with_glances_a_large_project_is_looked_at_more_often_when_few_requests_are_left() -> None:
    large = Freshness().succeeded(100.0, 1799, 52, 5)
    assert large.wait_s == 20.0
    assert not large.wants_all(307.0)
    assert large.wants_all(308.0)


@pytest.mark.parametrize("glance", [0, 5])
@pytest.mark.parametrize("cost", [4, 52, 400])
def test_a_screen_that_stays_open_all_day_leaves_requests_for_moves(cost: int, glance: int) -> None:
    budget, now, fresh = 3600.0, 0.0, Freshness()
    while now < 86_400:
        whole = fresh.wants_all(now)
        budget -= cost if whole else glance
        fresh = fresh.succeeded(now, int(budget), cost, glance) if whole else fresh.glanced(now, int(budget))
        wait = fresh.wait_s
        budget, now = min(budget + wait, 3600.0), now + wait
        assert budget > 600


def test_failures_make_it_wait_longer_and_a_success_ends_that() -> None:
    once = seen().failed(105.0, "503")
    assert once.wait_s == 10.0
    assert once.failed(115.0, "503").wait_s == 20.0
    assert once.failed(115.0, "503").failed(135.0, "503").failed(175.0, "503").failed(1.0, "503").wait_s == 60.0
    assert once.succeeded(116.0, 3600, 4).wait_s == 5.0
    assert once.next_try(108.0) == "next try in 7 s"


def test_the_age_is_told_and_that_it_is_too_old() -> None:
    assert Freshness().told(100.0, "!") == "no data yet"
    assert Freshness().failed(100.0, "no network").told(100.0, "!") == "! NO DATA"
    assert seen().told(103.0, "!") == "data 3 s old"
    assert seen().told(142.0, "!") == "! STALE 42 s"
    assert seen().failed(105.0, "503").told(106.0, "!") == "! STALE 6 s"


def test_what_is_asked_for_less_often_is_not_stale_before_its_time() -> None:
    assert seen(budget=599, cost=52).told(300.0, "!") == "data 200 s old (few requests left)"
    assert seen(budget=599, cost=52).told(600.0, "!") == "! STALE 500 s (few requests left)"
