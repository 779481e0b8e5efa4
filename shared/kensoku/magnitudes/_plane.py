"""A plane wave through the P onsets of an event: how steeply it came."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kensoku.v1.event_pb2 import Arrival
from kensoku.v1.pick_pb2 import PHASE_P

FEWEST = 5  # stations, two more than a plane takes
LEAST_WIDTH_KM = 5.0  # of the network, one standard deviation of where it is narrowest
LEAST_ERROR_S = 0.1  # of an onset of long period


@dataclass(frozen=True, slots=True)
class PlaneWave:
    slowness_s_km: float
    uncertainty_s_km: float
    rms_s: float
    local_rms_s: float  # what the located source leaves of the same onsets
    stations: int


def fit_plane_wave(arrivals: Iterable[Arrival]) -> PlaneWave | None:
    """By least squares; None if stations are too few or too near each other."""
    of_p = sorted((each for each in arrivals if each.phase == PHASE_P), key=lambda each: each.pick_id)
    if len(of_p) < FEWEST:
        return None
    azimuth = np.radians([each.azimuth_deg for each in of_p])
    distance_km = np.array([each.distance_km for each in of_p])
    place_km = np.stack([distance_km * np.sin(azimuth), distance_km * np.cos(azimuth)], axis=1)
    place_km -= place_km.mean(axis=0)
    if np.linalg.svd(place_km, compute_uv=False)[-1] / np.sqrt(len(of_p)) < LEAST_WIDTH_KM:
        return None
    earliest = min(each.onset_ns for each in of_p)
    onset_s = np.array([(each.onset_ns - earliest) / 1e9 for each in of_p])
    design = np.column_stack([np.ones(len(of_p)), place_km])
    fit, *_ = np.linalg.lstsq(design, onset_s, rcond=None)
    rms_s = float(np.sqrt(np.sum((onset_s - design @ fit) ** 2) / (len(of_p) - design.shape[1])))
    slowness = float(np.hypot(*fit[1:]))
    covariance = max(rms_s, LEAST_ERROR_S) ** 2 * np.linalg.inv(design.T @ design)
    return PlaneWave(
        slowness_s_km=slowness,
        uncertainty_s_km=float(np.sqrt(np.trace(covariance[1:, 1:]) / 2)),
        rms_s=rms_s,
        local_rms_s=float(np.sqrt(np.mean([each.residual_s**2 for each in of_p]))),
        stations=len(of_p),
    )
