"""How long a command takes to start: the median of ten, for information; nothing passes or fails by it."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 10
COMMANDS = {
    "python, doing nothing": ["-c", "pass"],
    "import hcloud_reassign": ["-c", "import hcloud_reassign"],
    "hcloud-reassign --version": ["-m", "hcloud_reassign", "--version"],
    "hcloud-reassign --help": ["-m", "hcloud_reassign", "--help"],
}


def milliseconds(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - started) * 1000


for name, arguments in COMMANDS.items():
    milliseconds(arguments)
    print(f"{statistics.median(milliseconds(arguments) for _ in range(RUNS)):6.0f} ms  {name}")
