"""What keepalived would silently not do: scripts it leaves out, settings it drops, takeovers that nobody is told of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hcloud_reassign.engine.checking import Finding, Level

if TYPE_CHECKING:
    from hcloud_reassign.host.keepalived import Statement
    from hcloud_reassign.host.scripts import Script, User

OURS = "hcloud-reassign"
"""A script whose command has this word in it triggers."""
_STATES = ("notify_master", "notify_backup", "notify_fault", "notify_stop", "notify_deleted")
_NOTIFIES = (*_STATES, "notify", "notify_master_rx_lower_pri")
_OWNER, _USUAL, _MOST = 255, 100, 255
_DEFAULT_USER = "keepalived_script"


@dataclass(frozen=True)
class _Setting:
    """What the whole configuration says of scripts."""

    secure: bool
    user: User | None


def findings(file: str) -> Iterator[Finding]:
    """All that is to be said of keepalived's configuration in `file`, without starting anything."""
    from hcloud_reassign.host.keepalived import NotReadable, read

    try:
        whole = read(file)
    except NotReadable as error:
        yield Finding("error", "unreadable", str(error), fix="give the file with --keepalived-config")
        return
    globals_ = [inner for block in whole.all("global_defs") for inner in block.block]
    scripts = list(_scripts(whole, globals_))
    setting = _Setting(any(one.keyword == "enable_script_security" for one in globals_), _default_user(globals_))
    if scripts:
        yield from _security(setting, globals_)
    for statement, owner in scripts:
        yield from _script(statement, owner, setting)
    instances = list(whole.all("vrrp_instance"))
    for instance in instances:
        yield from _preempting(instance)
        yield from _alone(instance)
    yield from _told(whole, instances, globals_)


def _scripts(whole: Statement, globals_: list[Statement]) -> Iterator[tuple[Statement, Statement]]:
    """Each statement that names a script, and the block that it stands in."""
    for one in globals_:
        if one.keyword.endswith("notify_fifo_script"):
            yield one, whole
    for block in whole.all("vrrp_instance", "vrrp_sync_group"):
        yield from ((one, block) for one in block.all(*_NOTIFIES))
    for block in whole.all("vrrp_script", "track_process"):
        yield from ((one, block) for one in block.all("script"))


def _default_user(globals_: list[Statement]) -> User | None:
    """Who runs scripts: keepalived takes a user of its own when there is one, and root otherwise."""
    from hcloud_reassign.host.scripts import user

    for one in globals_:
        if one.keyword == "script_user" and len(one.words) > 1:
            return user(*one.words[1:3])
    return user(_DEFAULT_USER) or user("root")


def _security(setting: _Setting, globals_: list[Statement]) -> Iterator[Finding]:
    named = next((one for one in globals_ if one.keyword == "script_user" and len(one.words) > 1), None)
    if not setting.secure:
        yield _warning(
            "script-security",
            "enable_script_security is not set: what others than root may change is run as root all the same",
            "global_defs",
            "enable_script_security",
            "add enable_script_security to global_defs",
        )
    if named is None and setting.user is not None:
        yield _warning(
            "script-user",
            f"script_user is not set: scripts run as {setting.user.name}",
            "global_defs",
            "script_user",
            "add script_user to global_defs, with a user who may read the secrets of the trigger and no more",
        )
    if named is not None and setting.user is None:
        yield _error(
            "script-user",
            f"there is no user or group {' '.join(named.words[1:3])}: keepalived runs no script ({named.place})",
            "global_defs",
            "script_user",
            f"adduser --system {named.words[1]}, or name another one",
        )


def _script(statement: Statement, owner: Statement, setting: _Setting) -> Iterator[Finding]:
    from hcloud_reassign.host.scripts import Script, user

    words = _command(statement)
    if not words or words[0].startswith("<"):
        return
    named = _own_user(statement, owner)
    runs_as = user(*named) if named else setting.user
    if runs_as is None:
        if named:
            message = f"there is no user or group {' '.join(named)}: keepalived goes on without {words[0]}"
            place = f"{message} ({statement.place})"
            yield _error("script-user", place, _name(owner), statement.keyword, "name a user that there is")
        return
    yield from _as_keepalived_sees(Script(words[0], runs_as), statement, owner, setting)


def _as_keepalived_sees(script: Script, statement: Statement, owner: Statement, setting: _Setting) -> Iterator[Finding]:
    section, key = _name(owner), statement.keyword
    if "/" not in script.path:
        # keepalived 2.2.7 gives its rights away before it looks, and then may not look any more.
        level: Level = "warning" if script.user.uid == 0 else "error"
        end = "" if script.user.uid == 0 else f", and finds nothing there for {script.user.name}"
        message = f"keepalived looks for {script.path} in the PATH that it was started with{end} ({statement.place})"
        yield Finding(level, "script-path", message, section, key, "give the whole path")
    elif script.obstacle is not None:
        message = f"{script.path} {script.obstacle}; keepalived goes on without it ({statement.place})"
        yield _error("script-disabled", message, section, key, "name a file that is there and executable")
    elif script.weakness is not None and setting.secure:
        message = f"{script.weakness}, and {script.path} would run as root: keepalived goes on without it"
        fix = "chown root: and chmod go-w the file and all folders above it, or set another script_user"
        yield _error("script-disabled", f"{message} ({statement.place})", section, key, fix)
    elif script.weakness is not None:
        message = f"{script.weakness}, and {script.path} runs as root: who may write there is root"
        fix = "chown root: and chmod go-w the file and all folders above it"
        yield _warning("script-unsafe", f"{message} ({statement.place})", section, key, fix)


