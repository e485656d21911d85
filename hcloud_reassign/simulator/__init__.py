"""A Hetzner project in memory, to try everything without an account.

The core is `Simulator.handle`: a request in, an answer out, with clock and random source passed in and no threads. The
module `asgi` serves it over HTTP. It imports nothing else of this project, so it cannot share its misunderstandings.
"""

from __future__ import annotations

from .core import Simulator
from .errors import ScenarioError
from .faults import Fault, load_faults
from .reply import Recorded, Reply, Request
from .scenario import Scenario, load_scenario, scenario_names
from .switches import Switches

__all__ = [
    "Fault",
    "Recorded",
    "Reply",
    "Request",
    "Scenario",
    "ScenarioError",
    "Simulator",
    "Switches",
    "load_faults",
    "load_scenario",
    "scenario_names",
]
