"""What holds for every file."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hcloud_reassign.config.faults import Faults
from hcloud_reassign.config.ini import Block, decoded, parse
from hcloud_reassign.config.sections import SECTIONS
from hcloud_reassign.config.settings import Settings
from hcloud_reassign.core.declare import ASSIGNMENT_KEYS
from hcloud_reassign.core.errors import UsageError
from tests.config.fakes import KINDS, WORDS, load_file


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all examples: a fixture of a function would be asked for once for all of them anyway."""
    return tmp_path_factory.mktemp("any") / "any.ini"


def loaded(file: Path, data: bytes) -> Settings | UsageError:
    file.write_bytes(data)
    try:
        return load_file(file)
    except UsageError as error:
        assert error.file == str(file)
        assert error.message
        assert error.next
        return error


_NAMES = [section.word + ("a" if section.word.endswith(".") else "") for section in SECTIONS]
_KEYS = sorted({key.name for section in (*SECTIONS, *KINDS.values()) for key in (*section.keys, *ASSIGNMENT_KEYS)})
_VALUES = ["", "1", "a", "a, b", "yes", "5m", "https://x/v1", "undo", "run", *WORDS, "group.a", "%(a)s", "/tmp", "~"]
lines = st.one_of(
    st.sampled_from(["web", "db", *_NAMES, "DEFAULT", "client "]).map("[{}]".format),
    st.tuples(st.sampled_from(_KEYS), st.sampled_from(["=", " = ", ":"]), st.sampled_from(_VALUES)).map("".join),
    st.sampled_from(["", "; x", "# x", "  # x", "type = ip_floating ; x", "resource = x", "destination = b"]),
    st.text(max_size=12),
)


@given(st.binary(max_size=300))
@example(b"[a\x00]")
def test_any_bytes_are_settings_or_a_usage_error(file: Path, data: bytes) -> None:
    loaded(file, data)


@given(st.text(max_size=300))
@example("[client]\napi_url = http://[")
@example("[client]\napi_url = http://\u2100")
@example("[client]\napi_token_command = '")
@example("[client]\napi_token_file = ~nobody-there/x")
def test_any_text_is_settings_or_a_usage_error(file: Path, text: str) -> None:
    loaded(file, text.encode("utf-8", "replace"))


@given(st.lists(lines, max_size=25).map("\n".join))
def test_any_lines_of_the_format_are_settings_or_a_usage_error_in_one_of_them(file: Path, text: str) -> None:
    found = loaded(file, text.encode("utf-8", "replace"))
    if isinstance(found, UsageError):
        assert found.line is not None
        assert 1 <= found.line <= len(text.splitlines()) + 1


plain = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\u202a\u202b\u202c\u202d\u202e"),
    min_size=1,
    max_size=30,
).filter(
    lambda text: (
        text == text.strip()
        and not any(bad in f" {word}" for word in text.split() for bad in (" ;", " #"))
        and not any("\u2066" <= letter <= "\u2069" for letter in text)
    )
)
words = st.lists(plain.map(lambda text: text.replace(",", "")).filter(str.strip), min_size=1, max_size=4)


@given(resource=plain, destination=plain, note=plain, cooldown=st.integers(0, 10**8), moves=st.integers(0, 10**8))
def test_what_is_written_is_read(
    file: Path, resource: str, destination: str, note: str, cooldown: int, moves: int
) -> None:
    found = loaded(
        file,
        f"[web]\ntype = ip_floating\nresource = {resource}\ndestination= {destination}\nnote ={note}\n"
        f"cooldown = {cooldown}s\nmax_moves_per_hour = {moves}\n".encode(),
    )
    assert isinstance(found, Settings)
    (web,) = found.assignments
    assert (web.resource, web.destination, web.note) == (resource, destination, note)
    assert (web.cooldown_s, web.max_moves_per_hour) == (cooldown, moves)


@given(words.map(lambda found: tuple(dict.fromkeys(word.strip() for word in found))))
def test_a_list_that_is_written_is_read(file: Path, members: tuple[str, ...]) -> None:
    found = loaded(file, f"[web]\ntype = ip_floating\nresource = x\nmembers = {' , '.join(members)}\n".encode())
    if isinstance(found, Settings):
        assert found.assignments[0].members == members
    else:
        assert any(word.startswith((";", "#")) for word in members), "only a comment may shorten a list"


@given(st.lists(lines, max_size=25).map("\n".join))
@example("[web]\nNote : a = b ; c\nx=\n")
def test_the_standard_reader_reads_the_same_from_every_file_that_is_accepted(text: str) -> None:
    faults = Faults("any.ini")
    try:
        ours = parse(decoded(text.encode("utf-8", "replace"), faults), faults)
    except UsageError:
        return
    standard = configparser.RawConfigParser(
        inline_comment_prefixes=(";", "#"), empty_lines_in_values=False, default_section=""
    )
    # A deeper line would go on with the value above, which this format does not have.
    standard.read_string("\n".join(line.lstrip() for line in text.replace("\r", "\n").split("\n")))
    assert {name.strip(): dict(standard.items(name)) for name in standard.sections()} == written(ours)


def written(blocks: dict[str, Block]) -> dict[str, dict[str, str]]:
    return {name: {key: entry.value for key, entry in block.entries.items()} for name, block in blocks.items()}
