"""The words of the program as frozen data: who holds what, what was asked for, and what will be done about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from hcloud_reassign.core.steps import Read, Step

T = TypeVar("T")

HolderType = Literal["server", "gateway", "robot", "host", "load_balancer", "other"]
Outcome = Literal["pending", "unchanged", "refused", "done", "failed", "unknown"]
Direction = Literal["dest", "src"]


@dataclass(frozen=True)
class Holder:
    """Who has a resource. For a route it is a gateway, known by its address; `name` and `id` are then its server's."""

    type: HolderType
    id: int | None = None
    name: str | None = None
    address: str | None = None

    @property
    def key(self) -> tuple[str, int | str | None]:
        """What makes two holders the same one."""
        return (self.type, self.address if self.type == "gateway" or self.id is None else self.id)

    @property
    def label(self) -> str:
        """The holder in a label's value: a server's id, a gateway's address."""
        return str(self.key[1])

    def __str__(self) -> str:
        if self.type == "gateway" and self.address:
            return f"{self.address} ({self.name})" if self.name else self.address
        return self.name or self.address or f"{self.type.replace('_', ' ')} {self.id}"


@dataclass(frozen=True)
class Resource:
    """What moves, as Hetzner names it."""

    id: int | None
    name: str | None
    address: str | None


@dataclass(frozen=True)
class Where:
    """A place in a configuration file, for messages."""

    file: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class Assignment:
    """A section of the configuration. Times in seconds; `options` has the keys that only its kind knows."""

    name: str
    type: str
    resource: str | None = None
    source: str | None = None
    destination: str | None = None
    members: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    cooldown_s: float = 0.0
    max_age_s: float | None = None
    max_moves_per_hour: int = 0
    timeout_s: float | None = None
    before: str | None = None
    after: str | None = None
    note: str | None = None
    anybody: bool = False
    where: Where = Where()

    @property
    def listed(self) -> tuple[str, ...]:
        """Who may hold it by configuration: source, destination and members, each once."""
        return tuple(dict.fromkeys(name for name in (self.source, self.destination, *self.members) if name))

    @property
    def restricted(self) -> bool:
        """Whether a holder outside `listed` is somebody else. Without `source` or `members` anybody is expected."""
        return not self.anybody and bool(self.source or self.members)


@dataclass(frozen=True)
class Group:
    """Assignments that move together or not at all."""

    name: str
    members: tuple[str, ...]
    on_failure: Literal["undo", "keep"] = "undo"
    where: Where = Where()


@dataclass(frozen=True)
class Request:
    """What is asked for. `issued_at_ms` (unix milliseconds) is set for a triggered request and for no other.

    `max_age_s` beats what the assignment says; without both it is 300 s.
    """

    to: str | None = None
    direction: Direction = "dest"
    force: bool = False
    allow_poweroff: bool = False
    hard_poweroff: bool = False
    power_on: bool = False
    issued_at_ms: int | None = None
    age_ms: int = 0
    max_age_s: float | None = None
    claims: bool = True
    expect_digest: str | None = None
    by: str | None = None
    invocation: str = "hcloud-reassign run"

    @property
    def triggered(self) -> bool:
        return self.issued_at_ms is not None


@dataclass(frozen=True)
class Situation:
    """What is known at the moment of judging that no vendor object tells.

    `now_ms`: API time in unix milliseconds. `here`: the id of the server this program runs on, if it is one.
    `moved_last_hour`: moves per assignment name in the local journal. `started_ms`: when this run began.
    """

    now_ms: int
    started_ms: int
    here: int | None = None
    moved_last_hour: Mapping[str, int] = field(default_factory=dict)


class Unreadable(Exception):
    """Something that was needed could not be read: "cannot tell", which is never "not held"."""


