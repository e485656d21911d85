"""Who could get it: what a person chooses from before a move is planned."""

from __future__ import annotations

from dataclasses import replace

from hcloud_reassign.core.model import Assignment, Request
from tests.engine.samples import FLOAT, ROUTE, TRIO, Sample, with_server
from tests.harness import Lab


def offered(lab: Lab, sample: Sample, **changes: object) -> list[tuple[str, str | None, bool]]:
    project = lab.project(sample.section())
    assignment = replace(project.settings.assignments[0], **changes)  # type: ignore[arg-type]
    found = project.choices(project.selection([assignment]), Request())
    return [(choice.server.name, choice.hindrance, choice.here) for choice in found]


def test_who_can_get_it_comes_first_and_who_has_it_after_them() -> None:
    assert offered(Lab(TRIO), FLOAT) == [
        ("srv-b", None, False),
        ("srv-a", None, True),
        ("srv-c", "srv-c is not listed for it", False),
    ]


def test_what_no_section_restricts_may_go_to_anybody() -> None:
    lab = Lab(with_server(TRIO, "srv-c", status="off"))
    assert offered(lab, FLOAT, source=None, destination=None, anybody=True) == [
        ("srv-b", None, False),
        ("srv-a", None, True),
        ("srv-c", "srv-c is off", False),
    ]


def test_a_server_outside_the_network_is_no_gateway() -> None:
    lab = Lab({**TRIO, "servers": [*TRIO["servers"], {"name": "srv-d", "id": 13}]})
    hindrance = {name: why for name, why, _ in offered(lab, ROUTE, source=None, destination=None, anybody=True)}
    assert hindrance["srv-d"] is not None and "not attached to the network internal" in hindrance["srv-d"]


def test_choosing_leaves_no_trace_in_the_journal() -> None:
    lab = Lab(TRIO)
    project = lab.project(FLOAT.section())
    project.choices(project.selection(project.settings.assignments), Request())
    assert project.history() == ()
    assert lab.writes == []


def test_what_no_section_names_is_carried_like_everything_else() -> None:
    lab = Lab(TRIO)
    project = lab.project("[client]\nproject = prod\n")
    selection = project.selection([Assignment("floating.web", "ip_floating", "web", anybody=True)])
    report = project.carry(selection, Request(to="srv-c"), apply=True)
    assert [result.outcome for result in report.results] == ["done"]
    assert [entry["event"] for entry in project.history()][-1] == "run.finished"


def test_a_carried_run_can_be_asked_to_stop_from_outside() -> None:
    lab = Lab(TRIO)
    project = lab.project(FLOAT.section())
    selection = project.selection(project.settings.assignments)
    report = project.carry(selection, Request(), apply=True, on_start=lambda stop: stop())
    assert (report.code.word, FLOAT.holder(lab)) == ("interrupted", 10)


def test_what_no_section_names_does_not_take_the_name_of_a_section() -> None:
    lab = Lab(TRIO)
    project = lab.project(FLOAT.section().replace("resource = web", "resource = web6"))
    seen = {standing.name: standing.resource.name for standing in project.status(everything=True).standings}
    assert (seen["floating.web"], seen["floating.web-2"]) == ("web6", "web")
