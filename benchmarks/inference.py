"""What the way through the model server costs: the embedded Triton against ONNX Runtime in this process.

Windows are 3 components x 400 samples, 4 s at 100 Hz, through the model `filter_bank`, whose two filters of 201 taps
make up most of the time. `round_trip_ms_batch_N` is the median of one call of N windows, `direct_ms_batch_N` the same
without a server; `callers_windows_per_s` has sixteen threads ask for one window at a time.
"""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import report
from kensoku.inference import Models, open_models
from kensoku.settings import ServiceSettings, load_settings
from kensoku.triton import embedded_triton

REPOSITORY = Path(__file__).resolve().parent.parent / "model_repository"
BATCHES = (1, 8, 64, 256)
CALLERS = 16
SPAN_S = 2.0


def call_seconds(call: Callable[[], object]) -> float:
    """Median duration of a call."""
    call()
    durations, end = list[float](), time.perf_counter() + SPAN_S
    while time.perf_counter() < end:
        start = time.perf_counter()
        call()
        durations.append(time.perf_counter() - start)
    return statistics.median(durations)


def windows_per_s_of_many(models: Models) -> float:
    """Sixteen callers with one window each, as services have that watch few stations."""
    window = {"counts": np.ones((1, 3, 400), np.float32)}
    end = time.perf_counter() + SPAN_S

    def ask(_: int) -> int:
        answered = 0
        while time.perf_counter() < end:
            models.infer("filter_bank", window)
            answered += 1
        return answered

    with ThreadPoolExecutor(CALLERS) as threads:
        return sum(threads.map(ask, range(CALLERS))) / SPAN_S


def measure() -> dict[str, float]:
    noise = np.random.default_rng(0).normal(0.0, 1000.0, (max(BATCHES), 3, 400)).astype(np.float32)
    figures = dict[str, float]()
    with (
        embedded_triton(load_settings(ServiceSettings).home, REPOSITORY) as server,
        open_models(server.url) as triton,
        open_models(f"local:{REPOSITORY}") as direct,
    ):
        for batch in BATCHES:
            inputs = {"counts": noise[:batch]}
            for name, models in (("round_trip", triton), ("direct", direct)):
                seconds = call_seconds(partial(models.infer, "filter_bank", inputs))
                figures[f"{name}_ms_batch_{batch}"] = 1000 * seconds
            figures[f"ratio_batch_{batch}"] = (
                figures[f"round_trip_ms_batch_{batch}"] / figures[f"direct_ms_batch_{batch}"]
            )
        figures["callers_windows_per_s"] = windows_per_s_of_many(triton)
    for name, prefix in (("triton", "round_trip"), ("direct", "direct")):
        figures[f"{name}_windows_per_s"] = max(1000 * b / figures[f"{prefix}_ms_batch_{b}"] for b in BATCHES)
    figures["ratio_windows_per_s"] = figures["triton_windows_per_s"] / figures["direct_windows_per_s"]
    return figures


if __name__ == "__main__":
    report.main("Inference through the embedded Triton against a direct call", measure)
