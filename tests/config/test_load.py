"""What a sound file becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcloud_reassign.config.hidden import Secret
from hcloud_reassign.core.declare import Section
from hcloud_reassign.core.model import Assignment, Group, Where
from tests.config.fakes import KINDS, LOCAL, WEB, Load, load_file


def test_an_assignment_has_its_fields_and_where_it_stands(load_text: Load, ini: Path) -> None:
    text = (
        "\n[floating.web]\ntype = ip_floating\nresource = float\nsource = srv-a\ndestination = srv-b\ncooldown = 2m\n"
        "max_age = 90\nmax_moves_per_hour = 4\ntimeout = 1h\nbefore = /bin/true -x\nafter = /bin/false\n"
        "note = the web\n"
    )
    assert load_text(text).assignments == (
        Assignment(
            "floating.web",
            "ip_floating",
            resource="float",
            source="srv-a",
            destination="srv-b",
            cooldown_s=120.0,
            max_age_s=90.0,
            max_moves_per_hour=4,
            timeout_s=3600.0,
            before="/bin/true -x",
            after="/bin/false",
            note="the web",
            where=Where(str(ini), 2),
        ),
    )


def test_keys_of_one_kind_are_options_with_their_defaults(load_text: Load) -> None:
    text = "[p]\ntype = ip_public\nresource = x\ndestination = b\nhard_poweroff = Yes\n"
    (found,) = load_text(text).assignments
    assert found.options == {"hard_poweroff": True, "shutdown_timeout": 30.0, "occupied": "refuse"}


def test_members_stand_for_source_and_destination(load_text: Load) -> None:
    (found,) = load_text("[web]\ntype = ip_floating\nresource = x\nmembers = a, b ,c\n").assignments
    assert (found.members, found.source, found.destination) == (("a", "b", "c"), None, None)


def test_the_plural_of_route_is_a_route(load_text: Load) -> None:
    (found,) = load_text("[r]\ntype = routes\nnetwork = 0.0.0.0/0\ndestination = 10.0.0.3\n").assignments
    assert (found.type, found.resource, found.options) == ("route", None, {"network": "0.0.0.0/0"})


def test_an_empty_source_means_anybody(load_text: Load) -> None:
    (found,) = load_text(WEB + "source =    ; anybody\n").assignments
    assert found.source is None
    assert not found.restricted


def test_a_type_of_a_later_version_is_read_once_its_kind_is_there(ini: Path) -> None:
    ini.write_text("[vip]\ntype = ip_local\nresource = 10.0.0.1/24\ndestination = b\n")
    kinds: dict[str, Section] = {**KINDS, "ip_local": LOCAL}
    assert load_file(ini, kinds).assignments[0].type == "ip_local"


def test_without_a_client_section_everything_has_its_default(load_text: Load) -> None:
    settings = load_text("")
    assert settings.client == {
        "project": "prod",
        "api_url": "https://api.hetzner.cloud/v1",
        "api_token": None,
        "api_token_file": None,
        "api_token_command": None,
        "claims": True,
        "timeout": None,
    }
    assert (settings.project, settings.assignments, settings.warnings) == ("prod", (), ())


def test_the_client_says_what_the_project_is_and_how_it_is_reached(load_text: Load) -> None:
    text = (
        "[client]\nproject = shop\napi_url = http://127.0.0.1:8410/v1/\nclaims = no\ntimeout = 1.5m\napi_token = abc\n"
    )
    settings = load_text(text)
    assert settings.project == "shop"
    assert settings.client["api_url"] == "http://127.0.0.1:8410/v1"
    assert (settings.client["claims"], settings.client["timeout"]) == (False, 90.0)
    assert settings.client["api_token"] == Secret("abc")
    assert settings.warnings == ()


def test_other_sections_are_found_by_their_full_names(load_text: Load) -> None:
    settings = load_text(
        WEB + "[trigger.ci]\ntype = tekton\nurl = https://x\nsecret_file = x\n"
        "[gateway.client.srv-test-02]\nsecret_file = /s\nallow = web\n"
        "to = a, b\n[tui]\nkey.move = M\n[watch]\nfrom = etcd\nendpoints = x\nassignments = web\ndo = trigger:ci\n"
    )
    assert list(settings.sections) == ["trigger.ci", "gateway.client.srv-test-02", "tui", "watch"]
    assert settings.sections["gateway.client.srv-test-02"]["to"] == ("a", "b")
    assert settings.sections["tui"] == {"theme": "ansi-dark", "ascii": False, "refresh": 5.0, "key.move": "M"}
    assert settings.sections["watch"]["to"] == "self"


def test_a_section_that_is_not_there_has_its_defaults(load_text: Load) -> None:
    settings = load_text("")
    assert settings.section("tui")["refresh"] == 5.0
    assert settings.section("client") is settings.client
    assert settings.section("watch.more")["grace"] == 10.0
    assert settings.section("web") == {}


def test_a_group_names_its_assignments(load_text: Load, ini: Path) -> None:
    text = WEB + WEB.replace("[web]", "[db]") + "[group.all]\nmembers = db, web\non_failure = keep\n"
    settings = load_text(text)
    assert settings.groups == (Group("all", ("db", "web"), "keep", Where(str(ini), 9)),)


def test_a_group_that_is_kept_may_have_what_cannot_be_undone(load_text: Load) -> None:
    text = "[p]\ntype = ip_public\nresource = x\ndestination = b\n[group.g]\nmembers = p\non_failure = keep\n"
    assert load_text(text).groups[0].members == ("p",)


def test_a_name_finds_an_assignment_or_a_group(load_text: Load) -> None:
    settings = load_text(WEB + "[group.all]\nmembers = web\n")
    assert settings.find("web") is settings.assignments[0]
    assert settings.find("all") is settings.find("group.all") is settings.groups[0]
    assert settings.find("nothing") is None


def test_gateway_and_watch_may_name_groups_either_way(load_text: Load) -> None:
    watch = "[watch]\nfrom = etcd\nendpoints = x\nassignments = all, group.all, web\n"
    assert load_text(WEB + "[group.all]\nmembers = web\n" + watch).sections["watch"]["from"] == "etcd"


def test_a_watch_may_release_a_local_address(ini: Path) -> None:
    ini.write_text(
        "[vip]\ntype = ip_local\nresource = 10.0.0.1/24\ndestination = b\n"
        "[watch]\nfrom = patroni\nendpoints = x\nassignments = vip\non_loss = release\n"
    )
    assert load_file(ini, {**KINDS, "ip_local": LOCAL}).sections["watch"]["on_loss"] == "release"


def test_the_place_of_a_key_falls_back_to_its_section_and_its_file(load_text: Load, ini: Path) -> None:
    settings = load_text("[client]\n\nproject = a\ntimeout =\n")
    assert settings.where("client", "project") == Where(str(ini), 3)
    assert settings.where("client", "timeout") == Where(str(ini), 1)
    assert settings.where("client") == Where(str(ini), 1)
    assert settings.where("tui", "theme") == Where(str(ini), None)
    assert settings.has("client", "project")
    assert not settings.has("client", "timeout"), "an empty value is the same as none"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("note = a ; b", "a"),
        ("note = a # b", "a"),
        ("note = a\t;b", "a"),
        ("note = a;b#c", "a;b#c"),
        ("note = %(x)s $x ${x}", "%(x)s $x ${x}"),
        ("note = a = b : c", "a = b : c"),
        ("note: a", "a"),
        ("  NOTE=a  ", "a"),
        ("note = 'a'", "'a'"),
        ("note = grün ✓", "grün ✓"),
    ],
)
def test_a_value_is_read_as_written(line: str, value: str, load_text: Load) -> None:
    assert load_text(f"{WEB}{line}\n").assignments[0].note == value


def test_comments_and_blank_lines_are_nothing(load_text: Load) -> None:
    assert load_text("# one\n\n   ; two\n[client] ; three\n # four\nproject = a\n").project == "a"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_byte_order_mark_do_not_matter(end: str, mark: bytes, ini: Path) -> None:
    ini.write_bytes(mark + WEB.replace("\n", end).encode())
    settings = load_file(ini)
    assert settings.assignments[0].destination == "srv-b"
    assert settings.where("web", "destination").line == 4


def test_paths_are_taken_from_the_folder_of_the_file(
    load_text: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert load_text("[client]\napi_token_file = token\n").client["api_token_file"] == str(tmp_path / "token")
    assert load_text("[client]\napi_token_file = ~/token\n").client["api_token_file"] == "/home/me/token"
    assert load_text("[client]\napi_token_file = /run/token\n").client["api_token_file"] == "/run/token"


def test_an_ignored_key_of_the_original_tool_is_warned_about(load_text: Load, ini: Path) -> None:
    settings = load_text(WEB + "metrics = yes\n")
    assert settings.warnings == (f"{ini}:5: 'metrics' in [web] is ignored; take it out",)
    assert settings.assignments[0].options == {}


def test_the_same_source_and_destination_is_warned_about(load_text: Load, ini: Path) -> None:
    settings = load_text(WEB + "source = srv-b\n")
    assert settings.warnings == (f"{ini}:4: [web] has the same source and destination",)


def test_an_api_in_clear_text_is_warned_about_unless_it_is_this_machine(load_text: Load) -> None:
    (warning,) = load_text("[client]\napi_url = http://api.example.com/v1\n").warnings
    assert "'api_url' in [client] is http, so secrets are sent in clear text" in warning
    for host in ("localhost:80", "127.0.0.1", "127.1.2.3:8410", "[::1]:8410"):
        assert load_text(f"[client]\napi_url = http://{host}/v1\n").warnings == ()


def test_a_name_that_only_begins_like_this_machine_is_another(load_text: Load) -> None:
    assert load_text("[client]\napi_url = http://127.evil.example.com/v1\n").warnings
    assert load_text("[client]\napi_url = http://localhost.example.com/v1\n").warnings


def test_a_second_token_is_warned_about(load_text: Load, ini: Path) -> None:
    settings = load_text("[client]\napi_token = abc\napi_token_file = /nowhere/token\n")
    assert settings.warnings == (f"{ini}:2: 'api_token_file' in [client] is used, 'api_token' is not",)


def test_a_file_with_a_secret_that_everybody_may_read_is_warned_about(ini: Path) -> None:
    ini.write_text("[client]\napi_token = abc\n")
    for mode, exposed in ((0o644, True), (0o640, False), (0o600, False)):
        ini.chmod(mode)
        settings = load_file(ini)
        assert bool(settings.exposed) is exposed
        assert bool(settings.warnings) is exposed
    ini.chmod(0o644)
    told = f"{ini} holds a secret and everybody may read it; chmod o= {ini}"
    assert [str(item) for item in load_file(ini).exposed] == [told]
    assert load_file(ini).warnings == (f"{ini}:2: {told}",)


def test_a_file_without_a_secret_may_be_read_by_everybody(ini: Path) -> None:
    ini.write_text(WEB)
    ini.chmod(0o644)
    assert load_file(ini).warnings == ()


def test_a_token_file_that_everybody_may_read_is_warned_about(load_text: Load, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("abc")
    token.chmod(0o644)
    text = "[client]\napi_token_file = token\n"
    (exposed,) = load_text(text).exposed
    assert exposed == (str(token), "client", "api_token_file")
    assert str(exposed) == f"{token} holds a secret and everybody may read it; chmod o= {token}"
    token.chmod(0o600)
    assert load_text(text).exposed == ()
    token.unlink()
    assert load_text(text).exposed == ()
