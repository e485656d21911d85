"""The border to Hetzner: one step is one request, and what the packages below would do on their own is switched off."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from hcloud_reassign.core.objects import FloatingIp, Network, PrimaryIp, Route, Server
from hcloud_reassign.core.steps import (
    AddAliasIp,
    AddRoute,
    AssignFloatingIp,
    AssignPrimaryIp,
    Busy,
    DeleteRoute,
    FindAction,
    Finished,
    Gone,
    Lost,
    Members,
    PowerOff,
    PowerOn,
    Refused,
    RemoveAliasIp,
    SetLabels,
    Shutdown,
    StepError,
    UnassignFloatingIp,
    UnassignPrimaryIp,
    Write,
    one,
)
from tests.hetzner.fakes import ACTION, TOKEN, Sent, cloud, error, response

ROUTE = Route("0.0.0.0/0", "10.0.1.2")
ASSIGN = AssignFloatingIp(501, 11, "web", "srv-b")
SERVER = {
    "id": 11,
    "name": "srv-b",
    "status": "running",
    "private_net": [{"network": 4711, "ip": "10.0.1.3", "alias_ips": ["10.0.1.51"]}],
}

WRITES: list[tuple[Write, str, Any]] = [
    (ASSIGN, "/floating_ips/501/actions/assign", b'{"server": 11}'),
    (UnassignFloatingIp(501, "web"), "/floating_ips/501/actions/unassign", None),
    (
        AssignPrimaryIp(701, 11, "p", "srv-b"),
        "/primary_ips/701/actions/assign",
        b'{"assignee_type": "server", "assignee_id": 11}',
    ),
    (UnassignPrimaryIp(701, "p", "srv-a"), "/primary_ips/701/actions/unassign", None),
    (
        AddRoute(4711, ROUTE, "n"),
        "/networks/4711/actions/add_route",
        b'{"destination": "0.0.0.0/0", "gateway": "10.0.1.2"}',
    ),
    (
        DeleteRoute(4711, ROUTE, "n"),
        "/networks/4711/actions/delete_route",
        b'{"destination": "0.0.0.0/0", "gateway": "10.0.1.2"}',
    ),
    (Shutdown(11, "srv-b"), "/servers/11/actions/shutdown", None),
    (PowerOff(11, "srv-b"), "/servers/11/actions/poweroff", None),
    (PowerOn(11, "srv-b"), "/servers/11/actions/poweron", None),
]
every_write = pytest.mark.parametrize(
    ("step", "path", "body"), WRITES, ids=[type(step).__name__ for step, *_ in WRITES]
)


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package's own retries sleep: none may."""

    def sleep(seconds: float) -> None:
        raise AssertionError(f"slept {seconds} s")

    monkeypatch.setattr(time, "sleep", sleep)


@every_write
def test_a_write_is_one_request_with_this_body(step: Write, path: str, body: Any) -> None:
    made, wire = cloud(response(201, {"action": ACTION}))
    action = made.do(step, 10.0)
    (sent,) = wire.sent
    assert (sent.method, sent.url, sent.body) == ("POST", f"https://api.test/v1{path}", body)
    assert action.id == 1
    assert made.requests == 1


@every_write
@pytest.mark.parametrize(
    "answer",
    [
        lambda: requests.exceptions.ReadTimeout("read timed out"),
        lambda: requests.exceptions.ConnectTimeout("connect timed out"),
        lambda: requests.exceptions.ConnectionError("connection reset"),
        lambda: requests.exceptions.ChunkedEncodingError("broken"),
        lambda: response(502, b"<html>"),
        lambda: response(504, b"<html>"),
        lambda: error(504, "timeout"),
        lambda: error(502, "bad_gateway"),
        lambda: error(409, "conflict"),
        lambda: error(429, "rate_limit_exceeded"),
        lambda: response(201, b"<html>"),
        lambda: response(201, {"something": "else"}),
    ],
)
def test_what_the_package_would_repeat_is_sent_exactly_once(
    step: Write, path: str, body: Any, answer: Callable[[], Any]
) -> None:
    made, wire = cloud(lambda _: answer())
    with pytest.raises((Lost, Busy)):
        made.do(step, 10.0)
    assert len(wire.sent) == 1


def test_the_packages_retries_exist_and_are_what_is_switched_off() -> None:
    """Should the package move its switch, this fails before a POST is repeated."""
    import hcloud

    client = hcloud.Client("token")
    assert client._client._retry_max_retries == 5


@pytest.mark.parametrize("step", [AddAliasIp, RemoveAliasIp])
def test_an_alias_list_is_read_and_written_once(step: type[Any]) -> None:
    def answer(sent: Sent) -> requests.Response:
        return response(200, {"server": SERVER}) if sent.method == "GET" else response(201, {"action": ACTION})

    made, wire = cloud(answer)
    address = "10.0.1.100" if step is AddAliasIp else "10.0.1.51"
    made.do(step(11, 4711, address, "srv-b"), 10.0)
    assert [sent.method for sent in wire.sent] == ["GET", "POST"]
    wanted = b'["10.0.1.51", "10.0.1.100"]' if step is AddAliasIp else b"[]"
    assert wire.sent[1].body == b'{"network": 4711, "alias_ips": ' + wanted + b"}"


