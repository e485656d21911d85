"""`hold`, `unhold`, `check` and `init`."""

from __future__ import annotations

import time

import pytest

from hcloud_reassign.simulator import Fault, Simulator
from tests.cli.inside import at_hand
from tests.cli.process import INI, Cli, assert_fits


@pytest.fixture
def cli(cli: Cli) -> Cli:
    return at_hand(cli)


@pytest.fixture
def alone(alone: Cli) -> Cli:
    return at_hand(alone)


def test_a_held_resource_refuses_triggered_requests_until_it_is_free(cli: Cli) -> None:
    held = cli("hold", "floating.web", "--for", "2h", "-c", cli.file())
    assert held.code == 0
    assert held.out.startswith("floating.web  held until ")
    run = ("run", "floating.web", "--issued-at", str(int(time.time())), "-o", "json", "-c", "prod.ini")
    done = cli(*run)
    assert (done.code, done.document["moves"][0]["guard"]) == (3, "held")
    assert cli("status", "floating.web", "-c", "prod.ini").out.startswith("▲ held")
    assert cli("unhold", "floating.web", "-c", "prod.ini").out == "floating.web  free\n"
    assert cli(*run).code == 0


def test_a_typed_run_of_something_held_is_only_warned(cli: Cli) -> None:
    cli("hold", "floating.web", "--for", "1h", "-c", cli.file())
    done = cli("run", "floating.web", "-c", "prod.ini")
    assert done.code == 0
    assert "an operator holds it until" in done.err


def test_a_hold_keeps_all_other_labels(cli: Cli, sim: Simulator) -> None:
    sim.state.floating_ips[501].labels["team"] = "web"
    cli("hold", "floating.web", "--for", "1h", "-c", cli.file())
    assert sim.state.floating_ips[501].labels["team"] == "web"
    cli("unhold", "floating.web", "-c", "prod.ini")
    assert sim.state.floating_ips[501].labels == {"team": "web"}


def test_a_group_is_held_whole(cli: Cli) -> None:
    done = cli("hold", "all", "--for", "30m", "-o", "json", "-c", cli.file())
    assert_fits(done.document, "hold")
    assert [hold["name"] for hold in done.document["holds"]] == ["floating.web", "route.lan"]
    assert all(hold["held_until"] for hold in done.document["holds"])


def test_resources_of_one_network_are_held_each_for_itself(cli: Cli, sim: Simulator) -> None:
    cli("hold", "route.lan", "--for", "1h", "-c", cli.file())
    cli("hold", "alias.vip", "--for", "1h", "-c", "prod.ini")
    cli("unhold", "route.lan", "-c", "prod.ini")
    states = {r["name"]: r["state"] for r in cli("status", "-o", "json", "-c", "prod.ini").document["resources"]}
    assert (states["alias.vip"], states["route.lan"]) == ("held", "at-source")


def test_a_hold_that_meets_a_lock_is_tried_again(cli: Cli, sim: Simulator) -> None:
    sim.faults.append(Fault(method="PUT", path="/v1/floating_ips/*", times=2, status=409, code="conflict"))
    assert cli("hold", "floating.web", "--for", "1h", "-c", cli.file()).code == 0


def test_a_hold_with_a_read_only_token_is_exit_4(cli: Cli) -> None:
    env: dict[str, str | None] = {"HCLOUD_TOKEN": "simulated-token-read-only"}
    done = cli("hold", "floating.web", "--for", "1h", "-o", "json", "-c", cli.file(), env=env)
    assert (done.code, done.document["error"]["code"]) == (4, "access")
    assert_fits(done.document, "hold")


def test_a_hold_of_an_unknown_name_is_exit_2(cli: Cli) -> None:
    done = cli("hold", "floating.wbe", "--for", "1h", "-c", cli.file())
    assert done.code == 2
    assert "did you mean 'floating.web'?" in done.err


def test_holds_are_off_where_claims_are_off(cli: Cli) -> None:
    done = cli("hold", "floating.web", "--for", "1h", "-c", cli.file(INI.replace("[client]", "[client]\nclaims = no")))
    assert done.code == 2
    assert "claims = no" in done.err


def codes(cli: Cli, *words: str) -> dict[str, tuple[str, str | None]]:
    """The findings of a check: code -> (level, section)."""
    done = cli("check", "-o", "json", *words)
    assert_fits(done.document, "check")
    return {finding["code"]: (finding["level"], finding["section"]) for finding in done.document["findings"]}


def test_a_sound_configuration_is_exit_0_and_the_token_unknown(cli: Cli) -> None:
    done = cli("check", "-c", cli.file())
    assert done.code == 0
    assert "what the token may do is not known" in done.out
    assert done.out.endswith("● sound\n")


def test_a_check_alone_asks_nobody(alone: Cli) -> None:
    done = alone("check", "--offline", "-c", alone.file(), env={"HCLOUD_TOKEN": None})
    assert (done.code, done.out) == (0, "● sound\n")


def test_the_rights_of_a_token_are_found_out_by_a_write_that_changes_nothing(cli: Cli, sim: Simulator) -> None:
    before = dict(sim.state.floating_ips[501].labels)
    done = cli("check", "--probe-write", "-c", cli.file())
    assert done.code == 0
    assert "the token may write" in done.out
    assert sim.state.floating_ips[501].labels == before


def test_a_read_only_token_is_found_out(cli: Cli) -> None:
    env: dict[str, str | None] = {"HCLOUD_TOKEN": "simulated-token-read-only"}
    done = cli("check", "--probe-write", "-o", "json", "-c", cli.file(), env=env)
    assert done.code == 4
    assert done.document["findings"][-1]["message"] == "the token may only read"


