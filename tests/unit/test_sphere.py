"""Great circles, beside the closed form and ObsPy's sphere."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from obspy.geodetics import locations2degrees

from kensoku.sphere import EARTH_RADIUS_KM, KM_PER_DEG, distance_km

latitudes, longitudes = st.floats(-90, 90), st.floats(-180, 180)


def test_a_degree_is_111_2_km_also_across_the_date_line() -> None:
    assert math.radians(EARTH_RADIUS_KM) == pytest.approx(KM_PER_DEG, rel=1e-7)
    assert distance_km(0, 0, 0, 1) == pytest.approx(KM_PER_DEG, rel=1e-7)
    assert distance_km(0, 179.5, 0, -179.5) == pytest.approx(KM_PER_DEG, rel=1e-7)
    assert distance_km(90, 0, 89, 123) == pytest.approx(KM_PER_DEG, rel=1e-7)


def test_a_metre_is_a_metre_and_the_other_side_is_far() -> None:
    assert distance_km(35, 139, 35 + 1e-3 / KM_PER_DEG, 139) == pytest.approx(1e-3, rel=1e-6)
    assert distance_km(35, 139, -35, -41) == pytest.approx(math.pi * EARTH_RADIUS_KM)


@given(latitudes, longitudes, latitudes, longitudes)
def test_as_obspy_has_it(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> None:
    expected = locations2degrees(latitude, longitude, other_latitude, other_longitude)
    found = distance_km(latitude, longitude, other_latitude, other_longitude) / EARTH_RADIUS_KM
    assert math.degrees(found) == pytest.approx(expected, abs=1e-5)
