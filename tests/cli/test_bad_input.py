"""Every bad input: its exit code, and what is told about it to people and to programs."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.cli.inside import at_hand
from tests.cli.process import INI, Cli, assert_fits


class Bad(NamedTuple):
    """A command line, or a file for `run`, that is wrong; and what has to be told about it."""

    says: str
    words: tuple[str, ...] = ("run",)
    ini: str | bytes | None = INI
    code: int = 2
    line: int | None = None
    object: str | None = None
    key: str | None = None
    suggestion: str | None = None
    next: str = ""
    env: dict[str, str | None] = {}


WEB = "[floating.web]\ntype = ip_floating\nresource = web\nsource = srv-a\ndestination = srv-b\n"

FILES = {
    "a file that is not INI": Bad("'key = value'", ini="[client]\nhello\n", line=2, object="client"),
    "a file that is text": Bad("before the first section", ini="hello\n", line=1),
    "a file that is not UTF-8": Bad("not UTF-8", ini=b"[client]\nproject = \xff\n", line=2, next="iconv"),
    "an unknown key": Bad(
        "unknown key 'destinaton'",
        ini=WEB.replace("destination", "destinaton"),
        line=5,
        object="floating.web",
        key="destinaton",
        suggestion="destination",
    ),
    "an unknown type": Bad(
        "unknown type 'ip_flaoting'",
        ini=WEB.replace("ip_floating", "ip_flaoting"),
        line=2,
        object="floating.web",
        key="type",
        suggestion="ip_floating",
    ),
    "an unknown section": Bad("unknown section", ini="[cleint]\nproject = x\n", line=1, suggestion="client"),
    "a missing key": Bad(
        "'resource' is missing", ini="[floating.web]\ntype = ip_floating\ndestination = srv-b\n", key="resource", line=1
    ),
    "a duplicate key": Bad("twice", ini=WEB + "source = srv-c\n", line=6, key="source"),
    "a duplicate section": Bad("twice", ini=WEB + WEB, line=6, object="floating.web"),
    "a group that names nothing": Bad(
        "floating.wbe", ini=WEB + "[group.x]\nmembers = floating.wbe\n", line=7, suggestion="floating.web"
    ),
    "members beside a source": Bad("members", ini=WEB + "members = srv-a, srv-b\n", object="floating.web"),
    "an address that is none": Bad(
        "no IP address",
        ini="[a]\ntype = ip_alias\nresource = 10.0.1.300\nsource = srv-a\ndestination = srv-b\n",
        line=3,
        object="a",
        key="resource",
    ),
    "a range with host bits": Bad(
        "10.0.0.1/8",
        ini="[r]\ntype = route\nnetwork = 10.0.0.1/8\nsource = 10.0.1.2\ndestination = 10.0.1.3\n",
        line=3,
        object="r",
        key="network",
    ),
    "a token of two lines": Bad("token", env={"HCLOUD_TOKEN": "abc\ndef"}, object="HCLOUD_TOKEN"),
}

COMMAND_LINES = {
    "no file": Bad("no configuration file", ini=None, next="init"),
    "a file that is not there": Bad(
        "there is no file 'prd.ini'", ("run", "-c", "prd.ini"), suggestion="prod.ini", next="init -c prd.ini"
    ),
    "an unknown command": Bad("no command 'rum'", ("rum",), suggestion="run"),
    "an unknown option": Bad("no option --dryrun", ("run", "--dryrun"), suggestion="--dry-run", object="--dryrun"),
    "an unknown name": Bad("'floating.wbe'", ("run", "floating.wbe"), suggestion="floating.web"),
    "an unknown name by -r": Bad("'floating.wbe'", ("run", "-r", "floating.wbe"), suggestion="floating.web"),
    "an empty name": Bad("a NAME is empty", ("run", ""), object="NAME"),
    "a name of spaces": Bad("a NAME is empty", ("run", "  "), object="NAME"),
    "an empty name among others": Bad("a NAME is empty", ("run", "floating.web", "-r", ""), object="NAME"),
    "an empty name to plan": Bad("a NAME is empty", ("plan", "")),
    "an empty name to look at": Bad("a NAME is empty", ("status", "")),
    "an empty name to hold": Bad("a NAME is empty", ("hold", "", "--for", "2h")),
    "a triggered request for everything": Bad("needs a NAME", ("run", "--issued-at", "1790000000"), object="NAME"),
    "a time that is none": Bad("'soon'", ("run", "floating.web", "--issued-at", "soon"), object="--issued-at"),
    "an empty time": Bad("''", ("run", "floating.web", "--issued-at", ""), object="--issued-at"),
    "a time in nanoseconds": Bad(
        "is no time", ("run", "floating.web", "--issued-at", "1790000000000000000"), object="--issued-at"
    ),
    "a time before computers": Bad("is no time", ("run", "floating.web", "--issued-at", "86400")),
    "a time of no zone": Bad("is no time", ("run", "floating.web", "--issued-at", "2026-11-21T10:00:00")),
    "a time with a sign": Bad("is no time", ("run", "floating.web", "--issued-at=-1790000000")),
    "an age without a time": Bad("--issued-at", ("run", "floating.web", "--age", "100"), object="--age"),
    "an age that is none": Bad(
        "milliseconds", ("run", "floating.web", "--issued-at", "1790000000", "--age", "1.5"), object="--age"
    ),
    "a maximum age that is none": Bad("'x'", ("run", "floating.web", "--max-age", "x"), object="--max-age"),
    "an empty target": Bad("--to has no value", ("run", "floating.web", "--to", ""), object="--to"),
    "a target and a direction": Bad("exclude each other", ("run", "floating.web", "--to", "srv-b", "-d", "src")),
    "a target and the default direction": Bad("exclude each other", ("run", "--to", "srv-b", "-d", "dest")),
    "a direction that is none": Bad("'up'", ("run", "-d", "up"), object="--direction"),
    "an empty digest": Bad("--expect-digest has no value", ("run", "--expect-digest", ""), object="--expect-digest"),
    "members without a target": Bad("alias.vip needs --to", ("run", "alias.vip"), object="alias.vip", next="srv-a"),
    "two files for a run": Bad("takes one file", ("run", "-c", "prod.ini", "-c", "prod.ini"), object="--config"),
    "a time limit that is none": Bad("--timeout", ("run", "--timeout", "0"), object="--timeout"),
    "a report that cannot be written": Bad("--report", ("run", "--report", "no/such/folder/x"), object="--report"),
    "a report that is a folder": Bad("--report", ("run", "--report", "."), object="--report"),
    "a hold without an end": Bad("missing option '--for'", ("hold", "floating.web"), object="--for"),
    "a hold of no time": Bad("'0h' is not a time", ("hold", "floating.web", "--for", "0h"), object="--for"),
    "an expectation without a server": Bad("NAME=SERVER", ("status", "--expect", "floating.web"), object="--expect"),
    "a listening place that is none": Bad("HOST:PORT", ("simulate", "--listen", "8410"), object="--listen"),
    "an unknown scenario": Bad("pari", ("simulate", "--scenario", "pari")),
    "an offline probe": Bad("exclude each other", ("check", "--offline", "--probe-write"), object="--offline"),
    "half a certificate": Bad("go together", ("simulate", "--tls-cert", "x.pem"), object="--tls-cert"),
    "too many names to hold": Bad("unexpected extra argument", ("hold", "floating.web", "route.lan", "--for", "1h")),
    "an option without its value": Bad("requires an argument", ("run", "-c", "prod.ini", "--to"), object="--to"),
    "an option in the place of a value": Bad("'-c' is an option", ("run", "--to"), object="--to"),
    "an API URL that is none": Bad("--api-url", ("run", "--api-url", "hetzner"), object="--api-url"),
    "a file for the token that is not there": Bad(
        "no token from nofile", ("run", "--token-file", "nofile"), code=4, object="nofile"
    ),
    "no token": Bad("no token", ("run",), code=4, env={"HCLOUD_TOKEN": None}, next="HCLOUD_TOKEN"),
    "no token on standard input": Bad("standard input", ("run", "--token-file", "-"), code=4),
}


def _words(case: Bad) -> tuple[str, ...]:
    named = "-c" in case.words or case.ini is None
    return case.words if named else (*case.words, "-c", "prod.ini")


def _given(alone: Cli, case: Bad) -> None:
    if case.ini is not None:
        alone.file(case.ini)


@pytest.mark.parametrize("case", [*FILES.values(), *COMMAND_LINES.values()], ids=[*FILES, *COMMAND_LINES])
def test_bad_input_is_told_to_people_in_words(alone: Cli, case: Bad) -> None:
    _given(alone, case)
    done = alone(*_words(case), env=case.env)
    assert (done.code, done.out) == (case.code, "")
    assert done.err.startswith("error: ")
    assert "Traceback" not in done.err
    for told in (case.says, case.suggestion, case.key, case.object, case.next):
        assert (told or "") in done.err
    if case.line is not None:
        assert f"prod.ini:{case.line}: " in done.err


@pytest.mark.parametrize("case", [*FILES.values(), *COMMAND_LINES.values()], ids=[*FILES, *COMMAND_LINES])
def test_bad_input_is_told_to_programs_in_one_document(alone: Cli, case: Bad) -> None:
    _given(alone, case)
    done = at_hand(alone)("-o", "json", *_words(case), env=case.env)
    assert done.code == case.code
    assert_fits(done.document, "document")
    error = done.document["error"]
    assert case.says in error["message"]
    assert done.document["exit_code"] == case.code
    wanted = {"line": case.line, "object": case.object, "key": case.key, "suggestion": case.suggestion}
    for key, expected in wanted.items():
        assert expected is None or error[key] == expected
    assert case.next in (error["next"] or "")


@pytest.mark.parametrize(
    ("command", "schema"), [("run", "run"), ("plan", "run"), ("status", "status"), ("init", "init")]
)
def test_a_document_has_all_its_keys_when_the_command_never_began(alone: Cli, command: str, schema: str) -> None:
    done = alone(command, "-o", "json", "--no-such-option")
    assert done.code == 2
    assert_fits(done.document, schema)
    assert done.document["command"] == command


def test_json_lines_of_a_run_that_never_began_are_its_last_line(alone: Cli) -> None:
    done = alone("run", "-o", "jsonl", "floating.wbe", "-c", alone.file())
    assert [line["event"] for line in done.lines] == ["run.finished"]
    assert_fits(done.lines[0], "event")
    assert_fits(done.lines[0], "run")


@pytest.mark.parametrize(
    ("token", "says", "code"),
    [("wrong-token-entirely", "token", 4), ("simulated-token-read-only", "may only read", 4)],
)
def test_a_token_that_is_refused_is_exit_4(cli: Cli, token: str, says: str, code: int) -> None:
    done = cli("run", "floating.web", "-o", "json", "-c", cli.file(), env={"HCLOUD_TOKEN": token})
    assert done.code == code
    assert_fits(done.document, "run")
    told = done.document["error"] or done.document["moves"][0]
    assert says in told["message"]
    assert "read & write token" in told["next"] or "valid token" in told["next"]
    assert token not in done.out + done.err


def test_a_target_that_does_not_exist_is_exit_2_and_names_the_nearest(cli: Cli) -> None:
    text = INI.replace("destination = srv-b", "destination = srv-bb")
    done = cli("run", "floating.web", "-c", cli.file(text))
    assert done.code == 2
    assert "did you mean 'srv-b'?" in done.out


def test_a_missing_target_fails_only_its_own_assignment(cli: Cli) -> None:
    text = INI.replace("resource    = web", "resource    = wbe")
    done = cli("run", "floating.web", "route.lan", "-o", "json", "-c", cli.file(text))
    assert done.code == 2
    outcomes = {move["name"]: move["outcome"] for move in done.document["moves"]}
    assert outcomes == {"floating.web": "failed", "route.lan": "done"}


def test_two_sections_of_one_resource_are_not_run_together(cli: Cli) -> None:
    text = INI + "\n[floating.again]\ntype = ip_floating\nresource = 192.0.2.10\ndestination = srv-b\n"
    done = cli("run", "floating.web", "floating.again", "-c", cli.file(text))
    assert done.code == 2
    assert "are the same resource" in done.err


@pytest.mark.parametrize("words", [("hold", "floating.web", "--for", "1h"), ("check",), ("init",)])
def test_what_has_no_events_has_no_json_lines(alone: Cli, words: tuple[str, ...]) -> None:
    done = alone(*words, "-o", "jsonl", "-c", alone.file())
    assert (done.code, done.lines[-1]["error"]["object"]) == (2, "--output")


def test_a_simulator_that_goes_on_is_no_document(alone: Cli) -> None:
    done = alone("simulate", "-o", "json")
    assert (done.code, done.document["error"]["object"]) == (2, "--output")
