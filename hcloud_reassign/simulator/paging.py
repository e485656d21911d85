"""Lists: filters, sorting and pages (Hetzner's API description, "Pagination" and "Sorting")."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from .call import Call, Result
from .errors import invalid
from .labels import Selector
from .reply import natural

T = TypeVar("T")

DEFAULT_PER_PAGE = 25
MAX_PER_PAGE = 50


def number(call: Call, name: str, default: int, most: int | None = None) -> int:
    """A number from the query, at least 1. Raises 422 invalid_input."""
    text = call.request.value(name)
    if text is None:
        return default
    value = natural(text)
    if value is None or value < 1 or (most is not None and value > most):
        raise invalid(name, f"must be between 1 and {most}" if most else "must be at least 1")
    return value


def matching(call: Call, items: Iterable[T]) -> list[T]:
    """The items that satisfy `name` and `label_selector`, for those that have a name and labels."""
    found: Iterable[Any] = items
    name = call.request.value("name")
    if name is not None:
        found = [item for item in found if item.name == name]
    selector = call.request.value("label_selector")
    if selector is not None:
        parsed = Selector.parse(selector)
        found = [item for item in found if parsed.matches(item.labels)]
    return list(found)


def ordered(call: Call, items: Sequence[T], fields: Sequence[str]) -> list[T]:
    """The items in the order the query asks for, else by id, as they stand."""
    found = list(items)
    for text in reversed(call.request.values("sort")):
        field, _, direction = text.partition(":")
        if field not in fields or direction not in ("", "asc", "desc"):
            raise invalid("sort", f"cannot sort by '{text}'")
        # A missing value (an action that has not finished) sorts last.
        found.sort(key=lambda item: _sort_key(getattr(item, field)), reverse=direction == "desc")
    return found


def _sort_key(value: Any) -> tuple[bool, Any]:
    return (value is None, 0 if value is None else value)


def page(call: Call, items: Sequence[T]) -> list[T]:
    """The part of the items that the query's `page` and `per_page` name."""
    first = (number(call, "page", 1) - 1) * number(call, "per_page", DEFAULT_PER_PAGE, MAX_PER_PAGE)
    return list(items[first : first + number(call, "per_page", DEFAULT_PER_PAGE, MAX_PER_PAGE)])


def paged(call: Call, key: str, items: Sequence[T], shape: Callable[[T], Any]) -> Result:
    """One page as a response, with `meta` and the Link header."""
    this = number(call, "page", 1)
    size = number(call, "per_page", DEFAULT_PER_PAGE, MAX_PER_PAGE)
    last = max(1, math.ceil(len(items) / size))
    pagination = {
        "page": this,
        "per_page": size,
        "previous_page": this - 1 if this > 1 else None,
        "next_page": this + 1 if this < last else None,
        "last_page": last,
        "total_entries": len(items),
    }
    shown = [shape(item) for item in page(call, items)]
    return Result(200, {key: shown, "meta": {"pagination": pagination}}, {"Link": _links(call, pagination)})


def _links(call: Call, pagination: dict[str, int | None]) -> str:
    rest = [(name, value) for name, value in call.request.query if name != "page"]
    links = []
    for rel, key in (("prev", "previous_page"), ("next", "next_page"), ("last", "last_page")):
        if pagination[key] is not None:
            query = urlencode([("page", str(pagination[key])), *rest])
            links.append(f'<{call.base_url}{call.request.path}?{query}>; rel="{rel}"')
    return ", ".join(links)


def listing(call: Call, key: str, items: Iterable[T], shape: Callable[[T], Any], sorts: Sequence[str]) -> Result:
    """Filter by name and labels, sort, and cut out the page."""
    return paged(call, key, ordered(call, matching(call, items), sorts), shape)
