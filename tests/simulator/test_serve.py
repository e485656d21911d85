"""`serve` as a process: ready, signals, TLS, a port that is taken."""

from __future__ import annotations

import http.client
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hcloud_reassign.simulator import Fault, Simulator, load_scenario
from hcloud_reassign.simulator.asgi import RunningServer, serve

_ROOT = Path(__file__).parents[2]
_PROGRAM = """
import random, time
from hcloud_reassign.simulator import Simulator, load_scenario
from hcloud_reassign.simulator.asgi import serve
sim = Simulator(load_scenario("pair"), clock=time.time, rng=random.Random(1))
serve(sim, host="127.0.0.1", port=0, latency_s=0.0, on_ready=lambda address: print(address, flush=True))
print("ended", len(sim.requests))
"""


def fresh() -> Simulator:
    return Simulator(load_scenario("pair"), clock=time.time, rng=random.Random(1))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_listens_and_ends_quietly_on_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], cwd=_ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        parts = urlsplit(process.stdout.readline().strip())
        client = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        client.request("GET", "/v1/servers")
        assert client.getresponse().status == 401
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        client.close()
    assert (out, err, process.returncode) == ("ended 1\n", "", 0)


def test_a_port_that_is_taken_is_an_os_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        serve(fresh(), host="127.0.0.1", port=taken.getsockname()[1], latency_s=0.0, on_ready=print)


def test_a_certificate_that_is_missing_is_an_os_error(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.pem")
    with pytest.raises(OSError, match="No such file"):
        serve(fresh(), host="127.0.0.1", port=0, latency_s=0.0, tls_cert=missing, tls_key=missing, on_ready=print)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed, so no certificate can be made")
def test_it_speaks_tls_and_drops_connections_there_too(tmp_path: Path) -> None:
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-keyout", key, "-out", cert, "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    sim = fresh()
    sim.faults.append(Fault(nth=2, drop="before"))
    with RunningServer(sim, tls_cert=cert, tls_key=key) as server:
        parts = urlsplit(server.url)
        assert parts.scheme == "https"
        trusted = ssl.create_default_context(cafile=cert)
        client = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=trusted, timeout=10)
        client.request("GET", "/v1/servers", headers={"Authorization": "Bearer simulated-token"})
        answer = client.getresponse()
        answer.read()
        assert answer.headers["Link"].startswith("<https://127.0.0.1")
        client.request("GET", "/v1/servers")
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError, ssl.SSLError)):
            client.getresponse()
        client.close()
