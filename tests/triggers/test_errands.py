"""A request on its way: again, elsewhere, until its end; on a virtual clock, against answers that a test gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, repeat

import pytest

from hcloud_reassign.core.errors import ExitCode
from hcloud_reassign.triggers.errand import Errand, carry_out
from hcloud_reassign.triggers.fields import Fields
from hcloud_reassign.triggers.result import Result, Way
from hcloud_reassign.triggers.shape import HttpAnswer, HttpRequest, NoAnswer
from tests.harness import VirtualClock
from tests.triggers.samples import FIELDS, GOOD, ISSUED_MS, answer, way

REFUSED = NoAnswer("the connection is refused")
LOST = NoAnswer("the connection broke", maybe=True)
HANGS = "hangs"
Said = HttpAnswer | NoAnswer | str


class Net:
    """Hosts by name, each with the answers it gives, the last one for ever; `sent` is when what was asked of whom."""

    def __init__(self, **hosts: Iterable[Said]) -> None:
        self.clock = VirtualClock()
        self._hosts = {name: _for_ever(list(answers)) for name, answers in hosts.items()}
        self.sent: list[tuple[float, str, HttpRequest]] = []
        self.limits: list[float] = []
        self.heard: list[tuple[str, bool]] = []

    def send(self, request: HttpRequest, seconds: float) -> HttpAnswer:
        host = next(name for name in self._hosts if f"//{name}." in request.url or f".{name}.com" in request.url)
        self.sent.append((self.clock.monotonic(), host, request))
        self.limits.append(seconds)
        assert seconds > 0
        said = next(self._hosts[host])
        if said == HANGS:
            self.clock.advance(seconds)
            raise NoAnswer("no answer in time", maybe=True)
        if isinstance(said, NoAnswer):
            raise NoAnswer(said.message, maybe=said.maybe, again=said.again)
        assert isinstance(said, HttpAnswer)
        return said

    def errand(self, ways: Sequence[Way], fields: Fields = FIELDS, follow: bool = False) -> Errand:
        tell: Callable[[str, bool], None] = lambda text, loud: self.heard.append((text, loud))  # noqa: E731
        return Errand(fields, ways, follow=follow, clock=self.clock.monotonic, send=self.send, tell=tell)

    def run(self, ways: Sequence[Way], *, seconds: float = 60, follow: bool = False) -> Result:
        (result,) = self.run_all([self.errand(ways, follow=follow)], seconds)
        return result

    def run_all(self, errands: Sequence[Errand], seconds: float = 60) -> list[Result]:
        carry_out(errands, seconds, self.clock.monotonic, self.clock.advance)
        assert self.clock.monotonic() <= seconds
        return [errand.result for errand in errands if errand.result]

    @property
    def asked(self) -> list[str]:
        return [host for _, host, _ in self.sent]


def _for_ever(answers: list[Said]) -> Iterator[Said]:
    return chain(answers, repeat(answers[-1]))


GITLAB, GITHUB = way("gitlab", "first"), way("github", "second")
ACCEPTED = GOOD["gitlab"]


def test_what_is_accepted_is_asked_once() -> None:
    net = Net(gitlab=[ACCEPTED])
    result = net.run([GITLAB])
    assert (result.outcome, result.code, result.tries) == ("accepted", ExitCode.OK, 1)
    assert (result.accepted and result.accepted.id, result.url) == ("1001", "https://gitlab.test/p/1001")
    assert len(net.sent) == 1


@pytest.mark.parametrize("said", [REFUSED, LOST, answer(502), answer(503), answer(504), answer(429), answer(200, b"<")])
def test_what_may_pass_is_asked_again_after_growing_pauses(said: Said) -> None:
    net = Net(gitlab=[said, said, said, ACCEPTED])
    result = net.run([GITLAB])
    assert (result.outcome, result.tries) == ("accepted", 4)
    first, second, third, fourth = (at for at, _, _ in net.sent)
    assert 0.3 < second - first < 0.7 and 0.7 < third - second < 1.3 and 1.4 < fourth - third < 2.6


@pytest.mark.parametrize(("status", "code"), [(400, 1), (401, 4), (403, 4), (404, 4), (422, 1), (302, 1)])
def test_what_is_refused_is_not_asked_again(status: int, code: int) -> None:
    net = Net(gitlab=[answer(status), ACCEPTED])
    result = net.run([GITLAB])
    assert (result.outcome, int(result.code), result.tries) == ("failed", code, 1)
    assert result.message and result.message.startswith(f"first: HTTP {status}")
    assert result.next


def test_what_cannot_go_better_another_time_is_not_asked_again() -> None:
    net = Net(gitlab=[NoAnswer("its certificate is not trusted", again=False)])
    assert (net.run([GITLAB]).code, len(net.sent)) == (ExitCode.FAILED, 1)


def test_the_time_that_the_platform_asks_for_is_kept() -> None:
    net = Net(gitlab=[answer(429, Retry_After="20"), ACCEPTED])
    assert net.run([GITLAB]).outcome == "accepted"
    assert net.sent[1][0] == 20


def test_a_time_that_is_not_left_is_not_waited_for() -> None:
    net = Net(gitlab=[answer(503, Retry_After="90"), ACCEPTED])
    result = net.run([GITLAB])
    assert (result.outcome, result.code) == ("failed", ExitCode.FAILED)
    assert result.message == "first: HTTP 503" and net.clock.monotonic() == 0
    assert result.next and "gitlab.test" in result.next


@pytest.mark.parametrize(
    ("said", "outcome", "code"),
    [
        (REFUSED, "failed", ExitCode.FAILED),
        (answer(503), "failed", ExitCode.FAILED),
        (LOST, "unknown", ExitCode.UNKNOWN),
        (HANGS, "unknown", ExitCode.UNKNOWN),
        (answer(504), "unknown", ExitCode.UNKNOWN),
    ],
)
def test_it_is_unknown_only_if_it_may_have_been_accepted(said: Said, outcome: str, code: ExitCode) -> None:
    result = Net(gitlab=[said]).run([GITLAB], seconds=5)
    assert (result.outcome, result.code) == (outcome, code)
    assert ("to ask again is safe" in (result.message or "")) == (outcome == "unknown")


def test_it_stays_unknown_when_a_refusal_comes_after_an_answer_that_was_lost() -> None:
    result = Net(gitlab=[LOST, answer(401)]).run([GITLAB])
    assert (result.outcome, result.tries) == ("unknown", 2)


def test_each_try_tells_how_old_the_request_is_by_then_and_when_it_was_issued() -> None:
    net = Net(github=[REFUSED, REFUSED, GOOD["github"]])
    result = net.run([GITHUB])
    sent = [json.loads(request.body or b"")["inputs"] for _, _, request in net.sent]
    assert [int(inputs["age"]) for inputs in sent] == [250 + int(at * 1000) for at, _, _ in net.sent]
    assert {inputs["issued_at"] for inputs in sent} == {str(ISSUED_MS)}
    assert result.fields.age_ms == int(sent[-1]["age"]) > 1000


# Elsewhere


@pytest.mark.parametrize("said", [REFUSED, LOST, answer(503), answer(401), answer(400)])
def test_the_fallback_is_asked_at_once_when_the_first_does_not_accept(said: Said) -> None:
    net = Net(gitlab=[said], github=[GOOD["github"]])
    result = net.run([GITLAB, GITHUB])
    assert (result.outcome, result.way.name, net.clock.monotonic()) == ("accepted", "second", 0)
    assert result.message and result.message.startswith("in place of first: ")


def test_one_that_hangs_leaves_time_for_its_fallback() -> None:
    net = Net(gitlab=[HANGS], github=[GOOD["github"]])
    assert net.run([GITLAB, GITHUB], seconds=5).outcome == "accepted"
    assert net.limits == [2.5, 2.5]


def test_one_that_hangs_leaves_time_for_other_requests() -> None:
    net = Net(gitlab=[HANGS, ACCEPTED])
    results = net.run_all([net.errand([GITLAB]) for _ in range(2)], 5)
    assert [(result.outcome, result.tries) for result in results] == [("accepted", 2), ("accepted", 1)]
    assert net.limits[0] == 2.5


def test_one_answer_takes_no_longer_than_its_section_allows() -> None:
    net = Net(gitlab=[HANGS, ACCEPTED])
    assert net.run([way("gitlab", "first", timeout=3.0)]).outcome == "accepted"
    assert net.limits[0] == 3


def test_one_that_refused_is_not_asked_again_while_another_is_down() -> None:
    net = Net(gitlab=[answer(401)], github=[REFUSED, REFUSED, GOOD["github"]])
    assert net.run([GITLAB, GITHUB]).outcome == "accepted"
    assert net.asked == ["gitlab", "github", "github", "github"]


def test_the_first_is_asked_again_as_well_while_both_are_down() -> None:
    net = Net(gitlab=[REFUSED, ACCEPTED], github=[REFUSED])
    assert net.run([GITLAB, GITHUB]).way.name == "first"
    assert net.asked == ["gitlab", "github", "gitlab"]


def test_one_that_asks_for_time_is_left_alone_while_the_other_is_tried() -> None:
    net = Net(gitlab=[answer(429, Retry_After="30")], github=[REFUSED, REFUSED, GOOD["github"]])
    assert net.run([GITLAB, GITHUB]).way.name == "second"
    assert net.asked.count("gitlab") == 1


def test_when_nobody_accepts_all_that_was_said_is_told() -> None:
    result = Net(gitlab=[answer(404)], github=[REFUSED]).run([GITLAB, GITHUB], seconds=3)
    assert result.message == "first: HTTP 404; second: the connection is refused"
    assert (result.code, result.way.name) == (ExitCode.FAILED, "first")
    both = Net(gitlab=[answer(404)], github=[answer(401)]).run([GITLAB, GITHUB])
    assert both.code == ExitCode.ACCESS


# A wish that an older server does not know


def test_an_older_github_is_asked_a_second_time_at_once_and_never_after_a_lost_answer() -> None:
    unknown = answer(422, {"message": '"return_run_details" is not a permitted key.'})
    net = Net(github=[unknown, answer(204)])
    assert (net.run([GITHUB]).outcome, net.clock.monotonic()) == ("accepted", 0)
    lost = Net(github=[LOST, GOOD["github"]])
    lost.run([GITHUB])
    assert all(b"return_run_details" in (request.body or b"") for _, _, request in lost.sent)


# To its end


def test_a_run_is_followed_to_its_good_end() -> None:
    going = [answer(200, {"status": word}) for word in ("queued", "queued", "in_progress")]
    done = answer(200, {"status": "completed", "conclusion": "success"})
    net = Net(github=[GOOD["github"], *going, done])
    result = net.run([GITHUB], follow=True, seconds=600)
    assert (result.outcome, result.code, result.run) == ("done", ExitCode.OK, "success")
    assert [text for text, loud in net.heard if loud] == [
        "floating.web: accepted by second",
        "floating.web: queued",
        "floating.web: in_progress",
    ]


def test_a_run_that_ends_badly_is_a_failure_that_says_where_to_look() -> None:
    net = Net(github=[GOOD["github"], answer(200, {"status": "completed", "conclusion": "failure"})])
    result = net.run([GITHUB], follow=True)
    assert (result.outcome, result.code) == ("failed", ExitCode.FAILED)
    assert result.next == "look at https://github.com/r/1001"


def test_a_build_of_jenkins_is_followed_from_the_queue() -> None:
    queued = answer(200, {"id": 1001, "executable": None})
    left = answer(200, {"id": 1001, "executable": {"number": 3}})
    built = answer(200, {"building": False, "result": "SUCCESS"})
    net = Net(jenkins=[GOOD["jenkins"], queued, LOST, left, answer(502), built])
    result = net.run([way("jenkins")], follow=True)
    assert (result.outcome, result.url) == ("done", "https://jenkins.test/job/infra/job/reassign/3/")
    assert [request.url.removeprefix("https://jenkins.test") for _, _, request in net.sent][1:] == [
        "/queue/item/1001/api/json",
        "/queue/item/1001/api/json",
        "/queue/item/1001/api/json",
        "/job/infra/job/reassign/3/api/json",
        "/job/infra/job/reassign/3/api/json",
    ]


def test_a_run_that_does_not_end_in_time_is_unknown() -> None:
    net = Net(github=[GOOD["github"], answer(200, {"status": "queued"})])
    result = net.run([GITHUB], follow=True, seconds=300)
    assert (result.outcome, result.code, result.run) == ("unknown", ExitCode.UNKNOWN, "queued")
    assert len(net.sent) < 70


@pytest.mark.parametrize(
    ("ways", "said"),
    [
        ([way("gitlab")], [GOOD["gitlab"]]),
        ([way("github")], [answer(204)]),
        ([way("github")], [GOOD["github"], answer(403)]),
        ([way("tekton")], [GOOD["tekton"]]),
    ],
    ids=["gitlab without another token", "older github", "github that may not be read", "tekton"],
)
def test_an_end_that_cannot_be_seen_is_unknown_at_once(ways: list[Way], said: list[Said]) -> None:
    host = {"gitlab": "gitlab", "github": "github", "tekton": "listener"}[ways[0].name]
    net = Net(**{host: said})
    result = net.run(ways, follow=True, seconds=600)
    assert (result.outcome, result.code) == ("unknown", ExitCode.UNKNOWN)
    assert (result.message or "").startswith("accepted; what became of it cannot be seen")
    assert net.clock.monotonic() < 3


def test_what_tekton_answers_is_not_told_as_accepted() -> None:
    result = Net(listener=[GOOD["tekton"]]).run([way("tekton")])
    assert (result.outcome, result.code) == ("sent", ExitCode.OK)
    assert "is not known" in (result.message or "")


# Ended early


def test_what_is_interrupted_tells_how_far_it_was() -> None:
    net = Net(gitlab=[LOST], github=[GOOD["github"], answer(200, {"status": "queued"})])
    asking, waiting, idle = net.errand([GITLAB]), net.errand([GITHUB], follow=True), net.errand([GITLAB])
    asking.step(5)
    waiting.step(5)
    waiting.step(5)
    for errand in (asking, waiting, idle):
        errand.interrupt()
    results = [errand.result for errand in (asking, waiting, idle) if errand.result]
    assert {result.code for result in results} == {ExitCode.INTERRUPTED}
    told = [result.message or "" for result in results]
    assert "may have been accepted" in told[0]
    assert told[1:] == ["it goes on: queued", "nothing was sent"]
