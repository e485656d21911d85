"""How each platform is asked, and how it says that it worked."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.keepalived.host import SCRIPT, Host, gitlab, trigger
from tests.platforms.github import GitHub
from tests.platforms.gitlab import GitLab
from tests.platforms.jenkins import Jenkins
from tests.platforms.server import FIELDS, Asked, Platform
from tests.platforms.tekton import Tekton

TOOLS = "base64 cat cut date env grep id ls mkdir mv od rm sed sha256sum sleep timeout tr uname"


def github(url: str) -> str:
    return trigger(
        "actions", type="github", url=url, repository="acme/failover", workflow="reassign.yml", ref="main",
        token_file="token",
    )  # fmt: skip


def jenkins(url: str) -> str:
    return trigger("builds", type="jenkins", url=url, job="infra/reassign", user="failover-bot", token_file="token")


def tekton(url: str) -> str:
    return trigger("cluster", type="tekton", url=url, secret_file="token")


def path_with(host: Host, client: str) -> str:
    """A PATH with one HTTP client only."""
    for name in [*TOOLS.split(), client]:
        for folder in ("/usr/bin", "/bin"):
            if os.path.exists(f"{folder}/{name}"):
                (host.folder / "bin" / name).symlink_to(f"{folder}/{name}")
                break
        else:
            pytest.skip(f"needs {name}")
    return f"{host.folder}/bin"


def started(host: Host, platform: Platform, section: str, client: str = "curl", **entries: str | int) -> Asked:
    """What the platform's run was started with."""
    host.configure(section, path=path_with(host, client), **entries)
    host.is_master()
    host.becomes("MASTER")
    host.wait_for(lambda: bool(platform.runs))
    return platform.runs[0].asked


def assert_whole(asked: Asked) -> None:
    assert (asked.resource, asked.to) == ("web", "srv-b")
    assert all(getattr(asked, name) for name in FIELDS)


CLIENTS = pytest.mark.parametrize("client", ["curl", "wget"])


@CLIENTS
@pytest.mark.parametrize("project", ["42", "infra/failover"])
def test_gitlab_gets_variables(host: Host, client: str, project: str) -> None:
    with GitLab() as platform:
        section = gitlab(platform.url).replace("project = 42", f"project = {project}")
        assert_whole(started(host, platform, section, client))
        assert set(platform.runs[0].variables) == {f"HR_{name.upper()}" for name in FIELDS}


def test_gitlab_gets_inputs_where_that_is_wanted(host: Host) -> None:
    with GitLab(inputs=FIELDS, variables_allowed=False) as platform:
        assert_whole(started(host, platform, gitlab(platform.url, inputs="yes")))
        assert platform.runs[0].variables == {}


@CLIENTS
def test_github_tells_whether_its_run_went_well(host: Host, client: str) -> None:
    with GitHub(token="glptt-trigger") as platform:
        assert_whole(started(host, platform, github(platform.url), client, resend=9, resend_every=30))
        host.says("web is on srv-b, confirmed by actions")
        assert len(platform.runs) == 1
        assert json.loads(platform.received[0].body)["return_run_details"] is True


def test_a_run_that_failed_at_github_is_asked_for_again(host: Host) -> None:
    with GitHub(lambda asked: len(platform.runs) > 1, token="glptt-trigger") as platform:
        started(host, platform, github(platform.url), resend=9, resend_every=2)
        host.says("confirmed by actions")
        assert [run.state for run in platform.runs] == ["failure", "success"]
    assert "the run failed" in host.log


def test_an_older_github_is_asked_once_more_without_what_it_does_not_know(host: Host) -> None:
    with GitHub(token="glptt-trigger", older=True) as platform:
        assert_whole(started(host, platform, github(platform.url)))
        host.says("asked 1 times")
        assert len(platform.received) == 2


def test_a_run_that_may_not_be_read_is_no_failure(host: Host) -> None:
    with GitHub(token="glptt-trigger", may_read=False) as platform:
        started(host, platform, github(platform.url), resend=1)
        host.says(r"the run cannot be read with this token \(403\)")
        host.says("asked 2 times")


@CLIENTS
def test_jenkins_tells_whether_its_build_went_well(host: Host, client: str) -> None:
    with Jenkins(token="glptt-trigger") as platform:
        platform.queueing = True
        assert_whole(started(host, platform, jenkins(platform.url), client, resend=9, resend_every=60))
        platform.wait_for(lambda: any(request.path.startswith("/queue/item") for request in platform.received))
        platform.runs[0].release()
        host.says("web is on srv-b, confirmed by builds")
        assert len(platform.runs) == 1


