"""What a kind may ask the engine for: one frozen dataclass per vendor verb, per read and per wait.

A kind's generator yields a step and gets its answer; what went wrong is raised at the same place:

    StepError
    ├── Refused            the vendor said no, nothing was changed by this request
    │   ├── Busy           locked, conflict, rate limit: the same request may pass later
    │   ├── Gone           the object does not exist
    │   ├── Denied         the token is missing, wrong, revoked or read-only
    │   └── ActionFailed   accepted, and failed later
    ├── Overtaken          raised by a kind: somebody else has it now; it is left to them
    ├── LeftOpen           raised by a kind: something was taken away and not given back
    ├── Lost               no usable answer: it may or may not have been taken
    ├── Unsettled          accepted, and still running when the time was over
    ├── OutOfTime          not sent: too little time is left
    └── Interrupted        not sent: the run was asked to stop
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from hcloud_reassign.core.objects import (
    Action,
    FloatingIp,
    Member,
    Network,
    PrimaryIp,
    Route,
    Server,
)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R")

Steps = Generator["Step", Any, R]
"""A generator of steps that returns R."""


class StepError(Exception):
    """Something that a step met. `message` is for people; `met_by` is the step in words, where the engine knows it."""

    met_by: str | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refused(StepError):
    """`code` is Hetzner's error code, or the HTTP status as text; `fields` names what it objected to."""

    def __init__(self, message: str, code: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.fields = fields

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"


class Busy(Refused):
    pass


class Gone(Refused):
    pass


class Denied(Refused):
    pass


class ActionFailed(Refused):
    pass


class Lost(StepError):
    pass


class Overtaken(StepError):
    """Somebody else has it now, or a newer request has come: left as it is."""


class LeftOpen(StepError):
    """Something was taken away and could not be given back; `message` says what is open and how it was."""


class Unsettled(StepError):
    pass


class OutOfTime(StepError):
    pass


class Interrupted(StepError):
    pass


class Step:
    """Base of all steps. One that adds no field to its parent is a dataclass by inheritance."""

    @property
    def what(self) -> str:
        """The step in words, as the plan and the events show it."""
        return type(self).__name__


@dataclass(frozen=True)
class Read(Step, Generic[T_co]):
    """A question that changes nothing; its answer is a T. `cls` names the vendor objects it asks for."""

    whole: ClassVar[bool] = False
    """Whether the answer is everything there is of `cls`."""
    cls: type = field(default=object, kw_only=True)

    def merged(self, table: Mapping[int, Any], answer: Any) -> Mapping[int, Any]:
        """A world's table of `cls` after this answer."""
        raise NotImplementedError


class All(Read[T_co]):
    """Every object of one class; the answer is a tuple of them."""

    whole: ClassVar[bool] = True

    def merged(self, table: Mapping[int, Any], answer: Any) -> Mapping[int, Any]:
        return {item.id: item for item in answer}

    @property
    def what(self) -> str:
        return f"read all {self.cls.__name__}"


@dataclass(frozen=True)
class One(Read[T_co]):
    """One object by its id; the answer is None when there is none.

    `patience` (seconds): it may wait so long for others like it, to be answered by one request.
    """

    id: int = 0
    patience: float = 0.0

    def merged(self, table: Mapping[int, Any], answer: Any) -> Mapping[int, Any]:
        rest = {key: item for key, item in table.items() if key != self.id}
        return rest if answer is None else {**rest, self.id: answer}

    @property
    def what(self) -> str:
        return f"read {self.cls.__name__} {self.id}"


def every(cls: type[T]) -> All[tuple[T, ...]]:
    return All(cls=cls)


def one(cls: type[T], id: int, patience: float = 0.0) -> One[T | None]:
    return One(cls=cls, id=id, patience=patience)


@dataclass(frozen=True)
class Members(Read[tuple[Member, ...]]):
    """Who is in a network. Absent in the API before 2026: the answer is then None."""

    network: int = 0
    cls: type = field(default=Member, kw_only=True)

    def merged(self, table: Mapping[int, Any], answer: Any) -> Mapping[int, Any]:
        others = [item for item in table.values() if item.network != self.network]
        return dict(enumerate((*others, *(answer or ()))))


@dataclass(frozen=True)
class LatestActions(Read[tuple[Action, ...]]):
    """The newest actions of one object, newest first; with no id, those of all objects of the class."""

    of: type = object
    id: int | None = 0
    cls: type = field(default=Action, kw_only=True)


@dataclass(frozen=True)
class Write(Step):
    """One intent, sent as one HTTP request; the answer is an Action, or None when there was nothing to do.

    `command` is Hetzner's name of the action it starts; `takes_away` says that somebody loses something by it, so that
    it is not sent unless giving it back still fits into the time; `restoring` steps may use the time kept for that.
    """

    command: ClassVar[str] = ""
    takes_away: ClassVar[bool] = False
    restoring: bool = field(default=False, kw_only=True)

    @property
    def touches(self) -> tuple[tuple[type, int], ...]:
        """The vendor objects that its action names."""
        raise NotImplementedError


@dataclass(frozen=True)
class AssignFloatingIp(Write):
    """`POST /floating_ips/{id}/actions/assign`. Takes it straight from whoever has it (observed behaviour)."""

    command: ClassVar[str] = "assign_floating_ip"
    floating_ip: int
    server: int
    name: str
    server_name: str

    @property
    def what(self) -> str:
        return f"assign floating IP {self.name} to {self.server_name}"

    @property
    def touches(self) -> tuple[tuple[type, int], ...]:
        return ((FloatingIp, self.floating_ip), (Server, self.server))


@dataclass(frozen=True)
class UnassignFloatingIp(Write):
    command: ClassVar[str] = "unassign_floating_ip"
    takes_away: ClassVar[bool] = True
    floating_ip: int
    name: str

    @property
    def what(self) -> str:
        return f"unassign floating IP {self.name}"

    @property
    def touches(self) -> tuple[tuple[type, int], ...]:
        return ((FloatingIp, self.floating_ip),)


@dataclass(frozen=True)
class AssignPrimaryIp(Write):
    """`POST /primary_ips/{id}/actions/assign`. Server off, address unassigned, slot of that family free."""

    command: ClassVar[str] = "assign_primary_ip"
    primary_ip: int
    server: int
    name: str
    server_name: str

    @property
    def what(self) -> str:
        return f"assign primary IP {self.name} to {self.server_name}"

    @property
    def touches(self) -> tuple[tuple[type, int], ...]:
        return ((PrimaryIp, self.primary_ip), (Server, self.server))


@dataclass(frozen=True)
class UnassignPrimaryIp(Write):
    command: ClassVar[str] = "unassign_primary_ip"
    takes_away: ClassVar[bool] = True
    primary_ip: int
    name: str
    server_name: str

    @property
    def what(self) -> str:
        return f"unassign primary IP {self.name} from {self.server_name}"

    @property
    def touches(self) -> tuple[tuple[type, int], ...]:
        return ((PrimaryIp, self.primary_ip),)


@dataclass(frozen=True)
class _AliasIp(Write):
    command: ClassVar[str] = "change_alias_ips"
    server: int
    network: int
    address: str
    server_name: str

    @property
    def touches(self) -> tuple[tuple[type, int], ...]:
        return ((Server, self.server), (Network, self.network))


class AddAliasIp(_AliasIp):
    """Adds one address to the server's alias IPs; the list sent is made from what is read directly before."""

    @property
    def what(self) -> str:
        return f"add alias IP {self.address} to {self.server_name}"


class RemoveAliasIp(_AliasIp):
    """Removes one address from the server's alias IPs and keeps the others."""

    takes_away: ClassVar[bool] = True

    @property
    def what(self) -> str:
        return f"remove alias IP {self.address} from {self.server_name}"


@dataclass(frozen=True)
class _NetworkRoute(Write):
    network: int
    route: Route
    network_name: str

    @property
    def touches(self) -> tuple[tuple[type, int], ...]:
        return ((Network, self.network),)


class AddRoute(_NetworkRoute):
    command: ClassVar[str] = "add_route"

    @property
    def what(self) -> str:
        return f"add route {self.route.destination} via {self.route.gateway} to {self.network_name}"


class DeleteRoute(_NetworkRoute):
    """Names the pair exactly: another gateway's route to the same destination is not deleted by it."""

    command: ClassVar[str] = "delete_route"
    takes_away: ClassVar[bool] = True

    @property
    def what(self) -> str:
        return f"delete route {self.route.destination} via {self.route.gateway} from {self.network_name}"


@dataclass(frozen=True)
class _Power(Write):
    verb: ClassVar[str] = ""
    server: int
    name: str

    @property
    def what(self) -> str:
        return f"{self.verb} {self.name}"

    @property
    def touches(self) -> tuple[tuple[type, int], ...]:
        return ((Server, self.server),)


class Shutdown(_Power):
    """Asks the operating system (ACPI) to stop; its action says only that the request was sent."""

    command: ClassVar[str] = "shutdown_server"
    verb: ClassVar[str] = "shut down"
    takes_away: ClassVar[bool] = True


class PowerOff(_Power):
    """Pulls the plug."""

    command: ClassVar[str] = "stop_server"
    verb: ClassVar[str] = "power off"
    takes_away: ClassVar[bool] = True


class PowerOn(_Power):
    command: ClassVar[str] = "start_server"
    verb: ClassVar[str] = "power on"


@dataclass(frozen=True)
class SetLabels(Write):
    """Replaces an object's labels by `labels`, which holds all of them; the answer is the object as it is then."""

    of: type
    id: int
    name: str
    labels: Mapping[str, str] = field(hash=False)
    why: str = "label"

    @property
    def what(self) -> str:
        return f"{self.why} {self.name}"

    @property
    def touches(self) -> tuple[tuple[type, int], ...]:
        return ((self.of, self.id),)


@dataclass(frozen=True)
class Finished(Step):
    """Wait for an action to end. Raises ActionFailed, or Unsettled when the time is over first."""

    action: Action
    write: Write

    @property
    def what(self) -> str:
        return f"wait for {self.write.what}"


@dataclass(frozen=True)
class FindAction(Step):
    """After a lost answer: the action that `write` started, if the vendor knows one; else None."""

    write: Write


@dataclass(frozen=True)
class ServerIs(Step):
    """Wait, at most `limit` seconds, for a server's status; the answer says whether it came."""

    server: int
    name: str
    status: str
    limit: float

    @property
    def what(self) -> str:
        return f"wait until {self.name} is {self.status}"


@dataclass(frozen=True)
class Pause(Step):
    """Wait about `seconds`; the engine adds jitter. `reason` is shown.

    `restoring`: what follows may use the time kept for undo and verification, so waiting for it may as well.
    """

    seconds: float
    reason: str
    restoring: bool = False


@dataclass(frozen=True)
class Acquire(Step):
    """Wait until no other move of this run changes these objects; the answer says whether that took any time."""

    locks: frozenset[tuple[type, int]]


def ask(read: Read[T]) -> Steps[T]:
    """Ask one question, typed."""
    answer: T = yield read
    return answer


@dataclass(frozen=True)
class Hook(Step):
    """Run a command of the configuration on this machine; the answer is why it failed, None when it did not."""

    command: str
    variables: Mapping[str, str] = field(hash=False)
    limit: float = 30.0

    @property
    def what(self) -> str:
        return f"run {self.command}"


class Release(Step):
    """Let other moves change the objects that were acquired."""
