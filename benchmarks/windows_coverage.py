"""Draw how far simulated training windows reach, beside recorded sets where they lie beside the project, and examples.

`python -m benchmarks.windows_coverage [--figures DIRECTORY] [--json]` writes windows-coverage.png and
windows-examples.png; recorded sets need h5py.
"""

import argparse
import csv
import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.signal
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from benchmarks.drawing import BLUE, GREEN, ORANGE, PURPLE, REAL, RED, SKY, panels, save
from benchmarks.report import machine_name
from kensoku.simulation.randomness import FloatArray, draw
from kensoku.simulation.sources import SourceKind
from kensoku.simulation.visibility import judge, see
from kensoku.simulation.windows import Window, simulate_window

RECORDED = REAL / "windows"
SETS = {  # name and colour; the last is held out: shown, and nothing is tuned to it
    "phasenet_ncedc_train": ("N. California", BLUE),
    "nz_southern_alps": ("New Zealand", GREEN),
    "iceland_vt_auto": ("Iceland", PURPLE),
    "deepdenoiser_ncedc_signal": ("California, P only", SKY),
    "phasenet_ncedc_test": ("N. California, held out", RED),
}
SIMULATED = "simulated"
RATE_HZ = 100
WINDOWS = 3000
AFTER_S, P_S = 2.0, 1.28
CLEAR = 5.0  # local SNR from which a frequency can be told
MUST_REACH = ("s_minus_p_s", "p_hz")  # past recorded sets on both sides
QUANTILES = (1, 50, 99)
EXAMPLES = (4, 3)


@dataclass(frozen=True, slots=True)
class Traits:
    """Of one window; NaN where it cannot be told."""

    s_minus_p_s: float
    p_hz: float  # centroid of the spectrum of the vertical
    s_hz: float
    snr: float  # of P, by the letter: nobody knows the waves of recorded ones
    s_over_p: float  # peaks, 2 to 20 Hz
    magnitude: float


LABELS = {
    "s_minus_p_s": "S-P, s",
    "p_hz": f"P, Hz (centroid, SNR > {CLEAR:.0f})",
    "s_hz": f"S, Hz (centroid, SNR > {CLEAR:.0f})",
    "snr": "SNR of P",
    "s_over_p": "S over P, peaks",
    "magnitude": "magnitude",
}

# --- traits -----------------------------------------------------------------------------------------------------------


def measure(record: FloatArray, p: float, s: float, s_minus_p_s: float, magnitude: float) -> Traits:
    """Of a record (ZNE, samples) with P and S at these samples, NaN if there is none."""
    nothing = np.zeros_like(record)
    p_snr, s_snr = (
        judge(record, nothing, int(np.ceil(at)), RATE_HZ).record_snr if np.isfinite(at) else np.nan for at in (p, s)
    )
    seen = np.abs(see(record, RATE_HZ))
    p_peak, s_peak = (
        seen[rows, int(at) : int(at + AFTER_S * RATE_HZ)].max() if np.isfinite(at) else np.nan
        for rows, at in (([0], p), ([1, 2], s))
    )
    return Traits(
        s_minus_p_s=s_minus_p_s,
        p_hz=centroid_hz(record[0], p) if p_snr > CLEAR else np.nan,
        s_hz=centroid_hz(record[1], s) if s_snr > CLEAR else np.nan,
        snr=p_snr,
        s_over_p=s_peak / p_peak if p_snr > CLEAR and p_peak > 0 and s_peak > 0 else np.nan,
        magnitude=magnitude,
    )


def centroid_hz(trace: FloatArray, onset: float) -> float:
    """Of what the power after an onset has more than that before it."""
    size, at = round(P_S * RATE_HZ), round(onset)
    if at < 2 * size or at + size > trace.size:
        return float("nan")
    pieces = scipy.signal.detrend(np.stack([trace[at : at + size], trace[at - size - 30 : at - 30]]))
    after, before = np.abs(np.fft.rfft(pieces * np.hanning(size))) ** 2
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    power = np.maximum(after - before, 0.0) * (hz > 0.9)
    return float((hz * power).sum() / power.sum()) if power.any() else float("nan")


