"""ML and Mw of one earthquake, and ML as records show it."""

import numpy as np
import pytest

from kensoku.simulation.attenuation import Attenuation
from kensoku.simulation.magnitudes import PEAK_LOG, PEAK_MW, MagnitudeRelation, local_magnitude, relate
from kensoku.simulation.networks import Station, draw_site_response
from kensoku.simulation.propagation import load_earth
from kensoku.simulation.sources import StressDrop
from tools.magnitudes import measure


def stations(borehole_m: float = 0.0) -> list[Station]:
    chance = np.random.default_rng(2)
    sites = [draw_site_response("stiff", borehole_m, chance) for _ in range(40)]
    return [Station("XX", "A", 36, 137, 0, borehole_m, "geophone-1hz", 100, 3, site) for site in sites]


EARTH = load_earth("japan")
RELATION = relate(EARTH, StressDrop(), stations())


def test_wood_anderson_records_of_ten_mm_at_17_km_are_magnitude_3_of_one_mm_at_100() -> None:
    """Richter's definition as Hutton & Boore (1987) have it, by a magnification of 2080."""
    assert local_magnitude(1e6 / 2080, 100.0) == pytest.approx(3.0, abs=0.01)
    assert local_magnitude(10e6 / 2080, 17.0) == pytest.approx(3.0, abs=0.02)


def test_small_earthquakes_have_three_halves_of_a_magnitude_in_ml_and_great_ones_less() -> None:
    slopes = np.diff(RELATION.to_ml(np.arange(-0.5, 6.6, 1.0)))
    assert slopes[0] == pytest.approx(1.5, abs=0.05)  # Deichmann (2017)
    assert (np.diff(slopes[:-1]) < 0.02).all()
    assert slopes[-2] < 1.0


def test_magnitudes_go_to_and_fro() -> None:
    ml = np.linspace(-3, 9, 101)
    assert RELATION.to_ml(RELATION.to_mw(ml)) == pytest.approx(ml)


def test_more_absorption_or_deeper_sensors_show_less_and_more_stress_shows_more() -> None:
    absorbing = load_earth("japan", Attenuation(q_s_1hz=60.0))
    for mw in (1.0, 3.0, 5.0):
        ml = float(RELATION.to_ml(mw))
        assert relate(absorbing, StressDrop(), stations()).to_ml(mw) < ml - 0.1
        assert relate(EARTH, StressDrop(), stations(100.0)).to_ml(mw) < ml - 0.2
    assert relate(EARTH, StressDrop(median_mpa=30.0), stations()).to_ml(5.0) > RELATION.to_ml(5.0) + 0.2


def test_knots_of_a_scenario_hold_from_the_first_on() -> None:
    agency = MagnitudeRelation(ml=(6.5, 7.3), mw=(6.2, 7.0))
    joined = RELATION.up_to(agency)
    assert joined.to_mw([6.5, 7.3, 7.4]) == pytest.approx([6.2, 7.0, 7.1])
    assert joined.to_mw([0.5, 3.0, 5.0]) == pytest.approx(RELATION.to_mw([0.5, 3.0, 5.0]))


def test_knots_that_do_not_ascend_are_named() -> None:
    with pytest.raises(ValueError, match=r"\[3.0, 2.0\], which does not ascend"):
        MagnitudeRelation(ml=(3.0, 2.0), mw=(1.0, 2.0))


@pytest.mark.parametrize(("mw", "borehole_m"), [(0.5, 0.0), (2.5, 0.0), (4.5, 0.0), (6.0, 0.0), (3.5, 100.0)])
def test_peaks_of_waves_are_still_what_they_were_when_the_relation_was_made(mw: float, borehole_m: float) -> None:
    """If not, `python -m tools.magnitudes` makes PEAK_LOG anew."""
    over = measure(mw, borehole_m, records=60, seed=2)
    expected = float(np.interp(mw, PEAK_MW, PEAK_LOG))
    assert over.mean() == pytest.approx(expected, abs=3 * over.std() / np.sqrt(over.size) + 0.01)
    assert 0.15 < over.std() < 0.35
