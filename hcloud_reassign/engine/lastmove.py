"""When a resource was last moved and by whom, from three memories: the API's actions, the journal here, the claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hcloud_reassign.core.claims import Claim, claim_of
from hcloud_reassign.core.guards import clock_time
from hcloud_reassign.core.model import Found, Unreadable, World
from hcloud_reassign.core.moments import unix_s
from hcloud_reassign.core.objects import Action, Server
from hcloud_reassign.core.steps import LatestActions, ask
from hcloud_reassign.engine.task import Task

if TYPE_CHECKING:
    from hcloud_reassign.engine.session import Session

MOST_ASKED = 25
"""For more resources than this nobody's actions are read: each costs a request."""


@dataclass(frozen=True)
class LastMove:
    """Times in unix milliseconds. `who` is known only for what was moved from this machine."""

    time_ms: int | None = None
    command: str | None = None
    server: str | None = None
    who: str | None = None
    claim_ms: int | None = None
    claimed_for: str | None = None

    def data(self) -> dict[str, Any]:
        claim = None
        if self.claim_ms is not None:
            claim = {"time": clock_time(self.claim_ms), "target": self.claimed_for}
        return {
            "time": None if self.time_ms is None else clock_time(self.time_ms),
            "command": self.command,
            "server": self.server,
            "who": self.who,
            "claim": claim,
        }


def last_moves(session: Session, world: World, found: Sequence[tuple[str, Found]]) -> Mapping[str, LastMove | None]:
    """The last move of each named resource; None where nothing remembers one."""
    if not found:
        return {}
    journal = journalled(session.journal.entries() if session.journal else ())
    actions = _actions(session, found)
    situation = session.situation()
    return {
        name: merged(world, journal.get(name), actions.get(name), claim_of(item, situation)) for name, item in found
    }


def journalled(entries: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The newest move that was carried out, by assignment."""
    return {
        str(entry["name"]): entry
        for entry in entries
        if entry.get("event") == "move.done" and entry.get("outcome") == "done" and entry.get("name")
    }


def _actions(session: Session, found: Sequence[tuple[str, Found]]) -> dict[str, Action]:
    """The newest action of each resource that has actions of its own; routes and aliases share their network's."""
    own = [(name, item) for name, item in found if item.labelled is not None and item.key == "claim"][:MOST_ASKED]
    if len(own) < len(found) and len(found) > MOST_ASKED:
        return {}
    reads = {name: LatestActions(of=type(item.labelled), id=item.labelled.id) for name, item in own}
    tasks = {name: Task((), session.deadline, ask(read)) for name, read in reads.items()}
    session.scheduler.run(list(tasks.values()))
    answers = {name: task.answer for name, task in tasks.items() if task.error is None and task.answer}
    moving = {name: [action for action in answer if "assign" in action.command] for name, answer in answers.items()}
    return {name: actions[0] for name, actions in moving.items() if actions}


def merged(
    world: World, entry: Mapping[str, Any] | None, action: Action | None, claim: Claim | None
) -> LastMove | None:
    """One story out of three. An action that began after what the journal knows was somebody else's."""
    here_ms = _time_ms(entry)
    there_ms = None if action is None else int(action.started * 1000)
    ours = here_ms is not None and (there_ms is None or there_ms <= here_ms)
    if entry is None and action is None and claim is None:
        return None
    return LastMove(
        time_ms=there_ms if there_ms is not None else here_ms,
        command=action.command if action else ("run" if entry else None),
        server=_server(world, action) if action else _holder_name(entry),
        who=str(entry["who"]) if entry is not None and ours and entry.get("who") else None,
        claim_ms=claim.ms if claim else None,
        claimed_for=_named(world, claim.target) if claim else None,
    )


def _time_ms(entry: Mapping[str, Any] | None) -> int | None:
    time_s = unix_s(str((entry or {}).get("time")))
    return None if time_s is None else round(time_s * 1000)


def _server(world: World, action: Action) -> str | None:
    id = next((id for kind, id in action.resources if kind == "server"), None)
    return None if id is None else _named(world, str(id))


def _named(world: World, label: str) -> str:
    try:
        server = world.get(Server, int(label)) if label.isascii() and label.isdecimal() else None
    except Unreadable:
        server = None
    return server.name if server else label


def _holder_name(entry: Mapping[str, Any] | None) -> str | None:
    after = (entry or {}).get("after")
    return after.get("name") or after.get("address") if isinstance(after, dict) else None