def test_a_build_that_failed_at_jenkins_is_asked_for_again(host: Host) -> None:
    with Jenkins(lambda asked: len(platform.runs) > 1, token="glptt-trigger") as platform:
        started(host, platform, jenkins(platform.url), resend=9, resend_every=2)
        host.says("confirmed by builds")
        assert [run.state for run in platform.runs] == ["failure", "success"]


def test_a_queue_item_is_read_at_jenkins_itself_whatever_its_answer_names(host: Host) -> None:
    with Jenkins(token="glptt-trigger") as platform, Jenkins() as other:
        platform.answer_with(201, None, Location=f"{other.url}/queue/item/1001/")
        host.configure(jenkins(platform.url), resend_every=2)
        host.is_master()
        host.becomes("MASTER")
        host.wait_for(lambda: len(platform.received) > 1)
        assert platform.received[1].path == "/queue/item/1001/api/json"
        assert other.received == []


@CLIENTS
@pytest.mark.parametrize("secret", ["tekton secret", "k" * 65, "'\"\\%s$(id)`id`", "schl\u00fcssel"])
@pytest.mark.parametrize("line", ["{}", " {}\t\r\n", "{}\nanother line\n"])
def test_tekton_takes_the_signature(host: Host, client: str, secret: str, line: str) -> None:
    with Tekton(secret=secret) as platform:
        host.secret("token", line.format(secret))
        assert_whole(started(host, platform, tekton(platform.url), client, resend_every=0))
        assert platform.refused == []
    host.says("asked 1 times")