def recorded(name: str) -> Iterator[Traits]:
    import h5py  # here: only who has the recorded sets needs it

    magnitudes = read_magnitudes(RECORDED / f"{name}.csv")
    with h5py.File(RECORDED / f"{name}.h5") as file:
        for number, (p, s) in enumerate(zip(file["p"][:], file["s"][:], strict=True)):
            scale = file["scale"][number][:, np.newaxis].astype(np.float64)
            is_dead = ~file["X"][number].any(axis=1, keepdims=True)
            scale = np.where(is_dead, 0.0, scale / scale[~is_dead].max())  # some are m/s; a local SNR is told of counts
            record = file["X"][number] * scale
            yield measure(record, float(p), float(s), float(s - p) / RATE_HZ, magnitudes.get(number, np.nan))


def read_magnitudes(table: Path) -> Mapping[int, float]:
    with table.open() as file:
        rows = [row.get("mag") or row.get("event_magnitude") for row in csv.DictReader(file)]
    return {number: float(magnitude) for number, magnitude in enumerate(rows) if magnitude}


def simulated(window: Window) -> Traits:
    """Of its first source."""
    at = {wave: [x.sample for x in window.labels if x.wave == wave and x.source == 0] for wave in ("P", "S")}
    p, s = (next((x for x in at[wave] if 0 <= x < window.counts.shape[1]), np.nan) for wave in ("P", "S"))
    is_alone = len(window.kinds) == 1 and not window.disturbances and window.recorded().all()
    behind_s = (at["S"][0] - at["P"][0]) / RATE_HZ if at["S"] else np.nan
    if not is_alone:
        return Traits(behind_s, np.nan, np.nan, np.nan, np.nan, window.draw.mw)
    return measure(window.counts.astype(np.float64), p, s, behind_s, window.draw.mw)


def columns(traits: list[Traits]) -> dict[str, FloatArray]:
    values = np.array([astuple(each) for each in traits], dtype=np.float64)
    return {field.name: values[:, index] for index, field in enumerate(fields(Traits))}


# --- figures ----------------------------------------------------------------------------------------------------------

Sets = Mapping[str, Mapping[str, FloatArray]]


@functools.cache
def simulate(count: int = WINDOWS) -> tuple[Window, ...]:
    return tuple(simulate_window(draw(1, "coverage", "window", number)) for number in range(count))


@functools.cache
def all_sets() -> Sets:
    earthquakes = [window for window in simulate() if window.draw.kind is SourceKind.EARTHQUAKE]
    there = [name for name in SETS if (RECORDED / f"{name}.h5").exists()]
    sets = {SIMULATED: columns([simulated(window) for window in earthquakes])}
    return sets | {name: columns(list(recorded(name))) for name in there}


def plot_coverage() -> Figure:
    figure, axes = panels(2, 3, 9.0, 5.0)
    for panel, (trait, label) in zip(axes, LABELS.items(), strict=True):
        for name, traits in all_sets().items():
            values = traits[trait][np.isfinite(traits[trait]) & (traits[trait] > 0)]
            if values.size > 20:
                shown, colour = SETS.get(name, (SIMULATED, "0.5"))
                plot_share(panel, values, f"{shown} ({values.size})", colour, is_log=trait != "magnitude")
        panel.set(xlabel=label, ylabel="share", yticks=[])
        panel.legend(fontsize=5)
    return figure


def plot_share(panel: Axes, values: FloatArray, label: str, colour: str, *, is_log: bool) -> None:
    scaled = np.log10(values) if is_log else values
    share, edges = np.histogram(scaled, 18, density=True)
    is_simulated = label.startswith(SIMULATED)
    edges = 10**edges if is_log else edges
    panel.stairs(share, edges, color=colour, label=label, fill=is_simulated, alpha=0.5 if is_simulated else 1.0)
    if is_log:
        panel.set_xscale("log")
        panel.xaxis.set_minor_formatter(NullFormatter())


def plot_examples() -> Figure:
    figure, axes = panels(*EXAMPLES, 9.0, 7.5)
    for panel, window in zip(axes, simulate(), strict=False):
        plot_window(panel, window)
    return figure


