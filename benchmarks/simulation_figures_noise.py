"""Noise: spectra between Peterson's models, above 10 Hz beside recorded ones, and the weather that a network shares."""

import itertools
from collections.abc import Iterator

import numpy as np
import scipy.signal
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.drawing import BLUE, BY_COMPONENT, COLOURS, ORANGE, REAL, fill_quantiles, panels, say_absent
from benchmarks.recorded import NETWORKS, continuous
from kensoku.simulation.networks import GROUND_CLASSES, draw_site_response
from kensoku.simulation.noise import GroundNoise
from kensoku.simulation.randomness import BLOCK_S, FloatArray
from kensoku.simulation.sites import Site, draw_site, noise_models_db

RATE_HZ = 100
SATURDAY = 1_602_288_000 // BLOCK_S  # 2020-10-10 00:00 UTC, which is local time here
MONDAY_NIGHT, MONDAY_NOON = SATURDAY + 50 * 60, SATURDAY + 60 * 60
THIRD_OCTAVES_HZ = 0.1 * 2 ** (np.arange(21) / 3)
QUIET = 0.3  # quantile of the power of 20 s: what is left when nobody is near
ABOVE_HZ = np.geomspace(3.0, 45.0, 60)
LINE_DB = 5.0  # over the median of frequencies within 12 %


def draw_places(count: int, first: int = 0) -> Iterator[tuple[str, Site]]:
    for number in range(first, first + count):
        chance = np.random.default_rng(number)
        ground = draw_site_response(GROUND_CLASSES[number % len(GROUND_CLASSES)], 0.0, chance)
        yield f"XX.S{number:02}", draw_site(chance, utc_offset_h=0.0, ground=ground)


def make_ground(site: Site, name: str, first: int, minutes: int, components: int = 3) -> FloatArray:
    noise = GroundNoise(site, 1, name, RATE_HZ, components).blocks(first)
    return np.concatenate(list(itertools.islice(noise, minutes)), axis=1).astype(np.float64)


