"""Draw the travel times of an earth model: the first waves and those through crust and mantle, and their amplitudes.

`python -m benchmarks.traveltime_figures DIRECTORY [MODEL ...]` writes MODEL.png for each preset or file.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from kensoku.traveltime import PRESETS, EarthModel, Wave, first_arrivals, load_model

mpl.use("Agg")
from matplotlib import pyplot as plt  # after the backend is chosen

DISTANCE_KM = np.arange(1, 501, 1.0)
DEPTH_KM = 10.0
REDUCTION_KM_S = {"P": 8.0, "S": 8.0 / 3**0.5}
WAVES: tuple[Wave, Wave] = ("P", "S")


def plot_velocities(axes: Axes, model: EarthModel) -> None:
    bottoms = [*(layer.top_km for layer in model.layers[1:]), 100.0]
    depths = [depth for layer, bottom in zip(model.layers, bottoms, strict=True) for depth in (layer.top_km, bottom)]
    axes.plot([v for layer in model.layers for v in layer.vp_km_s], depths, label="Vp")
    axes.plot([v for layer in model.layers for v in layer.vs_km_s], depths, label="Vs")
    axes.set(ylim=(100, 0), xlabel="km/s", ylabel="depth, km", title=model.name)


def plot_times(axes: Axes, model: EarthModel, wave: Wave) -> None:
    velocity = REDUCTION_KM_S[wave]
    for layers, name in ((model.crust, "g"), (model.mantle, "n")):
        time_s = first_arrivals(model, wave, DISTANCE_KM, DEPTH_KM, layers=layers).time_s
        axes.plot(DISTANCE_KM, time_s - DISTANCE_KM / velocity, label=wave + name)
    first_s = first_arrivals(model, wave, DISTANCE_KM, DEPTH_KM).time_s
    axes.plot(DISTANCE_KM, first_s - DISTANCE_KM / velocity, "k--", label=f"first {wave}")
    axes.set(xlabel="distance, km", ylabel=f"time - distance / {velocity:.2f} km/s, s", title=f"{DEPTH_KM:g} km deep")


def plot_amplitudes(axes: Axes, model: EarthModel) -> None:
    for wave in WAVES:
        for layers, name in ((model.crust, "g"), (model.mantle, "n")):
            rays = first_arrivals(model, wave, DISTANCE_KM, DEPTH_KM, layers=layers)
            axes.loglog(DISTANCE_KM, rays.spreading_per_km, label=wave + name)
    axes.loglog(DISTANCE_KM, 1 / np.hypot(DISTANCE_KM, DEPTH_KM), "k:", label="1 / r")
    axes.set(xlabel="distance, km", ylabel="geometric spreading, 1/km")


def draw(model: EarthModel, path: Path) -> None:
    figure, axes = plt.subplots(1, 4, figsize=(22, 5))
    plot_velocities(axes[0], model)
    for place, wave in zip(axes[1:3], WAVES, strict=True):
        plot_times(place, model, wave)
    plot_amplitudes(axes[3], model)
    for place in axes:
        place.legend()
        place.grid(alpha=0.4)
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw travel-time curves")
    parser.add_argument("directory", type=Path)
    parser.add_argument("models", nargs="*", default=list(PRESETS))
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    for name in options.models:
        model = load_model(name)
        draw(model, options.directory / f"{model.name}.png")


if __name__ == "__main__":
    main()
