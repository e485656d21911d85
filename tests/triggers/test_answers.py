"""What each platform's answers mean."""

from __future__ import annotations

import json

import pytest

from hcloud_reassign.core.errors import ExitCode
from hcloud_reassign.triggers import WORDS
from hcloud_reassign.triggers.shape import Accepted, Down, Ended, Going, Hidden, HttpAnswer, HttpRequest, Refused
from tests.triggers.samples import GOOD, answer, request, way


def judged(word: str, said: HttpAnswer) -> Accepted | Refused | Down:
    asked = way(word)
    return asked.trigger.judge(asked.options, said)


def seen(word: str, said: HttpAnswer) -> Going | Ended | Hidden | Down:
    asked = way(word)
    return asked.trigger.judge_look(asked.options, said)


def test_each_platform_accepts_in_its_own_way() -> None:
    assert [judged(word, GOOD[word]) for word in WORDS] == [
        Accepted("1001", "https://gitlab.test/p/1001", "1001"),
        Accepted("1001", "https://github.com/r/1001", "1001"),
        Accepted("1001", "https://jenkins.test/queue/item/1001/", "/queue/item/1001"),
        Accepted("1001", confirmed=False),
    ]


def test_an_older_github_accepts_without_saying_which_run() -> None:
    accepted = Accepted(None, "https://github.com/acme/failover/actions/workflows/reassign.yml")
    assert judged("github", answer(204)) == accepted


def test_jenkins_behind_something_that_drops_the_location_has_accepted_all_the_same() -> None:
    assert judged("jenkins", answer(201)) == Accepted(None, "https://jenkins.test/job/infra/job/reassign")


NOT_OF_THE_PLATFORM = (answer(200, b"<html>Please log in</html>"), answer(200, b"[1]"), answer(201, {"id": None}))


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("said", NOT_OF_THE_PLATFORM)
def test_a_good_status_of_something_else_is_not_taken_for_accepted(word: str, said: HttpAnswer) -> None:
    if (word, said.status) != ("jenkins", 201):
        found = judged(word, said)
        assert isinstance(found, Down) and found.maybe


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_a_token_may_not_is_a_refused_token_and_says_what_to_look_at(word: str, status: int) -> None:
    found = judged(word, answer(status))
    assert isinstance(found, Refused)
    assert (found.message, found.code) == (f"HTTP {status}", ExitCode.ACCESS)
    assert found.next


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("status", [400, 405, 409, 422])
def test_what_is_refused_for_another_reason_is_a_failure(word: str, status: int) -> None:
    found = judged(word, answer(status))
    assert isinstance(found, Refused) and found.code == ExitCode.FAILED and found.next


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused(word: str, status: int) -> None:
    found = judged(word, answer(status, Location="https://elsewhere.test/"))
    assert isinstance(found, Refused) and "redirect" in found.message and "elsewhere" not in found.message


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(("status", "maybe"), [(500, True), (502, True), (503, False), (504, True), (429, False)])
def test_what_may_pass_is_tried_again(word: str, status: int, maybe: bool) -> None:
    found = judged(word, answer(status, Retry_After="7"))
    assert isinstance(found, Down)
    assert (found.maybe, found.retry_after_s) == (maybe, 7.0)


@pytest.mark.parametrize("text", ["soon", "-1", "1.5", "9999999", "Sat, 21 Nov 2026 15:00:00 GMT", "٣"])
def test_a_wait_that_is_no_number_of_seconds_is_left_to_our_own_pauses(text: str) -> None:
    assert answer(429, Retry_After=text).retry_after_s is None


def test_github_wants_to_be_asked_later_when_its_limit_is_used_up() -> None:
    assert isinstance(judged("github", answer(403, X_RateLimit_Remaining="0")), Down)
    assert isinstance(judged("github", answer(403, Retry_After="60")), Down)
    assert isinstance(judged("github", answer(403, X_RateLimit_Remaining="12")), Refused)


MESSAGES = (
    ("gitlab", answer(400, {"message": {"base": ["Reference not found", "second"]}}), "Reference not found; second"),
    ("gitlab", answer(400, {"error": "ref is missing"}), "ref is missing"),
    ("gitlab", answer(404, {"message": "404 Project Not Found"}), "404 Project Not Found"),
    ("github", answer(422, {"message": "No ref found for: x"}), "No ref found for: x"),
    ("tekton", answer(400, {"errorMessage": "not JSON"}), "not JSON"),
    ("jenkins", answer(403, b"<h1>a page of many lines</h1>"), ""),
    ("gitlab", answer(400, {"message": {"base": 7, "x": None}}), ""),
)


@pytest.mark.parametrize(("word", "said", "words"), MESSAGES)
def test_the_platforms_own_words_are_told(word: str, said: HttpAnswer, words: str) -> None:
    found = judged(word, said)
    assert isinstance(found, Refused)
    assert found.message == (f"HTTP {said.status}: {words}" if words else f"HTTP {said.status}")


def test_a_message_that_is_nested_deeper_than_any_is_none() -> None:
    deep = b'{"message": ' + b"[" * 800 + b'"x"' + b"]" * 800 + b"}"
    for word in ("gitlab", "github"):
        found = judged(word, answer(400, deep))
        assert isinstance(found, Refused) and found.message == "HTTP 400"


