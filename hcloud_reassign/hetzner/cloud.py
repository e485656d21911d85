"""Hetzner Cloud through the `hcloud` package: one step, one request, one answer.

Only `hcloud.Client.request` and plain dictionaries are used: the package's models make requests of their own. Its own
retries are switched off, because it repeats a POST whose answer was lost. What comes back is judged in a response hook.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import hcloud
import requests
import urllib3

from hcloud_reassign.core.objects import Action, Member, Server
from hcloud_reassign.core.steps import (
    AddAliasIp,
    AddRoute,
    AssignFloatingIp,
    AssignPrimaryIp,
    DeleteRoute,
    FindAction,
    Gone,
    LatestActions,
    Lost,
    Members,
    One,
    PowerOff,
    PowerOn,
    RemoveAliasIp,
    SetLabels,
    Shutdown,
    Step,
    UnassignFloatingIp,
    UnassignPrimaryIp,
    Write,
    one,
)
from hcloud_reassign.hetzner import shapes
from hcloud_reassign.hetzner.answers import checked, unanswered, unmade
from hcloud_reassign.hetzner.apitime import ApiTime
from hcloud_reassign.version import version

PER_PAGE = 50
"""The most that a page holds (API description)."""
CONNECT_S = 5.0
_SHORTEST_TOKEN = 16
"""Hetzner's have 64 characters. Hiding a shorter one could spoil a name that it happens to be part of."""
MOST_PAGES = 1000
"""More than any project has: an answer that says so is not believed."""
_DIGITS = 10
_EARLIEST_S, _LATEST_S = 946_684_800, 32_503_680_000
"""The years 2000 to 2999: far outside of them not even a sum of times could be told."""
_HALF = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
"""A surrogate without its other one, as JSON escapes it."""
Json = dict[str, Any]

_SHAPELESS = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What reading an answer raises that has not the shape of the API's."""


@dataclass(frozen=True)
class Page:
    """One page of a list. `last` and `total` are None where the API does not say them."""

    items: tuple[Any, ...]
    number: int
    last: int | None
    more: bool
    total: int | None = None


