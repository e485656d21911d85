"""Whether keepalived runs a script: the table of owners and modes, on files that only seem to be there."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

import pytest

from hcloud_reassign.host import scripts
from hcloud_reassign.host.scripts import Script, User

ROOT, NOBODY = User("root", 0, 0), User("nobody", 65534, 65534)
SCRIPT = "/opt/x/notify"
Entry = tuple[int, int, int]
"""Mode, owner, group."""
FOLDER: Entry = (stat.S_IFDIR | 0o755, 0, 0)
FILE: Entry = (stat.S_IFREG | 0o755, 0, 0)
SOUND: Mapping[str, Entry] = {"/": FOLDER, "/opt": FOLDER, "/opt/x": FOLDER, SCRIPT: FILE}


def made(monkeypatch: pytest.MonkeyPatch, entries: Mapping[str, Entry]) -> None:
    def entry(path: str) -> os.stat_result:
        if path not in entries:
            raise FileNotFoundError(2, "No such file or directory")
        mode, uid, gid = entries[path]
        return os.stat_result((mode, 0, 0, 1, uid, gid, 0, 0, 0, 0))

    monkeypatch.setattr(os, "stat", entry)
    monkeypatch.setattr(os, "lstat", entry)
    monkeypatch.setattr(os.path, "realpath", lambda path: path)


def folder(mode: int, uid: int = 0, gid: int = 0) -> Entry:
    return stat.S_IFDIR | mode, uid, gid


def file(mode: int, uid: int = 0, gid: int = 0) -> Entry:
    return stat.S_IFREG | mode, uid, gid


@pytest.mark.parametrize("user", [ROOT, NOBODY])
def test_a_script_of_roots_that_only_root_changes_runs(monkeypatch: pytest.MonkeyPatch, user: User) -> None:
    made(monkeypatch, SOUND)
    script = Script(SCRIPT, user)
    assert (script.obstacle, script.weakness) == (None, None)


@pytest.mark.parametrize(
    ("user", "changed", "said"),
    [
        (ROOT, {SCRIPT: file(0o644)}, "is not executable for root"),
        (NOBODY, {SCRIPT: file(0o644)}, "is not executable for nobody"),
        (NOBODY, {SCRIPT: file(0o750)}, "is not executable for nobody"),
        (NOBODY, {SCRIPT: file(0o705, gid=65534)}, "is not executable for nobody"),
        (NOBODY, {SCRIPT: file(0o075, uid=65534)}, "is not executable for nobody"),
        (NOBODY, {"/opt/x": folder(0o700)}, "is in /opt/x, which nobody may not enter"),
        (ROOT, {SCRIPT: folder(0o755)}, "is no file"),
    ],
)
def test_what_keepalived_cannot_run_it_leaves_out(
    monkeypatch: pytest.MonkeyPatch, user: User, changed: Mapping[str, Entry], said: str
) -> None:
    made(monkeypatch, {**SOUND, **changed})
    assert Script(SCRIPT, user).obstacle == said


@pytest.mark.parametrize(
    ("user", "changed"),
    [
        (ROOT, {SCRIPT: file(0o001)}),
        (ROOT, {"/opt/x": folder(0o000)}),
        (NOBODY, {SCRIPT: file(0o750, gid=65534)}),
        (NOBODY, {SCRIPT: file(0o700, uid=65534)}),
    ],
)
def test_one_bit_for_whom_it_concerns_is_enough(
    monkeypatch: pytest.MonkeyPatch, user: User, changed: Mapping[str, Entry]
) -> None:
    made(monkeypatch, {**SOUND, **changed})
    assert Script(SCRIPT, user).obstacle is None


def test_a_missing_file_or_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    made(monkeypatch, SOUND)
    assert Script("/opt/x/other", ROOT).obstacle == "cannot be seen: No such file or directory"
    assert Script("/opt/y/notify", ROOT).obstacle == "cannot be seen: /opt/y: No such file or directory"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({SCRIPT: file(0o755, uid=65534)}, f"{SCRIPT} belongs to {scripts._name(65534)}"),
        ({SCRIPT: file(0o775, gid=65534)}, f"the group {scripts._group(65534)} may write to {SCRIPT}"),
        ({SCRIPT: file(0o757)}, f"everybody may write to {SCRIPT}"),
        ({"/opt": folder(0o777)}, "everybody may write to /opt"),
        ({"/opt": folder(0o1777, uid=65534)}, f"/opt belongs to {scripts._name(65534)}"),
        ({"/opt": folder(0o755, uid=4294967), SCRIPT: file(0o777)}, "/opt belongs to user 4294967"),
        ({SCRIPT: file(0o1757)}, f"everybody may write to {SCRIPT}"),
    ],
)
def test_what_others_may_change_is_not_for_root_to_run(
    monkeypatch: pytest.MonkeyPatch, changed: Mapping[str, Entry], said: str
) -> None:
    made(monkeypatch, {**SOUND, **changed})
    assert Script(SCRIPT, ROOT).weakness == said
    assert Script(SCRIPT, User("wheel", 65534, 0)).weakness == said
    assert Script(SCRIPT, NOBODY).weakness is None


@pytest.mark.parametrize("changed", [{"/opt": folder(0o1777)}, {SCRIPT: file(0o775)}])
def test_a_sticky_folder_and_the_group_of_root_are_safe(
    monkeypatch: pytest.MonkeyPatch, changed: Mapping[str, Entry]
) -> None:
    made(monkeypatch, {**SOUND, **changed})
    assert Script(SCRIPT, ROOT).weakness is None


def test_rights_of_root_that_come_with_the_file_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    made(monkeypatch, {**SOUND, SCRIPT: file(0o4757)})
    assert Script(SCRIPT, NOBODY).weakness == f"everybody may write to {SCRIPT}"


def test_users_and_groups_are_those_of_this_machine() -> None:
    assert scripts.user("root") == ROOT
    assert scripts.user("root", "no-such-group") is None
    assert scripts.user("no-such-user") is None
