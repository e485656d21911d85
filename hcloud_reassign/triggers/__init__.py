"""What can be asked to carry a move out elsewhere: a platform per file, imported when a section names it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hcloud_reassign.triggers.shape import Trigger

_MODULES = {"gitlab": "gitlab", "github": "github", "jenkins": "jenkins", "tekton": "tekton"}

WORDS = tuple(_MODULES)
"""Every `type` of this version."""


def trigger(word: str) -> Trigger:
    """The platform that a `type` names. Raises KeyError for a word of no platform."""
    found: Trigger = import_module(f"hcloud_reassign.triggers.{_MODULES[word]}").TRIGGER
    return found
