"""Secrets in every place that can hold one, right or wrong, under every command: none of them is shown."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
import requests

from hcloud_reassign.cli.writer import Writer
from hcloud_reassign.hetzner.cloud import Cloud
from hcloud_reassign.simulator import Fault
from tests.cli.inside import MeddledLab, call
from tests.cli.process import Done
from tests.engine.samples import SAMPLES, TRIO, A
from tests.harness import Lab

TOKEN = "Zq7kCanary4NobodyMaySeeThis0123456789abcdefghijklmnopqrstuvwxyzAB"[:64]
PASSWORD = "pAss-w0rd_4711xY"
HMAC = "c2VjcmV0LWNhbmFyeS1vZi0zMi1ieXRlcy4uLi4uLi4="
SHORT_HMAC = "Y2FuYXJ5LTE2Lmt5dA=="
SECRETS = {"token": TOKEN, "password": PASSWORD, "HMAC": HMAC, "short HMAC": SHORT_HMAC}
INI = "".join(sample.section() for sample in SAMPLES)
SCENARIO = {**TRIO, "tokens": {TOKEN: "read-write"}}

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("run", "--report", "report.json"),
    ("plan",),
    ("status", "--all"),
    ("hold", "alias.vip", "--for", "1h"),
    ("unhold", "alias.vip"),
    ("check", "--probe-write"),
    ("init",),
)


def shown(done: Done, *secrets: str) -> list[str]:
    """Where a secret is, in whatever case: stdout, stderr, or a file that this program wrote."""
    written = {str(path): path.read_bytes().decode("utf-8", "replace") for path in _written()}
    texts = {"stdout": done.out, "stderr": done.err, **written}
    return [where for where, text in texts.items() for secret in secrets if secret.casefold() in text.casefold()]


def _written() -> Iterator[Path]:
    for path in Path(os.environ["HOME"]).rglob("*"):
        if path.is_file() and path.name not in ("prod.ini", "token"):
            yield path


def put(text: str, name: str = "prod.ini") -> str:
    Path(name).write_bytes(text.encode("utf-8", "surrogateescape"))
    Path(name).chmod(0o600)
    return name


def github() -> dict[str, str]:
    return {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(Path(os.environ["HOME"], "summary.md"))}


# Lines of a file

LINES = (
    "[client]\napi_token {}\n",
    "[client]\napi_token\n{}\n",
    "[client]\napi_tokn = {}\n",
    "[client]\napi_token = a\n {}\n",
    "[client]\napi_token = {}\napi_token = {}\n",
    "[client]\napi_token = {}\u20ac\n",
    "[client]\napi_token = {}\x07\n",
    "[client]\napi_token = {}\udcff\n",
    "[client]\napi_token = {}\napi_token_fiel = x\n",
    "[client]\n{}\n",
    "[client]\n{} = x\n",
    "[client]\nx {}: y\n",
    "[client]\napi_url = https://user:{}@host/v1\n",
    "[client\napi_token = {}\n",
    "[client] api_token = {}\n",
    "{}\n",
    "api_token = {}\n",
    "[DEFAULT]\napi_token = {}\n",
    "[robot]\nuser = u\npassword = {}\n",
    "[robot]\nurl = https://user:{}@host/\n",
    "[robot]\npassword_file {}\n",
    "[gateway]\nsecret = {}\n",
    "[gateway.client.a]\nsecret = {}\nallow = floating.web\n",
    "[gateway.client.a]\nsecret_file: x\nsecret_file: {}\nallow = floating.web\n",
    "[trigger.a]\ntype = gitlab\ntoken = {}\n",
    "[trigger.a]\ntype = gateway\nsecret {}\n",
    "[trigger.a]\ntype = jenkins\nurl = https://user:{}@host\n",
    "[trigger.a]\ntoken_file = x\n",
    "[watch]\npassword = {}\n",
    "[watch]\nfrom = etcd\nendpoints = https://u:{}@h, https://u:{}@h\nassignments = floating.web\n",
    "[vip]\ntype = ip_failover\npassword = {}\n",
    "[vip]\ntype = ip_local\npassword = {}\n",
)


@pytest.mark.parametrize("name", SECRETS)
def test_a_line_that_is_wrong_does_not_show_the_secret_in_it(name: str) -> None:
    secret = SECRETS[name]
    for number, text in enumerate(LINES):
        file = put(INI + text.replace("{}", secret) if text.startswith("[") else text.replace("{}", secret))
        words = COMMANDS[number % (len(COMMANDS) - 1)]
        output = ("json", "text")[number // len(COMMANDS) % 2]
        done = call(None, *words, "-vv", "-o", output, "-c", file, env={"HCLOUD_TOKEN": "x" * 64, **github()})
        assert done.code == 2 and not shown(done, secret), (text, done)


ACCEPTED = (
    "[robot]\nuser = {0}\npassword_file = {0}\n",
    "[gateway.client.a]\nsecret_file = {0}\nallow = floating.web\n",
    "[trigger.a]\ntype = gitlab\ntoken_file = {0}\nproject = {0}\nref = main\n",
    "[watch]\nfrom = etcd\nendpoints = https://u:{0}@h\nuser = {0}\nassignments = floating.web\n",
)


@pytest.mark.parametrize("name", SECRETS)
def test_sections_of_other_parts_are_not_repeated(name: str) -> None:
    file = put(INI + "".join(ACCEPTED).format(SECRETS[name]))
    for words in COMMANDS[:-1]:
        done = call(Lab(TRIO), *words, "-vv", "-c", file, env=github())
        assert done.code == 0 and not shown(done, SECRETS[name]), words


# Words of a command line

WORDS: tuple[tuple[str, ...], ...] = (
    ("run", "--token-file", TOKEN),
    ("run", TOKEN),
    ("run", "-token", TOKEN),
    ("-token", TOKEN, "run"),
    (TOKEN,),
    ("run", f"--{TOKEN}"),
    ("run", f"--token={TOKEN}", "--no-such-option"),
    ("run", "-o", TOKEN),
    ("run", "--to", "--token", TOKEN),
    ("run", "--token", TOKEN, "--timeout", TOKEN),
    ("run", "-c", TOKEN),
    ("run", "--report", f"{TOKEN}/x"),
    ("hold", "floating.web", "--for", TOKEN),
    ("trigger", TOKEN, "floating.web"),
    ("trigger", "ci", TOKEN),
    ("trigger", "ci", "floating.web", "--issued-at", TOKEN),
    ("trigger", "ci", "floating.web", "--by", f"{TOKEN}!"),
    ("status", "--expect", TOKEN),
    ("run", "--api-url", f"https://user:{TOKEN}@host/v1"),
    ("init", "--api-url", f"https://user:{TOKEN}@host/v1"),
    ("simulate", "--listen", TOKEN),
    ("simulate", "--scenario", TOKEN),
    ("demo", "--token", TOKEN, "-o", "json"),
)


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_token_in_the_place_of_another_word_is_not_repeated(output: str) -> None:
    put(INI, "hcloud-reassign.ini")
    for words in WORDS:
        more = () if "-o" in words else ("-o", output)
        done = call(None, *words, *more, "-vv", env={"HCLOUD_ENDPOINT": "http://127.0.0.1:1/v1", **github()})
        assert done.code in (2, 4) and not shown(done, TOKEN), (words, done)


FILES = (f"api_token_file = {TOKEN}", f"api_token_command = {TOKEN}", f"api_token_command = false {TOKEN}")


@pytest.mark.parametrize("line", FILES, ids=["file", "command", "argument"])
def test_a_token_in_the_place_of_the_way_to_it_is_not_repeated(line: str) -> None:
    for words in COMMANDS[:-1]:
        done = call(None, *words, "-vv", "-c", put(f"[client]\n{line}\n{INI}"), env=github())
        assert done.code == (1 if words[0] == "check" else 4) or words[0] == "check"
        assert not shown(done, TOKEN), (words, done)


@pytest.mark.parametrize("name", SECRETS)
def test_an_api_address_with_a_password_is_refused_without_it(name: str) -> None:
    file = put(INI)
    env = {"HCLOUD_ENDPOINT": f"https://user:{SECRETS[name].replace('=', '')}@host/v1", "HCLOUD_TOKEN": TOKEN}
    for words in COMMANDS:
        done = call(None, *words, "-vv", *(("-c", file) if words[0] != "init" else ()), env=env)
        assert done.code == 2 and not shown(done, SECRETS[name].replace("=", ""), TOKEN), words


# What the other side says


def _in_a_name(lab: Lab) -> None:
    lab.sim.state.servers[A].name = f"srv {TOKEN}"


FAULTS = {
    "an error's message": Fault("POST", status=422, message=f"your token {TOKEN} is not well", times=None),
    "an error's code": Fault(status=403, code=TOKEN, message=f"{PASSWORD} {TOKEN}", times=None),
    "a page": Fault(status=502, body=f"<html>{TOKEN} {PASSWORD}</html>", times=None),
    "a page that says 200": Fault(status=200, body=f"<html>{TOKEN} {PASSWORD}</html>", times=None),
    "JSON of something else": Fault(status=200, body=f'{{"servers": ["{TOKEN}"], "{TOKEN}": 1}}', times=None),
    "a redirect": Fault(status=302, headers={"Location": f"http://u:{TOKEN}@h/"}, times=None),
    "a refused token": Fault(status=401, code="unauthorized", message=f"the token {TOKEN} is invalid", times=None),
    "half a body": Fault(status=500, body="half", message=TOKEN, times=None),
    "a lost answer": Fault("POST", drop="after", times=None),
    "an action that fails": Fault("POST", fail_action={"code": TOKEN, "message": f"no: {TOKEN}"}, times=None),
}
GIVEN: dict[str, tuple[str, tuple[str, ...], dict[str, str], str]] = {
    "option": ("", ("--token", TOKEN), {}, ""),
    "variable": ("", (), {"HCLOUD_TOKEN": TOKEN}, ""),
    "file": ("", ("--token-file", "token"), {}, ""),
    "stdin": ("", ("--token-file", "-"), {}, f"{TOKEN}\n"),
    "key": (f"api_token = {TOKEN}\n", (), {}, ""),
    "key of a file": ("api_token_file = token\n", (), {}, ""),
    "key of a command": ("api_token_command = cat token\n", (), {}, ""),
}


def all_commands(lab: Lab, way: str, shift: int = 0) -> Iterator[tuple[tuple[str, ...], Done]]:
    client, options, env, stdin = GIVEN[way]
    put(f"{TOKEN}\n", "token")
    file = put(f"[client]\n{client}timeout = 6\n{INI}")
    for number, words in enumerate(COMMANDS):
        if words[0] == "init" and client:
            continue
        outputs = ("text", "json", "jsonl") if words[0] in ("run", "plan", "status") else ("text", "json")
        output = outputs[(number + shift) % len(outputs)]
        Path("new.ini").unlink(missing_ok=True)
        config = "new.ini" if words[0] == "init" else file
        more = {"HCLOUD_TOKEN": "", **env, **github()}
        yield words, call(lab, *words, "-vv", "-o", output, "-c", config, *options, env=more, stdin=stdin)


@pytest.mark.parametrize("number", range(len(FAULTS)), ids=list(FAULTS))
def test_no_answer_brings_the_token_back(number: int) -> None:
    way = list(GIVEN)[number % len(GIVEN)]
    for shift in (0, 1):
        lab = Lab(SCENARIO, faults=[replace(list(FAULTS.values())[number])])
        for words, done in all_commands(lab, way, shift):
            assert not shown(done, TOKEN), (words, done)
            assert "internal error" not in done.out + done.err
    assert {item.authorization for item in lab.sim.requests} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("way", GIVEN)
def test_a_name_that_quotes_the_token_does_not_show_it(way: str) -> None:
    lab = Lab(SCENARIO)
    _in_a_name(lab)
    for words, done in all_commands(lab, way):
        assert not shown(done, TOKEN), (words, done)


@pytest.mark.parametrize("error", [requests.exceptions.SSLError, requests.exceptions.InvalidHeader, ValueError])
def test_a_connection_that_breaks_with_the_token_in_its_reason_does_not_show_it(error: type[Exception]) -> None:
    def broken(*_: object) -> None:
        raise error(f"certificate verify failed: {TOKEN} http://u:{PASSWORD}@proxy Bearer {TOKEN}")

    for words, done in all_commands(MeddledLab(SCENARIO, change=broken), "key"):
        assert not shown(done, TOKEN, PASSWORD), (words, done)
        assert "internal error" not in done.out + done.err


@pytest.mark.parametrize("way", ["option", "variable", "stdin", "key"])
def test_a_defect_of_this_program_does_not_show_the_token(way: str) -> None:
    with patch.object(Cloud, "page", side_effect=RuntimeError(f"Bearer {TOKEN}")):
        for words, done in all_commands(Lab(SCENARIO), way):
            assert "internal error: RuntimeError: Bearer ***" in done.out + done.err, words
            assert not shown(done, TOKEN), (words, done)


# Children and proxies

PROXIES = (
    "http://user:{}@127.0.0.1:1",
    "http://user:{}@127.0.0.1:x{}",
    "http://user:{}@",
    "http://user:{}\u20ac@127.0.0.1:1",
    "http://[user:{}@host",
    "http://user:{}@a..b:1",
    "user:{}@127.0.0.1:1",
    "socks5://user:{}@127.0.0.1:1",
)


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_proxy_that_cannot_be_used_is_told_without_its_password(proxy: str) -> None:
    file = put(f"[client]\ntimeout = 1\n{INI}")
    address = proxy.replace("{}", PASSWORD)
    env = {"HCLOUD_ENDPOINT": "http://hetzner.test/v1", "HCLOUD_TOKEN": TOKEN, "HTTP_PROXY": address} | github()
    for words in (("run",), ("check", "-o", "json")):
        done = call(None, *words, "-vv", "-c", file, "--timeout", "4", env=env)
        assert done.code == 1 and "proxy" in done.out + done.err
        assert not shown(done, TOKEN, PASSWORD) and "internal error" not in done.out + done.err


def test_a_command_for_a_token_is_not_given_another_one() -> None:
    put(TOKEN, "token")
    client = "[client]\nproject = {0}\napi_url = http://hetzner.test/v1\n"
    client += "api_token_command = sh -c 'env > {0}.env; cat token'"
    files = [put(f"{client.format(name)}\n{INI}", f"{name}.ini") for name in ("one", "other")]
    done = call(Lab(SCENARIO), "status", "-c", files[0], "-c", files[1], env={"HCLOUD_TOKEN": PASSWORD * 2})
    assert done.code == 0 and Path("one.env").stat().st_size
    assert not shown(done, PASSWORD)
    assert TOKEN not in done.out + done.err + Path("other.env").read_text(encoding="utf-8")


# How it is hidden


def test_secrets_are_hidden_before_a_text_is_escaped() -> None:
    secret = 'a"b\\c:d,e%f|g_h\u00e9i'
    out = io.StringIO()
    writer = Writer(out, out, {"GITHUB_ACTIONS": "true"})
    writer.hide(secret)
    writer.json({"told": [f"<{secret}>", ("x", {"y": secret})], "number": 1, "none": None})
    assert out.getvalue().count("***") == 2 and '"number": 1' in out.getvalue()
    assert "a\\" not in out.getvalue()


def test_a_secret_with_signs_that_are_escaped_is_not_in_annotations_and_summaries() -> None:
    token = "canary:of,a%secret|with_signs"
    lab = Lab({**TRIO, "tokens": {token: "read-write"}})
    lab.sim.state.servers[A].name = "x" + token.swapcase()
    lab.sim.faults.append(Fault("POST", status=422, message=f"no {token}", times=None))
    done = call(lab, "run", "-c", put(INI.replace("srv-a", str(A))), env={"HCLOUD_TOKEN": token, **github()})
    summary = Path("summary.md").read_text(encoding="utf-8")
    for text in (done.out, done.err, summary):
        assert "canary" not in text


def test_what_looks_like_a_token_is_hidden_and_nothing_else() -> None:
    writer = Writer(io.StringIO(), io.StringIO(), {})
    digest, name = "0123456789abcdef" * 4, "Abc1" * 15
    assert writer.without_secrets(f"{TOKEN} {digest} {name} x{TOKEN}") == f"*** {digest} {name} x{TOKEN}"


# What is no secret at all


def test_a_standard_input_that_is_closed_has_no_token() -> None:
    done = call(Lab(SCENARIO), "plan", "-vv", "--token-file", "-", "-c", put(INI), stdin=None)
    assert done.code == 4 and "no token from standard input: it is closed" in done.err
    assert "Traceback" not in done.err
