"""Two real keepalived: whoever becomes MASTER asks a platform, which reassigns; the simulated API shows the holder.

The nodes hold no Hetzner token. Each platform's stand-in starts the shell of its CI template, and that the program.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.failover import ADDRESS, FailOver
from tests.e2e.nodes import NEEDS_KEEPALIVED, Pair
from tests.harness import TOKEN
from tests.platforms.github import GitHub
from tests.platforms.gitlab import GitLab
from tests.platforms.jenkins import Jenkins
from tests.platforms.server import Platform
from tests.platforms.tekton import Tekton
from tests.system.site import Site

pytestmark = NEEDS_KEEPALIVED

Opened = Callable[..., FailOver]


@pytest.fixture
def failover(tmp_path: Path) -> Iterator[Opened]:
    """Opens one with srv-a as master and holder."""
    with Pair(tmp_path) as pair, Site() as site:
        yield partial(FailOver, tmp_path, pair, site)


def platforms() -> tuple[type[Platform], ...]:
    return (GitLab, GitHub, Jenkins, Tekton)


@pytest.mark.parametrize("kind", platforms(), ids=lambda kind: kind.__name__)
def test_each_death_of_a_master_moves_the_address(failover: Opened, kind: type[Platform]) -> None:
    with kind(host="0.0.0.0") as platform:
        lab = failover(platform)
        lab.start()
        for dying in (lab.pair.a, lab.pair.b, lab.pair.a):
            lab.lose(dying)
    assert all(code == 0 for _, code, _ in lab.executor.ended), lab.story()
    assert {asked.to for asked, _, _ in lab.executor.ended} == {"srv-a", "srv-b"}


def test_the_nodes_know_no_token_and_say_no_secret(failover: Opened) -> None:
    with GitLab(host="0.0.0.0", token="glptt-canary") as platform:
        lab = failover(platform)
        lab.start()
        lab.lose(lab.pair.a)
    for node in lab.pair.nodes:
        assert "glptt-canary" not in node.log
        texts = [file.read_text("utf-8", "replace") for file in node.folder.rglob("*") if file.is_file()]
        assert not any(TOKEN in text for text in texts)
    assert not any("glptt-canary" in report or TOKEN in report for _, _, report in lab.executor.ended)


def test_after_flapping_the_holder_is_the_last_master(failover: Opened) -> None:
    with GitLab(host="0.0.0.0") as platform:
        lab = failover(platform)
        lab.start()
        began = time.monotonic()
        first, second = lab.pair.nodes
        for _ in range(5):
            for dying, taking in ((first, second), (second, first)):
                dying.stop()
                lab.until(lambda taking=taking: taking.has(ADDRESS), f"{taking.name} takes over")  # type: ignore[misc]
                dying.start()
        took_s = time.monotonic() - began
        assert took_s < 20, f"ten changes took {took_s:.1f} s"
        lab.settled(first)
    assert {code for _, code, _ in lab.executor.ended} <= {0, 3}, lab.story()


def test_a_platform_that_is_down_for_ten_seconds_is_asked_again(failover: Opened) -> None:
    with GitLab(host="0.0.0.0") as platform:
        lab = failover(platform)
        lab.start()
        with platform.down():
            lab.pair.a.kill()
            back = lab.until(lambda: lab.pair.b.has(ADDRESS), "srv-b takes over") + 10
            lab.until(lambda: time.monotonic() > back, "ten seconds are over")
            assert lab.executor.holder() == "srv-a"
        lab.settled(lab.pair.b)


def test_a_slow_answer_is_waited_for(failover: Opened) -> None:
    with GitLab(host="0.0.0.0") as platform:
        lab = failover(platform)
        lab.start()
        platform.delay_s = 3
        lab.lose(lab.pair.a)


def test_a_wrong_token_is_given_up_and_told(failover: Opened, tmp_path: Path) -> None:
    told = tmp_path / "told"
    with GitLab(host="0.0.0.0") as platform:
        lab = failover(platform, secret="glptt-revoked", more=f"on_giveup = /usr/bin/touch {told}")
        lab.pair.a.start()
        lab.until(told.exists, "on_giveup was run")
        assert platform.runs == []
        assert all(request.body for request in platform.received)
        assert len(platform.received) == 1
    assert "glptt-revoked" not in lab.story()


def test_a_pipeline_that_was_queued_for_minutes_is_refused_as_late(failover: Opened) -> None:
    with GitLab(host="0.0.0.0") as platform:
        lab = failover(platform)
        lab.start()
        platform.queueing = True
        lab.pair.a.kill()
        lab.until(lambda: len(platform.runs) == 2, "srv-b asks")
        # Its runner comes five minutes late: the platform's own time of the pipeline is that much earlier.
        run = platform.runs[-1]
        assert run.asked.created_ms is not None
        run.asked = replace(run.asked, created_ms=run.asked.created_ms - 301_000)
        run.release()
        lab.until(lab.quiet, "it was carried out")
    asked, code, report = lab.executor.ended[-1]
    assert (asked.to, code) == ("srv-b", 3), report
    assert '"guard": "late"' in report
    assert lab.executor.holder() == "srv-a"


@pytest.mark.parametrize(
    ("hears", "more"),
    [
        # It is told at once by notify_master_rx_lower_pri.
        ("srv-a", "rx_interval = 1"),
        # srv-b gives way before srv-a has heard of it: then only asking again helps.
        ("srv-b", "resend_every = 2"),
        # Also after it gave up.
        ("srv-b", "resend_every = 1\nresend = 0\nrepeat = 2"),
    ],
)
def test_after_both_were_master_the_one_that_stays_is_the_holder(failover: Opened, hears: str, more: str) -> None:
    with GitLab(host="0.0.0.0") as platform:
        lab = failover(platform, more=more)
        lab.start()
        lab.pair.part()
        both = lab.until(lambda: all(node.has(ADDRESS) for node in lab.pair.nodes), "both are MASTER")
        lab.until(lambda: lab.executor.holder() == "srv-b", "srv-b, the later one, has taken it")
        lab.until(lambda: time.monotonic() > both + 3, "three seconds are over")
        lab.pair.meet(lab.pair.a if hears == "srv-a" else lab.pair.b)
        lab.settled(lab.pair.a)


def test_a_restarted_backup_asks_for_nothing_and_a_restarted_master_comes_back_as_backup(failover: Opened) -> None:
    with GitLab(host="0.0.0.0") as platform:
        lab = failover(platform)
        lab.start()
        asked = len(platform.received)
        lab.pair.b.stop()
        lab.pair.b.start()
        lab.pair.a.stop()
        lab.until(lambda: lab.executor.holder() == "srv-b", "srv-b is the holder")
        lab.pair.a.start()
        lab.settled(lab.pair.b)
        assert len(platform.received) == asked + 1, lab.story()