def _preempting(instance: Statement) -> Iterator[Finding]:
    """What makes an address go back, or two servers take it, without anybody having asked for it."""
    section = _name(instance)
    state = next((one for one in instance.all("state") if len(one.words) > 1), None)
    priority = next((one for one in instance.all("priority") if len(one.words) > 1), None)
    stays = next(instance.all("nopreempt"), None)
    master = state is not None and state.words[1] == "MASTER"
    value = _priority(priority, master)
    if priority is None or value is None:
        taken = _OWNER if priority is None and master else _USUAL
        said = "no priority is set" if priority is None else f"{priority.words[1]} is no priority from 1 to {_MOST}"
        yield _warning(
            "priority", f"{said}: keepalived takes {taken} ({instance.place})", section, "priority", "set priority 100"
        )
    if value == _OWNER and priority is not None:
        yield _warning(
            "priority",
            f"{_OWNER} is for the owner of the address, who always takes it ({priority.place})",
            section,
            "priority",
            "set a priority below 255, another one on each server",
        )
    if stays is not None and (master or value == _OWNER):
        why = "state MASTER" if master else f"priority {_OWNER}"
        yield _warning(
            "nopreempt",
            f"keepalived drops nopreempt because of {why}: a server that comes back takes the address ({stays.place})",
            section,
            "nopreempt",
            "set state BACKUP on all servers, and priorities below 255",
        )
    elif master and state is not None:
        yield _warning(
            "state",
            f"state MASTER: this server takes the address whenever keepalived starts ({state.place})",
            section,
            "state",
            "set state BACKUP and nopreempt on all servers, so that each failure moves it once",
        )


def _alone(instance: Statement) -> Iterator[Finding]:
    """Without peers to talk to keepalived uses multicast, which Hetzner's networks do not carry."""
    if not any(peers.block for peers in instance.all("unicast_peer")):
        yield _warning(
            "no-peer",
            "unicast_peer names nobody: keepalived speaks multicast, which no network of Hetzner carries, and all "
            f"servers become MASTER ({instance.place})",
            _name(instance),
            "unicast_peer",
            "name the other servers; a line that begins with @name counts where the hostname is that name",
        )


def _told(whole: Statement, instances: list[Statement], globals_: list[Statement]) -> Iterator[Finding]:
    """Whether each takeover triggers, and only once."""
    if any(one.keyword.endswith("notify_fifo_script") and _is_ours(one) for one in globals_):
        return
    groups = list(whole.all("vrrp_sync_group"))
    for block in (*instances, *groups):
        ours = {one.keyword: one for one in block.all(*_NOTIFIES) if _is_ours(one)}
        if {"notify", "notify_master"} <= ours.keys():
            yield _warning(
                "both-notify",
                f"notify and notify_master both run on a takeover: it triggers twice ({ours['notify'].place})",
                _name(block),
                "notify",
                "take one of them out",
            )
        elif ours and not ours.keys() & {"notify", "notify_master"}:
            yield _untold(block, "nothing triggers when it becomes MASTER")
        if block in instances and ours and "notify_master_rx_lower_pri" not in ours:
            yield _warning(
                "rx-lower-pri",
                "notify_master_rx_lower_pri is not set: after both were MASTER for a moment the address may stay with "
                f"the one that gave way, and nothing triggers again ({block.place})",
                _name(block),
                "notify_master_rx_lower_pri",
                "set it as in the samples of keepalived/",
            )
    if not any(_is_ours(one) for block in (*instances, *groups) for one in block.all(*_NOTIFIES)):
        yield _untold(whole, f"no notify of it runs a script of {OURS}: a takeover moves nothing")


def _untold(block: Statement, message: str) -> Finding:
    where = f" ({block.place})" if block.line else ""
    return _error("no-trigger", message + where, _name(block), "notify", "set notify as in the samples of keepalived/")


def _is_ours(statement: Statement) -> bool:
    return any(OURS in word for word in _command(statement))


def _command(statement: Statement) -> tuple[str, ...]:
    """The command's words: it stands behind the keyword, in quotes when it has arguments."""
    import shlex

    text = statement.words[1] if len(statement.words) > 1 else ""
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return tuple(text.split())


def _own_user(statement: Statement, owner: Statement) -> tuple[str, ...]:
    """The user, and perhaps the group, named for this script alone."""
    beside = statement.words[2:4]
    return beside or next((one.words[1:3] for one in owner.all("user") if statement.keyword == "script"), ())


def _priority(statement: Statement | None, master: bool) -> int | None:
    """The number that is set; None for what keepalived does not take. Not set it follows from the state."""
    if statement is None:
        return _OWNER if master else None
    text = statement.words[1]
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0
    return number if 1 <= number <= _MOST else None


def _name(block: Statement) -> str:
    return " ".join(block.words)


def _warning(code: str, message: str, section: str, key: str, fix: str) -> Finding:
    return Finding("warning", code, message, section, key, fix)


def _error(code: str, message: str, section: str, key: str, fix: str) -> Finding:
    return Finding("error", code, message, section, key, fix)
