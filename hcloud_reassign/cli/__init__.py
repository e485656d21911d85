"""The command line: one file per command, each thin; what they share stands beside them."""

from __future__ import annotations
