"""Where this machine's state lives."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def state_directory(environ: Mapping[str, str], uid: int | None = None) -> Path:
    """`$HCLOUD_REASSIGN_STATE`, else systemd's `$STATE_DIRECTORY`, else root's in /var/lib, others' in their home."""
    for variable in ("HCLOUD_REASSIGN_STATE", "STATE_DIRECTORY"):
        if environ.get(variable):
            return Path(environ[variable].partition(":")[0])
    if (os.geteuid() if uid is None else uid) == 0:
        return Path("/var/lib/hcloud-reassign")
    home = environ.get("XDG_STATE_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".local/state")
    return Path(home) / "hcloud-reassign"


def who(environ: Mapping[str, str], by: str | None) -> str:
    """Who asks: as told, else the pipeline's job, else the user of this machine."""
    if by:
        return by
    for variable in ("CI_JOB_URL", "BUILD_URL"):
        if environ.get(variable):
            return environ[variable]
    if environ.get("GITHUB_RUN_ID"):
        server, repository = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_REPOSITORY", "")
        return f"{server}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"
    import socket

    return f"{environ.get('SUDO_USER') or _user()}@{socket.gethostname()}"


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
