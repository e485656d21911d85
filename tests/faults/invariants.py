"""What must be so whatever goes wrong: one function each, which yields how it was broken.

Where something honestly cannot be promised (docs/semantics.md states the limits), the function says so and counts it
in `Played.exceptions`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from hcloud_reassign.core.model import Holder
from hcloud_reassign.core.report import Result
from tests.faults.play import Foreign, Logged, Played, Ran
from tests.faults.things import (
    ALIAS,
    DEFAULT,
    GATEWAYS,
    LABELS,
    LISTED,
    NAMES,
    NEIGHBOURS,
    OTHER_ROUTE,
    SERVERS,
    THINGS,
    Thing,
)

Broken = Iterator[str]
OURS = "hcloud-reassign/"
INTENTION = OURS + "intention"
GRACE_S = 2.0
ONE_SECOND_MS = 1000
FINISH_S = 8.0
_BY_GATEWAY = {gateway: id for id, gateway in GATEWAYS.items()}


@dataclass(frozen=True)
class Breach:
    invariant: str
    detail: str


def breaches(played: Played) -> list[Breach]:
    return [Breach(name, detail) for name, check in INVARIANTS.items() for detail in check(played)]


def server_of(holder: Holder | None) -> int | None:
    """The server behind a holder; a gateway of no server that exists is told by its address."""
    if holder is None:
        return None
    return _BY_GATEWAY.get(holder.address or "") if holder.type == "gateway" else holder.id


def _each(runs: Iterable[Ran]) -> Iterator[tuple[Ran, Thing, Result]]:
    for run in runs:
        for type, result in run.results.items():
            yield run, THINGS[type], result


def _moved_unseen(played: Played, run: Ran, thing: Thing, read_before: int, before: int) -> bool:
    """Whether somebody else moved it after the run last read who has it."""
    shown = played.last_shown(run, thing, read_before)
    since = -1 if shown is None or _gave_up(run) else shown.place
    return any(
        change.what == "moved" and change.type == thing.type and since < change.place <= before
        for change in played.foreign
        if change.place >= run.first
    )


def _foreign_in(played: Played, run: Ran, thing: Thing) -> list[Foreign]:
    return [
        change
        for change in played.foreign
        if change.what == "moved" and change.type == thing.type and run.first <= change.place <= run.last
    ]


def _ended_later(played: Played, run: Ran) -> bool:
    """Whether an earlier run left something to happen while this one went on."""
    return run.inherits or _arrived_late(played, run)


def _arrived_late(played: Played, run: Ran) -> bool:
    return any(trouble.what == "arrives-late" and place < run.first for place, trouble in played.fired)


def _gave_up(run: Ran) -> bool:
    """Whether it was told to stop before it had begun: what is being read then is not waited for."""
    return any("interrupted before" in (result.message or "") for result in run.results.values())


# 1


def what_is_reported_is_there(played: Played) -> Broken:
    """The holder in the report is the holder in the project, when the run ends and when nothing is under way any more.

    Not seen is: what somebody else moved after the run read it for the last time. Not foreseen is: what an earlier run
    (killed, or itself unknown) left under way, and a request that reaches Hetzner after the run has given it up.
    """
    for run, thing, result in _each([*played.runs, *played.mending]):
        if result.outcome == "unknown" or result.move.found is None:
            continue
        said, there = server_of(result.after), run.holders[thing.type]
        if result.outcome in ("done", "unchanged") and said != server_of(result.move.wanted):
            yield f"run {run.number}: {thing.name} is {result.outcome}, but with {said}"
        if said != there:
            if _moved_unseen(played, run, thing, played.concluded(run, result), run.last):
                played.excuse("somebody else moved it after it was last read")
            elif result.outcome != "done" and _ended_later(played, run):
                played.excuse("what an earlier run had begun ended after this one had looked")
            else:
                yield f"run {run.number}: {thing.name} is {result.outcome} with {said}, but {there} has it"
    yield from _settled(played)


def _settled(played: Played) -> Broken:
    last = played.mending[-1] if played.mending else played.runs[-1]
    for run, thing, result in _each([last]):
        said, there = server_of(result.after), played.settled[thing.type]
        if result.outcome == "unknown" or result.move.found is None or said == there:
            continue
        if run.holders[thing.type] != said:
            continue
        if any(trouble.what == "arrives-late" for _, trouble in played.fired):
            played.excuse("a request arrived after the run had given it up")
        elif run.inherits:
            played.excuse("what an earlier run had begun ended after this one had looked")
        elif said in played.vanished:
            played.excuse("an address went on naming a server that was deleted")
        else:
            yield f"{thing.name} was {result.outcome} with {said}, and later {there} has it"


# 2


def nothing_is_left_with_nobody(played: Played) -> Broken:
    """What somebody had is with the old or the new holder, or it is said to be unknown, with a way to mend it."""
    before = dict(played.runs[0].holders_before)
    for run in played.runs:
        if run.report is None:
            continue
        for type, result in run.results.items():
            thing, there = THINGS[type], run.holders[type]
            foreign = _foreign_in(played, run, thing)
            known = {before[type], server_of(result.move.wanted), *(change.to for change in foreign)}
            known |= {change.to for change in played.foreign if change.type == type}
            for other in played.runs[: run.number]:
                known |= {server_of(item.move.wanted) for kind, item in other.results.items() if kind == type}
                known |= {_target(played, other)}
            if there in known - {None} or (there is None and None in {before[type], *(c.to for c in foreign)}):
                continue
            if result.outcome == "unknown":
                if int(run.report.code) != 5 or not result.next or int(result.code) != 5:
                    yield f"run {run.number}: {thing.name} is unknown with exit {run.report.code}, next {result.next}"
            elif there is None and result.outcome == "refused" and INTENTION in run.labels.get(type, {}):
                played.excuse("a run was refused while another one's intention stood")
            elif there is None and _moved_unseen(played, run, thing, played.concluded(run, result), run.last):
                played.excuse("somebody else moved it after it was last read")
            elif thing.public and before[type] is None and there == SERVERS["srv-a"]:
                played.excuse("a primary IP that nobody had was given to the section's other server")
            elif there is None and result.outcome == "refused" and _ended_later(played, run):
                played.excuse("what an earlier run had begun ended after this one had looked")
            elif run.number > 1 and result.move.before is None:
                played.excuse("an earlier run had left it with nobody, and it is said that nobody has it")
            else:
                yield f"run {run.number}: {thing.name} is {result.outcome}, and {there} has it"


def _target(played: Played, run: Ran) -> int | None:
    scene = played.schedule.scene
    if run.call.to:
        return SERVERS[run.call.to]
    return SERVERS["srv-a" if run.call.direction == "src" and scene.form == "pair" else "srv-b"]


# 3


def the_advice_mends_it(played: Played) -> Broken:
    """The command that an unknown end prints brings it where it says, with servers running as before."""
    for result in played.runs[-1].results.values():
        if result.outcome == "unknown" and result.vendor_command is not None:
            yield from _malformed(result.vendor_command)
    for run in played.mending:
        named = run.request.to or ""
        to = SERVERS.get(named) or _BY_GATEWAY[named]
        if run.leads_on:
            played.excuse(run.leads_on)
            continue
        for type, result in run.results.items():
            if to in played.vanished:
                played.excuse("the server that the advice names was deleted")
            elif result.guard == "late" and _dated_ahead(played, run):
                played.excuse("a request dated up to 30 s ahead is newer than what is typed in these seconds")
            elif result.guard == "cooldown" and any(change.what == "claim" for change in played.foreign):
                played.excuse("the advice has to wait for the cooldown after a newer request")
            elif int(result.code) != 0 and _moved_after_the_advice(played, THINGS[type]):
                played.excuse("somebody else moved it after the advice was made")
            elif int(result.code) != 0 and _arrived_late(played, run):
                played.excuse("a request of an earlier run arrived while its advice was followed")
            elif int(result.code) != 0:
                yield f"{run.mends}: {result.outcome}, {result.guard}: {result.message}"
            elif run.holders[type] != to:
                yield f"{run.mends}: {run.holders[type]} has it"
        if run.report is None or run.report.error:
            yield f"{run.mends}: {run.refused_at_once or (run.report and run.report.error) or run.raised!r}"


def _moved_after_the_advice(played: Played, thing: Thing) -> bool:
    return _moved_unseen(played, played.runs[-1], thing, played.runs[-1].last, played.runs[-1].last)


def _dated_ahead(played: Played, run: Ran) -> bool:
    return any((other.request.issued_at_ms or 0) > _started_ms(run) for other in played.runs)


def _malformed(command: str) -> Broken:
    try:
        words = shlex.split(command)
    except ValueError as error:
        yield f"{command!r}: {error}"
        return
    parts = re.split(r"\s&&\s", command)
    if any(not re.match(r"(hcloud [a-z-]+ [a-z-]+ |until \[)", part) for part in parts) or "None" in words:
        yield f"{command!r} is no call of hcloud"


# 4


def everything_else_is_left_alone(played: Played) -> Broken:
    """Other aliases, routes, labels and claims stay.

    A label or alias IP that somebody else wrote after the run last read the object, and before the run wrote it, is
    overwritten: Hetzner replaces both whole, and compares nothing.
    """
    lost = set[str]()
    for item in played.log:
        for word, detail in _overwritten(item):
            lost.add(word)
            if _written_unseen(played, item, word):
                played.excuse("somebody else's change within one round trip was overwritten")
            else:
                yield f"request {item.place} ({item.method} {item.path}) {detail}"
    gone = sorted(_expected(played) - played.neighbours - lost)
    if gone and any(trouble.what == "arrives-late" for _, trouble in played.fired):
        played.excuse("a write that arrived late overwrote somebody else's change")
        return
    yield from (f"{word} is gone" for word in gone)


def _overwritten(item: Logged) -> Iterator[tuple[str, str]]:
    if item.method == "PUT":
        type = next((type for type in item.labels if item.path == f"/v1/{THINGS[type].table}/{THINGS[type].id}"), None)
        if type is None:
            return
        thing, body = THINGS[type], item.data["labels"]
        mine = {INTENTION, *(THINGS[other].claim for other in item.labels)}
        for key, value in item.labels[type].items():
            if key not in mine and body.get(key) != value:
                yield f"{thing.table} {thing.id} {key}", f"drops the label {key}"
    elif item.path.endswith("/change_alias_ips"):
        server = int(item.path.split("/")[3])
        for address in set(item.aliases.get(server, ())) - set(item.data["alias_ips"]) - {ALIAS}:
            yield f"alias {address}", f"drops the alias IP {address}"


def _written_unseen(played: Played, item: Logged, word: str) -> bool:
    wrote = [change for change in played.foreign if change.what == "wrote" and change.detail == word]
    if not wrote:
        return False
    table = "servers" if word.startswith("alias") else item.path.split("/")[2]
    paths = (f"/v1/{table}", f"/v1/{table}/{item.path.split('/')[3]}")
    first = played.runs[0].first
    run = next((run for run in (*played.runs, *played.mending) if run.number == item.run), None)
    reads = [
        read.place for read in played.log[run.first if run else first : item.place] if read.shows and read.path in paths
    ]
    return not reads or max(reads) < wrote[-1].place


def _expected(played: Played) -> set[str]:
    gone = {NAMES[server] for server in played.vanished}
    labels = {f"{thing.table} {thing.id} {key}" for thing in THINGS.values() for key in LABELS}
    aliases = {f"alias {ip}" for server, ips in NEIGHBOURS.items() if server not in gone for ip in ips}
    foreign = {
        change.detail
        for change in played.foreign
        if change.what == "wrote" and (change.to is None or change.to not in played.vanished)
    }
    floating = set() if "srv-a" in gone else {f"floating other {SERVERS['srv-a']}"}
    return labels | aliases | {f"route {OTHER_ROUTE[0]} {OTHER_ROUTE[1]}"} | floating | foreign


# 5


def nothing_is_taken_from_a_third_party(played: Played) -> Broken:
    """No write takes a thing from a server that no section lists, after the run has seen it there.

    When it was moved there after the run had read it for the last time, the write that is under way takes it.
    """
    listed = {SERVERS[name] for name in LISTED[played.schedule.scene.form]}
    for run in (*played.runs, *played.mending):
        for item in played.of(run):
            for type in item.holders:
                loser = _loser(item, THINGS[type])
                if loser is None or loser in listed or run.request.force:
                    continue
                shown = played.last_shown(run, THINGS[type], item.place)
                if shown is not None and shown.holders[type] == loser:
                    yield f"request {item.place} ({item.path}) takes {THINGS[type].name} from {loser}, who was seen"
                else:
                    played.excuse("a third party lost what it got within one round trip")


def _loser(item: Logged, thing: Thing) -> int | None:
    """Who loses the thing by a request, if it takes effect."""
    has_it = item.holders[thing.type]
    if item.method != "POST" or has_it is None:
        return None
    verb, path = item.path.rpartition("/")[2], item.path
    if thing.type == "route":
        data = item.data if verb == "delete_route" and path.startswith(f"/v1/networks/{thing.id}/") else {}
        return _BY_GATEWAY.get(data.get("gateway", "")) if data.get("destination") == DEFAULT else None
    if thing.type == "ip_alias":
        takes = path == f"/v1/servers/{has_it}/actions/change_alias_ips" and ALIAS not in item.data["alias_ips"]
        return has_it if takes else None
    if not path.startswith(f"/v1/{thing.table}/{thing.id}/"):
        return None
    if verb == "unassign" or (thing.type == "ip_floating" and verb == "assign" and item.data["server"] != has_it):
        return has_it
    return None


# 6


def the_newest_request_wins(played: Played) -> Broken:
    """A request that is older than one already carried out, or already claimed, does not move the thing elsewhere.

    A claim that the run could not write does not bind others (it warns); one that came after the run's last reading
    is not seen by it; and a primary IP whose servers are already starting again is not handed over: the newer run does.
    A typed request is dated by the API's clock, which tells whole seconds: within one the order is open.
    """
    for run, thing, result in _each(played.runs):
        wanted = server_of(result.move.wanted)
        if result.outcome != "done" or wanted is None:
            continue
        for ms, to, place in _newer(played, run, thing):
            if to == wanted:
                continue
            over = played.concluded(run, result)
            shown = [
                item for item in played.log[max(place, run.first) : over] if item.shows and _labels_in(item, thing)
            ]
            if not shown or not any(str(ms) in item.labels[thing.type].get(thing.claim, "") for item in shown):
                played.excuse("a newer claim came after the last reading, or was overwritten within one round trip")
            elif thing.public:
                played.excuse("a newer claim came while the servers of a primary IP were started again")
            else:
                yield f"run {run.number}: {thing.name} is done to {wanted}, although a newer request wants it at {to}"


def _newer(played: Played, run: Ran, thing: Thing) -> Iterator[tuple[int, int | None, int]]:
    """Requests newer than a run's own that were known by its end: effective time, target, and since which request."""
    own = run.request.issued_at_ms or _started_ms(run) + ONE_SECOND_MS
    for change in played.foreign:
        if change.what == "claim" and change.type == thing.type and change.ms > own and change.place < run.last:
            yield change.ms, change.to, max(change.place, run.first)
    for other in played.runs[: run.number - 1]:
        result = other.results.get(thing.type)
        if result is None or int(result.code) != 0 or other.request.issued_at_ms is None:
            continue
        unclaimed = other.report is not None and any("claim" in warning for warning in other.report.warnings)
        if other.request.issued_at_ms > own and not unclaimed:
            yield other.request.issued_at_ms, server_of(result.move.wanted), run.first


