from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hcloud_reassign.config.faults import Faults
from hcloud_reassign.config.ini import parse
from hcloud_reassign.config.reference import reference
from hcloud_reassign.config.sections import SECTIONS
from hcloud_reassign.core.declare import ASSIGNMENT_KEYS, Key, Section
from tests.config.fakes import FLOATING, LOCAL, PUBLIC

ROOT = Path(__file__).resolve().parents[2]


def test_every_declared_key_is_in_the_reference() -> None:
    text = reference([FLOATING, PUBLIC])
    for section in (*SECTIONS, FLOATING, PUBLIC):
        name = f"{section.word}NAME" if section.word.endswith(".") else section.word
        title = f"### `type = {name}`" if section in (FLOATING, PUBLIC) else f"### `[{name}]`"
        part = text.partition(f"{title}\n")[2].partition("\n### ")[0]
        assert section.meaning in part
        for key in section.keys:
            assert f"| `{key.name}` |" in part
            assert key.meaning in part
    assert all(f"| `{key.name}` |" in text for key in ASSIGNMENT_KEYS)


def test_values_and_defaults_are_shown_as_they_are_written() -> None:
    keys = (
        Key("on", "Its meaning | a bar.", "yesno", True),
        Key("off", "x.", "yesno", False),
        Key("soon", "x.", "seconds", 30.0),
        Key("which", "x.", "choice", "a", choices=("a", "b")),
        Key("must", "x.", required=True),
        Key("old", "x.", ignored=True),
        Key("some", "x.", "words", ()),
    )
    rows = [
        r"| `on` | yes or no | `yes` | Its meaning \| a bar. |",
        "| `off` | yes or no | `no` | x. |",
        "| `soon` | time | `30` | x. |",
        "| `which` | `a`, `b` | `a` | x. |",
        "| `must` | text | required | x. |",
        "| `old` | ignored, with a warning |  | x. |",
        "| `some` | list |  | x. |",
    ]
    text = reference([Section("x", "An x.", keys)])
    assert [row for row in rows if row not in text] == []


def test_types_of_a_later_version_are_named_until_they_are_there() -> None:
    assert "Of a later version: `ip_failover` and `ip_local`." in reference([])
    assert "Of a later version: `ip_failover`.\n" in reference([LOCAL])


def test_every_example_is_sound_by_its_own_declaration() -> None:
    for section in SECTIONS:
        if section.example:
            blocks = parse(section.example, Faults("example"))
            assert any(name.startswith(section.word) for name in blocks)


def test_the_reference_in_the_documentation_is_current() -> None:
    done = subprocess.run([sys.executable, ROOT / "docs/generate.py", "--check"], text=True, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
