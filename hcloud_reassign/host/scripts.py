"""Whether keepalived runs a script: it looks at the file and its whole path, and leaves out what it does not like.

The rules are those of keepalived's own check (`check_script_secure`, 2.2.7): it logs a line and goes on without.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class User:
    """Who runs a script."""

    name: str
    uid: int
    gid: int


def user(name: str, group: str | None = None) -> User | None:
    """A user of this machine, with the group that is named or its own; None when there is no such one."""
    try:
        entry = pwd.getpwnam(name)
        return User(name, entry.pw_uid, grp.getgrnam(group).gr_gid if group else entry.pw_gid)
    except KeyError:
        return None


@dataclass(frozen=True)
class Script:
    """A script as one user would run it."""

    path: str
    user: User

    @property
    def obstacle(self) -> str | None:
        """Why it cannot be run at all, in words that go on after its name; None when it can."""
        for folder in _folders(os.path.realpath(self.path)):
            try:
                found = os.stat(folder)
            except OSError as error:
                return f"cannot be seen: {folder}: {error.strerror}"
            if not _executable(found, self.user):
                return f"is in {folder}, which {self.user.name} may not enter"
        try:
            file = os.stat(self.path)
        except OSError as error:
            return f"cannot be seen: {error.strerror}"
        if not stat.S_ISREG(file.st_mode):
            return "is no file"
        return None if _executable(file, self.user) else f"is not executable for {self.user.name}"

    @property
    def weakness(self) -> str | None:
        """Who else than root may change what root would run, in words that go on after "it"; None when nobody may."""
        if not self._with_rights_of_root:
            return None
        return next(filter(None, map(_changeable, self._whole_path)), None)

    @property
    def _with_rights_of_root(self) -> bool:
        mode, uid, gid = self._file.st_mode, self._file.st_uid, self._file.st_gid
        set_uid, set_gid = uid == 0 and mode & stat.S_ISUID, gid == 0 and mode & stat.S_ISGID
        return self.user.uid == 0 or self.user.gid == 0 or bool(set_uid or set_gid)

    @property
    def _whole_path(self) -> Iterator[str]:
        """The path as it is written, and what it comes to through links."""
        for path in dict.fromkeys((os.path.abspath(self.path), os.path.realpath(self.path))):
            yield from (*_folders(path), path)

    @cached_property
    def _file(self) -> os.stat_result:
        return os.stat(self.path)


def _folders(path: str) -> Iterator[str]:
    parts = os.path.dirname(path).split("/")
    return (("/".join(parts[:count]) or "/") for count in range(1, len(parts) + 1))


def _executable(found: os.stat_result, user: User) -> bool:
    """As the kernel and keepalived see it: the owner's bits, else the group's, else everybody's."""
    if user.uid == 0:
        return stat.S_ISDIR(found.st_mode) or bool(found.st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH))
    if user.uid == found.st_uid:
        return bool(found.st_mode & stat.S_IXUSR)
    return bool(found.st_mode & (stat.S_IXGRP if user.gid == found.st_gid else stat.S_IXOTH))


def _changeable(path: str) -> str | None:
    """Who else than root may change it. In a folder with the sticky bit nobody replaces what is root's."""
    found = os.lstat(path)
    if found.st_uid:
        return f"{path} belongs to {_name(found.st_uid)}"
    sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
    if stat.S_ISLNK(found.st_mode) or sticky:
        return None
    if found.st_gid and found.st_mode & stat.S_IWGRP:
        return f"the group {_group(found.st_gid)} may write to {path}"
    return f"everybody may write to {path}" if found.st_mode & stat.S_IWOTH else None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
