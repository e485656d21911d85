"""Labels and label selectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign.simulator.errors import ApiError
from hcloud_reassign.simulator.labels import Selector, valid_key, valid_value

if TYPE_CHECKING:
    from tests.simulator.conftest import Api

LABELS = {"env": "prod", "type": "web", "example.com/my": "label", "just-a-key": ""}


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ("env=prod", True),
        ("env==prod", True),
        ("env = prod", True),
        ("env=dev", False),
        ("env!=dev", True),
        ("env!=prod", False),
        ("missing!=x", True),
        ("env", True),
        ("missing", False),
        ("!env", False),
        ("!missing", True),
        ("env in (dev,prod)", True),
        ("env in ( dev , prod )", True),
        ("env in (dev)", False),
        ("env notin (dev)", True),
        ("env notin (dev,prod)", False),
        ("missing notin (dev)", True),
        ("missing in (dev)", False),
        ("example.com/my=label", True),
        ("just-a-key", True),
        ("just-a-key=", True),
        ("env=prod,type!=database", True),
        ("env in (prod,dev),type in (db,cache)", False),
        ("env=prod, !missing", True),
        ("", True),
    ],
)
def test_a_selector_matches_as_documented(selector: str, wanted: bool) -> None:
    assert Selector.parse(selector).matches(LABELS) is wanted


@pytest.mark.parametrize("selector", ["=x a=b=c", "a in b", "a in (b", ",", "a,,b", "a b", "!", "!a=b", "a=(x)", "-a"])
def test_a_selector_that_cannot_be_read_is_refused(selector: str) -> None:
    with pytest.raises(ApiError) as caught:
        Selector.parse(selector)
    assert (caught.value.status, caught.value.code) == (422, "invalid_input")


words = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?", fullmatch=True).filter(
    lambda word: word not in ("in", "notin")
)


@given(st.dictionaries(words, words, max_size=4), words, st.lists(words, min_size=1, max_size=3))
def test_every_form_of_selector_agrees_with_its_meaning(labels: dict[str, str], key: str, values: list[str]) -> None:
    one, many = values[0], ",".join(values)
    has = labels.get(key)
    meanings = {
        f"{key}={one}": has == one,
        f"{key}=={one}": has == one,
        f"{key}!={one}": has != one,
        key: key in labels,
        f"!{key}": key not in labels,
        f"{key} in ({many})": has in values,
        f"{key} notin ({many})": has not in values,
    }
    for text, wanted in meanings.items():
        assert Selector.parse(text).matches(labels) is wanted, text
    assert Selector.parse(",".join(meanings)).matches(labels) is all(meanings.values())


@given(st.text(max_size=40))
def test_no_text_makes_the_selector_crash(text: str) -> None:
    try:
        Selector.parse(text)
    except ApiError as error:
        assert error.status == 422


@pytest.mark.parametrize(
    "key", ["a", "a-b_c.d", "example.com/my", "hcloud-reassign/claim", "hcloud-reassign/route.0.0.0.0_0", "A" * 63]
)
def test_a_valid_key_is_accepted(key: str) -> None:
    assert valid_key(key)


@pytest.mark.parametrize(
    "key", ["", "-a", "a-", "a/b/c", "/a", "a/", "hetzner.cloud/x", "A" * 64, "ex ample/a", "a:b", "Ex.com/a", "a\n"]
)
def test_an_invalid_key_is_refused(key: str) -> None:
    assert not valid_key(key)


def test_values_follow_the_same_alphabet_and_may_be_empty() -> None:
    assert valid_value("") and valid_value("1800000000000.srv-b") and valid_value("x" * 63)
    assert not any(valid_value(value) for value in ("x" * 64, ".x", "x y", "x/y", "x\n"))


@pytest.mark.parametrize("path", ["servers/10", "floating_ips/501", "primary_ips/701", "networks/4711"])
def test_a_put_replaces_the_whole_label_map(api: Api, path: str) -> None:
    key = path.split("/")[0].removesuffix("s")
    assert api.put(path, {"labels": {"a": "1", "b": "2"}}).data[key]["labels"] == {"a": "1", "b": "2"}
    assert api.put(path, {"labels": {"c": "3"}}).status == 200
    assert api.get(path).data[key]["labels"] == {"c": "3"}


def test_a_put_without_labels_leaves_them(api: Api) -> None:
    assert api.put("servers/10", {"name": "other"}).data["server"]["labels"] == {"role": "web"}
    assert api.sim.state.servers[10].name == "other"


@pytest.mark.parametrize("labels", [{"a b": "x"}, {"a": "x y"}, {"a": 1}, ["a"], None, {"hetzner.cloud/a": "x"}])
def test_a_put_with_invalid_labels_changes_nothing(api: Api, labels: object) -> None:
    answer = api.put("servers/10", {"labels": labels})
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert api.sim.state.servers[10].labels == {"role": "web"}


def test_a_name_in_use_is_a_uniqueness_error(api: Api) -> None:
    answer = api.put("floating_ips/501", {"name": "web6"})
    assert (answer.status, answer.code) == (409, "uniqueness_error")
    assert api.put("floating_ips/501", {"name": "web"}).status == 200


def test_the_other_fields_are_checked_and_set(api: Api) -> None:
    assert api.put("primary_ips/701", {"auto_delete": True}).data["primary_ip"]["auto_delete"] is True
    assert api.put("primary_ips/701", {"auto_delete": "yes"}).status == 422
    assert api.put("floating_ips/501", {"description": None}).data["floating_ip"]["description"] is None
    assert api.put("floating_ips/501", {"description": 5}).status == 422
    assert api.put("networks/4711", {"expose_routes_to_vswitch": True}).status == 200
