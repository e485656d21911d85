"""Values for people: harmless on a terminal, as wide as they look, and times that anybody can read."""

from __future__ import annotations

import pytest

from hcloud_reassign.core.shown import clean, moment, seconds, width

NOW = 1_790_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain äöü 日本", "plain äöü 日本"),
        ("a\nb\rc\td", "a\\nb\\rc d"),
        ("\x00\x1b[31m\x7f\x9f", "\\x00\\x1b[31m\\x7f\\x9f"),
        ("\u200b\u202e\ufeff\ud800", "\\u200b\\u202e\\ufeff\\ud800"),
        ("\xa0\u2027\u206a", "\xa0\u2027\u206a"),
        (5, "5"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_as_an_escape(text: object, expected: str) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("abc", 3), ("äöü", 3), ("e\u0301", 1), ("日本", 4), ("\uff21b", 3)],
)
def test_a_text_is_as_wide_as_it_looks(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (NOW, "2026-09-21 14:13:20 UTC"),
        (NOW + 999, "2026-09-21 14:13:20 UTC"),
        (-1, "1970-01-01 00:00:00 UTC"),
        (10**60, "9999-12-31 23:59:59 UTC"),
    ],
)
def test_a_time_is_told_in_utc_whatever_a_label_holds(ms: int, expected: str) -> None:
    assert moment(ms) == expected
    assert moment(ms, ms - 1) == expected


@pytest.mark.parametrize(
    ("past_s", "expected"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (86399, "23 h"),
        (86400, "1 d"),
        (172800, "2 d"),
    ],
)
def test_how_long_ago_it_was_is_told_in_the_largest_unit(past_s: int, expected: str) -> None:
    assert moment(NOW, NOW + past_s * 1000) == f"{expected} ago (2026-09-21 14:13:20 UTC)"
    assert moment(NOW, NOW + past_s * 1000 + 999) == f"{expected} ago (2026-09-21 14:13:20 UTC)"


@pytest.mark.parametrize(
    ("ms", "expected"), [(None, ""), (0, "0 ms"), (999, "999 ms"), (1000, "1.0 s"), (1449, "1.4 s"), (90_000, "90.0 s")]
)
def test_a_duration_is_told_in_milliseconds_or_seconds(ms: int | None, expected: str) -> None:
    assert seconds(ms) == expected
