"""What it costs to ask a live network every second: processor time for one instrument and second, in microseconds.

A live network is asked about all that it looks back on to tell of one more second. `whole` works out an answer to
every sample of that, `last` those that are wanted alone, with the same bits; `triton` is `last` through the embedded
server and the memory shared with it, `message` without that memory. Weights are random, windows of many instruments go
at once. `cores_for_2000` is for 2,000 instruments a second, through the server, all of them asked.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import report
from benchmarks.picker import processor_s
from kensoku.inference import Models, _regions, open_models
from kensoku.picking import read_card
from kensoku.settings import ServiceSettings, load_settings
from kensoku.training.networks import NetworkConfig, build_picker
from kensoku.training.shipping import ship
from kensoku.triton import EmbeddedTriton, embedded_triton

FloatArray = npt.NDArray[np.float32]
INSTRUMENTS, ROUNDS, CALLS = 64, 5, 3


@dataclass(frozen=True, slots=True)
class Live:
    table: Mapping[str, object]
    last: int  # samples that are told


LIVE: Mapping[str, object] = {"padding": "causal", "delay": (50, 140)}
NETWORKS = {
    "first": Live(
        {"channels": (8, 8, 16, 16, 24), "kernel": 5, "up_kernel": 3, "dilations": (4, 2, 1)}
        | {"mean_samples": 128, "scale_samples": 512},
        112,
    ),
    "live": Live(
        {"channels": (8, 16, 24, 40, 64), "dilations": (16, 8, 4, 2, 1)} | {"mean_samples": 512, "scale_samples": 1024},
        432,
    ),
    "rising": Live(  # the same, its dilations the other way round
        {"channels": (8, 16, 24, 40, 64), "dilations": (1, 2, 4, 8, 16)} | {"mean_samples": 512, "scale_samples": 1024},
        432,
    ),
}


def ship_both(repository: Path) -> None:
    for name, live in NETWORKS.items():
        config = NetworkConfig.model_validate({**LIVE, **live.table})
        network = build_picker(config)
        ship(repository, name, network, config, "untrained", live.last)
        ship(repository, f"{name}_whole", network, config, "untrained")


def spent_us(ask: Callable[[], object], server: EmbeddedTriton | None) -> float:
    """For one instrument; the least of some rounds."""
    ask()
    spent = []
    for _ in range(ROUNDS):
        began = processor_s(server)
        for _ in range(CALLS):
            ask()
        spent.append(processor_s(server) - began)
    return 1e6 * min(spent) / (CALLS * INSTRUMENTS)


def measure() -> dict[str, float]:
    figures = dict[str, float]()
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder) / "repository"
        ship_both(repository)
        with (
            embedded_triton(load_settings(ServiceSettings).home, repository) as server,
            open_models(server.url) as triton,
            open_models(f"local:{repository}") as direct,
        ):
            for name in NETWORKS:
                card = read_card(repository, name)
                counts = windows(card.geometry.window)

                def ask(models: Models, model: str, counts: FloatArray = counts) -> object:
                    return models.infer(model, {"counts": counts})

                figures[f"{name}_window_s"] = card.geometry.window / 100
                figures[f"{name}_whole_us"] = spent_us(partial(ask, direct, f"{name}_whole"), None)
                figures[f"{name}_last_us"] = spent_us(partial(ask, direct, name), None)
                figures[f"{name}_triton_us"] = spent_us(partial(ask, triton, name), server)
                figures[f"{name}_message_us"] = without_shared_memory(partial(ask, triton, name), server)
                figures[f"{name}_cores_for_2000"] = 2000 * figures[f"{name}_triton_us"] / 1e6
    return figures


def windows(samples: int) -> FloatArray:
    return np.random.default_rng(0).normal(0, 100, (INSTRUMENTS, 3, samples)).astype(np.float32)


def without_shared_memory(ask: Callable[[], object], server: EmbeddedTriton) -> float:
    least = _regions.LEAST_BYTES
    _regions.LEAST_BYTES = 1 << 60
    try:
        return spent_us(ask, server)
    finally:
        _regions.LEAST_BYTES = least


if __name__ == "__main__":
    report.main("Asking live networks every second", measure)
