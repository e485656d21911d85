"""The commands that an assignment names in `before` and `after`."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping

SECRET_VARIABLES = ("HCLOUD_TOKEN", "HCLOUD_REASSIGN_TOKEN")


def run(command: str, variables: Mapping[str, str], timeout_s: float) -> str | None:
    """Run a command without a shell and without the token in its environment; its output goes to stderr.

    Returns why it failed, None when it exited with 0.
    """
    environment = {key: value for key, value in os.environ.items() if key not in SECRET_VARIABLES}
    try:
        ended = subprocess.run(
            shlex.split(command),
            env={**environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=2,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not end within {timeout_s:.0f} s"
    except (OSError, ValueError) as error:
        return f"it cannot be run: {error}"
    return None if ended.returncode == 0 else f"it ended with {ended.returncode}"
