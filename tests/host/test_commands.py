"""The commands of the configuration, run on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hcloud_reassign.host.commands import SECRET_VARIABLES, run


def _script(place: Path, code: str) -> str:
    file = place / "script.py"
    file.write_text(code)
    return f"{sys.executable} {file}"


def test_a_command_that_succeeds_has_no_reason() -> None:
    assert run("/bin/true", {}, 5.0) is None


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/bin/false", "ended with 1"),
        ("/nonexistent", "cannot be run"),
        ("'unclosed", "cannot be run"),
        ("/", "cannot be run"),
        ("''", "cannot be run"),
    ],
)
def test_a_command_that_fails_says_why(command: str, words: str) -> None:
    why = run(command, {}, 5.0)
    assert why is not None and words in why


def test_a_command_that_does_not_end_is_ended(tmp_path: Path) -> None:
    why = run("/bin/sleep 60", {}, 0.05)
    assert why is not None and "did not end" in why


def test_no_shell_reads_it(tmp_path: Path) -> None:
    run(f"/bin/echo x > {tmp_path}/made", {}, 5.0)
    assert not (tmp_path / "made").exists()


def test_it_knows_the_move_and_not_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in SECRET_VARIABLES:
        monkeypatch.setenv(variable, "secret")
    code = f"import os, json\njson.dump(dict(os.environ), open({str(tmp_path / 'seen')!r}, 'w'))\n"
    assert run(_script(tmp_path, code), {"HCLOUD_REASSIGN_NAME": "floating.web"}, 10.0) is None
    seen = (tmp_path / "seen").read_text()
    assert "floating.web" in seen and "secret" not in seen
    assert os.environ["HCLOUD_TOKEN"] == "secret"


def test_it_reads_nothing_and_prints_to_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = "import sys\nprint('out', repr(sys.stdin.read()))\n"
    assert run(_script(tmp_path, code), {}, 10.0) is None
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "out ''" in captured.err
