"""What no ground can have made is told near an onset, and waves are not taken for it."""

from collections.abc import Callable

import numpy as np
import pytest

from kensoku.continuous import Instrument, Timeline
from kensoku.detection import flaw_at, pick_packets
from kensoku.packets import ChannelSamples
from kensoku.v1.pick_pb2 import DECISION_KEPT, DECISION_REJECTED_QUALITY
from tests.streams import CountArray, one_stage, picks, record, seconds

INSTRUMENT = Instrument("XX", "STA", "", "HH")
ONSET, USED_TO = 1500, 1595
WAVE = record(3000, events=((ONSET, 0), (ONSET, 1)))


def timeline(counts: CountArray, rate_hz: float = 100.0) -> Timeline:
    made = Timeline(INSTRUMENT)
    for component, (code, row) in enumerate(zip(("HHZ", "HHN", "HHE"), counts, strict=True)):
        made.write(component, ChannelSamples("", code, 0, rate_hz, row))
    return made


def quiet(spread: float = 20.0) -> CountArray:
    counts: CountArray = np.round(np.random.default_rng(5).normal(0, spread, (3, 3000))).astype(np.int32)
    return counts


def changed(change: Callable[[CountArray], None], spread: float = 20.0) -> CountArray:
    counts = quiet(spread)
    change(counts)
    return counts


def wrong_bit(counts: CountArray) -> None:
    counts[1, ONSET + 3] ^= 1 << 14


def step(counts: CountArray) -> None:
    counts[0, ONSET:] += 4000


def stuck(counts: CountArray) -> None:
    counts[:, ONSET - 300 : ONSET] = counts[:, ONSET - 300 : ONSET - 299]


def rubbish(counts: CountArray) -> None:
    counts[:, ONSET : ONSET + 100] = np.random.default_rng(1).integers(-(2**23), 2**23, (3, 100))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (wrong_bit, "HHN: a step of 1"),
        (step, "HHZ: a step of 39"),
        (stuck, "HHZ: 13 counts in 300 samples one after the other"),
        (rubbish, "HHZ: steps of up to 1"),
    ],
)
def test_what_is_wrong_is_told(change: Callable[[CountArray], None], told: str) -> None:
    found = flaw_at(timeline(changed(change)), ONSET, USED_TO)
    assert found.startswith(told), found


def test_waves_are_not_wrong() -> None:
    assert not flaw_at(timeline(WAVE), ONSET, USED_TO)
    sudden = quiet(2.0)
    sudden[:, ONSET:] += np.round(3e5 * np.sin(0.9 * np.arange(1500)) * np.exp(-np.arange(1500) / 40)).astype(np.int32)
    assert not flaw_at(timeline(sudden), ONSET, USED_TO)


def test_a_wave_that_is_clipped_is_not_stuck() -> None:
    wave = (1e7 * np.sin(0.02 * np.arange(1500)) * np.exp(-np.arange(1500) / 400)).astype(np.int32)
    counts = quiet()
    counts[:, ONSET:] += np.clip(wave, -(2**23), 2**23 - 1).astype(np.int32)
    assert not flaw_at(timeline(counts), ONSET + 100, USED_TO + 100)


def test_quiet_ground_counted_coarsely_is_not_stuck() -> None:
    assert not flaw_at(timeline(quiet(0.15)), ONSET, USED_TO)


def test_a_wrong_sample_is_seen_at_any_rate() -> None:
    counts = quiet()
    counts[0, 751] += 5000
    assert flaw_at(timeline(counts, 50.0), ONSET, USED_TO).startswith("HHZ: a step of 5")


def test_a_pick_of_a_wrong_sample_is_rejected_with_its_reason() -> None:
    counts = record(4000, events=((1800, 0),))
    counts[0, 2600:2620] += 8_000_000 * (-1) ** np.arange(20)
    found = picks(pick_packets(seconds(counts), one_stage()))
    decisions = [(pick.decision, bool(pick.decision_reason)) for pick in found]
    assert (DECISION_KEPT, False) in decisions
    assert (DECISION_REJECTED_QUALITY, True) in decisions


def test_what_comes_after_the_decision_changes_nothing() -> None:
    later = quiet()
    later[:, USED_TO:] = 0
    assert not flaw_at(timeline(later), ONSET, USED_TO)


def clipped_at_once() -> CountArray:
    """The first motion of a strong earthquake nearby, which reaches the recorder's limit in six samples and stays."""
    counts = quiet(30_000)
    rise = [-1.2e6, -2.6e6, -4.3e6, -7.6e6, -8.3e6, -8.1e6, -8.3e6, -8.2e6, -8.25e6, -8.2e6, -8.22e6, -8.2e6, -8.15e6]
    coda = 3e6 * np.sin(0.9 * np.arange(400)) * np.exp(-np.arange(400) / 300)
    for row in counts:
        row[ONSET : ONSET + len(rise)] = rise
        row[ONSET + len(rise) : ONSET + len(rise) + 400] += coda.astype(np.int32)
    return counts


def test_a_strong_wave_that_is_clipped_at_once_is_no_step() -> None:
    assert not flaw_at(timeline(clipped_at_once()), ONSET + 2, USED_TO)


def test_a_step_that_stays_is_one_whatever_noise_the_station_has() -> None:
    counts = quiet(30_000)
    counts[0, ONSET:] -= 8_000_000
    assert flaw_at(timeline(counts), ONSET, USED_TO).startswith("HHZ: a step of ")


@pytest.mark.parametrize("bits", [24, 32])
def test_strong_motion_is_no_rubbish_whatever_the_converter(bits: int) -> None:
    """Twelve hertz at the converter's limit: steps of more than half of 24 bits, one after the other."""
    strong = (
        2.0 ** (bits - 1) * 0.99 * np.sin(2 * np.pi * 0.12 * np.arange(1500)) * np.clip(np.arange(1500) / 30, 0, 1) ** 4
    )
    counts = quiet(2e3).astype(np.int64)
    counts[:, ONSET:] += strong.astype(np.int64)
    assert not flaw_at(timeline(np.clip(counts, -(2**31), 2**31 - 1).astype(np.int32)), ONSET, USED_TO)
