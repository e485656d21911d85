"""Floating IPs (Hetzner's API description, "Floating IPs" and "Floating IP Actions")."""

from __future__ import annotations

from .call import Call, Result
from .cloud import Work
from .errors import ActionFailure, ApiError, not_found, undocumented
from .model import FloatingIp, Ref, Server
from .paging import listing
from .updates import description, update

SORTS = ("id", "created")


def index(call: Call) -> Result:
    """GET /floating_ips; there is no filter by address."""
    return listing(call, "floating_ips", call.project.floating_ips.values(), call.view.floating_ip, SORTS)


def one(call: Call) -> Result:
    """GET /floating_ips/{id}."""
    return Result(200, {"floating_ip": call.view.floating_ip(call.floating_ip(call.ids[0]))})


def put(call: Call) -> Result:
    """PUT /floating_ips/{id}: name, labels, description."""
    ip = call.floating_ip(call.ids[0])
    others = call.project.floating_ips.values()
    more = {"description": description}
    return update(call, "floating_ips", "floating_ip", ip, others, call.view.floating_ip, more)


def assign(call: Call) -> Result:
    """POST .../assign: straight from one server to another; the holder changes when the action succeeds."""
    ip = call.floating_ip(call.ids[0])
    server_id = call.integer("server")
    call.require_free(("floating_ip", ip.id))
    server = _target(call, server_id)
    if ip.server_id == server.id or (call.switches.floating_strict and ip.server_id is not None):
        raise ApiError(422, "floating_ip_assigned", "floating IP is already assigned")
    if call.switches.floating_needs_public_net and call.project.primary_ip_of(server.id, ip.type) is None:
        raise undocumented("invalid_input", f"server has no public {ip.type} network")
    locks = [("floating_ip", ip.id), ("server", server.id), *_source(call, ip)]
    call.require_free(*locks)

    def apply(at: float) -> None:
        if server.id not in call.project.servers:
            raise ActionFailure("action_failed", "server was deleted")
        _hold(call, ip, server.id, at)

    return call.act("assign_floating_ip", [("server", server.id), ("floating_ip", ip.id)], Work(apply), locks)


def unassign(call: Call) -> Result:
    """POST .../unassign."""
    ip = call.floating_ip(call.ids[0])
    call.require_free(("floating_ip", ip.id))
    if ip.server_id is None:
        raise undocumented(call.switches.unassign_unassigned_code, "floating IP is not assigned")
    refs: list[Ref] = [("server", ip.server_id), ("floating_ip", ip.id)]
    call.require_free(*refs)
    return call.act("unassign_floating_ip", refs, Work(lambda at: _hold(call, ip, None, at)))


def _target(call: Call, server_id: int) -> Server:
    server = call.project.servers.get(server_id)
    if server is not None:
        return server
    if call.switches.unknown_server_code == "not_found":
        raise not_found("server", server_id)
    raise undocumented(call.switches.unknown_server_code, f"server with ID {server_id} not found")


def _source(call: Call, ip: FloatingIp) -> list[Ref]:
    if ip.server_id is None or not call.switches.floating_assign_locks_source:
        return []
    return [("server", ip.server_id)]


def _hold(call: Call, ip: FloatingIp, server_id: int | None, at: float) -> None:
    call.cloud.note(at, "floating_ips", ip.id)
    ip.server_id = server_id
