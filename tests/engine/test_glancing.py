"""A look that asks for the newest actions alone, as long as these tell that nothing has moved."""

from __future__ import annotations

from hcloud_reassign.core.model import Request
from hcloud_reassign.engine.status import YOUNG_S, Looking
from hcloud_reassign.simulator import Fault
from tests.engine.samples import FLOAT, FLOATING, TRIO, B
from tests.harness import Lab


def looking(lab: Lab) -> Looking:
    """After a whole look and the first glance, which has nothing to compare with."""
    made = lab.project(FLOAT.section()).looking(everything=True)
    made()
    made.glance()
    return made


def asked(lab: Lab, look: Looking) -> list[str]:
    """What one more glance asks for."""
    before = len(lab.sim.requests)
    look.glance()
    return sorted(request.path for request in lab.sim.requests[before:])


def test_while_nothing_happens_it_asks_for_the_newest_actions_of_each_class() -> None:
    lab = Lab(TRIO)
    look = looking(lab)
    status = look.glance()
    assert asked(lab, look) == [
        f"/v1/{name}/actions" for name in ("floating_ips", "load_balancers", "networks", "primary_ips", "servers")
    ]
    assert look.glance() is status
    assert len(look.classes) == 5


def test_what_somebody_else_moves_is_seen_and_looked_at_until_it_has_settled() -> None:
    lab = Lab(TRIO)
    look = looking(lab)
    lab.project(FLOAT.section()).run([], Request())
    (standing, *_) = look.glance().standings
    assert standing.holder is not None and standing.holder.id == B
    assert "/v1/floating_ips" in asked(lab, look), "an action as young as that"
    lab.clock.advance(YOUNG_S + 1)
    assert "/v1/floating_ips" not in asked(lab, look)


def test_while_an_action_runs_everything_is_looked_at() -> None:
    lab = Lab(TRIO, faults=[Fault("POST", FLOAT.path, stuck_action=True)])
    look = looking(lab)
    lab.project(FLOAT.section()).run([], Request())
    lab.clock.advance(60)
    look.glance()
    assert "/v1/floating_ips" in asked(lab, look)


def test_where_the_newest_actions_cannot_be_read_everything_is() -> None:
    lab = Lab(TRIO)
    look = looking(lab)
    lab.sim.faults.append(Fault("GET", "/v1/networks/actions", status=404, code="not_found", times=None))
    lab.sim.state.floating_ips[FLOATING].server_id = B
    (standing, *_) = look.glance().standings
    assert standing.holder is not None and standing.holder.id == B


def test_what_changes_without_an_action_is_seen_by_a_whole_look() -> None:
    lab = Lab(TRIO)
    look = looking(lab)
    lab.sim.state.floating_ips[FLOATING].labels["team"] = "other"
    found = look.glance().standings[0].found
    assert found is not None and found.labels["team"] == "web"
    found = look().standings[0].found
    assert found is not None and found.labels["team"] == "other"
