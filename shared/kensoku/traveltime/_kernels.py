"""One lookup in a table of travel times, compiled, for other compiled code too."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kensoku.compiled import inlined, lean

LEAST_R_KM = 1e-9
KINKED = 3


class TableArrays(NamedTuple):
    """What compiled code must know of a table."""

    nodes: npt.NDArray[np.float32]  # (elevation, depth, distance, 4): T / r, its slopes over distance and depth, and
    # whether different waves reach the cell that begins there; beside one another, as the processor fetches them
    dips: npt.NDArray[np.int8]
    depths_km: npt.NDArray[np.float64]
    elevations_km: npt.NDArray[np.float64]
    station_slowness: npt.NDArray[np.float64]  # by elevation
    first_row: npt.NDArray[np.int64]  # by step of depth
    has_more_rows: npt.NDArray[np.bool_]  # whether others begin within the step
    farthest_km: float
    distance_step_km: float
    steps_per_km: float
    highest_km: float
    deepest_km: float
    depth_step_km: float


Three = tuple[float, float, float]


@inlined
def time_at(table: Any, distance_km: float, depth_km: float, elevation_km: float) -> Three:
    """Time and its slopes over distance and depth; everything must lie within the table."""
    return time_in_row(table, row_of(table, depth_km), distance_km, depth_km, elevation_km)


@inlined
def row_of(table: Any, depth_km: float) -> int:
    """Of the nodes above that depth; it serves all distances."""
    step = int((depth_km - table.highest_km) / table.depth_step_km)
    row = table.first_row[step]
    if table.has_more_rows[step]:
        while row + 1 < table.depths_km.size and table.depths_km[row + 1] <= depth_km:
            row += 1
    return int(min(row, table.depths_km.size - 2))


@inlined
def time_in_row(table: Any, row: int, distance_km: float, depth_km: float, elevation_km: float) -> Three:
    along = distance_km * table.steps_per_km
    column = min(int(along), table.nodes.shape[2] - 2)
    top = table.depths_km[row]
    height = table.depths_km[row + 1] - top
    below, s, up = depth_km - top, along - column, depth_km + elevation_km
    if table.elevations_km.size == 1:
        if table.nodes[0, row, column, KINKED] > 0:
            return _earliest(table, 0, row, column, distance_km, depth_km, elevation_km)
        return _smooth(table.nodes, 0, row, column, s, below, height, table.steps_per_km, distance_km, up)
    level, last = 0, table.elevations_km.size - 1
    while level + 1 < last and table.elevations_km[level + 1] <= elevation_km:
        level += 1
    return _between(table, level, row, column, s, below, height, distance_km, depth_km, elevation_km)


@inlined
def _between(
    table: Any, level: int, row: int, column: int, s: float, below: float, height: float, distance: float, depth: float,
    elevation: float,
) -> Three:  # fmt: skip
    """Two levels of elevation."""
    if table.nodes[level, row, column, KINKED] > 0:
        one = _earliest(table, level, row, column, distance, depth, elevation)
        other = _earliest(table, level + 1, row, column, distance, depth, elevation)
        return one if one[0] <= other[0] else other
    low, high = table.elevations_km[level], table.elevations_km[level + 1]
    share, up = (elevation - low) / (high - low), depth + elevation
    one = _smooth(table.nodes, level, row, column, s, below, height, table.steps_per_km, distance, up)
    other = _smooth(table.nodes, level + 1, row, column, s, below, height, table.steps_per_km, distance, up)
    return (
        one[0] + share * (other[0] - one[0]),
        one[1] + share * (other[1] - one[1]),
        one[2] + share * (other[2] - one[2]),
    )


@inlined
def _smooth(
    nodes: Any, level: int, row: int, column: int, s: float, below: float, height: float, per_width: float, x: float,
    up: float,
) -> Three:  # fmt: skip
    """Cubic along both edges of constant depth, then cubic between them; `below` the upper one, at a depth `up` below
    the station."""
    width, per_height = 1 / per_width, 1 / height
    t = below * per_height
    f00, f01 = float(nodes[level, row, column, 0]), float(nodes[level, row, column + 1, 0])
    f10, f11 = float(nodes[level, row + 1, column, 0]), float(nodes[level, row + 1, column + 1, 0])
    x00, x01 = float(nodes[level, row, column, 1]), float(nodes[level, row, column + 1, 1])
    x10, x11 = float(nodes[level, row + 1, column, 1]), float(nodes[level, row + 1, column + 1, 1])
    z00, z01 = float(nodes[level, row, column, 2]), float(nodes[level, row, column + 1, 2])
    z10, z11 = float(nodes[level, row + 1, column, 2]), float(nodes[level, row + 1, column + 1, 2])
    near, near_across = _cubic(f01 - f00, x00, x01, s, width, per_width)
    far, far_across = _cubic(f11 - f10, x10, x11, s, width, per_width)
    near_turn, far_turn = z01 - z00, z11 - z10
    under, down = _cubic(f10 - f00 + (far - near), z00 + s * near_turn, z10 + s * far_turn, t, height, per_height)
    u = 1 - t
    bend = height * (t * u) * (u * near_turn - t * far_turn) * per_width
    across = near_across + t * t * (3 - 2 * t) * (far_across - near_across) + bend
    return _times(f00 + (near + under), across, down, x, up)


@inlined
def _cubic(rise: float, d0: float, d1: float, s: float, width: float, per_width: float) -> tuple[float, float]:
    """What Hermite's cubic has gained at s from 0 to 1 of the width, over which it rises; and its slope."""
    mean = rise * per_width
    a, b = d0 - mean, d1 - mean
    both, u = a + b, 1 - s
    inner = a - s * both
    return width * s * (mean + u * inner), mean + (u - s) * inner - s * u * both


