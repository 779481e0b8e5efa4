import itertools

import numpy as np
import pytest

from kensoku.simulation.disturbances import (
    IN_SENSOR,
    LOOK_AHEAD_S,
    Disturbance,
    Kind,
    Rates,
    add_footsteps,
    add_to_sensor,
    corrupt,
    list_disturbances,
    list_touching,
)
from kensoku.simulation.instruments import Instrument, find_sensor
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.recorder import Recorder

BLOCK = 1_602_504_000 // 60  # 2020-10-12 12:00 UTC, a Monday
START_NS = BLOCK * 60 * 10**9


def make(kind: Kind, **changes: float) -> Disturbance:
    numbers = {"duration_s": 20.0, "size": 1e-6, "detail": 0.2} | changes
    return Disturbance(kind, START_NS + 10 * 10**9, weights=(1.0, 0.5, -0.5), **numbers)


def test_the_rates_are_kept() -> None:
    rates = Rates(lightning=200.0, bit_error=50.0, vehicle=100.0)
    kinds = [found.kind for found in list_disturbances(1, "XX.A", rates, BLOCK, BLOCK + 10 * 1440 - 1)]
    assert kinds.count(Kind.LIGHTNING) == pytest.approx(2000, abs=150)
    assert kinds.count(Kind.BIT_ERROR) == pytest.approx(500, abs=75)
    assert kinds.count(Kind.VEHICLE) == pytest.approx(1000, rel=0.2)


