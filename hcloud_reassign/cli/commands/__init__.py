"""The commands. Each module has a function `command`; the group imports only the one that was typed."""

from __future__ import annotations
