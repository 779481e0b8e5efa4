"""Simulated windows as examples: the truth is known, and so is what cannot be seen."""

import functools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kensoku.errors import InputInvalid
from kensoku.simulation.shards import MANIFEST, STATIONS_A_BLAST, from_columns
from kensoku.simulation.sources import SourceKind
from kensoku.simulation.window_draws import S_MINUS_P_KM_S
from kensoku.simulation.windows import Window
from kensoku.training.datasets.labels import to_spans
from kensoku.training.datasets.records import Record, load_all
from kensoku.training.examples import PHASES, Example, Kind, Onset, Origin

KINDS: dict[SourceKind, Kind] = {SourceKind.EARTHQUAKE: "earthquake", SourceKind.BLAST: "blast"}


def read_simulated(folder: Path, source: str = "simulated") -> Iterator[Example]:
    """The windows that `kensoku simulate windows` wrote, in their order."""
    return load_all(find_simulated(folder, source))


def find_simulated(folder: Path, source: str = "simulated") -> Iterator[Record]:
    number, manifest = 0, _manifest(folder)
    stations = STATIONS_A_BLAST if manifest.get("of") == "blasts" else 1
    for name in manifest["files"]:
        for place, window in enumerate(_read_shard(folder / name)):
            load = functools.partial(_load, folder / name, place, number, source)
            origin = _origin(window, number, source, stations)
            yield Record(origin, load)
            number += 1


def _load(path: Path, place: int, number: int, source: str) -> Example:
    return from_window(_read_shard(path)[place], number, source)


@functools.lru_cache(maxsize=2)
def _read_shard(path: Path) -> Sequence[Window]:
    with np.load(path) as columns:
        return list(from_columns(columns))


def simulated_files(folder: Path) -> list[Path]:
    """The manifest, which has the hashes of all others."""
    return [folder / MANIFEST]


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputInvalid(
            f"{folder / MANIFEST}: found {error}; expected what `kensoku simulate windows` writes"
        ) from None
    if "files" not in manifest:
        raise InputInvalid(f"{folder}: found an unfinished run; call `kensoku simulate windows` again as before")
    return manifest


def from_window(window: Window, number: int, source: str = "simulated") -> Example:
    """Onsets are the first visible P and S of each source; other arrivals are unknown around their times."""
    counts = np.where(window.recorded(), window.counts, np.nan).astype(np.float32)
    onsets = [Onset(phase, label.sample) for phase in PHASES for label in window.picks(phase)]
    known = np.stack([window.known(phase) for phase in PHASES])
    return Example(
        counts,
        tuple(sorted(onsets, key=lambda onset: onset.sample)),
        to_spans(known),
        _origin(window, number, source),
    )


def _origin(window: Window, number: int, source: str, stations: int = 1) -> Origin:
    kind = window.draw.kind
    return Origin(
        source=source,
        region="simulated",
        station=f"SIM.{source}-{number}",  # nobody has seen it before, and nobody will again
        event=f"{source}-{number // stations}" if kind else "",
        kind="noise" if kind is None else KINDS.get(kind, "unknown"),
        magnitude=window.draw.mw if kind else np.nan,
        distance_km=window.draw.s_minus_p_s * S_MINUS_P_KM_S if kind else np.nan,
        is_simulated=True,
    )
