"""Kinds for the tests of the configuration, and a short way to load a text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hcloud_reassign.config.load import load
from hcloud_reassign.config.settings import Settings
from hcloud_reassign.core.declare import DESTINATION, MEMBERS, SOURCE, Key, Section
from hcloud_reassign.declared import trigger_of

_RESOURCE = Key("resource", "What moves.", required=True)

FLOATING = Section(
    "ip_floating",
    "A floating IP.",
    (_RESOURCE, SOURCE, DESTINATION, MEMBERS, Key("metrics", "A key of the original tool.", ignored=True)),
)
PUBLIC = Section(
    "ip_public",
    "A primary IP.",
    (
        _RESOURCE,
        SOURCE,
        DESTINATION,
        Key("hard_poweroff", "Cut the power.", "yesno", False),
        Key("shutdown_timeout", "How long to wait.", "seconds", 30.0),
        Key("occupied", "What then.", "choice", "refuse", choices=("refuse", "detach")),
    ),
)
ROUTE = Section(
    "route",
    "A route.",
    (Key("network", "The range.", required=True), Key("resource", "The network."), SOURCE, DESTINATION),
)
LOCAL = Section("ip_local", "A local address.", (_RESOURCE, SOURCE, DESTINATION))
KINDS = {"ip_floating": FLOATING, "ip_public": PUBLIC, "route": ROUTE, "routes": ROUTE}
WORDS = ("ip_floating", "ip_public", "route")

Load = Callable[[str], Settings]

WEB = "[web]\ntype = ip_floating\nresource = float\ndestination = srv-b\n"
"""A sound assignment of four lines."""


def load_file(path: Path, kinds: dict[str, Section] = KINDS) -> Settings:
    return load(path, kinds.get, WORDS, trigger_of=trigger_of, ungroupable={"ip_public"})
