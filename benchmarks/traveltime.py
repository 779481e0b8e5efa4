"""How fast one core traces rays, and looks their times up.

`python -m benchmarks.traveltime [--json]`
"""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.report import Figures, main
from kensoku.traveltime import Grid, build_table, first_arrivals, load_model

PAIRS = 100_000
STATIONS = 2_000
LOOKUPS = 1_000_000
SAMPLE = 200_000


def measure_seconds(work: Callable[[], object], times: int = 1) -> float:
    """Processor time of one, so that a busy machine does not count."""
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


def measure() -> Figures:
    chance = np.random.default_rng(1)
    distance, depth = chance.uniform(0, 500, LOOKUPS), chance.uniform(0, 60, LOOKUPS)
    heights = chance.uniform(0, 2, STATIONS)
    figures: dict[str, float] = {}
    elevation = chance.uniform(0, 2, LOOKUPS)
    many = distance[:PAIRS], depth[:PAIRS], elevation[:PAIRS]
    for name in ("southern-california", "japan", "iasp91"):
        earth = load_model(name)
        trace = partial(first_arrivals, earth, "P")
        trace(distance[:STATIONS], 10.0)  # it makes what depends on the model alone
        figures[f"{name}_ms_one_ray"] = 1000 * measure_seconds(partial(trace, 137.0, 10.0, 0.3), 100)
        network = measure_seconds(partial(trace, distance[:STATIONS], 10.0, heights), 20)
        figures[f"{name}_rays_per_s_one_event_2000_stations"] = STATIONS / network
        for layers, words in ((None, "pairs"), (earth.crust, "pairs_crust"), (earth.mantle, "pairs_mantle")):
            trace(*(values[:10] for values in many), layers=layers)
            figures[f"{name}_rays_per_s_100000_{words}"] = PAIRS / measure_seconds(partial(trace, *many, layers=layers))
    model = load_model("japan")
    with tempfile.TemporaryDirectory() as folder:
        figures["table_build_s"] = measure_seconds(partial(build_table, model, "P", Grid(), Path(folder)))
        figures["table_read_s"] = measure_seconds(partial(build_table, model, "P", Grid(), Path(folder)))
        table = build_table(model, "P", Grid(), Path(folder))
    figures["table_mb"] = (table.nodes.nbytes + table.dips.nbytes) / 1e6
    figures["lookups_per_s"] = LOOKUPS / measure_seconds(partial(table.lookup, distance, depth), 3)
    shallow = build_table(model, "P", Grid(500, deepest_km=60, elevations_km=(0, 0.5, 1, 1.5, 2)))
    seconds = measure_seconds(partial(shallow.lookup, distance, depth, elevation), 3)
    figures["lookups_per_s_with_elevation"] = LOOKUPS / seconds
    part = distance[:SAMPLE], depth[:SAMPLE]
    wrong_ms = 1000 * abs(table.lookup(*part).time_s - first_arrivals(model, "P", *part).time_s)
    figures["lookup_error_ms_99.9_percent"] = float(np.quantile(wrong_ms, 0.999))
    figures["lookup_error_ms_worst"] = float(wrong_ms.max())
    return figures


if __name__ == "__main__":
    main("Travel times: rays traced and table lookups, on one core", measure)
