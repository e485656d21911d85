"""What each server holds, and taking all of it away from one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcloud_reassign_tui.screens.holders import HoldersPage
from hcloud_reassign_tui.screens.listing import ListPage
from hcloud_reassign_tui.view.detail import Lines
from hcloud_reassign_tui.view.filtering import many
from hcloud_reassign_tui.view.listed import Key
from hcloud_reassign_tui.view.rows import Row
from hcloud_reassign_tui.view.servers import COLUMNS, ServerRow, about_server, evacuation
from hcloud_reassign_tui.view.signs import Style
from hcloud_reassign_tui.widgets.table import ListTable, shared_out

_WIDTHS: Mapping[str, tuple[int, int]] = {
    "project": (10, 10),
    "name": (16, 32),
    "status": (10, 14),
    "location": (8, 8),
    "ip_floating": (8, 8),
    "ip_public": (7, 7),
    "ip_alias": (5, 5),
    "route": (5, 5),
    "addresses": (20, 80),
}


class ServerTable(ListTable[ServerRow]):
    """The servers."""

    HEADINGS = dict(COLUMNS)

    def __init__(self, styles: Mapping[Style, str], *, several: bool, id: str) -> None:
        super().__init__(styles, id=id)
        self._several = several

    def columns_for(self, width: int) -> dict[str, int]:
        ranges = {name: wide for name, wide in _WIDTHS.items() if self._several or name != "project"}
        return shared_out(width, ranges, ("addresses", "location"))


class ServersPage(ListPage[ServerRow]):
    """What each server holds. Enter shows it as rows that can be moved."""

    NOUN = "server"
    WORD = "servers"

    def made_table(self) -> ServerTable:
        return ServerTable(self.owner.styles_of_cells, several=len(self.owner.desks) > 1, id="resources")

    def seen(self) -> tuple[ServerRow, ...]:
        return self.owner.servers()

    def about(self, row: ServerRow) -> Lines:
        return about_server(row, self.owner.signs)

    def nothing(self) -> str:
        troubles = self.owner.troubles()
        if troubles or any(desk.status is None for desk in self.owner.desks):
            return "\n".join(troubles) or self.owner.nothing_yet()
        return "no server was seen: this project has none, or they cannot be read"

    def data_of(self, row: ServerRow) -> dict[str, Any]:
        server = row.server
        return {
            "project": row.key[0],
            "id": server.id,
            "name": server.name,
            "status": server.status,
            "location": server.location,
            "holds": [held.standing.data() for held in row.holds],
        }

    def action_open(self) -> None:
        row = self.current()
        if row is not None:
            self.owner.push_screen(HoldingsPage(row.key))

    def action_evacuate(self) -> None:
        evacuate(self, self.current())


class HoldingsPage(HoldersPage):
    """What one server holds."""

    WORD = "server"

    def __init__(self, server: Key) -> None:
        super().__init__()
        self._server = server

    def server(self) -> ServerRow | None:
        """The server as it was seen last; None when it is gone."""
        return next((row for row in self.owner.servers() if row.key == self._server), None)

    def rows(self) -> tuple[Row, ...]:
        server = self.server()
        return server.holds if server else ()

    def parts_of_status(self) -> list[str]:
        server = self.server()
        return [f"held by {self.owner.signs.text(server.server.name)}" if server else "", *super().parts_of_status()]

    def nothing(self) -> str:
        server = self.server()
        if server is None:
            return "this server is gone; Esc goes back"
        return f"{self.owner.signs.text(server.server.name)} holds nothing that could be moved; Esc goes back"

    def action_evacuate(self) -> None:
        evacuate(self, self.server())


def evacuate(page: ServersPage | HoldingsPage, row: ServerRow | None) -> None:
    """Begin the move of everything that a server holds; says what stays, and why there is nothing to move."""
    if row is None:
        return
    name = page.owner.signs.text(row.server.name)
    found = evacuation(row)
    if found.stays:
        page.tell(f"{many(len(found.stays), 'primary IP')} of {name} stay put: moving one stops servers", warn=True)
    if found.goes:
        page.owner.start_move(found.goes)
    else:
        page.tell(f"{name} holds nothing that could be evacuated", warn=True)
