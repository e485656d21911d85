"""A command line that does not get to its own end: stopped, or broken by a mistake of ours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.cli.process import INI, Cli, Done, assert_fits

BROKEN = """\
import sys
from hcloud_reassign.project import Project

def broken(self, *_, **__):
    raise ValueError(f"a mistake near {self.token().reveal()}")

Project.run = Project.plan = Project.looking = broken
from hcloud_reassign.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def broken(cli: Cli, *words: str) -> Done:
    """The command with a mistake in the engine."""
    text = INI.replace("[client]", "[client]\napi_token = a-token-of-the-file")
    environ = {name: value for name, value in cli.environ.items() if name != "HCLOUD_TOKEN"}
    done = subprocess.run(
        [sys.executable, "-c", BROKEN, *words, "-c", cli.file(text)],
        cwd=cli.home,
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(("word", "code"), [("run", 5), ("plan", 1), ("status", 1)])
def test_a_mistake_of_ours_is_told_without_a_traceback(alone: Cli, word: str, code: int) -> None:
    done = broken(alone, word)
    assert done.code == code
    assert "error: internal error: ValueError: a mistake near ***" in done.err
    assert "Traceback" not in done.err


def test_a_mistake_of_ours_is_a_document_too(alone: Cli) -> None:
    done = broken(alone, "run", "-o", "json", "--report", "r.json")
    assert_fits(done.document, "run")
    assert (done.document["exit_code"], done.document["outcome"]) == (5, "unknown")
    assert json.loads((alone.home / "r.json").read_text()) == done.document


def test_a_traceback_has_no_secret_in_it(alone: Cli) -> None:
    done = broken(alone, "run", "-vv")
    assert "Traceback" in done.err
    assert "a-token-of-the-file" not in done.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("word", ["run", "status"])
def test_what_is_stopped_before_it_began_ends_with_130_and_one_document(alone: Cli, word: str, number: int) -> None:
    os.mkfifo(alone.home / "begun")
    command = "api_token_command = sh -c 'echo >begun; exec sleep 60'"
    text = INI.replace("[client]", f"[client]\n{command}")
    environ = {name: value for name, value in alone.environ.items() if name != "HCLOUD_TOKEN"}
    with subprocess.Popen(
        [sys.executable, "-m", "hcloud_reassign", word, "-o", "json", "-c", alone.file(text)],
        cwd=alone.home,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        (alone.home / "begun").read_text()
        process.send_signal(number)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    document = json.loads(out)
    assert_fits(document, word)
    assert (document["error"]["code"], document["outcome"]) == ("interrupted", "interrupted")
