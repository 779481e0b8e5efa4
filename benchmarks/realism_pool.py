"""Summary numbers of recorded sets, and of a pool of simulated windows that is made once for each state of the code."""

import hashlib
import itertools
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from pathlib import Path

import numpy as np

from benchmarks.realism_classifier import Records, pool
from benchmarks.realism_features import FADING_S, LEAVING_S, NAMES, RATE_HZ, portray
from benchmarks.recorded import AUTOMATIC, HELD_OUT, SETS, Picked, picked_windows, ridgecrest_windows
from kensoku.simulation import windows
from kensoku.simulation.sources import SourceKind
from kensoku.simulation.window_draws import draw_window
from kensoku.simulation.windows import simulate_window

ROOT = Path(__file__).parents[1]
CACHE = Path(os.environ.get("KENSOKU_CACHE", ROOT / ".cache")) / "realism"
DRAWN = 24_000  # windows, of which some sixteenth can be measured
BATCH = 200
PROCESSES = 2
FARTHEST_S_MINUS_P_S = 16.0  # what recorded sets have, and 30 s hold with coda
CLEAR_SNR = (np.log10(3.0), 0.0)  # logarithms, of P and of S, of a record that is compared: others are noise
AT_MOST = 300  # records of a set
SEED = 1_000_003


def summaries(picked: Iterable[Picked]) -> Records:
    """Of records whose P stands out."""
    kept = []
    for window in picked:
        portrait = portray(window.samples, window.p, window.s)
        if portrait and portrait.summary.p_snr > CLEAR_SNR[0] and portrait.summary.s_snr > CLEAR_SNR[1]:
            kept.append((window, portrait))
    return Records(
        np.array([portrait.summary.array for _, portrait in kept]).reshape(-1, len(NAMES)),
        np.array([window.station for window, _ in kept], dtype=np.str_),
        np.array([(window.s - window.p) / RATE_HZ for window, _ in kept]),
        np.array([portrait.leaving_db for _, portrait in kept]).reshape(-1, LEAVING_S.size),
        np.array([portrait.fading_db for _, portrait in kept]).reshape(-1, FADING_S.size),
    )


def recorded_sets() -> dict[str, Records]:
    """By name; none that is not beside the project. The held-out one is not among them."""
    found = {name: summaries(picked_windows(name)) for name in (*SETS, *AUTOMATIC)}
    found["Ridgecrest"] = summaries(ridgecrest_windows())
    return {name: thin(records, AT_MOST) for name, records in found.items() if len(records)}


def held_out_set() -> dict[str, Records]:
    found = {name: summaries(picked_windows(name)) for name in HELD_OUT}
    return {name: records for name, records in found.items() if len(records)}


def balanced(sets: Iterable[Records]) -> Records:
    """As many of each set."""
    sets = list(sets)
    return pool([thin(records, min(len(each) for each in sets)) for records in sets])


def thin(records: Records, at_most: int) -> Records:
    if len(records) <= at_most:
        return records
    return records.take(np.sort(np.random.default_rng(0).permutation(len(records))[:at_most]))


# --- simulated --------------------------------------------------------------------------------------------------------


def simulated_pool(drawn: int = DRAWN) -> Records:
    """Stations are the seeds of `simulated_picked`."""
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / f"pool-{drawn}-{_source_hash()}.npz"
    if not path.exists():
        records = _simulate(drawn)
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **{field.name: getattr(records, field.name) for field in fields(Records)})
        temporary.replace(path)
    with np.load(path) as file:
        return Records(*(file[field.name] for field in fields(Records)))


def _source_hash() -> str:
    """Of all that makes waves, and of what measures them."""
    sources = sorted(Path(windows.__file__).parent.glob("*.py"))
    measured = (ROOT / "benchmarks" / name for name in ("realism_features.py", "realism_pool.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in itertools.chain(sources, measured))).hexdigest()[:16]


def _simulate(drawn: int) -> Records:
    batches = [range(first, min(first + BATCH, drawn)) for first in range(0, drawn, BATCH)]
    with ProcessPoolExecutor(PROCESSES) as workers:
        return pool(list(workers.map(_simulate_batch, batches)))


def _simulate_batch(seeds: Iterable[int]) -> Records:
    return summaries(_picked(seeds))


def _picked(seeds: Iterable[int]) -> Iterator[Picked]:
    for seed in seeds:
        draw = draw_window(np.random.default_rng([SEED, seed]))
        if draw.kind is SourceKind.EARTHQUAKE and draw.s_minus_p_s < FARTHEST_S_MINUS_P_S:
            picked = simulated_picked(seed)
            if picked:
                yield picked


def simulated_picked(seed: int) -> Picked | None:
    """A window of one earthquake, whose P and S can both be seen, and which nothing has spoilt."""
    window = simulate_window(np.random.default_rng([SEED, seed]))
    p, s = window.picks("P"), window.picks("S")
    alone = len(window.kinds) == 1 and not window.disturbances and bool(window.recorded().all())
    if not (alone and len(p) == len(s) == 1):
        return None
    return Picked(window.counts.astype(np.float64), p[0].sample, s[0].sample, str(seed))
