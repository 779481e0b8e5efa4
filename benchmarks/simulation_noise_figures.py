"""Draw what simulated noise looks like, beside the noise models and, where they are, the quiet records of Ghana.

`python -m benchmarks.simulation_noise_figures DIRECTORY` writes spectra.png, hours.png and traces.png.
"""

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import scipy.signal
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kensoku.simulation.instruments import Digitiser, Instrument, find_sensor
from kensoku.simulation.noise import GroundNoise
from kensoku.simulation.randomness import BLOCK_S, FloatArray
from kensoku.simulation.recorder import Recorder
from kensoku.simulation.sites import Site, draw_site, noise_models_db

mpl.use("Agg")
from matplotlib import pyplot as plt  # after the backend is chosen

RATE_HZ = 100
MONDAY_NOON = 1_602_504_000 // BLOCK_S  # 2020-10-12 12:00 UTC
MONDAY_NIGHT = MONDAY_NOON - 10 * 60
REAL = Path(__file__).parents[2] / "shared" / "data"
COLOURS = {"Z": "tab:blue", "N": "tab:red", "E": "tab:green"}


def density_db(velocity_m_s: FloatArray, quantile: float = 0.5) -> tuple[FloatArray, FloatArray]:
    """Frequencies, and acceleration in dB relative to 1 (m/s2)2/Hz: this quantile of the density of 82 s windows."""
    hz, _, density = scipy.signal.spectrogram(velocity_m_s, RATE_HZ, "hann", nperseg=8192, noverlap=4096)
    typical = np.quantile(density, quantile, axis=-1) * (2 * np.pi * hz) ** 2
    return hz[1:], 10 * np.log10(typical[1:])


def make_ground(site: Site, name: str, first: int, minutes: int) -> FloatArray:
    noise = GroundNoise(site, 1, name, RATE_HZ).blocks(first)
    return np.concatenate(list(itertools.islice(noise, minutes)), axis=1).astype(np.float64)


def draw_stations(count: int) -> Iterator[tuple[str, Site]]:
    for number in range(count):
        yield f"XX.S{number:02}", draw_site(np.random.default_rng(number), utc_offset_h=0.0)


def plot_models(axes: Axes) -> None:
    hz = np.geomspace(0.02, 10.0, 300)
    for level in noise_models_db(hz):
        axes.semilogx(hz, level, "k", lw=2)
    axes.set(xlim=(0.02, 50), ylim=(-200, -80), xlabel="Hz", ylabel="dB (m/s²)²/Hz")
    axes.grid(alpha=0.4)


def plot_spectra(path: Path) -> None:
    figure, axes = plt.subplots(1, 3, figsize=(18, 6), sharey=True)
    for name, site in draw_stations(8):
        for panel, first in zip(axes, (MONDAY_NIGHT, MONDAY_NOON), strict=False):
            for component, ground in zip("ZNE", make_ground(site, name, first, 30), strict=True):
                panel.semilogx(*density_db(ground), color=COLOURS[component], lw=0.5)
    for component, hz, level in real_spectra():
        axes[2].semilogx(hz, level, color=COLOURS[component], lw=0.5)
    for panel, title in zip(axes, ("simulated, 02:00", "simulated, 12:00", "Ghana, 12:04 (recorded)"), strict=True):
        plot_models(panel)
        panel.set_title(title)
    save(figure, path)


def real_spectra() -> Iterator[tuple[str, FloatArray, FloatArray]]:
    import obspy

    record = REAL / "continuous" / "ghana_20121009_1204.mseed"
    if not record.exists():
        print(f"no {record.name} beside the project: the panel of recorded spectra stays empty")
        return
    for trace in obspy.read(record):
        metadata = obspy.read_inventory(REAL / "catalogs" / "ghana" / f"GH.{trace.stats.station}.xml")
        response = metadata.select(channel=trace.stats.channel)[0][0][0].response
        hz, level = density_db(trace.data.astype(np.float64), 0.2)
        counts = np.abs(response.get_evalresp_response_for_frequencies(hz, "VEL"))
        yield trace.stats.channel[-1], hz, level - 20 * np.log10(counts)


def plot_hours(path: Path) -> None:
    """Two days, a Sunday and a Monday: rms of each minute between 2 and 20 Hz."""
    figure, axes = plt.subplots(figsize=(12, 5))
    band = scipy.signal.butter(4, (2, 20), "bandpass", fs=RATE_HZ, output="sos")
    first = MONDAY_NOON - 36 * 60
    for name, site in draw_stations(5):
        noise = GroundNoise(site, 1, name, RATE_HZ, components=1).blocks(first)
        rms = [scipy.signal.sosfilt(band, next(noise)[0]).std() for _ in range(48 * 60)]
        axes.semilogy(np.arange(48 * 60) / 60, np.array(rms) * 1e9, lw=0.4, label=f"culture {site.culture_db:.0f} dB")
    axes.set(xlabel="hours from Sunday 00:00", ylabel="nm/s, 2-20 Hz, each minute")
    axes.legend()
    save(figure, path)


def plot_traces(path: Path) -> None:
    figure, axes = plt.subplots(8, 2, figsize=(18, 14), sharex=True)
    instrument = Instrument(find_sensor("broadband-120s"), Digitiser(RATE_HZ))
    before = instrument.warm_up_blocks
    for row, (name, site) in enumerate(draw_stations(8)):
        for column, first in enumerate((MONDAY_NIGHT, MONDAY_NOON)):
            ground = itertools.islice(GroundNoise(site, 1, name, RATE_HZ).blocks(first - before), before + 4)
            counts = np.concatenate(
                [c for _, c in Recorder(instrument, 1, name).record(ground, first - before)], axis=1
            )
            axes[row, column].plot(np.arange(counts.shape[1]) / RATE_HZ, counts[0], lw=0.3)
            axes[row, column].set_title(f"{name} {('02:00', '12:00')[column]}", fontsize=7, pad=2)
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=60)
    plt.close(figure)
    print(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    directory = parser.parse_args().directory
    directory.mkdir(parents=True, exist_ok=True)
    plot_spectra(directory / "spectra.png")
    plot_traces(directory / "traces.png")
    plot_hours(directory / "hours.png")


if __name__ == "__main__":
    main()
