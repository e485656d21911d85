"""Every screen as it was last approved. Renew on Python 3.11: pytest tests/tui/test_snapshots.py --snapshot-update"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

pytest_textual_snapshot = pytest.importorskip("pytest_textual_snapshot")

from textual.pilot import Pilot  # noqa: E402

from docs.pictures import make  # noqa: E402
from tests.tui import scenes  # noqa: E402
from tests.tui.session import Session  # noqa: E402

pytestmark = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="screens are drawn and compared by Python 3.11")

# The name by which the plug-in says this is one that syrupy no longer reads.
pytest_textual_snapshot.SVGImageExtension.file_extension = "svg"

Compare = Callable[..., bool]


def seen(compare: Compare, name: str, size: tuple[int, int], stage: scenes.Stage) -> bool:
    app = stage.app()

    async def play(pilot: Pilot[int]) -> None:
        session = Session(app, pilot)
        await scenes.SCENES[name](session, stage)
        await scenes.frozen(session, stage)

    try:
        return compare(app, terminal_size=size, run_before=play)
    finally:
        if stage.gate:
            stage.gate.open.set()


SCREENS = [
    pytest.param(name, size, id=f"{name}-{size[0]}x{size[1]}")
    for name in scenes.SCENES
    for size in scenes.SIZES
    if size == scenes.SIZES[0] or name not in scenes.SMALL_ONLY
]


@pytest.mark.parametrize(("name", "size"), SCREENS)
def test_a_screen_looks_as_approved(snap_compare: Compare, name: str, size: tuple[int, int]) -> None:
    assert seen(snap_compare, name, size, scenes.stage(name))


def test_without_colour_it_looks_as_approved(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert seen(snap_compare, "selected", (80, 24), scenes.stage("selected"))


def test_in_ascii_it_looks_as_approved(snap_compare: Compare) -> None:
    stage = scenes.stage("plan")
    stage.options = replace(stage.options, ascii=True)
    assert seen(snap_compare, "plan", (80, 24), stage)


@pytest.mark.parametrize("name", make.PICTURES)
def test_the_picture_in_the_manual_is_of_the_screen_as_it_is(name: str) -> None:
    stale = make.picture(name) != (make.HERE / f"{name}.svg").read_text("utf-8")
    assert not stale, "draw it anew: python docs/pictures/make.py"
