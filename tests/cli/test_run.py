"""`run` and `plan`: what they print, write and end with."""

from __future__ import annotations

import json
import signal
import stat
import time
from pathlib import Path

import pytest

from hcloud_reassign.simulator import Fault, Simulator
from tests.cli.process import INI, Cli, assert_fits
from tests.system.site import Cold

STARTED_BY = Cold


def holder(sim: Simulator) -> str | None:
    """Who has the floating IP `web`."""
    server = sim.state.floating_ips[501].server_id
    return None if server is None else sim.state.servers[server].name


def test_a_run_moves_and_tells_one_line_for_each_assignment(cli: Cli, sim: Simulator) -> None:
    done = cli("run", "floating.web", "route.lan", "-c", cli.file())
    assert (done.code, holder(sim)) == (0, "srv-b")
    first, second, gap = done.out.splitlines()
    assert first.startswith("● done  floating.web  192.0.2.10")
    assert "srv-a → srv-b" in first
    assert second.startswith("● done  route.lan     192.168.77.0/24")
    assert "10.0.1.3 (srv-b) → 10.0.1.2 (srv-a)" in second
    assert gap.startswith("    nobody had it for ")
    assert done.err.startswith("2 done; ")


def test_a_second_run_changes_nothing(cli: Cli, sim: Simulator) -> None:
    cli("run", "floating.web", "-c", cli.file())
    before = len(sim.requests)
    done = cli("run", "floating.web", "-c", "prod.ini")
    assert done.code == 0
    assert done.out.startswith("○ unchanged  floating.web")
    assert all(request.method == "GET" for request in sim.requests[before:])


def test_a_run_ends_with_one_document(cli: Cli) -> None:
    done = cli("run", "floating.web", "-o", "json", "-c", cli.file())
    assert_fits(done.document, "run")
    assert (done.document["command"], done.document["outcome"], done.document["project"]) == ("run", "ok", "prod")
    (move,) = done.document["moves"]
    assert (move["before"]["name"], move["after"]["name"], move["outcome"]) == ("srv-a", "srv-b", "done")
    assert [step["status"] for step in move["steps"]] == ["done"]


def test_json_lines_tell_what_happens_in_order_and_end_with_the_document(cli: Cli) -> None:
    done = cli("run", "route.lan", "-o", "jsonl", "-c", cli.file())
    events = [line["event"] for line in done.lines]
    steps = [event for event in events if event not in ("step.progress", "step.retried", "warning")]
    assert steps == [
        "run.started",
        "observed",
        "planned",
        "move.started",
        "step.started",
        "step.done",
        "step.started",
        "step.done",
        "move.done",
        "run.finished",
    ]
    assert [line["seq"] for line in done.lines] == list(range(1, len(done.lines) + 1))
    assert len({line["run"] for line in done.lines}) == 1
    for line in done.lines:
        assert_fits(line, "event")
    assert_fits(done.lines[-1], "run")


def test_the_old_gateway_is_told_before_it_is_taken(cli: Cli) -> None:
    done = cli("run", "route.lan", "-v", "-c", cli.file())
    lines = done.err.splitlines()
    started = next(number for number, line in enumerate(lines) if "delete route 192.168.77.0/24 via 10.0.1.3" in line)
    done_at = next(number for number, line in enumerate(lines) if "delete route" in line and "done in" in line)
    assert started < done_at


def test_nothing_is_narrated_into_a_pipe_while_it_runs(cli: Cli) -> None:
    done = cli("run", "floating.web", "-c", cli.file())
    assert len(done.err.splitlines()) == 1
    assert "\r" not in done.err


def test_quiet_leaves_only_the_data(cli: Cli) -> None:
    done = cli("run", "floating.web", "-q", "-c", cli.file())
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("● done")


def test_a_dry_run_changes_nothing(cli: Cli, sim: Simulator) -> None:
    done = cli("run", "floating.web", "--dry-run", "-o", "json", "-c", cli.file())
    assert (done.code, holder(sim)) == (0, "srv-a")
    assert done.document["moves"][0]["outcome"] == "pending"
    assert_fits(done.document, "run")


