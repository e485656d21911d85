from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hcloud_reassign.config.load import load
from hcloud_reassign.config.reference import reference
from hcloud_reassign.config.sections import SECTIONS
from hcloud_reassign.core.declare import ASSIGNMENT_KEYS, Key, Section
from hcloud_reassign.declared import trigger_of
from hcloud_reassign.kinds import WORDS, kind
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


def test_all_examples_together_are_a_sound_file(tmp_path: Path) -> None:
    examples = [section.example for section in (*SECTIONS, *(kind(word).section for word in WORDS)) if section.example]
    file = tmp_path / "prod.ini"
    file.write_text("\n".join(examples))
    settings = load(file, lambda word: kind(word).section, WORDS, trigger_of=trigger_of)
    assert {found.type for found in settings.assignments} == set(WORDS)
    assert len(settings.groups) == 1
    assert settings.warnings == ()


def test_the_reference_in_the_documentation_is_current() -> None:
    done = subprocess.run([sys.executable, ROOT / "docs/generate.py", "--check"], text=True, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