@pytest.mark.parametrize("half", ["\ud800", "7\x00", "7\r\nX: 1"])
def test_an_id_that_cannot_be_sent_back_is_none(half: str) -> None:
    for word, name in (("gitlab", "id"), ("github", "workflow_run_id")):
        assert judged(word, answer(201, {name: half})) == Down(
            f"an answer that is not one of {way(word).trigger.title}", maybe=True
        )


def test_a_proxy_that_wants_to_know_who_asks_is_told_as_one_and_not_quoted() -> None:
    found = judged("github", answer(407, {"message": "whatever a proxy says"}))
    assert isinstance(found, Refused)
    assert "proxy" in found.message and "whatever" not in found.message and "HTTPS_PROXY" in found.next


def test_a_long_message_is_cut() -> None:
    found = judged("gitlab", answer(400, {"message": ["x" * 5000] * 10}))
    assert len(found.message if isinstance(found, Refused) else "") < 400


def test_variables_that_are_not_allowed_are_answered_with_inputs() -> None:
    found = judged("gitlab", answer(400, {"message": {"base": ["Insufficient permissions to set pipeline variables"]}}))
    assert isinstance(found, Refused) and "inputs = yes" in found.next


# A wish that an older GitHub does not know

UNKNOWN = {"message": 'Invalid request.\n\n"return_run_details" is not a permitted key.'}


@pytest.mark.parametrize("status", [400, 422])
def test_an_older_github_is_asked_again_without_that_wish(status: int) -> None:
    first = request("github")
    second = way("github").trigger.instead(first, answer(status, UNKNOWN))
    assert second is not None
    assert "return_run_details" not in json.loads(second.body or b"")
    assert json.loads(second.body or b"")["inputs"] == json.loads(first.body or b"")["inputs"]
    assert way("github").trigger.instead(second, answer(status, UNKNOWN)) is None


@pytest.mark.parametrize("said", [answer(422, {"message": "No ref found"}), answer(500, UNKNOWN), answer(204)])
def test_nothing_else_is_a_reason_to_ask_again_without_it(said: HttpAnswer) -> None:
    assert way("github").trigger.instead(request("github"), said) is None


# How a run is


@pytest.mark.parametrize(
    ("word", "data", "expected"),
    [
        ("gitlab", {"status": "pending"}, Going("pending")),
        ("gitlab", {"status": "waiting_for_resource"}, Going("waiting_for_resource")),
        ("gitlab", {"status": "success"}, Ended(True, "success")),
        ("gitlab", {"status": "failed"}, Ended(False, "failed")),
        ("gitlab", {"status": "canceled"}, Ended(False, "canceled")),
        ("gitlab", {"status": "skipped"}, Ended(False, "skipped")),
        ("github", {"status": "queued", "conclusion": None}, Going("queued")),
        ("github", {"status": "in_progress"}, Going("in_progress")),
        ("github", {"status": "completed", "conclusion": "success"}, Ended(True, "success")),
        ("github", {"status": "completed", "conclusion": "cancelled"}, Ended(False, "cancelled")),
        ("github", {"status": "completed", "conclusion": None}, Ended(False, "no conclusion")),
        ("jenkins", {"id": 7, "why": "Waiting", "executable": None}, Going("queued")),
        ("jenkins", {"id": 7, "cancelled": True}, Ended(False, "cancelled")),
        (
            "jenkins",
            {"id": 7, "executable": {"number": 3, "url": "https://elsewhere.test/job/x/3/"}},
            Going("running", "/job/infra/job/reassign/3", "https://jenkins.test/job/infra/job/reassign/3/"),
        ),
        ("jenkins", {"building": True, "result": None, "id": "3"}, Going("running")),
        ("jenkins", {"building": False, "result": None, "id": "3"}, Going("running")),
        ("jenkins", {"building": False, "result": "SUCCESS"}, Ended(True, "success")),
        ("jenkins", {"building": False, "result": "UNSTABLE"}, Ended(False, "unstable")),
        ("jenkins", {"building": False, "result": "ABORTED"}, Ended(False, "aborted")),
    ],
)
def test_the_state_of_a_run_is_told(word: str, data: object, expected: Going | Ended) -> None:
    assert seen(word, answer(200, data)) == expected


@pytest.mark.parametrize("word", ["gitlab", "github", "jenkins"])
def test_a_state_that_may_not_be_read_is_hidden_and_one_that_is_not_there_is_asked_again(word: str) -> None:
    assert isinstance(seen(word, answer(403)), Hidden)
    assert isinstance(seen(word, answer(404)), Hidden)
    assert isinstance(seen(word, answer(502)), Down)
    assert isinstance(seen(word, answer(200, b"<html>")), Down)


def test_a_trigger_token_of_gitlab_cannot_look_and_another_one_can() -> None:
    bare = way("gitlab")
    assert isinstance(bare.trigger.look(bare.options, bare.secrets, "7"), Hidden)
    more = way("gitlab", secrets={"token_file": "glptt", "read_token_file": "glpat"})
    look = more.trigger.look(more.options, more.secrets, "7")
    assert isinstance(look, HttpRequest)
    assert look.url == "https://gitlab.test/sub/api/v4/projects/infra%2Ffailover/pipelines/7"
    assert look.headers == {"PRIVATE-TOKEN": "glpat"}
