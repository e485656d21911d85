"""The simulator's answers against Hetzner's own OpenAPI description (mid 2026), where a copy of it is at hand.

It is read from HCLOUD_REASSIGN_OPENAPI, or from ../shared/data/hetzner-cloud.openapi.json beside the project; it is
Hetzner's text and no part of this project. Later changes are left out by the mid-2026 switch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from hcloud_reassign.simulator import Fault, Switches
from hcloud_reassign.simulator.routes import ROUTES, find

if TYPE_CHECKING:
    from tests.simulator.conftest import Answer, Api, Make

_PLACE = os.environ.get("HCLOUD_REASSIGN_OPENAPI")
DESCRIPTION = (
    Path(_PLACE) if _PLACE else Path(__file__).parents[2].parent / "shared" / "data" / "hetzner-cloud.openapi.json"
)
LATER = {"networks/#/members"}
"""Came after the description."""

pytestmark = pytest.mark.skipif(
    not DESCRIPTION.exists(), reason=f"Hetzner's OpenAPI description is not here: {DESCRIPTION}"
)


@cache
def description() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return found


def strict(schema: Any, closed: bool = True) -> Any:
    """OpenAPI 3.0 as JSON Schema: references resolved, `nullable` spelled out, unknown properties refused.

    closed: not inside of a combination, where each part knows only some of the properties.
    """
    if isinstance(schema, list):
        return [strict(item, closed) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    if "$ref" in schema:
        return strict(description()["components"]["schemas"][schema["$ref"].rpartition("/")[2]], closed)
    closed = closed and not {"allOf", "oneOf", "anyOf"} & set(schema)
    plain = {key: strict(value, closed) for key, value in schema.items() if key not in ("example", "nullable")}
    if closed and "properties" in schema:
        plain.setdefault("additionalProperties", False)
    elif not closed:
        plain.pop("additionalProperties", None)
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") else plain


@cache
def validator(template: str, method: str, status: int) -> jsonschema.Draft202012Validator:
    responses = description()["paths"][template][method]["responses"]
    key = str(status) if str(status) in responses else f"{status // 100}xx"
    schema = responses[key]["content"]["application/json"]["schema"]
    return jsonschema.Draft202012Validator(strict(schema))


def template_of(pattern: str) -> str:
    """floating_ips/#/actions/# -> /floating_ips/{id}/actions/{action_id}."""
    parts = pattern.split("/")
    names = iter(("id", "action_id") if parts.count("#") > 1 else ("id",))
    return "/" + "/".join("{" + next(names) + "}" if part == "#" else part for part in parts)


def pattern_of(path: str) -> str:
    return "/".join("#" if part.isdecimal() else part for part in path.split("/"))


def check(method: str, path: str, answer: Answer) -> None:
    """Raises when the answer is not as described."""
    found = validator(template_of(pattern_of(path)), method.lower(), answer.status)
    found.validate(answer.data)


@pytest.fixture
def api(make: Make) -> Api:
    """A project with one of everything, in the shapes of the description."""
    return make(EVERYTHING, switches=Switches.mid_2026(), action_time=(1.0, 1.0))


EVERYTHING = {
    "networks": [
        {
            "name": "n",
            "id": 1,
            "ip_range": "10.0.0.0/16",
            "subnets": [{"ip_range": "10.0.1.0/24"}, {"ip_range": "10.0.9.0/24", "type": "vswitch", "vswitch_id": 4}],
            "routes": [{"destination": "0.0.0.0/0", "gateway": "10.0.1.2"}],
        }
    ],
    "servers": [
        {"name": "a", "id": 1, "ipv4": "192.0.2.1", "ipv6": "2001:db8::/64", "networks": {"n": {"ip": "10.0.1.2"}}},
        {"name": "b", "id": 2, "status": "off", "networks": {"n": {"ip": "10.0.1.3", "alias_ips": ["10.0.1.4"]}}},
        {"name": "c", "id": 3},
    ],
    "floating_ips": [
        {"name": "f4", "id": 1, "ip": "198.51.100.1", "server": "a"},
        {"name": "f6", "id": 2, "ip": "2001:db8:1::/64", "description": "six"},
    ],
    "primary_ips": [{"name": "p", "id": 1, "ip": "198.51.100.2"}],
    "load_balancers": [
        {
            "name": "lb",
            "id": 1,
            "ipv4": "198.51.100.3",
            "networks": {"n": {"ip": "10.0.1.9"}},
            "targets": [{"server": "a", "use_private_ip": True}, {"label_selector": "a=b"}, {"ip": "203.0.113.1"}],
        }
    ],
}

