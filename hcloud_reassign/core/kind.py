"""The shape of a kind of resource: pure decisions, no input or output."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from hcloud_reassign.core.declare import Section
from hcloud_reassign.core.model import Assignment, Found, Holder, Move, Refusal, Request, Situation, World
from hcloud_reassign.core.objects import Server
from hcloud_reassign.core.steps import Read, Steps


@dataclass(frozen=True)
class Case:
    """All that is known when one assignment is judged. `alongside`: the other resources that this run moves."""

    kind: Kind
    world: World
    assignment: Assignment
    request: Request
    situation: Situation
    found: Found
    wanted: Holder
    listed: tuple[Holder, ...] = ()
    alongside: tuple[Found, ...] = ()

    @property
    def target(self) -> Server | None:
        """The server that shall hold it, when the wanted holder is one."""
        return self.world.get(Server, self.wanted.id) if self.wanted.id is not None else None


class Kind(ABC):
    """One type of resource. Adding one: a file with a subclass and an instance called KIND, and a registry line."""

    section: ClassVar[Section]
    default_timeout_s: ClassVar[float] = 120.0
    groupable: ClassVar[bool] = True
    """Whether it can be undone as a member of an all-or-nothing group."""

    @property
    def word(self) -> str:
        """The `type` in the configuration."""
        return self.section.word

    def check(self, assignment: Assignment) -> None:
        """What can be wrong with a section without asking anybody. Raises UsageError with the `key`."""
        return

    @abstractmethod
    def reads(self, assignment: Assignment) -> tuple[Read[object], ...]:
        """What must be known to find the resource, its holder and everybody listed."""

    @abstractmethod
    def find(self, world: World, assignment: Assignment) -> Found:
        """The resource and its holder. Raises Missing, Ambiguous, Unreadable."""

    @abstractmethod
    def holder_named(self, world: World, found: Found, name: str) -> Holder:
        """The holder that a name, id or address stands for. Raises Missing, Ambiguous, Unreadable."""

    @abstractmethod
    def again(self, found: Found) -> tuple[Read[object], ...]:
        """The smallest reads that show who holds it now; also what confirms "nobody" and "somebody else"."""

    def sees(self, move: Move) -> tuple[Read[object], ...]:
        """What is read to verify a move that was carried out."""
        assert move.found is not None
        return self.again(move.found)

    def unfinished(self, found: Found) -> bool:
        """Whether an earlier run left something to finish although the target has it."""
        return False

    def guards(self, case: Case) -> Iterator[Refusal]:
        """Reasons to refuse that only this kind knows."""
        return iter(())

    @abstractmethod
    def plan(self, case: Case, move: Move) -> Move:
        """The move with its steps, locks, side effects and details. May raise UsageError."""

    @abstractmethod
    def carry_out(self, moves: Sequence[Move]) -> Steps[None]:
        """Yield the steps of these moves (one, or a bundle). Raises StepError; undo is its `except`."""

    def settled(self, world: World, move: Move) -> str | None:
        """After the holder is right: what else is not as promised, in words; None when all is."""
        return None

    @abstractmethod
    def vendor_command(self, found: Found, wanted: Holder, world: World) -> str:
        """The same move as a call of the vendor's own command line."""

    @abstractmethod
    def inventory(self, world: World) -> tuple[Assignment, ...]:
        """An ad hoc assignment for every resource of this kind in the project."""
