"""`check --keepalived`: what keepalived would silently do otherwise, without a file of ours, a token or the API."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from hcloud_reassign.engine import keepalived
from tests.cli.inside import call
from tests.cli.process import ROOT, assert_fits

GLOBALS = "enable_script_security\nscript_user root"
OURS = '"/bin/sh /opt/hcloud-reassign-notify"'
SOUND = f"""\
state BACKUP
nopreempt
priority 100
unicast_peer {{
10.0.1.3
}}
notify {OURS}
notify_master_rx_lower_pri {OURS}
"""


def config(instance: str = SOUND, globals_: str = GLOBALS, rest: str = "") -> str:
    return f"global_defs {{\n{globals_}\n}}\nvrrp_instance VI_1 {{\n{instance}\n}}\n{rest}\n"


def without(*beginnings: str) -> str:
    return "\n".join(line for line in SOUND.splitlines() if not line.startswith(beginnings))


def codes(folder: Path, text: str) -> list[tuple[str, str]]:
    file = folder / "keepalived.conf"
    file.write_text(text)
    done = call(None, "check", "--keepalived-config", str(file), "-o", "json")
    assert_fits(done.document, "check")
    found = [(finding["level"], finding["code"]) for finding in done.document["findings"]]
    assert done.code == (2 if any(level == "error" for level, _ in found) else 0)
    return found


def test_a_sound_configuration_is_called_sound(tmp_path: Path) -> None:
    (tmp_path / "keepalived.conf").write_text(config())
    done = call(None, "check", "--keepalived-config", str(tmp_path / "keepalived.conf"))
    assert (done.code, done.out, done.err) == (0, "● sound\n", "")


CASES: Mapping[str, tuple[str, list[tuple[str, str]]]] = {
    "no security": (config(globals_="script_user root"), [("warning", "script-security")]),
    "an unknown user": (
        config(globals_="enable_script_security\nscript_user no-such-user"),
        [("error", "script-user")],
    ),
    "an unknown user of one script": (
        config(without("notify ") + f"\nnotify {OURS} no-such-user"),
        [("error", "script-user")],
    ),
    "a script that is not there": (
        config(without("notify ") + '\nnotify "/nowhere/hcloud-reassign-notify"'),
        [("error", "script-disabled")],
    ),
    "a track script that is not there": (
        config(rest="vrrp_script alive {\nscript /nowhere/alive\n}"),
        [("error", "script-disabled")],
    ),
    "a script without its path": (
        config(without("notify ") + "\nnotify hcloud-reassign-notify"),
        [("warning", "script-path")],
    ),
    "a script without its path that somebody else runs": (
        config(without("notify ") + "\nnotify hcloud-reassign-notify nobody"),
        [("error", "script-path")],
    ),
    "a file to be opened only": (config(rest='vrrp_script alive {\nscript "</proc/stat"\n}'), []),
    "two for one takeover": (config(SOUND + f"notify_master {OURS}"), [("warning", "both-notify")]),
    "nothing for a takeover": (config(without("notify ")), [("error", "no-trigger")]),
    "nothing at all": (config(without("notify")), [("error", "no-trigger")]),
    "nothing of ours": (config(without("notify") + "\nnotify /bin/true"), [("error", "no-trigger")]),
    "a group that tells": (
        config(without("notify"), rest=f"vrrp_sync_group G {{\ngroup {{\nVI_1\n}}\nnotify {OURS}\n}}"),
        [],
    ),
    "a fifo that tells": (config(without("notify"), GLOBALS + f"\nvrrp_notify_fifo_script {OURS}"), []),
    "no second news": (config(without("notify_master_rx")), [("warning", "rx-lower-pri")]),
    "a master": (config(without("state", "nopreempt") + "\nstate MASTER"), [("warning", "state")]),
    "a master that shall stay away": (
        config(without("state") + "\nstate MASTER"),
        [("warning", "nopreempt")],
    ),
    "an owner that shall stay away": (
        config(without("priority") + "\npriority 255"),
        [("warning", "priority"), ("warning", "nopreempt")],
    ),
    "no priority": (config(without("priority")), [("warning", "priority")]),
    "a priority that is none": (config(without("priority") + "\npriority 0"), [("warning", "priority")]),
    "nobody to talk to": (config(SOUND.replace("10.0.1.3", "")), [("warning", "no-peer")]),
    "nobody to talk to on this host": (
        config(SOUND.replace("10.0.1.3", "@elsewhere 10.0.1.3")),
        [("warning", "no-peer")],
    ),
    "an open block": ("global_defs {", [("error", "unreadable")]),
}


@pytest.mark.parametrize(("text", "found"), CASES.values(), ids=CASES)
def test_it_says_what_keepalived_does_not(tmp_path: Path, text: str, found: list[tuple[str, str]]) -> None:
    assert codes(tmp_path, text) == found


@pytest.mark.parametrize("sample", sorted((ROOT / "keepalived" / "samples").glob("*.conf")), ids=lambda path: path.stem)
def test_a_sample_is_sound_on_its_hosts_and_told_on_others(tmp_path: Path, sample: Path) -> None:
    text = sample.read_text("utf-8").replace("/usr/bin/hcloud-reassign-notify", "/bin/sh /opt/hcloud-reassign-notify")
    text = text.replace("/usr/bin/systemctl", "/bin/sh")
    assert codes(tmp_path, text.replace("@srv-a ", "")) == []
    assert codes(tmp_path, text) == [("warning", "priority"), ("warning", "no-peer")]


@pytest.mark.parametrize(
    ("globals_", "found"),
    [
        (GLOBALS, [("error", "script-disabled")]),
        ("script_user root", [("warning", "script-security"), ("warning", "script-unsafe")]),
    ],
)
def test_a_script_that_others_may_change_is_left_out_or_run_as_root(
    tmp_path: Path, globals_: str, found: list[tuple[str, str]]
) -> None:
    script = tmp_path / "hcloud-reassign-notify"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o777)
    tmp_path.chmod(0o755)
    text = config(without("notify ") + f"\nnotify {script}", globals_)
    assert codes(tmp_path, text) == found


def test_without_a_script_user_it_says_who_runs_scripts(tmp_path: Path) -> None:
    file = tmp_path / "keepalived.conf"
    file.write_text(config(globals_="enable_script_security"))
    done = call(None, "check", "--keepalived-config", str(file))
    assert re.search(r"script_user is not set: scripts run as (root|keepalived_script)\n", done.out)


def test_a_finding_says_which_line_of_which_file(tmp_path: Path) -> None:
    file = tmp_path / "keepalived.conf"
    file.write_text(config(without("notify ") + '\nnotify "/nowhere/hcloud-reassign-notify VI_1"'))
    done = call(None, "check", "--keepalived-config", str(file))
    assert done.code == 2
    assert done.out == (
        "✖ error   vrrp_instance VI_1, notify: /nowhere/hcloud-reassign-notify cannot be seen: /nowhere: No such file "
        f"or directory; keepalived goes on without it ({file}:13)\n"
        "    next:    name a file that is there and executable\n"
    )


def test_a_missing_file_says_what_to_type() -> None:
    done = call(None, "check", "--keepalived-config", "nowhere.conf")
    assert done.code == 2
    assert done.out == (
        "✖ error   nowhere.conf: No such file or directory\n    next:    give the file with --keepalived-config\n"
    )


def test_it_is_not_for_what_writes(tmp_path: Path) -> None:
    done = call(None, "check", "--keepalived", "--probe-write")
    assert done.code == 2
    assert "--keepalived and --probe-write exclude each other" in done.err


def test_every_code_is_told_in_the_documentation() -> None:
    tree = ast.parse(Path(keepalived.__file__).read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    said = {call.args[0] for call in calls if ast.unparse(call.func) in ("_warning", "_error")}
    said |= {call.args[1] for call in calls if ast.unparse(call.func) == "Finding"}
    made = {arg.value for arg in said if isinstance(arg, ast.Constant)}
    page = (ROOT / "docs" / "check.md").read_text("utf-8").partition("## With --keepalived")[2].partition("\n## ")[0]
    told = {code for row in page.splitlines() if row.startswith("| `") for code in re.findall("`([^`]+)`", row[:24])}
    assert told == made
