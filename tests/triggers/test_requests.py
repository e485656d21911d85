"""What is sent to each platform, to the letter; and that nothing else than names and times can be sent."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from urllib.parse import parse_qs, parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign.core.errors import UsageError
from hcloud_reassign.triggers import WORDS
from hcloud_reassign.triggers.fields import Fields, host_like
from hcloud_reassign.triggers.shape import HttpRequest
from tests.triggers.samples import FIELDS, ISSUED_MS, SECRETS, request, way

VARIABLES = {
    "HR_RESOURCE": "floating.web",
    "HR_TO": "srv-b",
    "HR_ISSUED_AT": "1790000000000",
    "HR_AGE": "250",
    "HR_BY": "srv-b.example.com",
}
NAMES = {name.removeprefix("HR_").lower(): text for name, text in VARIABLES.items()}


def form(sent: HttpRequest) -> dict[str, str]:
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"
    return dict(parse_qsl((sent.body or b"").decode(), strict_parsing=True))


def test_gitlab_gets_variables_in_a_form() -> None:
    sent = request("gitlab")
    assert sent.method == "POST"
    assert sent.url == "https://gitlab.test/sub/api/v4/projects/infra%2Ffailover/trigger/pipeline"
    variables = {f"variables[{name}]": text for name, text in VARIABLES.items()}
    assert form(sent) == {"token": "glptt-secret-of-gitlab", "ref": "main", **variables}


def test_gitlab_gets_inputs_where_the_section_says_so() -> None:
    sent = form(request("gitlab", inputs=True))
    inputs = {f"inputs[{name}]": text for name, text in NAMES.items()}
    assert sent == {"token": "glptt-secret-of-gitlab", "ref": "main", **inputs}


def test_github_gets_the_dispatch_of_a_workflow_and_is_asked_for_the_run() -> None:
    sent = request("github")
    assert sent.url == "https://api.github.com/repos/acme/failover/actions/workflows/reassign.yml/dispatches"
    assert json.loads(sent.body or b"") == {"ref": "main", "inputs": NAMES, "return_run_details": True}
    assert sent.headers["Authorization"] == "Bearer github_pat_secret"
    assert sent.headers["Accept"] == "application/vnd.github+json"


def test_an_enterprise_server_has_an_address_of_its_own() -> None:
    assert request("github", url="https://ghe.test/api/v3").url.startswith("https://ghe.test/api/v3/repos/acme/")


def test_jenkins_gets_parameters_and_the_user_of_the_token() -> None:
    sent = request("jenkins")
    assert sent.url == "https://jenkins.test/job/infra/job/reassign/buildWithParameters"
    assert form(sent) == VARIABLES
    assert sent.headers["Authorization"] == "Basic Ym90OjExc2VjcmV0LW9mLWplbmtpbnM="


def test_tekton_gets_a_signed_event_with_numbers_for_times() -> None:
    sent = request("tekton")
    assert sent.url == "https://listener.test/"
    body = sent.body or b""
    assert json.loads(body) == {**NAMES, "issued_at": ISSUED_MS, "age": 250}
    signature = hmac.new(b"secret-of-tekton", body, hashlib.sha256).hexdigest()
    assert sent.headers == {
        "Content-Type": "application/json",
        "X-GitHub-Event": "hcloud-reassign",
        "X-Hub-Signature-256": f"sha256={signature}",
    }


@pytest.mark.parametrize("word", WORDS)
def test_a_request_and_what_it_is_made_from_show_no_secret(word: str) -> None:
    sent = request(word)
    for secret in SECRETS[word].values():
        assert secret not in repr(sent) + sent.url
        assert secret in sent.secrets


@pytest.mark.parametrize("word", WORDS)
def test_nothing_of_a_section_can_leave_its_place_in_an_address(word: str) -> None:
    odd = "a b/../x?y#z%"
    sent = request(word, project=odd, workflow=odd, job="a b/x?y#z%")
    assert not re.search(r"[ ?#]|/\.\./", sent.url.replace("://", ""))


# What can be sent

TEXTS = (
    st.text()
    | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,70}", fullmatch=True)
    | st.sampled_from(
        [
            "web; id",
            "$(id)",
            "`id`",
            "web\nHR_TO=x",
            "",
            "-rf",
            "self",
            "web ",
            "wéb",
            "web\x00",
            "../x",
            "a" * 65,
            "１",
        ]
    )
)
RESOURCE, HOST = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}"


@given(TEXTS, TEXTS, st.integers(), st.integers(), TEXTS)
def test_only_values_of_the_contract_become_a_request(to: str, resource: str, issued: int, age: int, by: str) -> None:
    sound = (
        re.fullmatch(RESOURCE, resource, re.ASCII)
        and re.fullmatch(HOST, to, re.ASCII)
        and to != "self"
        and re.fullmatch(r"[0-9]{13}", str(issued), re.ASCII)
        and re.fullmatch(r"[0-9]{1,9}", str(age), re.ASCII)
        and re.fullmatch(HOST, by, re.ASCII)
    )
    if sound:
        Fields(resource, to, issued, age, by)
    else:
        with pytest.raises(UsageError):
            Fields(resource, to, issued, age, by)


@given(
    st.from_regex(RESOURCE, fullmatch=True),
    st.from_regex(HOST, fullmatch=True).filter(lambda name: name != "self"),
    st.integers(10**12, 10**13 - 1),
    st.integers(0, 10**9 - 1),
)
def test_what_is_sent_arrives_as_it_was(resource: str, to: str, issued: int, age: int) -> None:
    fields = Fields(resource, to, issued, age, to)
    expected = [resource, to, str(issued), str(age), to]
    gitlab = parse_qs((request("gitlab", fields).body or b"").decode(), strict_parsing=True)
    assert [text for key, (text,) in gitlab.items() if key.startswith("variables[")] == expected
    assert list(json.loads(request("github", fields).body or b"")["inputs"].values()) == expected
    assert [text for (text,) in parse_qs((request("jenkins", fields).body or b"").decode()).values()] == expected
    assert [str(value) for value in json.loads(request("tekton", fields).body or b"").values()] == expected


@pytest.mark.parametrize("name", ["resource", "to", "by"])
def test_an_empty_value_is_refused(name: str) -> None:
    given = {"resource": "web", "to": "srv-b", "by": "srv-b", name: ""}
    with pytest.raises(UsageError, match="cannot be sent"):
        Fields(given["resource"], given["to"], ISSUED_MS, 0, given["by"])


def test_self_is_not_sent_because_it_would_be_the_machine_that_executes() -> None:
    with pytest.raises(UsageError, match="no name of a server"):
        Fields("web", "self", ISSUED_MS, 0, "srv-b")


@pytest.mark.parametrize(("issued_ms", "age_ms"), [(10**12 - 1, 0), (10**13, 0), (ISSUED_MS, -1), (ISSUED_MS, 10**9)])
def test_times_with_more_or_fewer_digits_are_refused(issued_ms: int, age_ms: int) -> None:
    with pytest.raises(UsageError):
        Fields("web", "srv-b", issued_ms, age_ms, "srv-b")


def test_a_request_that_is_sent_later_is_older_and_was_issued_when_it_was() -> None:
    later = FIELDS.aged(1500)
    assert (later.issued_at_ms, later.age_ms) == (ISSUED_MS, 1750)
    assert FIELDS.aged(10**12).age_ms == 10**9 - 1


@given(st.text())
def test_every_hostname_can_say_who_asks(name: str) -> None:
    Fields("web", "srv-b", ISSUED_MS, 0, host_like(name))


def test_a_look_goes_to_the_address_of_the_section_and_nowhere_else() -> None:
    jenkins = way("jenkins")
    look = jenkins.trigger.look(jenkins.options, jenkins.secrets, "/queue/item/7")
    assert isinstance(look, HttpRequest)
    assert (look.method, look.url) == ("GET", "https://jenkins.test/queue/item/7/api/json")
