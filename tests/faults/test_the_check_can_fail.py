"""Every invariant is broken by an engine that was broken on purpose, and the exploration finds that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from hcloud_reassign.chain import Chain
from hcloud_reassign.core import guards
from hcloud_reassign.core.objects import Server
from hcloud_reassign.core.report import ended, planned
from hcloud_reassign.core.steps import AddAliasIp, SetLabels, every
from hcloud_reassign.engine import actions, conduct, outcome
from hcloud_reassign.hetzner import cloud
from hcloud_reassign.kinds import alias_ip, primary_ip, primary_ip_steps, route
from hcloud_reassign.project import Project
from tests.faults import invariants
from tests.faults.dice import schedule
from tests.faults.invariants import INVARIANTS, breaches
from tests.faults.play import Played, play
from tests.faults.schedule import Schedule

MOST_SEEDS = 500
Breaking = Callable[[pytest.MonkeyPatch], None]


def _says(word: Any, **more: Any) -> Any:
    """A judge of what came of a move that looks at nothing."""
    return lambda kind, move, *_: ended(planned(move), word, after=move.wanted, **more)


def verification_always_agrees(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(conduct, "judged", _says("done"))


def what_is_unknown_is_called_failed(patch: pytest.MonkeyPatch) -> None:
    unknown: Any = outcome._unknown
    patch.setattr(outcome, "_unknown", lambda *all_: ended(unknown(*all_), "failed", next=None))


def the_advice_forgets_consent(patch: pytest.MonkeyPatch) -> None:
    command = outcome.mending_command
    patch.setattr(outcome, "mending_command", lambda *all_: command(*all_).replace(" --allow-poweroff", ""))


def the_advice_has_no_target(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outcome, "mending_command", lambda move, *_: f"hcloud-reassign run {move.name} --to ''")


def the_vendors_command_is_torn(patch: pytest.MonkeyPatch) -> None:
    for kind in (route.RouteKind, alias_ip.AliasIpKind, primary_ip.PrimaryIpKind):
        patch.setattr(kind, "vendor_command", lambda *_: "hcloud server describe -o 'format={{.Status}} 10")


def labels_are_replaced(patch: pytest.MonkeyPatch) -> None:
    def only_ours(self: Any, step: SetLabels, timeout_s: float) -> Any:
        ours = {key: value for key, value in step.labels.items() if key.startswith("hcloud-reassign/")}
        return cloud.Cloud._set_labels(self, replace(step, labels=ours), timeout_s)

    patch.setitem(cloud._HANDLERS, SetLabels, only_ours)


def alias_ips_are_replaced(patch: pytest.MonkeyPatch) -> None:
    def alone(self: Any, step: AddAliasIp, timeout_s: float) -> Any:
        body = {"network": step.network, "alias_ips": [step.address]}
        return self._post(step, f"/servers/{step.server}/actions/change_alias_ips", body, timeout_s)

    patch.setitem(cloud._HANDLERS, AddAliasIp, alone)


def nobody_is_a_third_party(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(guards, "ORDER", (guards.late, guards.held))


def claims_are_not_compared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(guards, "overtaken", lambda case: None)
    patch.setattr(conduct.Conductor, "_hand_over", lambda *_, **__: iter(()))


def nothing_is_started_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(primary_ip_steps, "_start_all", lambda *_: iter(()))


def consent_is_not_asked_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(primary_ip, "_guards", lambda case: iter(()))


def the_deadline_is_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Project, "_timeout_s", lambda *_: 3600.0)


def one_more_look_after_the_end(patch: pytest.MonkeyPatch) -> None:
    report = Chain.report

    def looks_again(self: Any, *, apply: bool) -> Any:
        made = report(self, apply=apply)
        self._session.read([every(Server)])
        return made

    patch.setattr(Chain, "report", looks_again)


def polling_has_no_limit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(actions, "SOONEST_S", 0.001)
    patch.setattr(actions, "GROWTH", 0.0)


def a_kind_has_a_bug(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(alias_ip, "_stays", lambda details: details.nonsense)


def everything_is_called_refused(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(conduct, "judged", _says("refused", guard="zone"))


Check = Callable[[Played], Iterator[str]]

BROKEN: tuple[tuple[Check, Breaking], ...] = (
    (invariants.what_is_reported_is_there, verification_always_agrees),
    (invariants.nothing_is_left_with_nobody, what_is_unknown_is_called_failed),
    (invariants.the_advice_mends_it, the_advice_forgets_consent),
    (invariants.the_advice_mends_it, the_vendors_command_is_torn),
    (invariants.everything_else_is_left_alone, labels_are_replaced),
    (invariants.everything_else_is_left_alone, alias_ips_are_replaced),
    (invariants.nothing_is_taken_from_a_third_party, nobody_is_a_third_party),
    (invariants.the_newest_request_wins, claims_are_not_compared),
    (invariants.power_is_as_promised, nothing_is_started_again),
    (invariants.power_is_as_promised, consent_is_not_asked_for),
    (invariants.the_deadline_is_kept, the_deadline_is_ignored),
    (invariants.nothing_is_sent_after_the_end, one_more_look_after_the_end),
    (invariants.requests_are_bounded, polling_has_no_limit),
    (invariants.nothing_breaks_inside, a_kind_has_a_bug),
    (invariants.nothing_breaks_inside, the_advice_has_no_target),
    (invariants.what_was_refused_was_not_begun, everything_is_called_refused),
)


ABOUT: dict[Check, Callable[[Schedule], bool]] = {
    invariants.the_newest_request_wins: lambda made: len(made.calls) > 1 and made.calls[1].issued_s is not None,
    invariants.power_is_as_promised: lambda made: "ip_public" in made.scene.types,
    invariants.the_deadline_is_kept: lambda made: made.calls[0].timeout_s is not None,
}
"""Which schedules can show it at all; the others are passed over."""


def test_every_invariant_is_broken_once() -> None:
    assert {invariant.__name__ for invariant, _ in BROKEN} == set(INVARIANTS)


@pytest.mark.parametrize(("invariant", "breaking"), BROKEN, ids=lambda item: item.__name__)
def test_a_broken_engine_is_found_out(invariant: Check, breaking: Breaking, monkeypatch: pytest.MonkeyPatch) -> None:
    breaking(monkeypatch)
    about = ABOUT.get(invariant)
    for seed in range(MOST_SEEDS):
        made = schedule(seed)
        if (about is None or about(made)) and invariant.__name__ in {
            breach.invariant for breach in breaches(play(made))
        }:
            return
    pytest.fail(f"{MOST_SEEDS} schedules do not show that {breaking.__name__}")
