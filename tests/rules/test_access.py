"""A token that does not do: exit 4, and nothing is stopped or deleted before that is known."""

from __future__ import annotations

import copy
import time
from pathlib import Path

import pytest

from tests.cli.process import assert_fits
from tests.engine.samples import SAMPLES, A, Sample, aliases, gateway, statuses
from tests.harness import READ_ONLY
from tests.system.site import Machine, Site, only

every_kind = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)


def as_it_was(site: Site, sample: Sample) -> bool:
    return (
        sample.holder(site) == A
        and gateway(site) == "10.0.1.2"
        and len(aliases(site, A)) == 2
        and set(statuses(site).values()) == {"running"}
    )


@every_kind
@pytest.mark.parametrize("words", [(), ("--issued-at",)], ids=["typed", "triggered"])
def test_a_token_that_may_only_read_changes_nothing(
    sample: Sample, words: tuple[str, ...], cli: Machine, site: Site
) -> None:
    trigger = (sample.name, *words, str(int(time.time()))) if words else ()
    labels = copy.copy(sample.labels(site))
    done = cli.run(sample.section(), *trigger, env={"HCLOUD_TOKEN": READ_ONLY})
    assert_fits(done.document, "run")
    assert (done.code, done.document["outcome"]) == (4, "access")
    assert only(done)["outcome"] == "failed"
    assert "may only read" in only(done)["message"] and "read & write" in only(done)["next"]
    assert as_it_was(site, sample) and sample.labels(site) == labels
    assert len(site.writes) == 1, "the first refused write is the last one"


@every_kind
def test_a_wrong_token_is_exit_4(sample: Sample, cli: Machine, site: Site) -> None:
    done = cli.run(sample.section(), env={"HCLOUD_TOKEN": "x" * 64})
    assert_fits(done.document, "run")
    assert (done.code, done.document["error"]["code"]) == (4, "access")
    assert "token" in done.document["error"]["message"] and done.document["error"]["next"]
    assert as_it_was(site, sample) and not site.writes


@every_kind
def test_no_token_is_exit_4_without_a_request(sample: Sample, cli: Machine, site: Site) -> None:
    done = cli.run(sample.section(), env={"HCLOUD_TOKEN": None})
    assert_fits(done.document, "run")
    assert (done.code, done.document["error"]["code"]) == (4, "access")
    assert "HCLOUD_TOKEN" in done.document["error"]["next"]
    assert not site.sim.requests


@pytest.mark.parametrize("command", ["plan", "status", "check"])
@pytest.mark.parametrize("token", ["x" * 64, None], ids=["wrong", "none"])
def test_looking_needs_a_token_too(command: str, token: str | None, cli: Machine, site: Site) -> None:
    done = cli(command, "-c", cli.file(SAMPLES[0].section()), "-o", "json", env={"HCLOUD_TOKEN": token})
    assert done.code == done.document["exit_code"] == 4
    assert "Traceback" not in done.err and not site.writes


@pytest.mark.parametrize("command", ["plan", "status"])
def test_looking_is_possible_with_a_token_that_may_only_read(command: str, cli: Machine, site: Site) -> None:
    done = cli(command, "-c", cli.file(SAMPLES[0].section()), env={"HCLOUD_TOKEN": READ_ONLY})
    assert done.code == 0


def test_a_token_file_that_is_missing_is_exit_4(cli: Machine, home: Path) -> None:
    done = cli.run(SAMPLES[0].section(), "--token-file", "nowhere", env={"HCLOUD_TOKEN": None})
    assert done.code == 4
    assert "nowhere" in done.document["error"]["message"]
