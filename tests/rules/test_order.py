"""The last request wins, not the last process: who waited too long is told by whom it was overtaken."""

from __future__ import annotations

import time

import pytest

from tests.engine.samples import QUICK, SAMPLES, A, B, C, Sample
from tests.system.site import Machine, Site, only, told

quick_kinds = pytest.mark.parametrize("sample", QUICK, ids=lambda sample: sample.type)
every_kind = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)


def issued(ago_s: float) -> tuple[str, str]:
    return ("--issued-at", str(time.time_ns() // 1_000_000 - round(ago_s * 1000)))


@every_kind
def test_a_request_older_than_the_last_one_is_refused(sample: Sample, cli: Machine, site: Site) -> None:
    older, newer = issued(60), issued(30)
    assert told(cli.run(sample.section(), sample.name, *newer)) == ("done", 0, None)
    writes = len(site.writes)
    done = cli.run(sample.section(), sample.name, "-d", "src", *older)
    assert told(done) == ("refused", 3, "late")
    message = only(done)["message"]
    claimed = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(int(newer[1]) // 1000))
    assert message.startswith(f"overtaken by a request of {claimed}")
    assert message.endswith(f"Z for {'10.0.1.3' if sample.type == 'route' else 'srv-b'}")
    assert (sample.holder(site), len(site.writes)) == (B, writes)


@every_kind
def test_it_is_refused_also_when_the_newer_one_found_it_unchanged(sample: Sample, cli: Machine, site: Site) -> None:
    older, newer = issued(60), issued(30)
    assert told(cli.run(sample.section(), sample.name, "-d", "src", *newer)) == ("unchanged", 0, None)
    assert sample.labels(site)[sample.claim] == f"{newer[1]}.{sample.keys[A]}"
    done = cli.run(sample.section(), sample.name, *older)
    assert told(done) == ("refused", 3, "late")
    assert "overtaken" in only(done)["message"] and sample.holder(site) == A


@every_kind
def test_it_is_refused_also_when_a_person_moved_it_meanwhile(sample: Sample, cli: Machine, site: Site) -> None:
    assert told(cli.run(sample.section(), sample.name, *issued(90))) == ("done", 0, None)
    waiting = issued(30)
    assert told(cli.run(sample.section(), "-d", "src")) == ("done", 0, None)
    done = cli.run(sample.section(), sample.name, *waiting)
    assert told(done) == ("refused", 3, "late")
    assert "overtaken" in only(done)["message"] and sample.holder(site) == A


@quick_kinds
def test_the_same_request_again_passes(sample: Sample, cli: Machine, site: Site) -> None:
    request = issued(30)
    assert told(cli.run(sample.section(), sample.name, *request)) == ("done", 0, None)
    assert told(cli.run(sample.section(), sample.name, *request)) == ("unchanged", 0, None)
    sample.put(site.sim, A)
    assert told(cli.run(sample.section(), sample.name, *request)) == ("done", 0, None)


@quick_kinds
def test_one_moment_has_one_target(sample: Sample, cli: Machine, site: Site) -> None:
    request = issued(30)
    assert told(cli.run(sample.section(), sample.name, *request)) == ("done", 0, None)
    assert told(cli.run(sample.section(), sample.name, "-d", "src", *request)) == ("refused", 3, "late")
    assert sample.holder(site) == B


@quick_kinds
def test_requests_in_their_order_all_pass(sample: Sample, cli: Machine, site: Site) -> None:
    section = sample.members("srv-a", "srv-b", "srv-c")
    for ago_s, to, holder in ((60, "srv-b", B), (40, "srv-c", C), (20, "srv-a", A)):
        assert told(cli.run(section, sample.name, "--to", to, *issued(ago_s))) == ("done", 0, None)
        assert sample.holder(site) == holder


def test_without_claims_no_request_is_overtaken(cli: Machine, site: Site) -> None:
    sample = SAMPLES[0]
    ini = "[client]\nclaims = no\n" + sample.section()
    assert told(cli.run(ini, sample.name, *issued(30))) == ("done", 0, None)
    assert sample.claim not in sample.labels(site)
    assert told(cli.run(ini, sample.name, "-d", "src", *issued(60))) == ("done", 0, None)
