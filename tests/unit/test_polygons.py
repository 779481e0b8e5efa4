"""A polygon on the Earth holds what lies in it, wherever one looks from, and is as far away as great circles say."""

import math

import pytest

from kensoku.polygons import Place, polygon

PACIFIC = ((150.0, -20.0), (-150.0, -20.0), (-150.0, 20.0), (150.0, 20.0))
FIJI = ((177.0, -20.0), (-177.0, -20.0), (-177.0, -16.0), (177.0, -16.0))
ALASKA = ((-170.0, 51.0), (-130.0, 51.0), (-130.0, 72.0), (-170.0, 72.0))
ANTARCTICA = ((-180.0, -60.0), (-90.0, -60.0), (0.0, -60.0), (90.0, -60.0), (180.0, -60.0))
WITH_POLE = (*ANTARCTICA, (180.0, -90.0), (-180.0, -90.0))
ARCTIC = ((0.0, 65.0), (120.0, 65.0), (-120.0, 65.0))
TROPICS = ((-180.0, -20.0), (180.0, -20.0), (180.0, 20.0), (-180.0, 20.0))
WORLD = ((-180.0, -90.0), (180.0, -90.0), (180.0, 90.0), (-180.0, 90.0))


@pytest.mark.parametrize("vertices", [PACIFIC, FIJI, ALASKA])
def test_what_is_on_the_other_side_of_the_earth_is_outside(vertices: tuple[Place, ...]) -> None:
    shape = polygon(vertices)
    longitude = vertices[0][0] + 5
    latitude = (vertices[0][1] + vertices[2][1]) / 2
    assert shape.holds(latitude, longitude)
    assert not shape.holds(latitude, longitude - 180)
    assert shape.edge_km(latitude, longitude - 180) > 4000


@pytest.mark.parametrize("vertices", [ANTARCTICA[:-1], ANTARCTICA, WITH_POLE, WITH_POLE[::-1]])
@pytest.mark.parametrize(("latitude", "longitude"), [(-77.85, 166.7), (-90.0, 0.0), (-75.1, 123.3), (-70.0, 180.0)])
def test_antarctica_is_its_caps_parallel_however_it_is_drawn(
    vertices: tuple[Place, ...], latitude: float, longitude: float
) -> None:
    shape = polygon(vertices)
    assert shape.holds(latitude, longitude)
    assert shape.edge_km(latitude, longitude) == pytest.approx((-60 - latitude) * 111.195, abs=0.05)
    assert not shape.holds(-59.9, longitude)
    assert not shape.holds(90.0, longitude)


def test_a_ring_around_the_earth_holds_the_pole_that_it_is_nearer_to() -> None:
    shape = polygon(ARCTIC)
    assert shape.holds(90.0, 12.0)
    assert shape.holds(66.0, -60.0)
    assert not shape.holds(-90.0, 0.0)


@pytest.mark.parametrize(("latitude", "longitude"), [(10.0, 20.0), (-90.0, 0.0), (90.0, 0.0), (0.0, 180.0)])
def test_the_whole_world_has_no_edge(latitude: float, longitude: float) -> None:
    assert polygon(WORLD).holds(latitude, longitude)
    assert polygon(WORLD).edge_km(latitude, longitude) == math.inf


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected_km"),
    [
        (-18.0, 176.0, math.cos(math.radians(18)) * 111.195),  # beside a side
        (-21.0, 177.0, 111.195),  # beyond a corner
        (-18.0, 0.0, 141.89 * 111.195),  # nearly opposite: a corner, over the south pole
        (-20.0, 180.0, 0.0),
    ],
)
def test_distances_are_those_of_great_circles(latitude: float, longitude: float, expected_km: float) -> None:
    assert polygon(FIJI).edge_km(latitude, longitude) == pytest.approx(expected_km, rel=0.02, abs=0.05)


def test_a_band_around_the_earth_has_two_edges() -> None:
    for longitude in (0.0, 180.0, -179.0):
        assert polygon(TROPICS).holds(19.0, longitude)
        assert polygon(TROPICS).edge_km(19.0, longitude) == pytest.approx(111.195, abs=0.05)
        assert not polygon(TROPICS).holds(-21.0, longitude)


def test_a_single_place_is_a_polygon_without_inside() -> None:
    point = polygon(((179.99, 0.0),))
    assert point.edge_km(0.0, -179.99) == pytest.approx(0.02 * 111.195, abs=0.001)
    assert not point.holds(0.0, 179.99)


def test_a_ring_that_goes_around_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="2 times around the Earth"):
        polygon(tuple((each, 60.0) for each in (0.0, 150.0, -60.0, 90.0, -120.0)))
