"""What location reads and what it answers: arrivals, stations and settings in; where, when and how surely out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from kensoku.errors import SettingInvalid
from kensoku.traveltime import DEEPEST_KM, TravelTimeTable, Wave

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]
ObjectArray = npt.NDArray[np.object_]
QualityClass = Literal["A", "B", "C", "D"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A pick that may belong to the event; times are relative to a moment that the caller chose."""

    station: str
    phase: Wave
    onset_s: float
    uncertainty_s: float  # one standard deviation
    probability: float = 1.0  # that it belongs to the event


@dataclass(frozen=True, slots=True)
class Site:
    """Where a station stands, and how late waves come there: corrections are added to predicted times."""

    latitude_deg: float
    longitude_deg: float
    elevation_km: float = 0.0
    p_correction_s: float = 0.0
    s_correction_s: float = 0.0


@dataclass(frozen=True, slots=True)
class LocationSettings:
    outlier_share: float = 0.05  # of arrivals that have nothing to do with the event
    outlier_span_s: float = 10.0  # over which an outlier may lie anywhere
    model_error: float = 0.02  # of the travel time, from one arrival to the next, one standard deviation
    model_error_s: float = 0.05  # as much at least
    velocity_error: float = 0.0  # of all travel times of an event together, one standard deviation
    shallowest_km: float | None = (
        None  # none: the mean height of the stations that heard it, or sea level if that is higher
    )
    deepest_km: float = DEEPEST_KM
    margin_km: float = 150.0  # around the stations that heard it
    assumed_depth_km: float = 10.0  # where the data cannot resolve it
    unresolved_share: float = 0.5  # of the allowed depths: a longer 68 % interval does not resolve the depth
    least_arrivals: int = 4
    least_stations: int = 3
    reconsiders_phases: bool = True

    def __post_init__(self) -> None:
        self._require(0 < self.outlier_share < 1, "outlier_share", "between 0 and 1")
        self._require(self.outlier_span_s > 0, "outlier_span_s", "more than 0 s")
        for name in ("model_error", "velocity_error"):
            self._require(0 <= getattr(self, name) < 0.5, name, "from 0 to 0.5 of the travel time")
        self._require(self.model_error_s >= 0, "model_error_s", "0 s or more")
        self._require(self.margin_km > 0, "margin_km", "more than 0 km")
        self._require(self.least_arrivals >= 4, "least_arrivals", "4 or more: a place, a depth and a time are unknown")
        self._require(self.least_stations >= 3, "least_stations", "3 or more")
        self._require(self.deepest_km - (self.shallowest_km or 0) >= 1, "deepest_km", "1 km below the shallowest")
        self._require(self.assumed_depth_km <= self.deepest_km, "assumed_depth_km", "no deeper than deepest_km")

    def _require(self, is_so: bool, name: str, expected: str) -> None:
        if not is_so:
            raise SettingInvalid(f"found {name} {getattr(self, name)}, expected {expected}")


@dataclass(frozen=True, slots=True)
class Hypocentre:
    time_s: float
    latitude_deg: float
    longitude_deg: float
    depth_km: float  # below sea level


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """Holds 68 % of the probability, around the mean; axes from the longest."""

    semi_axis_km: tuple[float, float, float]
    azimuth_deg: tuple[float, float, float]  # clockwise from north
    plunge_deg: tuple[float, float, float]  # down from horizontal


@dataclass(frozen=True, slots=True)
class LocatedArrival:
    """An arrival as the location sees it."""

    station: str
    phase: Wave  # as used
    onset_s: float
    uncertainty_s: float
    residual_s: float  # observed minus predicted
    weight: float  # 0 to 1: the probability that it belongs, given all the others
    distance_km: float  # epicentral
    azimuth_deg: float  # from the epicentre
    takeoff_deg: float  # from straight down
    is_outlier: bool
    phase_was_changed: bool
    station_correction_s: float
    predicted_error_s: float  # one standard deviation of the onset and the predicted time together
    index: int  # of the arrival that was given


@dataclass(frozen=True, slots=True)
class Location:
    maximum: Hypocentre
    mean: Hypocentre
    depth_is_fixed: bool
    covariance: FloatArray  # of time s, north km, east km, depth km; about the mean
    ellipsoid: Ellipsoid
    depth_lower_km: float  # 68 % interval
    depth_upper_km: float
    time_uncertainty_s: float
    horizontal_uncertainty_km: float  # radius of the circle about the maximum that holds 68 %
    azimuthal_gap_deg: float
    secondary_gap_deg: float
    nearest_station_km: float
    rms_s: float
    phases_used: int
    stations_used: int
    quality: QualityClass
    quality_reason: str
    arrivals: tuple[LocatedArrival, ...]
    unknown_stations: tuple[str, ...]  # their arrivals were left out
    nodes: int  # places at which the posterior was evaluated
    second_place_km: float | None  # from the maximum to another place that explains the arrivals as well


@lru_cache(maxsize=100_000)
def site_code(station: str) -> str:
    """`NET.STA` of an instrument `NET.STA.LOC.HH`: several at one place are one station."""
    return ".".join(station.split(".")[:2])


Stations = Mapping[str, Site]
Tables = Mapping[Wave, TravelTimeTable]
