"""What is known of an event that tells an earthquake from a blast, a teleseism or a low-frequency earthquake."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kensoku.magnitudes._amplitudes import CLEAR_PERIOD, LONGEST_S
from kensoku.magnitudes._plane import PlaneWave, fit_plane_wave
from kensoku.magnitudes._readings import Reading
from kensoku.v1.event_pb2 import Arrival, Origin
from kensoku.v1.pick_pb2 import AMPLITUDE_KIND_PEAK_DISPLACEMENT, PHASE_P, PHASE_S

LEAST_DEPTH_SD_KM = 0.5
UNKNOWN_DEPTH_SD_KM = 5.0  # of an origin without an interval of depth


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeEvidence:
    """None or empty: not known, which speaks for nothing."""

    time_ns: int
    latitude_deg: float
    longitude_deg: float
    horizontal_uncertainty_km: float = 0.0
    depth_km: float | None = None
    depth_sd_km: float = UNKNOWN_DEPTH_SD_KM
    nearest_station_km: float = 0.0
    azimuthal_gap_deg: float = 0.0
    blast_probabilities: tuple[float, ...] = ()  # one a station
    periods_s: tuple[float, ...] = ()  # tau_c, one a station
    magnitude: float | None = None
    p_stations: int = 0
    s_stations: int = 0
    plane: PlaneWave | None = None


def evidence_of(
    origin: Origin, arrivals: Sequence[Arrival], readings: Sequence[Reading], magnitude: float | None
) -> TypeEvidence:
    """`magnitude`: the preferred one."""
    fitting = [arrival for arrival in arrivals if not arrival.is_outlier]
    of_p = [reading for reading in readings if reading.fits and reading.phase == PHASE_P]
    return TypeEvidence(
        time_ns=origin.time_ns,
        latitude_deg=origin.latitude_deg,
        longitude_deg=origin.longitude_deg,
        horizontal_uncertainty_km=origin.horizontal_uncertainty_km,
        depth_km=None if origin.depth_is_fixed else origin.depth_km,
        depth_sd_km=_depth_sd_km(origin),
        nearest_station_km=origin.nearest_station_km,
        azimuthal_gap_deg=origin.azimuthal_gap_deg,
        blast_probabilities=_one_a_station((r.station, r.blast_probability) for r in of_p),
        periods_s=_one_a_station((r.station, r.period_s if _is_clear(r) else None) for r in of_p),
        magnitude=magnitude,
        p_stations=_stations(fitting, PHASE_P),
        s_stations=_stations(fitting, PHASE_S),
        plane=fit_plane_wave(fitting),
    )


def _depth_sd_km(origin: Origin) -> float:
    half_km = abs(origin.depth_upper_km - origin.depth_lower_km) / 2
    return max(half_km, LEAST_DEPTH_SD_KM) if half_km else UNKNOWN_DEPTH_SD_KM


def _is_clear(reading: Reading) -> bool:
    """Whether its period is not that of microseisms."""
    shown = [a for a in reading.amplitudes if a.kind == AMPLITUDE_KIND_PEAK_DISPLACEMENT and a.channel[-1:] == "Z"]
    return 0 < reading.period_s < LONGEST_S and any(a.noise > 0 and a.value >= CLEAR_PERIOD * a.noise for a in shown)


def _one_a_station(found: Iterable[tuple[str, float | None]]) -> tuple[float, ...]:
    """The mean of co-located instruments; those that say nothing are left out."""
    by_station: dict[str, list[float]] = {}
    for station, value in found:
        if value is not None:
            by_station.setdefault(station, []).append(value)
    return tuple(sum(values) / len(values) for _, values in sorted(by_station.items()))


def _stations(arrivals: Iterable[Arrival], phase: int) -> int:
    return len({(each.instrument.network, each.instrument.station) for each in arrivals if each.phase == phase})