def _started_ms(run: Ran) -> int:
    from tests.harness import START

    return round((START + run.start) * 1000)


def _labels_in(item: Logged, thing: Thing) -> bool:
    return item.path in (f"/v1/{thing.table}", f"/v1/{thing.table}/{thing.id}") and thing.type in item.labels


# 7


def power_is_as_promised(played: Played) -> Broken:
    """No server is stopped without consent, and what ran runs again, unless the end is unknown and says so."""
    options, ran_at_first = played.schedule.scene.options, played.runs[0].statuses_before
    for run in (*played.runs, *played.mending):
        hard = options.get("hard_poweroff") == "yes" or run.request.hard_poweroff
        for item in played.of(run):
            verb = item.path.rpartition("/")[2] if item.method == "POST" else ""
            if verb in ("shutdown", "poweroff") and not run.request.allow_poweroff:
                yield f"run {run.number}: {item.path} without consent"
            if verb == "poweroff" and not hard:
                yield f"run {run.number}: {item.path} without consent to pulling the plug"
        if run.report is None or not any(THINGS[type].public for type in run.holders):
            continue
        yield from _not_running(played, run, {id for id, status in ran_at_first.items() if status == "running"})


def _not_running(played: Played, run: Ran, ran: set[int]) -> Broken:
    public = [result for type, result in run.results.items() if THINGS[type].public]
    off = [id for id in sorted(ran & run.statuses.keys()) if run.statuses[id] not in ("running", "starting")]
    if not off:
        return
    marked = any(INTENTION in labels for labels in run.labels.values())
    if any(result.outcome == "unknown" for result in public):
        if not all(result.message and result.next for result in public if result.outcome == "unknown"):
            yield f"run {run.number}: {off} stay off, and nothing is said of it"
    elif played.schedule.scene.options.get("leave_off") == "yes":
        played.excuse("leave_off leaves a server off that has no interface left")
    elif run.report is not None and run.report.error is not None:
        played.excuse("a run that could not begin left servers as an earlier one had")
    elif marked and not any(_moves_public(item) and item.lands for item in played.of(run)):
        played.excuse("a run was refused while another one's intention stood")
    elif played.schedule.scene.shutdown_s > float(played.schedule.scene.options.get("shutdown_timeout", 30)):
        played.excuse("a server obeyed a shutdown after shutdown_timeout, when the move had been called off")
    elif any(trouble.what == "arrives-late" for _, trouble in played.fired):
        played.excuse("a shutdown arrived after the run had given it up")
    else:
        yield f"run {run.number}: {off} are off, and the outcomes are {[result.outcome for result in public]}"


