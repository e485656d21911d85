"""`trigger` against stand-ins of the platforms: what they get, and what the user is told."""

from __future__ import annotations

import math
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.inside import at_hand
from tests.cli.process import Cli, Done, assert_fits
from tests.platforms.github import GitHub
from tests.platforms.gitlab import GitLab
from tests.platforms.jenkins import Jenkins
from tests.platforms.server import FIELDS, Platform
from tests.platforms.tekton import Tekton

TOKENS = {
    "gitlab": "glptt-canary-0000000000000000",
    "read": "glpat-canary-1111111111111111",
    "github": "github_pat_canary_2222222222222",
    "jenkins": "33canary33canary33canary33canary",
    "tekton": "canary-of-the-listener-444444444",
}
INI = """\
[trigger.gitlab]
type = gitlab
url = {gitlab}
project = infra/failover
ref = main
token_file = gitlab.token
[trigger.github]
type = github
url = {github}
repository = acme/failover
workflow = reassign.yml
ref = main
token_file = github.token
[trigger.jenkins]
type = jenkins
url = {jenkins}
job = infra/reassign
user = failover-bot
token_file = jenkins.token
[trigger.tekton]
type = tekton
url = {tekton}
secret_file = tekton.token
[floating.web]
type = ip_floating
resource = web
destination = srv-b
"""


@dataclass
class Site:
    """All platforms, and the command with a file that names them."""

    cli: Cli
    gitlab: GitLab
    github: GitHub
    jenkins: Jenkins
    tekton: Tekton

    @property
    def all(self) -> dict[str, Platform]:
        return {name: getattr(self, name) for name in ("gitlab", "github", "jenkins", "tekton")}

    def file(self, **more: str) -> str:
        """The file; `gitlab="fallback = github"` adds a line to a section."""
        text = INI.format(**{name: platform.url for name, platform in self.all.items()})
        for name, line in more.items():
            text = text.replace(f"[trigger.{name}]\n", f"[trigger.{name}]\n{line}\n")
        return self.cli.file(text)

    def __call__(self, *words: str, file: str | None = None) -> Done:
        done = self.cli("trigger", *words, "-c", file or self.file())
        for token in TOKENS.values():
            assert token not in done.out + done.err
        return done


@pytest.fixture
def site(alone: Cli, home: Path) -> Iterator[Site]:
    for name, token in TOKENS.items():
        (home / f"{name}.token").write_text(f"{token}\n")
        (home / f"{name}.token").chmod(0o600)
    with ExitStack() as stack:
        gitlab = stack.enter_context(GitLab(token=TOKENS["gitlab"], read_token=TOKENS["read"]))
        github = stack.enter_context(GitHub(token=TOKENS["github"]))
        jenkins = stack.enter_context(Jenkins(token=TOKENS["jenkins"]))
        tekton = stack.enter_context(Tekton(secret=TOKENS["tekton"]))
        yield Site(at_hand(alone), gitlab, github, jenkins, tekton)


PLATFORMS = ("gitlab", "github", "jenkins", "tekton")
TO_B = ("--to", "srv-b", "--by", "srv-b.example.com")


@pytest.mark.parametrize("name", PLATFORMS)
def test_each_platform_gets_the_five_fields(name: str, site: Site) -> None:
    before = int(time.time() * 1000)
    done = site(name, "floating.web", *TO_B)
    assert (done.code, done.err) == (0, "")
    (run,) = site.all[name].runs
    assert (run.asked.resource, run.asked.to, run.asked.by) == ("floating.web", "srv-b", "srv-b.example.com")
    assert before <= int(run.asked.issued_at) <= int(time.time() * 1000)
    assert 0 <= int(run.asked.age) < 60_000
    word = "sent" if name == "tekton" else "accepted"
    assert f"{word}  floating.web" in done.out and "srv-b" in done.out


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_document_tells_what_was_accepted(name: str, site: Site) -> None:
    done = site(name, "floating.web", "--to", "srv-b", "--issued-at", "1790000000", "--age", "1500", "-o", "json")
    assert_fits(done.document, "trigger")
    (told,) = done.document["triggers"]
    assert (told["trigger"], told["type"], told["resource"], told["to"]) == (name, name, "floating.web", "srv-b")
    assert (told["issued_at"], told["tries"]) == ("2026-09-21T14:13:20.000Z", 1)
    run = site.all[name].runs[0]
    assert told["age_ms"] == int(run.asked.age) >= 1500
    if name == "tekton":
        assert (told["outcome"], told["url"]) == ("sent", None)
    else:
        assert (told["outcome"], told["id"]) == ("accepted", str(run.id))
        assert told["url"].startswith(site.all[name].url)


