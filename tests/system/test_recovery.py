"""Triggering, Triton and the broker are killed one after the other while packets come: batch finds the same picks."""

from pathlib import Path

import pytest

from benchmarks.recovery import attempt

pytestmark = [pytest.mark.kafka, pytest.mark.triton]


def test_what_is_killed_loses_no_pick(tmp_path: Path) -> None:
    outcome = attempt("aftershocks", 4, 24, {"triggering": 6, "triton": 12, "broker": 18}, tmp_path)
    assert outcome.picks > 3
    assert (outcome.missing, outcome.more) == (0, 0)
    assert all(one.caught_up_s == one.caught_up_s for one in outcome.recoveries)  # each did, some time
