"""Draws the pictures of the terminal UI from its real screens: `python docs/pictures/make.py`, in a checkout.

The screens are those of tests/tui/scenes.py, on the simulator, with frozen clocks. Python 3.11 draws them.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tui")]

from tests.tui import scenes  # noqa: E402 - the path to it is made above
from tests.tui.session import Session  # noqa: E402

PICTURES = {"holders": (100, 20), "plan": (100, 24), "history": (100, 18), "servers": (100, 18)}
"""Which scenes, and how large the terminal is."""


def picture(name: str) -> str:
    """One screen as SVG, for which no server is asked for a font. Current and state directory have to be empty ones."""

    async def drawn() -> str:
        stage = scenes.stage(name)
        app = stage.app()
        async with app.run_test(size=PICTURES[name]) as pilot:
            session = Session(app, pilot)
            await scenes.SCENES[name](session, stage)
            await scenes.frozen(session, stage)
            drawing = app.export_screenshot(title="hcloud-reassign tui", simplify=True)
            return re.sub(r" *@font-face \{.*?\}\n", "", drawing, flags=re.DOTALL)

    return asyncio.run(drawn())


def main() -> None:
    """Draw them all, each in a folder of its own."""
    for name in PICTURES:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            os.environ.update(HOME=folder, HCLOUD_REASSIGN_STATE=f"{folder}/state")
            text = picture(name)
            os.chdir(HERE)
        (HERE / f"{name}.svg").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
