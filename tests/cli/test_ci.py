"""What GitHub and GitLab show."""

from __future__ import annotations

from hcloud_reassign.simulator import Simulator
from tests.cli.process import INI, Cli


def github(cli: Cli) -> dict[str, str | None]:
    return {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(cli.home / "summary.md")}


def test_what_was_refused_is_an_error_of_github(cli: Cli, sim: Simulator) -> None:
    sim.state.floating_ips[501].server_id = 12
    done = cli("run", "floating.web", "-o", "json", "-c", cli.file(), env=github(cli))
    assert done.document["exit_code"] == 3
    (told,) = [row for row in done.err.splitlines() if row.startswith("::")]
    assert told.startswith("::error title=floating.web refused::it is held by srv-c")
    assert "next: add --force" in told


def test_a_bad_file_is_an_error_of_github_at_its_line(cli: Cli) -> None:
    done = cli("run", "-c", cli.file(INI.replace("source      = srv-a", "sorce = srv-a")), env=github(cli))
    assert "::error title=hcloud-reassign,file=prod.ini,line=7::unknown key 'sorce'" in done.err


def test_the_table_goes_into_the_summary_of_the_job(cli: Cli, sim: Simulator) -> None:
    sim.state.servers[11].name = "srv|<b>*x*"
    text = INI.replace("destination = srv-b", "destination = 11")
    cli("run", "floating.web", "-c", cli.file(text), env=github(cli))
    summary = (cli.home / "summary.md").read_text("utf-8")
    assert summary.startswith("### hcloud-reassign\n\n| assignment | outcome |")
    assert "| floating.web | done | srv-a | srv&#124;&#60;b&#62;&#42;x&#42; |" in summary


def test_a_text_cannot_become_a_command_of_the_runner(cli: Cli, sim: Simulator) -> None:
    sim.state.servers[10].name = "x\n::warning::owned\n##[error]owned%0A::error::y"
    sim.state.floating_ips[501].server_id = 10
    text = INI.replace("source      = srv-a", "source = srv-c")
    done = cli("run", "floating.web", "-c", cli.file(text), env=github(cli))
    written = (done.out + done.err).splitlines()
    assert "##[" not in done.out + done.err
    assert [row.partition(" ")[0] for row in written if row.startswith("::")] == ["::error"]
    assert "%250A" in done.err


def test_a_summary_that_cannot_be_written_is_a_warning(cli: Cli) -> None:
    env = {**github(cli), "GITHUB_STEP_SUMMARY": str(cli.home / "no" / "such" / "summary.md")}
    done = cli("run", "floating.web", "-c", cli.file(), env=env)
    assert done.code == 0
    assert "warning: no summary was written" in done.err


def test_gitlab_folds_the_details(cli: Cli) -> None:
    done = cli("run", "floating.web", "-c", cli.file(), env={"GITLAB_CI": "true"})
    assert "\x1b[0Ksection_start:" in done.err
    assert ":hcloud_reassign_details[collapsed=true]\r\x1b[0Khcloud-reassign: every step" in done.err
    assert "1. assign floating IP web to srv-b (done, " in done.err
    assert done.err.rstrip("\n").endswith(":hcloud_reassign_details\r\x1b[0K")
    assert "\x1b" not in done.out


def test_elsewhere_nothing_of_this_is_printed(cli: Cli) -> None:
    done = cli("run", "floating.web", "-c", cli.file())
    assert "::" not in done.err
    assert "section_start" not in done.err
