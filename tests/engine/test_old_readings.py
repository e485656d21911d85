"""A reading that is older than what was done: it must not make a loss look like "as before"."""

from __future__ import annotations

import pytest

from hcloud_reassign.simulator import Fault
from tests.engine.samples import ROUTE, only, run
from tests.harness import Lab

NEITHER_ADD_NOR_PUT_BACK = {"code": "action_failed", "message": "no"}


def lost_route(*more: Fault) -> Lab:
    return Lab(faults=[Fault("POST", "*", nth=2, times=3, fail_action=NEITHER_ADD_NOR_PUT_BACK), *more])


READS = range(1, 41)
"""More than such a run makes."""


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("nth", READS)
def test_a_lost_route_is_never_called_as_before(nth: int, times: int) -> None:
    lab = lost_route(Fault("GET", "*", nth=nth, times=times, stale=2.43))
    result = only(run(lab, ROUTE.section()))
    assert ROUTE.holder(lab) is not None or (result.outcome, int(result.code)) == ("unknown", 5)
