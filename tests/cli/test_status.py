"""`status`: who holds what."""

from __future__ import annotations

import json
import signal
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


def test_every_assignment_is_a_line(cli: Cli) -> None:
    done = cli("status", "-c", cli.file())
    assert done.code == 0
    floating, alias, route = done.out.splitlines()
    assert floating.split("  ")[0] == "● at source"
    assert "srv-a → srv-b" in floating
    assert alias.startswith("● member")
    assert "members srv-a, srv-b" in alias
    assert "10.0.1.3 (srv-b)" in route


def test_the_document_has_every_key(cli: Cli) -> None:
    done = cli("status", "--all", "-o", "json", "-c", cli.file())
    assert_fits(done.document, "status")
    rows = {row["name"]: row for row in done.document["resources"]}
    assert rows["floating.web"]["state"] == "at-source"
    assert rows["floating.web"]["configured"]
    assert rows["route.lan"]["type"] == "route"
    assert rows["alias.vip"]["members"] == ["srv-a", "srv-b"]
    assert not rows["floating.web6"]["configured"]
    assert rows["public.public-web"]["holder"]["name"] == "srv-a"


def test_all_shows_the_whole_project_without_any_section(cli: Cli) -> None:
    done = cli("status", "--all", "-c", cli.file("[client]\nproject = bare\n"))
    assert done.code == 0
    assert "● not configured  floating.web " in done.out


def test_what_is_shown_once_is_not_shown_again_by_all(cli: Cli) -> None:
    done = cli("status", "--all", "-c", cli.file())
    assert sum("192.0.2.10" in line for line in done.out.splitlines()) == 1


@pytest.mark.parametrize(
    ("server", "state"), [(10, "at-source"), (11, "at-destination"), (12, "elsewhere"), (None, "nobody")]
)
def test_the_state_says_where_it_is_and_judges_nothing(
    cli: Cli, sim: Simulator, server: int | None, state: str
) -> None:
    sim.state.floating_ips[501].server_id = server
    done = cli("status", "floating.web", "-o", "json", "-c", cli.file())
    assert (done.code, done.document["resources"][0]["state"]) == (0, state)


def test_the_power_state_of_the_holder_is_shown_when_it_is_odd(cli: Cli, sim: Simulator) -> None:
    sim.state.floating_ips[501].server_id = 12
    assert "srv-c (off)" in cli("status", "floating.web", "-c", cli.file()).out


def test_what_was_interrupted_is_unfinished(cli: Cli, sim: Simulator) -> None:
    sim.state.primary_ips[701].labels["hcloud-reassign/intention"] = "10-on.11-on.0"
    text = "[public.web]\ntype = ip_public\nresource = public-web\nsource = srv-a\ndestination = srv-b\n"
    done = cli("status", "-c", cli.file(text))
    assert done.out.startswith("→ unfinished")
    assert "run it again to finish it" in done.out


def test_one_unreadable_kind_leaves_the_rest_shown(cli: Cli, sim: Simulator) -> None:
    sim.faults.append(Fault(path="/v1/floating_ips*", times=None, status=503))
    done = cli("status", "-o", "json", "--timeout", "5", "-c", cli.file())
    assert done.code == 1
    states = {row["name"]: row["state"] for row in done.document["resources"]}
    assert states == {"floating.web": "unreadable", "alias.vip": "member", "route.lan": "at-source"}
    assert_fits(done.document, "status")


def test_no_api_at_all_is_an_error(alone: Cli) -> None:
    done = alone("status", "--timeout", "2", "-o", "json", "-c", alone.file())
    assert (done.code, done.document["error"]["code"]) == (1, "failed")
    assert_fits(done.document, "status")


def test_a_resource_that_does_not_exist_names_the_nearest(cli: Cli) -> None:
    done = cli("status", "floating.web", "-c", cli.file(INI.replace("= web", "= wbe")))
    assert done.code == 2
    assert "did you mean 'web'?" in done.out


