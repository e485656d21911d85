"""GET of actions: by id, and per resource (Hetzner's API description, "Actions")."""

from __future__ import annotations

from . import shapes
from .call import Call, Handler, Result
from .errors import invalid, not_found
from .model import Action
from .paging import ordered, page, paged
from .reply import natural

SORTS = ("id", "command", "status", "started", "finished")
_STATUSES = ("running", "success", "error")


def by_ids(call: Call) -> Result:
    """GET /actions: `id` is required since 2025-01-30, unknown ids are left out, the answer has no `meta`."""
    wanted = _ids(call)
    if not wanted:
        raise invalid("id", "is required")
    actions = call.project.actions
    found = _chosen(call, [actions[key] for key in sorted(wanted) if key in actions])
    return Result(200, {"actions": [_shape(call, item) for item in page(call, found)]})


def one(call: Call) -> Result:
    """GET /actions/{id}, and the same below a resource."""
    key = call.ids[-1]
    if key not in call.project.actions:
        raise not_found("action", key)
    return Result(200, {"action": _shape(call, call.project.actions[key])})


def of_kind(kind: str) -> Handler:
    """GET /{resource}/actions."""

    def handler(call: Call) -> Result:
        wanted = _ids(call)
        found = [
            item
            for item in call.project.actions.values()
            if any(name == kind for name, _ in item.resources) and (not wanted or item.id in wanted)
        ]
        return paged(call, "actions", _chosen(call, found), lambda item: _shape(call, item))

    return handler


def of_resource(kind: str, table: str) -> Handler:
    """GET /{resource}/{id}/actions. Raises 404 when the resource does not exist."""

    def handler(call: Call) -> Result:
        ref = (kind, call.ids[0])
        if ref[1] not in getattr(call.project, table):
            raise not_found(kind.replace("_", " "), ref[1])
        found = [item for item in call.project.actions.values() if ref in item.resources]
        return paged(call, "actions", _chosen(call, found), lambda item: _shape(call, item))

    return handler


def _shape(call: Call, item: Action) -> shapes.Json:
    return shapes.action(item, call.cloud.now)


def _chosen(call: Call, items: list[Action]) -> list[Action]:
    """Those with a status asked for, in the order asked for."""
    statuses = call.request.values("status")
    for status in statuses:
        if status not in _STATUSES:
            raise invalid("status", f"unknown status '{status}'")
    return ordered(call, [item for item in items if not statuses or item.status in statuses], SORTS)


def _ids(call: Call) -> set[int]:
    numbers = [natural(value) for value in call.request.values("id")]
    if None in numbers:
        raise invalid("id", "must be an integer")
    return {number for number in numbers if number is not None}