@pytest.mark.parametrize(("step", "address"), [(AddAliasIp, "10.0.1.51"), (RemoveAliasIp, "10.0.1.100")])
def test_an_alias_list_that_is_right_already_is_not_written(step: type[Any], address: str) -> None:
    made, wire = cloud(response(200, {"server": SERVER}))
    assert made.do(step(11, 4711, address, "srv-b"), 10.0) is None
    assert [sent.method for sent in wire.sent] == ["GET"]


def test_an_alias_list_of_a_server_that_is_gone_is_not_written() -> None:
    made, wire = cloud(error(404, "not_found"))
    with pytest.raises(Gone):
        made.do(AddAliasIp(11, 4711, "10.0.1.100", "srv-b"), 10.0)
    assert len(wire.sent) == 1


def test_labels_are_put_whole_and_come_back() -> None:
    floating = {"id": 501, "name": "web", "ip": "192.0.2.10", "labels": {"a": "b"}}
    made, wire = cloud(response(200, {"floating_ip": floating}))
    seen = made.do(SetLabels(FloatingIp, 501, "web", {"a": "b"}), 10.0)
    assert seen.labels == {"a": "b"}
    assert (wire.sent[0].method, wire.sent[0].body) == ("PUT", b'{"labels": {"a": "b"}}')


# What is not left to the packages


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_is_not_followed_and_the_token_goes_nowhere_else(status: int, method: str) -> None:
    made, wire = cloud(response(status, headers={"Location": "https://evil.test/v1/steal"}))
    with pytest.raises(Refused, match="redirect"):
        made.do(one(Server, 1) if method == "GET" else ASSIGN, 10.0)
    assert [sent.url.split("/")[2] for sent in wire.sent] == ["api.test"]


def test_a_netrc_entry_for_the_host_does_not_replace_the_token(home: Path) -> None:
    netrc = home / ".netrc"
    netrc.write_text("machine api.test login somebody password else\n")
    netrc.chmod(0o600)
    made, wire = cloud(response(200, {"server": SERVER}))
    made.do(one(Server, 11), 10.0)
    assert wire.sent[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_the_proxies_of_the_environment_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    made, wire = cloud(response(200, {"server": SERVER}))
    made.do(one(Server, 11), 10.0)
    assert wire.sent[0].proxies["https"] == "http://proxy.test:3128"


def test_hosts_that_need_no_proxy_get_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", "api.test")
    made, wire = cloud(response(200, {"server": SERVER}))
    made.do(one(Server, 11), 10.0)
    assert "https" not in wire.sent[0].proxies


@pytest.mark.parametrize(("limit", "expected"), [(10.0, (5.0, 10.0)), (2.0, (2.0, 2.0)), (0.05, (0.05, 0.05))])
def test_every_request_has_a_finite_timeout(limit: float, expected: tuple[float, float]) -> None:
    made, wire = cloud(lambda sent: response(200, {"server": SERVER, "actions": [], "servers": [], "action": ACTION}))
    made.do(one(Server, 11), limit)
    made.do(ASSIGN, limit)
    made.page(Server, 1, limit)
    made.poll([1], limit)
    assert {sent.timeout for sent in wire.sent} == {expected}


def test_every_thread_has_a_client_of_its_own() -> None:
    import threading

    made, wire = cloud(response(200, {"server": SERVER}))
    clients = []

    def work() -> None:
        made.do(one(Server, 11), 1.0)
        clients.append(made._client())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in clients}) == 4
    assert made.requests == len(wire.sent) == 4


def test_the_token_is_in_no_error() -> None:
    for answer in (
        error(401, "unauthorized"),
        response(502, b"<html>"),
        requests.exceptions.ConnectionError(f"something with {TOKEN}"),
        requests.exceptions.InvalidHeader(f"Bearer {TOKEN}"),
        requests.exceptions.ProxyError(f"http://user:{TOKEN}@proxy"),
    ):
        made, _ = cloud(answer)
        with pytest.raises(StepError) as raised:
            made.do(one(Server, 11), 1.0)
        chained = [raised.value, raised.value.__cause__, raised.value.__context__]
        shown = [str(each) for each in chained if each is not None and not raised.value.__suppress_context__]
        assert TOKEN not in " ".join([str(raised.value), *shown])


def test_who_asks_is_told() -> None:
    made, wire = cloud(response(200, {"server": SERVER}))
    made.do(one(Server, 11), 1.0)
    assert wire.sent[0].headers["User-Agent"].startswith("hcloud-reassign/")


def test_a_step_for_nobody_is_a_defect() -> None:
    made, _ = cloud(response())
    with pytest.raises(TypeError, match="Finished"):
        made.do(Finished(None, ASSIGN), 1.0)  # type: ignore[arg-type]


# Reading


def test_one_that_does_not_exist_is_none() -> None:
    made, _ = cloud(error(404, "not_found"))
    assert made.do(one(Network, 1), 1.0) is None


