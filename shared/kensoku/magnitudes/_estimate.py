"""The magnitude of an event by one formula, of all stations, and why stations are not in it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from math import hypot

from kensoku.errors import SettingInvalid
from kensoku.magnitudes._amplitudes import Found, LeftOut, find_amplitude
from kensoku.magnitudes._formula import Formula
from kensoku.magnitudes._formula_files import NO_CORRECTIONS, Corrections
from kensoku.magnitudes._network import NetworkValue, Vote, combine
from kensoku.magnitudes._readings import Reading
from kensoku.v1.event_pb2 import (
    MAGNITUDE_BOUND_LOWER,
    MAGNITUDE_BOUND_UNSPECIFIED,
    MAGNITUDE_BOUND_UPPER,
    Magnitude,
    StationMagnitude,
)
from kensoku.v1.pick_pb2 import Instrument

LOG_E = 0.434  # of a small relative error, in log10
MOST_NAMED = 3  # stations a reason
BOUNDS = {"none": MAGNITUDE_BOUND_UNSPECIFIED, "lower": MAGNITUDE_BOUND_LOWER, "upper": MAGNITUDE_BOUND_UPPER}


@dataclass(frozen=True, slots=True)
class Estimate:
    """`left_out` says of each station that has no reading why, and of bounds that they are."""

    magnitude: Magnitude
    left_out: tuple[str, ...]
    bounds: int  # stations of which only a bound is known, whether they pulled or not
    firm: int  # the others that count

    @property
    def has_value(self) -> bool:
        return not self.magnitude.absent_reason


@dataclass(frozen=True, slots=True)
class _Station:
    reading: Reading
    found: Found
    vote: Vote
    correction: float

    @property
    def rank(self) -> tuple[bool, float]:
        return self.vote.bound == "none", self.vote.weight


def estimate(
    readings: Iterable[Reading], depth_km: float, formula: Formula, corrections: Corrections = NO_CORRECTIONS
) -> Estimate:
    """One vote a station: of co-located instruments that which is no bound and has least noise; others weigh 0."""
    low, high = formula.depths_km
    if not low <= depth_km <= high:
        reason = f"the source is at {depth_km:.0f} km; {formula} is for {low:g} to {high:g} km"
        return _absent(formula, [reason], [])
    stations, left_out = _stations(readings, depth_km, formula, corrections)
    votes = [station.vote for station in stations]
    value = combine(votes, formula.scatter)
    if value is None:
        return _absent(formula, _reasons(stations, left_out), stations)
    least, most = formula.magnitudes
    if not least <= value.value <= most:
        reason = f"{value.value:.1f} is not of {least:g} to {most:g}, of which alone {formula} says something"
        return _absent(formula, [reason], stations)
    return _present(formula, value, stations, _reasons(stations, left_out))


def estimate_all(
    readings: Sequence[Reading],
    depth_km: float,
    formulas: Sequence[Formula],
    corrections: Mapping[str, Corrections] | None = None,
) -> tuple[Estimate, ...]:
    """By each formula; `corrections` by NAME/VERSION of a formula."""
    types = [formula.type for formula in formulas]
    if len(set(types)) < len(types):
        raise SettingInvalid(f"found formulas of {', '.join(types)}; expected one of each type, or leave one out")
    known = corrections or {}
    return tuple(estimate(readings, depth_km, each, known.get(str(each), NO_CORRECTIONS)) for each in formulas)


# --- stations ---------------------------------------------------------------------------------------------------------


def _stations(
    readings: Iterable[Reading], depth_km: float, formula: Formula, corrections: Corrections
) -> tuple[list[_Station], list[tuple[str, str]]]:
    """Votes by instrument, and (why, which instrument) for those without one."""
    stations, left_out = [], []
    for name, of_instrument in groupby(sorted(readings, key=lambda each: each.name), key=lambda each: each.name):
        try:
            stations.append(_station(list(of_instrument), depth_km, formula, corrections))
        except LeftOut as reason:
            left_out.append((str(reason), name))
    return _one_a_station(stations), left_out


def amplitudes_of(readings: Iterable[Reading], formula: Formula) -> Iterator[tuple[float, Found]]:
    """Distance and amplitude of each instrument that has one."""
    for _, of_instrument in groupby(sorted(readings, key=lambda each: each.name), key=lambda each: each.name):
        with suppress(LeftOut):
            _, distance_km, found = _find(list(of_instrument), formula)
            yield distance_km, found


def _find(readings: Sequence[Reading], formula: Formula) -> tuple[Reading, float, Found]:
    fitting = [reading for reading in readings if reading.fits]
    if not fitting:
        raise LeftOut("its picks do not suit the origin")
    reading = fitting[0]
    distance_km = formula.reach_km(reading.epicentral_km, reading.hypocentral_km)
    low, high = formula.distances_km
    if not low <= distance_km <= high:
        raise LeftOut(f"not {low:g} to {high:g} km away")
    return reading, distance_km, find_amplitude(fitting, formula)


def _station(readings: list[Reading], depth_km: float, formula: Formula, corrections: Corrections) -> _Station:
    reading, distance_km, found = _find(readings, formula)
    correction = corrections.get(reading.station, 0.0)
    value = formula.magnitude(found.value, distance_km, depth_km) + correction
    error = formula.slope * LOG_E * found.noise_share
    vote = Vote(value, 1 / (1 + (error / formula.scatter) ** 2), found.bound)
    return _Station(reading, found, vote, correction)


def _one_a_station(stations: Iterable[_Station]) -> list[_Station]:
    kept: list[_Station] = []
    for _, beside in groupby(stations, key=lambda each: each.reading.station):
        co_located = list(beside)
        best = max(co_located, key=lambda each: each.rank)
        kept += [each if each is best else replace(each, vote=replace(each.vote, weight=0.0)) for each in co_located]
    return kept


# --- messages ---------------------------------------------------------------------------------------------------------


def _present(formula: Formula, value: NetworkValue, stations: Sequence[_Station], reasons: Sequence[str]) -> Estimate:
    counted = {station.reading.station for station, w in zip(stations, value.weights, strict=True) if w > 0}
    magnitude = Magnitude(
        type=formula.type,
        value=value.value,
        uncertainty=hypot(value.uncertainty, formula.event_scatter),
        stations=len(counted),
        formula=str(formula),
        contributions=[
            StationMagnitude(
                instrument=_copy(station.reading.instrument),
                value=station.vote.value,
                residual=station.vote.value - value.value,
                weight=weight,
                pick_id=station.found.pick_id,
                correction=station.correction,
                bound=BOUNDS[station.vote.bound],
            )
            for station, weight in zip(stations, value.weights, strict=True)
        ],
    )
    firm = {station.reading.station for station in stations if station.vote.bound == "none"}
    return Estimate(magnitude, tuple(reasons), _bounds(stations), len(firm))


def _copy(instrument: Instrument) -> Instrument:
    copy = Instrument()
    copy.CopyFrom(instrument)
    return copy


def _absent(formula: Formula, reasons: Sequence[str], stations: Sequence[_Station]) -> Estimate:
    reason = "; ".join(reasons) or "no station has a reading"
    magnitude = Magnitude(type=formula.type, formula=str(formula), absent_reason=reason)
    return Estimate(magnitude, tuple(reasons), _bounds(stations), 0)


def _bounds(stations: Sequence[_Station]) -> int:
    return sum(station.vote.bound != "none" and station.vote.weight > 0 for station in stations)


def _reasons(stations: Sequence[_Station], left_out: Sequence[tuple[str, str]]) -> list[str]:
    told = []
    lower = [each for each in stations if each.vote.bound == "lower"]
    upper = [each for each in stations if each.vote.bound == "upper"]
    if lower:
        most = max(each.vote.value for each in lower)
        told.append(f"clipped, or S not recorded yet, so that it is at least {most:.1f}: {_named(lower)}")
    if upper:
        least = min(each.vote.value for each in upper)
        told.append(f"hardly above the noise or in other waves, so that it is at most {least:.1f}: {_named(upper)}")
    for reason, rows in groupby(sorted(left_out), key=lambda row: row[0]):
        told.append(f"{reason}: {_list([name for _, name in rows])}")
    return told


def _named(stations: Sequence[_Station]) -> str:
    return _list([station.reading.name for station in stations])


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
