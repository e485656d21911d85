"""Starts the command as a process of its own from an interpreter that has loaded it: a fork, where Python takes 0.2 s.

Number, group, streams, environment, folder, signals and end are the process's own, and it is a child of whoever asked.
Not its own are the arguments that others see in /proc, and how Python itself starts.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import gc
import importlib
import io
import json
import os
import pkgutil
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import hcloud_reassign

MOST = 1 << 17
SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of linux/prctl.h: whose parent ends becomes a child of this process."""


class Warm(subprocess.Popen[bytes]):
    """`subprocess.Popen` of the command; `args` are its words alone. In a session of its own."""

    def _execute_child(self, args: Sequence[str], *given: Any) -> None:
        # The parameters of the method that this replaces, in the order that they have from Python 3.10 to 3.14.
        _, _, _, _, cwd, env, _, _, _, stdin, in_, out, stdout, error, stderr, *_ = given
        streams = [fd if fd >= 0 else number for number, fd in enumerate((stdin, stdout, stderr))]
        self.pid = _launcher().start(args, str(cwd), env, streams)
        self._child_created = True
        self._close_pipe_fds(stdin, in_, out, stdout, error, stderr)  # type: ignore[attr-defined]


class _Launcher:
    """The interpreter that forks, for as long as this process lives."""

    def __init__(self) -> None:
        self._channel, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            words = [sys.executable, "-m", __name__, str(other.fileno())]
            self._process = subprocess.Popen(words, cwd=Path(__file__).parents[2], pass_fds=[other.fileno()])
        atexit.register(self._end)

    def start(self, words: Sequence[str], cwd: str, env: Mapping[str, str], streams: Sequence[int]) -> int:
        libc = ctypes.CDLL(None)
        libc.prctl(SUBREAPER, 1, 0, 0, 0)
        try:
            socket.send_fds(self._channel, [json.dumps([list(words), cwd, dict(env)]).encode()], list(streams))
            return int(self._channel.recv(MOST))
        finally:
            libc.prctl(SUBREAPER, 0, 0, 0, 0)

    def _end(self) -> None:
        self._channel.close()
        self._process.wait()


_launcher = functools.cache(_Launcher)


def _serve(channel: socket.socket) -> None:
    """Fork for every message, until the other end is closed."""
    for module in pkgutil.walk_packages(hcloud_reassign.__path__, "hcloud_reassign."):
        if not module.name.startswith(("hcloud_reassign.simulator", "hcloud_reassign.__main__")):
            importlib.import_module(module.name)
    gc.freeze()
    while True:
        asked, streams, _, _ = socket.recv_fds(channel, MOST, 3)
        if not asked:
            return
        number, told = os.pipe()
        between = os.fork()
        if between == 0:
            # Its parent ends at once, and it becomes a child of the test.
            if os.fork() == 0:
                os.setsid()
                os.write(told, str(os.getpid()).encode())
                words, cwd, env = json.loads(asked)
                _become(words, cwd, env, streams)
            os._exit(0)
        os.waitpid(between, 0)
        channel.send(os.read(number, MOST))
        for fd in (number, told, *streams):
            os.close(fd)


def _become(words: list[str], cwd: str, env: dict[str, str], streams: Sequence[int]) -> NoReturn:
    """What the interpreter does at its start, and then the command."""
    for number, fd in enumerate(streams):
        os.dup2(fd, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["hcloud-reassign", *words]
    sys.stdin, sys.stdout, sys.stderr = (
        io.TextIOWrapper(open(number, mode), "utf-8", errors, line_buffering=number == 2)  # noqa: SIM115 - until the end
        for number, (mode, errors) in enumerate([("rb", "strict"), ("wb", "strict"), ("wb", "backslashreplace")])
    )
    try:
        from hcloud_reassign.__main__ import main

        main()
    except BaseException:  # noqa: BLE001 - as the interpreter would
        traceback.print_exc()
    os._exit(1)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
