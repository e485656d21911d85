"""Reassign Hetzner floating IPs, primary IPs, alias IPs and routes: guarded, verified, undone on failure.

The public API, loaded on use:

    load, observe, plan, apply      the verb chain
    Project, Observation, Proposal  what the verbs pass on
    Request, Overrides              what is asked for, what is given in place of the file
    Holder, Resource, Move, Plan    the plan as it is shown, checked and carried out
    Result, ExitCode                what came of it
    ReassignError and its kin       what was wrong, where, and what to do
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hcloud_reassign.api import Observation, Proposal, apply, load, observe, plan
    from hcloud_reassign.core.errors import AccessError, ExitCode, FailedError, Missing, ReassignError, UsageError
    from hcloud_reassign.core.model import Assignment, Holder, Move, Plan, Request, Resource, World
    from hcloud_reassign.core.report import Result
    from hcloud_reassign.engine.events import Event
    from hcloud_reassign.project import Overrides, Project

_MODULES = {
    "api": ("Observation", "Proposal", "apply", "load", "observe", "plan"),
    "core.errors": ("AccessError", "ExitCode", "FailedError", "Missing", "ReassignError", "UsageError"),
    "core.model": ("Assignment", "Holder", "Move", "Plan", "Request", "Resource", "World"),
    "core.report": ("Result",),
    "engine.events": ("Event",),
    "project": ("Overrides", "Project"),
}

__all__ = [
    "AccessError",
    "Assignment",
    "Event",
    "ExitCode",
    "FailedError",
    "Holder",
    "Missing",
    "Move",
    "Observation",
    "Overrides",
    "Plan",
    "Project",
    "Proposal",
    "ReassignError",
    "Request",
    "Resource",
    "Result",
    "UsageError",
    "World",
    "apply",
    "load",
    "observe",
    "plan",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
