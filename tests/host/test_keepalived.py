"""keepalived's configuration as its own parser takes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcloud_reassign.host.keepalived import NotReadable, Statement, read

Tree = list[tuple[tuple[str, ...], "Tree"]]


def tree(statement: Statement) -> Tree:
    return [(inner.words, tree(inner)) for inner in statement.block]


def of(folder: Path, text: str, host: str = "srv-a") -> Tree:
    (folder / "keepalived.conf").write_text(text, "utf-8")
    return tree(read(str(folder / "keepalived.conf"), host))


def test_statements_stand_a_line_each_and_blocks_between_braces(tmp_path: Path) -> None:
    text = """
        global_defs {
            script_user nobody nogroup
        }
        vrrp_instance VI_1
        {
            state BACKUP
            virtual_ipaddress { 10.0.0.1/32 dev lo }
        }
    """
    address: Tree = [(("10.0.0.1/32", "dev", "lo"), [])]
    assert of(tmp_path, text) == [
        (("global_defs",), [(("script_user", "nobody", "nogroup"), [])]),
        (("vrrp_instance", "VI_1"), [(("state", "BACKUP"), []), (("virtual_ipaddress",), address)]),
    ]


def test_quotes_hold_words_together_and_comments_begin_outside_of_them(tmp_path: Path) -> None:
    text = 'notify "/opt/x a # b" nobody ! it is his\n# notify "no"\nauth_pass "a!b"\n'
    assert of(tmp_path, text) == [(("notify", "/opt/x a # b", "nobody"), []), (("auth_pass", "a!b"), [])]


def test_includes_are_followed_from_where_they_stand(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "b.conf").write_text("second\n")
    (tmp_path / "conf.d" / "a.conf").write_text("first\n")
    assert of(tmp_path, "include conf.d/*.conf\nlast") == [(("first",), []), (("second",), []), (("last",), [])]


def test_a_definition_is_put_in_where_it_is_used(tmp_path: Path) -> None:
    assert of(tmp_path, "$PRIO=100\n$BOTH=${PRIO}1\npriority $PRIO\nother ${BOTH} $NO") == [
        (("priority", "100"), []),
        (("other", "1001", "$NO"), []),
    ]


@pytest.mark.parametrize(("host", "priority"), [("srv-a", "150"), ("srv-b", "100")])
def test_lines_of_other_hosts_do_not_count(tmp_path: Path, host: str, priority: str) -> None:
    assert of(tmp_path, "@srv-a priority 150\n@^srv-a priority 100\n", host) == [(("priority", priority), [])]


def test_a_line_goes_on_behind_a_backslash(tmp_path: Path) -> None:
    assert of(tmp_path, "notify \\\n  /opt/x\n") == [(("notify", "/opt/x"), [])]


def test_a_statement_knows_its_place(tmp_path: Path) -> None:
    (tmp_path / "more.conf").write_text("\nstate MASTER\n")
    (tmp_path / "keepalived.conf").write_text("a {\ninclude more.conf\n}\n")
    (block,) = read(str(tmp_path / "keepalived.conf")).block
    assert (block.place, next(block.all("state")).place) == (
        f"{tmp_path}/keepalived.conf:1",
        f"{tmp_path}/more.conf:2",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a {\n b\n", "keepalived.conf:1: the block of a is not closed"),
        ("a\n}\n", "keepalived.conf:2: a brace is closed that was not opened"),
        ("{\n}\n", "keepalived.conf:1: a brace is opened after nothing"),
        ("include keepalived.conf\n", "keepalived.conf: it includes itself"),
    ],
)
def test_what_cannot_be_read_says_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(NotReadable) as raised:
        of(tmp_path, text)
    assert str(raised.value) == f"{tmp_path}/{said}"


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotReadable, match="No such file"):
        read(str(tmp_path / "keepalived.conf"))


@given(st.text(st.sampled_from('a$@^= "{}\n\\#!/'), max_size=60))
def test_any_text_is_read_or_told_of(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any.conf"
    file.write_text(text)
    try:
        read(str(file), "srv-a")
    except NotReadable as error:
        assert str(error).startswith(str(file))
