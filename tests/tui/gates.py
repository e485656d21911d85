"""Requests that a test holds up for as long as it likes, as a slow line does."""

from __future__ import annotations

import threading
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

import requests

from tests.harness import Lab
from tests.tui.session import PATIENCE_S


class Gate:
    """Holds requests up until it is opened. `reached`: one is waiting, or has waited."""

    def __init__(self, lab: Lab, method: str, path: str) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        self._method, self._path, self._send = method, path, lab.before_request

    def __call__(self, request: requests.PreparedRequest) -> None:
        if request.method == self._method and fnmatchcase(urlsplit(request.url or "").path, self._path):
            self.reached.set()
            assert self.open.wait(PATIENCE_S)
        self._send(request)


def held_open(lab: Lab, path: str, method: str = "POST") -> Gate:
    """Requests to a path wait at a gate, all others pass."""
    gate = Gate(lab, method, path)
    setattr(lab, "before_request", gate)  # noqa: B010
    return gate
