"""make audit, against a service that answers as osv.dev does."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.packages.checkout import ROOT, TOOLS, needs_release_tools, run
from tests.platforms.server import Answer, Platform, Received

pytestmark = needs_release_tools

FIXED = "9999.1"


def advisory(name: str, *events: dict[str, str]) -> dict[str, Any]:
    """In the format of OSV, as osv.dev sends one to somebody who asks for a version that it concerns."""
    times = {"published": "2026-11-01T00:00:00Z", "modified": "2026-11-02T00:00:00Z"}
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, *events]}]
    affected = [{"package": {"ecosystem": "PyPI", "name": name}, "ranges": ranges}]
    about = {"summary": "it can be talked into things", "details": "..."}
    return {"id": "GHSA-2xpw-w6gg-jr37", "aliases": ["CVE-2026-9999"], **about, "affected": affected, **times}


class Osv(Platform):
    """Knows one advisory, or none."""

    known: Mapping[str, Any] | None = None

    def handle(self, request: Received) -> Answer:
        name = json.loads(request.body)["package"]["name"]
        concerned = self.known is not None and self.known["affected"][0]["package"]["name"] == name
        return Answer(200, {"vulns": [self.known]} if concerned else {})

    def asked(self) -> set[tuple[str, str]]:
        questions = [json.loads(request.body) for request in self.received]
        assert {question["package"]["ecosystem"] for question in questions} <= {"PyPI"}
        return {(question["package"]["name"], question["version"]) for question in questions}


@pytest.fixture
def osv() -> Iterator[Osv]:
    with Osv() as service:
        yield service


def audit(url: str, *files: str) -> tuple[int, str, str]:
    done = run(TOOLS / "python", ROOT / "packages/audit.py", *files, environ={"OSV_URL": url})
    return done.returncode, done.stdout, done.stderr


def pins(file: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / file).read_text("utf-8"), re.MULTILINE))


def test_every_version_is_asked_for_whatever_python_it_is_for(osv: Osv) -> None:
    code, out, err = audit(osv.url)
    every = pins("packages/vendor.txt") | pins("constraints.txt")
    assert (code, err, out) == (0, "", f"{len(every)} versions, and no vulnerability is known\n")
    assert osv.asked() == every


def test_a_vulnerable_version_is_named_with_its_fix_and_what_to_type(osv: Osv) -> None:
    osv.known = advisory("urllib3", {"fixed": FIXED})
    code, out, err = audit(osv.url)
    (version,) = (version for name, version in pins("packages/vendor.txt") if name == "urllib3")
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        f"error: urllib3 {version} in packages/vendor.txt and constraints.txt:"
        f" CVE-2026-9999 = GHSA-2xpw-w6gg-jr37, fixed in {FIXED}",
        "next:  make constraints PROJECT=urllib3 && make vendor audit",
    ]


def test_where_no_version_fixes_it_the_guide_is_named(osv: Osv) -> None:
    osv.known = advisory("certifi")
    code, _, err = audit(osv.url, "packages/vendor.txt")
    assert code == 1
    assert "fixed in no version" in err
    assert "next:  see docs/releasing.md#an-advisory" in err


def test_nobody_there_is_another_answer_than_none_known(osv: Osv) -> None:
    with osv.down():
        code, out, err = audit(osv.url, "packages/vendor.txt")
    assert (code, out) == (2, "")
    assert f"not audited by {osv.url}" in err
    assert "nothing is known" in err


def test_a_service_that_is_ill_is_another_answer_than_none_known(osv: Osv) -> None:
    osv.answer_with(503, "<html>", times=math.inf)
    code, out, err = audit(osv.url, "packages/vendor.txt")
    assert (code, out) == (2, "")
    assert "503" in err


def test_an_answer_that_is_none_is_another_answer_than_none_known(osv: Osv) -> None:
    osv.answer_with(200, "<html>sign in here</html>", times=math.inf)
    code, out, err = audit(osv.url, "packages/vendor.txt")
    assert (code, out) == (2, "")
    assert "JSONDecodeError" in err


def test_a_file_without_pins_is_another_answer_than_none_known(osv: Osv) -> None:
    code, out, err = audit(osv.url, "LICENSE")
    assert (code, out) == (2, "")
    assert "no name==version in LICENSE" in err
    assert osv.received == []
