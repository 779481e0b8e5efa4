"""The plainest wave train there can be: a pulse of P and a pulse of S along the first rays of the earth model."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kensoku.simulation import sources
from kensoku.simulation.catalogue import Catalogue
from kensoku.simulation.geography import distance_azimuth
from kensoku.simulation.networks import Station
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.sources import SourceKind
from kensoku.traveltime import EarthModel, Wave, first_arrivals

FARTHEST_KM = 500.0
RADIATION = {"P": 0.52, "S": 0.63}  # rms over the sphere, Boore & Boatwright (1984)
FREE_SURFACE = 2.0
PARTITION = {"P": (0.9, 0.3, 0.3), "S": (0.35, 0.65, 0.65)}  # Z, N, E
FAINTEST_M_S = 1e-9
LASTS_S = {"P": 10.0, "S": 40.0}


@dataclass(frozen=True, slots=True)
class Arrival:
    phase: str
    time_ns: int


@dataclass(frozen=True, slots=True)
class WaveTrain:
    start_ns: int
    velocity_m_s: FloatArray  # (3, samples): Z, N, E
    arrivals: tuple[Arrival, ...]


def wave_train(catalogue: Catalogue, row: int, station: Station, earth: EarthModel) -> WaveTrain | None:
    """None where nothing would be seen; beyond 500 km nothing is."""
    depth_km = float(catalogue.depth_km[row])
    distance_km, azimuth_deg = distance_azimuth(
        (float(catalogue.latitude_deg[row]), float(catalogue.longitude_deg[row])),
        (station.latitude_deg, station.longitude_deg),
    )
    if distance_km > FARTHEST_KM or catalogue.kind[row] == SourceKind.TELESEISM:
        return None
    pulses = list(_pulses(catalogue, row, station, earth, distance_km, depth_km))
    if max(float(np.abs(pulse).max()) for _, _, pulse in pulses) < FAINTEST_M_S:
        return None
    step_ns = 10**9 // station.rate_hz
    first = pulses[0][1] // step_ns
    count = max(time_ns // step_ns - first + pulse.size for _, time_ns, pulse in pulses)
    velocity = np.zeros((3, count))
    for phase, time_ns, pulse in pulses:
        start = time_ns // step_ns - first + 1
        for component, share in zip(velocity, PARTITION[phase], strict=True):
            component[start : start + pulse.size] += share * pulse[: count - start]
    return WaveTrain(first * step_ns, velocity, tuple(Arrival(phase, time_ns) for phase, time_ns, _ in pulses))


def _pulses(
    catalogue: Catalogue, row: int, station: Station, earth: EarthModel, distance_km: float, depth_km: float
) -> Iterator[tuple[str, int, FloatArray]]:
    """Phase, time and ground velocity from the first sample after it."""
    moment_nm = float(sources.moment_nm(catalogue.mw[row]))
    waves: tuple[Wave, ...] = ("P", "S")
    for wave in waves:
        arrival = first_arrivals(earth, wave, distance_km, depth_km, station.elevation_m / 1e3)
        layer = earth.layer_at(depth_km)
        speed_m_s = (layer.vp_km_s if wave == "P" else layer.vs_km_s)[0] * 1e3
        corner_hz = float(catalogue.corner_hz[row]) * (1.4 if wave == "P" else 1.0)
        far_field = RADIATION[wave] * FREE_SURFACE / (4 * np.pi * layer.density_kg_m3 * speed_m_s**3)
        path_m = np.hypot(distance_km, depth_km) * 1e3
        fading = np.exp(-np.pi * corner_hz * float(arrival.t_star_s))
        peak = far_field * moment_nm * (2 * np.pi * corner_hz) ** 2 / path_m * fading * station.site.amplification
        since_s = np.arange(round(LASTS_S[wave] * station.rate_hz)) / station.rate_hz
        pulse = peak * np.sin(2 * np.pi * min(corner_hz, 20.0) * since_s) * np.exp(-since_s / (LASTS_S[wave] / 8))
        yield wave, int(catalogue.time_ns[row]) + round(float(arrival.time_s) * 1e9), pulse