READS = [
    "servers", "servers/1", "servers/2", "servers/3", "floating_ips", "floating_ips/1", "floating_ips/2", "primary_ips",
    "primary_ips/1", "networks", "networks/1", "load_balancers", "load_balancers/1", "locations", "locations/1",
    "datacenters", "datacenters/4", "server_types", "server_types/1", "images", "images/1", "load_balancer_types",
    "load_balancer_types/1",
]  # fmt: skip

WRITES: list[tuple[str, str, Any]] = [
    ("POST", "floating_ips/1/actions/assign", {"server": 2}),
    ("POST", "floating_ips/1/actions/unassign", None),
    ("POST", "primary_ips/1/actions/assign", {"assignee_type": "server", "assignee_id": 2}),
    ("POST", "primary_ips/1/actions/unassign", None),
    ("POST", "servers/2/actions/change_alias_ips", {"network": 1, "alias_ips": ["10.0.1.5"]}),
    ("POST", "servers/2/actions/poweron", None),
    ("POST", "servers/2/actions/shutdown", None),
    ("POST", "servers/2/actions/poweroff", None),
    ("POST", "servers/2/actions/detach_from_network", {"network": 1}),
    ("POST", "servers/2/actions/attach_to_network", {"network": 1, "ip": "10.0.1.7"}),
    ("POST", "networks/1/actions/delete_route", {"destination": "0.0.0.0/0", "gateway": "10.0.1.2"}),
    ("POST", "networks/1/actions/add_route", {"destination": "0.0.0.0/0", "gateway": "10.0.1.7"}),
    ("PUT", "servers/1", {"labels": {"a": "b"}}),
    ("PUT", "floating_ips/1", {"name": "new", "labels": {}}),
    ("PUT", "primary_ips/1", {"auto_delete": True}),
    ("PUT", "networks/1", {"labels": {"a": "b"}}),
]


@pytest.mark.parametrize("path", READS)
def test_what_is_read_is_shaped_as_described(api: Api, path: str) -> None:
    answer = api.get(path)
    assert answer.status == 200
    check("GET", path, answer)


def test_what_is_written_is_answered_as_described_and_so_are_its_actions(api: Api) -> None:
    for method, path, body in WRITES:
        answer = api.send(method, f"/v1/{path}", body)
        assert answer.status == (201 if method == "POST" else 200), (path, answer.data)
        check(method, path, answer)
        if method == "POST":
            running = answer.action["id"]
            check("GET", "actions", api.get("actions", ("id", str(running))))
            api.go(60)
            check("GET", f"actions/{running}", api.get(f"actions/{running}"))
    for path in ("servers/2/actions", "floating_ips/actions", "primary_ips/1/actions", "networks/actions"):
        assert api.get(path).data["actions"]
        check("GET", path, api.get(path))


def test_a_failed_action_is_shaped_as_described(api: Api) -> None:
    api.sim.faults.append(Fault(method="POST", fail_action={"code": "action_failed", "message": "no"}))
    action = api.post("floating_ips/1/actions/assign", {"server": 2}).action
    api.go(1)
    check("GET", "actions/1", api.get(f"actions/{action['id']}"))


def test_refusals_are_shaped_as_described(api: Api) -> None:
    for method, path, body, status in (
        ("GET", "servers/99", None, 404),
        ("POST", "floating_ips/1/actions/assign", {"server": 1}, 422),
        ("POST", "floating_ips/1/actions/assign", b"{", 400),
        ("POST", "networks/1/actions/add_route", {"destination": "x", "gateway": "y"}, 422),
        ("PUT", "floating_ips/1", {"name": "f6"}, 409),
    ):
        answer = api.send(method, f"/v1/{path}", body)
        assert answer.status == status
        check(method, path, answer)


def test_every_route_is_described_with_its_method() -> None:
    paths = description()["paths"]
    for pattern, methods in ROUTES.items():
        if pattern in LATER:
            continue
        template = template_of(pattern)
        assert template in paths, pattern
        assert {method.lower() for method in methods} <= set(paths[template]), pattern


def test_the_checks_would_notice_a_wrong_answer(api: Api) -> None:
    answer = api.get("servers/1")
    wrong = {**answer.data["server"], "status": "asleep"}
    with pytest.raises(jsonschema.ValidationError):
        validator("/servers/{id}", "get", 200).validate({"server": wrong})
    with pytest.raises(jsonschema.ValidationError):
        validator("/servers/{id}", "get", 200).validate({"server": {**answer.data["server"], "more": 1}})
    assert find("servers/1", Switches()) is not None
