"""Mutation testing: `make mutate`, or `python tests/mutation/mutate.py [--again] [--every N] [MODULE ...]`.

mutmut makes the mutants; what runs them is here, because mutmut starts a session of pytest for each: here one session
collects the tests once, and a child of it runs those that reach the mutant, cheapest first, until one fails.
What was killed stays so in build/mutants/results.json as long as its function is unchanged; survivors are tried again.

A mutant that survives in MUST_BE_READ has to be in survivors.txt, with the reason why no test can or should kill it.
"""

from __future__ import annotations

import argparse
import difflib
import gc
import hashlib
import json
import os
import resource
import shutil
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings
from mutmut.configuration import reset_config
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "mutants"
RESULTS = WORK / "results.json"
SURVIVORS = Path(__file__).with_name("survivors.txt")
PACKAGE = "hcloud_reassign"
MUTATED = ("core/guards.py", "core/planning.py", "engine/undo.py", "core/*.py", "kinds/*.py")
MUST_BE_READ = ("core.guards", "core.planning", "engine.undo")
TESTS = (
    "tests/core",
    "tests/kinds",
    "tests/engine/test_groups.py",
    "tests/engine/test_undo.py",
    "tests/engine/test_decisions.py",
    "tests/engine/test_public.py",
    "tests/engine/test_requests.py",
)
ENOUGH = 0.85
"""The share of mutants that has to be killed."""
CHILDREN = 2
PHASES = (Phase.explicit, Phase.generate)
"""Of hypothesis: an example that fails need not be made small."""
MEMORY = 2 << 30


@dataclass(frozen=True)
class Mutant:
    """One change of one function. `lines` is the change as a diff without context."""

    module: str
    function: str
    name: str
    lines: tuple[str, ...]
    digest: str

    @property
    def key(self) -> str:
        """What names it as long as its function is as it is."""
        return f"{self.module}.{self.name} {self.digest}"

    @property
    def reached_as(self) -> str:
        return f"{PACKAGE}.{self.module}.{self.name.partition('__mutmut_')[0]}"

    def __str__(self) -> str:
        return "\n".join((f"{self.module}.{self.function}", *self.lines))


def modules(words: Sequence[str]) -> list[Path]:
    """The files to mutate, those first whose survivors are read; `words` are modules like core.guards, or packages."""
    paths = dict.fromkeys(path for glob in MUTATED for path in sorted((ROOT / PACKAGE).glob(glob)))
    named = {path: ".".join(path.relative_to(ROOT / PACKAGE).with_suffix("").parts) for path in paths}
    return [path for path in paths if not words or any(f"{named[path]}.".startswith(f"{word}.") for word in words)]


def copy_project() -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    for name in (PACKAGE, "tests", "debian", "pyproject.toml", "README.md"):
        old, new = ROOT / name, WORK / name
        shutil.rmtree(new, ignore_errors=True)
        if old.is_dir():
            shutil.copytree(old, new, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(old, new)


def mutants_of(path: Path) -> list[Mutant]:
    """Put every mutant of a file into its copy; a trampoline in each function chooses among them."""
    relative = path.relative_to(ROOT)
    mutated = mutate_file_contents(str(relative), path.read_text(encoding="utf-8"))
    (WORK / relative).write_text(mutated.code, encoding="utf-8")
    code = mutated.code.splitlines()
    module = ".".join(relative.with_suffix("").parts[1:])
    return list(_mutants(module, code, mutated.mutant_names, mutated.line_span_by_function_name))


def _mutants(module: str, code: Sequence[str], names: Iterable[str], spans: object) -> Iterator[Mutant]:
    def source(name: str) -> list[str]:
        span = spans[name]  # type: ignore[index]
        return [line.strip().replace(name, "") for line in code[span.start - 1 : span.end]]

    for name in names:
        mangled = name.partition("__mutmut_")[0]
        before, after = source(f"{mangled}__mutmut_orig"), source(name)
        diff = [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
        digest = hashlib.sha256("\n".join((*before, *diff)).encode()).hexdigest()[:8]
        function = mangled.removeprefix("x_").replace("xǁ", "").replace("ǁ", ".")
        yield Mutant(module, function, name, tuple(diff), digest)


class Mutating:
    """A plugin of pytest: its test loop is run once for every mutant."""

    def __init__(self, mutants: Sequence[Mutant], results: dict[str, str], seconds: float) -> None:
        self.mutants, self.results, self.seconds = mutants, results, seconds
        self.items: dict[str, list[pytest.Item]] = defaultdict(list)
        self.cost: dict[pytest.Item, float] = {}
        self.running: dict[int, Mutant] = {}
        self.terminal: Any = None
        self.factory: Any = None

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.terminal = session.config.pluginmanager.get_plugin("terminalreporter")
        self.factory = session.config._tmp_path_factory  # type: ignore[attr-defined]
        self._observe(session.items)
        for mutant in self.mutants:
            tests = list(self._affordable(mutant))
            if not tests:
                self.results[mutant.key] = "no tests"
                continue
            while len(self.running) >= CHILDREN:
                self._wait()
            self._start(mutant, tests)
        while self.running:
            self._wait()
        return True

    def _observe(self, items: Sequence[pytest.Item]) -> None:
        """Run every test on the unchanged code, and see which functions it reaches."""
        for item in items:
            set_mutant_under_test("stats")
            state()._stats.clear()
            started = time.process_time()
            if failed([item]):
                pytest.exit(f"{item.nodeid} fails without any mutant", returncode=2)
            self.cost[item] = time.process_time() - started
            for function in state()._stats:
                self.items[function].append(item)
        set_mutant_under_test("")
        gc.freeze()

    def _affordable(self, mutant: Mutant) -> Iterator[pytest.Item]:
        left = self.seconds
        for item in sorted(self.items[mutant.reached_as], key=self.cost.__getitem__):
            left -= self.cost[item]
            if left < 0:
                return
            yield item

    def _start(self, mutant: Mutant, tests: Sequence[pytest.Item]) -> None:
        pid = os.fork()
        if pid:
            self.running[pid] = mutant
            return
        limit = int(5 + 5 * sum(self.cost[item] for item in tests))
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 2))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        code = 1
        try:
            self.factory._basetemp = scratch(os.getpid())
            self.factory._basetemp.mkdir(parents=True)
            set_mutant_under_test(f"{PACKAGE}.{mutant.module}.{mutant.name}")
            code = int(failed(tests))
        finally:
            os._exit(code)

    def _wait(self) -> None:
        pid, status = os.wait()
        mutant = self.running.pop(pid)
        shutil.rmtree(scratch(pid), ignore_errors=True)
        if os.WIFSIGNALED(status):
            result = "timeout" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "killed"
        else:
            result = "killed" if os.WEXITSTATUS(status) else "survived"
        self.results[mutant.key] = result
        if result == "survived" or len(self.results) % 50 == 0:
            save(self.results)
        if result == "survived":
            self.terminal.write_line(f"\n{mutant}", flush=True)


