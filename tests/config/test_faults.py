"""Every rule of the format, by what is told when it is broken."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from hcloud_reassign.core.errors import UsageError
from tests.config.fakes import WEB, Load, load_file


class Fault(NamedTuple):
    """A broken file and what must be told about it."""

    text: str
    line: int
    says: str
    section: str | None = None
    key: str | None = None
    suggestion: str | None = None
    next: str = "hcloud-reassign check --offline"


FAULTS = {
    "an unknown key names the nearest one": Fault(
        "[client]\ntimeot = 3\n", 2, "unknown key 'timeot'", "client", "timeot", "timeout", "write 'timeout' instead"
    ),
    "an unknown key of an assignment names the nearest one of its kind": Fault(
        WEB.replace("destination", "destinaton"),
        4,
        "unknown key 'destinaton'",
        "web",
        "destinaton",
        "destination",
        "'destination'",
    ),
    "a key that every assignment takes is suggested too": Fault(
        WEB + "cooldwn = 3\n", 5, "unknown key 'cooldwn'", "web", "cooldwn", "cooldown", "'cooldown'"
    ),
    "an unknown key like no other has no suggestion": Fault(
        "[client]\nzzz = 3\n", 2, "unknown key 'zzz'", "client", "zzz"
    ),
    "a key of another kind is unknown": Fault(
        WEB + "occupied = detach\n", 5, "unknown key 'occupied' in [web]", "web", "occupied"
    ),
    "an unknown type names the nearest one": Fault(
        WEB.replace("ip_floating", "ip_floatin"),
        2,
        "unknown type 'ip_floatin'",
        "web",
        "type",
        "ip_floating",
        "'ip_floating'",
    ),
    "a type of a later version is not in this one": Fault(
        "[vip]\ntype = ip_failover\n", 2, "'ip_failover' is not in this version", "vip", "type", next="take [vip] out"
    ),
    "a local address is of a later version": Fault(
        "[vip]\ntype = ip_local\n", 2, "'ip_local' is not in this version", "vip", "type", next="take [vip] out"
    ),
    "a mistyped section without a type names the nearest one": Fault(
        "[cliemt]\n", 1, "unknown section [cliemt]", "cliemt", suggestion="client", next="'client'"
    ),
    "a section in the wrong case is a mistyped one": Fault(
        "[Client]\n", 1, "unknown section [Client]", "Client", suggestion="client", next="'client'"
    ),
    "a mistyped prefix keeps the name behind it": Fault(
        "[grup.web]\nmembers = a\n",
        1,
        "unknown section [grup.web]",
        "grup.web",
        suggestion="group.web",
        next="'group.web'",
    ),
    "a mistyped gateway client keeps its name": Fault(
        "[gatway.client.srv-a]\n",
        1,
        "unknown section [gatway.client.srv-a]",
        "gatway.client.srv-a",
        suggestion="gateway.client.srv-a",
        next="'gateway.client.srv-a'",
    ),
    "an assignment without a type lacks its type": Fault(
        "[floating.web]\nresource = x\n",
        1,
        "'type' is missing in [floating.web]",
        "floating.web",
        "type",
        next="write 'type = ip_floating | ip_public | route' in [floating.web]",
    ),
    "an empty type is a missing one": Fault(
        "[floating.web]\ntype =\n", 2, "'type' is missing", "floating.web", "type", next="write 'type = "
    ),
    "a missing key names its section": Fault(
        "\n[web]\ntype = ip_floating\ndestination = b\n",
        2,
        "'resource' is missing in [web]",
        "web",
        "resource",
        next="write 'resource = ...' in [web]",
    ),
    "a required key with nothing in it is missing where it stands": Fault(
        "[web]\ntype = ip_floating\nresource = ; none\ndestination = b\n",
        3,
        "'resource' is missing in [web]",
        "web",
        "resource",
        next="write 'resource = ...'",
    ),
    "a trigger without a type shows the choices": Fault(
        "[trigger.x]\nurl = https://x\n",
        1,
        "'type' is missing in [trigger.x]",
        "trigger.x",
        "type",
        next="write 'type = gitlab | github | jenkins | tekton | gateway'",
    ),
    "a duplicate section names the first one's line": Fault(
        WEB + WEB, 5, "[web] is there twice, first in line 1", "web", next="rename one of them"
    ),
    "a duplicate key names the first one's line": Fault(
        "[client]\nproject = a\nproject = b\n",
        3,
        "'project' is there twice in [client], first in line 2",
        "client",
        "project",
        next="keep one of the two",
    ),
    "keys that differ in case only are duplicates": Fault(
        "[client]\nproject = a\nProject = b\n", 3, "'project' is there twice", "client", "project", next="keep one"
    ),
    "a default section is refused": Fault(
        "[DEFAULT]\ntimeout = 3\n", 1, "[DEFAULT] is not supported", "DEFAULT", next="in each section that needs them"
    ),
    "text before the first section is refused": Fault(
        "; fine\ntimeout = 3\n", 2, "text before the first section", next="write [client] above it"
    ),
    "a line without an equals sign is refused": Fault(
        "[client]\ntimeout\n", 2, "this is not 'key = value'", "client", next="one key a line"
    ),
    "a value over two lines is refused": Fault(
        "[web]\ntype = ip_floating\nmembers = a,\n    b\n", 4, "this is not 'key = value'", "web", next="one key a line"
    ),
    "a value without a key is refused": Fault(
        "[client]\n= 3\n", 2, "not 'key = value'", "client", next="one key a line"
    ),
    "a section's line without its end is refused": Fault("[client\n", 1, "not a section's line", next="[name]"),
    "a section's line with something behind it is refused": Fault("[client] x\n", 1, "not a section's", next="[name]"),
    "a section without a name is refused": Fault("[ ]\n", 1, "this is not a section's line", next="[name]"),
    "a section's name with a comma could be in no list": Fault("[a,b]\n", 1, "cannot have a comma", "a,b"),
    "a group without a name is refused": Fault(
        "[group.]\nmembers = web\n" + WEB, 1, "[group.] has no name behind the dot", "group."
    ),
    "a control character is refused by its number": Fault(WEB + "note = \x1b[2J\n", 5, "control character U+001B"),
    "a mark that turns text around is refused": Fault(WEB + "note = \u202eabc\n", 5, "control character U+202E"),
    "a zero byte is refused": Fault("[client]\n\0\n", 2, "control character U+0000"),
    "a time must be a time": Fault(
        "[client]\ntimeout = soon\n", 2, "'timeout': 'soon' is not a time; write it like 30", "client", "timeout"
    ),
    "a time is not negative": Fault("[client]\ntimeout = -3\n", 2, "'-3' is not a time", "client", "timeout"),
    "a time is finite": Fault("[client]\ntimeout = inf\n", 2, "'inf' is not a time", "client", "timeout"),
    "a time of endless digits is refused": Fault(
        f"[client]\ntimeout = {'9' * 5000}\n", 2, "'9999...' is not a time", "client", "timeout"
    ),
    "a count must be a whole number": Fault(
        WEB + "max_moves_per_hour = 1.5\n", 5, "'1.5' is not a whole number", "web", "max_moves_per_hour"
    ),
    "a yes or no is nothing else": Fault(
        "[client]\nclaims = yess\n",
        2,
        "'claims': 'yess' is neither yes nor no",
        "client",
        "claims",
        "yes",
        "write 'yes' instead",
    ),
    "a choice names the nearest word": Fault(
        "[p]\ntype = ip_public\nresource = x\ndestination = b\noccupied = detatch\n",
        5,
        "'detatch' is not one of refuse, detach",
        "p",
        "occupied",
        "detach",
        "write 'detach' instead",
    ),
    "a list has no empty places": Fault(
        "[group.g]\nmembers = web,,x\n", 2, "a comma with no name beside it", "group.g", "members"
    ),
    "a list has no name twice": Fault(
        "[group.g]\nmembers = web, web\n", 2, "'web' is there twice", "group.g", "members"
    ),
    "an API is http or https": Fault("[client]\napi_url = ftp://x\n", 2, "not a URL like https", "client", "api_url"),
    "an API has a host": Fault("[client]\napi_url = https:///v1\n", 2, "not a URL like https", "client", "api_url"),
    "an API has a port that is one": Fault(
        "[client]\napi_url = https://x:99999\n", 2, "not a URL like https", "client", "api_url"
    ),
    "an API's address that is none at all is refused": Fault(
        "[client]\napi_url = https://[::1\n", 2, "not a URL like https", "client", "api_url"
    ),
    "an API's address holds no password": Fault(
        "[client]\napi_url = https://u:hunter2@x/v1\n", 2, "takes no user or password", "client", "api_url"
    ),
    "an API's address has no query": Fault(
        "[client]\napi_url = https://x/v1?a=b\n", 2, "no '?' and no '#'", "client", "api_url"
    ),
    "a token must be fit for sending": Fault(
        "[client]\napi_token = a\u20acb\n", 2, "it has characters that cannot be sent", "client", "api_token"
    ),
    "members and a source exclude each other": Fault(
        WEB.replace("destination", "source") + "members = a, b\n",
        5,
        "[web] has 'members' and also 'source'",
        "web",
        "members",
        next="keep either",
    ),
    "members and a destination exclude each other": Fault(
        "[web]\ntype = ip_floating\nresource = x\nmembers = a, b\ndestination = b\n",
        5,
        "[web] has 'members' and also 'destination'",
        "web",
        "members",
        next="keep either",
    ),
    "without members there is a destination": Fault(
        "[web]\ntype = ip_floating\nresource = x\nsource = a\n",
        1,
        "'destination' is missing in [web]",
        "web",
        "destination",
        next="write 'destination = ...' in [web]",
    ),
    "empty members are none": Fault(
        "[web]\ntype = ip_floating\nresource = x\nmembers =\n",
        1,
        "'destination' is missing",
        "web",
        "destination",
        next="write 'destination = ...'",
    ),
    "a group of nothing is refused": Fault(
        "[group.g]\nmembers =\n", 2, "'members' is missing in [group.g]", "group.g", "members", next="write 'members = "
    ),
    "a group's unknown member names the nearest section": Fault(
        WEB + "[group.g]\nmembers = wen\n", 6, "there is no assignment 'wen'", "group.g", "members", "web", "'web'"
    ),
    "a group's member is no section of another sort": Fault(
        WEB + "[tui]\n[group.g]\nmembers = tui\n", 7, "there is no assignment 'tui'", "group.g", "members"
    ),
    "a group is not a member of a group": Fault(
        WEB + "[group.a]\nmembers = web\n[group.b]\nmembers = web, group.a\n",
        8,
        "'group.a' is a group",
        "group.b",
        "members",
        next="name its assignments",
    ),
    "a kind that cannot be undone is in no group that is": Fault(
        "[p]\ntype = ip_public\nresource = x\ndestination = b\n[group.g]\nmembers = p\n",
        6,
        "'p' is ip_public, which a group cannot undo",
        "group.g",
        "members",
        next="write 'on_failure = keep' in [group.g]",
    ),
    "a group has no section's name": Fault(
        WEB + "[group.web]\nmembers = web\n",
        5,
        "the group 'web' has the name of section [web]",
        "group.web",
        next="rename [group.web]",
    ),
    "a gateway client is allowed nothing unknown": Fault(
        WEB + "[gateway.client.a]\nsecret_file = /x\nallow = wbe\n",
        7,
        "no assignment or group 'wbe'",
        "gateway.client.a",
        "allow",
        "web",
        "'web'",
    ),
    "a watch moves nothing unknown": Fault(
        "[watch]\nfrom = etcd\nendpoints = x\nassignments = web\n",
        4,
        "there is no assignment or group 'web'",
        "watch",
        "assignments",
    ),
    "a watch asks no unknown trigger": Fault(
        WEB + "[watch.x]\nfrom = etcd\nendpoints = x\nassignments = web\ndo = trigger:pipelin\n"
        "[trigger.pipeline]\ntype = tekton\nurl = https://x\nsecret_file = x",
        9,
        "'trigger:pipelin' is neither run nor the trigger of a section",
        "watch.x",
        "do",
        "trigger:pipeline",
        "'trigger:pipeline'",
    ),
    "a watch releases nothing at Hetzner": Fault(
        WEB + "[watch]\nfrom = consul\nendpoints = x\nassignments = web\non_loss = release\n",
        9,
        "'web' cannot be released",
        "watch",
        "on_loss",
        "hold",
        "'hold'",
    ),
    "the terminal UI has its keys under one prefix": Fault("[tui]\nkey. = m\n", 2, "unknown key 'key.'", "tui", "key."),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_broken_rule_is_told_with_its_place_and_the_way_out(fault: Fault, load_text: Load, ini: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_text(fault.text)
    error = caught.value
    assert fault.says in error.message
    assert (error.file, error.line, error.object, error.key) == (str(ini), fault.line, fault.section, fault.key)
    assert error.suggestion == fault.suggestion
    assert error.next is not None
    assert fault.next in error.next
    assert error.exit_code == 2
    assert str(ini) not in error.message, "the place is told by the fields"


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"[client]\nproject = \xff\n", 2),
        (b"\xff\xfe[\x00", 1),
        (b"[client]\r\n\r\nproject = \xc3", 3),
        (b"[client]\r\rproject = \xe9\n", 3),
    ],
)
def test_bytes_that_are_not_utf8_are_told_by_their_line(data: bytes, line: int, ini: Path) -> None:
    ini.write_bytes(data)
    with pytest.raises(UsageError, match="not UTF-8") as caught:
        load_file(ini)
    assert (caught.value.file, caught.value.line) == (str(ini), line)
    assert caught.value.next == f"iconv -t UTF-8 {ini}"


def test_a_file_that_is_not_there_is_told_by_its_name(ini: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the configuration: No such file") as caught:
        load_file(ini)
    assert (caught.value.file, caught.value.line) == (str(ini), None)


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Is a directory"):
        load_file(tmp_path)


def test_a_file_without_end_is_read_to_a_limit_only() -> None:
    with pytest.raises(UsageError, match="larger than"):
        load_file(Path("/dev/zero"))


def test_the_first_fault_of_the_file_is_the_one_told(load_text: Load) -> None:
    with pytest.raises(UsageError, match="'a'"):
        load_text("[web]\ntype = ip_floating\na = 1\n[client]\nb = 1\n")