def plot_window(panel: Axes, window: Window) -> None:
    """Three components, picks (P blue, S red; dotted: invisible), what is not known, and what is no earthquake."""
    times_s = np.arange(window.counts.shape[1]) / RATE_HZ
    shown: npt.NDArray[Any] = np.where(window.recorded(), window.counts, np.nan)
    for row, trace in enumerate(shown):
        if np.isfinite(trace).any():
            centred = trace - np.nanmedian(trace)
            panel.plot(times_s, centred / max(np.nanmax(np.abs(centred)), 1) - 2.1 * row, "k", lw=0.35)
    panel.fill_between(times_s, -5.3, 1.1, ~window.recorded().any(axis=0), color="0.8", lw=0)
    for wave, colour, low, high in (("P", BLUE, -1.0, 1.1), ("S", RED, -5.3, -1.1)):
        known = window.known("P" if wave == "P" else "S")
        panel.fill_between(times_s, low, high, ~known, color=colour, alpha=0.25, lw=0)
        for label in window.labels:
            if label.wave == wave and 0 <= label.sample < times_s.size:
                panel.axvline(label.sample / RATE_HZ, color=colour, lw=1, ls="-" if label.is_visible else ":")
    for each in window.disturbances:
        panel.axvline(each.start_ns / 1e9, color=ORANGE, lw=1, ls="--")
    kinds = " + ".join(window.kinds) + f", M {window.draw.mw:.1f}" if window.kinds else "nothing"
    extra = ", ".join(each.kind for each in window.disturbances)
    title = f"{kinds}, {window.draw.sensor}" + (f" ({extra})" if extra else "")
    panel.set_title(title, fontsize=6)
    panel.set(xlim=(0, times_s[-1]), yticks=[], xlabel="s")


FIGURES = {"windows-coverage": plot_coverage, "windows-examples": plot_examples}

# --- command ----------------------------------------------------------------------------------------------------------


def measure_reach(sets: Sets) -> dict[str, float]:
    """1, 50 and 99 % of what is recorded in any set, and of what is simulated."""
    found = {}
    real = [traits for name, traits in sets.items() if name in SETS]
    for trait in LABELS:
        measured = {"simulated": sets[SIMULATED][trait]}
        if real:
            measured["recorded"] = np.concatenate([traits[trait] for traits in real])
        for name, values in measured.items():
            for quantile in QUANTILES:
                found[f"{trait}_{quantile:02}_percent_{name}"] = float(np.nanpercentile(values, quantile))
    return found


def show(found: Mapping[str, float]) -> None:
    print(f"{'':<24}{'1 %':>10}{'median':>10}{'99 %':>10}")
    for trait in LABELS:
        for name in ("recorded", "simulated"):
            values = [found.get(f"{trait}_{quantile:02}_percent_{name}", np.nan) for quantile in QUANTILES]
            print(f"{trait:<14}{name:<10}{''.join(f'{value:>10.3g}' for value in values)}")


def falls_short(found: Mapping[str, float]) -> Iterator[str]:
    """Traits of which what is recorded lies outside of what is simulated."""
    for trait in MUST_REACH:
        low, high = (f"{trait}_{quantile:02}_percent_" for quantile in (QUANTILES[0], QUANTILES[-1]))
        if f"{low}recorded" in found and not (
            found[f"{low}simulated"] < found[f"{low}recorded"] and found[f"{high}simulated"] > found[f"{high}recorded"]
        ):
            yield trait


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=Path, metavar="DIRECTORY")
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    options = parser.parse_args()
    found = measure_reach(all_sets())
    show(found)
    for trait in falls_short(found):
        print(f"{trait}: simulated windows do not reach past recorded ones on both sides")
    if options.figures:
        options.figures.mkdir(parents=True, exist_ok=True)
        for name, plot in FIGURES.items():
            save(plot(), options.figures / f"{name}.png")
    if options.json:
        print(json.dumps({"machine": machine_name(), **found}))


if __name__ == "__main__":
    main()
