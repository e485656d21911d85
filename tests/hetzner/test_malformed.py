"""Whatever an answer looks like, only step errors leave the border."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hcloud_reassign.core.objects import FloatingIp, LoadBalancer, Network, PrimaryIp, Server
from hcloud_reassign.core.steps import (
    AddAliasIp,
    AssignFloatingIp,
    FindAction,
    LatestActions,
    Members,
    SetLabels,
    StepError,
    one,
)
from tests.hetzner.fakes import cloud, response

ASSIGN = AssignFloatingIp(501, 11, "web", "srv-b")
STEPS = (
    ASSIGN,
    FindAction(ASSIGN),
    AddAliasIp(11, 4711, "10.0.1.100", "srv-b"),
    SetLabels(PrimaryIp, 1, "p", {}),
    Members(network=4711),
    LatestActions(of=Server, id=11),
    *(one(cls, 1) for cls in (Server, FloatingIp, PrimaryIp, Network, LoadBalancer)),
)
CLASSES = (Server, FloatingIp, PrimaryIp, Network, LoadBalancer)

WORDS = """
id name ip type status error code message details fields action actions server servers floating_ip floating_ips
primary_ip primary_ips network networks load_balancer load_balancers members meta pagination last_page next_page
total_entries started finished resources public_net private_net ipv4 ipv6 alias_ips routes subnets destination
gateway ip_range targets labels location datacenter assignee_id assignee_type progress command
"""

words = st.sampled_from(re.findall(r"\w+", WORDS))
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2**70),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["10.0.1.1", "10.0.0.0/16", "running", "success", "error", "2026-01-01T00:00:00Z", "\ud800"]),
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=5), max_leaves=15
)
objects = st.dictionaries(words, values, max_size=8)


@st.composite
def near_misses(draw: st.DrawFn) -> Any:
    """What an answer should look like, with something else in one of its places."""
    item: dict[str, Any] = {"id": 1, "name": "a", "ip": "10.0.1.1", "ip_range": "10.0.0.0/16", "status": "running"}
    item |= {"private_net": [{"network": 4711, "ip": "10.0.1.3", "alias_ips": []}], "targets": [], "routes": []}
    item[draw(words)] = draw(values)
    lists = ["servers", "floating_ips", "primary_ips", "networks", "load_balancers", "members", "actions"]
    whole: dict[str, Any] = {key: [item] for key in lists} | {key[:-1]: item for key in lists}
    whole["meta"] = {"pagination": {"last_page": 1, "next_page": None, "total_entries": 1}}
    whole[draw(words)] = draw(values)
    return whole


bodies = st.one_of(
    st.binary(max_size=50),
    st.builds(lambda value: json.dumps(value).encode(), st.one_of(values, objects, near_misses())),
)
statuses = st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 404, 409, 422, 423, 429, 500, 502, 504])
headers = st.fixed_dictionaries(
    {},
    optional={
        "Date": st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
        "RateLimit-Remaining": st.sampled_from(["7", "-1", "x", "", "²", "٣"]),
    },
)


@settings(max_examples=150)
@given(bodies, statuses, headers, st.sampled_from(STEPS))
def test_a_step_answers_or_raises_a_step_error(body: bytes, status: int, header: dict[str, str], step: Any) -> None:
    made, _ = cloud(lambda _: response(status, body, header))
    with contextlib.suppress(StepError):
        made.do(ASSIGN, 1.0)
    with contextlib.suppress(StepError):
        made.do(step, 1.0)
    assert isinstance(made.now_ms(), int)


@settings(max_examples=150)
@given(bodies, statuses, st.sampled_from(CLASSES))
def test_a_page_answers_or_raises_a_step_error(body: bytes, status: int, cls: type) -> None:
    made, _ = cloud(lambda _: response(status, body))
    with contextlib.suppress(StepError):
        page = made.page(cls, 1, 1.0)
        assert page.last is None or isinstance(page.last, int)
        assert page.total is None or isinstance(page.total, int)


@settings(max_examples=150)
@given(bodies, statuses)
def test_polling_answers_or_raises_a_step_error(body: bytes, status: int) -> None:
    made, _ = cloud(lambda _: response(status, body))
    with contextlib.suppress(StepError):
        made.poll([1, 2], 1.0)
