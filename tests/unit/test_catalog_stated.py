"""Uncertainties in files are about the place and time that they state, the maximum of the posterior."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from kensoku.catalogue_files import FORMATS, read_catalogue, write_catalogue
from kensoku.catalogue_files._ellipsoid import are_alike
from kensoku.catalogue_files._stated import ellipsoid, time_deviation_s
from kensoku.locating._summary import ellipsoids
from kensoku.sphere import KM_PER_DEG
from kensoku.v1.event_pb2 import Ellipsoid, Event, Hypocentre, Origin
from tests.catalogue import SIGNATURE, make_event
from tests.unit.test_catalog_quakeml import obspy_events, written

FloatArray = npt.NDArray[np.float64]
COVARIANCE: FloatArray = np.array([[0.9, 0.2, -0.3], [0.2, 1.6, 0.5], [-0.3, 0.5, 4.9]])  # north, east, down, km2


def message(covariance_km2: FloatArray) -> Ellipsoid:
    (axes,) = ellipsoids(covariance_km2[np.newaxis])
    return Ellipsoid(semi_axis_km=axes.semi_axis_km, azimuth_deg=axes.azimuth_deg, plunge_deg=axes.plunge_deg)


def beside_its_mean(off_km: FloatArray) -> Event:
    event = make_event()
    origin = event.origin
    origin.latitude_deg, origin.longitude_deg, origin.depth_km = 60.0, 179.999, 9.0
    origin.mean.latitude_deg = 60.0 + off_km[0] / KM_PER_DEG
    origin.mean.longitude_deg = 179.999 + off_km[1] / (KM_PER_DEG / 2)
    origin.mean.longitude_deg -= 360.0 if origin.mean.longitude_deg > 180 else 0.0
    origin.mean.depth_km, origin.mean.time_ns = 9.0 + off_km[2], origin.time_ns + 80_000_000
    origin.ellipsoid.CopyFrom(message(COVARIANCE))
    return event


@pytest.mark.parametrize("off_km", [(0.0, 0.0, 0.0), (0.6, -0.2, 1.5), (-0.1, 1.2, -2.0)])
def test_the_ellipsoid_is_that_of_the_moments_about_the_stated_place(off_km: tuple[float, float, float]) -> None:
    off: FloatArray = np.array(off_km)
    assert are_alike(ellipsoid(beside_its_mean(off).origin), message(COVARIANCE + np.outer(off, off)))


def test_files_state_both_and_give_back_what_was_there(tmp_path: Path) -> None:
    event = beside_its_mean(np.array([0.6, 1.2, 1.5]))
    text = written(event)
    (found,) = obspy_events(text)
    origin = found.preferred_origin()
    longest_km = ellipsoid(event.origin).semi_axis_km[0]
    assert longest_km > 1.1 * event.origin.ellipsoid.semi_axis_km[0]
    assert origin.origin_uncertainty.confidence_ellipsoid.semi_major_axis_length == pytest.approx(1000 * longest_km)
    assert origin.time_errors.uncertainty == pytest.approx(0.1)  # 0.06 and 0.08 s
    (tmp_path / "events.xml").write_text(text)
    (read,) = read_catalogue(tmp_path / "events.xml").events
    read.origin.ClearField("creation")
    assert read.origin == event.origin


def test_of_what_another_program_moved_the_uncertainties_are_the_files(tmp_path: Path) -> None:
    event = beside_its_mean(np.array([0.6, 1.2, 1.5]))
    (tmp_path / "events.xml").write_text(written(event).replace("<value>60</value>", "<value>60.5</value>"))
    (read,) = read_catalogue(tmp_path / "events.xml").events
    assert read.origin.time_uncertainty_s == pytest.approx(time_deviation_s(event.origin))
    assert are_alike(read.origin.ellipsoid, ellipsoid(event.origin))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    "odd",
    [
        Origin(mean=Hypocentre(latitude_deg=np.nan, longitude_deg=np.inf)),
        Origin(depth_km=-1e308),
        Origin(ellipsoid=Ellipsoid(azimuth_deg=[30.0])),
        Origin(ellipsoid=Ellipsoid(semi_axis_km=[1.0, 1.0, 1.0], azimuth_deg=[np.inf] * 3, plunge_deg=[0.0] * 3)),
    ],
)
def test_numbers_that_nobody_can_mean_keep_no_other_event_from_being_written(
    odd: Origin, kind: str, tmp_path: Path
) -> None:
    event = make_event("odd")
    if odd.ellipsoid.semi_axis_km:
        event.origin.ClearField("ellipsoid")
    event.origin.MergeFrom(odd)
    event.arrivals[0].distance_km = event.arrivals[1].azimuth_deg = np.inf
    count, _ = write_catalogue(tmp_path / "out", [make_event("a"), event, make_event("z")], SIGNATURE, kind)
    assert count == 3
    if kind == "quakeml":
        assert [each.id for each in read_catalogue(tmp_path / "out", kind).events] == ["a", "odd", "z"]
