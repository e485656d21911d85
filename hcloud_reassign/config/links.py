"""What sections say about each other: groups, and the names that gateway and watch refer to."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any, NamedTuple

from hcloud_reassign.config.faults import Faults, shown
from hcloud_reassign.config.ini import Block
from hcloud_reassign.core.errors import UsageError
from hcloud_reassign.core.model import Assignment, Group, Where


class Linked(NamedTuple):
    """All sections of a file, for looking up names. `values` has those told by their name."""

    blocks: Mapping[str, Block]
    values: Mapping[str, Mapping[str, Any]]
    assignments: Mapping[str, Assignment]
    faults: Faults

    def error(self, message: str, section: str, key: str, **more: Any) -> UsageError:
        return self.faults.error(message, self.blocks[section].line_of(key), section=section, key=key, **more)

    def of(self, prefix: str) -> Iterator[str]:
        """Full names of the sections with a prefix."""
        return (name for name in self.values if name.startswith(prefix))


def groups(linked: Linked, ungroupable: Container[str]) -> tuple[Group, ...]:
    """The groups of a file. Raises UsageError for a wrong member or name."""
    return tuple(_group(linked, section, ungroupable) for section in linked.of("group."))


def _group(linked: Linked, section: str, ungroupable: Container[str]) -> Group:
    block, found = linked.blocks[section], linked.values[section]
    name = section.partition(".")[2]
    if name in linked.blocks:
        raise linked.faults.error(
            f"the group {name!r} has the name of section [{name}]",
            block.line,
            section=section,
            next=f"rename [{section}]",
        )
    for member in found["members"]:
        _check_member(linked, section, member)
        if found["on_failure"] == "undo" and linked.assignments[member].type in ungroupable:
            kind = linked.assignments[member].type
            raise linked.error(
                f"{member!r} is {kind}, which a group cannot undo",
                section,
                "members",
                next=f"write 'on_failure = keep' in [{section}], or take {member!r} out",
            )
    return Group(name, found["members"], found["on_failure"], Where(linked.faults.file, block.line))


def _check_member(linked: Linked, section: str, member: str) -> None:
    if member in linked.assignments:
        return
    if member.startswith("group.") and member in linked.values:
        raise linked.error(
            f"{member!r} is a group; a group has assignments only", section, "members", next="name its assignments"
        )
    raise linked.error(
        f"there is no assignment {shown(member)!r}", section, "members", given=member, known=linked.assignments
    )


def check_references(linked: Linked) -> None:
    """Names in [gateway.client.NAME], [watch] and [trigger.NAME] are those of the file.

    Raises:
        UsageError: one is not; with the nearest one.
    """
    known = _targets(linked)
    for section in linked.of("trigger."):
        _check_fallback(linked, section)
    for section in linked.of("gateway.client."):
        _check_names(linked, section, "allow", known)
    for section in linked.of("watch"):
        _check_names(linked, section, "assignments", known)
        _check_do(linked, section)
        _check_on_loss(linked, section)


def _targets(linked: Linked) -> Mapping[str, None]:
    named = list(linked.of("group."))
    return dict.fromkeys([*linked.assignments, *named, *(name.partition(".")[2] for name in named)])


def _check_names(linked: Linked, section: str, key: str, known: Mapping[str, None]) -> None:
    for name in linked.values[section][key]:
        if name not in known:
            raise linked.error(
                f"there is no assignment or group {shown(name)!r}", section, key, given=name, known=known
            )


def _check_do(linked: Linked, section: str) -> None:
    do = linked.values[section]["do"]
    known = ["run", *(name.replace(".", ":", 1) for name in linked.of("trigger."))]
    if do not in known:
        raise linked.error(
            f"{shown(do)!r} is neither run nor the trigger of a section [trigger.NAME]",
            section,
            "do",
            given=do,
            known=known,
        )


def _check_fallback(linked: Linked, section: str) -> None:
    fallback = linked.values[section]["fallback"]
    known = [name.partition(".")[2] for name in linked.of("trigger.") if name != section]
    if fallback and fallback not in known:
        raise linked.error(
            f"there is no other section [trigger.{shown(fallback)}]", section, "fallback", given=fallback, known=known
        )


def _check_on_loss(linked: Linked, section: str) -> None:
    """Releasing on Hetzner's side would take the resource from whoever has it by then."""
    found = linked.values[section]
    if found["on_loss"] != "release":
        return
    for name in found["assignments"]:
        if name not in linked.assignments or linked.assignments[name].type != "ip_local":
            raise linked.error(
                f"{name!r} cannot be released; only ip_local can",
                section,
                "on_loss",
                suggestion="hold",
            )
