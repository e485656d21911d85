"""What is the same in every project: locations, and one server type, image and load balancer type to describe."""

from __future__ import annotations

from typing import Any

from .model import Location

LOCATIONS: dict[str, Location] = {
    place.name: place
    for place in (
        Location(
            1, "fsn1", "Falkenstein DC Park 1", "DE", "Falkenstein", 50.47612, 12.370071, "eu-central", "fsn1-dc14", 4
        ),
        Location(
            2, "nbg1", "Nuremberg DC Park 1", "DE", "Nuremberg", 49.452102, 11.076665, "eu-central", "nbg1-dc3", 2
        ),
        Location(3, "hel1", "Helsinki DC Park 1", "FI", "Helsinki", 60.169855, 24.938379, "eu-central", "hel1-dc2", 3),
        Location(4, "ash", "Ashburn, VA", "US", "Ashburn, VA", 39.045821, -77.487073, "us-east", "ash-dc1", 5),
        Location(5, "hil", "Hillsboro, OR", "US", "Hillsboro, OR", 45.54222, -122.951924, "us-west", "hil-dc1", 6),
        Location(6, "sin", "Singapore", "SG", "Singapore", 1.283333, 103.833333, "ap-southeast", "sin-dc1", 7),
    )
}

_NO_PRICE = {"net": "0.0000000000", "gross": "0.0000000000"}
_PRICES = [
    {
        "location": "fsn1",
        "price_hourly": _NO_PRICE,
        "price_monthly": _NO_PRICE,
        "included_traffic": 0,
        "price_per_tb_traffic": _NO_PRICE,
    }
]

SERVER_TYPE: dict[str, Any] = {
    "id": 1,
    "name": "sim2",
    "description": "SIM 2",
    "cores": 2,
    "memory": 4.0,
    "disk": 40,
    "deprecated": False,
    "deprecation": None,
    "prices": _PRICES,
    "storage_type": "local",
    "cpu_type": "shared",
    "category": "Shared vCPU",
    "architecture": "x86",
    "locations": [
        {"id": 1, "name": "fsn1", "deprecation": None, "recommended": True, "available": True},
    ],
}

IMAGE: dict[str, Any] = {
    "id": 1,
    "type": "system",
    "status": "available",
    "name": "debian-12",
    "description": "Debian 12",
    "image_size": None,
    "disk_size": 5,
    "created": "2026-01-01T00:00:00Z",
    "created_from": None,
    "bound_to": None,
    "os_flavor": "debian",
    "os_version": "12",
    "rapid_deploy": True,
    "protection": {"delete": False},
    "deprecated": None,
    "deleted": None,
    "labels": {},
    "architecture": "x86",
}

LOAD_BALANCER_TYPE: dict[str, Any] = {
    "id": 1,
    "name": "lb11",
    "description": "LB11",
    "max_connections": 10000,
    "max_services": 5,
    "max_targets": 25,
    "max_assigned_certificates": 10,
    "deprecated": None,
    "prices": _PRICES,
}