@inlined
def _times(slowness: float, across: float, down: float, x: float, height: float) -> Three:
    """T = slowness r and its slopes."""
    r = max(np.sqrt(x * x + height * height), LEAST_R_KM)
    over_r = slowness / r
    return slowness * r, over_r * x + across * r, over_r * height + down * r


@lean
def _corner(table: Any, level: int, row: int, column: int) -> Three:
    """Of T where the wave dips to an interface, else of T / r."""
    slowness = float(table.nodes[level, row, column, 0])
    across, down = float(table.nodes[level, row, column, 1]), float(table.nodes[level, row, column, 2])
    if table.dips[level, row, column] == 0:
        return slowness, across, down
    x, height = column * table.distance_step_km, table.depths_km[row] + table.elevations_km[level]
    return _times(slowness, across, down, x, height)


@lean
def _earliest(table: Any, level: int, row: int, column: int, distance: float, depth: float, elevation: float) -> Three:
    """Of the waves at the corners, each carried on as it changes least (T / r of one that comes straight, T of one that
    dips to an interface), with the curvature between corners that it reaches."""
    step, base = table.distance_step_km, table.elevations_km[level]
    height, climb = depth + base, elevation - base
    r = max(np.sqrt(distance * distance + height * height), LEAST_R_KM)
    best = (np.inf, 0.0, 0.0)
    for i in range(2):
        for j in range(2):
            own_row, own_column = row + i, column + j
            dip = table.dips[level, own_row, own_column]
            value, across, down = _corner(table, level, own_row, own_column)
            dx, dz = distance - own_column * step, depth - table.depths_km[own_row]
            other_row, other_column = row + 1 - i, column + 1 - j
            bend_x = bend_z = 0.0
            if table.dips[level, own_row, other_column] == dip:
                beside = _corner(table, level, own_row, other_column)
                bend_x = (beside[1] - across) / ((other_column - own_column) * step)
            if table.dips[level, other_row, own_column] == dip:
                under = _corner(table, level, other_row, own_column)
                bend_z = (under[2] - down) / (table.depths_km[other_row] - table.depths_km[own_row])
            value += (across + bend_x * dx / 2) * dx + (down + bend_z * dz / 2) * dz
            across += bend_x * dx
            down += bend_z * dz
            wave = _risen(value, across, down, dip == 0, distance, height, climb, r, table.station_slowness[level])
            if wave[0] < best[0]:
                best = wave
    return best


@lean
def _risen(
    value: float, across: float, down: float, is_straight: bool, x: float, height: float, climb: float, r: float,
    slowness: float,
) -> Three:  # fmt: skip
    """From the level of the table up to the station."""
    ray_parameter = _times(value, across, down, x, height)[1] if is_straight else across
    vertical = np.sqrt(max(slowness * slowness - ray_parameter * ray_parameter, 0.0))
    if not is_straight:
        return value + vertical * climb, across, down
    return _times(value + climb * (vertical - value * height / r) / r, across, down, x, height + climb)


@lean
def look_up(table: Any, distance_km: Any, depth_km: Any, elevation_km: Any, found: Any) -> None:
    """Into the three rows of `found`."""
    for number in range(distance_km.size):
        time, across, down = time_at(table, distance_km[number], depth_km[number], elevation_km[number])
        found[0, number], found[1, number], found[2, number] = time, across, down
