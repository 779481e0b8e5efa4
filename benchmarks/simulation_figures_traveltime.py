"""Travel times: velocities of the earth models, and when the first waves come, beside those of TauP."""

import numpy as np
from matplotlib.figure import Figure

from benchmarks.drawing import COLOURS, panels
from kensoku.traveltime import PRESETS, Wave, first_arrivals, load_model

DISTANCE_KM = np.arange(1, 501, 1.0)
DEPTH_KM = 10.0
REDUCTION_KM_S: dict[Wave, float] = {"P": 8.0, "S": 4.6}


def models() -> Figure:
    figure, axes = panels(1, 3, height_in=3.0)
    for name, colour in zip(PRESETS, COLOURS, strict=False):
        model = load_model(name)
        bottoms = [*(layer.top_km for layer in model.layers[1:]), 80.0]
        depths = [km for layer, bottom in zip(model.layers, bottoms, strict=True) for km in (layer.top_km, bottom)]
        axes[0].plot([v for layer in model.layers for v in layer.vp_km_s], depths, color=colour, label=name)
        axes[0].plot([v for layer in model.layers for v in layer.vs_km_s], depths, color=colour, ls="--")
        for panel, (wave, velocity) in zip(axes[1:], REDUCTION_KM_S.items(), strict=True):
            time_s = first_arrivals(model, wave, DISTANCE_KM, DEPTH_KM).time_s
            panel.plot(DISTANCE_KM, time_s - DISTANCE_KM / velocity, color=colour)
    for panel, (wave, velocity) in zip(axes[1:], REDUCTION_KM_S.items(), strict=True):
        panel.set(xlabel="distance, km", ylabel=f"time - distance / {velocity:g} km/s, s")
        panel.set_title(f"first {wave} from {DEPTH_KM:g} km")
        panel.plot(*taup_times(wave, velocity), "k.", ms=3, label="TauP, iasp91")
        panel.legend()
    axes[0].set(ylim=(80, 0), xlabel="velocity, km/s (dashed: S)", ylabel="depth, km")
    axes[0].legend()
    return figure


def taup_times(wave: Wave, velocity_km_s: float) -> tuple[list[float], list[float]]:
    from obspy.taup import TauPyModel

    taup = TauPyModel("iasp91")
    phases = (wave, wave.lower(), wave + "n", wave + "g")
    distances = [float(km) for km in range(20, 501, 40)]
    first_s = [taup.get_travel_times(DEPTH_KM, km / 111.195, phase_list=phases)[0].time for km in distances]
    return distances, [time_s - km / velocity_km_s for km, time_s in zip(distances, first_s, strict=True)]


FIGURES = {"traveltime-models": models}
