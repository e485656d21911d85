"""A canary for a token, given in every way: it appears nowhere but in the header for the API."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hcloud_reassign.simulator import Fault
from tests.cli.process import Done
from tests.engine.samples import SAMPLES, TRIO, A
from tests.platforms.github import GitHub
from tests.platforms.server import Answer
from tests.system.conftest import Serve
from tests.system.site import AtHand, Cold, Machine, Signaller, Site, Started, machine

CANARY = "canaryTokenThatNobodyMaySee0123456789abcdefghijklmnopqrstuvwxyzAB"
SCENARIO = {**TRIO, "tokens": {CANARY: "read-write"}}
INI = "".join(sample.section() for sample in SAMPLES)
TRIGGER = """
[trigger.ci]
type = github
url = {}
repository = acme/failover
workflow = reassign.yml
ref = main
token_file = token
"""
DUMP = """\
import os, sys
def read(path):
    try:
        return open(path, "rb").read().decode(errors="replace")
    except OSError as error:
        return str(error)
with open(sys.argv[1], "a") as file:
    print(dict(os.environ), sys.argv, read("/proc/self/environ"), read("/proc/self/cmdline"), file=file)
    print(os.listdir("/proc/self/fd"), file=file)
"""


@dataclass(frozen=True)
class Given:
    """How the token comes to the program."""

    client: str = ""
    words: tuple[str, ...] = ()
    variable: str | None = None
    stdin: str = ""


GIVEN = {
    "--token": Given(words=("--token", CANARY)),
    "HCLOUD_TOKEN": Given(variable=CANARY),
    "--token-file": Given(words=("--token-file", "token")),
    "stdin": Given(words=("--token-file", "-"), stdin=f"{CANARY}\n"),
    "api_token": Given(f"api_token = {CANARY}\n"),
    "api_token_file": Given("api_token_file = token\n"),
    "api_token_command": Given("api_token_command = cat token\n"),
}

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("run", "--report", "report.json"),
    ("run", "floating.web", "-d", "src", "--force"),
    ("plan", "--detailed-exitcode"),
    ("status", "--all"),
    ("check",),
    ("hold", "alias.vip", "--for", "1h"),
    ("unhold", "alias.vip"),
    ("run", "floating.wbe"),
    ("run", "--nonsense"),
    ("trigger", "ci", "floating.web", "--to", "srv-b", "--wait"),
)
CODES = (0, 0, 10, 0, 0, 0, 0, 2, 2, 0)
FEWER = (0, 2, 3, 7, 9)
"""Of these commands, for ways to give a token that differ little from another one."""

OUTPUTS = ("text", "json", "jsonl")

FAULTS = {
    "no fault": Fault(nth=10**9),
    "the token in an error": Fault("POST", status=422, message=f"your token {CANARY} is not well", times=None),
    "the token in a name of a code": Fault("GET", "/v1/servers*", status=403, code=CANARY, message=CANARY, times=None),
    "the token in HTML": Fault(status=500, body=f"<html>{CANARY}</html>", times=None),
    "the token in a header": Fault("GET", status=302, headers={"Location": f"http://{CANARY}/"}, times=None),
    "a refused token": Fault(status=401, code="unauthorized", message=f"the token {CANARY} is invalid", times=None),
    "a lost answer": Fault("POST", drop="after", times=1),
}


def call(cli: Machine, given: Given, words: tuple[str, ...], output: str, ini: str = INI) -> Done:
    cli.file(f"{CANARY}\n", "token")
    client = f"[client]\n{given.client}timeout = 20\n"
    file = cli.file(client + ini)
    env = {"HCLOUD_TOKEN": given.variable}
    return cli(*words, "-vvv", "-o", output, "-c", file, *given.words, stdin=given.stdin, env=env)


def written(cli: Machine) -> Iterator[tuple[Path, str]]:
    """Every file in the home but those that the test put the token into."""
    for folder, _, names in os.walk(cli.home):
        for name in names:
            path = Path(folder, name)
            if path.name not in ("token", "prod.ini"):
                yield path, path.read_bytes().decode("utf-8", "replace")


def assert_hidden(cli: Machine, done: Done) -> None:
    assert CANARY not in done.out, "stdout"
    assert CANARY not in done.err, "stderr"
    for path, text in written(cli):
        assert CANARY not in text, path


@pytest.fixture
def github() -> Iterator[GitHub]:
    """A platform whose token is the canary as well."""
    with GitHub(token=CANARY) as running:
        yield running


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_no_command_shows_the_token_however_it_was_given(
    given: Given, serve: Serve, home: Path, github: GitHub
) -> None:
    site = serve(SCENARIO)
    cli = machine(home, site)
    all_of_them = given in (GIVEN["HCLOUD_TOKEN"], GIVEN["api_token"])
    for number, words in enumerate(COMMANDS):
        if number not in FEWER and not all_of_them:
            continue
        few = words[0] in ("hold", "unhold", "check", "status", "trigger")
        done = call(cli, given, words, OUTPUTS[number % (2 if few else 3)], INI + TRIGGER.format(github.url))
        assert_hidden(cli, done)
        assert "Traceback" not in done.err
        assert done.code == CODES[number] or not all_of_them
    assert {item.authorization for item in site.sim.requests} == {f"Bearer {CANARY}"}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("given", [GIVEN["HCLOUD_TOKEN"], GIVEN["stdin"]], ids=["environment", "stdin"])
def test_no_fault_makes_it_show_the_token(given: Given, fault: Fault, serve: Serve, home: Path) -> None:
    cli = machine(home, serve(SCENARIO, faults=[replace(fault)]))
    output = OUTPUTS[(list(FAULTS.values()).index(fault) + list(GIVEN.values()).index(given)) % len(OUTPUTS)]
    assert_hidden(cli, call(cli, given, ("run", "--report", "report.json", "--timeout", "3"), output))


ANSWERS = {
    "a refusal": Answer(422, {"message": f"your token {CANARY} is not well"}),
    "a refused token": Answer(401, {"message": [{"token": CANARY}]}),
    "an error": Answer(500, f"<html>{CANARY}</html>"),
    "a redirect": Answer(302, None, {"Location": f"http://{CANARY}/"}),
    "an acceptance": Answer(200, {"workflow_run_id": CANARY, "html_url": f"https://{CANARY}/"}),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("output", ["text", "json"])
def test_no_answer_of_a_platform_makes_trigger_show_a_token(
    output: str, answer: Answer, serve: Serve, home: Path, github: GitHub
) -> None:
    cli = machine(home, serve(SCENARIO))
    github.answer_with(answer.status, answer.body, times=math.inf, **answer.headers)
    words = ("trigger", "ci", "floating.web", "--to", "srv-b", "--wait", "--timeout", "2")
    done = call(cli, GIVEN["HCLOUD_TOKEN"], words, output, INI + TRIGGER.format(github.url))
    assert_hidden(cli, done)
    assert done.code in (1, 4, 5) and "Traceback" not in done.err
    assert github.received


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_no_child_is_given_the_token(given: Given, serve: Serve, home: Path) -> None:
    cli = machine(home, serve(SCENARIO), Cold)
    script = cli.home / cli.file(DUMP, "dump.py")
    hooks = "".join(f"{key} = {sys.executable} {script} {cli.home / 'dumped'}\n" for key in ("before", "after"))
    done = call(cli, given, ("run", "floating.web"), "json", SAMPLES[0].section(more=hooks))
    assert done.code == 0
    dumped = (cli.home / "dumped").read_text()
    assert dumped.count("HCLOUD_REASSIGN_NAME") >= 2 and CANARY not in dumped
    assert_hidden(cli, done)


@pytest.mark.parametrize("way", ["HCLOUD_TOKEN", "--token-file", "api_token", "api_token_command"])
def test_the_token_is_no_argument_of_the_process(way: str, serve: Serve, home: Path) -> None:
    site, given = serve(SCENARIO), GIVEN[way]
    cli = machine(home, site, Cold)
    seen: list[str] = []
    show = Signaller(0)
    site.sim.faults.append(Fault("GET", run=lambda *_: seen.append(arguments(show.wait()))))
    cli.file(f"{CANARY}\n", "token")
    file = cli.file(f"[client]\n{given.client}" + INI)
    with show.aim(cli.start("plan", "-c", file, *given.words, env={"HCLOUD_TOKEN": given.variable})) as started:
        assert started.ended().code == 0
    assert len(seen) == 1 and "hcloud_reassign" in seen[0] and CANARY not in seen[0]


def arguments(started: Started) -> str:
    return Path(f"/proc/{started.process.pid}/cmdline").read_text()


def test_a_token_on_the_command_line_is_warned_about_without_being_repeated(serve: Serve, home: Path) -> None:
    cli = machine(home, serve(SCENARIO))
    done = call(cli, GIVEN["--token"], ("plan",), "text")
    assert "--token shows the token" in done.err
    assert_hidden(cli, done)


# What comes from the API is text

WILD = "srv-\x1b[31mred\x1b]0;title\x07[bold]x[/bold]\r\nnext\u202e\u2066"

GITLAB = re.compile(r"\x1b\[0Ksection_(start|end):\d+:\w+(\[collapsed=true\])?\r\x1b\[0K")
"""What GitLab folds a part of a log by."""


@pytest.fixture
def wild(serve: Serve) -> Site:
    site = serve()
    site.sim.state.servers[A].name = WILD
    site.sim.state.floating_ips[501].description = WILD
    return site


@pytest.mark.parametrize("words", [("run", "--force"), ("plan", "-vvv"), ("status", "--all"), ("run", "--to", "srv-c")])
@pytest.mark.parametrize(
    "ci", [{}, {"GITHUB_ACTIONS": "true"}, {"GITLAB_CI": "true"}], ids=["none", "GitHub", "GitLab"]
)
def test_a_name_with_escapes_and_markup_stays_text(
    words: tuple[str, ...], ci: dict[str, str], wild: Site, home: Path
) -> None:
    cli = machine(home, wild, AtHand)
    done = cli(*words, "-c", cli.file(SAMPLES[0].section()), env=ci)
    for text in (done.out, GITLAB.sub("", done.err)):
        assert not set(text) & set("\x1b\x07\r\u202e\u2066")
    if words[0] != "run":
        assert "[bold]x[/bold]" in done.out
    assert not [line for line in done.out.splitlines() if line.startswith("next")]


def test_a_name_with_escapes_is_itself_in_json(wild: Site, home: Path) -> None:
    cli = machine(home, wild)
    done = cli("plan", "-c", cli.file(SAMPLES[0].section()), "-o", "json")
    assert done.document["moves"][0]["before"]["name"] == WILD
    assert done.out.isascii() and "\x1b" not in done.out
    cli.run(SAMPLES[0].section(), "--force")
    journal = (cli.home / "state" / "journal.jsonl").read_text(encoding="utf-8")
    assert "\x1b" not in journal
    assert all(isinstance(json.loads(line), dict) for line in journal.split("\n") if line)
