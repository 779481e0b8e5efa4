"""Recorded data for figures, where they lie beside the project: windows with picks, and quiet stretches of networks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.drawing import REAL
from kensoku.simulation.randomness import FloatArray

RATE_HZ = 100.0
NETWORKS = {
    "Ghana": "ghana_20121009_1204",
    "Colombia": "colombia_vmm_20171015_0625",
    "Ridgecrest": "ridgecrest_20190704_1550",
}
SETS = {"N. California": "phasenet_ncedc_train", "New Zealand": "nz_southern_alps"}


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """A window at 100 Hz with both of its picks, as sample indices."""

    samples: FloatArray  # (3, n): Z, N, E
    p: float
    s: float


def picked_windows(name: str) -> Iterator[Picked]:
    """Those of a set in which P and S are labelled; none where the set is not beside the project."""
    path = REAL / "windows" / f"{SETS[name]}.h5"
    if not path.exists():
        return
    import h5py  # here: only the extra `train` brings it

    with h5py.File(path) as file:
        for number in np.flatnonzero(np.isfinite(file["p"][:]) & np.isfinite(file["s"][:])):
            samples = file["X"][number] * np.asarray(file["scale"][number], dtype=np.float64)[:, np.newaxis]
            samples -= samples.mean(axis=1, keepdims=True)
            if np.all(samples.any(axis=1)):
                yield Picked(samples, float(file["p"][number]), float(file["s"][number]))


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
