"""What spoils a training window: disturbances, gaps, components that are missing or dead, offsets."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from kensoku.simulation.disturbances import (
    COMPONENTS,
    IN_SENSOR,
    Disturbance,
    Kind,
    add_footsteps,
    add_to_sensor,
    corrupt,
    draw_disturbance,
    vehicle_power,
)
from kensoku.simulation.instruments import Sensor
from kensoku.simulation.randomness import FloatArray

DISTURBED = 0.2  # share of windows
KINDS = {  # how often each kind is among disturbances
    Kind.FOOTSTEPS: 0.25,
    Kind.VEHICLE: 0.15,
    Kind.LIGHTNING: 0.25,
    Kind.CALIBRATION: 0.1,
    Kind.RECENTRING: 0.05,
    Kind.BIT_ERROR: 0.1,
    Kind.REPEAT: 0.1,
}
MOST_DISTURBANCES = 3
BEGUN_BEFORE = 0.5  # of what lasts: begins up to BEFORE_S before the window
BEFORE_S = 30.0
FAINTER = 1.5  # decades by which a disturbance may be smaller than a scenario's

INTERRUPTED = 0.08  # share of windows with gaps
GAP_S = (0.05, 8.0)
MOST_GAPS = 3
GAP_OF_ALL = 0.75  # share of gaps that all components have

VERTICAL_ALONE = 0.06  # shares of windows
ONE_MISSING = 0.03
ONE_DEAD = 0.03

OFFSET = 0.5  # share of windows
OFFSET_COUNTS = (1.0, 3e4)


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples that never came: zeros."""

    components: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Mishaps:
    disturbances: tuple[Disturbance, ...]  # `start_ns` counts from the window's first sample
    gaps: tuple[Gap, ...]
    dead: str  # components that stay where they are
    offset_counts: tuple[float, float, float]


def draw_mishaps(sensor: Sensor, lasts_s: float, rate_hz: int, chance: np.random.Generator) -> Mishaps:
    count = chance.integers(1, MOST_DISTURBANCES + 1) if chance.random() < DISTURBED else 0
    disturbances = [_draw_disturbance(lasts_s, chance) for _ in range(count)]
    size = round(lasts_s * rate_hz)
    offset = np.exp(chance.uniform(*np.log(OFFSET_COUNTS))) if chance.random() < OFFSET else 0.0
    z, n, e = (float(counts) for counts in offset * chance.standard_normal(3))
    state, component = chance.random(), COMPONENTS[chance.integers(3)]
    missing = "NE" if state < VERTICAL_ALONE else component if state < VERTICAL_ALONE + ONE_MISSING else ""
    gaps = [Gap(missing, 0, size)] if missing else []
    if chance.random() < INTERRUPTED:
        gaps += [_draw_gap(size, rate_hz, chance) for _ in range(chance.integers(1, MOST_GAPS + 1))]
    return Mishaps(
        tuple(each for each in disturbances if sensor.is_broadband or each.kind is not Kind.RECENTRING),
        tuple(gaps),
        component if not missing and state > 1 - ONE_DEAD else "",
        (z, n, e),
    )


def _draw_disturbance(lasts_s: float, chance: np.random.Generator) -> Disturbance:
    kind = list(KINDS)[chance.choice(len(KINDS), p=list(KINDS.values()))]
    drawn = draw_disturbance(kind, 0, chance)
    early = chance.random() < BEGUN_BEFORE and drawn.duration_s > 1
    start_s = chance.uniform(-min(drawn.duration_s, BEFORE_S), 0) if early else chance.uniform(0, lasts_s)
    if kind is Kind.REPEAT:  # original and copy lie in the window
        start_s = chance.uniform(drawn.duration_s, lasts_s - drawn.duration_s)
    if kind is Kind.VEHICLE:  # nearest in the middle of its duration
        start_s = chance.uniform(0, lasts_s) - drawn.duration_s / 2
    fainter = 10 ** -chance.uniform(0, FAINTER) if kind in IN_SENSOR else 1.0
    return replace(drawn, start_ns=round(start_s * 1e9), size=drawn.size * fainter)


def _draw_gap(size: int, rate_hz: int, chance: np.random.Generator) -> Gap:
    length = np.exp(chance.uniform(*np.log(GAP_S))) * rate_hz
    start = chance.uniform(-length, size)
    components = COMPONENTS if chance.random() < GAP_OF_ALL else COMPONENTS[chance.integers(3)]
    return Gap(components, max(int(start), 0), min(int(start + length) + 1, size))


# --- what they do -----------------------------------------------------------------------------------------------------


def loudness(mishaps: Mishaps, times_s: FloatArray) -> FloatArray:
    """By which vehicles raise the amplitude of noise."""
    power = np.ones_like(times_s)
    for each in mishaps.disturbances:
        if each.kind is Kind.VEHICLE:
            power += vehicle_power(each, times_s)
    return np.sqrt(power)


def disturb_ground(ground: FloatArray, start_ns: int, rate_hz: int, mishaps: Mishaps) -> None:
    for each in mishaps.disturbances:
        if each.kind is Kind.FOOTSTEPS:
            add_footsteps(ground, start_ns, rate_hz, each)


def disturb_sensor(shape: tuple[int, int], start_ns: int, rate_hz: int, sensor: Sensor, mishaps: Mishaps) -> FloatArray:
    """What comes in behind the sensor, over full scale."""
    output = np.zeros(shape)
    corner = (2 * np.pi * sensor.corner_hz, sensor.damping)
    for each in mishaps.disturbances:
        if each.kind in IN_SENSOR:
            add_to_sensor(output, start_ns, rate_hz, each, corner, 1.0)
    return output


def spoil(counts: npt.NDArray[np.int32], rate_hz: int, mishaps: Mishaps) -> None:
    """What telemetry does, in place."""
    for each in mishaps.disturbances:
        if each.kind in (Kind.BIT_ERROR, Kind.REPEAT):
            corrupt(counts, 0, rate_hz, each)
    for component in mishaps.dead:
        row = COMPONENTS.index(component)
        counts[row] = round(mishaps.offset_counts[row])
    interrupt(counts, mishaps.gaps)


def silence(waves: npt.NDArray[np.floating[Any]], mishaps: Mishaps) -> None:
    """No wave can be seen where nothing was recorded."""
    waves[[COMPONENTS.index(component) for component in mishaps.dead]] = 0
    interrupt(waves, mishaps.gaps)


def interrupt(record: npt.NDArray[Any], gaps: tuple[Gap, ...]) -> None:
    for gap in gaps:
        record[[COMPONENTS.index(component) for component in gap.components], gap.start : gap.stop] = 0