def test_people_pass_by_day_and_lightning_strikes_at_any_hour() -> None:
    rates = Rates(footsteps=500.0, lightning=500.0)
    hours: dict[Kind, list[int]] = {Kind.FOOTSTEPS: [], Kind.LIGHTNING: []}
    for found in list_disturbances(1, "XX.A", rates, BLOCK, BLOCK + 4 * 1440):
        hours[found.kind].append(found.start_ns // 3_600_000_000_000 % 24)
    assert np.mean([8 <= hour < 20 for hour in hours[Kind.FOOTSTEPS]]) > 0.75
    assert np.mean([8 <= hour < 20 for hour in hours[Kind.LIGHTNING]]) == pytest.approx(0.5, abs=0.05)


def test_one_kinds_rate_changes_no_other_kind() -> None:
    few = list_disturbances(1, "XX.A", Rates(lightning=300.0), BLOCK, BLOCK + 300)
    many = list_disturbances(1, "XX.A", Rates(lightning=300.0, repeat=900.0), BLOCK, BLOCK + 300)
    assert list(few) == [found for found in many if found.kind is Kind.LIGHTNING]


def test_what_reaches_into_a_block_is_found_from_that_block() -> None:
    rates = Rates(calibration=2000.0)
    block_ns = (BLOCK + 100) * 60 * 10**9
    everything = list_disturbances(1, "XX.A", rates, BLOCK, BLOCK + 100)
    expected = [found for found in everything if found.start_ns + found.duration_s * 1e9 > block_ns]
    found = list(list_touching(1, "XX.A", rates, BLOCK + 100, IN_SENSOR))
    assert [one for one in found if one in expected] == expected


def test_a_walk_is_the_same_in_one_piece_and_in_two() -> None:
    walk = make(Kind.FOOTSTEPS, duration_s=15.0)
    whole = np.zeros((3, 6000))
    add_footsteps(whole, START_NS, 100, walk)
    first, second = np.zeros((3, 1734)), np.zeros((3, 6000 - 1734))
    add_footsteps(first, START_NS, 100, walk)
    add_footsteps(second, START_NS + 17_340_000_000, 100, walk)
    assert np.allclose(np.concatenate([first, second], axis=1), whole, atol=1e-15)
    assert not whole[:, :1000].any()
    assert 1.8 < count_pulses(whole[0]) / 13.0 < 2.2  # the weak first and last steps apart: two a second
    assert np.abs(whole[1]).max() == pytest.approx(np.abs(whole[0]).max() / 2)


def count_pulses(ground: FloatArray) -> int:
    loud = np.abs(ground).reshape(-1, 10).max(axis=1) > 5e-8
    return int(np.sum(loud[1:] & ~loud[:-1]))


@pytest.mark.parametrize(("corner_hz", "peak_s"), [(1 / 120, 21.2), (1.0, 0.177)])
def test_a_calibration_step_swings_as_its_pendulum_does(corner_hz: float, peak_s: float) -> None:
    output = np.zeros((3, 6000))
    step = make(Kind.CALIBRATION, duration_s=300.0, size=0.1, detail=0.99)
    add_to_sensor(output, START_NS, 100, step, (2 * np.pi * corner_hz, 0.707), full=1e-2)
    assert not output[:, :1000].any()
    in_first_step = output[0, 1000:2900]  # the step back comes 20 s after the first
    assert np.abs(in_first_step).max() == pytest.approx(1e-3, rel=0.01)
    expected_peak_s = min(peak_s, 18.99)
    assert np.abs(in_first_step).argmax() / 100 == pytest.approx(expected_peak_s, abs=0.02)


def test_a_bit_error_changes_one_bit_of_one_sample() -> None:
    clean = np.arange(18_000, dtype=np.int32).reshape(3, 6000)
    counts = clean.copy()
    corrupt(counts, START_NS, 100, Disturbance(Kind.BIT_ERROR, START_NS + 10**9, 0.0, (0.0, 1.0, 0.0), 14.7, 0.5))
    changed = np.argwhere(counts != clean)
    assert changed.tolist() == [[1, 100]]
    assert abs(int(counts[1, 100]) - int(clean[1, 100])) == 2**14


def test_a_repeat_overwrites_with_what_came_before() -> None:
    counts = np.arange(6000, dtype=np.int32)[np.newaxis].copy()
    corrupt(counts, START_NS, 100, make(Kind.REPEAT, duration_s=2.0))
    assert counts[0, 1000:1200].tolist() == list(range(800, 1000))
    assert counts[0, 1200] == 1200


def test_telemetry_errors_stand_in_the_record_where_the_truth_says() -> None:
    instrument = Instrument(find_sensor("geophone-1hz"))
    first = BLOCK - instrument.warm_up_blocks
    still = [np.zeros((3, 6000))] * (instrument.warm_up_blocks + 30)
    recorder = Recorder(instrument, 1, "XX.A", Rates(bit_error=2000.0))
    truth = {(found.start_ns // 10**7, found.components) for found in recorder.disturbances(BLOCK, BLOCK + 29)}
    seen = set()
    for start_ns, counts in recorder.record(still, first):
        for component, sample in np.argwhere(np.abs(counts) > 100):
            seen.add((start_ns // 10**7 + int(sample), "ZNE"[component]))
    assert len(truth) > 20
    for time, component in truth:
        assert {(time, component), (time + 1, component)} & seen


def test_lightning_is_seen_on_all_components_where_the_truth_says() -> None:
    instrument = Instrument(find_sensor("geophone-4.5hz"))
    first = BLOCK - instrument.warm_up_blocks
    recorder = Recorder(instrument, 1, "XX.A", Rates(lightning=300.0))
    blocks = [counts for _, counts in recorder.record([np.zeros((3, 6000))] * 60, first)]
    record = np.concatenate(blocks, axis=1)
    strikes = [found for found in recorder.disturbances(BLOCK, BLOCK + 40) if found.size > 1e-3]
    assert strikes
    for strike in strikes:
        sample = (strike.start_ns - START_NS) / 1e7 + 100 * LOOK_AHEAD_S
        around = np.abs(record[:, int(sample) - 3 : int(sample) + 5])
        assert np.all(around.max(axis=1) > 0.05 * strike.size * 2**23 * instrument.full_scale * 28.8 / 20)


def test_only_a_broadband_sensor_is_re_centred() -> None:
    rates = Rates(recentring=500.0)
    broadband, geophone = (
        list(
            itertools.islice(Recorder(Instrument(find_sensor(name)), 1, "A", rates).disturbances(BLOCK, BLOCK + 99), 1)
        )
        for name in ("broadband-60s", "geophone-2hz")
    )
    assert broadband
    assert not geophone
