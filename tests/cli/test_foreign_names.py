"""Names and messages of the API in every output: text that no terminal, runner or file obeys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hcloud_reassign.simulator import Fault
from tests.cli.inside import call
from tests.cli.process import Done
from tests.engine.samples import FLOATING, NETWORK, PRIMARY, SAMPLES, TRIO, A, B
from tests.harness import Lab

NAMES = (
    "x\x1b[31mred\x1b]0;title\x07\r\n::error::owned\u202e\u2066\u200f\ud800",
    "::warning::owned",
    "##[error]owned",
    "\n[client]\napi_url = http://evil.test/v1\n[evil]\ntype = ip_floating",
    "a ; b # c",
    "srv-b,srv-c",
    "\u00a0 wide \u00a0",
    "[bold]x[/bold] %(x)s ${HOME} a = b: c",
    "\x00\u2028",
)
WHERE: dict[str, Callable[[Lab, str], None]] = {
    "server": lambda lab, name: setattr(lab.sim.state.servers[A], "name", name),
    "other server": lambda lab, name: setattr(lab.sim.state.servers[B], "name", name),
    "network": lambda lab, name: setattr(lab.sim.state.networks[NETWORK], "name", name),
    "floating IP": lambda lab, name: setattr(lab.sim.state.floating_ips[FLOATING], "name", name),
    "primary IP": lambda lab, name: setattr(lab.sim.state.primary_ips[PRIMARY], "name", name),
    "action": lambda lab, name: lab.sim.faults.append(Fault("POST", fail_action={"code": name, "message": name})),
    "error": lambda lab, name: lab.sim.faults.append(Fault("POST", status=422, code=name, message=name, times=None)),
}
OBJECTS = [where for where in WHERE if where not in ("action", "error")]


def everywhere(lab: Lab, name: str) -> None:
    for where in OBJECTS:
        WHERE[where](lab, name)


BY_ID = "".join(sample.section("11", "12") for sample in SAMPLES)
for by_name, id in (("= web\n", FLOATING), ("= internal\n", NETWORK), ("= public-web\n", PRIMARY)):
    BY_ID = BY_ID.replace(by_name, f"= {id}\n")
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("plan", "-vv"),
    ("status", "--all"),
    ("check",),
    ("hold", "alias.vip", "--for", "1h"),
    ("run", "-vv"),
    ("run", "-o", "jsonl", "--force", "--report", "report.json"),
)
OBEYED = set("\x00\x07\x1b\r\u200f\u2028\u202e\u2066\ud800")


def texts(done: Done) -> Iterator[str]:
    yield done.out
    yield done.err
    for name in ("summary.md", "report.json"):
        if Path(name).exists():
            yield Path(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("where", [everywhere, WHERE["action"], WHERE["error"]], ids=["objects", "action", "error"])
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_nobody_obeys_a_name(name: str, where: Callable[[Lab, str], None]) -> None:
    Path("prod.ini").write_text(BY_ID)
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "summary.md"}
    lab = Lab(TRIO)
    where(lab, name)
    for words in COMMANDS:
        done = call(lab, *words, "-c", "prod.ini", env=env)
        assert "internal error" not in done.out + done.err, words
        for text in texts(done):
            assert not set(text) & OBEYED, words
            lines = [line.lstrip() for line in text.splitlines()]
            assert not [line for line in lines if line.startswith("::") and not line.startswith("::error title=")]
        assert "##[" not in done.out + done.err
        if "jsonl" in words:
            assert all(isinstance(json.loads(line), dict) for line in done.out.splitlines())
            assert done.code == (0 if where is everywhere else 1)


@pytest.mark.parametrize("where", OBJECTS)
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_what_init_writes_is_read_as_it_was_meant(name: str, where: str) -> None:
    lab = Lab(TRIO)
    WHERE[where](lab, name)
    assert call(lab, "init", "-c", "new.ini", env={"HCLOUD_ENDPOINT": "http://hetzner.test/v1"}).code == 0
    text = Path("new.ini").read_text(encoding="utf-8")
    assert call(lab, "init", "-c", "-").out == text
    assert not set(text) & OBEYED and "\nowned" not in text
    assert [line for line in text.splitlines() if line.startswith("api_url")] == ["api_url = http://hetzner.test/v1"]
    assert "evil" not in {section.partition("]")[0] for section in text.split("[")[1:]}
    checked = call(lab, "check", "-o", "json", "-c", "new.ini")
    assert checked.code == 0, checked.out
    plan = call(lab, "plan", "--to", "srv-c", "-o", "json", "-c", "new.ini")
    wanted = {(move["wanted"] or {}).get("name") for move in plan.document["moves"]}
    assert plan.code in (0, 2, 3) and wanted <= {"srv-c", None}


def test_what_could_not_be_written_leaves_the_others_there() -> None:
    lab = Lab(TRIO)
    lab.sim.state.networks[NETWORK].name = "a ; b"
    text = call(lab, "init", "-c", "-").out
    assert "[floating.web]" in text and "type     = route" in text
    assert "network  = a ; b" not in text
