"""Nothing that a client sends makes the core raise, and nothing it sends breaks what must always hold."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hcloud_reassign.simulator.routes import ROUTES

if TYPE_CHECKING:
    from tests.simulator.conftest import Api, Make

ids = st.sampled_from(["10", "11", "12", "501", "502", "701", "7001", "4711", "900001", "900002", "0"])
values: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([10, 11, 12, 4711, "server", "10.0.1.3", "10.0.1.100", "0.0.0.0/0", "172.20.0.0/16", "10.0.1.2"]),
    st.lists(st.sampled_from(["10.0.1.60", "10.0.1.100", "10.0.1.61", "x"]), max_size=3),
    st.none(),
    st.booleans(),
    st.text(max_size=5),
    st.integers(),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)
names = ["server", "network", "alias_ips", "destination", "gateway", "assignee_type", "assignee_id", "labels", "name"]
likely = st.sampled_from([
    {"server": 11},
    {"server": 12},
    {"assignee_type": "server", "assignee_id": 11},
    {"assignee_type": "server", "assignee_id": 12},
    {"network": 4711, "alias_ips": ["10.0.1.60"]},
    {"network": 4711, "alias_ips": []},
    {"network": 4711, "ip": "10.0.1.60"},
    {"destination": "0.0.0.0/0", "gateway": "10.0.1.2"},
    {"destination": "0.0.0.0/0", "gateway": "10.0.1.3"},
])  # fmt: skip
bodies = st.one_of(likely, st.dictionaries(st.sampled_from(names), values, max_size=4), st.binary(max_size=8))
queries = st.lists(
    st.tuples(
        st.sampled_from(["page", "per_page", "sort", "label_selector", "status", "id", "name"]), st.text(max_size=6)
    ),
    max_size=3,
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, Any, list[tuple[str, str]], float]:
    pattern = draw(st.sampled_from(sorted(ROUTES)))
    path = "/".join(draw(ids) if part == "#" else part for part in pattern.split("/"))
    method = draw(st.sampled_from([*ROUTES[pattern], "PATCH"]))
    return method, f"/v1/{path}", draw(bodies), draw(queries), draw(st.sampled_from([0.0, 0.5, 3.0]))


def must_hold(api: Api) -> None:
    """Each address of a network once, each family of a primary IP once per server, one route per destination."""
    state = api.sim.state
    assert max(Counter(address for address, *_ in state.addresses_in(4711)).values()) == 1
    held = Counter((ip.assignee_id, ip.type) for ip in state.primary_ips.values() if ip.assignee_id is not None)
    assert max(held.values()) == 1
    routes = [route.destination for route in state.networks[4711].routes]
    assert len(set(routes)) == len(routes)


@given(st.lists(requests(), max_size=25))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_requests_in_any_order_are_answered(make: Make, plan: list[Any]) -> None:
    api = make()
    for method, path, body, query, wait in plan:
        answer = api.send(method, path, body, query)
        assert 200 <= answer.status < 500
        assert answer.data
        api.go(wait)
        must_hold(api)
