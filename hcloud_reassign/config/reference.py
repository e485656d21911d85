"""The reference of the configuration file as Markdown, made from the declarations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hcloud_reassign.config.sections import LATER, SECTIONS, TRIGGER
from hcloud_reassign.core.declare import ASSIGNMENT_KEYS, Key, Section

_INTRODUCTION = """\
# The configuration file

<!-- Made by docs/generate.py from the declarations in the code; changes are made there. -->

An INI file; one serves one project, because a token is bound to one. The sections below are told by their name. Every
other section is an **assignment**, with a free name and a `type`.

- One key a line. `;` and `#` begin a comment at the start of a line or after white space; a secret that needs one of
  them after white space goes into a file of its own. There is no interpolation and no `[DEFAULT]`.
- An empty value is the same as none. The file is UTF-8. Keys are the same in lower and upper case.
- An unknown key, section or type is an error that names the line and the nearest known word; a duplicate is one, too.
- What can also be given by an option or in the environment is taken in this order: option, environment, file, default.
- Times are seconds, or like `30s`, `2m`, `1h`; lists are separated by commas; a path is taken from the file's folder,
  and `~` is the home.
"""

_TYPES = {
    "text": "text",
    "yesno": "yes or no",
    "seconds": "time",
    "count": "number",
    "words": "list",
    "path": "path",
    "url": "URL",
    "secret": "secret",
}


def reference(kinds: Iterable[Section], triggers: Iterable[Section] = ()) -> str:
    """The whole reference, from the declared sections of all types of assignments and of triggers."""
    parts = [_INTRODUCTION, *_assignments(kinds), "## Other sections\n"]
    for section in SECTIONS:
        parts.append(_section(section, f"[{title_of(section)}]"))
        if section is TRIGGER:
            parts += [_section(trigger, f"[{title_of(section)}], type = {trigger.word}") for trigger in triggers]
    return "\n".join(parts)


def _assignments(kinds: Iterable[Section]) -> Iterator[str]:
    kinds = tuple(kinds)
    later = " and ".join(f"`{word}`" for word in LATER if word not in {section.word for section in kinds})
    yield "## Assignments\n" + (f"\nOf a later version: {later}.\n" if later else "")
    yield f"### Keys of every assignment\n\n{_table(ASSIGNMENT_KEYS)}"
    for section in kinds:
        yield _section(section, f"type = {section.word}")


def title_of(section: Section) -> str:
    """What stands in the brackets."""
    return f"{section.word}NAME" if section.word.endswith(".") else section.word


def _section(section: Section, title: str) -> str:
    example = f"\n```ini\n{section.example.strip()}\n```\n" if section.example else ""
    return f"### `{title}`\n\n{section.meaning}\n\n{_table(section.keys)}{example}"


def _table(keys: Iterable[Key]) -> str:
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    rows += [f"| `{key.name}` | {type_of(key)} | {default_of(key)} | {_cell(key.meaning)} |" for key in keys]
    return "\n".join(rows) + "\n"


def type_of(key: Key) -> str:
    """What may be written as its value."""
    if key.ignored:
        return "ignored, with a warning"
    return ", ".join(f"`{word}`" for word in key.choices) or _TYPES[key.type]


def default_of(key: Key) -> str:
    """What it is when it is left out; nothing when that is told by its meaning."""
    if key.required:
        return "required"
    if key.default is None or key.default == ():
        return ""
    if isinstance(key.default, bool):
        return "`yes`" if key.default else "`no`"
    return f"`{key.default:g}`" if isinstance(key.default, float) else f"`{key.default}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
