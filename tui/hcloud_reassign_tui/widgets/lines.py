"""Lines of text that are redrawn only when they say something else."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static


class Line(Static):
    """One line, or a few. Its text is never markup."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id, markup=False)
        self._said: Text | None = None

    def say(self, text: Text | str) -> None:
        """Show a text, unless it is the one that is shown."""
        said = Text(text) if isinstance(text, str) else text
        if self._said is None or said.markup != self._said.markup:
            self._said = said
            # A line that stays as high moves nothing: a new layout would draw the table's scrollbar every second.
            self.update(said, layout=self.styles.height is None or self.styles.height.is_auto)
