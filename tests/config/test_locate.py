from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest

from hcloud_reassign.config.locate import Located, locate
from hcloud_reassign.core.errors import UsageError


class Places(NamedTuple):
    """The folders that are looked in, each empty."""

    here: Path
    user: Path
    etc: Path

    def locate(self, explicit: str | None = None, uid: int | None = None, **environ: str) -> Located:
        given = {"XDG_CONFIG_HOME": str(self.user), **environ}
        return locate(explicit, environ=given, cwd=self.here, uid=uid, etc_dir=self.etc)

    @property
    def files(self) -> tuple[Path, Path, Path]:
        in_folder = "hcloud-reassign/config.ini"
        return (self.here / "hcloud-reassign.ini", self.user / in_folder, self.etc / in_folder)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path / "here", tmp_path / "user", tmp_path / "etc")
    for file in places.files:
        file.parent.mkdir(parents=True)
        file.touch(0o600)
    return places


def test_the_nearest_file_is_taken(places: Places) -> None:
    for file in places.files:
        assert places.locate() == Located(file, ())
        file.unlink()


def test_a_named_file_comes_before_all_others(places: Places, tmp_path: Path) -> None:
    named, other = tmp_path / "named.ini", tmp_path / "other.ini"
    named.touch()
    other.touch()
    assert places.locate(HCLOUD_REASSIGN_CONFIG=str(other)).path == other
    assert places.locate(str(named), HCLOUD_REASSIGN_CONFIG=str(other)).path == named


def test_an_empty_variable_names_no_file(places: Places) -> None:
    assert places.locate(HCLOUD_REASSIGN_CONFIG="").path == places.files[0]


def test_an_empty_option_is_an_error_and_not_another_file(places: Places) -> None:
    with pytest.raises(UsageError, match="-c names no file") as caught:
        places.locate("")
    assert (caught.value.object, caught.value.next) == ("-c", "give -c a file")


def test_a_named_file_is_shown_as_it_was_given(places: Places) -> None:
    assert places.locate("hcloud-reassign.ini").path == Path("hcloud-reassign.ini")


@pytest.mark.parametrize("by_option", [True, False])
def test_a_named_file_that_is_not_there_gets_the_nearest_one_beside_it(places: Places, by_option: bool) -> None:
    (places.etc / "prod.ini").touch()
    name = str(places.etc / "prd.ini")
    with pytest.raises(UsageError, match=r"there is no file .*did you mean .*prod\.ini") as caught:
        places.locate(name) if by_option else places.locate(HCLOUD_REASSIGN_CONFIG=name)
    assert caught.value.suggestion == str(places.etc / "prod.ini")
    assert (caught.value.file, caught.value.object) == (name, "-c" if by_option else "HCLOUD_REASSIGN_CONFIG")
    assert caught.value.next == f"hcloud-reassign init -c {name}"


def test_a_named_file_in_no_folder_has_no_suggestion(places: Places) -> None:
    with pytest.raises(UsageError) as caught:
        places.locate("/no/such folder/prod.ini")
    assert (caught.value.suggestion, caught.value.next) == (
        None,
        "hcloud-reassign init -c '/no/such folder/prod.ini'",
    )


def test_a_file_here_of_another_user_is_passed_over(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.stat

    def of_another(path: Path) -> os.stat_result:
        status = list(real(path))
        status[4] = 12345
        return os.stat_result(status)

    monkeypatch.setattr(Path, "stat", of_another)
    located = places.locate(uid=1000)
    assert located.path == places.files[1]
    assert located.warnings == (
        f"{places.files[0]} is not used: it belongs to user 12345; name it with -c if that is right",
    )
    assert places.locate(uid=12345).path == places.files[0]


def test_a_file_here_of_root_is_used_by_everybody(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.stat
    monkeypatch.setattr(Path, "stat", lambda path: os.stat_result([*real(path)[:4], 0, *real(path)[5:]]))
    assert places.locate(uid=1000) == Located(places.files[0])


@pytest.mark.parametrize("mode", [0o602, 0o620, 0o666])
def test_a_file_here_that_others_may_write_is_passed_over(places: Places, mode: int) -> None:
    places.files[0].chmod(mode)
    located = places.locate()
    assert located.path == places.files[1]
    (warning,) = located.warnings
    assert f"others may write it; chmod go-w {places.files[0]}" in warning


def test_a_file_here_that_is_named_is_not_looked_at_closely(places: Places) -> None:
    places.files[0].chmod(0o666)
    assert places.locate(str(places.files[0])) == Located(places.files[0])


def test_when_there_is_none_every_place_is_told(places: Places) -> None:
    for file in places.files:
        file.unlink()
    with pytest.raises(UsageError, match="there is no configuration file") as caught:
        places.locate()
    assert all(str(file) in caught.value.message for file in places.files)
    assert caught.value.next == "hcloud-reassign init, or name a file with -c"


def test_when_the_only_one_is_passed_over_the_error_says_why(places: Places) -> None:
    for file in places.files[1:]:
        file.unlink()
    places.files[0].chmod(0o666)
    with pytest.raises(UsageError, match="others may write it"):
        places.locate()


@pytest.mark.parametrize("given", ["", "relative/folder"])
def test_without_a_usable_variable_the_folder_of_the_user_is_below_home(places: Places, given: str) -> None:
    places.files[0].unlink()
    home = places.here / "home"
    file = home / ".config/hcloud-reassign/config.ini"
    file.parent.mkdir(parents=True)
    file.touch()
    assert places.locate(XDG_CONFIG_HOME=given, HOME=str(home)).path == file


def test_a_name_that_no_file_can_have_is_left_to_the_reader(places: Places) -> None:
    assert places.locate("x" * 5000).path == Path("x" * 5000)
