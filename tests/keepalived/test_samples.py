"""The configurations that are shipped: keepalived accepts them, and they call the script as it is called."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.keepalived.host import ROOT

FOLDER = ROOT / "keepalived"
SAMPLES = sorted((FOLDER / "samples").glob("*.conf"))
KEEPALIVED = shutil.which("keepalived", path=f"{os.environ['PATH']}:/usr/sbin")


def an_interface() -> str:
    """One of this machine's that VRRP can use: keepalived wants it to be there."""
    names = [path.name for path in Path("/sys/class/net").iterdir() if path.name != "lo"]
    return next((name for name in sorted(names) if name.startswith("e")), "") or pytest.skip("needs an interface")


@pytest.mark.skipif(KEEPALIVED is None or os.geteuid() != 0, reason="needs keepalived, and root to run it")
@pytest.mark.parametrize("node", ["srv-a", "srv-b"])
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_keepalived_accepts_it_on_both_nodes(sample: Path, node: str, tmp_path: Path) -> None:
    config = tmp_path / "keepalived.conf"
    config.write_text(sample.read_text(encoding="utf-8").replace("enp7s0", an_interface()), encoding="utf-8")
    done = subprocess.run(
        [str(KEEPALIVED), "-t", "-i", node, "-f", config], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_it_has_what_a_safe_pair_needs(sample: Path) -> None:
    text = sample.read_text(encoding="utf-8")
    for line in (
        "script_user root",
        "enable_script_security",
        "state BACKUP",
        "nopreempt",
        "unicast_peer {",
        "track_script {",
    ):
        assert re.search(rf"^ *{re.escape(line)}$", text, re.MULTILINE), line
    assert len(re.findall(r"^@srv-[ab] (priority|unicast_src_ip) ", text, re.MULTILINE)) == 4
    calls = re.findall(r'^ *(\w+) "/usr/bin/hcloud-reassign-notify ?(.*)"$', text, re.MULTILINE)
    if sample.stem == "fifo":
        assert calls == [("vrrp_notify_fifo_script", "")]
    else:
        assert calls == [("notify", ""), ("notify_master_rx_lower_pri", "INSTANCE VI_1 MASTER_RX_LOWER_PRI")]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_the_address_to_be_written_down_is_one_that_keepalived_sets(sample: Path) -> None:
    text = sample.read_text(encoding="utf-8")
    named = re.search(r"with address = ([0-9.]+)", text)
    assert named is not None
    assert re.search(rf"virtual_ipaddress \{{\n *{re.escape(named[1])}/32 dev ", text)


def test_the_drop_in_for_systemd_waits_before_keepalived_starts() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(FOLDER / "systemd" / "late-interfaces.conf", encoding="utf-8")
    assert "ip -4 -o addr show dev enp7s0" in unit["Service"]["ExecStartPre"]
    assert int(unit["Service"]["TimeoutStartSec"]) > 30
