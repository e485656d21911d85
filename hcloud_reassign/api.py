"""The verb chain for programs: load, observe, plan, apply. The command line and the terminal UI use the same objects.

project = load("prod.ini")
seen = observe(project, ["floating.web"])
proposal = plan(seen, Request(to="srv-b"))
results = apply(proposal)
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hcloud_reassign.chain import Selection
from hcloud_reassign.core.model import Plan, Request, World
from hcloud_reassign.core.planning import check_request
from hcloud_reassign.project import Listener, Overrides, Project, open_project

if TYPE_CHECKING:
    from hcloud_reassign.core.report import Result


@dataclass(frozen=True)
class Observation:
    """Who held what. `at` is the monotonic second of the reading, `here` the server this program runs on, if known."""

    project: Project
    selection: Selection
    world: World
    at: float
    here: int | None = None


@dataclass(frozen=True)
class Proposal:
    """A plan with what it rests on. `digest` ties an approval to it."""

    observation: Observation
    request: Request
    plan: Plan
    digest: str


def load(file: str | os.PathLike[str] | None = None, overrides: Overrides | None = None) -> Project:
    """Read and check a configuration file. Raises UsageError with file, line and key."""
    return open_project(file, overrides)


def observe(project: Project, names: Sequence[str] = ()) -> Observation:
    """Read all that the named assignments need (none: all of them), in the fewest requests.

    Raises:
        Missing: a name is not in the file. AccessError: no token, or a refused one. FailedError: nothing can be read.
    """
    selection = project.select(names)
    with project.session(selection) as session:
        world = project.chain(session, selection, Request()).observe()
        return Observation(project, selection, world, session.observed_at, session.here)


def plan(observation: Observation, request: Request | None = None) -> Proposal:
    """What to do about it. Asks again only where "nobody" or "somebody else" was seen.

    Raises:
        UsageError: the request does not fit the assignments.
    """
    project, selection, request = observation.project, observation.selection, request or Request()
    check_request(selection.assignments, request, [assignment.name for assignment in selection.assignments])
    with project.session(selection) as session:
        session.observed_at, session.here = observation.at, observation.here
        made, world, digest = project.chain(session, selection, request).plan(observation.world)
        seen = replace(observation, world=world, at=session.observed_at)
        return Proposal(seen, request, made, digest)


def apply(proposal: Proposal, on_event: Listener | None = None) -> tuple[Result, ...]:
    """Carry a proposal out. What it rests on is read again first, unless it is at most a second old."""
    seen = proposal.observation
    with seen.project.session(seen.selection, on_event=on_event) as session:
        session.observed_at, session.here = seen.at, seen.here
        return seen.project.chain(session, seen.selection, proposal.request).apply(proposal.plan, seen.world)
