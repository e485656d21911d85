"""Moments as text."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign.core.moments import unix_s

_OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.floats(0, 2e11), _OFFSETS)
def test_a_moment_is_read_as_it_was_written(seconds: float, zone: timezone) -> None:
    assert unix_s(datetime.fromtimestamp(seconds, zone).isoformat()) == pytest.approx(seconds, abs=1e-3)


@pytest.mark.parametrize("fraction", ["", ".5", ".50", ".500000000"])
def test_a_fraction_has_any_number_of_digits_and_utc_two_spellings(fraction: str) -> None:
    seconds = 1795255200 + (0.5 if fraction else 0)
    assert {unix_s(f"2026-11-21{gap}10:00:00{fraction}{zone}") for gap in "Tt " for zone in ("Z", "z", "+00:00")} == {
        seconds
    }


@pytest.mark.parametrize(
    "text",
    ["", "2026-11-21", "2026-11-21T10:00:00", "2026-02-30T10:00:00Z", "2026-11-21T10:00:00+99:00", "10:00:00Z\n"],
)
def test_what_is_no_moment_is_none(text: str) -> None:
    assert unix_s(text) is None


@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_none(text: str) -> None:
    unix_s(text)
