from __future__ import annotations

import copy
import io
import json
import pickle
import shlex
import sys
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from hcloud_reassign.config import hidden
from hcloud_reassign.config.secrets import Secret, api_token, redact, secret_in
from hcloud_reassign.core.errors import AccessError, ReassignError, UsageError
from tests.config.fakes import Load

TOKEN = "hV5xQ8rT2wLm"


def shown_by(error: BaseException) -> str:
    """All that can be printed about an error and those it came from."""
    fields = " ".join(map(repr, vars(error).values()))
    chain = [error, error.__cause__, error.__context__]
    return fields + repr(chain) + "".join(traceback.format_exception(error))


def printing(code: str) -> str:
    """A command line for a line of Python."""
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"


def test_a_secret_shows_itself_nowhere() -> None:
    @dataclass
    class Holder:
        secret: Secret

    secret = Secret(TOKEN)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>20}", f"{secret!r}", f"{secret}", "%s" % secret]  # noqa: UP031
    shown += [
        repr(Holder(secret)),
        repr([secret]),
        repr(asdict(Holder(secret))),
        repr(copy.deepcopy(secret)),
        repr(copy.copy(secret)),
    ]
    assert TOKEN not in "".join(shown)
    assert "***" in shown[0]
    assert secret.reveal() == TOKEN


def test_a_secret_goes_into_no_pickle_and_no_json() -> None:
    for write in (pickle.dumps, json.dumps):
        with pytest.raises(TypeError) as caught:
            write(Secret(TOKEN))
        assert TOKEN not in shown_by(caught.value)
    assert not hasattr(Secret(TOKEN), "__dict__")


def test_equal_secrets_are_equal_and_nothing_else_is() -> None:
    assert Secret(TOKEN) == Secret(TOKEN)
    assert hash(Secret(TOKEN)) == hash(Secret(TOKEN))
    assert Secret(TOKEN) != Secret("other")
    assert Secret(TOKEN) != TOKEN
    assert not Secret("")


def test_every_occurrence_of_every_secret_is_redacted() -> None:
    text = f"Bearer {TOKEN}, {TOKEN}x and other"
    assert redact(text, [Secret(""), Secret(TOKEN), Secret("other"), Secret(TOKEN + "x")]) == "Bearer ***, *** and ***"


def test_the_token_is_taken_from_option_file_environment_and_configuration_in_this_order(
    load_text: Load, tmp_path: Path
) -> None:
    file = tmp_path / "flag"
    file.write_text("from-flag-file\nsecond line\n")
    settings = load_text("[client]\napi_token = from-ini\n")
    environ = {"HCLOUD_TOKEN": "from-environ"}

    def found(flag: str | None, flag_file: str | None, environ: dict[str, str]) -> tuple[str, str]:
        secret, origin = api_token(settings, flag=flag, flag_file=flag_file, environ=environ)
        return secret.reveal(), origin

    assert found(" from-flag ", str(file), environ) == ("from-flag", "--token")
    assert found(None, str(file), environ) == ("from-flag-file", str(file))
    assert found(None, None, environ) == ("from-environ", "HCLOUD_TOKEN")
    assert found(None, None, {"HCLOUD_TOKEN": " "}) == ("from-ini", f"api_token in {settings.file}")


def test_the_environment_is_that_of_the_process_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCLOUD_TOKEN", TOKEN)
    assert api_token(None) == (Secret(TOKEN), "HCLOUD_TOKEN")


def test_a_dash_reads_the_first_line_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.StringIO(f"{TOKEN}\r\nmore\n")
    assert api_token(None, flag_file="-", environ={}, stdin=stdin) == (Secret(TOKEN), "standard input")
    assert stdin.read() == "more\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(TOKEN))
    assert api_token(None, flag_file="-", environ={})[0].reveal() == TOKEN


