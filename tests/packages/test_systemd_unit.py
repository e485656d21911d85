"""The unit of the .deb under a real systemd: a Debian that boots in a container, without a network."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packages import roots
from tests.packages.built import ENVIRON, built
from tests.packages.checkout import VERSION
from tests.packages.roots import DISTRIBUTIONS

WHY_NOT = roots.unusable()
pytestmark = [
    pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT)),
    pytest.mark.skipif(not shutil.which("systemd-nspawn"), reason="systemd-nspawn is missing: systemd-container"),
    pytest.mark.timeout(600),
]

CONFIG = """\
[client]
project = prod
api_url = {url}

[floating.web-1]
type        = ip_floating
resource    = web
source      = srv-a
destination = srv-b
"""

SCRIPT = """\
#!/bin/sh
# Each line of `told` is what one command said, or how it ended.
set -u
cd /results
exec >log 2>&1
told() { printf '%s: %s\\n' "$1" "$(cat)" >>told; }
journal() { stat -c '%U %a' /var/lib/hcloud-reassign/journal.jsonl | told "$1"; }
unit() { systemctl start hcloud-reassign@floating.web-1; echo $? | told "$1"; }
root() { hcloud-reassign --token-file /etc/hcloud-reassign/token run floating.web-1 --direction "$1"; }

hcloud-reassign simulate --listen 127.0.0.1:0 --action-time 10ms >simulated 2>&1 &
until url=$(grep -om1 'http://[0-9.:]*/v1' simulated); do kill -0 $! || exit; sleep 0.05; done
sed "s|{url}|$url|" config.ini >/etc/hcloud-reassign/config.ini

(umask 077 && echo simulated-token >/etc/hcloud-reassign/token)

root dest
journal 'written by root'
root src
unit 'started'
journal 'written by both'
rm /var/lib/hcloud-reassign/journal*
root src
journal 'written by root again'
unit 'started again'
grep -c move.done /var/lib/hcloud-reassign/journal.jsonl | told 'moves in it'
rm /etc/hcloud-reassign/token
unit 'started without a token'
systemctl is-failed hcloud-reassign@floating.web-1 | told 'it has then'
journalctl --no-pager -o cat -u hcloud-reassign@floating.web-1 >said
systemd-analyze security --no-pager hcloud-reassign@floating.web-1 | sed -n 's/.*service: //p' | told 'exposed'
"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """What the script left in the container that has booted."""
    root = roots.with_package(DISTRIBUTIONS[0], built(f"hcloud-reassign_{VERSION}_all.deb"))
    (tmp_path / "config.ini").write_text(CONFIG)
    script = tmp_path / "script"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    container = [f"--directory={root}", "--volatile=overlay", f"--bind={tmp_path}:/results", "--private-network"]
    actions = ["systemd.run_success_action=exit", "systemd.run_failure_action=exit"]
    command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", *container, "--boot"]
    words = [*command, "systemd.run=/results/script", *actions]
    booted = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=ENVIRON, timeout=120)
    if not (tmp_path / "log").exists():
        # Within some containers no other one can be.
        pytest.xfail(f"no systemd boots here: {booted.stdout}{booted.stderr}")
    return tmp_path


def test_the_unit_moves_with_a_token_of_root_and_writes_the_journal_that_root_writes(results: Path) -> None:
    told = (results / "told").read_text().splitlines()
    assert told[:-1] == [
        "written by root: root 600",
        "started: 0",
        "written by both: hcloud-reassign 600",
        "written by root again: hcloud-reassign 600",
        "started again: 0",
        "moves in it: 2",
        "started without a token: 1",
        "it has then: failed",
    ], (results / "log").read_text()
    assert float(told[-1].split()[1]) < 2
    said = (results / "said").read_text()
    assert "status=243/CREDENTIALS" in said
    assert said.count("done  floating.web-1  192.0.2.10  srv-a → srv-b") == 2
