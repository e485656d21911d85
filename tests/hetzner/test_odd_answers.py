"""Answers in which something is not as it should be, under a whole command: it ends in order, in time, and in words."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hcloud_reassign.core.errors import ExitCode
from hcloud_reassign.core.objects import Server
from hcloud_reassign.core.steps import one
from tests.cli.inside import MeddledLab, call
from tests.engine.samples import SAMPLES, TRIO
from tests.hetzner.fakes import cloud, response

INI = "[client]\ntimeout = 60\n" + "".join(sample.section(more="cooldown = 5m") for sample in SAMPLES)
TRIGGERED = ("--issued-at", "1790000000", *(sample.name for sample in SAMPLES))
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("run", "-vv"),
    ("run", "-vv", *TRIGGERED),
    ("run", "-o", "jsonl", "--force"),
    ("plan", "-vv"),
    ("status", "--all"),
    ("status", "-o", "json"),
    ("check", "--probe-write"),
    ("check", "-o", "json"),
    ("hold", "alias.vip", "--for", "1h"),
    ("init", "-o", "json", "-c", "new.ini"),
)
WORDS = """
id name ip type status error code message action actions server servers floating_ip floating_ips primary_ip
primary_ips network networks load_balancers members meta pagination page last_page next_page total_entries
started finished resources public_net private_net ipv4 ipv6 alias_ips routes subnets destination gateway
ip_range labels location network_zone assignee_id assignee_type progress command
"""
KEYS = WORDS.split()
LABELS = [
    f"hcloud-reassign/{key}"
    for key in ("claim", "intention", "held-until", "route.0.0.0.0_0", "alias.10.0.1.100", "alias.10.0.1.100_x")
]
WILD = "\x1b[2J\r\n::error::x\u202e\ud800"
GONE = object()
values = st.one_of(
    st.sampled_from([GONE, None, True, -1, 0, 1, 10, 11, 12, 4711, 2**70, 10**30, 0.5, float("nan"), float("inf")]),
    st.sampled_from(["", "x", WILD, "9" * 5000, "running", "off", "deleting", "error", "success", "ipv6", "vswitch"]),
    st.sampled_from(["10.0.1.3", "10.0.1.100", "10.0.0.0/16", "0.0.0.0/0", "300.1.1.1", "2001:db8:f::/64", "srv-b"]),
    st.sampled_from(["2026-09-21T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "soon"]),
    st.sampled_from([[], {}, [None], [[]], [{}], {"id": 1}, [{"id": 10}], [1, "x"], {"a": {"b": [{}]}}]),
    st.dictionaries(
        st.sampled_from(LABELS),
        st.sampled_from(
            ["", "x", "1790000000000.10", "1789999999000.11_10", "9999999999999", "1." + "9" * 61, "10-on.11-on.0"]
        ),
        max_size=2,
    ),
)


@dataclass
class Meddler:
    """Puts values in the places of keys, in answers that it chooses by method, path and number."""

    method: str
    path: str
    first: int
    times: int
    changes: list[tuple[str, int, Any]]
    header: dict[str, str] = field(default_factory=dict)
    seen: int = 0

    def __call__(self, request: requests.PreparedRequest, answer: requests.Response) -> None:
        if self.method not in ("", request.method) or self.path not in (request.url or ""):
            return
        self.seen += 1
        if self.first <= self.seen < self.first + self.times:
            answer.headers.update(self.header)
            document = json.loads(answer.content or b"{}")
            for key, number, value in self.changes:
                places = list(_places(document, key))
                if places:
                    _put(*places[number % len(places)], value)
            answer._content = json.dumps(document).encode()


def _places(value: Any, key: str) -> Iterator[tuple[Any, Any]]:
    """Every container that has the key, and every place in a list below it."""
    if isinstance(value, dict):
        if key in value:
            yield value, key
            if isinstance(value[key], list):
                yield from ((value[key], number) for number in range(len(value[key])))
        for inner in value.values():
            yield from _places(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _places(inner, key)


def _put(container: Any, key: Any, value: Any) -> None:
    if value is GONE:
        del container[key]
    else:
        container[key] = value


meddlers = st.builds(
    Meddler,
    method=st.sampled_from(["", "GET", "GET", "POST", "PUT"]),
    path=st.sampled_from(["", "/servers", "/floating_ips", "/primary_ips", "/networks", "/members", "/actions"]),
    first=st.integers(1, 8),
    times=st.sampled_from([1, 2, 1000]),
    changes=st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, 20), values), min_size=1, max_size=3),
    header=st.fixed_dictionaries(
        {},
        optional={
            "Date": st.sampled_from(["Mon, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "", "x"]),
            "RateLimit-Remaining": st.sampled_from(["0", "9" * 5000, "-1", "\u0663"]),
        },
    ),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(meddlers, st.sampled_from(COMMANDS), st.integers(0, 3))
@example(Meddler("", "", 1, 1000, [("labels", 0, {"hcloud-reassign/claim": "9" * 5000 + ".10"})]), COMMANDS[1], 0)
@example(Meddler("", "", 1, 1000, [("name", 0, WILD)]), COMMANDS[0], 0)
@example(Meddler("", "", 1, 1, [], {"Date": f"Mon, 01 Jan {10**20} 00:00:00 GMT"}), COMMANDS[0], 0)
@example(Meddler("", "", 1, 1, [], {"RateLimit-Remaining": "9" * 5000}), COMMANDS[4], 0)
def test_a_command_ends_in_order_whatever_an_answer_has_in_it(
    meddler: Meddler, words: tuple[str, ...], seed: int
) -> None:
    meddler.seen = 0
    lab = MeddledLab(TRIO, change=meddler, seed=seed)
    file = Path(os.environ["HOME"]) / "prod.ini"
    file.write_text(INI)
    file.chmod(0o600)
    Path(os.environ["HOME"], "new.ini").unlink(missing_ok=True)
    done = call(lab, *words, *(() if "-c" in words else ("-c", str(file))))
    assert "internal error" not in done.out + done.err and "Traceback" not in done.err, done
    assert done.code in {int(code) for code in ExitCode}
    assert lab.clock.monotonic() <= 60 + 2
    assert not set(done.out + done.err) & set("\x1b\r\u202e\ud800")
    if "json" in words:
        assert done.document["exit_code"] == done.code


@pytest.mark.parametrize("command", [("run", "-o", "json"), ("check", "-o", "json"), ("status", "-o", "json")])
@pytest.mark.parametrize("text", ['{"servers": ' + "[" * 100_000, "[" * 100_000 + "]" * 100_000, "null", '"x"', "12"])
def test_a_body_that_is_no_object_is_told_as_that(command: tuple[str, ...], text: str) -> None:
    def replaced(_: requests.PreparedRequest, answer: requests.Response) -> None:
        answer._content = text.encode()

    Path("prod.ini").write_text(INI)
    lab = MeddledLab(TRIO, change=replaced)
    done = call(lab, *command, "-c", "prod.ini", "--timeout", "5")
    assert done.code == ExitCode.FAILED
    assert "not the API's JSON" in done.out
    assert lab.clock.monotonic() <= 7 and not lab.writes


def test_half_of_a_character_is_replaced_and_a_whole_one_is_not() -> None:
    body = rb'{"server": {"id": 1, "name": "\ud800a\ude00\ud83d\ude00\uD83D\uDE00"}}'
    made, _ = cloud(lambda _: response(200, body))
    assert made.do(one(Server, 1), 1.0).name == "\ufffda\ufffd\U0001f600\U0001f600"
