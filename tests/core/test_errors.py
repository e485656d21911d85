"""Exit codes and the errors that carry them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign.core.errors import (
    AccessError,
    Ambiguous,
    ExitCode,
    FailedError,
    Missing,
    ReassignError,
    UsageError,
    nearest,
    worst,
)

WORST_FIRST = (5, 130, 1, 4, 2, 3, 0)


@pytest.mark.parametrize(("worse", "better"), list(itertools.combinations(WORST_FIRST, 2)))
def test_of_two_exit_codes_the_worse_one_wins_in_any_order(worse: int, better: int) -> None:
    assert worst([worse, better]) == worst([better, worse]) == worse


def test_nothing_at_all_is_ok() -> None:
    assert worst([]) is ExitCode.OK


@given(st.lists(st.sampled_from(WORST_FIRST), min_size=1))
def test_ok_needs_everything_to_be_ok(codes: list[int]) -> None:
    assert (worst(codes) == 0) is (set(codes) == {0})
    assert worst(codes) in codes


@pytest.mark.parametrize("code", list(ExitCode))
def test_every_exit_code_has_a_word_and_a_meaning(code: ExitCode) -> None:
    assert code.word == code.name.lower()
    assert code.meaning


@pytest.mark.parametrize(
    ("error", "code"),
    [(UsageError, 2), (AccessError, 4), (FailedError, 1), (ReassignError, 1)],
)
def test_every_error_knows_its_exit_code(error: type[ReassignError], code: int) -> None:
    assert error("it failed").exit_code == code
    assert str(error("it failed")) == "it failed"


def test_an_error_says_where_it_was_found_and_what_to_do() -> None:
    error = UsageError("no", object="a", file="f", line=3, key="k", suggestion="s", next="n")
    found = (error.object, error.file, error.line, error.key, error.suggestion, error.next)
    assert found == ("a", "f", 3, "k", "s", "n")


def test_a_missing_name_is_a_usage_error_with_the_nearest_name() -> None:
    error = Missing("server", "srv-aa", ["srv-a", "other"], next="look")
    assert error.exit_code == ExitCode.USAGE
    assert error.code == "not_found"
    assert error.message == "there is no server 'srv-aa'; did you mean 'srv-a'?"
    assert (error.object, error.suggestion, error.next) == ("srv-aa", "srv-a", "look")


def test_a_missing_name_with_nothing_near_says_no_more() -> None:
    assert Missing("server", "zzz", ["srv-a"]).message == "there is no server 'zzz'"
    assert Missing("server", "zzz").suggestion is None


def test_an_ambiguous_name_keeps_its_message() -> None:
    assert Ambiguous("two of them").message == str(Ambiguous("two of them")) == "two of them"


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("web1", ["web01", "db01"], "web01"),
        ("WEB01", ["web01", "db01"], "web01"),
        ("web01", ["WEB01"], "WEB01"),
        ("x", ["web01"], None),
        ("x", [], None),
        ("", ["web01"], None),
    ],
)
def test_the_nearest_name_is_found_without_regard_to_case(name: str, known: list[str], expected: str | None) -> None:
    assert nearest(name, known) == expected


@given(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=6))
def test_the_nearest_name_is_one_that_is_known(name: str, known: list[str]) -> None:
    assert nearest(name, known) in (None, *known)


@given(st.text(min_size=1, max_size=12))
def test_a_name_is_nearest_to_itself(name: str) -> None:
    assert nearest(name, [name]) == name
