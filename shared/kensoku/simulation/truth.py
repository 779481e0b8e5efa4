"""What is known of a simulated record: sources, arrivals and how well they can be seen, disturbances, as files."""

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from obspy import UTCDateTime
from obspy.core.event import (
    Catalog,
    Comment,
    CreationInfo,
    Event,
    EventDescription,
    FocalMechanism,
    Magnitude,
    NodalPlane,
    NodalPlanes,
    Origin,
    ResourceIdentifier,
)

from kensoku.simulation.catalogue import Catalogue
from kensoku.simulation.disturbances import Disturbance
from kensoku.simulation.engine import Block, SourceArrival
from kensoku.simulation.instruments import ComplexArray, Instrument
from kensoku.simulation.networks import Station
from kensoku.simulation.randomness import BLOCK_S, FloatArray
from kensoku.simulation.recorder import Int32Array
from kensoku.simulation.sources import SourceKind
from kensoku.simulation.visibility import BEFORE_S, FIRST_S, SETTLE_S, UNKNOWN, Visibility, judge
from kensoku.times import NS_PER_S

KEPT_S = 6  # of the block before: SETTLE_S, BEFORE_S and FIRST_S

QUAKEML_TYPES = {  # where QuakeML has no name of its own, the description says what it is
    SourceKind.EARTHQUAKE: "earthquake",
    SourceKind.BLAST: "quarry blast",
    SourceKind.TELESEISM: "earthquake",
    SourceKind.LOW_FREQUENCY: "earthquake",
    SourceKind.LONG_PERIOD: "volcanic eruption",
    SourceKind.ICEQUAKE: "ice quake",
}
EVENTS_HEADER = (
    "event_id,time,latitude_deg,longitude_deg,depth_km,ml,mw,kind,sequence,"
    "strike_deg,dip_deg,rake_deg,stress_drop_mpa,corner_hz,parent_id"
)
ARRIVALS_HEADER = "event_id,station,phase,time,snr,visible,record_snr"
DISTURBANCES_HEADER = "station,kind,time,duration_s,components,size"


# --- how well an arrival can be seen ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sighting:
    arrival: SourceArrival
    visibility: Visibility


def judge_arrival(counts: Int32Array, waves_m_s: FloatArray, instrument: Instrument, onset: int) -> Visibility:
    """Of an arrival at the sample `onset`, from the counts and the ground velocity that is no noise."""
    rate_hz = instrument.digitiser.rate_hz
    begin = max(0, onset - round((SETTLE_S + BEFORE_S) * rate_hz))
    stretch = slice(begin, onset + round(FIRST_S * rate_hz))
    waves = _record(waves_m_s[:, stretch], instrument)
    return judge(counts[:, stretch], waves, onset - begin, rate_hz, are_mixed=True)


def _record(waves_m_s: FloatArray, instrument: Instrument) -> FloatArray:
    """Counts that the waves alone would make."""
    size = 2 * round((SETTLE_S + BEFORE_S + FIRST_S) * instrument.digitiser.rate_hz)
    spectrum = np.fft.rfft(waves_m_s, size) * _response(instrument, size)
    counts: FloatArray = np.fft.irfft(spectrum, size)[:, : waves_m_s.shape[1]]
    return counts


@functools.lru_cache(maxsize=32)
def _response(instrument: Instrument, size: int) -> ComplexArray:
    """From 0 Hz, where there is none."""
    hz = np.fft.rfftfreq(size, 1 / instrument.digitiser.rate_hz)[1:]
    response: ComplexArray = np.concatenate([[0.0], instrument.response(hz)])
    return response


