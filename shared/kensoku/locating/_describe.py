"""Put together what is told of one event: the numbers that a seismologist asks for, and each arrival's part in them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kensoku.locating._batch import WAVES, Batch
from kensoku.locating._moments import Posterior
from kensoku.locating._polish import Peaks
from kensoku.locating._sphere import Frame, arc_km, azimuths_deg, degrees, gaps_deg
from kensoku.locating._summary import circle_km, circles_km, ellipsoids, quality, reaches_limit
from kensoku.locating._values import (
    Arrival,
    BoolArray,
    Ellipsoid,
    FloatArray,
    Hypocentre,
    LocatedArrival,
    Location,
    Tables,
    site_code,
)
from kensoku.sphere import EARTH_RADIUS_KM
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
    deepest_km: FloatArray  # that was allowed
    margin_km: float  # around the stations, in which it was sought
    second_km: FloatArray  # to another place that explains the arrivals as well, not a number if there is none


def describe(solved: Solved, tables: Tables) -> "Described":
    """What can be made of all events together, which is much faster than one by one."""
    batch, peaks, posterior = solved.batch, solved.peaks, solved.posterior
    best = peaks.fit
    at = peaks.frame.first
    of_rows = at.take(batch.event)
    middle = solved.frame.place(posterior.mean[:, 1], posterior.mean[:, 2])
    offset = EARTH_RADIUS_KM * np.stack([(axis * (middle - at.centre)).sum(axis=0) for axis in (at.north, at.east)], 1)
    weight, residual, error = best.weight[:, 0], best.residual[:, 0], np.sqrt(best.variance[:, 0])
    precision = np.where(weight >= OUTLIER_WEIGHT, weight / error**2, 0)
    square = batch.sums(precision * residual**2) / np.maximum(batch.sums(precision), 1e-12)
    columns = (
        residual,
        weight,
        peaks.distance_km[:, 0],
        azimuths_deg(of_rows, batch.site),
        _takeoffs_deg(solved, tables),
        batch.correction,
        error,
    )
    return Described(
        solved,
        np.stack(columns, axis=1),
        _hypocentres(best.time[:, 0], at.centre, peaks.depth[:, 0]),
        _hypocentres(posterior.mean[:, 0], middle, posterior.mean[:, 3]),
        ellipsoids(posterior.covariance[:, 1:, 1:]),
        _circles_km(solved, offset),
        np.sqrt(square),
    )


def _circles_km(solved: Solved, offset: FloatArray) -> FloatArray:
    """About the maximum: from the moments, where the posterior is a hill; from the nodes, where it is anything else; it
    holds another place that explains the arrivals as well."""
    posterior, at = solved.posterior, solved.peaks.frame.first
    radii = circles_km(posterior.covariance[:, 1:3, 1:3] + offset[:, :, None] * offset[:, None])
    for event in np.flatnonzero([cloud is not None for cloud in posterior.cloud]):
        share, *places = posterior.cloud[event]
        only = np.array([event])
        nodes = solved.frame.take(only).place(*(axis[None] for axis in places))
        radii[event] = circle_km(share, arc_km((at.take(only).centre[..., None] * nodes).sum(axis=0)[0]))
    return np.fmax(radii, solved.second_km)


def _takeoffs_deg(solved: Solved, tables: Tables) -> FloatArray:
    """From straight down; waves that rise are later from a deeper source."""
    batch, predicted, depth = solved.batch, solved.peaks.predicted, solved.peaks.depth[solved.batch.event, 0]
    is_round = np.array([tables[wave].model.spherical if wave in tables else True for wave in WAVES])
    nearer = np.where(is_round[batch.is_s.astype(np.intp)], EARTH_RADIUS_KM / (EARTH_RADIUS_KM - depth), 1)
    return np.asarray(np.degrees(np.arctan2(predicted.per_distance[:, 0] * nearer, -predicted.per_depth[:, 0])))


def _hypocentres(time: FloatArray, place: FloatArray, depth: FloatArray) -> list[Hypocentre]:
    columns = (values.tolist() for values in (time, *degrees(place), depth))
    return [Hypocentre(*values) for values in zip(*columns, strict=True)]


@dataclass(frozen=True, slots=True)
class Described:
    """By event, but for the rows."""

    solved: Solved
    rows: FloatArray  # residual, weight, distance, azimuth, take-off, correction, error
    maxima: list[Hypocentre]
    means: list[Hypocentre]
    ellipsoids: list[Ellipsoid]
    circle_km: FloatArray
    rms_s: FloatArray

    def weights(self, event: int) -> FloatArray:
        return self.rows[self.solved.batch.rows_of(event), 1]

    def location(self, event: int, arrivals: Sequence[Arrival], unknown: tuple[str, ...]) -> Location:
        """`arrivals` as they were given; `unknown` are the codes of stations that nobody knows."""
        located = self._arrivals(event, arrivals)
        used = [arrival for arrival in located if not arrival.is_outlier]
        posterior = self.solved.posterior
        lower, upper = float(posterior.depth_lower_km[event]), float(posterior.depth_upper_km[event])
        gap, secondary = gaps_deg(arrival.azimuth_deg for arrival in used)
        radius, is_fixed = float(self.circle_km[event]), bool(self.solved.depth_is_fixed[event])
        nearest = min(located, key=lambda arrival: arrival.distance_km)
        disagrees = not any(site_code(arrival.station) == site_code(nearest.station) for arrival in used)
        half_km, second = (upper - lower) / 2, float(self.solved.second_km[event])
        second_km = None if math.isnan(second) else second
        name, reason = quality(
            radius,
            half_km,
            gap,
            len(used),
            arrivals=len(located),
            depth_is_fixed=is_fixed,
            reaches_limit=reaches_limit(self.maxima[event].depth_km, upper, float(self.solved.deepest_km[event])),
            nearest_km=nearest.distance_km,
            margin_km=self.solved.margin_km,
            nearest_disagrees=disagrees,
            second_place_km=second_km,
        )
        return Location(
            maximum=self.maxima[event],
            mean=self.means[event],
            depth_is_fixed=is_fixed,
            covariance=posterior.covariance[event],
            ellipsoid=self.ellipsoids[event],
            depth_lower_km=lower,
            depth_upper_km=upper,
            time_uncertainty_s=float(posterior.covariance[event, 0, 0]) ** 0.5,
            horizontal_uncertainty_km=radius,
            azimuthal_gap_deg=gap,
            secondary_gap_deg=secondary,
            nearest_station_km=min(arrival.distance_km for arrival in used),
            rms_s=float(self.rms_s[event]),
            phases_used=len(used),
            stations_used=len({site_code(arrival.station) for arrival in used}),
            quality=name,
            quality_reason=reason,
            arrivals=located,
            unknown_stations=unknown,
            nodes=int(posterior.nodes[event]),
            second_place_km=second_km,
        )

    def _arrivals(self, event: int, arrivals: Sequence[Arrival]) -> tuple[LocatedArrival, ...]:
        """In the order in which they were given."""
        batch = self.solved.batch
        span = batch.rows_of(event)
        given, waves, values = batch.given[span].tolist(), batch.is_s[span].tolist(), self.rows[span].tolist()
        located = []
        for index, is_s, numbers in sorted(zip(given, waves, values, strict=True)):
            residual, weight, distance, azimuth, takeoff, correction, error = numbers
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
        return tuple(located)
