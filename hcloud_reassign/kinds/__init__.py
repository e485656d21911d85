"""The kinds of resources, each in a file of its own, imported when a configuration names it."""

from __future__ import annotations

from importlib import import_module

from hcloud_reassign.core.kind import Kind

_MODULES = {
    "ip_floating": "floating_ip",
    "ip_public": "primary_ip",
    "route": "route",
    "ip_alias": "alias_ip",
}

WORDS = tuple(_MODULES)
"""Every `type` of this version."""

SYNONYMS = {"routes": "route"}
"""Other spellings of a `type`."""


def kind(word: str) -> Kind:
    """The kind that a `type` of the configuration names. Raises KeyError for a word of no kind."""
    module = import_module(f"hcloud_reassign.kinds.{_MODULES[SYNONYMS.get(word, word)]}")
    found: Kind = module.KIND
    return found
