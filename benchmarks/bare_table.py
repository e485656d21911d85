"""The least that shows a project's addresses with Textual and hcloud: what the terminal UI is compared with."""

from __future__ import annotations

import os

from hcloud import Client
from textual.app import App, ComposeResult
from textual.widgets import DataTable


class BareTable(App[None]):
    def compose(self) -> ComposeResult:
        yield DataTable()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("kind", "address", "server")
        client = Client(os.environ["HCLOUD_TOKEN"], os.environ["HCLOUD_ENDPOINT"])
        servers = {server.id: server.name for server in client.servers.get_all()}
        client.networks.get_all()
        for floating in client.floating_ips.get_all():
            table.add_row("floating", floating.ip, servers[floating.server.id] if floating.server else "")
        for primary in client.primary_ips.get_all():
            table.add_row("primary", primary.ip, servers.get(primary.assignee_id or 0, ""))


if __name__ == "__main__":
    BareTable().run()
