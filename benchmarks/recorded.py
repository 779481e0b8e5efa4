"""Recorded data for figures and comparisons, where they lie beside the project: windows with picks, quiet stretches."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from benchmarks.drawing import REAL
from kensoku.simulation.randomness import FloatArray

RATE_HZ = 100.0
NETWORKS = {
    "Ghana": "ghana_20121009_1204",
    "Colombia": "colombia_vmm_20171015_0625",
    "Ridgecrest": "ridgecrest_20190704_1550",
}


@dataclass(frozen=True, slots=True)
class WindowSet:
    """Windows of a file, and by how many samples an independent measure of onsets finds its labels early."""

    file: str
    late_p: float = 0.0
    late_s: float = 0.0


SETS = {"N. California": WindowSet("phasenet_ncedc_train"), "New Zealand": WindowSet("nz_southern_alps", 10.0, 12.0)}
AUTOMATIC = {"Iceland": WindowSet("iceland_vt_auto", 6.0, 3.5)}  # labelled by programs, as Ridgecrest is
HELD_OUT = {"N. California, held out": WindowSet("phasenet_ncedc_test")}  # to report, never to tune to
RIDGECREST = "ridgecrest_20190707_0750"
TRUSTED_SCORE = 0.7  # of PhaseNet's picks that an event was made of
BEFORE_S, AFTER_S = 8.0, 14.0  # of P, of S: what is cut out of a continuous record
CROWDED_S = (4.0, 10.0)  # before P, after S: another pick there is another earthquake


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """A window at 100 Hz with both of its picks, as sample indices."""

    samples: FloatArray  # (3, n): Z, N, E
    p: float
    s: float
    station: str = ""


def picked_windows(name: str) -> Iterator[Picked]:
    """Those of a set in which P and S are labelled; none where the set is not beside the project."""
    chosen = (SETS | AUTOMATIC | HELD_OUT)[name]
    path = REAL / "windows" / f"{chosen.file}.h5"
    if not path.exists():
        return
    import h5py  # here: only the extra `train` brings it

    with path.with_suffix(".csv").open(newline="") as table:
        stations = [row.get("sta") or row["station"] for row in csv.DictReader(table)]
    with h5py.File(path) as file:
        p, s = file["p"][:] + chosen.late_p, file["s"][:] + chosen.late_s
        for number in np.flatnonzero(np.isfinite(p) & np.isfinite(s)):
            samples = file["X"][number] * np.asarray(file["scale"][number], dtype=np.float64)[:, np.newaxis]
            samples -= samples.mean(axis=1, keepdims=True)
            if np.all(samples.any(axis=1)):
                yield Picked(samples, float(p[number]), float(s[number]), stations[number])


# --- an aftershock sequence, with the picks of a program --------------------------------------------------------------


@dataclass(slots=True)
class _Picks:
    """Of a station, in seconds of its record."""

    everything: list[float] = field(default_factory=list)
    trusted: dict[str, dict[str, float]] = field(default_factory=dict)  # by event and phase


def ridgecrest_windows() -> Iterator[Picked]:
    """Aftershocks that nothing else was picked beside: none where the record is not beside the project."""
    path = REAL / "continuous" / f"{RIDGECREST}.mseed"
    if not path.exists():
        return
    import obspy

    stream = obspy.read(path)
    picks = _read_picks(stream[0].stats.starttime)
    for station, found in picks.items():
        network, code = station.split(".")
        traces = [stream.select(network, code, component=each) for each in "ZNE"]
        samples = np.array([trace[0].data for trace in traces], dtype=np.float64)
        yield from _cut(samples, station, found)


def _read_picks(begin: object) -> Mapping[str, _Picks]:
    import obspy

    picks: dict[str, _Picks] = {}
    with (REAL / "continuous" / f"{RIDGECREST}_picks.csv").open(newline="") as table:
        for row in csv.DictReader(table):
            of_station = picks.setdefault(row["station"], _Picks())
            at_s = float(obspy.UTCDateTime(row["utc"]) - begin)
            of_station.everything.append(at_s)
            if row["event"] != "-1" and float(row["score"]) >= TRUSTED_SCORE:
                of_station.trusted.setdefault(row["event"], {})[row["phase"]] = at_s
    return picks


def _cut(samples: FloatArray, station: str, picks: _Picks) -> Iterator[Picked]:
    others = np.array(picks.everything)
    for phases in picks.trusted.values():
        if phases.keys() < {"P", "S"}:
            continue
        p_s, s_s = phases["P"], phases["S"]
        near = (others > p_s - CROWDED_S[0]) & (others < s_s + CROWDED_S[1])
        first, last = round((p_s - BEFORE_S) * RATE_HZ), round((s_s + AFTER_S) * RATE_HZ)
        if near.sum() == 2 and first >= 0 and last <= samples.shape[1]:
            cut = samples[:, first:last] - samples[:, first:last].mean(axis=1, keepdims=True)
            yield Picked(cut, p_s * RATE_HZ - first, s_s * RATE_HZ - first, station)


# --- noise ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    station: str
    component: str
    rate_hz: float
    counts: FloatArray


def continuous(name: str) -> Iterator[Stretch]:
    """Unbroken records of at least twenty minutes, component by component."""
    import obspy

    path = REAL / "continuous" / f"{NETWORKS[name]}.mseed"
    if not path.exists():
        return
    for trace in obspy.read(path):
        if trace.stats.npts >= 1200 * trace.stats.sampling_rate:
            counts = trace.data - np.mean(trace.data)
            yield Stretch(trace.stats.station, trace.stats.channel[-1], trace.stats.sampling_rate, counts)
