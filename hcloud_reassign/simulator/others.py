"""What is only looked at: load balancers, locations, datacenters, server types, images."""

from __future__ import annotations

from typing import Any

from . import shapes
from .call import Call, Handler, Result
from .catalog import IMAGE, LOAD_BALANCER_TYPE, SERVER_TYPE
from .errors import ApiError, not_found
from .model import Location
from .paging import listing, ordered, paged

_GONE = "the API endpoint functionality was removed"


def load_balancers(call: Call) -> Result:
    """GET /load_balancers."""
    items = call.project.load_balancers.values()
    return listing(call, "load_balancers", items, call.view.load_balancer, ("id", "name", "created"))


def load_balancer(call: Call) -> Result:
    """GET /load_balancers/{id}."""
    return Result(200, {"load_balancer": call.view.load_balancer(call.load_balancer(call.ids[0]))})


def locations(call: Call) -> Result:
    """GET /locations."""
    return paged(call, "locations", _named(call), shapes.location)


def location(call: Call) -> Result:
    """GET /locations/{id}."""
    place = next((place for place in call.project.locations.values() if place.id == call.ids[0]), None)
    if place is None:
        raise not_found("location", call.ids[0])
    return Result(200, {"location": shapes.location(place)})


def datacenters(call: Call) -> Result:
    """GET /datacenters: 410 since 2026-10-01; a switch brings the old answer back."""
    _require_datacenters(call)
    name = call.request.value("name")
    places = [place for place in call.project.locations.values() if name in (None, place.datacenter)]
    payload = paged(call, "datacenters", places, shapes.datacenter)
    return Result(200, {**payload.payload, "recommendation": 4}, payload.headers)


def datacenter(call: Call) -> Result:
    """GET /datacenters/{id}."""
    _require_datacenters(call)
    place = next((place for place in call.project.locations.values() if place.datacenter_id == call.ids[0]), None)
    if place is None:
        raise not_found("datacenter", call.ids[0])
    return Result(200, {"datacenter": shapes.datacenter(place)})


def _require_datacenters(call: Call) -> None:
    if not call.switches.datacenters:
        details = {"announcement": "https://docs.hetzner.cloud/changelog"}
        raise ApiError(410, "deprecated_api_endpoint", _GONE, details)


def _named(call: Call) -> list[Location]:
    name = call.request.value("name")
    places = [place for place in call.project.locations.values() if name in (None, place.name)]
    return ordered(call, places, ("id", "name"))


def fixed_list(key: str, item: dict[str, Any]) -> Handler:
    """GET of a list that has one entry in every project."""

    def handler(call: Call) -> Result:
        shown = [item] if call.request.value("name") in (None, item["name"]) else []
        return paged(call, key, shown, dict)

    return handler


def fixed_one(key: str, item: dict[str, Any]) -> Handler:
    """GET of that entry by id."""

    def handler(call: Call) -> Result:
        if call.ids[0] != item["id"]:
            raise not_found(key.replace("_", " "), call.ids[0])
        return Result(200, {key: item})

    return handler


FIXED = {"server_type": SERVER_TYPE, "image": IMAGE, "load_balancer_type": LOAD_BALANCER_TYPE}
"""What is the same in every project, by its singular."""