def _moves_public(item: Logged) -> bool:
    power = item.path.rpartition("/")[2] in ("shutdown", "poweroff", "poweron")
    return item.method == "POST" and (power or item.path.startswith("/v1/primary_ips/"))


# 8, 9, 10, 11


def the_deadline_is_kept(played: Played) -> Broken:
    """A run ends within its time and two seconds; one that was told to stop within eight and two."""
    public = any(type.startswith("ip_public") for type in played.schedule.scene.types)
    for run in (*played.runs, *played.mending):
        limit = run.call.timeout_s or (300.0 if public else 120.0)
        if run.end > run.start + limit + GRACE_S:
            yield f"run {run.number} took {run.end - run.start:.1f} s of {limit:.0f} s"
        if run.interrupted_at is not None and run.end > run.interrupted_at + FINISH_S + GRACE_S:
            yield f"run {run.number} went on for {run.end - run.interrupted_at:.1f} s after it was told to stop"


def nothing_is_sent_after_the_end(played: Played) -> Broken:
    """When the report is there, no request follows."""
    for run in (*played.runs, *played.mending):
        if run.finished_at is not None and run.last > run.finished_at:
            yield f"run {run.number}: {run.last - run.finished_at} requests after its end"


REQUESTS, REQUESTS_PER_MOVE, REQUESTS_PER_S = 20, 60, 4


