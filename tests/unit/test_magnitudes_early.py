"""Early magnitudes are of the first seconds of P alone, and say nothing where these say nothing."""

import math
from dataclasses import replace

import pytest

from kensoku.errors import InputInvalid
from kensoku.magnitudes import (
    Example,
    calibrate,
    estimate,
    load_formula,
)
from kensoku.v1.pick_pb2 import (
    AMPLITUDE_KIND_PEAK_VELOCITY,
)
from tests.readings import IASPEI, NM, PD, TAU_C, amplitude, displacement, reading


def test_the_early_magnitude_is_of_p_before_s() -> None:
    first, later = displacement(1e-5, 2.0, 1.0), displacement(1e-4, 29.92, 4.0)
    found = estimate([reading(first, later, distance_km=30, s_after_s=3.5)], 5.0, PD).magnitude
    assert found.value == pytest.approx(PD.magnitude(1e-5, 30, 5.0))


def test_a_long_window_whose_peak_is_early_says_it_too() -> None:
    later = displacement(1e-5, 29.92, 2.0)
    assert estimate([reading(later, distance_km=90)], 5.0, PD).has_value


def test_s_in_the_window_leaves_a_station_out() -> None:
    only = reading(displacement(1e-5, 2.0, 1.0), distance_km=10)  # S may come after 1 s
    assert "no P was measured before S" not in estimate([only], 5.0, PD).magnitude.absent_reason
    late = reading(displacement(1e-5, 2.0, 1.5), distance_km=10)
    assert estimate([late], 5.0, PD).magnitude.absent_reason == "no P was measured before S: XS.A..HH"


def test_a_record_that_hears_no_long_periods_has_no_early_magnitude() -> None:
    only = reading(displacement(1e-5, 2.0, 1.0, high_pass_hz=0.6), distance_km=50)
    assert not estimate([only], 5.0, PD).has_value


def test_a_period_needs_three_seconds_of_p_that_stand_out() -> None:
    clear = displacement(1e-3, 3.0, 2.0)
    far = reading(clear, distance_km=60, period_s=2.0)
    assert estimate([far], 5.0, TAU_C).magnitude.value == pytest.approx((math.log10(2.0) + 1.113) / 0.221)
    near = reading(clear, distance_km=60, period_s=2.0, s_after_s=2.5)
    assert "S is within 3 s" in estimate([near], 5.0, TAU_C).magnitude.absent_reason
    unheard = reading(clear, distance_km=60)
    assert "no period of P" in estimate([unheard], 5.0, TAU_C).magnitude.absent_reason
    hidden = reading(displacement(1e-3, 3.0, 2.0, noise=3e-4), distance_km=60, period_s=2.0)
    assert "below 5 times its noise" in estimate([hidden], 5.0, TAU_C).magnitude.absent_reason


def test_a_period_says_nothing_of_small_earthquakes() -> None:
    small = reading(displacement(1e-6, 3.0, 2.0), distance_km=60, period_s=0.3)
    assert "not of 4 to 9" in estimate([small], 5.0, TAU_C).magnitude.absent_reason


def test_the_velocity_of_early_p_hears_what_displacement_cannot() -> None:
    velocity = amplitude(1e-6, "HHZ", AMPLITUDE_KIND_PEAK_VELOCITY, window_s=1.0, high_pass_hz=0.6)
    pv = load_formula("simulated-pv")
    found = estimate([reading(velocity, distance_km=10)], 5.0, pv).magnitude
    assert found.value == pytest.approx(pv.log_distance + pv.constant)
    large = reading(amplitude(1.0, "HHZ", AMPLITUDE_KIND_PEAK_VELOCITY, window_s=1.0), distance_km=10)
    assert "not of -2 to 5" in estimate([large], 5.0, pv).magnitude.absent_reason


def example(magnitude: float, distance_km: float, error: float) -> Example:
    size = 10 ** ((magnitude + error - 1.5 * math.log10(distance_km) - 2.0) / 0.8) * NM
    here = amplitude(size, "HHN")
    return Example((reading(here, distance_km=distance_km, s_after_s=distance_km / 8),), 5.0, magnitude)


def test_calibration_finds_the_formula_that_made_the_amplitudes() -> None:
    places = [(m / 4, 10.0 + 7 * d) for m in range(20) for d in range(11)]
    level = replace(IASPEI, per_km=0.0)
    found = calibrate([example(m, km, 0.1 * (-1) ** n) for n, (m, km) in enumerate(places)], level)
    assert found.slope == pytest.approx(0.8, abs=0.01)
    assert found.log_distance == pytest.approx(1.5, abs=0.02)
    assert found.constant == pytest.approx(2.0, abs=0.05)
    assert found.scatter == pytest.approx(0.15, abs=0.03)
    wild = [example(m, km, 3.0 if n % 23 == 0 else 0.0) for n, (m, km) in enumerate(places)]
    assert calibrate(wild, level).slope == pytest.approx(0.8, abs=0.02)


def test_calibration_of_too_little_is_refused() -> None:
    with pytest.raises(InputInvalid, match="found 1 amplitudes of 1 events"):
        calibrate([example(3.0, 50.0, 0.0)], IASPEI)
