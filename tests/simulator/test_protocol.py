"""What every answer has in common: tokens, unknown paths, verbs, errors, headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.simulator.conftest import Api, Make


def test_without_a_token_the_answer_says_that_one_is_required(api: Api) -> None:
    api.authorization = None
    answer = api.get("servers")
    assert (answer.status, answer.code, answer.message) == (401, "unauthorized", "token is required")


def test_a_wrong_token_is_called_invalid(api: Api) -> None:
    api.authorization = "Bearer nonsense"
    answer = api.get("servers")
    assert (answer.status, answer.message) == (401, "the token you have provided is invalid")


def test_an_unknown_path_is_decided_before_the_token(api: Api) -> None:
    api.authorization = None
    for path in ("/v1/nonsense", "/v1/servers/abc", "/v1/servers/1/actions/explode", "/v1", "/", "/v2/servers"):
        answer = api.send("GET", path)
        assert (answer.status, answer.code, answer.message) == (404, "not_found", "api route not found"), path


def test_a_wrong_verb_is_decided_after_the_token(api: Api) -> None:
    assert api.send("DELETE", "/v1/servers").status == 405
    assert api.send("DELETE", "/v1/servers").code == "method_not_allowed"
    api.authorization = None
    assert api.send("DELETE", "/v1/servers").status == 401


def test_a_read_only_token_reads_and_writes_nothing(api: Api) -> None:
    api.authorization = "Bearer simulated-token-read-only"
    assert api.get("servers").status == 200
    answer = api.post("floating_ips/501/actions/assign", {"server": 11})
    assert (answer.status, answer.code) == (401, "token_readonly")
    assert api.sim.state.floating_ips[501].server_id == 10


def test_a_token_taken_away_is_refused_from_then_on(api: Api) -> None:
    del api.sim.state.tokens["simulated-token"]
    assert api.get("servers").status == 401


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[1]", b'"text"', b"[" * 100_000])
def test_a_body_that_is_not_a_json_object_is_a_json_error(api: Api, body: bytes) -> None:
    answer = api.post("floating_ips/501/actions/assign", body)
    assert (answer.status, answer.code) == (400, "json_error")


def test_an_unknown_object_is_not_found(api: Api) -> None:
    for path in ("servers/1", "floating_ips/1", "primary_ips/1", "networks/1", "load_balancers/1", "locations/99",
                 "actions/1", "images/9", "servers/1/actions"):  # fmt: skip
        answer = api.get(path)
        assert (answer.status, answer.code) == (404, "not_found"), path


def test_an_absurdly_long_number_in_the_path_is_no_crash(api: Api) -> None:
    assert api.get("servers/" + "9" * 5000).status == 404
    assert api.get("servers/" + "9" * 19).status == 404


def test_an_invalid_field_is_named_in_the_details(api: Api) -> None:
    answer = api.post("floating_ips/501/actions/assign", {})
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert answer.data["error"]["details"] == {"fields": [{"name": "server", "messages": ["is required"]}]}
    assert api.post("floating_ips/501/actions/assign", {"server": True}).status == 422
    assert api.post("floating_ips/501/actions/assign", {"server": None}).status == 422


def test_every_answer_carries_the_clock_s_date_and_a_correlation_id(api: Api) -> None:
    for path in ("servers", "nonsense", "servers/1"):
        headers = api.get(path).reply.headers
        assert headers["Date"] == "Fri, 15 Jan 2027 08:00:00 GMT"
        assert len(headers["X-Correlation-Id"]) == 16
        assert headers["Content-Type"] == "application/json"


def test_content_length_is_the_length_of_the_body(api: Api) -> None:
    reply = api.get("servers").reply
    assert int(reply.headers["Content-Length"]) == len(reply.body)


def test_every_request_is_recorded_in_order(api: Api) -> None:
    api.get("servers", ("page", "1"))
    api.authorization = None
    api.post("floating_ips/501/actions/assign", {"server": 11})
    first, second = api.sim.requests
    assert (first.method, first.path, first.query, first.status) == ("GET", "/v1/servers", (("page", "1"),), 200)
    assert first.authorization == "Bearer simulated-token"
    assert (second.status, second.body, second.authorization) == (401, b'{"server": 11}', None)
    assert second.time == api.clock.now


def test_datacenters_are_gone_and_a_switch_brings_them_back(api: Api, make: Make) -> None:
    from hcloud_reassign.simulator import Switches

    assert (api.get("datacenters").status, api.get("datacenters").code) == (410, "deprecated_api_endpoint")
    assert "datacenter" not in api.get("servers/10").data["server"]
    old = make(switches=Switches.mid_2026())
    assert old.get("datacenters/4").data["datacenter"]["name"] == "fsn1-dc14"
    assert old.get("datacenters/99").status == 404
    assert old.get("servers/10").data["server"]["datacenter"]["location"]["name"] == "fsn1"
    assert old.get("primary_ips/701").data["primary_ip"]["datacenter"]["name"] == "fsn1-dc14"


def test_what_is_the_same_in_every_project_can_be_listed_and_read(api: Api) -> None:
    for key in ("server_type", "image", "load_balancer_type"):
        listed = api.get(f"{key}s").data[f"{key}s"]
        assert api.get(f"{key}s/{listed[0]['id']}").data[key] == listed[0]
        assert api.get(f"{key}s", ("name", "other")).data[f"{key}s"] == []
    assert [place["name"] for place in api.get("locations").data["locations"]][:2] == ["fsn1", "nbg1"]
    assert api.get("locations/1").data["location"]["network_zone"] == "eu-central"
