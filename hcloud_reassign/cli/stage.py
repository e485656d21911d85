"""What `demo --tui` plays on: a simulated project in which something goes on all the time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hcloud_reassign.cli.session import now_ms
from hcloud_reassign.core.errors import ReassignError
from hcloud_reassign.core.model import Request

if TYPE_CHECKING:
    from hcloud_reassign.project import Project
    from hcloud_reassign.simulator import Fault, Simulator

FLAPS_EVERY_S = 6.0
POWERS_EVERY_S = 20.0
_BEGINS_AFTER_S = 2.0
_SLOW_S = 15.0
_SPARE = 12

SCENARIO: Mapping[str, Any] = {
    "networks": [
        {
            "name": "internal",
            "id": 4711,
            "ip_range": "10.0.0.0/16",
            "subnets": [{"ip_range": "10.0.1.0/24"}],
            "routes": [{"destination": "0.0.0.0/0", "gateway": "10.0.1.2"}],
        }
    ],
    "servers": [
        {"name": "srv-a", "id": 10, "networks": {"internal": {"ip": "10.0.1.2", "alias_ips": ["10.0.1.100"]}}},
        {"name": "srv-b", "id": 11, "networks": {"internal": {"ip": "10.0.1.3", "alias_ips": ["10.0.1.51"]}}},
        {"name": "srv-c", "id": _SPARE, "networks": {"internal": {"ip": "10.0.1.4"}}},
    ],
    "floating_ips": [
        {"name": "web", "id": 501, "ip": "192.0.2.10", "server": "srv-a", "labels": {"team": "web"}},
        {"name": "flapping", "id": 502, "ip": "192.0.2.20", "server": "srv-a"},
        {"name": "slow", "id": 503, "ip": "192.0.2.30", "server": "srv-a"},
        {"name": "failing", "id": 504, "ip": "192.0.2.40", "server": "srv-b"},
        {"name": "spare", "id": 505, "ip": "192.0.2.50", "server": "srv-c"},
        {"name": "free", "id": 506, "ip": "2001:db8:f::/64"},
    ],
    "primary_ips": [{"name": "public-web", "id": 701, "ip": "198.51.100.7", "server": "srv-a"}],
}

SECTIONS = """
[floating.flapping]
type        = ip_floating
resource    = flapping
members     = srv-a, srv-b
note        = keepalived on both sides wants it: hold it, and see

[floating.slow]
type        = ip_floating
resource    = slow
source      = srv-a
destination = srv-b
note        = its action takes a while

[floating.failing]
type        = ip_floating
resource    = failing
source      = srv-b
destination = srv-a
note        = Hetzner's action for it fails

[floating.spare]
type        = ip_floating
resource    = spare
source      = srv-c
destination = srv-b
note        = srv-c is switched off and on

[group.web]
members     = floating.web, route.default
"""
"""What goes on there, beside the sections of the demonstration."""


def faults() -> list[Fault]:
    """One address is slow to move, another one never gets there."""
    from hcloud_reassign.simulator import Fault

    failed = {"code": "action_failed", "message": "the host of the server does not answer"}
    return [
        Fault(method="POST", path="/v1/floating_ips/503/actions/assign", times=None, slow_action=_SLOW_S),
        Fault(method="POST", path="/v1/floating_ips/504/actions/assign", times=None, fail_action=failed),
    ]


class Players:
    """While it is entered: two servers take an address from each other, and a third one goes off and on."""

    def __init__(self, sim: Simulator, project: Project, token: str) -> None:
        self._sim, self._project = sim, project
        self._headers = {"authorization": f"Bearer {token}"}
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._again_and_again, args=(do, seconds), daemon=True, name=do.__name__)
            for do, seconds in ((self.flap, FLAPS_EVERY_S), (self.power, POWERS_EVERY_S))
        ]
        self._turns = 0
        self._off = False

    def __enter__(self) -> Players:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _again_and_again(self, do: Callable[[], None], seconds: float) -> None:
        wait = _BEGINS_AFTER_S
        while not self._over.wait(wait):
            do()
            wait = seconds

    def flap(self) -> None:
        """A request as a pipeline would make it; it may be refused."""
        self._turns += 1
        request = Request(to=("srv-a", "srv-b")[self._turns % 2], issued_at_ms=now_ms())
        with contextlib.suppress(ReassignError):
            self._project.run(["floating.flapping"], request)

    def power(self) -> None:
        """The third server is switched off, or on again."""
        self._off = not self._off
        path = f"/v1/servers/{_SPARE}/actions/{'poweroff' if self._off else 'poweron'}"
        self._sim.handle("POST", path, (), self._headers, b"")
