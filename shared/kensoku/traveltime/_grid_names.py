"""Whose the grids of a folder are, and what an earth is called that is made of layers and grids."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from kensoku.errors import InputInvalid
from kensoku.traveltime._model import EarthModel, Wave
from kensoku.traveltime._time_grid import TimeGrid

Grids = Mapping[tuple[str, Wave], TimeGrid]  # by NET.STA, or by the station as NonLinLoc calls it


def grids_by_station(grids: Grids, stations: Iterable[str]) -> dict[tuple[str, Wave], TimeGrid]:
    """By NET.STA: NonLinLoc's station may be called NET.STA, NET_STA or, if no other network has one, STA."""
    named, ambiguous = match_grids(grids, stations)
    for label, codes in ambiguous.items():
        raise InputInvalid(
            f"found a grid of {label}, which may be {' or '.join(codes)}; call it {codes[0].replace('.', '_')}"
        )
    return named


def match_grids(grids: Grids, stations: Iterable[str]) -> tuple[dict[tuple[str, Wave], TimeGrid], dict[str, list[str]]]:
    """By NET.STA, and the stations that each name may mean which means more than one."""
    meant = defaultdict[str, list[str]](list)
    whole = dict[str, str]()
    for code in sorted(set(stations)):
        meant[code.partition(".")[2]].append(code)
        whole |= {code: code, code.replace(".", "_"): code}
    named, ambiguous = dict[tuple[str, Wave], TimeGrid](), dict[str, list[str]]()
    for (label, wave), grid in sorted(grids.items(), key=lambda item: len(item[0][0])):  # whole names count for more
        codes = [whole[label]] if label in whole else meant.get(label, [])
        if len(codes) > 1:
            ambiguous[label] = codes
        elif codes:
            named[codes[0], wave] = grid
    return named, ambiguous


def digest_of(grids: Grids) -> str:
    """Of all that travel times depend on; empty where there are no grids."""
    if not grids:
        return ""
    digest = hashlib.sha256()
    for (station, wave), grid in sorted(grids.items()):
        digest.update(repr((station, wave, grid.origin_km, grid.step_km, grid.station_km, grid.projection)).encode())
        for plane in grid.times_s:
            digest.update(np.ascontiguousarray(plane, np.float64).tobytes())
    return digest.hexdigest()


def name_of(model: EarthModel, grids_sha256: str) -> tuple[str, str]:
    """Name and hash of the earth by which events are located."""
    if not grids_sha256:
        return model.name, model.sha256
    return f"{model.name} and 3-D grids", hashlib.sha256((model.sha256 + grids_sha256).encode()).hexdigest()
