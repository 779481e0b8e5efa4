"""Draw every figure of the simulator: `python -m benchmarks.simulation_figures [--only NAME] DIRECTORY`.

Recorded data are drawn where they lie beside the project; what is committed shows distributions and summary curves.
"""

import argparse
import time
from pathlib import Path

from benchmarks import (
    measuring,
    realism_figures,
    simulation_figures_instruments,
    simulation_figures_noise,
    simulation_figures_physics,
    simulation_figures_telemetry,
    simulation_figures_traveltime,
    simulation_sizes,
    windows_coverage,
)
from benchmarks.drawing import save

MODULES = (
    measuring,
    realism_figures,
    simulation_figures_instruments,
    simulation_figures_noise,
    simulation_figures_physics,
    simulation_figures_telemetry,
    simulation_figures_traveltime,
    simulation_sizes,
    windows_coverage,
)
FIGURES = {name: draw for module in MODULES for name, draw in module.FIGURES.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--only", metavar="NAME", default="", help="a figure, or all whose names begin so")
    options = parser.parse_args()
    chosen = {name: draw for name, draw in FIGURES.items() if name.startswith(options.only)}
    if not chosen:
        parser.error(f"--only: found {options.only!r}; expected the beginning of one of {', '.join(FIGURES)}")
    options.directory.mkdir(parents=True, exist_ok=True)
    for name, draw in chosen.items():
        began = time.monotonic()
        path = options.directory / f"{name}.png"
        save(draw(), path)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
