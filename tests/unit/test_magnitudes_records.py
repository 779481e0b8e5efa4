"""From counts to magnitudes: as ObsPy's Wood-Anderson says, and as the simulator made them."""

import numpy as np
import numpy.typing as npt
import pytest
from obspy import Trace

from benchmarks.magnitudes import Shock, listen
from benchmarks.sizes import WOOD_ANDERSON, make_ladder
from kensoku.magnitudes import estimate, estimate_all, load_formula, preferred_magnitude, readings_of
from kensoku.measuring import FULL, Channel, Channels, measure, pick_measurement
from kensoku.v1.event_pb2 import Arrival, Origin
from kensoku.v1.inventory_pb2 import GROUND_MOTION_VELOCITY, Response
from kensoku.v1.pick_pb2 import PHASE_P, Instrument, Pick

FloatArray = npt.NDArray[np.float64]
ONSET, LENGTH, SIZE_M, HZ = 6000, 12000, 2e-6, 2.0
FORMULAS = ("iaspei-2013", "watanabe-1971", "simulated-pv", "kuyuk-allen-2013", "wu-kanamori-2005")


def burst() -> FloatArray:
    """Displacement of six seconds, 10 s after P."""
    times_s = (np.arange(LENGTH) - ONSET) / 100 - 10
    inside = (times_s > 0) & (times_s < 6)
    shape: FloatArray = np.where(inside, np.sin(np.pi * times_s / 6) ** 2 * np.sin(2 * np.pi * HZ * times_s), 0.0)
    return SIZE_M * shape


def test_ml_of_counts_is_that_of_obspys_wood_anderson() -> None:
    displacement = burst()
    shown = Trace(displacement.copy(), {"sampling_rate": 100}).simulate(paz_simulate=WOOD_ANDERSON)
    expected = np.log10(1e9 * np.abs(shown.data).max()) + 1.11 * np.log10(80) + 0.00189 * 80 - 2.09

    noise = np.random.default_rng(3).standard_normal((3, LENGTH)) * 0.3
    counts = np.gradient(displacement, 0.01) * 1e9 + noise
    flat = Response(input=GROUND_MOTION_VELOCITY, sensitivity=1e9, frequency_hz=1.0, normalisation=1.0)
    content = flat.SerializeToString(deterministic=True)
    channels = Channels(*(Channel(code, content) for code in ("HHZ", "HHN", "HHE")))
    here = Instrument(network="XS", station="A", band_instrument="HH")
    pick = Pick(id="p", instrument=here, phase=PHASE_P)
    measured = pick_measurement(pick, measure(counts, ONSET, ONSET + FULL, channels, "P", 0.03), 0)
    arrival = Arrival(
        pick_id="p", instrument=here, phase=PHASE_P, distance_km=np.sqrt(80**2 - 10**2), onset_ns=ONSET * 10**7
    )
    readings = readings_of(Origin(depth_km=10), [arrival], [], [measured])
    found = estimate(readings, 10.0, load_formula("iaspei-2013"))
    assert found.magnitude.value == pytest.approx(expected, abs=0.02)


@pytest.fixture(scope="module")
def shocks() -> list[Shock]:
    return listen(make_ladder((1.5, 3.5), 3, 6), np.random.default_rng(5))


def test_simulated_earthquakes_have_the_magnitude_of_their_catalogue(shocks: list[Shock]) -> None:
    errors = []
    for shock in shocks:
        found = estimate_all(shock.readings, shock.depth_km, [load_formula(name) for name in FORMULAS])
        ml = found[0].magnitude
        assert preferred_magnitude(found)[0] == "ML"
        assert ml.stations >= 4
        assert abs(ml.value - shock.ml) < 4 * ml.uncertainty + 0.1
        errors.append(ml.value - shock.ml)
    assert np.mean(errors) == pytest.approx(0.0, abs=0.15)


def test_a_second_of_p_gives_a_first_magnitude(shocks: list[Shock]) -> None:
    errors = []
    for shock in shocks:
        found = estimate_all(shock.early, shock.depth_km, [load_formula(name) for name in FORMULAS])
        preferred, _ = preferred_magnitude(found)
        first = next(each.magnitude for each in found if each.magnitude.type == preferred)
        assert preferred in {"Mpv", "Mpd"}
        assert abs(first.value - shock.ml) < 4 * first.uncertainty
        errors.append(first.value - shock.ml)
        assert "S not recorded yet" in found[0].magnitude.absent_reason
    assert np.mean(np.abs(errors)) < 0.35
