"""What shakes or spoils a record and is no earthquake: steps, vehicles, lightning, calibration, telemetry.

Each disturbance is drawn in the block of absolute time in which it starts, so its list is truth that can be had without
making a single sample: labelled false positives for training. `add_*` render them where they enter the chain: ground,
sensor output, counts.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from kensoku.simulation.quantities import NotNegative
from kensoku.simulation.randomness import BLOCK_S, FloatArray, draw

BLOCK_NS = BLOCK_S * 10**9
COMPONENTS = "ZNE"
LOOK_AHEAD_S = 1  # the digitiser's filter needs the second that follows: a block of counts is as much before its ground
DAY_S = 86_400

LARGEST_BIT = 22  # below the sign of a 24-bit sample
LONGEST_REPEAT_S = 5.0
STEP_TREMOR_S = 0.5  # how long the ground rings after a footstep


class Kind(StrEnum):
    FOOTSTEPS = "footsteps"  # a person walks past: about two pulses a second
    VEHICLE = "vehicle"  # culture swells and fades within two minutes
    LIGHTNING = "lightning"  # a spike of milliseconds in the sensor's cable, on all components
    CALIBRATION = "calibration"  # a step of current through the calibration coil, and back
    RECENTRING = "recentring"  # a mass is driven back: off scale, then the sensor's own recovery
    BIT_ERROR = "bit_error"  # one sample with one bit wrong
    REPEAT = "repeat"  # a stretch of samples sent twice, in place of the ones that followed


ON_GROUND = frozenset({Kind.FOOTSTEPS, Kind.VEHICLE})
ALL = frozenset(Kind)
IN_SENSOR = frozenset({Kind.LIGHTNING, Kind.CALIBRATION, Kind.RECENTRING})
TELEMETRY = frozenset({Kind.BIT_ERROR, Kind.REPEAT})


@dataclass(frozen=True, slots=True)
class Rates:
    """Disturbances a day, by kind; the fields are named as the kinds are. People move when `activity` says."""

    footsteps: NotNegative = 0.0
    vehicle: NotNegative = 0.0
    lightning: NotNegative = 0.0
    calibration: NotNegative = 0.0
    recentring: NotNegative = 0.0
    bit_error: NotNegative = 0.0
    repeat: NotNegative = 0.0


@dataclass(frozen=True, slots=True)
class Disturbance:
    kind: Kind
    start_ns: int
    duration_s: float  # how long it can be seen at most
    weights: tuple[float, float, float]  # of Z, N and E; 0: this component does not have it
    size: (
        float  # metres a second (footsteps), a ratio of power (vehicle), a share of full scale, or a number of the bit
    )
    detail: float  # 0 to 1: sets what else differs from one to the next

    @property
    def components(self) -> str:
        return "".join(code for code, weight in zip(COMPONENTS, self.weights, strict=True) if weight)


# --- truth ------------------------------------------------------------------------------------------------------------


def list_disturbances(
    seed: int,
    station: str,
    rates: Rates,
    first: int,
    last: int,
    kinds: frozenset[Kind] = ALL,
    utc_offset_h: float = 0.0,
) -> Iterator[Disturbance]:
    """Those drawn in the blocks from `first` to `last`, both included, kind by kind."""
    for kind in Kind:
        per_block = getattr(rates, kind) * (BLOCK_S / DAY_S)
        if kind not in kinds or not per_block:
            continue
        for block in range(first, last + 1):
            yield from _draw_block(seed, station, kind, per_block, block, utc_offset_h)


@functools.lru_cache(maxsize=2**14)  # blocks look back and ahead: each would be drawn for several
def _draw_block(
    seed: int, station: str, kind: Kind, per_block: float, block: int, utc_offset_h: float
) -> tuple[Disturbance, ...]:
    chance = draw(seed, station, f"disturbance/{kind}", block)
    if kind in ON_GROUND:  # people
        per_block *= 2 * float(activity(np.array(block * BLOCK_S + 3600 * utc_offset_h)))
    return tuple(draw_disturbance(kind, block, chance) for _ in range(chance.poisson(per_block)))


def list_touching(seed: int, station: str, rates: Rates, block: int, kinds: frozenset[Kind]) -> Iterator[Disturbance]:
    """Those of these kinds that may be seen in a block."""
    for kind in Kind:
        if kind in kinds:
            reach = -int(-_DURATIONS_S[kind][1] // BLOCK_S)
            yield from list_disturbances(seed, station, rates, block - reach, block, frozenset({kind}))


def activity(local_time_s: FloatArray) -> FloatArray:
    """How busy people are: 0 in the small hours, 1 on a working day, 0.4 at weekends; 1970 began on a Thursday."""
    hour = local_time_s / 3600 % 24
    weekday = np.floor(local_time_s / 86_400 + 3) % 7
    busy = 1 / (1 + np.exp((6.5 - hour) / 0.7)) - 1 / (1 + np.exp((19.5 - hour) / 0.8))
    people: FloatArray = busy * np.where(weekday < 5, 1.0, 0.4)
    return people


def draw_disturbance(kind: Kind, block: int, chance: np.random.Generator) -> Disturbance:
    place, length, size, detail, *weights = (float(u) for u in chance.random(7))
    duration_s = _DURATIONS_S[kind][0] + length * (_DURATIONS_S[kind][1] - _DURATIONS_S[kind][0])
    smallest, largest = _SIZES[kind]
    offset_s = place * BLOCK_S
    if kind is Kind.REPEAT:  # original and copy lie in one block
        offset_s = duration_s + place * (BLOCK_S - 2 * duration_s)
    if kind in TELEMETRY:
        offset_s -= LOOK_AHEAD_S
    return Disturbance(
        kind=kind,
        start_ns=block * BLOCK_NS + round(offset_s * 1e9),
        duration_s=duration_s,
        weights=_draw_weights(kind, weights),
        size=smallest * (largest / smallest) ** size,
        detail=detail,
    )


def _draw_weights(kind: Kind, uniform: list[float]) -> tuple[float, float, float]:
    if kind in (Kind.RECENTRING, Kind.BIT_ERROR):  # one component at a time
        hit = int(uniform[0] * 3)
        return (float(hit == 0), float(hit == 1), float(hit == 2))
    if kind in (Kind.FOOTSTEPS, Kind.LIGHTNING):
        z, n, e = (0.3 + 0.7 * u for u in uniform)
        return (z, n, -e)
    return (1.0, 1.0, 1.0)


_DURATIONS_S = {
    Kind.FOOTSTEPS: (4.0, 20.0),
    Kind.VEHICLE: (120.0, 120.0),
    Kind.LIGHTNING: (0.2, 0.2),
    Kind.CALIBRATION: (300.0, 300.0),
    Kind.RECENTRING: (300.0, 300.0),
    Kind.BIT_ERROR: (0.0, 0.0),
    Kind.REPEAT: (0.5, LONGEST_REPEAT_S),
}
_SIZES = {
    Kind.FOOTSTEPS: (1e-7, 3e-6),
    Kind.VEHICLE: (3.0, 300.0),
    Kind.LIGHTNING: (1e-4, 1.0),
    Kind.CALIBRATION: (0.01, 0.3),
    Kind.RECENTRING: (0.5, 5.0),
    Kind.BIT_ERROR: (8.0, LARGEST_BIT + 1.0),
    Kind.REPEAT: (1.0, 1.0),
}


# --- on the ground ----------------------------------------------------------------------------------------------------


def vehicle_power(vehicle: Disturbance, times_s: FloatArray) -> FloatArray:
    """How much a vehicle adds to the power of cultural noise: nearest in the middle, and exactly 0 at both ends."""
    passage_s = 3.0 + 9.0 * vehicle.detail  # distance from the road over speed
    half_s = vehicle.duration_s / 2
    since_s = times_s - vehicle.start_ns / 1e9 - half_s
    taper = np.cos(np.clip(since_s / half_s, -1.0, 1.0) * (np.pi / 2))
    power: FloatArray = vehicle.size * taper**2 / (1.0 + (since_s / passage_s) ** 2) ** 1.5
    return power


def add_footsteps(ground: npt.NDArray[np.floating[Any]], start_ns: int, rate_hz: int, walk: Disturbance) -> None:
    """Adds in place: at every step the ground rings at 15 to 35 Hz for some hundredths of a second."""
    frequency_hz = min(15.0 + 20.0 * walk.detail, 0.35 * rate_hz)
    pace_s = 0.45 + 0.2 * walk.detail
    since_s = (start_ns - walk.start_ns) / 1e9
    for step in range(int((walk.duration_s - STEP_TREMOR_S) / pace_s)):
        stretch = _overlap(ground.shape[1], rate_hz, step * pace_s - since_s, STEP_TREMOR_S)
        if stretch is None:
            continue
        time_s = np.arange(stretch.start, stretch.stop) / rate_hz + since_s - step * pace_s
        nearness = np.sin(np.pi * (step + 1) * pace_s / walk.duration_s) ** 2
        pulse = walk.size * nearness * np.exp(-time_s / 0.06) * np.sin(2 * np.pi * frequency_hz * time_s)
        _add(ground, stretch, walk, pulse)


# --- between sensor and digitiser -------------------------------------------------------------------------------------


def add_to_sensor(
    output: FloatArray, start_ns: int, rate_hz: int, disturbance: Disturbance, corner: tuple[float, float], full: float
) -> None:
    """Adds lightning, a calibration or a re-centring in place; `full` is the full scale in the unit of `output`.

    `corner` is the sensor's natural angular frequency and damping; a frequency of 0 is that of an accelerometer.
    """
    since_s = (start_ns - disturbance.start_ns) / 1e9
    stretch = _overlap(output.shape[1], rate_hz, -since_s, disturbance.duration_s)
    if stretch is None:
        return
    time_s = np.arange(stretch.start, stretch.stop) / rate_hz + since_s
    if disturbance.kind is Kind.LIGHTNING:
        shape = np.exp(-time_s / (0.002 + 0.02 * disturbance.detail))
    else:
        shape = _step_response(time_s, *corner)
        if disturbance.kind is Kind.CALIBRATION:
            shape -= _step_response(time_s - (5.0 + 15.0 * disturbance.detail), *corner)
    sign = 1.0 if disturbance.detail < 0.5 else -1.0
    _add(output, stretch, disturbance, sign * disturbance.size * full * shape)


def _step_response(time_s: FloatArray, angular_hz: float, damping: float) -> FloatArray:
    """A pendulum's velocity after a step of force at time 0, over its largest value; without a corner, the step."""
    if not angular_hz:
        return (time_s >= 0).astype(np.float64)
    ringing = angular_hz * np.sqrt(1 - damping**2)
    peak_s = np.arctan2(np.sqrt(1 - damping**2), damping) / ringing
    peak = np.exp(-damping * angular_hz * peak_s) * np.sin(ringing * peak_s)
    after_s = np.maximum(time_s, 0.0)
    response: FloatArray = np.exp(-damping * angular_hz * after_s) * np.sin(ringing * after_s) / peak
    return response


# --- telemetry --------------------------------------------------------------------------------------------------------


def corrupt(counts: npt.NDArray[np.int32], start_ns: int, rate_hz: int, disturbance: Disturbance) -> None:
    """Flips one bit of one sample, or overwrites a stretch with the one before it, in place."""
    first = round((disturbance.start_ns - start_ns) / 1e9 * rate_hz)
    if disturbance.kind is Kind.REPEAT:
        length = int(disturbance.duration_s * rate_hz)
        counts[:, first : first + length] = counts[:, first - length : first].copy()
        return
    for component, weight in zip(counts, disturbance.weights, strict=False):
        if weight and first < component.size:
            component[first] ^= 1 << int(disturbance.size)


def _overlap(size: int, rate_hz: int, start_s: float, duration_s: float) -> slice | None:
    first = max(0, int(np.ceil(start_s * rate_hz)))
    last = min(size, int(np.ceil((start_s + duration_s) * rate_hz)))
    return slice(first, last) if first < last else None


def _add(target: npt.NDArray[np.floating[Any]], stretch: slice, disturbance: Disturbance, pulse: FloatArray) -> None:
    for component, weight in zip(target, disturbance.weights, strict=False):
        if weight:
            component[stretch] += (weight * pulse).astype(target.dtype)
