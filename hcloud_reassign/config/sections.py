"""The sections that are told by their name, and their keys; the reference is made from this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hcloud_reassign.core.declare import Key, Section

LATER = ("ip_failover", "ip_local")
"""Types of assignments that are part of the format, but of a later version."""

DEFAULT_API_URL = "https://api.hetzner.cloud/v1"

CLIENT = Section(
    "client",
    "The project and how to reach it. One file serves one project, because a token is bound to one.",
    (
        Key("project", "Its name in screens and reports; left out, the name of the file without its ending."),
        Key("api_url", "The Hetzner Cloud API.", "url", DEFAULT_API_URL),
        Key("api_token", "The token itself; better one of the next two, or HCLOUD_TOKEN.", "secret"),
        Key("api_token_file", "A file whose first line is the token.", "path"),
        Key("api_token_command", "A command that prints the token, run without a shell, for at most 30 s."),
        Key("claims", "Whether labels on the resources keep requests in order.", "yesno", True),
        Key("timeout", "Bounds a whole run; left out, 120 s, and 300 s where something slow is moved.", "seconds"),
    ),
    "[client]\nproject        = prod\napi_token_file = /etc/hcloud-reassign/token\n",
)

ROBOT = Section(
    "robot",
    "The Robot webservice of dedicated servers, needed for failover IPs only.",
    (
        Key("user", "The webservice user."),
        Key("password_file", "A file whose first line is the password.", "path"),
        Key("credentials_file", 'Instead of both: a file with user="..." and pass="...".', "path"),
        Key("url", "The webservice.", "url", "https://robot-ws.your-server.de"),
        Key("timeout", "How long one answer may take.", "seconds", 180.0),
        Key("tls_verify", "Whether the certificate of the webservice is checked.", "yesno", True),
    ),
)

TUI = Section(
    "tui",
    "The terminal UI.",
    (
        Key("theme", "The colours.", default="ansi-dark"),
        Key("ascii", "Whether only ASCII characters are drawn.", "yesno", False),
        Key("refresh", "How often it looks again.", "seconds", 5.0),
        Key("key.*", "Another key for an action: `key.move = m`."),
    ),
    "[tui]\nrefresh  = 5\nkey.move = m\n",
)

_WATCH_KEYS = (
    Key("from", "Where the leader key is.", "choice", required=True, choices=("etcd", "consul", "patroni")),
    Key("endpoints", "The URLs to ask.", "words", required=True),
    Key("key", "The leader key; for Patroni the path, `/leader` if left out."),
    Key("value", "The value that means this machine; left out, the hostname."),
    Key("assignments", "What to move: assignments and groups.", "words", required=True),
    Key("to", "This machine, or the server that the key names.", "choice", "self", choices=("self", "value")),
    Key("do", "`run`, or `trigger:NAME` for a section [trigger.NAME].", default="run"),
    Key("on_loss", "When the key is lost; `release` is for ip_local only.", "choice", choices=("hold", "release")),
    Key("grace", "How long the key must keep its value before anything is done.", "seconds", 10.0),
    Key("interval", "The pause between two looks where the source cannot be followed.", "seconds", 1.0),
    Key("user", "The user at the source."),
    Key("password_file", "A file whose first line is the user's password.", "path"),
    Key("token_file", "A file whose first line is the Consul token.", "path"),
    Key("tls_ca", "Certificates that the source's own is checked against.", "path"),
    Key("tls_cert", "The certificate to show to the source.", "path"),
    Key("tls_key", "The key of that certificate.", "path"),
)
_WATCH_EXAMPLE = (
    "[watch]\nfrom        = etcd\nendpoints   = https://10.0.0.1:2379, https://10.0.0.2:2379\n"
    "key         = /service/pgcluster/leader\nassignments = floating.web\n"
)

WATCH = Section("watch", "Follows a leader key and moves resources when it changes.", _WATCH_KEYS, _WATCH_EXAMPLE)
WATCH_NAMED = Section("watch.", "Another leader key, with the keys of [watch].", _WATCH_KEYS)

GATEWAY = Section(
    "gateway",
    "The gateway that `serve` runs.",
    (
        Key("listen", "Address and port.", default="127.0.0.1:8443"),
        Key("tls_cert", "The certificate, with its chain.", "path"),
        Key("tls_key", "The key of the certificate.", "path"),
    ),
    "[gateway]\nlisten   = 0.0.0.0:8443\ntls_cert = /etc/hcloud-reassign/gateway.pem\n"
    "tls_key  = /etc/hcloud-reassign/gateway.key\n",
)

GATEWAY_CLIENT = Section(
    "gateway.client.",
    "Who may ask the gateway, and for what.",
    (
        Key("secret_file", "A file whose first line signs this client's requests.", "path", required=True),
        Key("allow", "The assignments and groups it may ask for.", "words", required=True),
        Key("to", "The servers it may name as target; left out, none but the configured destination.", "words", ()),
    ),
    "[gateway.client.srv-a]\nsecret_file = /etc/hcloud-reassign/clients/srv-a\nallow       = floating.web\n"
    "to          = srv-a\n",
)

GROUP = Section(
    "group.",
    "Assignments that move together, all or nothing.",
    (
        Key("members", "The assignments.", "words", required=True),
        Key("on_failure", "Whether what was moved is put back.", "choice", "undo", choices=("undo", "keep")),
    ),
    "[group.web]\nmembers = floating.web, route.default\n",
)

TRIGGER = Section(
    "trigger.",
    "A pipeline to ask instead of moving anything from here. Further keys depend on the type.",
    (
        Key(
            "type",
            "What is asked; `gateway` is of a later version.",
            "choice",
            required=True,
            choices=("gitlab", "github", "jenkins", "tekton", "gateway"),
        ),
        Key("fallback", "The NAME of another section [trigger.NAME], asked when this one does not accept."),
        Key("timeout", "How long one answer may take.", "seconds", 10.0),
    ),
)

SECTIONS = (CLIENT, ROBOT, GROUP, TRIGGER, WATCH, WATCH_NAMED, GATEWAY, GATEWAY_CLIENT, TUI)
"""All of them, in the order of the reference."""

TOKEN_KEYS = ("api_token_file", "api_token_command", "api_token")
"""Where [client] may have the token; the first that is given is used."""

SECRET_PATHS = frozenset(
    {"api_token_file", "password_file", "credentials_file", "token_file", "read_token_file", "secret_file", "tls_key"}
)
"""Keys whose file holds a secret."""

_EXACT = {section.word: section for section in SECTIONS if not section.word.endswith(".")}
_PREFIXED = tuple(section for section in SECTIONS if section.word.endswith("."))


def declared(name: str) -> Section | None:
    """The declaration of a section that is told by its name; None for an assignment."""
    return _EXACT.get(name) or next((section for section in _PREFIXED if name.startswith(section.word)), None)


def defaults(keys: Iterable[Key]) -> dict[str, Any]:
    """What keys mean that are not given. Patterns and ignored keys have no value."""
    return {key.name: key.default for key in keys if not key.ignored and not key.name.endswith("*")}


def key_named(keys: Mapping[str, Key], name: str) -> Key | None:
    """The declaration of a key, which may be a pattern like `key.*`."""
    pattern = name.partition(".")[0] + ".*"
    return keys.get(name) or (keys.get(pattern) if len(name) >= len(pattern) else None)