def test_inputs_are_sent_where_the_section_says_so(site: Site) -> None:
    site.gitlab.inputs = FIELDS
    assert site("gitlab", "floating.web", *TO_B).code == 1
    assert site("gitlab", "floating.web", *TO_B, file=site.file(gitlab="inputs = yes")).code == 0
    (run,) = site.gitlab.runs
    assert (run.asked.resource, run.variables) == ("floating.web", {})


def test_every_resource_is_a_request_of_its_own_and_each_name_is_sent_once(site: Site) -> None:
    done = site("github", "floating.web", "group.db", "floating.web", *TO_B)
    assert done.code == 0 and len(done.out.splitlines()) == 2
    assert [run.asked.resource for run in site.github.runs] == ["floating.web", "group.db"]


def test_without_a_server_it_is_for_this_machine(site: Site) -> None:
    here = subprocess.run(["hostname"], capture_output=True, text=True, check=True).stdout.strip().partition(".")[0]
    for words in ((), ("--to", "self")):
        assert site("github", "floating.web", *words).code == 0
    assert {run.asked.to for run in site.github.runs} == {here}


def test_a_file_that_has_triggers_alone_is_enough(site: Site) -> None:
    file = site.cli.file(f"[trigger.t]\ntype = tekton\nurl = {site.tekton.url}\nsecret_file = tekton.token\n")
    done = site("t", "anything.at.all", *TO_B, file=file)
    assert (done.code, done.err) == (0, "")
    assert site.tekton.runs[0].asked.resource == "anything.at.all"


def test_nothing_is_asked_of_hetzner_and_no_token_of_it_is_needed(site: Site) -> None:
    done = site.cli("trigger", "github", "floating.web", *TO_B, "-c", site.file(), env={"HCLOUD_TOKEN": None})
    assert done.code == 0


def test_a_name_that_is_mistyped_is_warned_about_and_sent_as_it_is(site: Site) -> None:
    done = site("github", "floating.wep", *TO_B)
    assert done.code == 0 and "did you mean 'floating.web'?" in done.err
    assert site.github.runs[0].asked.resource == "floating.wep"


def test_a_dry_run_sends_nothing_and_shows_what_it_would_send(site: Site) -> None:
    for name, platform in site.all.items():
        done = site(name, "floating.web", *TO_B, "--dry-run")
        assert done.code == 0 and "planned" in done.out
        assert f"POST {platform.url}" in done.out and "resource=floating.web, to=srv-b" in done.out
        assert not platform.received


# Refused


@pytest.mark.parametrize("name", ["gitlab", "github", "jenkins"])
def test_a_wrong_token_is_exit_4_and_is_tried_once(name: str, site: Site) -> None:
    (site.cli.home / f"{name}.token").write_text("a-token-of-somebody-else\n")
    done = site(name, "floating.web", *TO_B)
    assert done.code == 4 and "failed" in done.out and "next:" in done.out
    assert "a-token-of-somebody-else" not in done.out + done.err
    assert len(site.all[name].received) == 1 and not site.all[name].runs


def test_a_wrong_secret_cannot_be_told_from_a_right_one(site: Site) -> None:
    (site.cli.home / "tekton.token").write_text("a-secret-of-somebody-else\n")
    done = site("tekton", "floating.web", *TO_B)
    assert (done.code, site.tekton.refused) == (0, ["payload signature check failed"])
    assert "sent" in done.out and "is not known" in done.out


def test_a_wrong_ref_is_told_in_the_platforms_words(site: Site) -> None:
    site.gitlab.ref = site.github.ref = "trunk"
    assert "Reference not found" in site("gitlab", "floating.web", *TO_B).out
    done = site("github", "floating.web", *TO_B)
    assert done.code == 1 and "No ref found for: main" in done.out


def test_an_older_github_accepts_as_well(site: Site) -> None:
    site.github.older = True
    done = site("github", "floating.web", *TO_B, "-v")
    assert (done.code, len(site.github.runs)) == (0, 1)
    assert done.err.count("reassign.yml/dispatches with resource=floating.web, to=srv-b, issued_at=") == 2
    assert [received.method for received in site.github.received] == ["POST", "POST"]


