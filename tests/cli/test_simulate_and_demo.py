"""`simulate` and `demo`: the whole program without an account."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

from tests.cli.process import INI, ROOT, Cli, assert_fits


def test_a_simulated_project_serves_until_it_is_stopped(alone: Cli) -> None:
    with alone.started("simulate", "--listen", "127.0.0.1:0", "--action-time", "20ms") as process:
        assert process.stdout is not None
        exports = [process.stdout.readline().strip().removeprefix("export ") for _ in range(2)]
        env = {name: value for name, _, value in (text.partition("=") for text in exports)}
        assert alone("run", "floating.web", "-c", alone.file(), env=env).code == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_simulated_project_says_to_programs_where_it_is(alone: Cli) -> None:
    with alone.started("simulate", "--listen", "127.0.0.1:0", "-o", "jsonl", "--scenario", "fifty") as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert_fits(ready, "event")
        env: dict[str, str | None] = {"HCLOUD_ENDPOINT": ready["url"], "HCLOUD_TOKEN": ready["token"]}
        done = alone("status", "--all", "-o", "json", "-c", alone.file("[client]\n"), env=env)
        assert len(done.document["resources"]) >= 50


def test_faults_come_from_a_file(alone: Cli) -> None:
    (alone.home / "faults.json").write_text(json.dumps([{"path": "/v1/floating_ips", "status": 503, "times": None}]))
    with alone.started("simulate", "--listen", "127.0.0.1:0", "-o", "jsonl", "--faults", "faults.json") as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        env: dict[str, str | None] = {"HCLOUD_ENDPOINT": ready["url"], "HCLOUD_TOKEN": ready["token"]}
        assert alone("status", "--timeout", "2", "-c", alone.file(), env=env).code == 1


def test_a_place_that_is_taken_is_told(cli: Cli) -> None:
    taken = cli.environ["HCLOUD_ENDPOINT"].removeprefix("http://").removesuffix("/v1")
    done = cli("simulate", "--listen", taken)
    assert done.code == 1
    assert f"cannot serve at {taken}: Address already in use" in done.err


def test_a_bad_fault_file_is_exit_2(alone: Cli) -> None:
    (alone.home / "faults.json").write_text('[{"pth": "/v1/servers"}]')
    done = alone("simulate", "--faults", "faults.json")
    assert done.code == 2
    assert "pth" in done.err


def test_the_demonstration_shows_a_fail_over_from_beginning_to_end(alone: Cli) -> None:
    started = time.monotonic()
    done = alone("demo")
    assert done.code == 0, done.out + done.err
    assert time.monotonic() - started < 15
    commands = [row for row in done.out.splitlines() if row.startswith("$ ")]
    assert commands == [
        "$ hcloud-reassign status",
        "$ hcloud-reassign plan",
        "$ hcloud-reassign run",
        "$ hcloud-reassign status",
        "$ hcloud-reassign init && hcloud-reassign status --all",
    ]
    assert [row.split("  ")[0] for row in done.out.splitlines()].count("● done") == 4
    assert [row.split("  ")[0] for row in done.out.splitlines()].count("● at destination") == 4


def test_the_demonstration_knows_nothing_of_a_real_project(cli: Cli) -> None:
    real = {"HCLOUD_REASSIGN_CONFIG": "nowhere.ini", "HCLOUD_TOKEN": "a-real-token-of-somebody"}
    done = cli("demo", env={**real, "HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "example.org"})
    assert done.code == 0, done.err
    assert not (cli.home / "state").exists()


def test_the_demonstration_is_for_people(alone: Cli) -> None:
    done = alone("demo", "-o", "json")
    assert (done.code, done.document["command"]) == (2, "demo")
    assert_fits(done.document, "document")


def test_without_its_packages_the_way_to_get_them_is_told(alone: Cli) -> None:
    code = (
        "import sys; sys.modules['uvicorn'] = None; "
        "from hcloud_reassign.cli.main import run; sys.exit(run(sys.argv[1:]))"
    )
    for word in ("demo", "simulate"):
        done = subprocess.run(
            [sys.executable, "-c", code, word], cwd=alone.home, env=dict(alone.environ), capture_output=True, text=True
        )
        assert done.returncode == 2
        assert "pip install 'hcloud-reassign[simulate]'" in done.stderr


def test_what_the_samples_use_is_in_the_packaged_scenario(cli: Cli) -> None:
    assert cli("check", "-c", cli.file(INI)).code == 0
    assert ROOT.is_dir()