class Sightings:
    """Judges the arrivals of one station as its blocks come; a late one waits for the next block."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._rate_hz = instrument.digitiser.rate_hz
        self._before: tuple[Int32Array, FloatArray] | None = None
        self._waiting: list[SourceArrival] = []

    def judge(self, block: Block) -> list[Sighting]:
        before, waves_before = self._before or (block.counts[:, :0], block.waves_m_s[:, :0])
        counts = np.concatenate([before, block.counts], axis=1)
        waves = np.concatenate([waves_before, block.waves_m_s], axis=1)
        start_ns = block.start_ns - before.shape[1] * NS_PER_S // self._rate_hz
        complete_ns = block.start_ns + round((BLOCK_S - FIRST_S) * NS_PER_S)
        waiting = [*self._waiting, *block.arrivals]
        self._waiting = [arrival for arrival in waiting if arrival.time_ns >= complete_ns]
        kept = slice(-KEPT_S * self._rate_hz, None)
        self._before = block.counts[:, kept].copy(), block.waves_m_s[:, kept].copy()
        return [
            Sighting(arrival, judge_arrival(counts, waves, self._instrument, self._onset(arrival.time_ns - start_ns)))
            for arrival in waiting
            if arrival.time_ns < complete_ns
        ]

    def rest(self) -> list[Sighting]:
        """Those at whose signal the record ended."""
        return [Sighting(arrival, UNKNOWN) for arrival in self._waiting]

    def _onset(self, since_start_ns: int) -> int:
        """The first sample that is not before the arrival."""
        return -(-since_start_ns * self._rate_hz // NS_PER_S)


# --- tables -----------------------------------------------------------------------------------------------------------


def event_id(catalogue: Catalogue, row: int) -> str:
    return f"{catalogue.sequence[row]}-{row:06d}" if row >= 0 else ""


def time_text(time_ns: int) -> str:
    """To the microsecond, which miniSEED and QuakeML have too."""
    return str(np.datetime64(time_ns // 1000, "us")) + "Z"


def event_lines(catalogue: Catalogue, rows: Iterable[int]) -> Iterator[str]:
    columns = ("strike_deg", "dip_deg", "rake_deg", "stress_drop_mpa", "corner_hz")
    for row in rows:
        place = f"{catalogue.latitude_deg[row]:.5f},{catalogue.longitude_deg[row]:.5f},{catalogue.depth_km[row]:.3f}"
        size = f"{catalogue.ml[row]:.2f},{catalogue.mw[row]:.2f}"
        rest = ",".join(f"{getattr(catalogue, column)[row]:.4g}" for column in columns)
        yield (
            f"{event_id(catalogue, row)},{time_text(int(catalogue.time_ns[row]))},{place},{size},"
            f"{catalogue.kind[row]},{catalogue.sequence[row]},{rest},{event_id(catalogue, int(catalogue.parent[row]))}"
        )


def arrival_line(catalogue: Catalogue, station: Station, sighting: Sighting) -> str:
    arrival, seen = sighting.arrival, sighting.visibility
    told = ",," if np.isnan(seen.snr) else f"{seen.snr:.2f},{int(seen.is_visible)},{seen.record_snr:.2f}"
    return f"{event_id(catalogue, arrival.row)},{station.name},{arrival.phase},{time_text(arrival.time_ns)},{told}"


def disturbance_line(station: Station, disturbance: Disturbance) -> str:
    return (
        f"{station.name},{disturbance.kind},{time_text(disturbance.start_ns)},{disturbance.duration_s:.2f},"
        f"{disturbance.components[: station.components]},{disturbance.size:.4g}"
    )


def rows_between(catalogue: Catalogue, start_ns: int, end_ns: int) -> range:
    first, last = np.searchsorted(catalogue.time_ns, [start_ns, end_ns])
    return range(int(first), int(last))


# --- QuakeML ----------------------------------------------------------------------------------------------------------


def quakeml(catalogue: Catalogue, rows: Sequence[int], scenario: str) -> Catalog:
    """The same content gives the same bytes: no name and no time in it is drawn by ObsPy."""
    root = f"smi:kensoku.simulation/{scenario}"
    events = [_event(catalogue, row, root) for row in rows]
    comment = Comment("Simulated: nothing in it happened.", resource_id=_id(root, "comment"))
    info = CreationInfo(agency_id="kensoku.simulation")
    return Catalog(events, resource_id=_id(root, "catalogue"), comments=[comment], creation_info=info)


def _event(catalogue: Catalogue, row: int, root: str) -> Event:
    root = f"{root}/{event_id(catalogue, row)}"
    origin = Origin(
        resource_id=_id(root, "origin"),
        time=UTCDateTime(time_text(int(catalogue.time_ns[row]))),
        latitude=round(float(catalogue.latitude_deg[row]), 5),
        longitude=round(float(catalogue.longitude_deg[row]), 5),
        depth=round(float(catalogue.depth_km[row]), 3) * 1e3,
        evaluation_mode="manual",
    )
    magnitudes = [
        Magnitude(
            resource_id=_id(root, name),
            mag=round(float(size[row]), 2),
            magnitude_type=name,
            origin_id=origin.resource_id,
        )
        for name, size in (("Mw", catalogue.mw), ("ML", catalogue.ml))
    ]
    kind = SourceKind(str(catalogue.kind[row]))
    event = Event(
        resource_id=_id(root, "event"),
        event_type=QUAKEML_TYPES[kind],
        event_type_certainty="known",
        origins=[origin],
        magnitudes=magnitudes,
        event_descriptions=[EventDescription(f"{kind} of {catalogue.sequence[row]} (simulated)")],
    )
    event.preferred_origin_id = origin.resource_id
    event.preferred_magnitude_id = magnitudes[0].resource_id
    angles: list[float] = [
        round(float(a[row]), 2) for a in (catalogue.strike_deg, catalogue.dip_deg, catalogue.rake_deg)
    ]
    if kind in (SourceKind.EARTHQUAKE, SourceKind.LOW_FREQUENCY, SourceKind.TELESEISM):
        planes = NodalPlanes(nodal_plane_1=NodalPlane(*angles), preferred_plane=1)
        event.focal_mechanisms = [FocalMechanism(resource_id=_id(root, "mechanism"), nodal_planes=planes)]
    return event


def _id(root: str, name: str) -> ResourceIdentifier:
    return ResourceIdentifier(f"{root}/{name}".replace(" ", "-"))