BAD = (
    ("github", "web; id", *TO_B),
    ("github", "$(id)", *TO_B),
    ("github", "", *TO_B),
    ("github", "web", "--to", ""),
    ("github", "web", "--to", "srv b"),
    ("github", "web", "--to", "srv-b", "--by", "a\nb"),
    ("github", "web", "--to", "srv-b", "--issued-at", "soon"),
    ("github", "web", "--to", "srv-b", "--issued-at", ""),
    ("github", "web", "--to", "srv-b", "--age", "5"),
    ("github", "web", "--to", "srv-b", "--issued-at", "1790000000", "--age", "-5"),
    ("github", "web", "--to", "srv-b", "--issued-at", "99999999999999"),
    ("github", "web", "--to", "srv-b", "--issued-at", "1000000000"),
    ("github", "web", "--to", "srv-b", "--timeout", "0"),
    ("github", "web", "--to", "srv-b", "-o", "jsonl"),
    ("github", "web" * 30, *TO_B),
    ("github",),
    ("githup", "web", *TO_B),
    ("github", "web", "--", "--to"),
)


@pytest.mark.parametrize("words", BAD, ids=[" ".join(words)[:40] for words in BAD])
def test_what_cannot_be_meant_is_exit_2_and_nothing_is_sent(words: tuple[str, ...], site: Site) -> None:
    done = site(*words)
    assert (done.code, done.out if "jsonl" not in words else "") == (2, "")
    assert "error: " in done.err and "nothing was sent" in done.err
    assert not site.github.received


def test_a_secret_that_cannot_be_read_is_exit_4(site: Site) -> None:
    (site.cli.home / "github.token").unlink()
    done = site("github", "floating.web", *TO_B, "-o", "json")
    assert done.code == 4
    assert_fits(done.document, "trigger")
    assert (done.document["error"]["object"], done.document["error"]["key"]) == ("trigger.github", "token_file")
    assert done.document["triggers"] == []


# Down, slow, elsewhere


def test_it_asks_again_until_the_platform_is_there(site: Site) -> None:
    site.jenkins.answer_with(503, times=2)
    done = site("jenkins", "floating.web", *TO_B)
    assert done.code == 0 and len(site.jenkins.received) == 3
    assert "jenkins: HTTP 503" in done.err


def test_a_platform_that_is_down_is_asked_again_and_then_given_up(site: Site) -> None:
    with site.github.down():
        done = site("github", "floating.web", *TO_B, "--timeout", "1")
    assert done.code == 1 and "the connection is refused" in done.out


def test_the_fallback_is_asked_when_the_first_is_down(site: Site) -> None:
    file = site.file(gitlab="fallback = github")
    with site.gitlab.down():
        done = site("gitlab", "floating.web", *TO_B, file=file)
    assert done.code == 0 and "github (GitHub)" in done.out
    assert "in place of gitlab: the connection is refused" in done.out
    assert len(site.github.runs) == 1


def test_a_platform_that_is_slow_is_given_up_in_time_and_the_outcome_is_unknown(site: Site) -> None:
    site.gitlab.delay_s = 30
    done = site("gitlab", "floating.web", *TO_B, "--timeout", "1.5", "-o", "json")
    assert (done.code, done.document["outcome"], len(site.gitlab.runs)) == (5, "unknown", 1)
    assert "to ask again is safe" in done.document["triggers"][0]["message"]


def test_an_answer_that_is_cut_off_is_asked_for_again(site: Site) -> None:
    site.gitlab.cut()
    assert site("gitlab", "floating.web", *TO_B).code == 0
    assert len({run.asked.issued_at for run in site.gitlab.runs}) == 1
    assert len(site.gitlab.runs) == 2


def test_a_hook_in_the_foreground_ends_with_0_only_if_it_was_accepted(site: Site) -> None:
    site.github.answer_with(502, times=math.inf)
    assert site("github", "floating.web", *TO_B, "--timeout", "1").code != 0
    assert site("jenkins", "floating.web", *TO_B, "--timeout", "5").code == 0


# To the end


@pytest.mark.parametrize("name", ["gitlab", "github", "jenkins"])
@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 1)])
def test_with_wait_it_ends_like_the_run(name: str, ok: bool, code: int, site: Site) -> None:
    site.all[name].on_accepted = lambda asked: ok
    more = {"gitlab": "read_token_file = read.token"} if name == "gitlab" else {}
    done = site(name, "floating.web", *TO_B, "--wait", "-o", "json", file=site.file(**more))
    (told,) = done.document["triggers"]
    assert (done.code, told["outcome"]) == (code, "done" if ok else "failed")
    assert told["run"] and told["url"]
    assert (told["next"] is None) == ok