def scratch(pid: int) -> Path:
    """Where the tests of one child have their files: two children numbering folders in one place disturb each other."""
    return WORK / "scratch" / str(pid)


def failed(items: Sequence[pytest.Item]) -> bool:
    """Whether one of these tests fails; none is run after the first that does."""
    for item, next_item in zip(items, [*items[1:], None], strict=True):
        if any(report.failed for report in runtestprotocol(item, log=False, nextitem=next_item)):
            return True
    return False


def save(results: dict[str, str]) -> None:
    RESULTS.write_text(json.dumps(results, indent=0, sort_keys=True), encoding="utf-8")


def explained() -> set[str]:
    """The survivors that were read: blocks of a function's name, its changed lines, and why it may survive."""
    known = set()
    for block in filter(None, SURVIVORS.read_text(encoding="utf-8").strip().split("\n\n")):
        lines = block.splitlines()
        assert lines[-1].startswith("= "), f"survivors.txt gives no reason: {block}"
        known.add("\n".join(lines[:-1]))
    return known


def report(mutants: Sequence[Mutant], results: dict[str, str]) -> int:
    """Print what became of them, module by module. Returns the exit code."""
    by_module: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant in mutants:
        by_module[mutant.module][results.get(mutant.key, "not run")] += 1
    words = ("killed", "timeout", "survived", "no tests", "not run")
    print("\nmodule".ljust(26), *(word.rjust(9) for word in words), "share".rjust(7))
    all_of_them: Counter[str] = Counter()
    for module, found in (*by_module.items(), ("all", all_of_them)):
        all_of_them.update(found if module != "all" else ())
        dead = found["killed"] + found["timeout"]
        share = dead / max(1, found.total() - found["not run"])
        print(module.ljust(25), *(str(found[word]).rjust(9) for word in words), f"{share:7.1%}")
    known = explained()
    left = [mutant for mutant in mutants if results.get(mutant.key) in ("survived", "no tests")]
    unread = [mutant for mutant in left if mutant.module in MUST_BE_READ and str(mutant) not in known]
    for mutant in unread:
        print(f"\nnot in survivors.txt:\n{mutant}")
    enough = share >= ENOUGH
    print(f"\n{share:.1%} killed of what was run, {ENOUGH:.0%} wanted; {len(unread)} survivors that nobody has read")
    return int(not enough or bool(unread))


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutation testing of core, kinds and engine/undo.")
    parser.add_argument("modules", nargs="*", help="core.guards, kinds, ... (all)")
    parser.add_argument("--again", action="store_true", help="forget what was killed before")
    parser.add_argument("--show", action="store_true", help="run nothing, list what survived")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="a sample: one mutant of each N")
    parser.add_argument("--seconds", type=float, default=4.0, help="of tests for one mutant at most (4)")
    given = parser.parse_args()
    os.chdir(ROOT)
    reset_config()
    copy_project()
    mutants = [mutant for path in modules(given.modules) for mutant in mutants_of(path)[:: given.every]]
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    if given.show:
        print(*(mutant for mutant in mutants if results.get(mutant.key) in ("survived", "no tests")), sep="\n\n")
        return report(mutants, results)
    open_ones = [mutant for mutant in mutants if given.again or results.get(mutant.key) not in ("killed", "timeout")]
    os.chdir(WORK)
    sys.path.insert(0, str(WORK))
    quick = settings(deadline=None, derandomize=True, database=None, max_examples=30, phases=PHASES)
    settings.register_profile("mutation", quick)
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir=.", "--hypothesis-profile=mutation"]
    options += ["--assert=plain", "--tb=native", "-Wignore::pytest.PytestAssertRewriteWarning"]
    plugin = Mutating(open_ones, results, given.seconds)
    code = pytest.main([*options, *(test for test in TESTS if (WORK / test).exists())], plugins=[plugin])
    save(results)
    return int(code) or report(mutants, results)


if __name__ == "__main__":
    sys.exit(main())