def test_in_the_configuration_a_file_comes_before_a_command_and_that_before_the_token(
    load_text: Load, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(f"\ufeff{TOKEN}\n", "utf-8")
    keys = ["api_token_file = token", f"api_token_command = {printing('print(1, 2)')}", "api_token = in-the-file"]
    expected = [(TOKEN, "api_token_file"), ("1 2", "api_token_command"), ("in-the-file", "api_token")]
    for first, (text, key) in enumerate(expected):
        settings = load_text("[client]\n" + "\n".join(keys[first:]))
        assert api_token(settings, environ={}) == (Secret(text), f"{key} in {settings.file}")


def test_with_several_files_the_token_is_that_of_each_file(load_text: Load) -> None:
    settings = load_text(f"[client]\napi_token = {TOKEN}\n")
    assert api_token(settings, environ={"HCLOUD_TOKEN": "x"}, several_files=True)[0].reveal() == TOKEN
    for option, flag, flag_file in (("--token", TOKEN, None), ("--token-file", None, "-")):
        with pytest.raises(UsageError, match="each token comes from its own file") as caught:
            api_token(settings, flag=flag, flag_file=flag_file, environ={}, several_files=True)
        assert caught.value.next == f"leave out {option}"
        assert TOKEN not in shown_by(caught.value)
    with pytest.raises(AccessError) as none:
        api_token(load_text(""), environ={"HCLOUD_TOKEN": TOKEN}, several_files=True)
    assert none.value.next == f"write 'api_token_file = FILE' in [client] of {settings.file}"


def test_without_any_token_the_error_says_how_to_give_one(load_text: Load, ini: Path) -> None:
    with pytest.raises(AccessError, match="there is no token") as caught:
        api_token(None, environ={})
    assert caught.value.next == "set HCLOUD_TOKEN, or give --token-file FILE"
    with pytest.raises(AccessError, match="there is no token") as caught:
        api_token(load_text(""), environ={})
    assert (caught.value.file, caught.value.object) == (str(ini), "client")
    assert caught.value.next is not None
    assert caught.value.next.endswith(f", or write 'api_token_file = FILE' in [client] of {ini}")
    assert caught.value.exit_code == 4


BAD = {
    "it has more than one line": f"{TOKEN}\n{TOKEN}",
    "it has characters that cannot be sent": f"{TOKEN}\u20ac",
    "it has characters that cannot be sent ": f"{TOKEN}\x07{TOKEN}",
    "it has characters that cannot be sent  ": f"{TOKEN}\u200b",
}


@pytest.mark.parametrize(("why", "token"), BAD.items(), ids=["lines", "euro", "bell", "hidden"])
def test_a_token_that_cannot_be_sent_is_an_error_that_does_not_show_it(why: str, token: str) -> None:
    for flag, environ, origin in ((token, {}, "--token"), (None, {"HCLOUD_TOKEN": token}, "HCLOUD_TOKEN")):
        with pytest.raises(UsageError, match=f"the token from {origin}: {why.strip()}") as caught:
            api_token(None, flag=flag, environ=environ)
        assert (caught.value.object, caught.value.next) == (origin, "give the token alone")
        assert TOKEN not in shown_by(caught.value)


def test_an_empty_token_option_is_an_error_and_not_another_token() -> None:
    with pytest.raises(AccessError, match="no token from --token: it is empty"):
        api_token(None, flag=" ", environ={"HCLOUD_TOKEN": TOKEN})


def test_a_token_file_of_the_command_line_that_gives_none_is_told(tmp_path: Path) -> None:
    for name, why in (("missing", "No such file or directory"), ("empty", "it is empty"), (".", "Is a directory")):
        (tmp_path / "empty").write_text("\nsecond\n")
        path = str(tmp_path / name)
        with pytest.raises(AccessError, match=f"no token from {path}: {why}") as caught:
            api_token(None, flag_file=path, environ={"HCLOUD_TOKEN": TOKEN})
        assert caught.value.object == path


def test_a_token_file_of_other_bytes_does_not_show_them(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(TOKEN.encode() + b"\xff\n")
    with pytest.raises(UsageError, match="it is not UTF-8 text") as caught:
        api_token(None, flag_file=str(file), environ={})
    assert TOKEN not in shown_by(caught.value)


def test_standard_input_of_other_bytes_does_not_show_them() -> None:
    stdin = io.TextIOWrapper(io.BytesIO(TOKEN.encode() + b"\xff\n"), "utf-8")
    with pytest.raises(UsageError, match="the token from standard input: it is not UTF-8 text") as caught:
        api_token(None, flag_file="-", environ={}, stdin=stdin)
    assert TOKEN not in shown_by(caught.value)


def test_the_token_file_of_the_configuration_is_told_by_section_key_and_line(load_text: Load, ini: Path) -> None:
    settings = load_text("[client]\napi_token_file = /no/such/token\n")
    with pytest.raises(AccessError, match=r"'api_token_file' in \[client\] gives no secret: No such file") as caught:
        api_token(settings, environ={})
    error = caught.value
    assert (error.file, error.line, error.object, error.key) == (str(ini), 2, "client", "api_token_file")
    assert error.next == "mend the file /no/such/token"


FAILING = {
    "it ended with exit status 3": "print('{token}'); raise SystemExit(3)",
    "it is empty": "print(); print('{token}')",
    "it ended with exit status -9": "import os; print('{token}', flush=True); os.kill(os.getpid(), 9)",
}


@pytest.mark.parametrize(("why", "code"), FAILING.items(), ids=["status", "empty", "killed"])
def test_a_failing_token_command_is_told_without_its_output(why: str, code: str, load_text: Load, ini: Path) -> None:
    settings = load_text(f"[client]\napi_token_command = {printing(code.format(token=TOKEN[::-1]))}\n")
    with pytest.raises(AccessError) as caught:
        api_token(settings, environ={})
    error = caught.value
    assert error.message == f"'api_token_command' in [client] gives no secret: {why}"
    assert (error.file, error.line, error.object, error.key) == (str(ini), 2, "client", "api_token_command")
    assert error.next == "run the command by hand to see why"
    assert TOKEN[::-1] not in shown_by(error)


def test_a_token_command_that_is_not_there_is_told(load_text: Load) -> None:
    with pytest.raises(AccessError, match="it cannot be run: No such file"):
        api_token(load_text("[client]\napi_token_command = /no/such/command x\n"), environ={})


def test_a_token_command_with_an_open_quote_is_told(load_text: Load) -> None:
    with pytest.raises(UsageError, match="its quotes do not match"):
        api_token(load_text("[client]\napi_token_command = pass 'x\n"), environ={})


def test_a_token_command_has_a_time_limit(load_text: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden, "COMMAND_LIMIT_S", 0.2)
    code = printing(f"import time; print('{TOKEN}', flush=True); time.sleep(60)")
    with pytest.raises(AccessError, match="it did not end within 0.2 s") as caught:
        api_token(load_text(f"[client]\napi_token_command = {code}\n"), environ={})
    assert TOKEN not in shown_by(caught.value)


def test_a_token_command_that_prints_other_bytes_does_not_show_them(load_text: Load) -> None:
    code = printing(f"import sys; sys.stdout.buffer.write(b'{TOKEN}\\xff')")
    with pytest.raises(UsageError, match="its output is not UTF-8") as caught:
        api_token(load_text(f"[client]\napi_token_command = {code}\n"), environ={})
    assert TOKEN not in shown_by(caught.value)


def test_a_token_command_meets_no_shell_and_no_standard_input(load_text: Load) -> None:
    code = "import sys; print(sys.argv[1], len(sys.stdin.read()))"
    settings = load_text(f"[client]\napi_token_command = {printing(code)} $HOME;id\n")
    assert api_token(settings, environ={})[0].reveal() == "$HOME;id 0"


def test_the_stderr_of_a_token_command_is_ours(load_text: Load, capfd: pytest.CaptureFixture[str]) -> None:
    code = printing("import sys; sys.stderr.write('touch your key'); print(1)")
    api_token(load_text(f"[client]\napi_token_command = {code}\n"), environ={})
    assert capfd.readouterr().err == "touch your key"


def test_other_sections_have_secrets_too(load_text: Load, tmp_path: Path) -> None:
    settings = load_text("[trigger.ci]\ntype = gitlab\ntoken_file = ci\nproject = 42\nref = main\n[robot]\nuser = u\n")
    (tmp_path / "ci").write_text(TOKEN)
    assert secret_in(settings, "trigger.ci", "token_file") == Secret(TOKEN)
    assert secret_in(settings, "robot", "password_file") is None
    (tmp_path / "ci").unlink()
    with pytest.raises(AccessError, match=r"'token_file' in \[trigger.ci\]") as caught:
        secret_in(settings, "trigger.ci", "token_file")
    assert caught.value.line == 3


@pytest.mark.parametrize(
    "text",
    [
        "[client]\n{token}\n",
        "[client]\n{token}=\n",
        "[client]\napi_tokn = {token}\n",
        "[client]\napi_token = {token}\u20ac\n",
        "[client]\napi_token = {token}\napi_token = {token}\n",
        "[client]\napi_token = a\n {token}\n",
        "[client]\ntimeout = {token}\n",
        "[client]\nclaims = {token}\n",
        "[client]\napi_url = https://user:{token}@host/v1\n",
        "[client]\napi_url = https://host/v1?token={token}\n",
        "[client]\napi_url = https://host:{token}/v1\n",
        "[client]\napi_token = {token}\n\x07\n",
        "api_token = {token}\n",
        "[client]\napi_token = {token}\nx\n",
        "[trigger.x]\ntype = {token}\n",
        "[x]\ntype = {token}\n",
        "[group.x]\nmembers = {token}, {token}\n",
        "[group.x]\nmembers = {token}\n",
    ],
)
def test_a_token_in_any_place_of_a_broken_file_is_not_shown(text: str, load_text: Load) -> None:
    token = "kP7" * 21 + "x"
    with pytest.raises(ReassignError) as caught:
        load_text(text.format(token=token))
    assert token.casefold() not in shown_by(caught.value).casefold()


def test_the_settings_do_not_show_the_token(load_text: Load) -> None:
    settings = load_text(f"[client]\napi_token = {TOKEN}\n")
    assert TOKEN not in repr(settings) + str(settings) + repr(asdict(settings))
