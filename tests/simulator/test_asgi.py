"""The simulator over real connections."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import http.client
import json
import random
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from hcloud_reassign.simulator import Fault, Simulator, load_scenario
from hcloud_reassign.simulator.asgi import RunningServer, create_app

HEADERS = {"Authorization": "Bearer simulated-token"}


@contextlib.contextmanager
def running(*faults: Fault, latency_s: float = 0.0, scenario: str = "pair") -> Iterator[RunningServer]:
    sim = Simulator(
        load_scenario(scenario), clock=time.time, rng=random.Random(1), faults=faults, action_time=(0.0, 0.0)
    )
    with RunningServer(sim, latency_s=latency_s) as server:
        yield server


def connection(server: RunningServer) -> http.client.HTTPConnection:
    parts = urlsplit(server.url)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)


def ask(server: RunningServer, method: str = "GET", path: str = "/v1/servers", body: Any = None) -> tuple[int, Any]:
    client = connection(server)
    try:
        client.request(method, path, None if body is None else json.dumps(body), HEADERS)
        answer = client.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        client.close()


def test_reads_and_writes_work_over_http() -> None:
    with running() as server:
        assert server.url.endswith("/v1") and server.robot_url.endswith("/robot")
        assert ask(server, "POST", "/v1/floating_ips/501/actions/assign", {"server": 11})[0] == 201
        assert ask(server, path="/v1/floating_ips/501")[1]["floating_ip"]["server"] == 11
        assert [server["id"] for server in ask(server, path="/v1/servers?name=srv-b")[1]["servers"]] == [11]


def test_the_date_is_the_simulator_s_and_links_lead_back_to_it() -> None:
    sim = Simulator(load_scenario("pair"), clock=lambda: 1_800_000_000.0, rng=random.Random(1))
    with RunningServer(sim) as server:
        client = connection(server)
        client.request("GET", "/v1/servers?per_page=1", headers=HEADERS)
        answer = client.getresponse()
        answer.read()
        client.close()
        assert answer.headers.get_all("Date") == ["Fri, 15 Jan 2027 08:00:00 GMT"]
        assert answer.headers["Link"].startswith(f"<{server.url}/servers?page=2&per_page=1>")


def test_one_connection_serves_many_requests() -> None:
    with running() as server:
        client = connection(server)
        for _ in range(3):
            client.request("GET", "/v1/servers", headers=HEADERS)
            socket = client.sock
            assert client.getresponse().read()
            assert client.sock is socket
        client.close()


def test_a_dropped_connection_ends_without_any_answer() -> None:
    with running(Fault(method="POST", drop="after")) as server:
        with pytest.raises(http.client.RemoteDisconnected):
            ask(server, "POST", "/v1/floating_ips/501/actions/assign", {"server": 11})
        assert server.sim.state.floating_ips[501].server_id == 11
        assert ask(server)[0] == 200


def test_half_a_body_ends_in_the_middle() -> None:
    with running(Fault(status=200, body="half", when="after")) as server:
        client = connection(server)
        client.request("GET", "/v1/servers", headers=HEADERS)
        with pytest.raises(http.client.IncompleteRead):
            client.getresponse().read()
        client.close()


def test_a_gateway_s_page_and_an_empty_answer_arrive_as_they_are() -> None:
    with running(Fault(status=502, body="html"), Fault(nth=2, status=503, body="empty")) as server:
        for status, start in ((502, b"<html>"), (503, b"")):
            client = connection(server)
            client.request("GET", "/v1/servers", headers=HEADERS)
            answer = client.getresponse()
            assert (answer.status, answer.read()[:6]) == (status, start)
            client.close()


def test_an_answer_is_late_by_latency_and_delay() -> None:
    with running(Fault(delay=0.05, when="after"), latency_s=0.05) as server:
        begun = time.monotonic()
        ask(server)
        assert time.monotonic() - begun >= 0.1


def test_stopping_does_not_wait_for_an_answer_under_way() -> None:
    with running(Fault(delay=60.0)) as server:
        client = connection(server)
        client.request("GET", "/v1/servers", headers=HEADERS)
        while not server.sim.requests:
            pass
        server.stop()
        with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
            client.getresponse()
        client.close()


def test_stopping_closes_what_was_accepted_a_moment_before() -> None:
    for _ in range(8):
        with running() as server, contextlib.ExitStack() as stack:
            for client in (connection(server) for _ in range(3)):
                client.connect()
                stack.callback(client.close)
            server.stop()
    # A socket that was forgotten says so when it is collected, and a warning is an error here.
    gc.collect()


def test_fifty_clients_at_once_all_get_their_answers() -> None:
    with running(scenario="fifty") as server:
        found: list[int] = []

        def move(number: int) -> None:
            path = f"/v1/floating_ips/{501 + number}/actions/assign"
            found.append(ask(server, "POST", path, {"server": 201 + number})[0])

        threads = [threading.Thread(target=move, args=(number,)) for number in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [201] * 50
        assert all(ip.server_id == ip.id - 300 for ip in server.sim.state.floating_ips.values())


def test_the_robot_webservice_is_beside_it() -> None:
    with running() as server:
        status, _ = ask(server, path="/robot/failover")
        assert status == 401


def test_another_asgi_server_drops_by_an_error() -> None:
    sim = Simulator(load_scenario("pair"), clock=time.time, rng=random.Random(1), faults=[Fault(drop="before")])

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: object) -> None:
        raise AssertionError(message)

    async def ask_it(kind: str) -> None:
        scope = {"type": kind, "method": "GET", "path": "/v1/servers", "query_string": b"", "headers": []}
        await create_app(sim)({**scope, "scheme": "http"}, receive, send)

    with pytest.raises(ConnectionAbortedError):
        asyncio.run(ask_it("http"))
    asyncio.run(ask_it("lifespan"))