def test_the_members_of_a_network_are_read_page_by_page() -> None:
    def answer(sent: Sent) -> requests.Response:
        page = int(sent.url.rpartition("page=")[2])
        member = {"id": page, "type": "server", "ip": f"10.0.1.{page}", "alias_ips": []}
        pagination = {"next_page": page + 1 if page < 3 else None}
        return response(200, {"members": [member], "meta": {"pagination": pagination}})

    made, _ = cloud(answer)
    found = made.do(Members(network=4711), 1.0)
    assert [member.id for member in found] == [1, 2, 3]


def test_an_api_without_members_of_networks_says_none() -> None:
    made, _ = cloud(error(404, "not_found", "api route not found"))
    assert made.do(Members(network=4711), 1.0) is None


def test_pages_that_never_end_are_not_believed() -> None:
    body = {"members": [], "meta": {"pagination": {"next_page": 2}}}
    made, _ = cloud(lambda _: response(200, body))
    with pytest.raises(Lost):
        made.do(Members(network=4711), 1.0)
    listing = {"servers": [], "meta": {"pagination": {"last_page": 10**9}}}
    made, _ = cloud(lambda _: response(200, listing))
    with pytest.raises(Lost):
        made.page(Server, 1, 1.0)


def test_polling_leaves_out_what_the_api_does_not_know() -> None:
    made, wire = cloud(response(200, {"actions": [{**ACTION, "id": 2, "status": "success"}]}))
    assert list(made.poll([1, 2], 1.0)) == [2]
    assert wire.sent[0].url.endswith("/actions?id=1&id=2")


# Which action was ours


def _action(id: int, started: float, **more: Any) -> dict[str, Any]:
    from datetime import datetime, timezone

    resources = [{"id": 11, "type": "server"}, {"id": 501, "type": "floating_ip"}]
    moment = datetime.fromtimestamp(started, timezone.utc).isoformat()
    return {**ACTION, "id": id, "started": moment, "resources": resources, **more}


def _find(actions: list[dict[str, Any]], *, send: bool = True, date: float | None = None) -> Any:
    """Lose the answer to a write at 1000 s by the API's clock, then look for its action."""
    from email.utils import formatdate

    headers = {"Date": formatdate(1000 if date is None else date, usegmt=True)}

    def answer(sent: Sent) -> Any:
        if sent.method == "POST":
            return requests.exceptions.ReadTimeout()
        return response(200, {"actions": actions, "server": SERVER}, headers)

    made, _ = cloud(answer, monotonic=lambda: 0.0, wall=lambda: 1000.9)
    made.do(one(Server, 11), 1.0)
    if send:
        with pytest.raises(Lost):
            made.do(ASSIGN, 1.0)
    return made.do(FindAction(ASSIGN), 1.0)


def test_our_action_is_found_by_command_objects_and_time() -> None:
    assert _find([_action(7, 1000)]).id == 7


def test_an_action_before_the_write_is_not_ours() -> None:
    assert _find([_action(7, 998)]) is None


def test_an_action_of_another_command_is_not_ours() -> None:
    assert _find([_action(7, 1000, command="unassign_floating_ip")]) is None


def test_an_action_for_another_server_is_not_ours() -> None:
    other = [{"id": 12, "type": "server"}, {"id": 501, "type": "floating_ip"}]
    assert _find([_action(7, 1000, resources=other)]) is None


def test_without_a_request_sent_no_action_is_ours() -> None:
    assert _find([_action(7, 1000)], send=False) is None


def test_a_clock_that_is_ahead_within_the_second_hides_no_action() -> None:
    """The API's clock shows 1000.0 to 1000.99; this machine's 1000.9; the action is dated with the whole second."""
    assert _find([_action(7, 1000)], date=1000).id == 7


def test_an_action_that_was_answered_is_not_found_again() -> None:
    actions = [_action(1, 2_000_000_000)]

    def answer(sent: Sent) -> Any:
        return response(201, {"action": ACTION}) if sent.method == "POST" else response(200, {"actions": actions})

    made, _ = cloud(answer)
    made.do(ASSIGN, 1.0)
    assert made.do(FindAction(ASSIGN), 1.0) is None


def test_labels_start_no_action_to_look_for() -> None:
    made, wire = cloud(response())
    assert made.do(FindAction(SetLabels(PrimaryIp, 1, "p", {})), 1.0) is None
    assert not wire.sent


# What an answer says besides


def test_the_budget_that_is_left_is_remembered() -> None:
    made, _ = cloud(response(200, {"server": SERVER}, {"RateLimit-Remaining": "3599"}))
    assert made.rate_limit_remaining is None
    made.do(one(Server, 11), 1.0)
    assert made.rate_limit_remaining == 3599


@pytest.mark.parametrize("header", [{}, {"Date": "yesterday"}, {"Date": ""}, {"RateLimit-Remaining": "many"}])
def test_headers_that_say_nothing_are_ignored(header: dict[str, str]) -> None:
    made, _ = cloud(response(200, {"server": SERVER}, header), wall=lambda: 5.0)
    made.do(one(Server, 11), 1.0)
    assert made.now_ms() == 5000
    assert made.rate_limit_remaining is None
