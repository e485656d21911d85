"""Looking, holding, checking and drafting in process: what the commands show, also of what the API rarely says."""

from __future__ import annotations

from typing import Any

import pytest

from hcloud_reassign.core.errors import AccessError, ExitCode, FailedError
from hcloud_reassign.core.model import Request
from hcloud_reassign.engine.borders import Borders
from hcloud_reassign.engine.checking import Finding
from hcloud_reassign.simulator import Fault
from tests.engine.samples import (
    ALIAS,
    ALIASED,
    FLOAT,
    FLOATING,
    NETWORK,
    NOW_MS,
    PRIMARY,
    PUBLIC,
    ROUTE,
    SAMPLES,
    TRIO,
    A,
    B,
    C,
    Sample,
    run,
    trio,
)
from tests.harness import Lab

INI = "".join(sample.section() for sample in SAMPLES)
HELD = "hcloud-reassign/held-until"

every_kind = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine is no server of the project."""
    monkeypatch.setattr(Borders, "this_server", lambda self: None)
    monkeypatch.setattr(Borders, "host_names", lambda self: ("laptop",))


def twins() -> Lab:
    """A project in which somebody renamed web6: two are called web."""
    lab = Lab(TRIO)
    lab.sim.state.floating_ips[502].name = "web"
    return lab


def broken(path: str) -> Fault:
    return Fault("GET", path, times=None, status=500)


# status


@every_kind
@pytest.mark.parametrize(
    ("holder", "state"), [(A, "at-source"), (B, "at-destination"), (C, "elsewhere"), (None, "nobody")]
)
def test_it_is_told_where_each_of_them_is(sample: Sample, holder: int | None, state: str) -> None:
    lab = Lab(TRIO)
    sample.put(lab.sim, holder)
    (standing,) = lab.project(sample.section()).status().standings
    assert (standing.state, standing.configured, standing.code) == (state, True, ExitCode.OK)
    assert (standing.holder.id if standing.holder else None) == holder


@every_kind
def test_one_of_several_members_has_it_and_without_source_anybody_may(sample: Sample) -> None:
    lab = Lab(TRIO)
    (member,) = lab.project(sample.members("srv-b", "srv-a")).status().standings
    assert member.state == "member"
    (anybody,) = lab.project(f"{sample.ini}destination = srv-b\n").status().standings
    assert anybody.state == "at-source"


@every_kind
def test_a_server_that_is_gone_is_not_where_it_is(sample: Sample) -> None:
    (standing,) = Lab(TRIO).project(sample.section("srv-gone", "srv-b")).status().standings
    assert standing.state == "elsewhere"


@every_kind
def test_what_cannot_be_read_is_unreadable_and_fails(sample: Sample) -> None:
    lab = Lab(TRIO, faults=[broken(sample.seen)])
    other = FLOAT if sample is not FLOAT else ROUTE
    status = lab.project(sample.section() + other.section()).status()
    first = status.standings[0]
    assert (first.state, first.holder, first.code) == ("unreadable", None, ExitCode.FAILED)
    assert first.message is not None and first.message.startswith("cannot tell who holds it: ")
    assert status.code == ExitCode.FAILED


def test_where_nothing_at_all_can_be_read_there_is_no_status() -> None:
    with pytest.raises(FailedError, match="Hetzner's API cannot be read"):
        Lab(TRIO, faults=[broken("*")]).project(INI).status()


def test_a_name_that_two_have_and_a_name_that_nobody_has_are_told_apart() -> None:
    ini = FLOAT.section() + "[floating.none]\ntype = ip_floating\nresource = wbe\ndestination = srv-a\n"
    two, none = twins().project(ini).status().standings
    assert (two.state, two.code) == ("unreadable", ExitCode.FAILED)
    assert two.message is not None and two.message.endswith("; name it by its id")
    assert (none.state, none.code) == ("unreadable", ExitCode.USAGE)
    assert none.message is not None and "wbe" in none.message


def test_what_is_held_is_told_until_when() -> None:
    lab = Lab(TRIO)
    FLOAT.labels(lab)[HELD] = str(NOW_MS + 60_000)
    (standing,) = lab.project(FLOAT.section()).status().standings
    assert (standing.state, standing.held_until_ms) == ("held", NOW_MS + 60_000)
    FLOAT.labels(lab)[HELD] = str(NOW_MS)
    (standing,) = lab.project(FLOAT.section()).status().standings
    assert (standing.state, standing.held_until_ms) == ("at-source", None)


def test_what_was_begun_and_not_finished_is_told_with_and_without_a_section() -> None:
    lab = Lab(TRIO)
    PUBLIC.labels(lab)["hcloud-reassign/intention"] = f"{A}-on.{B}-on.0"
    (configured,) = lab.project(PUBLIC.section()).status().standings
    assert configured.state == "unfinished"
    found = lab.project("").status(everything=True).standings
    (bare,) = [standing for standing in found if standing.found and standing.found.resource.id == PRIMARY]
    assert (bare.state, bare.configured) == ("unfinished", False)


def test_everything_is_shown_once_and_what_no_section_names_comes_last() -> None:
    standings = Lab(TRIO).project(FLOAT.section()).status(everything=True).standings
    assert standings[0].name == "floating.web" and standings[0].configured
    assert not any(standing.configured for standing in standings[1:])
    identities = [standing.identity for standing in standings]
    assert len(set(identities)) == len(identities)
    assert ("ip_alias", None, ALIAS) in {(kind, None, address) for kind, _, address in identities}


def test_a_kind_that_cannot_be_listed_says_so() -> None:
    lab = Lab(TRIO, faults=[broken("/v1/primary_ips*")])
    status = lab.project(FLOAT.section()).status(everything=True)
    (row,) = [standing for standing in status.standings if standing.assignment.type == "ip_public"]
    assert (row.state, row.configured, row.code) == ("unreadable", False, ExitCode.FAILED)
    assert row.message is not None and row.message.startswith("cannot be listed: ")


def test_the_last_move_is_told_by_the_api_the_journal_and_the_claim() -> None:
    lab = Lab(TRIO)
    project = lab.project(FLOAT.section() + ROUTE.section(), by="tester")
    FLOAT.labels(lab)[FLOAT.claim] = f"{NOW_MS - 1000}.{C}"
    project.run([], Request())
    floating, route = lab.project(FLOAT.section() + ROUTE.section()).status().standings
    assert floating.last_move is not None and route.last_move is not None
    assert (floating.last_move.command, floating.last_move.server) == ("assign_floating_ip", "srv-b")
    assert floating.last_move.claimed_for == "srv-b"
    assert (route.last_move.command, route.last_move.who) == ("run", "tester")
    data = floating.last_move.data()
    assert data["claim"]["target"] == "srv-b" and data["time"] is not None


def test_of_what_nobody_moved_no_last_move_is_told() -> None:
    (standing,) = Lab(TRIO).project(ROUTE.section()).status().standings
    assert standing.last_move is None
    assert standing.data()["last_move"] is None


def test_many_resources_are_shown_without_asking_for_every_ones_actions() -> None:
    many = [{"name": f"ip{n}", "id": 600 + n, "ip": f"192.0.2.{n}", "server": "srv-a"} for n in range(1, 31)]
    ini = "".join(f"[floating.f{n}]\ntype = ip_floating\nresource = ip{n}\ndestination = srv-a\n" for n in range(1, 31))
    lab = Lab(trio(floating_ips=many))
    lab.project(ini + ROUTE.section()).status()
    assert not [request for request in lab.sim.requests if "actions" in request.path]


def test_looking_again_asks_for_last_moves_only_where_the_holder_changed() -> None:
    lab = Lab(TRIO)
    looking = lab.project(FLOAT.section()).looking()

    def asked() -> int:
        return sum("actions" in request.path for request in lab.sim.requests)

    looking()
    first = asked()
    looking()
    assert asked() == first
    FLOAT.put(lab.sim, B)
    (standing,) = looking().standings
    assert standing.state == "at-destination" and asked() > first


# hold


@every_kind
def test_a_hold_is_a_label_and_its_end_takes_it_away(sample: Sample) -> None:
    lab = Lab(TRIO)
    before = dict(sample.labels(lab))
    (held,) = lab.project(sample.section()).hold(sample.name, 60.0)
    assert held.until_ms is not None and abs(held.until_ms - NOW_MS - 60_000) < 2000
    assert str(held.until_ms) in sample.labels(lab).values()
    (free,) = lab.project(sample.section()).hold(sample.name, None)
    assert (free.until_ms, free.code) == (None, ExitCode.OK)
    assert sample.labels(lab) == before


def test_who_is_busy_or_does_not_answer_is_asked_again() -> None:
    lab = Lab(TRIO, faults=[Fault("PUT", "*", status=423), Fault("PUT", "*", nth=2, drop="before")])
    (held,) = lab.project(FLOAT.section()).hold("floating.web", 60.0)
    assert held.code == ExitCode.OK and HELD in FLOAT.labels(lab)


def test_an_answer_that_was_lost_after_the_label_was_written_is_not_written_twice() -> None:
    lab = Lab(TRIO, faults=[Fault("PUT", "*", drop="after")])
    (held,) = lab.project(FLOAT.section()).hold("floating.web", 60.0)
    assert held.code == ExitCode.OK
    assert [request.method for request in lab.writes] == ["PUT"]


def test_a_label_that_is_never_taken_is_no_hold() -> None:
    lab = Lab(TRIO, faults=[Fault("PUT", "*", times=None, status=423)])
    (held,) = lab.project(FLOAT.section()).hold("floating.web", 60.0)
    assert (held.until_ms, held.code) == (None, ExitCode.FAILED)
    assert held.message is not None and held.message.startswith("the label was not written: ")


def test_a_token_that_may_only_read_cannot_hold() -> None:
    with pytest.raises(AccessError, match="the token may only read"):
        Lab(TRIO).project(FLOAT.section(), token="simulated-token-read-only").hold("floating.web", 60.0)


@pytest.mark.parametrize(
    ("lab", "resource", "code", "message"),
    [
        (Lab(TRIO), "wbe", ExitCode.USAGE, "there is no floating IP 'wbe'"),
        (Lab(TRIO, faults=[broken("/v1/floating_ips*")]), "web", ExitCode.FAILED, "cannot be read: "),
        (twins(), "web", ExitCode.FAILED, "; name it by its id"),
    ],
    ids=["not-there", "not-readable", "not-one"],
)
def test_what_is_not_there_not_readable_or_not_one_is_not_held(
    lab: Lab, resource: str, code: ExitCode, message: str
) -> None:
    ini = FLOAT.section().replace("resource = web\n", f"resource = {resource}\n")
    (held,) = lab.project(ini).hold("floating.web", 60.0)
    assert (held.until_ms, held.code) == (None, code)
    assert held.message is not None and message in held.message
    assert not lab.writes


# check


def checked(lab: Lab, ini: str, **more: Any) -> dict[str, Finding]:
    """The findings by their code; of several of one code the last."""
    return {finding.code: finding for finding in lab.project(ini).check(**more)}


def test_a_sound_configuration_leaves_only_the_question_what_the_token_may() -> None:
    findings = checked(Lab(TRIO), INI)
    assert set(findings) == {"file", "token"}
    assert "in clear text" in findings["file"].message
    assert findings["token"].level == "info"


@pytest.mark.parametrize(
    ("token", "level", "message"),
    [
        ("simulated-token", "info", "the token may write (tried on web)"),
        ("simulated-token-read-only", "error", "the token may only read"),
    ],
)
def test_trying_to_write_changes_nothing_and_says_what_the_token_may(token: str, level: str, message: str) -> None:
    lab = Lab(TRIO)
    before = dict(FLOAT.labels(lab))
    last = lab.project(FLOAT.section(), token=token).check(probe_write=True)[-1]
    assert (last.code, last.level, last.message) == ("token", level, message)
    assert FLOAT.labels(lab) == before


def test_what_could_not_be_tried_is_not_said_to_be_allowed() -> None:
    lab = Lab(TRIO, faults=[Fault("PUT", "*", times=None, status=500)])
    token = checked(lab, FLOAT.section(), probe_write=True)["token"]
    assert token.level == "error"
    assert token.message.startswith("whether the token may write could not be tried: ")


def test_without_a_resource_nothing_can_be_tried() -> None:
    findings = checked(Lab(trio(floating_ips=[])), FLOAT.section(), probe_write=True)
    assert findings["missing"].level == "error"
    assert findings["token"].message == "there is no resource whose labels could be written to try it"


def test_a_destination_that_is_not_there_is_an_error_and_a_source_a_warning() -> None:
    lab = Lab(TRIO)
    wrong = checked(lab, FLOAT.section("srv-a", "srv-bb"))["missing"]
    assert (wrong.level, wrong.key, wrong.fix) == ("error", "destination", "write srv-b")
    gone = checked(lab, FLOAT.section("other", "srv-b"))["missing"]
    assert (gone.level, gone.key) == ("warning", "source")


def test_a_server_name_that_two_have_is_ambiguous() -> None:
    lab = Lab(TRIO)
    lab.sim.state.servers[C].name = "srv-b"
    found = [finding for finding in lab.project(FLOAT.section()).check() if finding.code == "ambiguous"]
    assert ("floating.web", "destination", "error") in {(item.section, item.key, item.level) for item in found}


def test_sections_that_cannot_be_read_or_are_ambiguous_are_errors() -> None:
    unreadable = checked(Lab(TRIO, faults=[broken("/v1/networks*")]), INI)["unreadable"]
    assert (unreadable.level, unreadable.exit) == ("error", ExitCode.FAILED)
    ambiguous = checked(twins(), FLOAT.section())["ambiguous"]
    assert (ambiguous.level, ambiguous.key, ambiguous.fix) == ("error", "resource", "name it by its id")


def test_where_the_servers_cannot_be_read_that_is_said_of_each_name() -> None:
    lab = Lab(TRIO, faults=[broken("/v1/servers*")])
    found = [finding for finding in lab.project(FLOAT.section()).check() if finding.code == "unreadable"]
    assert found and {finding.exit for finding in found} == {ExitCode.FAILED}


def test_one_resource_by_two_names_is_found_where_only_the_api_knows() -> None:
    again = FLOAT.section().replace("[floating.web]", "[floating.again]").replace("= web\n", f"= {FLOATING}\n")
    twice = checked(Lab(TRIO), FLOAT.section() + again)["twice"]
    assert twice.section == "floating.again" and twice.message.startswith("floating.web and floating.again")


def test_one_server_by_two_names_is_found_where_only_the_api_knows() -> None:
    same = checked(Lab(TRIO), FLOAT.section("srv-a", str(A)))["same-server"]
    assert same.section == "floating.web" and same.level == "warning"


def test_what_lasts_and_would_refuse_every_move_is_told() -> None:
    lab = Lab(TRIO)
    lab.sim.state.servers[B].status = "off"
    off = checked(lab, FLOAT.section())["destination-off"]
    assert off.message == "to srv-b: srv-b is off"
    FLOAT.put(lab.sim, C)
    assert "srv-c" in checked(lab, FLOAT.section())["holder"].message


def test_an_address_that_dies_with_its_server_is_told_once() -> None:
    lab = Lab(TRIO)
    lab.sim.state.primary_ips[PRIMARY].auto_delete = True
    found = [finding for finding in lab.project(PUBLIC.section()).check() if finding.code == "auto-delete"]
    assert [finding.fix for finding in found] == [f"hcloud primary-ip update {PRIMARY} --auto-delete=false"]


def test_a_network_that_is_nearly_full_of_routes_is_told_once() -> None:
    networks = trio()["networks"]
    more = [{"destination": f"192.168.{n}.0/24", "gateway": "10.0.1.2"} for n in range(92)]
    networks[0]["routes"] = [*networks[0]["routes"], *more]
    other = ROUTE.section().replace("route.default", "route.lan").replace("0.0.0.0/0", "192.168.3.0/24")
    findings = Lab(trio(networks=networks)).project(ROUTE.section() + other).check()
    (full,) = [finding for finding in findings if finding.code == "routes"]
    assert full.message == "the network internal has 93 of 100 routes"


def test_a_clock_that_is_wrong_is_told() -> None:
    lab = Lab(TRIO)
    sim_clock = lab.sim._clock if hasattr(lab.sim, "_clock") else None
    assert sim_clock is not None
    lab.sim._clock = lambda: sim_clock() + 60
    clock = checked(lab, FLOAT.section())["clock"]
    assert "60 s behind" in clock.message or "59 s behind" in clock.message


def test_offline_nothing_is_asked() -> None:
    lab = Lab(TRIO)
    findings = checked(lab, FLOAT.section("srv-a", "srv-a"), offline=True)
    assert findings["same-server"].level == "warning"
    assert not lab.sim.requests


def test_this_machine_is_told_what_it_would_not_answer_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Borders, "not_local", lambda self, addresses: tuple(addresses))
    lab = Lab(TRIO)
    for name, value in (("this_server", B), ("host_names", ("laptop", "srv-b"))):
        with monkeypatch.context() as patch:
            patch.setattr(Borders, name, lambda self, value=value: value)
            found = checked(lab, FLOAT.section() + ALIASED.section())["not-configured"]
        assert "this machine is srv-b" in found.message and ALIAS in found.message
        assert found.fix is not None and found.fix.startswith(f"ip addr add {ALIAS}/32 dev DEVICE")


def test_a_machine_that_is_not_listed_answers_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Borders, "not_local", lambda self, addresses: tuple(addresses))
    monkeypatch.setattr(Borders, "this_server", lambda self: C)
    assert "not-configured" not in checked(Lab(TRIO), FLOAT.section())


def test_a_refused_token_ends_the_check_with_that_finding() -> None:
    last = Lab(TRIO).project(FLOAT.section(), token="wrong").check()[-1]
    assert (last.level, last.exit) == ("error", ExitCode.ACCESS)


# init


def test_every_resource_becomes_a_section_with_its_holder_and_who_else_could_have_it() -> None:
    drafts = {draft.name: draft for draft in Lab(TRIO).project("").inventory()}
    web = drafts["floating.web"]
    assert dict(web.keys) == {"type": "ip_floating", "resource": "web"}
    assert (web.holder, web.others) == ("srv-a", ("srv-b", "srv-c"))
    (route,) = [draft for draft in drafts.values() if ("type", "route") in draft.keys]
    assert dict(route.keys)["network"] == "0.0.0.0/0"
    aliases = [draft for draft in drafts.values() if ("type", "ip_alias") in draft.keys]
    assert {dict(draft.keys)["network"] for draft in aliases} == {"internal"}


def test_names_that_a_file_cannot_hold_are_written_as_ids() -> None:
    odd = [
        {"name": "a ; b", "id": 511, "ip": "192.0.2.11", "server": "srv-a"},
        {"name": "a # b", "id": 512, "ip": "192.0.2.12"},
        {"name": "x", "id": 513, "ip": "192.0.2.13"},
    ]
    drafts = Lab(trio(floating_ips=odd)).project("").inventory()
    floating = {dict(draft.keys)["resource"]: draft.name for draft in drafts if draft.name.startswith("floating")}
    assert set(floating) == {"511", "512", "x"}
    assert len(set(floating.values())) == 3


def test_an_unreadable_kind_is_left_out_of_the_drafts() -> None:
    drafts = Lab(TRIO, faults=[broken("/v1/primary_ips*")]).project("").inventory()
    assert {dict(draft.keys)["type"] for draft in drafts} == {"ip_floating", "ip_alias", "route"}


def test_servers_that_are_not_in_the_network_cannot_have_what_is() -> None:
    servers = [*trio()["servers"], {"name": "outside", "id": 99}]
    drafts = Lab(trio(servers=servers)).project("").inventory()
    for draft in drafts:
        inside = dict(draft.keys)["type"] in ("route", "ip_alias")
        assert ("outside" in draft.others) is not inside


def test_a_run_leaves_a_project_that_status_calls_done() -> None:
    lab = Lab(TRIO)
    run(lab, INI)
    assert {standing.state for standing in lab.project(INI).status().standings} == {"at-destination"}
    assert lab.sim.state.networks[NETWORK].labels == {"team": "net"}