def test_an_expectation_that_is_met_is_exit_0_and_one_that_is_not_is_exit_1(cli: Cli) -> None:
    cli.file()
    assert cli("status", "--expect", "floating.web=srv-a", "-c", "prod.ini").code == 0
    done = cli("status", "--expect", "floating.web=srv-b", "-c", "prod.ini")
    assert done.code == 1
    assert "error: expected floating.web with srv-b, but srv-a has it" in done.err
    document = cli("status", "--expect", "floating.web=srv-b", "-o", "json", "-c", "prod.ini").document
    assert_fits(document, "status")
    assert document["expectations"][0]["met"] is False


def test_an_expectation_of_an_unknown_name_is_exit_2(cli: Cli) -> None:
    done = cli("status", "--expect", "floating.wbe=srv-a", "-c", cli.file())
    assert done.code == 2
    assert "did you mean 'floating.web'?" in done.err


def test_the_last_move_is_told_with_who_made_it_here(cli: Cli) -> None:
    cli("run", "floating.web", "--by", "alice", "-c", cli.file())
    done = cli("status", "floating.web", "-o", "json", "-c", "prod.ini")
    last = done.document["resources"][0]["last_move"]
    assert (last["command"], last["server"], last["who"]) == ("assign_floating_ip", "srv-b", "alice")


def test_the_last_move_of_somebody_else_has_no_who(cli: Cli) -> None:
    cli("run", "floating.web", "--by", "alice", "-c", cli.file())
    (cli.home / "state" / "journal.jsonl").unlink()
    last = cli("status", "floating.web", "-o", "json", "-c", "prod.ini").document["resources"][0]["last_move"]
    assert (last["server"], last["who"]) == ("srv-b", None)


def test_the_claim_of_a_triggered_request_is_told(cli: Cli) -> None:
    cli("run", "floating.web", "--issued-at", str(int(time.time())), "-c", cli.file())
    last = cli("status", "floating.web", "-o", "json", "-c", "prod.ini").document["resources"][0]["last_move"]
    assert last["claim"]["target"] == "srv-b"


def test_looking_leaves_no_trace(cli: Cli, sim: Simulator) -> None:
    cli("status", "--all", "-c", cli.file())
    assert not (cli.home / "state").exists()
    assert all(request.method == "GET" for request in sim.requests)


def test_two_files_are_two_projects(cli: Cli) -> None:
    token = "[client]\napi_url = {url}\napi_token = simulated-token\nproject = {name}\n"
    text = INI.replace("[client]\nproject = prod\n", "")
    url = cli.environ["HCLOUD_ENDPOINT"]
    for name in ("one", "two"):
        cli.file(token.format(url=url, name=name) + text, f"{name}.ini")
    both = ("status", "-c", "one.ini", "-c", "two.ini")
    done = cli(*both, "-o", "json")
    names = [row["name"] for row in done.document["resources"]]
    assert names[:4] == ["one:floating.web", "one:alias.vip", "one:route.lan", "two:floating.web"]
    assert_fits(done.document, "status")
    assert cli(*both, "two:floating.web").out.count("\n") == 1
    assert "write it like one:floating.web" in cli(*both, "floating.web").err
    assert cli("status", "-c", "one.ini", "-c", "one.ini").code == 2
    assert cli(*both, "--token", "simulated-token").code == 2


def test_watching_tells_every_change(cli: Cli, sim: Simulator) -> None:
    with cli.started("status", "--watch", "-o", "jsonl", "-c", cli.file()) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        sim.state.floating_ips[501].server_id = 11
        second = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    assert (first["event"], first["resources"][0]["state"]) == ("status", "at-source")
    assert (second["seq"], second["resources"][0]["state"]) == (2, "at-destination")
    assert_fits(first, "event")
    assert_fits(first, "status")


def test_watching_has_no_end_so_it_is_no_document(cli: Cli) -> None:
    done = cli("status", "--watch", "-o", "json", "-c", cli.file())
    assert (done.code, done.document["error"]["object"]) == (2, "--output")


def test_a_token_is_enough_to_look_at_everything(cli: Cli) -> None:
    done = cli("status", "--all", "-o", "json")
    assert done.code == 0
    assert {row["configured"] for row in done.document["resources"]} == {False}
    assert cli("status").code == 2
