"""How many seconds of three-component record a second are picked: through the embedded Triton, and by a direct call.

Whole records of noise with waves, cut on the grid, asked, stitched, and picked by the shipped rule; both ways must give
the same picks. `direct` asks ONNX Runtime in this process, `triton` the server, with as many callers as keep both cores
busy; `model` is the direct way without cutting, stitching and picking. `cpu_us` is the processor time of all that takes
part, for a second of one station: it depends less on what else the machine does, and two cores make at most 2,000,000
over it. The shipped picker, or, before there is one, an untrained network of the design's size.
"""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import report
from kensoku.inference import Models, open_models
from kensoku.picking import CARD, ModelCard, PhasePair, Pick, pick_records, read_card
from kensoku.settings import ServiceSettings, load_settings
from kensoku.triton import EmbeddedTriton, embedded_triton

FloatArray = npt.NDArray[np.float32]
REPOSITORY = Path(__file__).resolve().parent.parent / "model_repository"
MODEL = "picker"
STATIONS, SAMPLES = 8, 180_000  # half an hour of each
CALLERS = (1, 2, 3, 4)
ROUNDS = 3


def records() -> FloatArray:
    """Noise with a wave a minute, on offsets."""
    chance = np.random.default_rng(0)
    made = chance.normal(0, 100, (STATIONS, 3, SAMPLES)) + chance.normal(0, 1e4, (STATIONS, 3, 1))
    for first in range(3000, SAMPLES - 3000, 6000):
        made[..., first : first + 2000] += chance.normal(0, 1500, (STATIONS, 3, 2000)) * np.exp(-np.arange(2000) / 300)
    return np.round(made).astype(np.float32)


def ask(models: Models, counts: FloatArray) -> FloatArray:
    return np.asarray(models.infer(MODEL, {"counts": counts})["probabilities"])


def pick_all(models: Models, card: ModelCard, callers: int, counts: FloatArray) -> list[list[Pick]]:
    """Each caller takes one record after another."""
    with ThreadPoolExecutor(callers) as threads:
        found = threads.map(lambda one: pick_records(one[np.newaxis], partial(ask, models), card)[0], counts)
        return list(found)


def ask_all(models: Models, card: ModelCard, counts: FloatArray) -> None:
    window = card.geometry.window
    for first in range(0, counts.shape[2] - window + 1, window):
        for place in range(0, len(counts), card.geometry.batch):
            ask(models, np.ascontiguousarray(counts[place : place + card.geometry.batch, :, first : first + window]))


def best_s(work: Callable[[], object]) -> float:
    """The shortest of some rounds: other programs of the machine can only make it longer."""
    durations = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        durations.append(time.perf_counter() - began)
    return min(durations)


def fastest(models: Models, card: ModelCard, counts: FloatArray) -> tuple[float, int]:
    """Station-seconds a second, and with how many callers."""
    station_s = counts.shape[0] * counts.shape[2] / 100
    tried = [(station_s / best_s(partial(pick_all, models, card, callers, counts)), callers) for callers in CALLERS]
    return max(tried)


def cpu_us(models: Models, card: ModelCard, counts: FloatArray, server: EmbeddedTriton | None = None) -> float:
    """For a station-second, with two callers; the least of some rounds."""
    spent = []
    for _ in range(ROUNDS):
        began = processor_s(server)
        pick_all(models, card, 2, counts)
        spent.append(processor_s(server) - began)
    return 1e8 * min(spent) / (counts.shape[0] * counts.shape[2])


def processor_s(server: EmbeddedTriton | None) -> float:
    """Of this process, and of the server and the processes that it started."""
    used = time.process_time()
    if server is None or server.process_id is None:
        return used
    for folder in Path("/proc").iterdir():
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # no process, or one that has ended
            continue
        if int(fields[2]) == server.process_id:  # its group
            used += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def refuse_difference(first: Sequence[Sequence[Pick]], second: Sequence[Sequence[Pick]]) -> None:
    if first != second:
        raise SystemExit("picks through the server differ from those of a direct call; expected the same")


def stand_in(folder: Path) -> Path:
    """A repository with an untrained network."""
    from kensoku.training.networks import NetworkConfig, build_picker
    from kensoku.training.shipping import ship

    config = NetworkConfig()
    card = ship(folder, MODEL, build_picker(config), config, "untrained")
    with open_models(f"local:{folder}") as models:
        said = ask(models, records()[:1])
    p, s = (float(np.quantile(row, 0.9999)) for row in said[0, 1:])  # a trained one picks as seldom
    (folder / MODEL / CARD).write_text(replace(card, threshold=PhasePair(p=p, s=s)).to_json(), encoding="utf-8")
    return folder


def measure() -> dict[str, float]:
    counts, figures = records(), dict[str, float]()
    with ExitStack() as stack:
        is_shipped = (REPOSITORY / MODEL).is_dir()
        repository = REPOSITORY if is_shipped else stand_in(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        server = stack.enter_context(embedded_triton(load_settings(ServiceSettings).home, repository))
        triton = stack.enter_context(open_models(server.url))
        direct = stack.enter_context(open_models(f"local:{repository}"))
        card = read_card(repository, MODEL)
        found = pick_all(direct, card, 1, counts)
        refuse_difference(found, pick_all(triton, card, 2, counts))
        whole = counts.shape[2] // card.geometry.window * card.geometry.window
        figures["model_station_seconds_per_s"] = STATIONS * whole / 100 / best_s(partial(ask_all, direct, card, counts))
        for name, models, asked in (("direct", direct, None), ("triton", triton, server)):
            figures[f"{name}_cpu_us"] = cpu_us(models, card, counts, asked)
            figures[f"{name}_station_seconds_per_s"], callers = fastest(models, card, counts)
            figures[f"{name}_callers"] = callers
    figures["ratio"] = figures["triton_station_seconds_per_s"] / figures["direct_station_seconds_per_s"]
    figures["overlap_percent"] = 100 * (card.geometry.window / card.geometry.step - 1)
    figures["picks"] = sum(map(len, found))
    figures["is_shipped"] = is_shipped
    return figures


if __name__ == "__main__":
    report.main("Picking continuous records through the embedded Triton against a direct call", measure)
