"""Lists: pages, filters, order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.simulator.conftest import Api, Make


@given(count=st.integers(0, 120), per_page=st.integers(1, 50))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_following_next_page_visits_everything_once(make: Make, count: int, per_page: int) -> None:
    api = make({"floating_ips": [{"name": "ip-{n}", "count": count, "ip": "192.0.2.1"}]})
    seen: list[int] = []
    page: int | None = 1
    while page is not None:
        data = api.get("floating_ips", ("page", str(page)), ("per_page", str(per_page))).data
        shown = data["meta"]["pagination"]
        assert shown["total_entries"] == count
        assert (shown["page"], shown["per_page"]) == (page, per_page)
        assert shown["previous_page"] == (page - 1 or None)
        assert len(data["floating_ips"]) <= per_page
        seen += [ip["id"] for ip in data["floating_ips"]]
        if shown["next_page"] is None:
            assert shown["last_page"] == page
        page = shown["next_page"]
    assert seen == sorted(api.sim.state.floating_ips)


def test_a_page_has_25_entries_unless_asked_otherwise(make: Make) -> None:
    api = make("fifty")
    data = api.get("servers").data
    assert len(data["servers"]) == 25
    assert data["meta"]["pagination"]["last_page"] == 4


def test_the_link_header_keeps_the_other_parameters(make: Make) -> None:
    api = make("fifty")
    reply = api.get("servers", ("page", "2"), ("per_page", "10"), ("label_selector", "side=a")).reply
    base = "https://api.hetzner.cloud/v1/servers"
    rest = "per_page=10&label_selector=side%3Da"
    assert reply.headers["Link"] == (
        f'<{base}?page=1&{rest}>; rel="prev", <{base}?page=3&{rest}>; rel="next", <{base}?page=5&{rest}>; rel="last"'
    )


@pytest.mark.parametrize("query", [("page", "0"), ("page", "x"), ("per_page", "51"), ("per_page", "-1"), ("page", "")])
def test_a_page_that_cannot_be_is_refused(api: Api, query: tuple[str, str]) -> None:
    assert (api.get("servers", query).status, api.get("servers", query).code) == (422, "invalid_input")


def test_a_page_past_the_end_is_empty(api: Api) -> None:
    assert api.get("servers", ("page", "9")).data["servers"] == []


def test_names_are_matched_exactly(api: Api) -> None:
    assert [one["id"] for one in api.get("servers", ("name", "srv-b")).data["servers"]] == [11]
    assert api.get("servers", ("name", "srv")).data["servers"] == []


def test_servers_can_be_asked_for_by_status(api: Api) -> None:
    found = api.get("servers", ("status", "off"), ("status", "starting")).data["servers"]
    assert [one["name"] for one in found] == ["srv-c"]
    assert api.get("servers", ("status", "asleep")).status == 422


def test_primary_ips_can_be_asked_for_by_address_and_floating_ips_cannot(api: Api) -> None:
    found = api.get("primary_ips", ("ip", "198.51.100.7")).data["primary_ips"]
    assert [one["name"] for one in found] == ["public-web"]
    assert len(api.get("floating_ips", ("ip", "192.0.2.10")).data["floating_ips"]) == 2


def test_labels_select(api: Api) -> None:
    assert len(api.get("servers", ("label_selector", "role=web")).data["servers"]) == 2
    assert api.get("servers", ("label_selector", "role=")).data["servers"] == []
    assert api.get("servers", ("label_selector", "(")).status == 422


def test_order_is_by_several_fields_in_turn(make: Make) -> None:
    api = make()
    api.sim.state.servers[12].created += 1
    found = api.get("servers", ("sort", "created:desc"), ("sort", "name:desc")).data["servers"]
    assert [one["name"] for one in found] == ["srv-c", "srv-b", "srv-a"]
    assert api.get("servers", ("sort", "status")).status == 422
    assert api.get("servers", ("sort", "name:up")).status == 422
