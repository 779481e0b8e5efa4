"""What the picks of one event say of its size: their amplitudes, and how far from the source they were read."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from kensoku.v1.event_pb2 import Arrival, Origin
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S, Amplitude, Instrument, Phase, Pick, PickMeasurement

LEAST_P_S_KM_S = 7.0  # hypocentral distance over S minus P: of soft ground, so that S is not awaited too early
MOST_P_S_KM_S = 10.0  # of the mantle, so that nothing of S is taken for P
NS_PER_S = 1e9
JUST_BEFORE_NS = 2 * 10**9  # this onset: what comes later than that is not in its noise
SEA_LEVEL: Mapping[str, float] = MappingProxyType({})
NO_OTHERS: Mapping[str, Sequence[int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Reading:
    """One arrival of an event, and all that was measured of it."""

    pick_id: str
    instrument: Instrument
    phase: Phase
    onset_ns: int
    fits: bool  # whether its time suits the origin
    epicentral_km: float
    hypocentral_km: float
    s_after_s: float | None  # S of the same instrument after this onset, if it was picked
    amplitudes: tuple[Amplitude, ...]  # of both messages of the pick
    period_s: float = 0.0  # tau_c; 0: not measured
    blast_probability: float | None = None
    next_ns: int | None = None  # onset of the next event at this station

    @property
    def station(self) -> str:
        return f"{self.instrument.network}.{self.instrument.station}"

    @property
    def name(self) -> str:
        return f"{self.station}.{self.instrument.location}.{self.instrument.band_instrument}"

    @property
    def earliest_s_s(self) -> float:
        """How long after this onset S may begin."""
        return self._s_after_s(self.hypocentral_km / MOST_P_S_KM_S)

    @property
    def latest_s_s(self) -> float:
        return self._s_after_s(self.hypocentral_km / LEAST_P_S_KM_S)

    def _s_after_s(self, predicted_s: float) -> float:
        if self.phase == PHASE_S:
            return 0.0
        return predicted_s if self.s_after_s is None else self.s_after_s


def readings_of(
    origin: Origin,
    arrivals: Iterable[Arrival],
    picks: Iterable[Pick],
    measurements: Iterable[PickMeasurement],
    elevations_km: Mapping[str, float] = SEA_LEVEL,
    others_ns: Mapping[str, Sequence[int]] = NO_OTHERS,
) -> tuple[Reading, ...]:
    """In the order of instruments and phases. A pick that is not given says nothing.

    By "NET.STA": `elevations_km`, and `others_ns`, onsets of other events, whose waves may be the largest.
    """
    found = list(arrivals)
    first = {pick.id: pick for pick in picks}
    second = {measurement.id: measurement for measurement in measurements}
    s_ns = {_key(each.instrument): each.onset_ns for each in found if each.phase == PHASE_S and not each.is_outlier}
    readings = _read(found, origin.depth_km, first, second, s_ns, elevations_km, others_ns)
    return tuple(sorted(readings, key=lambda reading: (reading.name, reading.phase, reading.pick_id)))


def _read(
    arrivals: Iterable[Arrival],
    depth_km: float,
    picks: Mapping[str, Pick],
    measurements: Mapping[str, PickMeasurement],
    s_ns: Mapping[tuple[str, ...], int],
    elevations_km: Mapping[str, float],
    others_ns: Mapping[str, Sequence[int]],
) -> Iterator[Reading]:
    for arrival in arrivals:
        pick = picks.get(arrival.pick_id, Pick())
        measurement = measurements.get(arrival.pick_id, PickMeasurement())
        station = f"{arrival.instrument.network}.{arrival.instrument.station}"
        height_km = depth_km + elevations_km.get(station, 0.0)
        s_onset_ns = s_ns.get(_key(arrival.instrument)) if arrival.phase == PHASE_P else None
        after_s = None if s_onset_ns is None else (s_onset_ns - arrival.onset_ns) / NS_PER_S
        yield Reading(
            pick_id=arrival.pick_id,
            instrument=arrival.instrument,
            phase=arrival.phase,
            onset_ns=arrival.onset_ns,
            fits=not arrival.is_outlier,
            epicentral_km=arrival.distance_km,
            hypocentral_km=math.hypot(arrival.distance_km, height_km),
            s_after_s=after_s if after_s is not None and after_s > 0 else None,
            amplitudes=(*pick.amplitudes, *measurement.amplitudes),
            period_s=measurement.characteristic_period_s,
            blast_probability=_blast(arrival, pick, measurement),
            next_ns=min(
                (ns for ns in others_ns.get(station, ()) if ns > arrival.onset_ns - JUST_BEFORE_NS), default=None
            ),
        )


def _blast(arrival: Arrival, pick: Pick, measurement: PickMeasurement) -> float | None:
    """The measurement has heard more than the pick, and the arrival repeats what was known when it was located."""
    for message in (measurement, arrival, pick):
        if message.HasField("blast_probability") and 0 <= message.blast_probability <= 1:
            return message.blast_probability
    return None


def _key(instrument: Instrument) -> tuple[str, ...]:
    return instrument.network, instrument.station, instrument.location, instrument.band_instrument
