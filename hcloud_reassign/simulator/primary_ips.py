"""Primary IPs (Hetzner's API description, "Primary IPs" and "Primary IP Actions")."""

from __future__ import annotations

from .call import Call, Result
from .cloud import Work
from .errors import ActionFailure, ApiError, invalid, not_found, undocumented
from .model import PrimaryIp, Ref, Server
from .paging import listing
from .updates import boolean, update

SORTS = ("id", "created")


def index(call: Call) -> Result:
    """GET /primary_ips, with `ip` as its own filter."""
    address = call.request.value("ip")
    ips = call.project.primary_ips.values()
    found = [ip for ip in ips if address is None or ip.ip == address]
    return listing(call, "primary_ips", found, call.view.primary_ip, SORTS)


def one(call: Call) -> Result:
    """GET /primary_ips/{id}."""
    return Result(200, {"primary_ip": call.view.primary_ip(call.primary_ip(call.ids[0]))})


def put(call: Call) -> Result:
    """PUT /primary_ips/{id}: name, labels, auto_delete."""
    ip = call.primary_ip(call.ids[0])
    others = call.project.primary_ips.values()
    more = {"auto_delete": boolean("auto_delete")}
    return update(call, "primary_ips", "primary_ip", ip, others, call.view.primary_ip, more)


def assign(call: Call) -> Result:
    """POST .../assign: only when nobody holds it, to a server that is off and in the same location."""
    ip = call.primary_ip(call.ids[0])
    if call.text("assignee_type") != "server":
        raise invalid("assignee_type", "must be one of: server")
    server_id = call.integer("assignee_id")
    call.require_free(("primary_ip", ip.id))
    if ip.assignee_id is not None:
        raise ApiError(422, "primary_ip_already_assigned", "primary IP is already assigned")
    server = call.project.servers.get(server_id)
    if server is None:
        raise not_found("server", server_id)
    refs: list[Ref] = [("server", server.id), ("primary_ip", ip.id)]
    call.require_free(*refs)
    _require_fit(call, ip, server)

    def apply(at: float) -> None:
        if server.id not in call.project.servers:
            raise ActionFailure("action_failed", "server was deleted")
        call.cloud.note(at, "primary_ips", ip.id)
        ip.assignee_type, ip.assignee_id = "server", server.id

    return call.act("assign_primary_ip", refs, Work(apply))


def unassign(call: Call) -> Result:
    """POST .../unassign: only from a server that is off."""
    ip = call.primary_ip(call.ids[0])
    call.require_free(("primary_ip", ip.id))
    if ip.assignee_id is None:
        raise undocumented(call.switches.unassign_unassigned_code, "primary IP is not assigned")
    if ip.assignee_type != "server":
        raise undocumented(call.switches.balancer_primary_ip_code, "primary IP is assigned to a load balancer")
    server = call.project.servers.get(ip.assignee_id)
    refs: list[Ref] = [("server", ip.assignee_id), ("primary_ip", ip.id)]
    call.require_free(*refs)
    if server is not None:
        _require_off(server)
        _require_no_target(call, ip, server)

    def apply(at: float) -> None:
        call.cloud.note(at, "primary_ips", ip.id)
        ip.assignee_id = None

    return call.act("unassign_primary_ip", refs, Work(apply))


def _require_off(server: Server) -> None:
    if server.status != "off":
        raise ApiError(422, "server_not_stopped", "the server is running, but needs to be powered off")


def _require_fit(call: Call, ip: PrimaryIp, server: Server) -> None:
    if ip.location != server.location:
        raise undocumented(call.switches.location_mismatch_code, "primary IP and server are in different locations")
    _require_off(server)
    if call.project.primary_ip_of(server.id, ip.type) is not None:
        raise ApiError(422, f"server_has_{ip.type}", f"the server already has an {ip.type} address")


def _require_no_target(call: Call, ip: PrimaryIp, server: Server) -> None:
    balancers = call.project.load_balancers.values()
    if ip.type == "ipv4" and any(call.project.targets_server(lb, server, public_only=True) for lb in balancers):
        message = "the server's IPv4 address is a load balancer target"
        raise ApiError(422, "server_is_load_balancer_target", message)
