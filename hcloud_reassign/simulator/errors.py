"""The errors of the API, as exceptions that the core renders (Hetzner's API description, table of error codes)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """An answer with the error shape of the Cloud API."""

    def __init__(self, status: int, code: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details

    def payload(self) -> dict[str, Any]:
        """The JSON body."""
        return {"error": {"code": self.code, "message": self.message, "details": self.details}}


class RobotError(Exception):
    """An answer with the error shape of the Robot webservice; extra fields stand beside code and message."""

    def __init__(self, status: int, code: str, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.extra = extra

    def payload(self) -> dict[str, Any]:
        """The JSON body."""
        return {"error": {"status": self.status, "code": self.code, "message": self.message, **self.extra}}


class ActionFailure(Exception):
    """Raised while an accepted action is carried out: the action ends with this error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ScenarioError(ValueError):
    """A scenario or fault file is wrong. The message names the file, the object and the key."""


def invalid(field: str, problem: str, message: str | None = None) -> ApiError:
    """422 invalid_input for one field of the body or the query."""
    text = message or f"invalid input in field '{field}': {problem}"
    return ApiError(422, "invalid_input", text, {"fields": [{"name": field, "messages": [problem]}]})


def not_found(what: str, key: object) -> ApiError:
    """404 for one object."""
    return ApiError(404, "not_found", f"{what} with ID '{key}' not found")


def undocumented(code: str, message: str) -> ApiError:
    """A refusal whose code Hetzner does not document: the status that goes with the code a switch names."""
    status = {"not_found": 404, "resource_limit_exceeded": 403, "conflict": 409, "locked": 423}.get(code, 422)
    details: Mapping[str, Any] | None = None
    if code == "resource_limit_exceeded":
        details = {"limits": [{"name": message}]}
    return ApiError(status, code, message, details)


STATUS_CODES: Mapping[int, tuple[str, str]] = {
    400: ("json_error", "invalid JSON input"),
    401: ("unauthorized", "the token you have provided is invalid"),
    403: ("forbidden", "insufficient permissions for this request"),
    404: ("not_found", "entity not found"),
    405: ("method_not_allowed", "the request method is not allowed"),
    409: ("conflict", "the resource has changed during the request, please retry"),
    410: ("deprecated_api_endpoint", "the API endpoint functionality was removed"),
    412: ("resource_unavailable", "the requested resource is currently unavailable"),
    422: ("service_error", "error within a service"),
    423: ("locked", "cannot perform operation because server is locked"),
    429: ("rate_limit_exceeded", "limit of 3600 requests per hour reached"),
    500: ("server_error", "internal server error"),
    502: ("bad_gateway", "bad gateway"),
    503: ("unavailable", "service is currently not available"),
    504: ("timeout", "the request could not be answered in time, please retry"),
}
"""The code and message that usually go with a status; used for faults that name only the status."""
