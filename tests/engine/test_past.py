"""What Hetzner remembers of an object, asked for through the project."""

from __future__ import annotations

import pytest

from hcloud_reassign.core.errors import AccessError
from hcloud_reassign.core.model import Request
from hcloud_reassign.core.objects import FloatingIp, Network
from hcloud_reassign.simulator import Fault
from tests.engine.samples import FLOAT, FLOATING, NETWORK, TRIO, A
from tests.harness import Lab

WEB = FloatingIp(FLOATING, "web", "192.0.2.10", A)


def test_the_actions_of_an_object_are_told_newest_first() -> None:
    lab = Lab(TRIO)
    project = lab.project(FLOAT.section())
    project.run([], Request())
    project.run([], Request(direction="src"))
    (past,) = project.actions([WEB])
    assert [action.command for action in past.actions] == ["assign_floating_ip", "assign_floating_ip"]
    assert past.actions[0].started > past.actions[1].started
    assert past.unread is None


def test_an_object_whose_actions_cannot_be_read_says_why_and_hinders_no_other() -> None:
    lab = Lab(TRIO, faults=[Fault(path="/v1/floating_ips/*/actions", status=404, times=None)])
    web, network = lab.project(FLOAT.section()).actions([WEB, Network(NETWORK, "internal", "10.0.0.0/16")])
    assert web.unread and not web.actions
    assert network.unread is None


def test_a_refused_token_ends_it() -> None:
    lab = Lab(TRIO)
    with pytest.raises(AccessError):
        lab.project(FLOAT.section(), token="nobody").actions([WEB])
