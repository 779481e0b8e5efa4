"""The seismograms of an earthquake by distance, with what was picked and what was expected."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kensoku.errors import InputInvalid
from kensoku.pictures._records import Band, Place, Records, Trace, distance_azimuth, shown_traces
from kensoku.times import NS_PER_S
from kensoku.traveltime import EarthModel, Wave, first_arrivals
from kensoku.v1.event_pb2 import Arrival, Event
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import PHASE_P, Instrument

FloatArray = npt.NDArray[np.float64]

COLOURS = {"P": "#0072B2", "S": "#D55E00"}  # Okabe & Ito (2008): told apart by everybody
BEFORE_S, AFTER_S = 3.0, 8.0  # of what is shown, around the first and the last arrival
SLOWEST_KM_S = 3.0  # of S, where nothing says when it comes
REACH = 1.15  # stations without arrivals are shown up to so many times the farthest that has one
MOST_STATIONS = 40
ROOM = 0.07  # of the axis, between neighbours
TALL = 0.7  # of the room, half a trace
LARGEST_RESIDUAL_S = 99.0


@dataclass(frozen=True, slots=True)
class Row:
    """One station."""

    station: str
    distance_km: float
    arrivals: tuple[Arrival, ...]


def name_of(instrument: Instrument) -> str:
    return f"{instrument.network}.{instrument.station}"


def phase_of(arrival: Arrival) -> Wave:
    return "P" if arrival.phase == PHASE_P else "S"


def place_at(station: Station, time_ns: int) -> Place:
    """Where it stood then, or else stands."""
    begun = [epoch for epoch in station.epochs if not epoch.start_ns or epoch.start_ns <= time_ns]
    epoch = next((epoch for epoch in begun if not epoch.end_ns or time_ns < epoch.end_ns), station.epochs[-1])
    return epoch.latitude_deg, epoch.longitude_deg


def rows_of(event: Event, records: Records, places: Mapping[str, Station]) -> list[Row]:
    """Stations with arrivals, and those in their midst that have none; the nearest where they are too many."""
    by_station: dict[str, list[Arrival]] = {}
    for arrival in event.arrivals:
        by_station.setdefault(name_of(arrival.instrument), []).append(arrival)
    epicentre = event.origin.latitude_deg, event.origin.longitude_deg
    away_km = {
        name: distance_azimuth(epicentre, place_at(places[name], event.origin.time_ns))[0]
        for name in records
        if name in places and places[name].epochs
    }
    rows = [
        Row(name, found[0].distance_km or away_km.get(name, 0.0), tuple(found))
        for name, found in by_station.items()
        if name in records
    ]
    farthest_km = max((row.distance_km for row in rows), default=math.inf)
    others = [
        Row(name, distance_km, ())
        for name, distance_km in away_km.items()
        if name not in by_station and distance_km <= REACH * farthest_km
    ]
    rows.sort(key=lambda row: (row.distance_km, row.station))
    others.sort(key=lambda row: (row.distance_km, row.station))
    chosen = (rows + others)[:MOST_STATIONS]
    return sorted(chosen, key=lambda row: (row.distance_km, row.station))


@dataclass(frozen=True, slots=True)
class Spread:
    """Where a distance is on the axis: true to scale where stations lie apart, and stretched where they are close."""

    distances_km: FloatArray  # of the rows, from the nearest
    heights: FloatArray
    room: float  # between neighbours at least

    @staticmethod
    def of(distances_km: Sequence[float]) -> "Spread":
        span_km = max(distances_km[-1] - distances_km[0], 0.1 * distances_km[-1], 1.0)
        room = min(ROOM, 0.9 / len(distances_km)) * span_km
        heights: list[float] = []
        for distance_km in distances_km:
            heights.append(max(distance_km, heights[-1] + room) if heights else distance_km)
        return Spread(np.asarray(distances_km, np.float64), np.asarray(heights), room)

    def height(self, distance_km: npt.ArrayLike) -> FloatArray:
        """Between the rows in proportion; of several at one distance the first counts; beyond the last to scale."""
        known = np.r_[0.0, self.distances_km]
        is_first = np.r_[True, np.diff(known) > 1e-6]
        wanted = np.asarray(distance_km, np.float64)
        beyond = np.maximum(wanted - known[-1], 0)
        return np.asarray(np.interp(wanted, known[is_first], np.r_[0.0, self.heights][is_first]) + beyond)


def expected_s(model: EarthModel | None, wave: Wave, distances_km: FloatArray, depth_km: float) -> FloatArray | None:
    """After the origin; None where no model is known, or it does not say."""
    if model is None:
        return None
    try:
        return first_arrivals(model, wave, distances_km, depth_km).time_s
    except InputInvalid:
        return None


def draw_section(
    axes: Any, event: Event, records: Records, places: Mapping[str, Station], model: EarthModel | None, band: Band
) -> None:
    rows = rows_of(event, records, places)
    if not rows:
        say(axes, "no seismogram of a station with an arrival")
        return
    farthest_km = rows[-1].distance_km
    first_s, last_s = span_s(event, rows, model)
    spread = Spread.of([row.distance_km for row in rows])
    half = TALL * spread.room
    for row, height in zip(rows, spread.heights.tolist(), strict=True):
        preferred = {f"{a.instrument.location}.{a.instrument.band_instrument}" for a in row.arrivals}
        traces = shown_traces(records[row.station], preferred, event.origin.time_ns, first_s, last_s, band)
        _draw_traces(axes, traces, height, half, has_arrivals=bool(row.arrivals))
        _draw_arrivals(axes, row, height, half, event.origin.time_ns)
        _name(axes, row, traces, height)
    _draw_curves(axes, event, model, spread, farthest_km, last_s)
    axes.set_xlim(first_s, last_s)
    axes.set_ylim(float(spread.heights[0]) - 2.0 * half, float(spread.heights[-1]) + 2.0 * half)
    left_out = len({name_of(arrival.instrument) for arrival in event.arrivals} - {row.station for row in rows})
    text = f"seconds after the origin   (filtered {band.low_hz:g} to {band.high_hz:g} Hz, causal)"
    text += f"   {left_out} more stations with arrivals are not shown" if left_out else ""
    axes.set_xlabel(text, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.set_yticks([])
    axes.grid(axis="x", alpha=0.3)


def span_s(event: Event, rows: Sequence[Row], model: EarthModel | None) -> tuple[float, float]:
    onsets_s = [(arrival.onset_ns - event.origin.time_ns) / NS_PER_S for row in rows for arrival in row.arrivals]
    farthest_km = rows[-1].distance_km
    slant_km = math.hypot(farthest_km, event.origin.depth_km)
    last = expected_s(model, "S", np.array([farthest_km]), event.origin.depth_km)
    last_s = float(last[0]) if last is not None and np.isfinite(last[0]) else slant_km / SLOWEST_KM_S
    return min(0.0, *onsets_s, 0.0) - BEFORE_S, max(last_s, *onsets_s, 0.0) + AFTER_S


def _draw_traces(
    axes: Any, traces: tuple[Trace | None, Trace | None], height: float, half: float, *, has_arrivals: bool
) -> None:
    vertical, level = traces
    for trace, colour, width in ((level, "#B8C4CE", 0.5), (vertical, "black" if has_arrivals else "#888888", 0.6)):
        if trace is not None:
            for times_s, samples in trace.pieces:
                axes.plot(times_s, height + samples / trace.peak * half, color=colour, lw=width, rasterized=True)


def _draw_arrivals(axes: Any, row: Row, height: float, half: float, origin_ns: int) -> None:
    for arrival in row.arrivals:
        colour, onset_s = COLOURS[phase_of(arrival)], (arrival.onset_ns - origin_ns) / NS_PER_S
        style = (0, (1.5, 1.5)) if arrival.is_outlier else "solid"
        axes.plot([onset_s, onset_s], [height - half, height + half], color=colour, lw=1.3, ls=style)
        residual_s = float(np.clip(arrival.residual_s, -LARGEST_RESIDUAL_S, LARGEST_RESIDUAL_S))
        text = f"{phase_of(arrival)}{residual_s:+.2f}"
        text = f"({text})" if arrival.is_outlier else text
        is_before = phase_of(arrival) == "P"  # over noise; behind, it would hide the first motion, and be hidden by S
        axes.annotate(
            text,
            (onset_s, height + half),
            (-1.5 if is_before else 1.5, -1.0),
            ha="right" if is_before else "left",
            textcoords="offset points",
            color=colour,
            fontsize=5.5,
            va="top",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.65, "pad": 0.4},
        )


def _name(axes: Any, row: Row, traces: tuple[Trace | None, Trace | None], height: float) -> None:
    codes = " ".join(trace.code for trace in traces if trace is not None) or "no record"
    text = f"{row.station}  {row.distance_km:.1f} km\n{codes}"
    colour = "black" if row.arrivals else "#888888"
    place = axes.get_yaxis_transform()
    axes.text(-0.01, height, text, transform=place, ha="right", va="center", fontsize=6, color=colour, linespacing=1.1)


def _draw_curves(
    axes: Any, event: Event, model: EarthModel | None, spread: Spread, farthest_km: float, last_s: float
) -> None:
    distances_km = np.linspace(0, 1.1 * farthest_km, 200)
    heights = spread.height(distances_km)
    top = float(spread.heights[-1]) + 2.0 * TALL * spread.room
    for wave in ("P", "S"):
        times_s = expected_s(model, wave, distances_km, max(event.origin.depth_km, 0.0))
        if times_s is None:
            continue
        axes.plot(times_s, heights, color=COLOURS[wave], lw=0.8, alpha=0.7, zorder=1)
        inside = np.flatnonzero(np.isfinite(times_s) & (times_s < last_s) & (heights < top))
        if inside.size:
            place = times_s[inside[-1]], heights[inside[-1]]
            axes.annotate(wave, place, (3, -9), textcoords="offset points", color=COLOURS[wave], fontsize=8)


def say(axes: Any, what: str) -> None:
    axes.text(0.5, 0.5, what, ha="center", va="center", transform=axes.transAxes)
    axes.set_xticks([])
    axes.set_yticks([])