VECTORS = [
    ("0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe".hex(),
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    ("aa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (bytes(range(1, 26)).hex(), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    (
        "aa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        "aa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]
"""RFC 4231: the keys in hexadecimal, the messages, the digests."""


@pytest.mark.parametrize(("key", "message", "digest"), VECTORS)
def test_the_signature_is_that_of_the_standard(host: Host, key: str, message: bytes, digest: str) -> None:
    part = SCRIPT.parent / "notify.d" / "tekton.sh"
    spaced = " ".join(key[at : at + 2] for at in range(0, len(key), 2))
    command = [*host.shell, "-c", f'. {part}; hmac_sha256 "$1"', "sh", spaced]
    assert subprocess.run(command, input=message, capture_output=True, check=True).stdout.decode() == digest


@pytest.mark.parametrize("content", ["", "\n", " \t\r\n", "\nsecond line\n"])
def test_an_empty_secret_signs_nothing(host: Host, content: str) -> None:
    with Tekton() as platform:
        host.secret("token", content)
        host.configure(tekton(platform.url))
        host.is_master()
        host.becomes("MASTER")
        host.says("left out: .* is empty")
        assert platform.received == []


def test_tekton_accepts_what_it_refuses_later_so_it_is_asked_again(host: Host) -> None:
    with Tekton(secret="another") as platform:
        host.configure(tekton(platform.url), resend=1)
        host.is_master()
        host.becomes("MASTER")
        host.says("asked 2 times")
        assert platform.refused == ["payload signature check failed"] * 2


@pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox")
@pytest.mark.parametrize("make", ["gitlab", "jenkins", "tekton"])
def test_the_tools_of_busybox_are_enough(host: Host, make: str) -> None:
    """All but curl, and but the `ip` that stands in for the one that knows the address."""
    for name in TOOLS.split():
        (host.folder / "bin" / name).symlink_to(str(shutil.which("busybox")))
    (host.folder / "bin" / "curl").symlink_to(str(shutil.which("curl")))
    platform: Platform
    section: Callable[[str], str]
    if make == "gitlab":
        platform, section = GitLab(), gitlab
    elif make == "jenkins":
        platform, section = Jenkins(token="glptt-trigger"), jenkins
    else:
        platform, section = Tekton(secret="glptt-trigger"), tekton
    with platform:
        host.configure(section(platform.url), path=f"{host.folder}/bin")
        host.is_master()
        host.becomes("MASTER")
        host.wait_for(lambda: len(platform.runs) == 1)
        assert_whole(platform.runs[0].asked)
        host.says("asked 1 times|confirmed by")


RUN = """#!/bin/sh
printf '%s|' "$@" >>"{folder}/run"
echo "HOME=$HOME" >"{folder}/run-env"
echo 'it said so'
exit $(cat "{folder}/code")
"""


def local(host: Host, code: int) -> str:
    host.program("hcloud-reassign", RUN.format(folder=host.folder))
    (host.folder / "code").write_text(f"{code}\n")
    return trigger("here", type="local", config="prod.ini")


def test_a_run_on_this_host_is_its_own_confirmation(host: Host) -> None:
    host.configure(local(host, 0), resend=9)
    host.is_master()
    host.becomes("MASTER")
    host.says("web is on srv-b, confirmed by here")
    words = (host.folder / "run").read_text(encoding="utf-8")
    assert re.fullmatch(
        rf"run\|--max-age\|300\|-c\|{re.escape(str(host.config.parent))}/prod.ini\|--by\|[A-Za-z0-9.-]+\|"
        r"--issued-at\|[0-9]{13}\|--to\|srv-b\|--\|web\|",
        words,
    )


@pytest.mark.parametrize(("code", "tries"), [(1, 3), (2, 1), (3, 1), (4, 1), (5, 3), (127, 1)])
def test_a_run_on_this_host_is_repeated_where_that_can_help(host: Host, code: int, tries: int) -> None:
    host.configure(local(host, code), retries=3)
    host.is_master()
    host.becomes("MASTER")
    host.says("gives up")
    assert (host.folder / "run").read_text(encoding="utf-8").count("run|--max-age|") == tries
    assert f"here ended with {code}: it said so" in host.log


def test_a_run_on_this_host_is_not_killed_half_way(host: Host, tmp_path: Path) -> None:
    done = tmp_path / "done"
    go_on = tmp_path / "go-on"
    host.program(
        "slow", f'#!/bin/sh\ntouch {tmp_path}/begun\nuntil [ -e {go_on} ]; do sleep 0.05; done\necho "$HR_TO" >{done}\n'
    )
    host.configure(trigger("any", type="command", command="slow"))
    host.is_master()
    host.becomes("MASTER")
    host.wait_for((tmp_path / "begun").exists)
    host.is_master(False)
    host.becomes("BACKUP")
    host.waits_until_idle()
    go_on.touch()
    host.wait_for(lambda: done.exists() and done.read_text() == "srv-b\n")


def test_a_command_gets_its_words_and_the_five_fields(host: Host) -> None:
    host.program(
        "move", f"#!/bin/sh\nenv | grep ^HR_ | sort >{host.folder}/env\nprintf '<%s>' \"$@\" >{host.folder}/words\n"
    )
    host.configure(trigger("any", type="command", command="move now $(id) *"))
    host.is_master()
    host.becomes("MASTER")
    host.says("confirmed by any")
    assert (host.folder / "words").read_text() == "<now><$(id)><*>"
    names = [line.partition("=")[0] for line in (host.folder / "env").read_text().splitlines()]
    assert names == ["HR_AGE", "HR_BY", "HR_ISSUED_AT", "HR_RESOURCE", "HR_TO"]


def test_the_command_trigger_may_do_the_asking(host: Host) -> None:
    with GitHub(token="glptt-trigger") as platform:
        host.secret("prod.ini", github(platform.url))
        host.configure(
            trigger("here", type="local", config="prod.ini", trigger="actions"),
            path=f"{Path(sys.executable).parent}:{host.folder}/bin:/usr/bin:/bin",
        )
        host.is_master()
        host.becomes("MASTER")
        host.says("web is on srv-b, confirmed by here")
        assert_whole(platform.runs[0].asked)


@pytest.mark.parametrize(("readable", "ends"), [(True, "confirmed by pipeline"), (False, "asked 1 times")])
def test_gitlab_tells_how_it_went_to_a_token_that_may_read(host: Host, readable: bool, ends: str) -> None:
    with GitLab(read_token="glpat-read" if readable else "glpat-other") as platform:
        host.secret("read", "glpat-read\n")
        assert_whole(started(host, platform, gitlab(platform.url, read_token_file="read"), resend_every=5))
        host.says(ends)


def test_without_curl_and_wget_no_platform_can_be_asked(host: Host) -> None:
    with GitLab() as platform:
        host.configure(gitlab(platform.url), path=path_with(host, "true"))
        host.is_master()
        host.becomes("MASTER")
        host.says("left out: there is neither curl nor GNU wget")
