"""3-D grids of travel times for the commands that locate."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from kensoku.errors import InputInvalid
from kensoku.traveltime import Grids, digest_of, grids_by_station, read_time_grids

SHOWN = 5


class NamedGrids(NamedTuple):
    by_station: Grids  # NET.STA
    sha256: str  # of all in the folder


NO_GRIDS = NamedGrids({}, "")


def open_grids(folder: Path | None, stations: Iterable[str]) -> NamedGrids:
    """Of the stations that are known."""
    if folder is None:
        return NO_GRIDS
    every = read_time_grids(folder)
    return NamedGrids(grids_by_station(every, stations), digest_of(every))


def require_grids(grids: NamedGrids, codes: Iterable[str]) -> None:
    """Where there are any, of one station that is heard at least; the others are told."""
    if not grids.sha256:
        return
    heard, known = sorted(set(codes)), {code for code, _ in grids.by_station}
    without = [code for code in heard if code not in known]
    named = ", ".join(without[:SHOWN]) + (f" and {len(without) - SHOWN} more" if len(without) > SHOWN else "")
    if heard and len(without) == len(heard):
        raise InputInvalid(f"found no grid of {named} among the --time-grids; call their grids NET_STA or STA")
    if without:
        print(f"no grid, so the velocity model serves: {named}", file=sys.stderr)
