"""How many requests a run makes, and which: few, in parallel, and none to be told again what is known."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from hcloud_reassign.core.model import Request
from hcloud_reassign.simulator import Fault
from tests.engine.samples import (
    ALIASED,
    FLOAT,
    PUBLIC,
    ROUTE,
    TRIO,
    A,
    B,
    only,
    posts,
    run,
    told,
    triggered,
    trio,
    with_server,
)
from tests.harness import Lab


def asked(lab: Lab) -> list[str]:
    """Every request in words, polls as one word."""
    words = []
    for request in lab.sim.requests:
        path = request.path.removeprefix("/v1")
        words.append("poll" if path == "/actions" else f"{request.method} {path}")
    return words


def without_polls(lab: Lab) -> list[str]:
    return [word for word in asked(lab) if word != "poll"]


def fleet(floating: int, servers: int = 3) -> dict[str, Any]:
    """Many floating IPs, all at one of several servers."""
    return {
        "servers": [{"name": f"srv-{number}", "id": 100 + number} for number in range(servers)],
        "floating_ips": [
            {"name": f"ip-{number}", "id": 1000 + number, "ip": f"192.0.2.{number}", "server": "srv-0"}
            for number in range(floating)
        ],
    }


def sections(floating: int, targets: int = 1) -> str:
    return "".join(
        f"[floating.ip-{number}]\ntype = ip_floating\nresource = ip-{number}\n"
        f"source = srv-0\ndestination = srv-{1 + number % targets}\n"
        for number in range(floating)
    )


def test_one_floating_ip_is_two_reads_a_write_and_a_read() -> None:
    lab = Lab(TRIO)
    report = run(lab, FLOAT.section())
    assert without_polls(lab) == [
        "GET /floating_ips",
        "GET /servers",
        "POST /floating_ips/501/actions/assign",
        "GET /floating_ips/501",
    ]
    assert report.requests == len(lab.sim.requests)


def test_a_triggered_one_is_one_label_more() -> None:
    lab = Lab(TRIO)
    run(lab, FLOAT.section(), triggered(1))
    assert without_polls(lab)[2:4] == ["PUT /floating_ips/501", "POST /floating_ips/501/actions/assign"]
    assert len(without_polls(lab)) == 5


def test_one_route_is_two_reads_two_writes_and_a_read() -> None:
    lab = Lab(TRIO)
    run(lab, ROUTE.section())
    assert without_polls(lab) == [
        "GET /networks",
        "GET /servers",
        "POST /networks/4711/actions/delete_route",
        "POST /networks/4711/actions/add_route",
        "GET /networks/4711",
    ]


def test_what_is_unchanged_costs_the_reads_alone() -> None:
    lab = Lab(TRIO)
    run(lab, FLOAT.section("srv-b", "srv-a"))
    assert asked(lab) == ["GET /floating_ips", "GET /servers"]


def test_nobody_costs_one_read_more() -> None:
    lab = Lab(TRIO)
    FLOAT.put(lab.sim, None)
    run(lab, FLOAT.section())
    assert without_polls(lab)[2] == "GET /floating_ips/501"
    assert len(without_polls(lab)) == 5


def test_an_old_observation_is_read_again_before_the_first_write() -> None:
    lab = Lab(TRIO, faults=[Fault("GET", "/v1/servers", delay=1.5)])
    run(lab, FLOAT.section())
    words = without_polls(lab)
    assert words.index("GET /floating_ips/501") < words.index("POST /floating_ips/501/actions/assign")


def test_reads_of_several_kinds_are_shared() -> None:
    lab = Lab(TRIO)
    run(lab, FLOAT.section() + ROUTE.section() + ALIASED.section())
    first = next(place for place, word in enumerate(asked(lab)) if word.startswith("POST"))
    assert Counter(asked(lab)[:first]) == Counter(["GET /floating_ips", "GET /servers", "GET /networks"])


def test_fifty_floating_ips_of_one_page_are_read_at_once() -> None:
    lab = Lab(fleet(50), action_time=(0.3, 0.6))
    report = run(lab, sections(50))
    assert {result.outcome for result in report.results} == {"done"}
    words = without_polls(lab)
    first = next(place for place, word in enumerate(words) if word.startswith("POST"))
    assert words[:first] == ["GET /floating_ips", "GET /servers"]
    assert len(posts(lab)) == 50
    reads = [word for word in words[first:] if word.startswith("GET")]
    assert len(reads) <= 110, Counter(reads)


def test_the_next_of_a_queue_is_sent_the_moment_the_one_before_ended() -> None:
    lab = Lab(fleet(5), action_time=(1.0, 1.0))
    run(lab, sections(5))
    times = [post.time for post in posts(lab)]
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert max(gaps) < 1.4
    assert not any(request.status == 423 for request in lab.sim.requests)


def test_pages_are_read_once_each() -> None:
    lab = Lab(fleet(120), action_time=(0.01, 0.01))
    run(lab, sections(1))
    pages = Counter(
        dict(request.query).get("page") for request in lab.sim.requests if request.path == "/v1/floating_ips"
    )
    assert pages == {"1": 1, "2": 1, "3": 1}


def test_polls_ask_for_25_actions_at_once_at_most() -> None:
    scenario = fleet(60, servers=121)
    scenario["floating_ips"] = [{**ip, "server": f"srv-{60 + n}"} for n, ip in enumerate(scenario["floating_ips"])]
    lab = Lab(scenario, action_time=(0.5, 0.5))
    ini = "".join(
        f"[floating.ip-{n}]\ntype = ip_floating\nresource = ip-{n}\ndestination = srv-{n}\n" for n in range(60)
    )
    report = run(lab, ini)
    assert {result.outcome for result in report.results} == {"done"}
    sizes = [len(request.query) for request in lab.sim.requests if request.path == "/v1/actions"]
    assert max(sizes) == 25


def test_polls_come_early_and_then_less_often() -> None:
    lab = Lab(TRIO, faults=[Fault("POST", FLOAT.path, slow_action=60.0)])
    run(lab, FLOAT.section())
    polls = [request.time for request in lab.sim.requests if request.path == "/v1/actions"]
    sent = posts(lab)[0].time
    assert polls[0] - sent < 0.2
    gaps = [later - earlier for earlier, later in zip(polls, polls[1:], strict=False)]
    assert max(gaps) > 3
    assert len(polls) < 60


def test_no_resource_is_polled_to_learn_whether_a_write_ended() -> None:
    lab = Lab(TRIO, faults=[Fault("POST", FLOAT.path, slow_action=20.0)])
    run(lab, FLOAT.section())
    assert without_polls(lab).count("GET /floating_ips/501") == 1


def test_a_server_that_shuts_down_is_asked_once_a_second() -> None:
    lab = Lab(with_server(TRIO, "srv-a", shutdown_s=20.0))
    run(lab, PUBLIC.section())
    looks = [request.time for request in lab.sim.requests if request.path == f"/v1/servers/{A}"]
    stopped = next(post.time for post in posts(lab, f"{B}/actions/shutdown"))
    waited = [at for at in looks if at < stopped]
    assert len(waited) < 30


@pytest.mark.parametrize("force", [False, True])
def test_a_refusal_costs_no_write(force: bool) -> None:
    lab = Lab(with_server(trio(), "srv-b", networks={}))
    result = only(run(lab, ALIASED.section(), Request(force=force)))
    assert told(result) == ("refused", 3, "not-in-network")
    assert not lab.writes


def test_moves_of_one_server_do_not_get_in_each_others_way() -> None:
    """Floating IP, alias and route touch srv-a and srv-b: no request of the run is refused for a lock of its own."""
    lab = Lab(TRIO)
    second = FLOAT.section().replace("floating.web", "floating.web6").replace("resource = web", "resource = web6")
    report = run(lab, FLOAT.section() + second + ROUTE.section() + ALIASED.section(), triggered(1))
    assert {result.outcome for result in report.results} == {"done"}
    assert not [request for request in lab.sim.requests if request.status in (409, 423)]
