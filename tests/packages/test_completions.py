"""TAB in real shells: what is offered, what then stands on the line, and that nothing of a file is carried out."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPLETIONS = ROOT / "packages/completions"
LOADER = Path("/usr/share/bash-completion/bash_completion")
PROMPT = "what now> "

PROGRAM = f"""\
#!/bin/sh
if [ -n "$_HCLOUD_REASSIGN_COMPLETE" ]; then PYTHONPATH={ROOT} exec {sys.executable} -m hcloud_reassign "$@"; fi
printf '%s\\n' "$@" >arguments.new && mv arguments.new arguments
"""
"""The program for TAB; for Enter what writes down with which words it was called."""

BASH = f"PS1='{PROMPT}'\nbind 'set show-all-if-ambiguous on'\n"
"""The first TAB lists, as in the other shells."""

SHELLS = ("bash", "bash-loader", "zsh", "fish")


class Shell:
    """An interactive shell at a terminal, in its current directory; what it shows is in `seen`."""

    def __init__(self, command: list[str], environ: dict[str, str]) -> None:
        self.seen = ""
        self.pid, self._terminal = pty.fork()
        if not self.pid:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            os.execvpe(command[0], command, environ)
        self.until(PROMPT)

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def until(self, text: str) -> None:
        """Wait until this is shown."""
        deadline = time.monotonic() + 30
        while text not in self.seen:
            ready, _, _ = select.select([self._terminal], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"{text!r} is not in {self.seen!r}"
            self.seen += os.read(self._terminal, 4096).decode(errors="replace")

    def arguments(self, keys: str) -> list[str]:
        """The words that the program is called with when these keys and Enter are pressed."""
        written = Path("arguments")
        written.unlink(missing_ok=True)
        self.type(f"{keys}\r")
        deadline = time.monotonic() + 30
        while not written.exists():
            # Who does not read what a terminal shows stops the program that writes it.
            if select.select([self._terminal], [], [], 0.05)[0]:
                self.seen += os.read(self._terminal, 4096).decode(errors="replace")
            assert time.monotonic() < deadline, self.seen
        return written.read_text().splitlines()

    def end(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._terminal)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, home: Path) -> Iterator[Shell]:
    name: str = request.param.partition("-")[0]
    if not shutil.which(name):
        pytest.skip(f"needs the program {name}")
    if request.param == "bash-loader" and not LOADER.exists():
        pytest.skip("needs the Debian package bash-completion")
    program = home / "bin/hcloud-reassign"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(0o755)
    environ = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "TERM": "xterm",
        "LANG": "C.UTF-8",
    }
    shell = {"bash": bash, "bash-loader": bash_with_loader, "zsh": zsh, "fish": fish}[request.param](home, environ)
    yield shell
    shell.end()


def bash(home: Path, environ: dict[str, str]) -> Shell:
    (home / "rc").write_text(f"{BASH}source {COMPLETIONS / 'bash'}\n")
    return Shell(["bash", "--rcfile", "rc", "-i"], environ)


def bash_with_loader(home: Path, environ: dict[str, str]) -> Shell:
    """As packages install it: read at the first TAB, by the name of the file."""
    install("bash", home / "share/bash-completion/completions/hcloud-reassign")
    (home / "rc").write_text(f"{BASH}source {LOADER}\n")
    return Shell(["bash", "--rcfile", "rc", "-i"], {**environ, "XDG_DATA_DIRS": f"{home}/share:/usr/share"})


def zsh(home: Path, environ: dict[str, str]) -> Shell:
    install("zsh", home / "site-functions/_hcloud-reassign")
    (home / ".zshrc").write_text(
        f"PS1='{PROMPT}'\nfpath=({home}/site-functions $fpath)\nautoload -Uz compinit\ncompinit -u\n"
    )
    return Shell(["zsh", "--no-global-rcs", "-i"], environ)


def fish(home: Path, environ: dict[str, str]) -> Shell:
    install("fish", home / "share/fish/vendor_completions.d/hcloud-reassign.fish")
    (home / ".config/fish").mkdir(parents=True)
    # Else it begins by reading all man pages of the machine.
    (home / ".local/share/fish/generated_completions").mkdir(parents=True)
    (home / ".config/fish/config.fish").write_text(
        f"function fish_prompt; echo -n '{PROMPT}'; end\nset -g fish_greeting\n"
    )
    return Shell(["fish", "-i"], {**environ, "XDG_DATA_DIRS": f"{home}/share:/usr/share"})


def install(name: str, place: Path) -> None:
    place.parent.mkdir(parents=True)
    shutil.copy(COMPLETIONS / name, place)


def configuration(*sections: str, name: str = "hcloud-reassign.ini") -> None:
    text = "".join(f"[{section}]\ntype = ip_floating\n" for section in sections)
    Path(name).write_text(text, "utf-8")
    Path(name).chmod(0o600)


def test_the_first_tab_completes_a_command(shell: Shell) -> None:
    assert shell.arguments("hcloud-reassign st\t") == ["status"]


def test_a_section_of_the_file_here_is_completed(shell: Shell) -> None:
    configuration("floating.web", "alias.vip")
    assert shell.arguments("hcloud-reassign run f\t") == ["run", "floating.web"]


def test_the_only_section_needs_no_letter(shell: Shell) -> None:
    configuration("floating.web", "tui")
    assert shell.arguments("hcloud-reassign hold \t") == ["hold", "floating.web"]


def test_all_that_is_possible_is_listed(shell: Shell) -> None:
    configuration("floating.web", "alias.vip", "route.lan")
    shell.type("hcloud-reassign run \t")
    for name in ("floating.web", "alias.vip", "route.lan"):
        shell.until(name)


def test_a_choice_of_an_option_is_completed(shell: Shell) -> None:
    assert shell.arguments("hcloud-reassign status -o jsonl\t") == ["status", "-o", "jsonl"]
    assert shell.arguments("hcloud-reassign run --allow\t") == ["run", "--allow-poweroff"]


def test_a_file_is_completed_and_then_its_sections(shell: Shell) -> None:
    configuration("floating.web", name="prod.ini")
    assert shell.arguments("hcloud-reassign run -c pr\tf\t") == ["run", "-c", "prod.ini", "floating.web"]


HOSTILE = (
    "$(touch executed)",
    "a$(touch executed)",
    "a\\$(touch executed)",
    "a\\\\$(touch executed)",
    "a`touch executed`",
    "a\\`touch executed\\`",
    'a\\"); touch executed; b=("',
    'a"); touch executed; b=("',
    "a'; touch executed; '",
    "a\\'; touch executed; \\'",
    "a')); touch executed; #",
    "a;touch executed",
    "a|touch executed",
    "a&touch executed",
    "a>executed",
    "a${(e):-$(touch executed)}",
    "a=$(touch executed)",
    "(touch executed)",
    "*(e:touch executed:)",
    "a:$(touch executed)",
    "--config=executed",
)


def test_nothing_of_a_name_is_carried_out(shell: Shell) -> None:
    for number, name in enumerate(HOSTILE):
        configuration(name, "one.good", "two.good", name=f"{number}.ini")
        shell.seen = ""
        shell.type(f"hcloud-reassign run -c {number}.ini \t")
        shell.until("two.good")
        # The line away.
        shell.type("\x15")
        assert not Path("executed").exists(), name
    assert shell.arguments("hcloud-reassign run -c 0.ini o\t") == ["run", "-c", "0.ini", "one.good"]


def test_nothing_of_the_name_of_a_file_is_carried_out(shell: Shell) -> None:
    for name in HOSTILE:
        configuration("one", name=f"{name}.ini")
    configuration("one", name="good.ini")
    configuration("one", name="prod.ini")
    shell.type("hcloud-reassign run -c \t")
    shell.until("prod.ini")
    shell.type("\x15")
    assert shell.arguments("hcloud-reassign run -c goo\to\t") == ["run", "-c", "good.ini", "one"]
    assert not Path("executed").exists()


@pytest.mark.parametrize("name", ["a:b", "größe", "a+b@c/d_e-f"])
def test_a_name_that_no_shell_minds_is_offered(shell: Shell, name: str) -> None:
    configuration(name)
    assert shell.arguments("hcloud-reassign run \t") == ["run", name]


ODD = ("a:b", "two words", "a*", "-x", "größe", "tab\tinside", "#a", "~root", "=ls", "!!", "a[b", "a\\")


def test_an_odd_name_does_no_harm(shell: Shell) -> None:
    configuration(*ODD, "good.one")
    assert shell.arguments("hcloud-reassign run go\t") == ["run", "good.one"]