def requests_are_bounded(played: Played) -> Broken:
    """So many for a run, for each move and for each second of waiting."""
    for run in (*played.runs, *played.mending):
        most = REQUESTS + REQUESTS_PER_MOVE * len(run.holders) + REQUESTS_PER_S * (run.end - run.start)
        if run.last - run.first > most:
            yield f"run {run.number}: {run.last - run.first} requests in {run.end - run.start:.1f} s"


def nothing_breaks_inside(played: Played) -> Broken:
    """No exception leaves the program, and no outcome is an internal error; every refusal is one before any write."""
    for run in (*played.runs, *played.mending):
        if run.raised is not None:
            yield f"run {run.number}: {run.raised!r}"
        if run.refused_at_once is not None:
            yield f"run {run.number}: {run.refused_at_once.message}"
        for result in run.results.values():
            if "internal error" in (result.message or ""):
                yield f"run {run.number}: {result.name}: {result.message}"


def what_was_refused_was_not_begun(played: Played) -> Broken:
    """A refusal, but for one that came too late, and a run that ended with an error sent nothing but labels."""
    for run in (*played.runs, *played.mending):
        writes = [item for item in played.of(run) if item.method == "POST"]
        if run.report is not None and run.report.error is not None and writes:
            yield f"run {run.number}: {run.report.error} after {writes[0].path}"
        refused = run.results and all(
            result.outcome == "refused" and result.guard != "late" for result in run.results.values()
        )
        if refused and any(item.lands for item in writes):
            yield f"run {run.number} is refused after {writes[0].path}"


INVARIANTS: Mapping[str, Callable[[Played], Broken]] = {
    check.__name__: check
    for check in (
        what_is_reported_is_there,
        nothing_is_left_with_nobody,
        the_advice_mends_it,
        everything_else_is_left_alone,
        nothing_is_taken_from_a_third_party,
        the_newest_request_wins,
        power_is_as_promised,
        the_deadline_is_kept,
        nothing_is_sent_after_the_end,
        requests_are_bounded,
        nothing_breaks_inside,
        what_was_refused_was_not_begun,
    )
}
