"""Reads grids of travel times that NonLinLoc's Grid2Time wrote: a header in words and a buffer of numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kensoku.errors import InputInvalid
from kensoku.traveltime._model import Wave
from kensoku.traveltime._projection import Projection
from kensoku.traveltime._time_grid import LATEST_S, TimeGrid

WAVES: Mapping[str, Wave] = {"P": "P", "S": "S"}
TYPES = {"FLOAT": "f4", "DOUBLE": "f8"}
SIMPLE = ("LatOrig", "LongOrig", "RotCW")
LAMBERT = ("LatOrig", "LongOrig", "FirstStdParal", "SecondStdParal", "RotCW")
SAMPLES = 10_000  # numbers that tell the order of bytes
LEAST_S = 1e-6  # more than nothing
ENOUGH = 0.5  # of the numbers are times


def read_time_grids(folder: Path) -> dict[tuple[str, Wave], TimeGrid]:
    """All of a folder, `NAME.P.STATION.time.hdr` with its `.buf`, by station as NonLinLoc calls it and wave."""
    headers = sorted(folder.glob("*.time.hdr")) if folder.is_dir() else []
    if not headers:
        raise InputInvalid(f"found no NAME.P.STATION.time.hdr in {folder}, expected the grids that Grid2Time writes")
    grids: dict[tuple[str, Wave], TimeGrid] = {}
    for header in headers:
        grid = read_time_grid(header)
        key = grid.station, grid.wave
        if key in grids:
            raise InputInvalid(f"found two grids of {grid.wave} at {grid.station} in {folder}; take one away")
        grids[key] = grid
    return grids


def read_time_grid(header: Path) -> TimeGrid:
    """The wave is the part of the name before the station, as in `layer.P.CLC.time.hdr`."""
    parts = header.name.split(".")
    waves = [WAVES[part] for part in parts[1:-3] if part in WAVES]
    if parts[-1] != "hdr" or not waves:
        raise InputInvalid(f"found {header.name}, expected a name such as layer.P.CLC.time.hdr with P or S")
    try:
        lines = [line.split() for line in header.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputInvalid(f"cannot read {header}: {error}; expected NonLinLoc's header of a grid in words") from None
    if len(lines) < 3:
        raise InputInvalid(f"found {len(lines)} lines in {header}, expected 3: the grid, the station and TRANSFORM")
    shape, origin, step, kind, number = _first_line(header, lines[0])
    label, place = _station(header, lines[1])
    times = _read_times(header.with_suffix(".buf"), shape, number)
    return TimeGrid(label, waves[0], place, origin, step, _projection(header, lines[2]), times, kind == "TIME2D")


Three = tuple[float, float, float]


def _first_line(header: Path, fields: list[str]) -> tuple[tuple[int, int, int], Three, Three, str, str]:
    expected = "nx ny nz, origin x y z, steps x y z, TIME or TIME2D and perhaps FLOAT or DOUBLE"
    try:
        nx, ny, nz = map(int, fields[:3])
        x, y, z, dx, dy, dz = map(float, fields[3:9])
        kind, number = fields[9], fields[10] if len(fields) > 10 else "FLOAT"
    except (ValueError, IndexError):
        raise InputInvalid(f"found {' '.join(fields)!r} in line 1 of {header}, expected {expected}") from None
    if kind not in ("TIME", "TIME2D"):
        raise InputInvalid(f"found a grid of {kind} in {header}, expected TIME or TIME2D; make it with Grid2Time")
    if number not in TYPES:
        raise InputInvalid(f"found numbers of the kind {number!r} in {header}, expected FLOAT or DOUBLE")
    least = (1, 2, 2) if kind == "TIME2D" else (2, 2, 2)
    if min(dx, dy, dz) <= 0 or any(count < few for count, few in zip((nx, ny, nz), least, strict=True)):
        raise InputInvalid(
            f"found {nx} x {ny} x {nz} nodes and steps {dx:g}, {dy:g}, {dz:g} km in {header}, expected two nodes or "
            "more along each axis, and steps above 0"
        )
    if kind == "TIME2D" and (nx > 2 or y != 0):
        raise InputInvalid(
            f"found TIME2D with {nx} nodes along x and distances from {y:g} km in {header}, expected one and from 0 km"
        )
    return (nx, ny, nz), (x, y, z), (dx, dy, dz), kind, number


def _station(header: Path, fields: list[str]) -> tuple[str, Three]:
    try:
        label, x, y, z = fields[0], *map(float, fields[1:4])
    except (ValueError, IndexError):
        raise InputInvalid(
            f"found {' '.join(fields)!r} in line 2 of {header}, expected the station's name, x, y and z in km"
        ) from None
    return label, (x, y, z)


def _projection(header: Path, fields: list[str]) -> Projection:
    """Names and values take turns."""
    name = fields[1] if len(fields) > 1 and fields[0] in ("TRANSFORM", "TRANS") else ""
    if name not in ("SIMPLE", "LAMBERT"):
        raise InputInvalid(
            f"found {' '.join(fields)!r} in line 3 of {header}, expected TRANSFORM SIMPLE or LAMBERT; make the grids "
            "anew with one of them"
        )
    given = dict(zip(fields[2::2], fields[3::2], strict=False))
    try:
        values = {key: float(given[key]) for key in (SIMPLE if name == "SIMPLE" else LAMBERT)}
        ellipsoid = given["RefEllipsoid"] if name == "LAMBERT" else ""
    except (KeyError, ValueError):
        wanted = SIMPLE if name == "SIMPLE" else ("RefEllipsoid", *LAMBERT)
        raise InputInvalid(f"found {' '.join(fields)!r} in line 3 of {header}, expected {', '.join(wanted)}") from None
    parallels = values.get("FirstStdParal", 0.0), values.get("SecondStdParal", 0.0)
    return Projection(values["LatOrig"], values["LongOrig"], values["RotCW"], ellipsoid, parallels)


def _read_times(buffer: Path, shape: tuple[int, int, int], number: str) -> npt.NDArray[np.floating[Any]]:
    """Kept on disk until they are asked for; in the order of bytes that makes times of them."""
    kind = np.dtype(TYPES[number])
    expected = int(np.prod(shape)) * kind.itemsize
    try:
        found = buffer.stat().st_size
    except OSError as error:
        raise InputInvalid(f"cannot read {buffer}: {error.strerror}; expected it beside its header") from None
    if found != expected:
        raise InputInvalid(
            f"found {found:,} bytes in {buffer}, expected {expected:,}: {' x '.join(map(str, shape))} numbers of "
            f"{kind.itemsize}; copy it whole, or correct FLOAT and DOUBLE in its header"
        )
    for order in "<>":
        times: npt.NDArray[np.floating[Any]] = np.memmap(buffer, f"{order}{TYPES[number]}", "r", shape=shape)
        with np.errstate(invalid="ignore"):  # not every pattern of bits is a number
            some = np.asarray(times.reshape(-1)[:: max(times.size // SAMPLES, 1)], np.float64)
        if np.mean(((some > LEAST_S) | (some == 0)) & (some < LATEST_S)) >= ENOUGH:
            return times
    raise InputInvalid(
        f"found numbers in {buffer} that are no travel times in either order of bytes, expected s, most of them from "
        f"0 to {LATEST_S:,.0f}"
    )
