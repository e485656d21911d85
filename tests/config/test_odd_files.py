"""Files as nobody writes them, read with the kinds of this program: settings, or an error with file and line; soon."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import process_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hcloud_reassign import kinds
from hcloud_reassign.config.sections import SECTIONS
from hcloud_reassign.core.declare import ASSIGNMENT_KEYS
from hcloud_reassign.core.errors import ExitCode, UsageError
from hcloud_reassign.project import Project, open_project
from tests.cli.inside import call
from tests.engine.samples import SAMPLES

KINDS = [kinds.kind(word).section for word in kinds.WORDS]
NAMES = [section.word + ("a" if section.word.endswith(".") else "") for section in SECTIONS]
NAMES += ["floating.web", "web", "DEFAULT", "group.", "a,b", " client ", "\u202fclient", "client]", "x" * 5000]
KEYS = sorted({key.name for section in (*SECTIONS, *KINDS) for key in (*section.keys, *ASSIGNMENT_KEYS)})
KEYS += ["Type", "api_tokn", "", " ", "api token", "\u00fcber", "key.x", "k" * 5000]
VALUES = ["", "1", "a", "srv-a, srv-b", "a,,b", "yes", "NO", "5m", "-1", "1e9", "inf", "9" * 5000, "\u0663", "undo"]
VALUES += [
    "10.0.1.100",
    "10.0.1.100/33",
    "0.0.0.0/0",
    "10.0.0.1/8",
    "::1",
    "2001:db8::/64",
    "300.1.1.1",
    "fe80::1%eth0",
]
VALUES += [
    "https://h/v1",
    "https://u:p@h",
    "http://[",
    "https://h:99999",
    "%(a)s",
    "${HOME}",
    "~nobody/x",
    "'",
    "x" * 9000,
]
VALUES += ["floating.web", "group.a", "run", "trigger:a", "a ; b", "a #b", "a;b", "\u00a0", "\ufeff", "\u2066x", "\x00"]
BREAKS = ["\n", "\n", "\n", "\r\n", "\r", "\n\n", "\n  ", "\n\t", "\x0b", "\x0c", "\x85", "\u2028", " \\\n"]

sections = st.sampled_from(NAMES).map("[{}]".format)
keys = st.sampled_from(KEYS) | st.text(max_size=8)
values = st.sampled_from([*VALUES, *kinds.WORDS]) | st.text(max_size=20)
entries = st.builds("{}{}{}".format, keys, st.sampled_from(["=", " = ", ":", "", "  ", "=="]), values)
lines = st.one_of(sections, entries, entries, entries, st.sampled_from(["; x", "#", "[", "]", "[]", "=", "\t"]))
samples = st.sampled_from([sample.section() for sample in SAMPLES])
files = st.lists(st.tuples(lines | samples, st.sampled_from(BREAKS)).map("".join), max_size=12).map("".join)


def opened(data: bytes) -> Project | UsageError:
    file = Path(os.environ["HOME"], "any.ini")
    file.write_bytes(data)
    file.chmod(0o600)
    try:
        return open_project(file, environ={})
    except UsageError as error:
        assert error.file == str(file) and error.message and error.next
        return error


@settings(max_examples=150)
@given(files)
@example("[web]\ntype = ip_floating\nresource = %(x)s\ndestination = " + "9" * 5000)
def test_an_odd_file_is_settings_or_a_usage_error_in_one_of_its_lines(text: str) -> None:
    found = opened(text.encode("utf-8", "surrogatepass"))
    if isinstance(found, UsageError):
        assert found.line is not None
        assert 1 <= found.line <= text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1


@settings(max_examples=100)
@given(st.data())
def test_a_sound_file_with_other_bytes_in_one_place_is_settings_or_a_usage_error(data: st.DataObject) -> None:
    whole = "".join(sample.section() for sample in SAMPLES).encode()
    at = data.draw(st.integers(0, len(whole)))
    gone = data.draw(st.integers(0, 20))
    found = opened(whole[:at] + data.draw(st.binary(max_size=6)) + whole[at + gone :])
    assert not isinstance(found, UsageError) or found.line is not None


@settings(max_examples=30)
@given(files)
def test_the_command_tells_an_odd_file_in_words(text: str) -> None:
    opened(text.encode("utf-8", "surrogatepass"))
    done = call(None, "check", "--offline", "-vv", "-c", str(Path(os.environ["HOME"], "any.ini")))
    assert done.code in (ExitCode.OK, ExitCode.USAGE)
    assert "internal error" not in done.err + done.out and "Traceback" not in done.err
    assert not set(done.out + done.err) & set("\x00\x1b\r\u202e\u2066\u2028")


_WEB = "[web]\ntype = ip_floating\nresource = x\n"
LARGE: dict[str, Callable[[], str]] = {
    "one word": lambda: "a" * 1_000_000,
    "one key": lambda: "[client]\n" + "a" * 500_000 + " = " + "b" * 500_000,
    "one section's name": lambda: f"[{'a' * 1_000_000}]",
    "two long names alike": lambda: f"{_WEB}members = {'a' * 480_000}\n[group.g]\nmembers = {'a' * 480_000}b",
    "spaces": lambda: "[client]\nproject = a" + " " * 1_000_000 + "b",
    "equals signs": lambda: "[client]\n" + "=" * 1_000_000,
    "brackets": lambda: "[" * 500_000 + "]" * 500_000,
    "semicolons": lambda: "[client]\nproject = " + "a;" * 500_000,
    "empty lines": lambda: "\n" * 1_000_000,
    "carriage returns": lambda: "\r" * 1_000_000,
    "members": lambda: f"{_WEB}members = " + ",".join(map(str, range(140_000))),
    "allowed names": lambda: (
        f"{_WEB}destination = b\n[gateway.client.a]\nsecret_file = x\nallow = web, "
        + ",".join(map(str, range(140_000)))
    ),
    "a long type": lambda: "[web]\ntype = " + "ip_floating" * 90_000,
    "a long choice": lambda: "[group.g]\nmembers = web\non_failure = " + "undo" * 250_000,
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_a_file_as_large_as_it_may_be_is_read_or_refused_soon(text: Callable[[], str]) -> None:
    data = text().encode()
    began = process_time()
    opened(data[: 1 << 20])
    assert process_time() - began < 5
