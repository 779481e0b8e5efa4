"""Triggering, Triton and the broker are killed one after the other while packets come: batch finds the same picks."""

from pathlib import Path

import pytest

from benchmarks.recovery import attempt

pytestmark = [pytest.mark.kafka, pytest.mark.triton]


def test_what_is_killed_loses_no_pick(tmp_path: Path) -> None:
    outcome = attempt("aftershocks", 6, 36, {"triggering": 9, "triton": 18, "broker": 27}, tmp_path)
    assert outcome.picks > 5
    assert (outcome.missing, outcome.more) == (0, 0)
    assert all(one.caught_up_s == one.caught_up_s for one in outcome.recoveries)  # each did, some time