def test_another_name_for_a_name_is_r(cli: Cli) -> None:
    done = cli(
        "run", "-r", "floating.web", "--resource", "floating.web", "floating.web", "-o", "json", "-c", cli.file()
    )
    assert [move["name"] for move in done.document["moves"]] == ["floating.web"]


def test_it_goes_back_with_a_direction(cli: Cli, sim: Simulator) -> None:
    cli("run", "floating.web", "-c", cli.file())
    assert cli("run", "floating.web", "-d", "src", "-c", "prod.ini").code == 0
    assert holder(sim) == "srv-a"


def test_a_member_is_chosen_with_to(cli: Cli) -> None:
    done = cli("run", "alias.vip", "--to", "srv-b", "-o", "json", "-c", cli.file())
    assert done.document["moves"][0]["after"]["name"] == "srv-b"


def test_everything_leaves_out_what_has_no_target(cli: Cli) -> None:
    done = cli("run", "--dry-run", "-c", cli.file())
    assert done.code == 0
    assert "warning: alias.vip is left out" in done.err
    assert "alias.vip" not in done.out


def test_a_holder_that_is_not_listed_is_refused_with_the_way_past(cli: Cli, sim: Simulator) -> None:
    sim.state.floating_ips[501].server_id = 12
    done = cli("run", "floating.web", "-c", cli.file())
    assert done.code == 3
    assert done.out.startswith("▲ refused  floating.web")
    assert "stays with srv-c" in done.out
    assert "holder: it is held by srv-c" in done.out
    assert "next:    add --force" in done.out
    assert cli("run", "floating.web", "--force", "-c", "prod.ini").code == 0


def test_a_late_request_is_refused(cli: Cli) -> None:
    words = ("run", "floating.web", "-o", "json", "-c", cli.file())
    done = cli(*words, "--issued-at", str(int(time.time()) - 3600))
    assert (done.code, done.document["moves"][0]["guard"]) == (3, "late")
    assert cli(*words, "--issued-at", str(int(time.time()) - 3600), "--max-age", "2h").code == 0


def test_the_age_of_a_trigger_counts(cli: Cli) -> None:
    now_ms = str(time.time_ns() // 1_000_000)
    done = cli("run", "floating.web", "-o", "json", "--issued-at", now_ms, "--age", "400000", "-c", cli.file())
    assert done.document["moves"][0]["guard"] == "late"


def test_a_triggered_request_says_when_it_was_issued(cli: Cli) -> None:
    now = int(time.time())
    done = cli("run", "floating.web", "-o", "json", "--issued-at", str(now), "-c", cli.file())
    assert done.code == 0
    issued = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now))
    assert done.document["moves"][0]["issued_at"] == issued


def test_what_is_unknown_ends_with_two_lines_that_mend_it(cli: Cli, sim: Simulator) -> None:
    sim.faults.append(Fault(method="POST", path="*/actions/add_route", times=None, status=422, code="invalid_input"))
    sim.faults.append(Fault(method="POST", path="*/actions/add_route", times=None, drop="before"))
    done = cli("run", "route.lan", "--timeout", "10", "-c", cli.file())
    assert done.code == 5
    assert done.out.startswith("? unknown  route.lan")
    assert "next:    hcloud-reassign run -c prod.ini route.lan --to " in done.out
    assert "or:      hcloud network add-route" in done.out
    assert "simulated-token" not in done.out + done.err


def test_a_plan_shows_the_steps_and_the_digest(cli: Cli, sim: Simulator) -> None:
    done = cli("plan", "route.lan", "-c", cli.file())
    assert done.code == 0
    assert done.out.splitlines()[0].startswith("→ pending  route.lan")
    assert "1. delete route 192.168.77.0/24 via 10.0.1.3 from internal" in done.out
    assert "effect:" in done.out
    digest = done.out.splitlines()[-1].removeprefix("digest ")
    assert f"to do exactly this: hcloud-reassign run -c prod.ini route.lan --expect-digest {digest}" in done.err
    assert all(request.method == "GET" for request in sim.requests)
    assert cli("run", "route.lan", "--expect-digest", digest, "-c", "prod.ini").code == 0


