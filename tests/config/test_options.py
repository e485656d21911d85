from __future__ import annotations

import pytest

from hcloud_reassign.config.options import ApiUrl, Timeout, api_url, timeout
from hcloud_reassign.core.errors import UsageError
from tests.config.fakes import Load

URL = {"HCLOUD_ENDPOINT": "https://env.example.com/v1/"}
TIME = {"HCLOUD_REASSIGN_TIMEOUT": "2m"}


def test_the_api_url_is_taken_from_option_environment_file_and_default_in_this_order(load_text: Load) -> None:
    settings = load_text("[client]\napi_url = https://file.example.com/v1\n")
    assert api_url(settings, flag="https://flag/v1/", environ=URL) == ApiUrl("https://flag/v1", "--api-url")
    assert api_url(settings, environ=URL) == ApiUrl("https://env.example.com/v1", "HCLOUD_ENDPOINT")
    assert api_url(settings, environ={}) == ApiUrl("https://file.example.com/v1", f"api_url in {settings.file}")
    assert api_url(load_text(""), environ={}) == ApiUrl("https://api.hetzner.cloud/v1", "default")
    assert api_url(None, environ={"HCLOUD_ENDPOINT": ""}) == ApiUrl("https://api.hetzner.cloud/v1", "default")


def test_the_environment_is_that_of_the_process_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCLOUD_ENDPOINT", "https://process.example.com")
    monkeypatch.setenv("HCLOUD_REASSIGN_TIMEOUT", "7")
    assert api_url(None).url == "https://process.example.com"
    assert timeout(None).seconds == 7.0


def test_with_several_files_the_api_url_is_that_of_each_file(load_text: Load) -> None:
    settings = load_text("[client]\napi_url = https://file.example.com/v1\n")
    assert api_url(settings, environ=URL, several_files=True).url == "https://file.example.com/v1"
    with pytest.raises(UsageError, match="each API URL comes from its own file") as caught:
        api_url(settings, flag="https://x", environ={}, several_files=True)
    assert caught.value.next == "leave out --api-url"


def test_an_api_url_in_clear_text_has_a_warning() -> None:
    assert api_url(None, flag="http://127.0.0.1:8410/v1", environ={}).warning is None
    warning = api_url(None, environ={"HCLOUD_ENDPOINT": "http://api.example.com"}).warning
    assert warning == "HCLOUD_ENDPOINT is http, so the token is sent in clear text; use https"


@pytest.mark.parametrize(
    "url", ["", " ", "x", "ftp://x", "https://u:hunter2@x", "https://x?q", "https://x y", "http://[x"]
)
def test_an_api_url_from_outside_is_checked_and_not_shown(url: str) -> None:
    with pytest.raises(UsageError, match=r"^--api-url: ") as caught:
        api_url(None, flag=url, environ={})
    assert "hunter2" not in str(caught.value)
    assert caught.value.next == "give it like https://api.hetzner.cloud/v1"


def test_the_timeout_is_taken_from_option_environment_file_and_default_in_this_order(load_text: Load) -> None:
    settings = load_text("[client]\ntimeout = 30\n")
    assert timeout(settings, flag=5.0, environ=TIME) == Timeout(5.0, "--timeout")
    assert timeout(settings, environ=TIME) == Timeout(120.0, "HCLOUD_REASSIGN_TIMEOUT")
    assert timeout(settings, environ={}) == Timeout(30.0, f"timeout in {settings.file}")
    assert timeout(load_text(""), environ={}) == timeout(None, environ={}) == Timeout(None, "default")


@pytest.mark.parametrize("flag", [0.0, -1.0, float("inf"), float("nan")])
def test_a_run_needs_a_time_above_nothing(flag: float) -> None:
    with pytest.raises(UsageError, match="a run needs a time above 0") as caught:
        timeout(None, flag=flag, environ={})
    assert (caught.value.object, caught.value.file) == ("--timeout", None)


def test_a_time_of_nothing_in_the_file_is_told_with_its_place(load_text: Load) -> None:
    settings = load_text("[client]\ntimeout = 0\n")
    with pytest.raises(UsageError, match="a run needs a time above 0") as caught:
        timeout(settings, environ={})
    found = caught.value
    assert (found.file, found.line, found.object, found.key) == (settings.file, 2, "client", "timeout")


@pytest.mark.parametrize("text", ["soon", "0", "-1"])
def test_a_time_in_the_environment_is_checked(text: str) -> None:
    with pytest.raises(UsageError, match="time") as caught:
        timeout(None, environ={"HCLOUD_REASSIGN_TIMEOUT": text})
    assert caught.value.object == "HCLOUD_REASSIGN_TIMEOUT"
    assert caught.value.next == "give it like 120"
