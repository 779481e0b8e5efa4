"""Put together what is told of one event: the numbers that a seismologist asks for, and each arrival's part in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kensoku.locating._batch import Batch
from kensoku.locating._polish import Peaks
from kensoku.locating._posterior import Posterior
from kensoku.locating._sphere import EARTH_RADIUS_KM, Frame, azimuths_deg, degrees, gaps_deg
from kensoku.locating._summary import circle_km, ellipsoid, quality
from kensoku.locating._values import (
    Arrival,
    BoolArray,
    FloatArray,
    Hypocentre,
    LocatedArrival,
    Location,
    Tables,
)
from kensoku.traveltime import Wave

OUTLIER_WEIGHT = 0.5  # the probability that it belongs, below which an arrival is an outlier


@dataclass(frozen=True, slots=True)
class Solved:
    """Of a batch of events: the maximum, and the posterior around the place at which `frame` is centred."""

    batch: Batch
    peaks: Peaks  # the first start is the maximum
    frame: Frame  # (event,)
    posterior: Posterior
    depth_is_fixed: BoolArray


@dataclass(frozen=True, slots=True)
class Rows:
    """Of all events of a batch at the maximum, made together because one by one takes longer."""

    distance: FloatArray
    azimuth: FloatArray
    takeoff: FloatArray
    residual: FloatArray
    weight: FloatArray
    error: FloatArray
    correction: FloatArray


def rows_of(solved: Solved, tables: Tables) -> Rows:
    batch, peaks = solved.batch, solved.peaks
    frame = Frame(*(axis[:, batch.event, 0] for axis in (peaks.frame.centre, peaks.frame.north, peaks.frame.east)))
    best = peaks.fit
    return Rows(
        peaks.distance_km[:, 0],
        azimuths_deg(frame, batch.site),
        _takeoffs_deg(solved, tables),
        best.residual[:, 0],
        best.weight[:, 0],
        np.sqrt(best.variance[:, 0]),
        batch.correction,
    )


def _takeoffs_deg(solved: Solved, tables: Tables) -> FloatArray:
    """From straight down; waves that rise are later from a deeper source."""
    batch, predicted, depth = solved.batch, solved.peaks.predicted, solved.peaks.depth[solved.batch.event, 0]
    spherical = any(table.model.spherical for table in tables.values())
    level = predicted.per_distance[:, 0] * (EARTH_RADIUS_KM / (EARTH_RADIUS_KM - depth) if spherical else 1)
    return np.asarray(np.degrees(np.arctan2(level, -predicted.per_depth[:, 0])))[: len(batch.onset)]


def describe_event(
    solved: Solved, rows: Rows, event: int, arrivals: Sequence[Arrival], codes: tuple[str, ...]
) -> Location:
    """`arrivals` as they were given; `codes` of stations that nobody knows."""
    located = _arrivals(solved.batch, rows, event, arrivals)
    used = [arrival for arrival in located if not arrival.is_outlier]
    posterior, at = solved.posterior, event
    covariance = posterior.covariance[at]
    lower, upper = float(posterior.depth_lower_km[at]), float(posterior.depth_upper_km[at])
    maximum, mean, offset = _places(solved, event)
    gap, secondary = gaps_deg(np.array([arrival.azimuth_deg for arrival in used]))
    radius = circle_km(covariance[1:3, 1:3] + np.outer(offset, offset))
    is_fixed = bool(solved.depth_is_fixed[at])
    phases = len(used)
    name, reason = quality(radius, (upper - lower) / 2, gap, phases, depth_is_fixed=is_fixed)
    return Location(
        maximum=maximum,
        mean=mean,
        depth_is_fixed=is_fixed,
        covariance=covariance,
        ellipsoid=ellipsoid(covariance[1:, 1:]),
        depth_lower_km=lower,
        depth_upper_km=upper,
        time_uncertainty_s=float(np.sqrt(covariance[0, 0])),
        horizontal_uncertainty_km=radius,
        azimuthal_gap_deg=gap,
        secondary_gap_deg=secondary,
        nearest_station_km=min(arrival.distance_km for arrival in used),
        rms_s=_rms(used),
        phases_used=phases,
        stations_used=len({arrival.station for arrival in used}),
        quality=name,
        quality_reason=reason,
        arrivals=located,
        unknown_stations=codes,
        nodes=int(posterior.nodes[at]),
        is_multimodal=bool(posterior.is_multimodal[at]),
    )


def _arrivals(batch: Batch, rows: Rows, event: int, arrivals: Sequence[Arrival]) -> tuple[LocatedArrival, ...]:
    """In the order in which they were given."""
    span = batch.rows_of(event)
    columns = (rows.residual, rows.weight, rows.distance, rows.azimuth, rows.takeoff, rows.correction, rows.error)
    values = zip(*(column[span].tolist() for column in columns), strict=True)
    waves, given = batch.is_s[span].tolist(), batch.given[span].tolist()
    located = []
    for is_s, index, (residual, weight, distance, azimuth, takeoff, correction, error) in zip(
        waves, given, values, strict=True
    ):
        arrival = arrivals[index]
        phase: Wave = "S" if is_s else "P"
        located.append(
            LocatedArrival(
                station=arrival.station,
                phase=phase,
                onset_s=arrival.onset_s,
                uncertainty_s=arrival.uncertainty_s,
                residual_s=residual,
                weight=weight,
                distance_km=distance,
                azimuth_deg=azimuth,
                takeoff_deg=takeoff,
                is_outlier=weight < OUTLIER_WEIGHT,
                phase_was_changed=phase != arrival.phase,
                station_correction_s=correction,
                predicted_error_s=error,
                index=index,
            )
        )
    return tuple(sorted(located, key=lambda arrival: arrival.index))


def _places(solved: Solved, event: int) -> tuple[Hypocentre, Hypocentre, FloatArray]:
    """Maximum, mean, and how far north and east of the one the other is."""
    peaks, frame = (
        solved.peaks,
        Frame(*(a[:, event] for a in (solved.frame.centre, solved.frame.north, solved.frame.east))),
    )
    time, north, east, depth = solved.posterior.mean[event]
    highest = peaks.frame.centre[:, event, 0]
    middle = frame.place(north, east)
    offset = EARTH_RADIUS_KM * np.array([axis @ (middle - highest) for axis in (frame.north, frame.east)])
    maximum = _hypocentre(peaks.fit.time[event, 0], highest, peaks.depth[event, 0])
    return maximum, _hypocentre(time, middle, depth), offset


def _hypocentre(time: float, place: FloatArray, depth: float) -> Hypocentre:
    latitude, longitude = degrees(place)
    return Hypocentre(float(time), float(latitude), float(longitude), float(depth))


def _rms(used: list[LocatedArrival]) -> float:
    precision = np.array([arrival.weight / arrival.predicted_error_s**2 for arrival in used])
    residual = np.array([arrival.residual_s for arrival in used])
    return float(np.sqrt(precision @ residual**2 / precision.sum()))
