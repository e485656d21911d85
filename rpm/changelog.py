"""Prints debian/changelog as the %changelog of a spec file: `python rpm/changelog.py FILE`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import timezone
from email.utils import parsedate_to_datetime
from pathlib import Path

ENTRY = re.compile(
    r"^\S+ \((?P<version>\S+)\) [^\n]*\n(?P<changes>.*?)^ -- (?P<who>[^\n]+>)  (?P<when>[^\n]+)$",
    re.MULTILINE | re.DOTALL,
)


def entries(changelog: str) -> Iterator[str]:
    """Each entry in rpm's form, the newest first.

    With the time of day, for rpm takes it as SOURCE_DATE_EPOCH where that is not set. `%` would begin a macro.
    """
    for entry in ENTRY.finditer(changelog):
        when = parsedate_to_datetime(entry["when"]).astimezone(timezone.utc).strftime("%a %b %d %H:%M:%S UTC %Y")
        changes = re.sub(r"^  (\* )?", lambda found: "- " if found[1] else "", entry["changes"], flags=re.MULTILINE)
        yield f"* {when} {entry['who']} - {entry['version']}-1\n{changes.strip()}\n".replace("%", "%%")


if __name__ == "__main__":
    print("\n".join(entries(Path(sys.argv[1]).read_text("utf-8"))), end="")
