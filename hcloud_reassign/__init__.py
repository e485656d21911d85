"""Reassign Hetzner floating IPs, primary IPs, alias IPs and routes: guarded, verified, undone on failure."""

from __future__ import annotations