def test_without_a_token_the_rest_is_still_checked(cli: Cli) -> None:
    text = INI.replace("destination = srv-b", "destination = srv-a")
    done = cli("check", "-c", cli.file(text), env={"HCLOUD_TOKEN": None})
    assert done.code == 4
    assert "source and destination are the same server" in done.out
    assert "there is no token" in done.out


def test_a_missing_destination_is_an_error_and_a_missing_source_a_warning(cli: Cli) -> None:
    cli.file(INI.replace("destination = srv-b", "destination = srv-bb"))
    done = cli("check", "-c", "prod.ini")
    assert done.code == 2
    assert "✖ error   floating.web, destination: there is no server 'srv-bb'; did you mean 'srv-b'?" in done.out
    cli.file(INI.replace("source      = srv-a", "source      = srv-aa"))
    done = cli("check", "-c", "prod.ini")
    assert done.code == 0
    assert "▲ warning floating.web, source: there is no server 'srv-aa'" in done.out


def test_a_missing_resource_names_the_nearest(cli: Cli) -> None:
    cli.file(INI.replace("resource    = web", "resource    = wbe"))
    assert codes(cli, "-c", "prod.ini")["missing"] == ("error", "floating.web")


def test_two_sections_of_one_resource_are_warned_about(cli: Cli) -> None:
    again = "\n[floating.again]\ntype = ip_floating\nresource = {}\ndestination = srv-b\n"
    cli.file(INI + again.format("web"))
    assert codes(cli, "--offline", "-c", "prod.ini")["twice"] == ("warning", "floating.again")
    cli.file(INI + again.format("192.0.2.10"))
    assert codes(cli, "-c", "prod.ini")["twice"] == ("warning", "floating.again")


def test_an_address_that_dies_with_its_server_is_warned_about(cli: Cli, sim: Simulator) -> None:
    sim.state.primary_ips[701].auto_delete = True
    text = "[public.web]\ntype = ip_public\nresource = public-web\nsource = srv-a\ndestination = srv-b\n"
    done = cli("check", "-c", cli.file(text))
    assert "auto_delete is set" in done.out


def test_a_primary_ip_of_another_location_is_warned_about(cli: Cli) -> None:
    text = "[public.web]\ntype = ip_public\nresource = public-web\nsource = srv-a\ndestination = srv-c\n"
    cli.file(text)
    assert codes(cli, "-c", "prod.ini")["zone"] == ("warning", "public.web")


def test_a_network_full_of_routes_is_warned_about(cli: Cli, sim: Simulator) -> None:
    from hcloud_reassign.simulator.model import Route

    network = sim.state.networks[4711]
    network.routes += [Route(f"172.16.{number}.0/24", "10.0.1.3") for number in range(90)]
    cli.file()
    assert codes(cli, "-c", "prod.ini")["routes"] == ("warning", "route.lan")


def test_a_file_that_others_can_read_is_warned_about(alone: Cli) -> None:
    cli_file = alone.file(INI.replace("[client]", "[client]\napi_token = 0123456789abcdef"), mode=0o644)
    done = alone("check", "--offline", "-c", cli_file)
    assert done.code == 0
    assert "everybody may read it" in done.out
    assert "0123456789abcdef" not in done.out + done.err


def test_an_api_that_cannot_be_reached_is_exit_1(alone: Cli) -> None:
    done = alone("check", "--timeout", "2", "-o", "json", "-c", alone.file())
    assert done.code == 1
    assert "cannot be read" in done.document["findings"][-1]["message"]


def test_a_clock_that_is_wrong_is_warned_about(cli: Cli, sim: Simulator) -> None:
    sim._clock = lambda: time.time() + 3600
    cli.file()
    assert codes(cli, "-c", "prod.ini")["clock"] == ("warning", None)


def test_several_files_are_checked_at_once(alone: Cli) -> None:
    alone.file(name="a.ini")
    alone.file(INI.replace("project = prod", "project = test"), name="b.ini")
    done = alone("check", "--offline", "-o", "json", "-c", "a.ini", "-c", "b.ini")
    assert (done.code, done.document["findings"]) == (0, [])


def test_init_writes_a_file_that_is_sound_and_shows_what_it_found(cli: Cli) -> None:
    done = cli("init")
    assert done.code == 0
    assert "hcloud-reassign check -c hcloud-reassign.ini" in done.err
    text = (cli.home / "hcloud-reassign.ini").read_text("utf-8")
    assert "[floating.web]\ntype     = ip_floating\nresource = web\nmembers  = srv-a, srv-b, srv-c\n" in text
    assert cli("check", "--offline").code == 0
    done = cli("status", "--all", "-o", "json")
    assert all(row["state"] == "member" for row in done.document["resources"])


def test_init_writes_to_standard_output(cli: Cli) -> None:
    done = cli("init", "-c", "-")
    assert done.out.startswith("; Written by hcloud-reassign init.")
    assert not (cli.home / "hcloud-reassign.ini").exists()


@pytest.mark.parametrize("words", [(), ("-c", "other.ini")])
def test_init_writes_over_no_file(cli: Cli, words: tuple[str, ...]) -> None:
    name = words[-1] if words else "hcloud-reassign.ini"
    (cli.home / name).symlink_to("nowhere")
    done = cli("init", *words)
    assert done.code == 2
    assert f"{name} exists" in done.err


def test_init_says_what_it_wrote(cli: Cli) -> None:
    done = cli("init", "-o", "json", "-c", "new.ini")
    assert_fits(done.document, "init")
    assert done.document["file"] == "new.ini"
    assert "alias.10.0.1.100" in done.document["sections"]


def test_init_without_a_token_is_exit_4(cli: Cli) -> None:
    assert cli("init", env={"HCLOUD_TOKEN": None}).code == 4
    assert not (cli.home / "hcloud-reassign.ini").exists()
