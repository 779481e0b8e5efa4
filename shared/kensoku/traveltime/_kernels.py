"""One lookup in a table of travel times, compiled, for other compiled code too."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kensoku.compiled import compiled, inlined

LEAST_R_KM = 1e-9


class TableArrays(NamedTuple):
    """What compiled code must know of a table."""

    nodes: npt.NDArray[np.float32]  # T / r, its slopes over distance and depth; elevation, depth, distance
    dips: npt.NDArray[np.int8]
    kinked: npt.NDArray[np.bool_]  # elevation, depth, distance
    depths_km: npt.NDArray[np.float64]
    elevations_km: npt.NDArray[np.float64]
    station_slowness: npt.NDArray[np.float64]  # by elevation
    first_row: npt.NDArray[np.int64]  # by step of depth
    has_more_rows: npt.NDArray[np.bool_]  # whether others begin within the step
    farthest_km: float
    distance_step_km: float
    highest_km: float
    deepest_km: float
    depth_step_km: float


Three = tuple[float, float, float]


@inlined
def time_at(table: Any, distance_km: float, depth_km: float, elevation_km: float) -> Three:
    """Time and its slopes over distance and depth; everything must lie within the table."""
    step = int((depth_km - table.highest_km) / table.depth_step_km)
    row = table.first_row[step]
    if table.has_more_rows[step]:
        while row + 1 < table.depths_km.size and table.depths_km[row + 1] <= depth_km:
            row += 1
    row = min(row, table.depths_km.size - 2)
    column = min(int(distance_km / table.distance_step_km), table.nodes.shape[3] - 2)
    level, last = 0, table.elevations_km.size - 1
    while level + 1 < last and table.elevations_km[level + 1] <= elevation_km:
        level += 1
    is_kinked = table.kinked[level, row, column]
    time = across = down = 0.0
    for number in range(level, min(level + 2, last + 1)):
        if is_kinked:
            here = _earliest(table, number, row, column, distance_km, depth_km, elevation_km)
        else:
            here = _smooth(
                table.nodes, number, row, column, distance_km / table.distance_step_km - column,
                depth_km - table.depths_km[row], table.depths_km[row + 1] - table.depths_km[row],
                table.distance_step_km, distance_km, depth_km + elevation_km,
            )  # fmt: skip
        if number == level or (is_kinked and here[0] < time):
            time, across, down = here
        elif not is_kinked:
            low = table.elevations_km[level]
            share = (elevation_km - low) / (table.elevations_km[level + 1] - low)
            time, across, down = (
                time + share * (here[0] - time),
                across + share * (here[1] - across),
                down + share * (here[2] - down),
            )
    return time, across, down


@inlined
def _smooth(
    nodes: Any, level: int, row: int, column: int, s: float, below: float, height: float, width: float, x: float,
    up: float,
) -> Three:  # fmt: skip
    """Cubic along both edges of constant depth, then cubic between them; `below` the upper one, at a depth `up` below
    the station."""
    per_width, per_height = 1 / width, 1 / height
    t = below * per_height
    f00, f01 = float(nodes[0, level, row, column]), float(nodes[0, level, row, column + 1])
    f10, f11 = float(nodes[0, level, row + 1, column]), float(nodes[0, level, row + 1, column + 1])
    x00, x01 = float(nodes[1, level, row, column]), float(nodes[1, level, row, column + 1])
    x10, x11 = float(nodes[1, level, row + 1, column]), float(nodes[1, level, row + 1, column + 1])
    z00, z01 = float(nodes[2, level, row, column]), float(nodes[2, level, row, column + 1])
    z10, z11 = float(nodes[2, level, row + 1, column]), float(nodes[2, level, row + 1, column + 1])
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


@compiled
def _corner(table: Any, level: int, row: int, column: int) -> Three:
    """Of T where the wave dips to an interface, else of T / r."""
    slowness = float(table.nodes[0, level, row, column])
    across, down = float(table.nodes[1, level, row, column]), float(table.nodes[2, level, row, column])
    if table.dips[level, row, column] == 0:
        return slowness, across, down
    x, height = column * table.distance_step_km, table.depths_km[row] + table.elevations_km[level]
    return _times(slowness, across, down, x, height)


@compiled
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


@compiled
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


@compiled
def look_up(table: Any, distance_km: Any, depth_km: Any, elevation_km: Any, found: Any) -> None:
    """Into the three rows of `found`."""
    for number in range(distance_km.size):
        time, across, down = time_at(table, distance_km[number], depth_km[number], elevation_km[number])
        found[0, number], found[1, number], found[2, number] = time, across, down