def test_a_run_that_waits_for_its_turn_is_told_and_given_up_in_time(site: Site) -> None:
    site.jenkins.queueing = True
    done = site("jenkins", "floating.web", *TO_B, "--wait", "--timeout", "3")
    assert done.code == 5 and "had not ended when the time was over: queued" in done.out
    assert "floating.web: queued" in done.err


def test_a_run_that_cannot_be_seen_is_unknown(site: Site) -> None:
    assert "read_token_file" in site("gitlab", "floating.web", *TO_B, "--wait").out
    site.github.may_read = False
    for name in ("gitlab", "github", "tekton"):
        assert site(name, "floating.web", *TO_B, "--wait").code == 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("wait", [True, False])
def test_a_signal_ends_it_with_130_and_what_it_knows(number: int, wait: bool, site: Site) -> None:
    if wait:
        site.github.queueing = True
    else:
        site.github.delay_s = 60
    words = ("trigger", "github", "floating.web", *TO_B, "-o", "json", "-c", site.file(), *(["--wait"] if wait else []))
    with site.cli.started(*words) as process:
        site.github.wait_for(lambda: len(site.github.received) == (2 if wait else 1))
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    document = Done(130, out, "").document
    assert_fits(document, "trigger")
    (told,) = document["triggers"]
    assert told["outcome"] == "interrupted"
    assert ("it goes on" if wait else "may have been accepted") in told["message"]


def test_a_signal_that_comes_several_times_at_once_is_one(site: Site) -> None:
    """As a terminal and a wrapper send it: both to the same process."""
    site.github.delay_s = 60
    words = ("trigger", "github", "floating.web", *TO_B, "-o", "json", "-c", site.file())
    with site.cli.started(*words) as process:
        site.github.wait_for(lambda: len(site.github.received) == 1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            process.send_signal(number)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert [told["outcome"] for told in Done(130, out, "").document["triggers"]] == ["interrupted"]


# Secrets


@pytest.mark.parametrize("name", PLATFORMS)
@pytest.mark.parametrize("status", [200, 302, 401, 500])
def test_no_answer_brings_a_secret_back(name: str, status: int, site: Site) -> None:
    told = {"message": TOKENS[name], "error": [TOKENS[name]], "errorMessage": TOKENS[name], "id": TOKENS[name]}
    more = {"eventID": TOKENS[name], "workflow_run_id": TOKENS[name], "html_url": f"https://x/{TOKENS[name]}"}
    site.all[name].answer_with(
        status, {**told, **more}, times=math.inf, Location=f"http://{TOKENS[name]}/queue/item/1/"
    )
    for words in (("-o", "json"), ("--wait", "-v")):
        done = site(name, "floating.web", *TO_B, *words, "-vv", "--timeout", "1")
        assert "Traceback" not in done.err and "internal error" not in done.err


def test_the_secrets_are_no_arguments_of_the_process(site: Site) -> None:
    site.github.delay_s = 30
    with site.cli.started("trigger", "github", "floating.web", *TO_B, "-c", site.file()) as process:
        site.github.wait_for(lambda: len(site.github.received) == 1)
        arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
    assert "hcloud_reassign" in arguments
    assert not [token for token in TOKENS.values() if token in arguments]


def test_what_a_platform_says_is_no_command_for_a_terminal(site: Site) -> None:
    site.github.answer_with(422, {"message": "\x1b[31mred\x07\r\nnext: \u202e"})
    done = site("github", "floating.web", *TO_B)
    assert done.code == 1 and not set(done.out + done.err) & set("\x1b\x07\r\u202e")


# On the keyboard


def test_triggers_and_resources_are_completed(site: Site, alone: Cli) -> None:
    file = site.file()

    def complete(typed: str) -> list[str]:
        env: dict[str, str | None] = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1)}
        return alone(env={**env, "_HCLOUD_REASSIGN_COMPLETE": "complete_bash"}).out.splitlines()

    assert complete(f"hcloud-reassign -c {file} trigger ") == [*PLATFORMS]
    assert complete(f"hcloud-reassign -c {file} trigger gitlab f") == ["floating.web"]
