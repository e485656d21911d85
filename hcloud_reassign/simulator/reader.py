"""Reads plain data key by key, so that every mistake in a file is named with its place."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import ScenarioError

_NUMBER = (int, float)


class Reader:
    """One object of a file. `where` names it in messages; done() refuses the keys nobody asked for."""

    def __init__(self, data: Any, where: str) -> None:
        if not isinstance(data, Mapping):
            raise ScenarioError(f"{where}: must be an object, not {data!r}")
        self.where = where
        self._data = data
        self._asked: set[str] = set()

    def peek(self, key: str) -> Any:
        """The raw value, None when absent; the key still has to be asked for."""
        return self._data.get(key)

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._data

    def fail(self, key: str, problem: str) -> ScenarioError:
        """An error about one key."""
        return ScenarioError(f"{self.where}: {key} {problem}")

    def take(self, key: str) -> Any:
        """The raw value, None when absent, marked as asked for."""
        self._asked.add(key)
        return self._data.get(key)

    def _typed(self, key: str, kind: type | tuple[type, ...], word: str) -> Any:
        value = self.take(key)
        if value is None:
            return None
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.fail(key, f"must be {word}, not {value!r}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """A text; required when there is no default."""
        value = self.optional_text(key)
        if value is None:
            value = default
        if value is None:
            raise self.fail(key, "is missing")
        return value

    def optional_text(self, key: str) -> str | None:
        """A text or nothing."""
        value: str | None = self._typed(key, str, "a text")
        return value

    def whole(self, key: str, default: int, least: int = 0) -> int:
        """A whole number."""
        value = self.optional_whole(key, default)
        if value is None:
            value = default
        if value < least:
            raise self.fail(key, f"must be at least {least}")
        return value

    def optional_whole(self, key: str, default: int | None) -> int | None:
        """A whole number that is not negative, where null means something: it is not replaced by the default."""
        if key not in self._data:
            self._asked.add(key)
            return default
        value: int | None = self._typed(key, int, "a whole number")
        if value is not None and value < 0:
            raise self.fail(key, "must not be negative")
        return value

    def number(self, key: str, default: float) -> float:
        """A number that is not negative."""
        value = self.optional_number(key)
        return default if value is None else value

    def optional_number(self, key: str) -> float | None:
        """The same or nothing."""
        value = self._typed(key, _NUMBER, "a number")
        if value is not None and value < 0:
            raise self.fail(key, "must not be negative")
        return None if value is None else float(value)

    def flag(self, key: str) -> bool:
        """true or false; absent is false."""
        return bool(self._typed(key, bool, "true or false"))

    def one_of(self, key: str, words: Sequence[str], default: str | None) -> str | None:
        """One of some words."""
        value = self.optional_text(key)
        if value is not None and value not in words:
            raise self.fail(key, f"must be one of {', '.join(words)}, not {value!r}")
        return default if value is None else value

    def optional_mapping(self, key: str) -> Mapping[str, Any] | None:
        """An object or nothing."""
        value: Mapping[str, Any] | None = self._typed(key, Mapping, "an object")
        return value

    def texts_by_name(self, key: str) -> dict[str, str]:
        """An object whose values are texts."""
        found = self.optional_mapping(key) or {}
        for name, value in found.items():
            if not isinstance(value, str):
                raise self.fail(key, f"must have texts as values; {name} is {value!r}")
        return dict(found)

    def texts(self, key: str) -> list[str]:
        """A list of texts."""
        found: Any = self._typed(key, list, "a list") or []
        if not all(isinstance(item, str) for item in found):
            raise self.fail(key, "must be a list of texts")
        return list(found)

    def readers(self, key: str, word: str) -> list[Reader]:
        """A list of objects, each named by its `name` (or its place) in messages."""
        found: Any = self._typed(key, list, "a list") or []
        return [Reader(item, f"{self.where}: {word} {_label(item, place)}") for place, item in enumerate(found, 1)]

    def replaced(self, change: Callable[[Any], Any]) -> Reader:
        """The same object with every value changed, and without its `count`."""
        data = change({key: value for key, value in self._data.items() if key != "count"})
        return Reader(data, self.where)

    def done(self) -> None:
        """Refuses keys that nobody asked for, with the nearest one that exists."""
        for key in self._data:
            if key not in self._asked:
                near = difflib.get_close_matches(key, self._asked, 1)
                raise ScenarioError(f"{self.where}: unknown key {key}" + (f"; did you mean {near[0]}?" if near else ""))


def _label(item: Any, place: int) -> str:
    if isinstance(item, Mapping) and isinstance(item.get("name"), str):
        return str(item["name"])
    return f"#{place}"
