"""The whole command against Hetzner's own `hcloud`, as ratios in one run: time, first write, requests, memory.

Both work on a simulated project with a latency of 20 ms and actions of 0.6 to 1.4 s; a pair of runs has the same seed.
For information: nothing passes or fails by it. Needs `hcloud` (Debian: hcloud-cli) and openssl.

    python benchmarks/speed.py [PAIRS]
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hcloud_reassign.simulator import Simulator, Switches, load_scenario
from hcloud_reassign.simulator.asgi import RunningServer

TOKEN = "simulated-token"
LATENCY_S = 0.02
ACTION_S = (0.6, 1.4)
OURS = [str(Path(sys.executable).with_name("hcloud-reassign")), "run"]

PAIR = """
[floating.web]
type = ip_floating
resource = web
source = srv-a
destination = srv-b
[alias.vip]
type = ip_alias
resource = 10.0.1.100
network = internal
source = srv-a
destination = srv-b
[route.default]
type = route
network = 0.0.0.0/0
resource = internal
source = srv-a
destination = srv-b
"""

Commands = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Measured:
    """Seconds from the start of the first process; `peak_mib` of the largest process."""

    whole_s: float
    first_write_s: float
    requests: int
    peak_mib: float


def measure(scenario: str, seed: int, commands: Commands, together: bool, tls: tuple[str, str] | None) -> Measured:
    """Run commands one after the other, or all together, against a project of their own."""
    sim = Simulator(
        load_scenario(scenario),
        clock=time.time,
        rng=random.Random(seed),
        action_time=ACTION_S,
        switches=Switches.mid_2026(),
    )
    certificate, key = tls or (None, None)
    with RunningServer(sim, latency_s=LATENCY_S, tls_cert=certificate, tls_key=key) as server:
        environment = {**os.environ, "HCLOUD_ENDPOINT": server.url, "HCLOUD_TOKEN": TOKEN, **_trust(certificate)}
        # What pip installs is compiled; the first pair, which does not count, compiles a checkout.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        started = time.time()
        peak = _run(commands, environment, together)
        whole = time.time() - started
    first = next((request.time for request in sim.requests if request.method != "GET"), started)
    return Measured(whole, first - started, len(sim.requests), peak)


def _trust(certificate: str | None) -> dict[str, str]:
    return {"SSL_CERT_FILE": certificate, "REQUESTS_CA_BUNDLE": certificate} if certificate else {}


def _run(commands: Commands, environment: Mapping[str, str], together: bool) -> float:
    peak, running = 0.0, []
    for command in commands:
        running.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
        if not together:
            peak = max(peak, _end(running.pop()))
    return max([peak, *(_end(process) for process in running)])


def _end(process: subprocess.Popen[bytes]) -> float:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    said = process.stderr.read().decode() if process.stderr else ""
    if process.returncode != 0:
        sys.exit(f"{process.args!r} ended with {process.returncode}: {said}")
    if process.stderr:
        process.stderr.close()
    return usage.ru_maxrss / 1024


def compare(
    title: str,
    scenario: str,
    ours: Commands,
    theirs: Commands,
    *,
    pairs: int,
    together: bool = False,
    tls: tuple[str, str] | None = None,
) -> None:
    """Print the ratios ours / theirs of alternating runs, as the median and the range."""
    rows = []
    for seed in range(pairs + 1):
        pair = [measure(scenario, seed, commands, together, tls) for commands in (ours, theirs)]
        if seed:
            rows.append(pair)
    print(f"\n{title}: {pairs} pairs, ours / hcloud")
    figures: list[tuple[str, Callable[[Measured], float]]] = [
        ("whole command, s", lambda m: m.whole_s),
        ("first write, s", lambda m: m.first_write_s),
        ("requests", lambda m: float(m.requests)),
        ("largest process, MiB", lambda m: m.peak_mib),
    ]
    for name, figure in figures:
        ratios = sorted(figure(mine) / figure(other) for mine, other in rows)
        medians = [statistics.median(figure(pair[side]) for pair in rows) for side in (0, 1)]
        print(
            f"  {name:22} {medians[0]:8.3f} {medians[1]:8.3f}   ratio {statistics.median(ratios):5.2f}"
            f"  ({ratios[0]:.2f} - {ratios[-1]:.2f})"
        )


def make_certificate(folder: Path) -> tuple[str, str]:
    """A self-signed certificate for 127.0.0.1 and its key, as two files."""
    certificate, key = str(folder / "cert.pem"), str(folder / "key.pem")
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    make = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        key,
        "-out",
        certificate,
    ]
    subprocess.run([*make, *subject], check=True, capture_output=True)
    return certificate, key


def fifty() -> str:
    """Fifty sections: every floating IP of the scenario from its server to that one's standby."""
    project = load_scenario("fifty").project()
    servers = {server.id: server.name for server in project.servers.values()}
    held = [address for address in project.floating_ips.values() if address.server_id is not None]
    free = [name for id, name in servers.items() if id not in {address.server_id for address in held}]
    return "\n".join(
        f"[floating.{address.name}]\ntype = ip_floating\nresource = {address.name}\n"
        f"source = {servers[address.server_id or 0]}\ndestination = {target}"
        for address, target in zip(held, free, strict=False)
    )


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    if shutil.which("hcloud") is None:
        sys.exit("hcloud is not installed (Debian: apt-get install hcloud-cli); nothing to compare with")
    with tempfile.TemporaryDirectory() as folder:
        ini, many = Path(folder) / "pair.ini", Path(folder) / "fifty.ini"
        os.environ["HCLOUD_REASSIGN_STATE"] = folder
        for file, text in ((ini, PAIR), (many, fifty())):
            file.write_text(text, encoding="utf-8")
            file.chmod(0o600)
        one = [[*OURS, "-c", str(ini), "floating.web"]]
        their_one = [["hcloud", "floating-ip", "assign", "web", "srv-b"]]
        tls = make_certificate(Path(folder))
        compare("one address", "pair", one, their_one, pairs=pairs)
        compare("one address over TLS", "pair", one, their_one, pairs=pairs, tls=tls)
        rest_a, rest_b = _other_aliases("srv-a"), [*_other_aliases("srv-b"), "10.0.1.100"]
        change = ["hcloud", "server", "change-alias-ips", "--network", "internal"]
        their_alias = [
            [*change, "--alias-ips", ",".join(rest_a), "srv-a"],
            [*change, "--alias-ips", ",".join(rest_b), "srv-b"],
        ]
        compare("alias IP", "pair", [[*OURS, "-c", str(ini), "alias.vip"]], their_alias, pairs=pairs)
        old, new = _gateways()
        their_route = [
            ["hcloud", "network", "remove-route", "--destination", "0.0.0.0/0", "--gateway", old, "internal"],
            ["hcloud", "network", "add-route", "--destination", "0.0.0.0/0", "--gateway", new, "internal"],
        ]
        compare("route", "pair", [[*OURS, "-c", str(ini), "route.default"]], their_route, pairs=pairs)
        their_fifty = [["hcloud", "floating-ip", "assign", *words] for words in _fifty_words(many)]
        our_fifty, few = [[*OURS, "-c", str(many)]], max(3, pairs // 2)
        compare("fifty addresses", "fifty", our_fifty, their_fifty, pairs=few, together=True)
        compare("fifty addresses over TLS", "fifty", our_fifty, their_fifty, pairs=few, together=True, tls=tls)


def _other_aliases(server: str) -> list[str]:
    project = load_scenario("pair").project()
    found = next(item for item in project.servers.values() if item.name == server)
    return [ip for net in found.private_net for ip in net.alias_ips if ip != "10.0.1.100"]


def _gateways() -> tuple[str, str]:
    project = load_scenario("pair").project()
    addresses = {item.name: item.private_net[0].ip for item in project.servers.values() if item.private_net}
    return addresses["srv-a"], addresses["srv-b"]


def _fifty_words(file: Path) -> list[tuple[str, str]]:
    words = [line.partition(" = ")[2] for line in file.read_text(encoding="utf-8").splitlines() if line]
    return [(words[at + 2], words[at + 4]) for at in range(0, len(words), 5)]


if __name__ == "__main__":
    main()
