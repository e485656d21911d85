"""One Hetzner project as a configuration file describes it: wires configuration, kinds and engine together."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hcloud_reassign import declared, kinds, triggers
from hcloud_reassign.chain import Selection
from hcloud_reassign.config.load import open_to_all
from hcloud_reassign.config.locate import locate
from hcloud_reassign.config.options import api_url, timeout
from hcloud_reassign.config.secrets import Secret, api_token, secret_in
from hcloud_reassign.config.sections import CLIENT, defaults
from hcloud_reassign.config.settings import Exposed, Settings
from hcloud_reassign.core.errors import Missing, ReassignError, UsageError
from hcloud_reassign.core.kind import Kind
from hcloud_reassign.core.model import Assignment, Group, Request
from hcloud_reassign.equipment import Equipment, real_equipment, signals

if TYPE_CHECKING:
    from hcloud_reassign.chain import Chain
    from hcloud_reassign.chain import Report as Report
    from hcloud_reassign.engine.checking import Finding as Finding
    from hcloud_reassign.engine.choices import Choice as Choice
    from hcloud_reassign.engine.events import Event as Event
    from hcloud_reassign.engine.holding import Held as Held
    from hcloud_reassign.engine.inventory import Draft as Draft
    from hcloud_reassign.engine.journal import Journal
    from hcloud_reassign.engine.past import Past as Past
    from hcloud_reassign.engine.session import Session
    from hcloud_reassign.engine.standing import Standing as Standing
    from hcloud_reassign.engine.status import Looking as Looking
    from hcloud_reassign.engine.status import Status as Status

Listener = Callable[["Event"], None]
"""Gets every event of a run as it happens."""

LOOK_S = 20.0
"""How long a look at the API may take that changes nothing, unless --timeout says otherwise."""


@dataclass(frozen=True)
class Overrides:
    """What the command line says in place of the environment and the file. `token_file` "-" is standard input."""

    token: str | None = None
    token_file: str | None = None
    api_url: str | None = None
    timeout_s: float | None = None
    by: str | None = None


def open_project(
    file: str | os.PathLike[str] | None = None,
    overrides: Overrides | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    stdin: IO[str] | None = None,
    several_files: bool = False,
    equipment: Equipment | None = None,
) -> Project:
    """Read and check a configuration file; nothing is asked of any API.

    Args:
        file: the configuration; None looks in the usual places.

    Raises:
        UsageError: there is no file, or something in it is wrong: file, line and key are in the error.
    """
    environ = os.environ if environ is None else environ
    found = locate(None if file is None else os.fspath(file), environ=environ)
    settings = declared.settings(found.path)
    return Project(settings, overrides or Overrides(), environ, stdin, several_files, equipment, found.warnings)


def bare_project(
    file: str | os.PathLike[str],
    overrides: Overrides | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    stdin: IO[str] | None = None,
    equipment: Equipment | None = None,
) -> Project:
    """A project that no file describes yet: a token is all it needs. `file` gives it its name and is not read."""
    name = os.fspath(file)
    client = {**defaults(CLIENT.keys), "project": Path(name).stem}
    settings = Settings(file=name, project=client["project"], client=client)
    environ = os.environ if environ is None else environ
    return Project(settings, overrides or Overrides(), environ, stdin, False, equipment, ())


def check_keepalived(file: str) -> tuple[Finding, ...]:
    """What keepalived would silently not do with this configuration on this host. Needs no project."""
    from hcloud_reassign.engine.keepalived import findings

    return tuple(findings(file))


def find_file(environ: Mapping[str, str]) -> str | None:
    """The configuration file that is used when none is named; None when there is none."""
    try:
        return os.fspath(locate(None, environ=environ).path)
    except UsageError:
        return None


class Project:
    """A configuration file opened. Every method that asks the API makes a session of its own."""

    def __init__(
        self,
        settings: Settings,
        overrides: Overrides,
        environ: Mapping[str, str],
        stdin: IO[str] | None,
        several_files: bool,
        equipment: Equipment | None,
        warnings: tuple[str, ...],
    ) -> None:
        self.settings, self._overrides, self._environ = settings, overrides, environ
        self._stdin, self._several, self._equipment = stdin or sys.stdin, several_files, equipment
        url = api_url(settings, flag=overrides.api_url, environ=environ, several_files=several_files)
        self.name, self.file, self.api_url = settings.project, settings.file, url.url
        self.warnings = (*warnings, *settings.warnings, *((url.warning,) if url.warning else ()))
        self._token: Secret | None = None
        self._secrets: list[Secret] = []
        self._border: Any = None

    def names(self) -> tuple[str, ...]:
        """Every section and group that a command can name."""
        groups = [f"group.{group.name}" for group in self.settings.groups]
        return (*(assignment.name for assignment in self.settings.assignments), *groups)

    def invocation(self, command: str) -> str:
        """How a command line of ours begins that does something to this project. Never with a token."""
        import shlex

        given = self._overrides
        words = ["hcloud-reassign", command, "-c", self.file]
        for flag, value in (("--token-file", given.token_file), ("--api-url", given.api_url)):
            if value is not None:
                words += [flag, value]
        return shlex.join(words)

    def token(self) -> Secret:
        """The API token; asked for once. Raises AccessError when there is none."""
        if self._token is None:
            self._token, _ = api_token(
                self.settings,
                flag=self._overrides.token,
                flag_file=self._overrides.token_file,
                environ=self._environ,
                stdin=self._stdin,
                several_files=self._several,
            )
        return self._token

    def known_secrets(self) -> tuple[str, ...]:
        """What must not be shown, as far as it was needed yet."""
        return tuple(secret.reveal() for secret in (self._token, *self._secrets) if secret)

    def secret(self, section: str, key: str) -> str | None:
        """What the file has that a key of a section names; None when it names none. Raises AccessError, UsageError."""
        found = secret_in(self.settings, section, key)
        if found is None:
            return None
        self._secrets.append(found)
        return found.reveal()

    def select(self, names: Sequence[str] = ()) -> Selection:
        """The assignments that names mean, each once; no name means all.

        Raises:
            Missing: a name is neither a section nor a group; with the nearest one.
        """
        chosen: dict[str, Assignment] = {}
        groups: dict[str, Group] = {}
        for name in names or self.names():
            found = self.settings.find(name)
            if found is None:
                known = self.names()
                raise Missing("section or group", name, known, file=self.file, next=f"names: {', '.join(known)}")
            if isinstance(found, Group):
                groups[found.name] = found
                members = [self.settings.find(member) for member in found.members]
                chosen.update({member.name: member for member in members if isinstance(member, Assignment)})
            else:
                chosen[found.name] = found
        if not chosen:
            raise UsageError("the file has no assignment", file=self.file, next="hcloud-reassign init")
        return Selection(self._with_kinds(chosen.values()), tuple(groups.values()), tuple(names))

    def _with_kinds(self, assignments: Iterable[Assignment]) -> tuple[tuple[Kind, Assignment], ...]:
        return tuple((kinds.kind(assignment.type), assignment) for assignment in assignments)

    def run(self, names: Sequence[str], request: Request, *, on_event: Listener | None = None) -> Report:
        """Observe, plan, check, apply, verify. SIGTERM and SIGINT end it in order when this is the main thread.

        Raises:
            ReassignError: nothing was begun. What happens later is in the report.
        """
        return self._go(names, request, on_event, apply=True)

    def plan(self, names: Sequence[str], request: Request, *, on_event: Listener | None = None) -> Report:
        """Observe, plan, check; change nothing. Raises like `run`."""
        return self._go(names, request, on_event, apply=False)

    def _go(self, names: Sequence[str], request: Request, on_event: Listener | None, apply: bool) -> Report:
        from hcloud_reassign.core.planning import check_request

        selection = self.select(names)
        left_out = self._left_out(selection, check_request(selection.assignments, request, self._spelt_out(names)))
        selection = selection.without(left_out)
        with self.session(selection, on_event=on_event) as session:
            for name in left_out:
                session.warn(f"{name} is left out: nothing says where it shall go; name it and give --to")
            return self.chain(session, selection, request).report(apply=apply)

    def selection(self, assignments: Iterable[Assignment], groups: Sequence[Group] = ()) -> Selection:
        """Assignments that no name of the file needs to stand for; those of the file are taken as they are."""
        chosen = self._with_kinds(assignments)
        return Selection(chosen, tuple(groups), tuple(assignment.name for _, assignment in chosen))

    def carry(
        self,
        selection: Selection,
        request: Request,
        *,
        apply: bool,
        on_event: Listener | None = None,
        on_start: Callable[[Callable[[], None]], None] | None = None,
    ) -> Report:
        """`run` or `plan` for a front end. `on_start` gets what asks it to stop, to be called from any thread.

        Raises:
            ReassignError: nothing was begun. What happens later is in the report.
        """
        with self.session(selection, on_event=on_event) as session:
            if on_start:
                on_start(session.scheduler.interrupt)
            return self.chain(session, selection, request).report(apply=apply)

    def choices(self, selection: Selection, request: Request) -> tuple[Choice, ...]:
        """Which servers could get all of it, and why others cannot. Raises AccessError, FailedError."""
        from hcloud_reassign.engine.choices import choices

        session = self._session(None, None)
        session.limit(self._look_s())
        return choices(session, selection.chosen, selection.groups, request)

    def history(self) -> tuple[Mapping[str, Any], ...]:
        """What this machine's journal knows about the project, oldest first, as plain data."""
        return tuple(self._journal(lambda message: None).entries())

    def actions(self, objects: Sequence[Any]) -> tuple[Past, ...]:
        """The API's own newest actions of vendor objects, a request for each. Raises AccessError."""
        from hcloud_reassign.engine.past import pasts

        session = self._session(None, None)
        session.limit(self._look_s())
        return pasts(session, objects)

    def _spelt_out(self, names: Sequence[str]) -> set[str]:
        """The names, and the members of the groups among them."""
        groups = [group for group in self.settings.groups if f"group.{group.name}" in names or group.name in names]
        return {*names, *(member for group in groups for member in group.members)}

    def _left_out(self, selection: Selection, left_out: Sequence[str]) -> tuple[str, ...]:
        """All of a group stays where one of its members is left out."""
        torn = [group.members for group in selection.groups if set(group.members) & set(left_out)]
        return tuple(dict.fromkeys([*left_out, *(member for members in torn for member in members)]))

    def chain(self, session: Session, selection: Selection, request: Request) -> Chain:
        """The verb chain on a session, with what the file says about every request."""
        from hcloud_reassign.chain import Chain

        claims = request.claims and bool(self.settings.client.get("claims", True))
        return Chain(self.name, self.api_url, session, selection, replace(request, claims=claims))

    @contextmanager
    def session(self, selection: Selection | None = None, *, on_event: Listener | None = None) -> Iterator[Session]:
        """A session on this project's API, with its deadline running; interrupted in order by SIGTERM and SIGINT."""
        session = self._session(selection, on_event)
        for warning in self.warnings:
            session.warn(warning)
        with signals(session.scheduler.interrupt):
            yield session

    def _session(self, selection: Selection | None, on_event: Listener | None) -> Session:
        token = self.token()
        equipment = self._equipment or real_equipment()
        # One for all sessions: it knows the API's clock, without which a request's age cannot be told.
        self._border = self._border or equipment.border(token.reveal(), self.api_url)
        border = self._border
        # Imported while the border's client is being imported by a worker: the first reads wait for nothing else.
        from hcloud_reassign.engine.events import Events
        from hcloud_reassign.engine.session import Session

        journal = self._journal(lambda message: session.warn(message))
        listeners = (journal.write, *((on_event,) if on_event else ()))
        run_id = f"{int(equipment.clock.wall() * 1000):x}-{os.getpid():x}"
        session = Session(
            border,
            equipment.workers(),
            equipment.clock,
            equipment.rng,
            Events(run_id, equipment.clock.wall, listeners),
            timeout_s=self._timeout_s(selection),
            api_ms=border.now_ms,
        )
        session.border = border
        session.journal = journal
        return session

    def _journal(self, warn: Callable[[str], None]) -> Journal:
        from hcloud_reassign.engine.journal import Journal
        from hcloud_reassign.engine.state import state_directory, who

        directory, by = state_directory(self._environ), who(self._environ, self._overrides.by)
        return Journal(directory, project=self.name, who=by, warn=warn, secrets=self.known_secrets)

    def journal_path(self) -> Path:
        """Where this machine's journal is."""
        return self._journal(lambda message: None).path

    @property
    def budget(self) -> int | None:
        """How many requests the API still allows, as it said last; None before it was asked."""
        remaining: int | None = self._border.rate_limit_remaining if self._border else None
        return remaining

    @property
    def requests(self) -> int:
        """How many requests were sent to the API so far."""
        sent: int = self._border.requests if self._border else 0
        return sent

    def _timeout_s(self, selection: Selection | None) -> float:
        chosen = selection.chosen if selection else ()
        return self.timeout_s(max((kind.default_timeout_s for kind, _ in chosen), default=120.0))

    def timeout_s(self, default: float) -> float:
        """What bounds the whole of a command: option, environment, file, default."""
        given = timeout(self.settings, flag=self._overrides.timeout_s, environ=self._environ).seconds
        return default if given is None else given

    def resolve_self(self) -> str:
        """What `--to self` means: this server's id by Hetzner's metadata service, else its name by the hostname."""
        from hcloud_reassign.engine.borders import this_server

        here = this_server()
        return str(here) if here is not None else self.own_name()

    def own_name(self) -> str:
        """This server's name by the hostname: as the file lists it, else the first label."""
        from hcloud_reassign.engine.borders import host_names

        names = host_names()
        listed = {name for assignment in self.settings.assignments for name in assignment.listed}
        return next((name for name in names if name in listed), names[-1])

    def status(
        self, names: Sequence[str] = (), *, everything: bool = False, on_event: Listener | None = None
    ) -> Status:
        """Who holds what. Raises AccessError, FailedError; what alone cannot be read is in the answer."""
        return self.looking(names, everything=everything, on_event=on_event)()

    def looking(
        self, names: Sequence[str] = (), *, everything: bool = False, on_event: Listener | None = None
    ) -> Looking:
        """Something to call whenever the status shall be known anew; it keeps its connections."""
        from hcloud_reassign.engine.status import Looking

        bare = everything and not names and not self.settings.assignments
        chosen = () if bare else self.select(names).chosen
        to_list = self.inventory_kinds() if everything else ()
        return Looking(self._session(None, on_event), chosen, to_list, self.name, self.warnings, self._look_s())

    def _look_s(self) -> float:
        given = timeout(None, flag=self._overrides.timeout_s, environ=self._environ).seconds
        return LOOK_S if given is None else given

    def hold(self, name: str, for_s: float | None, *, on_event: Listener | None = None) -> tuple[Held, ...]:
        """Keep triggered requests away from a section, or all of a group, for some seconds; None ends that.

        Raises:
            Missing: no such name. UsageError: the file says `claims = no`. AccessError, FailedError.
        """
        return self.hold_all(self.select([name]), for_s, on_event=on_event)

    def hold_all(
        self,
        selection: Selection,
        for_s: float | None,
        *,
        on_event: Listener | None = None,
        on_start: Callable[[Callable[[], None]], None] | None = None,
    ) -> tuple[Held, ...]:
        """`hold` for a front end, with `on_start` as `carry` has it. Raises UsageError, AccessError, FailedError."""
        from hcloud_reassign.engine.holding import hold

        if not self.settings.client.get("claims", True):
            raise UsageError("claims = no switches holds off", object="client", file=self.file, key="claims")
        with self.session(selection, on_event=on_event) as session:
            if on_start:
                on_start(session.scheduler.interrupt)
            return hold(session, selection.chosen, for_s)

    def check(
        self, *, offline: bool = False, probe_write: bool = False, on_event: Listener | None = None
    ) -> tuple[Finding, ...]:
        """What is unsound or worth knowing about the configuration, by itself and, unless offline, at the API."""
        from hcloud_reassign.engine import checking

        exposed = [
            checking.Finding("warning", "exposed", item.message, item.section, item.key, item.fix)
            for item in self._exposed()
        ]
        findings = [*checking.in_the_file(self.settings.assignments, self.warnings, exposed), *self._unreadable()]
        if self.settings.triggers:
            # A host that only asks has nothing to move in its file.
            findings = [finding for finding in findings if finding.code != "empty"]
        if offline:
            return tuple(findings)
        chosen = self._with_kinds(self.settings.assignments)
        try:
            session = self._session(None, on_event)
            session.limit(self._look_s())
            findings += checking.at_the_api(session, chosen, findings)
            findings.append(checking.probed(session, chosen) if probe_write else checking.UNKNOWN_RIGHTS)
        except ReassignError as error:
            findings.append(checking.of_error(error))
        return tuple(findings)

    def _unreadable(self) -> Iterator[Finding]:
        """Secrets of triggers that cannot be read."""
        from hcloud_reassign.engine.checking import of_trigger

        for name, section in self.settings.triggers.items():
            for key in triggers.trigger(section["type"]).secret_keys:
                try:
                    self.secret(f"trigger.{name}", key)
                except ReassignError as error:
                    yield of_trigger(error)

    def _exposed(self) -> tuple[Exposed, ...]:
        given = self._overrides.token_file
        beside = (Exposed(given, None, "--token-file"),) if given not in (None, "-") and open_to_all(given) else ()
        return (*self.settings.exposed, *beside)

    def inventory(self, *, on_event: Listener | None = None) -> tuple[Draft, ...]:
        """A section for everything in the project. Raises AccessError, FailedError."""
        from hcloud_reassign.engine.inventory import drafts
        from hcloud_reassign.engine.looking import look

        session = self._session(None, on_event)
        session.limit(self._look_s())
        every_kind = self.inventory_kinds()
        return drafts(look(session, [(kind, Assignment("", kind.word)) for kind in every_kind]), every_kind)

    def inventory_kinds(self) -> tuple[Kind, ...]:
        """All kinds of this version."""
        return tuple(kinds.kind(word) for word in kinds.WORDS)
