"""The label that says how far a primary IP move was to go, and which kinds there are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign import kinds
from hcloud_reassign.core.claims import INTENTION
from hcloud_reassign.core.kind import Kind
from hcloud_reassign.kinds.intention import Intention, intention_in

ids = st.integers(1, 2**53 - 1)
intentions = st.builds(Intention, st.just(0) | ids, st.booleans(), ids, st.booleans(), displaced=st.just(0) | ids)


@given(intentions)
def test_an_intention_written_as_a_label_is_read_back_as_it_was(intention: Intention) -> None:
    assert intention_in({INTENTION: intention.value}) == intention


@given(intentions)
def test_an_intention_is_a_label_that_hetzner_accepts(intention: Intention) -> None:
    assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", intention.value)


def test_an_intention_has_the_documented_form() -> None:
    assert Intention(1, True, 2, False, 23).value == "1-on.2-off.23"


@pytest.mark.parametrize("value", ["", "1-on.2-off", "1-on.2-off.", "1-up.2-off.0", "1-on.2-off.0 ", "-on.2-off.0"])
def test_a_label_that_is_no_intention_is_none(value: str) -> None:
    assert intention_in({INTENTION: value}) is None
    assert intention_in({}) is None


@given(st.text(max_size=70))
def test_no_text_in_a_label_is_more_than_an_intention_or_none(value: str) -> None:
    intention_in({INTENTION: value})


def test_an_intention_tells_which_servers_shall_run() -> None:
    assert Intention(1, True, 2, False).power == {1: True, 2: False}
    assert Intention(0, False, 2, True).power == {2: True}


@pytest.mark.parametrize("word", kinds.WORDS)
def test_every_word_of_a_type_names_its_kind(word: str) -> None:
    found = kinds.kind(word)
    assert isinstance(found, Kind)
    assert found.word == word
    assert kinds.kind(word) is found
    assert found.section.example.startswith("[")


def test_routes_is_another_word_for_route() -> None:
    assert kinds.kind("routes") is kinds.kind("route")


def test_a_word_of_no_kind_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        kinds.kind("ip_flying")