def test_a_run_of_another_plan_than_the_approved_one_is_refused(cli: Cli, sim: Simulator) -> None:
    done = cli("run", "floating.web", "--expect-digest", "0123456789abcdef", "-o", "json", "-c", cli.file())
    assert (done.code, done.document["moves"][0]["guard"], holder(sim)) == (3, "digest", "srv-a")


def test_a_plan_with_something_to_do_is_exit_10_only_when_asked(cli: Cli) -> None:
    assert cli("plan", "floating.web", "-c", cli.file()).code == 0
    done = cli("plan", "floating.web", "--detailed-exitcode", "-o", "json", "-c", "prod.ini")
    assert (done.code, done.document["exit_code"], done.document["outcome"]) == (10, 10, "pending")
    assert_fits(done.document, "run")
    cli("run", "floating.web", "-c", "prod.ini")
    assert cli("plan", "floating.web", "--detailed-exitcode", "-c", "prod.ini").code == 0


def test_the_last_json_line_of_a_plan_has_the_code_of_the_process(cli: Cli) -> None:
    done = cli("plan", "floating.web", "--detailed-exitcode", "-o", "jsonl", "-c", cli.file())
    assert (done.lines[-1]["event"], done.lines[-1]["exit_code"]) == ("run.finished", 10)


def test_the_report_is_the_document(cli: Cli) -> None:
    done = cli("run", "floating.web", "-o", "json", "--report", "report.json", "-c", cli.file())
    report = cli.home / "report.json"
    assert json.loads(report.read_text(encoding="utf-8")) == done.document
    assert not list(cli.home.glob("report.json.*"))


@pytest.mark.parametrize("words", [("run", "floating.wbe"), ("run", "--nonsense"), ("run", "")])
def test_the_report_is_written_when_nothing_was_begun(cli: Cli, words: tuple[str, ...]) -> None:
    done = cli(*words, "--report", "report.json", "-c", cli.file())
    document = json.loads((cli.home / "report.json").read_text(encoding="utf-8"))
    assert done.code == document["exit_code"] == 2
    assert_fits(document, "run")


def test_a_stopped_run_writes_its_report_and_ends_with_130(cli: Cli, sim: Simulator) -> None:
    sim.faults.append(Fault(method="GET", path="/v1/servers", times=None, status=429, code="rate_limit_exceeded"))
    with cli.started("run", "-o", "jsonl", "--report", "r.json", "-c", cli.file()) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if "step.retried" in line)
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        assert process.wait(20) == 130
    document = json.loads((cli.home / "r.json").read_text(encoding="utf-8"))
    assert (document["exit_code"], document["outcome"]) == (130, "interrupted")


def test_the_time_limit_ends_a_run(cli: Cli, sim: Simulator) -> None:
    sim.faults.append(Fault(method="GET", path="*", times=None, delay=30))
    started = time.monotonic()
    done = cli("run", "floating.web", "--timeout", "2", "-o", "json", "-c", cli.file())
    assert done.code == 1
    assert time.monotonic() - started < 6


def test_the_journal_says_who_asked(cli: Cli) -> None:
    cli("run", "floating.web", "--by", "the night shift", "-c", cli.file())
    journal = cli.home / "state" / "journal.jsonl"
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    assert all(json.loads(line)["who"] == "the night shift" for line in journal.read_text("utf-8").splitlines())


def test_a_lost_journal_is_a_warning(cli: Cli) -> None:
    (cli.home / "state").write_text("a file in the way")
    done = cli("run", "floating.web", "-c", cli.file())
    assert done.code == 0
    assert "warning: the journal" in done.err


def test_this_machine_is_meant_by_self(cli: Cli, sim: Simulator) -> None:
    import socket

    sim.state.servers[11].name = socket.gethostname()
    text = INI.replace("srv-b", socket.gethostname())
    done = cli("run", "floating.web", "--to", "self", "-o", "json", "-c", cli.file(text))
    assert done.document["moves"][0]["after"]["name"] == socket.gethostname()


def test_a_file_is_found_where_it_is_looked_for(cli: Cli) -> None:
    cli.file(name="hcloud-reassign.ini")
    assert cli("plan", "floating.web").code == 0
    Path(cli.home / "hcloud-reassign.ini").chmod(0o666)
    done = cli("plan", "floating.web")
    assert done.code == 2
    assert "others may write it" in done.err