class _Bearer(requests.auth.AuthBase):
    """Sets the token itself: without an `auth` of its own the requests package prefers what ~/.netrc says."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Own:
    """A thread's own client. Its connections are closed with the thread: the package's objects refer to each other, and
    would wait for the garbage collector."""

    def __init__(self, client: hcloud.Client) -> None:
        self.client = client

    def __del__(self) -> None:
        self.client._client._session.close()


class Cloud:
    """A project of Hetzner Cloud behind one token. Safe to be used by several threads: each has a client of its own.

    `requests` counts what was sent; `rate_limit_remaining` is the last that the API said (None: nothing yet).
    """

    def __init__(
        self,
        token: str,
        api_url: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        mount: Callable[[requests.Session], None] | None = None,
    ) -> None:
        self._token, self._api_url, self._mount = token, api_url, mount
        self._host = urlsplit(api_url).netloc
        self._local = threading.local()
        self._lock = threading.Lock()
        self._time = ApiTime(monotonic, wall)
        # When each write was sent last: the earliest that the API's clock may have shown, in unix milliseconds.
        self._sent: dict[Write, int] = {}
        self._known_actions: set[int] = set()
        self.requests = 0
        self.rate_limit_remaining: int | None = None

    def now_ms(self) -> int:
        """Now by the API's clock, in unix milliseconds; by this machine's until the API has answered once."""
        return self._time.now_ms()

    def clock_skew_s(self) -> float | None:
        """How far this machine's clock is ahead of the API's, in seconds; None before the first answer."""
        return self._time.skew_s()

    def do(self, step: Step, timeout_s: float) -> Any:
        """Carry one step out and return its answer. Raises the step errors."""
        try:
            handler = _HANDLERS[type(step)]
        except KeyError:
            raise TypeError(f"{type(step).__name__} is not for the cloud API") from None
        try:
            return handler(self, step, timeout_s)
        except _SHAPELESS as error:
            raise Lost("the API's answer has not the shape it should have") from error

    def page(self, cls: type, number: int, timeout_s: float) -> Page:
        """One page of everything of a class, 50 at a time. Raises the step errors."""
        path, _, read = shapes.READERS[cls]
        payload = self._request("GET", f"/{path}", timeout_s, params={"per_page": PER_PAGE, "page": number})
        try:
            items = tuple(read(item) for item in payload[path])
            pagination = (payload.get("meta") or {}).get("pagination") or {}
            last, total = shapes.number(pagination.get("last_page")), shapes.number(pagination.get("total_entries"))
            if max(number, last or 0) > MOST_PAGES:
                raise ValueError("too many pages")
            return Page(items, number, last, pagination.get("next_page") is not None, total)
        except _SHAPELESS as error:
            raise Lost(f"the list of {path} has not the shape it should have") from error

    def poll(self, ids: Sequence[int], timeout_s: float) -> Mapping[int, Action]:
        """The actions with these ids, at most 25; those that the API does not know are left out."""
        payload = self._request("GET", "/actions", timeout_s, params={"id": list(ids)})
        try:
            actions = [shapes.action(item) for item in payload["actions"]]
        except _SHAPELESS as error:
            raise Lost("the list of actions has not the shape it should have") from error
        return {action.id: action for action in actions}

    def _client(self) -> hcloud.Client:
        own: _Own | None = getattr(self._local, "own", None)
        if own is None:
            client = hcloud.Client(
                token=self._token,
                api_endpoint=self._api_url,
                application_name="hcloud-reassign",
                application_version=version(),
            )
            client._client._retry_max_retries = 0
            if self._mount:
                self._mount(client._client._session)
            self._local.own = own = _Own(client)
        return own.client

    def _request(self, method: str, path: str, timeout_s: float, **more: Any) -> Json:
        with self._lock:
            self.requests += 1
        timeout = (min(CONNECT_S, timeout_s), timeout_s)
        try:
            answer: Json = self._client().request(
                method,
                path,
                timeout=timeout,
                auth=_Bearer(self._token),
                allow_redirects=False,
                hooks={"response": self._judge},
                **more,
            )
        except requests.RequestException as error:
            raise unanswered(error, self._host) from None
        except (urllib3.exceptions.HTTPError, *_SHAPELESS) as error:
            # What the requests package lets through: a proxy's address that it cannot read. It may hold a password.
            raise unmade(method, type(error).__name__) from None
        return answer

    def _judge(self, response: requests.Response, **_: Any) -> None:
        """The response hook: notes the clock and the budget, and raises before the package sees an error."""
        remaining = response.headers.get("RateLimit-Remaining", "")
        if remaining.isdecimal() and len(remaining) < _DIGITS:
            self.rate_limit_remaining = int(remaining)
        seconds = _seconds(response.headers.get("Date", ""))
        if seconds is not None:
            with self._lock:
                self._time.answered(seconds, response.elapsed.total_seconds())
        response._content = self._harmless(response.content)
        checked(response)

    def _harmless(self, content: bytes) -> bytes:
        """An answer that quotes the token back (a proxy's page, an error) would carry it into messages and journals.

        Half of a character can be written nowhere.
        """
        token = self._token.encode("latin-1", "replace")
        if len(token) >= _SHORTEST_TOKEN:
            content = content.replace(token, b"***")
        return _HALF.sub(rb"\\ufffd", content)

    def _one(self, step: One[Any], timeout_s: float) -> Any:
        path, key, read = shapes.READERS[step.cls]
        try:
            return read(self._request("GET", f"/{path}/{step.id}", timeout_s)[key])
        except Gone:
            return None

    def _members(self, step: Members, timeout_s: float) -> Any:
        path = f"/networks/{step.network}/members"
        found = list[Member]()
        for number in range(1, MOST_PAGES):
            try:
                payload = self._request("GET", path, timeout_s, params={"per_page": PER_PAGE, "page": number})
            except Gone:
                return None
            found += [shapes.member(step.network, item) for item in payload["members"]]
            if not ((payload.get("meta") or {}).get("pagination") or {}).get("next_page"):
                return tuple(found)
        raise ValueError("too many pages")

    def _actions_of(self, cls: type, id: int, timeout_s: float) -> tuple[Action, ...]:
        path = f"/{shapes.READERS[cls][0]}/{id}/actions"
        payload = self._request("GET", path, timeout_s, params={"sort": "started:desc", "per_page": 25})
        return tuple(shapes.action(item) for item in payload["actions"])

    def _latest_actions(self, step: LatestActions, timeout_s: float) -> tuple[Action, ...]:
        if step.id is not None:
            return self._actions_of(step.of, step.id, timeout_s)
        path = f"/{shapes.READERS[step.of][0]}/actions"
        payload = self._request("GET", path, timeout_s, params={"sort": "id:desc", "per_page": 25})
        return tuple(shapes.action(item) for item in payload["actions"])

    def _find_action(self, step: FindAction, timeout_s: float) -> Action | None:
        """Ours: same command and objects, not begun before it was sent, and not one that was answered before."""
        write = step.write
        if not write.command or write not in self._sent:
            return None
        cls, id = write.touches[0]
        since_s = self._sent[write] // 1000
        wanted = {(shapes.READERS[cls][1], id) for cls, id in write.touches}
        for action in self._actions_of(cls, id, timeout_s):
            ours = action.command == write.command and wanted <= set(action.resources)
            if ours and action.started >= since_s and action.id not in self._known_actions:
                self._known_actions.add(action.id)
                return action
        return None

    def _write(self, step: Write, timeout_s: float) -> Action:
        path, body = _BODIES[type(step)](step)
        return self._post(step, path, body, timeout_s)

    def _post(self, step: Write, path: str, body: Json | None, timeout_s: float) -> Action:
        self._sent[step] = self._time.earliest_ms()
        payload = self._request("POST", path, timeout_s, json=body)
        action = shapes.action(payload["action"])
        self._known_actions.add(action.id)
        return action

    def _set_labels(self, step: SetLabels, timeout_s: float) -> Any:
        path, key, read = shapes.READERS[step.of]
        return read(self._request("PUT", f"/{path}/{step.id}", timeout_s, json={"labels": dict(step.labels)})[key])

    def _change_alias(self, step: AddAliasIp | RemoveAliasIp, timeout_s: float) -> Action | None:
        """The list is read directly before it is written: the API replaces it whole and compares nothing."""
        server = self._one(one(Server, step.server), timeout_s)
        if server is None:
            raise Gone(f"the server {step.server_name} does not exist any more", "not_found")
        place = server.place_in(step.network)
        aliases = list(place.alias_ips) if place else []
        if (step.address in aliases) == isinstance(step, AddAliasIp):
            return None
        aliases = (
            [*aliases, step.address] if isinstance(step, AddAliasIp) else [ip for ip in aliases if ip != step.address]
        )
        body = {"network": step.network, "alias_ips": aliases}
        return self._post(step, f"/servers/{step.server}/actions/change_alias_ips", body, timeout_s)


def _seconds(date: str) -> float | None:
    """A `Date` header in unix seconds; None for what no clock of an API shows."""
    try:
        seconds = parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return seconds if _EARLIEST_S <= seconds < _LATEST_S else None


def _route_body(step: Any) -> Json:
    return {"destination": step.route.destination, "gateway": step.route.gateway}


_BODIES: Mapping[type, Callable[[Any], tuple[str, Json | None]]] = {
    AssignFloatingIp: lambda s: (f"/floating_ips/{s.floating_ip}/actions/assign", {"server": s.server}),
    UnassignFloatingIp: lambda s: (f"/floating_ips/{s.floating_ip}/actions/unassign", None),
    AssignPrimaryIp: lambda s: (
        f"/primary_ips/{s.primary_ip}/actions/assign",
        {"assignee_type": "server", "assignee_id": s.server},
    ),
    UnassignPrimaryIp: lambda s: (f"/primary_ips/{s.primary_ip}/actions/unassign", None),
    AddRoute: lambda s: (f"/networks/{s.network}/actions/add_route", _route_body(s)),
    DeleteRoute: lambda s: (f"/networks/{s.network}/actions/delete_route", _route_body(s)),
    Shutdown: lambda s: (f"/servers/{s.server}/actions/shutdown", None),
    PowerOff: lambda s: (f"/servers/{s.server}/actions/poweroff", None),
    PowerOn: lambda s: (f"/servers/{s.server}/actions/poweron", None),
}

_HANDLERS: Mapping[type, Callable[[Cloud, Any, float], Any]] = {
    One: Cloud._one,
    Members: Cloud._members,
    LatestActions: Cloud._latest_actions,
    FindAction: Cloud._find_action,
    SetLabels: Cloud._set_labels,
    AddAliasIp: Cloud._change_alias,
    RemoveAliasIp: Cloud._change_alias,
    **dict.fromkeys(_BODIES, Cloud._write),
}
