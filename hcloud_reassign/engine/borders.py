"""Which border carries a step out: the vendor's API, or this machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hcloud_reassign.core.objects import Action
from hcloud_reassign.core.steps import Hook, Step

if TYPE_CHECKING:
    from hcloud_reassign.hetzner.cloud import Cloud


def this_server() -> int | None:
    """The id of the server this program runs on; None elsewhere than at Hetzner."""
    from hcloud_reassign.host.identity import instance_id

    return instance_id()


def host_names() -> tuple[str, ...]:
    """What a server like this one may be called."""
    from hcloud_reassign.host.identity import host_names

    return host_names()


def not_local(addresses: Iterable[str]) -> tuple[str, ...]:
    """Those that this machine does not take as its own; none where that cannot be found out."""
    from hcloud_reassign.host.addresses import has, local_addresses

    local = local_addresses()
    return () if local is None else tuple(address for address in addresses if not has(local, address))


class Borders:
    """Imports each border when a step needs it, on the worker's thread."""

    def __init__(self, token: str, api_url: str) -> None:
        import threading

        self._token, self._api_url = token, api_url
        self._cloud: Cloud | None = None
        self._lock = threading.Lock()

    @property
    def cloud(self) -> Cloud:
        with self._lock:
            if self._cloud is None:
                from hcloud_reassign.hetzner.cloud import Cloud

                self._cloud = Cloud(self._token, self._api_url)
            return self._cloud

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._cloud.requests if self._cloud else 0

    @property
    def rate_limit_remaining(self) -> int | None:
        return self._cloud.rate_limit_remaining if self._cloud else None

    def now_ms(self) -> int:
        """The API's time in unix milliseconds."""
        return self.cloud.now_ms()

    def this_server(self) -> int | None:
        return this_server()

    def host_names(self) -> tuple[str, ...]:
        return host_names()

    def not_local(self, addresses: Iterable[str]) -> tuple[str, ...]:
        return not_local(addresses)

    def clock_skew_s(self) -> float | None:
        """How far this machine's clock is ahead of the API's, in seconds; None until the API has answered."""
        return self._cloud.clock_skew_s() if self._cloud else None

    def do(self, step: Step, timeout_s: float) -> Any:
        """Carry one step out. Raises the step errors."""
        if isinstance(step, Hook):
            from hcloud_reassign.host.commands import run

            return run(step.command, step.variables, step.limit)
        return self.cloud.do(step, timeout_s)

    def page(self, cls: type, number: int, timeout_s: float) -> Any:
        return self.cloud.page(cls, number, timeout_s)

    def poll(self, ids: Sequence[int], timeout_s: float) -> Mapping[int, Action]:
        return self.cloud.poll(ids, timeout_s)
