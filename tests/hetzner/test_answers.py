"""Which answer means what: no, not now, gone, not you, or nobody can tell."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from hcloud_reassign.core.steps import Busy, Denied, Gone, Lost, Refused, StepError
from hcloud_reassign.hetzner.answers import checked, unanswered
from tests.hetzner.fakes import error, response

TABLE: list[tuple[int, str, type[StepError]]] = [
    (400, "json_error", Refused),
    (401, "unauthorized", Denied),
    (401, "token_readonly", Denied),
    (401, "something_new", Denied),
    (403, "forbidden", Denied),
    (403, "maintenance", Refused),
    (403, "resource_limit_exceeded", Refused),
    (404, "not_found", Gone),
    (405, "method_not_allowed", Refused),
    (409, "conflict", Busy),
    (409, "uniqueness_error", Refused),
    (410, "deprecated_api_endpoint", Refused),
    (412, "resource_unavailable", Refused),
    (422, "invalid_input", Refused),
    (422, "service_error", Refused),
    (422, "unsupported_error", Refused),
    (422, "floating_ip_assigned", Refused),
    (423, "locked", Busy),
    (423, "protected", Refused),
    (423, "resource_locked", Refused),
    (429, "rate_limit_exceeded", Busy),
    (429, "something_new", Busy),
    (500, "server_error", Lost),
    (502, "bad_gateway", Lost),
    (503, "unavailable", Lost),
    (504, "timeout", Lost),
]


@pytest.mark.parametrize(("status", "code", "kind"), TABLE)
def test_an_error_with_a_code_means(status: int, code: str, kind: type[StepError]) -> None:
    with pytest.raises(StepError) as raised:
        checked(error(status, code, "the message"))
    assert type(raised.value) is kind
    assert "the message" in raised.value.message
    assert getattr(raised.value, "code", code) == code


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, Denied),
        (403, Refused),
        (404, Refused),
        (418, Refused),
        (429, Busy),
        (502, Lost),
        (599, Lost),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"', b"{}", b'{"error": "text"}', b"\xff\xfe"])
def test_an_error_without_a_code_is_told_by_its_status(status: int, kind: type[StepError], body: bytes) -> None:
    with pytest.raises(StepError) as raised:
        checked(response(status, body))
    assert type(raised.value) is kind


def test_a_404_that_is_not_the_apis_is_not_taken_for_a_missing_object() -> None:
    """A wrong API address answers 404 in HTML: that the object is gone would be the wrong conclusion."""
    with pytest.raises(Refused, match="is the API address right"):
        checked(response(404, b"<html>not here</html>"))


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"7", b"\xff", b'{"half": ', b"[" * 100_000])
def test_a_good_answer_that_is_no_object_is_lost(body: bytes) -> None:
    with pytest.raises(Lost):
        checked(response(200, body))


def test_a_good_answer_with_nothing_in_it_is_empty() -> None:
    assert checked(response(204, b"")) == {}


def test_the_fields_that_it_objects_to_are_kept() -> None:
    details = {"fields": [{"name": "gateway", "messages": ["no"]}, {"name": ""}, 7]}
    with pytest.raises(Refused) as raised:
        checked(error(422, "invalid_input", details=details))
    assert raised.value.fields == ("gateway",)


@pytest.mark.parametrize("details", [None, 7, [], {"fields": None}, {"fields": [None]}])
def test_details_of_any_shape_do_no_harm(details: Any) -> None:
    with pytest.raises(Refused) as raised:
        checked(error(422, "invalid_input", details=details))
    assert raised.value.fields == ()


def test_endless_messages_are_cut() -> None:
    with pytest.raises(Refused) as raised:
        checked(error(422, "invalid_input", "x" * 100_000))
    assert len(raised.value.message) < 1000


LOST = (
    requests.exceptions.ReadTimeout("x"),
    requests.exceptions.ConnectTimeout("x"),
    requests.exceptions.ConnectionError("Failed to resolve 'api'"),
    requests.exceptions.ConnectionError("connection refused"),
    requests.exceptions.ConnectionError("reset"),
    requests.exceptions.ChunkedEncodingError("x"),
    requests.exceptions.ContentDecodingError("x"),
    requests.exceptions.ProxyError("x"),
    requests.exceptions.SSLError("[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol"),
    requests.exceptions.SSLError("[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] bad record mac"),
)


@pytest.mark.parametrize("problem", LOST, ids=lambda problem: f"{type(problem).__name__} {problem}"[:40])
def test_no_answer_may_mean_anything(problem: requests.RequestException) -> None:
    found = unanswered(problem, "api.test")
    assert type(found) is Lost


@pytest.mark.parametrize(
    "problem",
    [
        requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"),
        requests.exceptions.SSLError("hostname mismatch, certificate is not valid for 'api.test'"),
        requests.exceptions.InvalidURL("x"),
        requests.exceptions.InvalidSchema("x"),
    ],
    ids=str,
)
def test_what_was_never_sent_is_refused(problem: requests.RequestException) -> None:
    assert type(unanswered(problem, "api.test")) is Refused


def test_the_host_that_does_not_answer_is_named() -> None:
    for problem in LOST[:5]:
        assert "api.test" in unanswered(problem, "api.test").message