class World:
    """What was observed, frozen: tables of vendor objects by class, and which of them could not be read."""

    def __init__(
        self,
        tables: Mapping[type, Mapping[int, Any]] | None = None,
        unreadable: Mapping[type, str] | None = None,
    ) -> None:
        self._tables = dict(tables or {})
        self._unreadable = dict(unreadable or {})

    def all(self, cls: type[T]) -> tuple[T, ...]:
        """Every object of a class.

        Raises:
            Unreadable: the class was not read, or reading it failed.
        """
        if cls in self._unreadable:
            raise Unreadable(self._unreadable[cls])
        if cls not in self._tables:
            raise Unreadable(f"{cls.__name__} was not read")
        return tuple(self._tables[cls].values())

    def get(self, cls: type[T], id: int | None) -> T | None:
        """One object by its id; None when there is none. Raises Unreadable like `all`."""
        everything = self.all(cls)
        # Most tables are by id: a thousand servers are looked up a thousand times.
        likely: T | None = self._tables[cls].get(id) if id is not None else None
        if likely is not None and getattr(likely, "id", None) == id:
            return likely
        return next((item for item in everything if getattr(item, "id", None) == id), None)

    def has(self, cls: type) -> bool:
        return cls in self._tables and cls not in self._unreadable

    def why_unreadable(self, cls: type) -> str | None:
        """Why a class could not be read; None when it was, or was not asked for."""
        return self._unreadable.get(cls)

    def learned(self, read: Read[Any], answer: Any) -> World:
        """A new world that also knows what a read answered. One object read does not make its class readable again."""
        tables = {**self._tables, read.cls: read.merged(self._tables.get(read.cls, {}), answer)}
        mended = read.cls if read.whole else None
        return World(tables, {cls: why for cls, why in self._unreadable.items() if cls is not mended})

    def failed(self, read: Read[Any], why: str) -> World:
        """A new world in which a class is known to be unreadable."""
        return World(self._tables, {**self._unreadable, read.cls: why})


@dataclass(frozen=True)
class Found:
    """A resource as it was found, and who holds it.

    `labelled` is the vendor object whose labels carry the claim (None: this kind has no claims); `key` says which
    claim on it is this resource's: "claim", or for the many resources of one network a key of their own.
    `movable` is False when the holder cannot be moved away from at all, not even with force.
    """

    resource: Resource
    holder: Holder | None
    labelled: Any = None
    key: str = "claim"
    movable: bool = True

    @property
    def labels(self) -> Mapping[str, str]:
        labels: Mapping[str, str] = getattr(self.labelled, "labels", {})
        return labels


@dataclass(frozen=True)
class Refusal:
    """A guard's no: which guard, what was found, how to get past it. `forceable`: `--force` passes it."""

    guard: str
    message: str
    next: str | None = None
    forceable: bool = False
    retry_after_s: int | None = None


@dataclass(frozen=True)
class Move:
    """One resource going from one holder to another, as planned.

    `steps` is what is done when nothing goes wrong. `locks` names the vendor objects that no other move of this run may
    change meanwhile. `bundle` joins moves that share their steps (both families of one server in one stop).
    `intention` are labels set before the first write, in the same request as the claim. `details` is the kind's own.
    """

    assignment: Assignment
    outcome: Outcome
    found: Found | None = None
    wanted: Holder | None = None
    group: str | None = None
    refusal: Refusal | None = None
    message: str | None = None
    next: str | None = None
    vendor_command: str | None = None
    usage_error: bool = False
    side_effects: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    locks: frozenset[tuple[type, int]] = frozenset()
    bundle: str | None = None
    intention: Mapping[str, str] = field(default_factory=dict)
    details: Any = None

    @property
    def name(self) -> str:
        return self.assignment.name

    @property
    def before(self) -> Holder | None:
        return self.found.holder if self.found else None

    @property
    def resource(self) -> Resource:
        return self.found.resource if self.found else Resource(None, self.assignment.resource, None)

    def with_group(self, group: str) -> Move:
        return replace(self, group=group)


@dataclass(frozen=True)
class Plan:
    """All moves of one run, in the order of the command line; what is shown, checked and carried out."""

    moves: tuple[Move, ...]
    groups: tuple[Group, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def pending(self) -> tuple[Move, ...]:
        return tuple(move for move in self.moves if move.outcome == "pending")

    def __iter__(self) -> Iterator[Move]:
        return iter(self.moves)

    def replaced(self, changes: Sequence[Move]) -> Plan:
        """The same plan with some of its moves exchanged, told by their names."""
        by_name = {move.name: move for move in changes}
        return replace(self, moves=tuple(by_name.get(move.name, move) for move in self.moves))
