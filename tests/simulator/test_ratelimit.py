"""The token bucket."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign.simulator import Switches
from hcloud_reassign.simulator.ratelimit import TokenBucket

if TYPE_CHECKING:
    from tests.simulator.conftest import Api, Make

steps = st.lists(st.tuples(st.floats(0, 100), st.integers(0, 200)), max_size=20)


@given(st.integers(1, 7200), steps)
def test_a_bucket_never_gives_more_than_it_holds_and_was_refilled(limit: int, plan: list[tuple[float, int]]) -> None:
    bucket = TokenBucket(limit, 0.0)
    now, given_out = 0.0, 0
    for wait, wanted in plan:
        now += wait
        given_out += sum(bucket.take(now) for _ in range(wanted))
        assert given_out <= limit + now * limit / 3600 + 1e-6
        headers = bucket.headers(now)
        assert 0 <= int(headers["RateLimit-Remaining"]) <= limit
        assert int(headers["RateLimit-Reset"]) >= math.floor(now)


@given(st.integers(0, 3600))
def test_reset_is_when_the_bucket_is_full_again(used: int) -> None:
    bucket = TokenBucket(3600, 1000.0)
    for _ in range(used):
        bucket.take(1000.0)
    reset = int(bucket.headers(1000.0)["RateLimit-Reset"])
    assert reset == 1000 + used
    assert bucket.headers(float(reset))["RateLimit-Remaining"] == "3600"


def test_an_empty_bucket_answers_429_and_one_second_later_there_is_one_more(api: Api) -> None:
    api.sim.cloud.limits.project.tokens = 0
    answer = api.get("servers")
    assert (answer.status, answer.code) == (429, "rate_limit_exceeded")
    assert answer.message == "limit of 3600 requests per hour reached"
    assert answer.reply.headers["RateLimit-Remaining"] == "0"
    assert "Retry-After" not in answer.reply.headers
    api.go(1)
    assert api.get("servers").status == 200
    assert api.get("servers").status == 429


def test_a_refused_write_changes_nothing(api: Api) -> None:
    api.sim.cloud.limits.project.tokens = 0
    api.post("floating_ips/501/actions/assign", {"server": 11})
    api.go(60)
    assert api.sim.state.floating_ips[501].server_id == 10


def test_headers_count_down(api: Api) -> None:
    assert [api.get("servers").reply.headers["RateLimit-Remaining"] for _ in range(2)] == ["3599", "3598"]
    assert api.get("servers").reply.headers["RateLimit-Limit"] == "3600"


def test_actions_share_the_bucket_unless_a_switch_gives_them_their_own(api: Api, make: Make) -> None:
    api.get("actions/1")
    assert api.get("servers").reply.headers["RateLimit-Remaining"] == "3598"
    own = make(switches=Switches(action_rate_limit=7200))
    assert own.get("actions/1").reply.headers["RateLimit-Limit"] == "7200"
    assert own.get("servers").reply.headers["RateLimit-Remaining"] == "3599"


def test_a_project_may_have_another_limit(make: Make) -> None:
    api = make(switches=Switches(rate_limit=2))
    assert [api.get("servers").status for _ in range(3)] == [200, 200, 429]
