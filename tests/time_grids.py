"""Grids of travel times as NonLinLoc writes them, of a half-space that may be slower on the way to a station."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tests.associations import KM_PER_DEG, VP, VS

NONLINLOC_KM_PER_DEG = 10_000 / 90


def write_grids(
    folder: Path, places: Mapping[str, tuple[float, float]], slower: Mapping[str, float] | None = None
) -> Path:
    """Over distance and depth, called XX_STATION; `places` (north, east) in km, `slower` the share by which waves are
    later."""
    folder.mkdir()
    distance, depth = np.meshgrid(0.5 * np.arange(161), 0.5 * np.arange(81), indexing="ij")
    for code, place in places.items():
        north, east = (each / KM_PER_DEG * NONLINLOC_KM_PER_DEG for each in place)
        for wave, velocity in (("P", VP), ("S", VS)):
            header = folder / f"half.{wave}.XX_{code}.time.hdr"
            header.write_text(
                f"1 161 81 0 0 0 0.5 0.5 0.5 TIME2D FLOAT\nXX_{code} {east:.6f} {north:.6f} 0.0\n"
                "TRANSFORM SIMPLE LatOrig 0.0 LongOrig 0.0 RotCW 0.0\n"
            )
            times = np.hypot(distance, depth) / velocity * (1 + (slower or {}).get(code, 0.0))
            header.with_suffix(".buf").write_bytes(times.astype("<f4").tobytes())
    return folder
