"""Where an earthquake was, how sure that is, and which stations say so."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
import numpy.typing as npt

from kensoku.pictures._records import distance_azimuth
from kensoku.pictures._section import COLOURS, name_of, phase_of, place_at
from kensoku.sphere import KM_PER_DEG
from kensoku.v1.event_pb2 import Event, Origin
from kensoku.v1.inventory_pb2 import Station

FloatArray = npt.NDArray[np.float64]

ELLIPSE_68 = math.sqrt(-2 * math.log(1 - 0.68))  # standard deviations, in two dimensions
MARGIN = 1.25  # of the map, around the farthest station with an arrival
LEAST_KM = 5.0
FULL_LABELS = 40  # more stations are not named
WIDTH, MOST_LINES = 66, 14  # of what is written below the map
NORTH, EAST, DOWN = 1, 2, 3  # of (time, north, east, depth)


@dataclass(frozen=True, slots=True)
class Mark:
    """A station on the map, km from the epicentre."""

    name: str
    east_km: float
    north_km: float
    phases: frozenset[str]  # that were used
    is_outlier: bool


def marks_of(event: Event, places: Mapping[str, Station]) -> list[Mark]:
    """Stations of the inventory, and those that only an arrival tells of."""
    epicentre = event.origin.latitude_deg, event.origin.longitude_deg
    polar = {
        name: distance_azimuth(epicentre, place_at(station, event.origin.time_ns))
        for name, station in places.items()
        if station.epochs
    }
    for arrival in event.arrivals:
        if arrival.distance_km or name_of(arrival.instrument) not in polar:
            polar[name_of(arrival.instrument)] = arrival.distance_km, arrival.azimuth_deg
    used: dict[str, set[str]] = {}
    doubted = set()
    for arrival in event.arrivals:
        phases = used.setdefault(name_of(arrival.instrument), set())
        if arrival.is_outlier:
            doubted.add(name_of(arrival.instrument))
        else:
            phases.add(phase_of(arrival))
    marks = []
    for name, (distance_km, azimuth_deg) in sorted(polar.items()):
        angle = math.radians(azimuth_deg)
        east_km, north_km = distance_km * math.sin(angle), distance_km * math.cos(angle)
        phases_used = frozenset(used.get(name, ()))
        marks.append(Mark(name, east_km, north_km, phases_used, name in doubted and not phases_used))
    return marks


def covariance_of(origin: Origin) -> FloatArray | None:
    """4 x 4 of time s, north, east and depth km; None when the origin has none."""
    if len(origin.covariance) != 10:
        return None
    matrix = np.zeros((4, 4))
    matrix[np.triu_indices(4)] = origin.covariance
    return np.asarray(np.triu(matrix) + np.triu(matrix, 1).T)


def mean_km(origin: Origin) -> tuple[float, float, float]:
    """North, east and below the maximum: where the covariance is measured from."""
    if not origin.HasField("mean"):
        return 0.0, 0.0, 0.0
    place = origin.mean.latitude_deg, origin.mean.longitude_deg
    distance_km, azimuth_deg = distance_azimuth((origin.latitude_deg, origin.longitude_deg), place)
    angle = math.radians(azimuth_deg)
    return distance_km * math.cos(angle), distance_km * math.sin(angle), origin.mean.depth_km - origin.depth_km


def ellipse(covariance: FloatArray, first: int, second: int) -> tuple[FloatArray, FloatArray]:
    """The outline of what holds 68 % in two of the four dimensions."""
    values, vectors = np.linalg.eigh(covariance[np.ix_([first, second], [first, second])])
    angles = np.linspace(0, 2 * np.pi, 181)
    circle = np.stack([np.cos(angles), np.sin(angles)]) * np.sqrt(np.maximum(values, 0))[:, None]
    outline = ELLIPSE_68 * vectors @ circle
    return outline[0], outline[1]


def reach_km(event: Event, marks: Sequence[Mark]) -> float:
    """Half the side of the map: all stations with arrivals, and the ellipse."""
    heard = [max(abs(mark.east_km), abs(mark.north_km)) for mark in marks if mark.phases or mark.is_outlier]
    return MARGIN * max(LEAST_KM, 1.2 * event.origin.horizontal_uncertainty_km, *heard, 0.0)


def draw_map(axes: Any, event: Event, marks: Sequence[Mark]) -> float:
    """Kilometres from the epicentre, with degrees written beside; returns how far it reaches."""
    half_km = reach_km(event, marks)
    shown = [mark for mark in marks if max(abs(mark.east_km), abs(mark.north_km)) <= half_km]
    for mark in shown:
        _draw_station(axes, mark, is_named=len(shown) <= FULL_LABELS or bool(mark.phases))
    covariance = covariance_of(event.origin)
    if covariance is not None:
        shift_km = mean_km(event.origin)
        north_km, east_km = ellipse(covariance, NORTH, EAST)
        north_km, east_km = north_km + shift_km[0], east_km + shift_km[1]
        axes.fill(east_km, north_km, color="#E69F00", alpha=0.35, lw=0)
        axes.plot(east_km, north_km, color="#E69F00", lw=1.0, label="68 %")
    axes.plot(0, 0, "*", color="#D55E00", mec="black", mew=0.5, ms=11, zorder=5)
    axes.set_xlim(-half_km, half_km)
    axes.set_ylim(-half_km, half_km)
    axes.set_aspect("equal")
    _write_degrees(axes, event.origin, half_km)
    _draw_scale(axes, half_km)
    return half_km


def _draw_station(axes: Any, mark: Mark, *, is_named: bool) -> None:
    heard = mark.phases or mark.is_outlier
    face = {frozenset("P"): COLOURS["P"], frozenset("S"): COLOURS["S"], frozenset("PS"): "black"}.get(
        mark.phases, "white"
    )
    colour = "black" if heard else "#888888"
    axes.plot(mark.east_km, mark.north_km, "^", ms=5.5 if heard else 4, mfc=face, mec=colour, mew=0.7)
    if is_named:
        text = f"({mark.name})" if mark.is_outlier else mark.name
        axes.annotate(
            text,
            (mark.east_km, mark.north_km),
            (0, -4),
            textcoords="offset points",
            fontsize=5,
            ha="center",
            va="top",
            color=colour,
        )


def _write_degrees(axes: Any, origin: Origin, half_km: float) -> None:
    """Ticks at round degrees."""
    scales = {
        "x": (origin.longitude_deg, KM_PER_DEG * max(math.cos(math.radians(origin.latitude_deg)), 0.01)),
        "y": (origin.latitude_deg, KM_PER_DEG),
    }
    for name, (centre_deg, km_a_degree) in scales.items():
        step_deg = _round_step(2 * half_km / km_a_degree / 6)
        first = math.ceil((centre_deg - half_km / km_a_degree) / step_deg)
        last = math.floor((centre_deg + half_km / km_a_degree) / step_deg)
        degrees = [number * step_deg for number in range(first, last + 1)]
        digits = max(0, -math.floor(math.log10(step_deg)))
        letters = "EW" if name == "x" else "NS"
        labels = [f"{abs(_wrapped(d)):.{digits}f}°{letters[_wrapped(d) < 0]}" for d in degrees]
        getattr(axes, f"set_{name}ticks")([(d - centre_deg) * km_a_degree for d in degrees], labels, fontsize=6)
    axes.grid(alpha=0.25)


def _wrapped(degrees: float) -> float:
    return degrees if abs(degrees) <= 180 else (degrees + 180) % 360 - 180


def _round_step(wanted: float) -> float:
    """1, 2 or 5 times a power of ten, not below what is wanted."""
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= wanted * 0.999)


def _draw_scale(axes: Any, half_km: float) -> None:
    length_km = _round_step(half_km / 4)
    left, low = -0.94 * half_km, -0.93 * half_km
    axes.plot([left, left + length_km], [low, low], color="black", lw=2)
    axes.text(left + length_km / 2, low + 0.02 * half_km, f"{length_km:g} km", ha="center", va="bottom", fontsize=6)


def draw_depths(axes: Any, event: Event) -> None:
    """From west to east: the hypocentre, its 68 % ellipse, and the 68 % interval of its depth."""
    origin = event.origin
    half_km = max(LEAST_KM, 2.5 * origin.horizontal_uncertainty_km)
    top, bottom = origin.depth_lower_km, origin.depth_upper_km
    covariance = covariance_of(origin)
    if covariance is not None:
        shift_km = mean_km(origin)
        east_km, below_km = ellipse(covariance, EAST, DOWN)
        east_km, depth_km = east_km + shift_km[1], origin.depth_km + below_km + shift_km[2]
        axes.fill(east_km, depth_km, color="#E69F00", alpha=0.35, lw=0)
        axes.plot(east_km, depth_km, color="#E69F00", lw=1.0)
        half_km = max(half_km, 1.2 * float(np.abs(east_km).max()))
        top, bottom = min(top, float(depth_km.min())), max(bottom, float(depth_km.max()))
    axes.plot([0, 0], [origin.depth_lower_km, origin.depth_upper_km], color="black", lw=1.2)
    axes.plot(0, origin.depth_km, "*", color="#D55E00", mec="black", mew=0.5, ms=10, zorder=5)
    axes.axhline(0, color="#888888", lw=0.8)
    axes.set_xlim(-half_km, half_km)
    axes.set_ylim(max(bottom, origin.depth_km) + 3, min(0.0, top, origin.depth_km) - 1.5)
    axes.set_xlabel("km east of the epicentre", fontsize=7)
    axes.set_ylabel("depth, km" + (" (fixed)" if origin.depth_is_fixed else ""), fontsize=7)
    axes.tick_params(labelsize=6)
    axes.grid(alpha=0.25)


def write_summary(axes: Any, event: Event) -> None:
    """Magnitudes, what kind of event it was, and what made the solution."""
    lines = []
    for magnitude in (each for each in event.magnitudes if not each.absent_reason):
        value = f"{magnitude.value:.2f} ± {magnitude.uncertainty:.2f}  ({magnitude.stations} stations)"
        mark = "*" if magnitude.type == event.preferred_magnitude else " "
        lines.append(f"{mark}{magnitude.type:<8} {value}")
    kinds = sorted(((value, field.name) for field, value in event.type_probabilities.ListFields()), reverse=True)
    lines.append(" " + ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for value, name in kinds[:3]))
    made = event.provenance
    lines.append(f" velocity {made.velocity_model or '-'}, kensoku {made.software_version or '-'}")
    lines.append(" " + ", ".join(f"{model.name}/{model.version}" for model in made.models))
    lines.append(f" {event.origin.quality_reason}")
    # Last, as there is hardly room for five of them.
    lines += [f" {each.type:<8} - {each.absent_reason}" for each in event.magnitudes if each.absent_reason]
    wrapped = [
        part
        for text in lines
        if text.strip()
        for part in wrap(text, WIDTH, subsequent_indent="    ", drop_whitespace=False)
    ]
    shown = "\n".join("".join(c for c in text if c.isprintable()) for text in wrapped[:MOST_LINES])
    axes.text(0.0, 1.0, shown, transform=axes.transAxes, va="top", fontsize=6, family="monospace")
    axes.set_axis_off()
