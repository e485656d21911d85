"""What ctrl+p finds: every action, and every server and every resource by its name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from heapq import nlargest
from itertools import chain
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.command import DiscoveryHit, Hit, Hits
from textual.system_commands import SystemCommandsProvider
from textual.types import IgnoreReturnCallbackType

from hcloud_reassign_tui.screens.page import Page

if TYPE_CHECKING:
    from hcloud_reassign_tui.app import ReassignApp

FIRST = 5
"""So many servers and resources are offered before anything is typed."""
BEST = 40
_AT_ONCE = 200
"""After so many places the screen gets its turn."""

Place = tuple[str, IgnoreReturnCallbackType]


class Finder(SystemCommandsProvider):
    """Actions first, then ways to servers and resources. Names are foreign, so none of them is ever markup."""

    async def discover(self) -> Hits:
        async for hit in super().discover():
            yield hit
        for places in self._places():
            for name, go in places[:FIRST]:
                yield DiscoveryHit(Text(name), go, text=name)

    async def search(self, query: str) -> Hits:
        async for hit in super().search(query):
            yield hit
        matcher = self.matcher(query)
        found: list[tuple[float, int, Place]] = []
        for number, place in enumerate(chain(*self._places())):
            score = matcher.match(place[0])
            if score > 0:
                found.append((score, -number, place))
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        for score, _, (name, go) in nlargest(BEST, found, key=lambda one: one[:2]):
            yield Hit(score, Text(name), go, text=name)

    def _places(self) -> tuple[tuple[Place, ...], ...]:
        """Nothing while a dialog is open: a way elsewhere would close it unanswered."""
        return (tuple(self._servers()), tuple(self._resources())) if isinstance(self.screen, Page) else ()

    def _servers(self) -> Iterator[Place]:
        owner = cast("ReassignApp", self.app)
        for row in owner.servers():
            yield f"Go to server {row.cells['name'].text}", partial(owner.go_to_server, row.key)

    def _resources(self) -> Iterator[Place]:
        owner = cast("ReassignApp", self.app)
        for row in owner.rows():
            address, name = row.cells["address"].text, row.cells["name"].text
            yield f"Go to resource {address} {name}", partial(owner.go_to_resource, row.key)
