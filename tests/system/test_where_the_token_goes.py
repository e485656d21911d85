"""The token goes to the API and nowhere else, whatever the machine has in its files and its environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcloud_reassign.simulator import Fault
from tests.engine.samples import FLOAT, ROUTE, SAMPLES, A, B, Sample
from tests.harness import TOKEN
from tests.system.conftest import Serve
from tests.system.listeners import certificate, listening, proxy, redirecting
from tests.system.site import Machine, Site, machine, told

BEARER = f"Bearer {TOKEN}"


def seen_by(site: Site) -> set[str | None]:
    return {item.authorization for item in site.sim.requests}


@pytest.mark.parametrize("where", ["home", "NETRC"])
def test_a_netrc_does_not_replace_the_token(where: str, cli: Machine, site: Site) -> None:
    cli.file("machine 127.0.0.1 login alice password netrc-password\ndefault login bob password other\n", ".netrc")
    env = {"NETRC": str(cli.home / ".netrc")} if where == "NETRC" else {}
    assert told(cli.run(FLOAT.section(), env=env)) == ("done", 0, None)
    assert seen_by(site) == {BEARER}


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(variable: str, cli: Machine, site: Site) -> None:
    with proxy() as heard:
        env = {variable: heard.url}
        assert told(cli.run(ROUTE.section(), env=env)) == ("done", 0, None)
    assert seen_by(site) == {BEARER}
    assert len(heard.lines) == len(site.sim.requests)
    assert all(f" {site.url}/" in line for line in heard.lines)
    assert "Proxy-Authorization" not in dict(heard.headers)


def test_a_proxy_is_not_used_for_what_the_environment_excepts(cli: Machine, site: Site) -> None:
    with proxy() as heard:
        env = {"HTTP_PROXY": heard.url, "http_proxy": heard.url, "NO_PROXY": "example.org,127.0.0.1"}
        assert told(cli.run(FLOAT.section(), env=env)) == ("done", 0, None)
    assert not heard.lines and seen_by(site) == {BEARER}


def test_a_proxy_of_https_sees_no_token(serve: Serve, home: Path, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    site = serve(tls_cert=str(cert), tls_key=str(key))
    assert site.url.startswith("https://")
    cli = machine(home, site, REQUESTS_CA_BUNDLE=str(cert))
    with proxy() as heard:
        done = cli.run(ROUTE.section(), env={"HTTPS_PROXY": heard.url, "HTTP_PROXY": "http://127.0.0.1:1"})
    assert told(done) == ("done", 0, None)
    assert seen_by(site) == {BEARER} and ROUTE.holder(site) == B
    assert heard.lines and all(line.startswith("CONNECT 127.0.0.1:") for line in heard.lines)
    assert TOKEN not in heard.text and not heard.of("Authorization")


def test_a_proxys_password_is_for_the_proxy_and_is_not_shown(cli: Machine, site: Site) -> None:
    with proxy() as heard:
        url = heard.url.replace("//", "//alice:proxy-password@")
        done = cli.run(FLOAT.section(), "-vvv", env={"HTTP_PROXY": url, "http_proxy": url})
    assert told(done) == ("done", 0, None)
    assert seen_by(site) == {BEARER}
    assert set(heard.of("Proxy-Authorization")) == {"Basic YWxpY2U6cHJveHktcGFzc3dvcmQ="}
    refused = cli.run(FLOAT.section(), "-vvv", "--timeout", "2", env={"HTTP_PROXY": url, "http_proxy": url})
    assert refused.code == 1
    for text in (done.out, done.err, refused.out, refused.err):
        assert "proxy-password" not in text and TOKEN not in text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, cli: Machine, site: Site) -> None:
    with listening() as elsewhere, redirecting(elsewhere.url, status) as api:
        done = cli.run(FLOAT.section(), "--timeout", "5", env={"HCLOUD_ENDPOINT": f"{api.url}/v1"})
    assert done.code == 1
    assert "redirect" in done.document["error"]["message"]
    assert set(api.of("Authorization")) == {BEARER}
    assert not elsewhere.lines and not site.sim.requests


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
def test_a_write_that_is_redirected_is_sent_to_nobody_else(sample: Sample, cli: Machine, site: Site) -> None:
    with listening() as elsewhere:
        location = {"Location": f"{elsewhere.url}/v1/steal"}
        site.sim.faults += [
            Fault(method, "*", status=307, body="empty", headers=location, times=None) for method in ("POST", "PUT")
        ]
        done = cli.run(sample.section(), "--timeout", "20")
    assert (done.code, sample.holder(site)) == (1, A)
    assert not elsewhere.lines
