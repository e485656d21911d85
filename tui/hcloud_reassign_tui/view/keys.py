"""The help: every action of the registry with its keys, as they are bound in this session."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hcloud_reassign_tui.view.detail import Lines
from hcloud_reassign_tui.view.registry import by_group, key_names
from hcloud_reassign_tui.view.signs import Cell

_KEYS_WIDE = 8

Offered = Callable[[str], bool]


def keys_of(offered: Offered, rebound: Mapping[str, str]) -> Lines:
    """What is offered here by group, then what other screens have besides."""
    return (
        (Cell("On this screen", "bold"),),
        *_groups(offered, rebound),
        (Cell(""),),
        (Cell("On other screens", "bold"),),
        *_groups(lambda id: not offered(id), rebound),
        (Cell(""),),
        (Cell("In every list: arrows or j and k, Page up and down, Home or g, End or G."),),
        (Cell("ctrl+p finds every action, server and resource by its name. Esc closes this."),),
    )


def _groups(wanted: Offered, rebound: Mapping[str, str]) -> Iterator[tuple[Cell, ...]]:
    for group, acts in by_group():
        chosen = [act for act in acts if wanted(act.id)]
        if chosen:
            yield (Cell(group, "dim"),)
        for act in chosen:
            keys = key_names(rebound.get(act.id, act.keys))
            yield (Cell(f"{keys:>{_KEYS_WIDE}}", "bold"), Cell(act.help))