def density(record: FloatArray, rate_hz: float, window_s: float, quantile: float) -> tuple[FloatArray, FloatArray]:
    """Frequencies above 0 and this quantile of the power densities of half-overlapping windows."""
    samples = int(window_s * rate_hz)
    hz, _, power = scipy.signal.spectrogram(record, rate_hz, "hann", nperseg=samples, noverlap=samples // 2)
    return np.asarray(hz[1:]), np.asarray(np.quantile(power, quantile, axis=-1)[..., 1:])


def acceleration_db(velocity_m_s: FloatArray, rate_hz: float = RATE_HZ) -> tuple[FloatArray, FloatArray]:
    hz, power = density(velocity_m_s, rate_hz, 82.0, 0.5)
    return hz, np.asarray(10.0 * np.log10(power * (2 * np.pi * hz) ** 2))


def plot_models(axes: Axes, title: str) -> None:
    hz = np.geomspace(0.02, 10.0, 200)
    for level in noise_models_db(hz):
        axes.semilogx(hz, level, "k", lw=1.5)
    axes.set(xlim=(0.02, 50), ylim=(-195, -85), xlabel="frequency, Hz", title=title)


def spectra() -> Figure:
    figure, axes = panels(1, 3, height_in=3.2)
    for name, site in draw_places(8):
        for panel, first in zip(axes, (MONDAY_NIGHT, MONDAY_NOON), strict=False):
            for code, ground in zip("ZNE", make_ground(site, name, first, 20), strict=True):
                panel.semilogx(*acceleration_db(ground), color=BY_COMPONENT[code], lw=0.4, label=code)
    for code, hz, level in recorded_spectra():
        axes[2].semilogx(hz, level, color=BY_COMPONENT[code], lw=0.4)
    for panel, title in zip(
        axes, ("simulated, Monday 02:00", "simulated, Monday 12:00", "Ghana, recorded"), strict=True
    ):
        plot_models(panel, title)
    axes[0].set_ylabel("acceleration, dB of 1 (m/s²)²/Hz")
    axes[0].legend(*(found[:3] for found in axes[0].get_legend_handles_labels()), loc="lower right")
    if not REAL.exists():
        say_absent(axes[2], "recorded noise")
    return figure


def recorded_spectra() -> Iterator[tuple[str, FloatArray, FloatArray]]:
    import obspy

    for stretch in continuous("Ghana"):
        metadata = obspy.read_inventory(REAL / "catalogs" / "ghana" / f"GH.{stretch.station}.xml")
        response = metadata[0][0].channels[0].response
        hz, power = density(stretch.counts, stretch.rate_hz, 82.0, 0.5)
        gain = np.abs(response.get_evalresp_response_for_frequencies(hz, output="ACC"))
        yield stretch.component, hz[hz < 45], 10 * np.log10(power / gain**2)[hz < 45]


def hours() -> Figure:
    """Every third hour of a weekend and a Monday, at twenty places."""
    levels_db = np.array(
        [
            third_octaves_db(make_ground(site, name, SATURDAY + 60 * hour, 12))
            for name, site in draw_places(20)
            for hour in range(0, 72, 3)
        ]
    )
    low, high = noise_models_db(np.minimum(THIRD_OCTAVES_HZ, 9.99))
    inside = np.all((levels_db > low) & (levels_db < high), axis=-1)
    figure, axes = panels(1, 2, height_in=3.0)
    for panel, levels, title in (
        (axes[0], levels_db[:, 0], "vertical"),
        (axes[1], levels_db[:, 1:].reshape(-1, THIRD_OCTAVES_HZ.size), "horizontals"),
    ):
        plot_models(panel, title)
        for low_share, high_share, shade in ((0.0, 1.0, 0.15), (0.05, 0.95, 0.3)):
            limits = np.quantile(levels, [low_share, high_share], axis=0)
            label = f"{low_share:.0%} to {high_share:.0%} of {len(levels)} hours"
            panel.fill_between(THIRD_OCTAVES_HZ, *limits, color=BLUE, alpha=shade, lw=0, label=label)
        panel.semilogx(THIRD_OCTAVES_HZ, np.median(levels, axis=0), color=BLUE, label="median")
        panel.set_xlim(0.08, 12)
        panel.legend(loc="lower left")
    axes[0].set_ylabel("acceleration, dB of 1 (m/s²)²/Hz")
    axes[0].set_title(f"vertical: {inside[:, 0].mean():.1%} inside in every third octave")
    axes[1].set_title(f"horizontals: {inside[:, 1:].mean():.1%}")
    return figure


def third_octaves_db(velocity_m_s: FloatArray) -> FloatArray:
    """(components, bands)."""
    hz, level = acceleration_db(velocity_m_s)
    bands = [(hz >= centre * 2 ** (-1 / 6)) & (hz < centre * 2 ** (1 / 6)) for centre in THIRD_OCTAVES_HZ]
    return np.array([10 * np.log10(np.mean(10 ** (level[:, band] / 10), axis=1)) for band in bands]).T


def above_10_hz() -> Figure:
    recorded = [quiet_db(s.counts, s.rate_hz) for name in NETWORKS for s in continuous(name) if s.component == "Z"]
    simulated = [
        quiet_db(make_ground(site, name, first, 20, components=1)[0], RATE_HZ)
        for number, (name, site) in enumerate(draw_places(60))
        for first in ((MONDAY_NIGHT, MONDAY_NOON)[number % 2],)
    ]
    figure, axes = panels(1, 2, height_in=3.0)
    for spectra_db, colour, label in ((recorded, ORANGE, "recorded"), (simulated, BLUE, "simulated")):
        if not spectra_db:
            say_absent(axes[0], "recorded noise")
            continue
        shapes = np.array([shape_above(hz, level) for hz, level in spectra_db])
        fill_quantiles(axes[0], ABOVE_HZ, shapes, colour, f"{label}, {len(shapes)} hours")
        lines = np.sort([count_lines(hz, level) for hz, level in spectra_db])
        axes[1].step(lines, np.arange(1, lines.size + 1) / lines.size, color=colour, where="post", label=label)
    axes[0].set(xscale="log", xlabel="frequency, Hz", ylabel="acceleration over that at 10 Hz, dB", ylim=(-25, 30))
    axes[0].set_title("quiet parts: median, 10 and 90 %")
    axes[1].set(xlabel=f"narrow lines from 1 to 40 Hz, {LINE_DB:g} dB or more", ylabel="share of stations", ylim=(0, 1))
    axes[1].set_xscale("symlog", linthresh=1)
    axes[1].set_xticks([0, 1, 2, 5, 10, 20, 40], ["0", "1", "2", "5", "10", "20", "40"])
    axes[1].set_xlim(0, 50)
    axes[0].set_xticks([3, 5, 10, 20, 40], ["3", "5", "10", "20", "40"])
    axes[0].set_xticks([], minor=True)
    for panel in axes:
        panel.legend()
    return figure


def quiet_db(record: FloatArray, rate_hz: float) -> tuple[FloatArray, FloatArray]:
    """Acceleration; of counts, relative: velocity sensors are flat from 3 Hz on."""
    hz, power = density(record, rate_hz, 20.0, QUIET)
    return hz, 10 * np.log10(np.maximum(power, 1e-40) * hz**2)


def shape_above(hz: FloatArray, level_db: FloatArray) -> FloatArray:
    """Smoothed over a sixth of an octave to each side, over what it is at 10 Hz."""
    smooth = [np.median(level_db[(hz > at / 2 ** (1 / 6)) & (hz < at * 2 ** (1 / 6))]) for at in ABOVE_HZ]
    return np.array(smooth) - np.interp(10.0, ABOVE_HZ, smooth)


def count_lines(hz: FloatArray, level_db: FloatArray) -> int:
    places = np.flatnonzero((hz > 1.0) & (hz < 40.0))
    around = [np.median(level_db[(hz > 0.88 * hz[place]) & (hz < 1.12 * hz[place])]) for place in places]
    above = level_db[places] - around
    peaks, _ = scipy.signal.find_peaks(above, height=LINE_DB, distance=5)
    widths_hz = scipy.signal.peak_widths(above, peaks, 0.5)[0] * (hz[1] - hz[0])
    return int(np.sum(widths_hz < 0.6))


def network() -> Figure:
    """Ten days of five stations: their storms come together, their wind partly, their people by the clock."""
    figure, axes = panels(2, 1, height_in=3.6)
    days = np.arange(0, 10, 1 / 24)
    for (name, site), colour in zip(draw_places(5, first=40), COLOURS, strict=False):
        noise = GroundNoise(site, 1, name, RATE_HZ, components=1)
        spectra = [np.abs(np.fft.rfft(noise.block(SATURDAY + round(1440 * day))[0])) ** 2 for day in days]
        ocean = [power[6:25].sum() for power in spectra]  # 0.1 to 0.4 Hz
        people = [power[120:600].sum() for power in spectra]  # 2 to 10 Hz
        for panel, level in zip(axes, (ocean, people), strict=True):
            level_db = 10 * np.log10(np.convolve(level, np.ones(3) / 3, "same"))
            panel.plot(days, level_db - np.median(level_db), color=colour, lw=0.8, label=name)
    axes[0].set(ylabel="0.1 to 0.4 Hz, dB", title="power of one minute an hour, over its median", ylim=(-12, 12))
    axes[1].set(ylabel="2 to 10 Hz, dB", xlabel="days since Saturday 00:00, local time", ylim=(-20, 25))
    axes[0].legend(ncols=5, loc="upper right")
    return figure


FIGURES = {
    "noise-spectra": spectra,
    "noise-hours": hours,
    "noise-above-10hz": above_10_hz,
    "noise-network": network,
}
