"""The help: every action of the registry with its keys, as they are bound in this session."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hcloud_reassign_tui.view.detail import Lines
from hcloud_reassign_tui.view.registry import Act, by_group, key_names
from hcloud_reassign_tui.view.signs import Cell

_KEYS_WIDE = 12
_LABEL_WIDE = 18


def keys_of(offered: Callable[[str], bool], rebound: Mapping[str, str], locked: bool) -> Lines:
    """What is offered here by group, then what other screens have besides."""
    return (
        (Cell("On this screen", "bold"),),
        *_groups(offered, rebound, locked),
        (Cell(""),),
        (Cell("On other screens", "bold"),),
        *_groups(lambda id: not offered(id), rebound, locked),
        (Cell(""),),
        (Cell("ctrl+p finds every action, server and resource by its name. Esc closes this.", "dim"),),
    )


def _groups(wanted: Callable[[str], bool], rebound: Mapping[str, str], locked: bool) -> Iterator[tuple[Cell, ...]]:
    for group, acts in by_group():
        chosen = [act for act in acts if wanted(act.id)]
        if chosen:
            yield (Cell(f"  {group}", "dim"),)
            yield from (_act(act, rebound, locked) for act in chosen)


def _act(act: Act, rebound: Mapping[str, str], locked: bool) -> tuple[Cell, ...]:
    keys = key_names(rebound.get(act.id, act.keys))
    closed = locked and act.dangerous
    cells = (Cell(f"    {keys:<{_KEYS_WIDE}}", "bold"), Cell(f"{act.label:<{_LABEL_WIDE}}"), Cell(act.help, "dim"))
    return (*cells, Cell("(locked)", "warn")) if closed else cells
