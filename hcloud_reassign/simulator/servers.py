"""Servers: listing and power (Hetzner's API description, "Servers" and "Server Actions")."""

from __future__ import annotations

from .call import Call, Result
from .cloud import Work
from .errors import ActionFailure, ApiError, invalid
from .model import Server
from .paging import listing
from .updates import update

SORTS = ("id", "name", "created")
STATUSES = (
    "running", "initializing", "starting", "stopping", "off", "deleting", "migrating", "rebuilding", "unknown",
)  # fmt: skip


def index(call: Call) -> Result:
    """GET /servers, with `status` as its own filter."""
    statuses = call.request.values("status")
    for status in statuses:
        if status not in STATUSES:
            raise invalid("status", f"unknown status '{status}'")
    servers = call.project.servers.values()
    found = [server for server in servers if not statuses or server.status in statuses]
    return listing(call, "servers", found, call.view.server, SORTS)


def one(call: Call) -> Result:
    """GET /servers/{id}."""
    return Result(200, {"server": call.view.server(call.server(call.ids[0]))})


def put(call: Call) -> Result:
    """PUT /servers/{id}: name and labels."""
    server = call.server(call.ids[0])
    return update(call, "servers", "server", server, call.project.servers.values(), call.view.server)


def _set_status(call: Call, server: Server, status: str, at: float) -> None:
    call.cloud.note(at, "servers", server.id)
    server.status = status


def _free_server(call: Call) -> Server:
    server = call.server(call.ids[0])
    call.require_free(("server", server.id))
    return server


def poweron(call: Call) -> Result:
    """POST .../poweron: a server needs at least one interface for it; a running one stays as it is."""
    server = _free_server(call)
    if call.switches.poweron_without_interface == "refused" and not call.project.has_interface(server):
        raise ApiError(422, "service_error", "server has no network interface and cannot be powered on")
    was = server.status

    def begun(at: float) -> None:
        server.power_turn += 1
        if was != "running":
            _set_status(call, server, "starting", at)

    def apply(at: float) -> None:
        _require_present(call, server)
        if not call.project.has_interface(server):
            raise ActionFailure("action_failed", "server has no network interface")
        _set_status(call, server, "running", at)

    work = Work(apply, begun, lambda at: _set_status(call, server, was, at))
    return call.act("start_server", [("server", server.id)], work)


def poweroff(call: Call) -> Result:
    """POST .../poweroff: pulls the plug; the action ends when the server is off."""
    server = _free_server(call)
    was = server.status

    def begun(at: float) -> None:
        server.power_turn += 1
        if was != "off":
            _set_status(call, server, "stopping", at)

    def apply(at: float) -> None:
        _require_present(call, server)
        _set_status(call, server, "off", at)

    work = Work(apply, begun, lambda at: _set_status(call, server, was, at))
    return call.act("stop_server", [("server", server.id)], work)


def shutdown(call: Call) -> Result:
    """POST .../shutdown: the action says only that the request was sent; the server goes off later, or never."""
    server = _free_server(call)

    def apply(at: float) -> None:
        _require_present(call, server)
        if server.status == "running" and not server.ignores_shutdown:
            _stop_later(call, server, at)

    return call.act("shutdown_server", [("server", server.id)], Work(apply))


def _stop_later(call: Call, server: Server, at: float) -> None:
    server.power_turn += 1
    turn = server.power_turn
    if call.switches.shutdown_shows_stopping:
        _set_status(call, server, "stopping", at)

    def off(due: float) -> None:
        # A power command given meanwhile decides instead.
        if server.power_turn == turn:
            _set_status(call, server, "off", due)

    seconds = server.shutdown_s
    if seconds is None:
        seconds = call.cloud.duration("operating_system_shutdown")
    call.cloud.timeline.at(at + seconds, off)


def _require_present(call: Call, server: Server) -> None:
    if server.id not in call.project.servers:
        raise ActionFailure("action_failed", "server was deleted")
