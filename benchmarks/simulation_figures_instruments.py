"""Instruments: precursors, rates, quantisation, clipping, baselines and disturbances, beside their closed forms."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy.signal
from matplotlib.figure import Figure

from benchmarks.drawing import BLUE, COLOURS, GREEN, ORANGE, PURPLE, RED, SKY, panels
from benchmarks.recorded import SETS, picked_windows
from kensoku.simulation.disturbances import BLOCK_NS, LOOK_AHEAD_S, Kind, Rates
from kensoku.simulation.envelopes import Scattering
from kensoku.simulation.events import Event
from kensoku.simulation.instruments import OVERSAMPLING, Digitiser, Instrument, find_sensor
from kensoku.simulation.networks import SiteResponse, Station
from kensoku.simulation.noise import GroundNoise
from kensoku.simulation.propagation import Earth, load_earth
from kensoku.simulation.randomness import BLOCK_S, FloatArray
from kensoku.simulation.recorder import SHIFTS_FROM_M_S2, Recorder
from kensoku.simulation.scenario import Attenuation
from kensoku.simulation.sites import Site
from kensoku.simulation.sources import corner_hz, moment_nm
from kensoku.simulation.waves import wave_train
from kensoku.simulation.windows import simulate_window
from kensoku.traveltime import load_model

RATE_HZ = 100
NOON = 1_602_504_000 // BLOCK_S
ONSET_S = 20.0
STIFF = SiteResponse("stiff", 0.032, 0.02, 1.6, 5.0, 1.8, 500.0, 0.03)
HARD = SiteResponse("rock", 0.0, 0.0, 1.0, 10.0, 1.0, 3464.0, 0.0)
JAPAN = load_earth("japan")
CRYSTAL = Earth(load_model("homogeneous"), Attenuation(q_p_1hz=1e9, q_s_1hz=1e9), Scattering(strength=0.0))
QUIET = Site(wind_db=None, culture_db=0.0, site_level=0.2)


def record(instrument: Instrument, ground: FloatArray, rates: Rates | None = None) -> FloatArray:
    """Counts on the samples of ground of whole blocks; before them the ground is still."""
    rate_hz, before = instrument.digitiser.rate_hz, instrument.warm_up_blocks
    ahead = LOOK_AHEAD_S * rate_hz
    padded = np.pad(ground, ((0, 0), (before * BLOCK_S * rate_hz, BLOCK_S * rate_hz)))
    blocks = np.split(padded, padded.shape[1] // (BLOCK_S * rate_hz), axis=1)
    recorded = Recorder(instrument, 1, "XX.A", rates).record(blocks, NOON)
    counts = np.concatenate([counts for _, counts in recorded], axis=1).astype(np.float64)
    return counts[:, ahead : ahead + ground.shape[1]]


def shake(
    mw: float, north_km: float, *, depth_km: float = 8.0, blocks: int = 2, earth: Earth = JAPAN,
    site: SiteResponse = STIFF,
) -> FloatArray:  # fmt: skip
    """Ground velocity of an earthquake whose P arrives after `ONSET_S`."""
    station = Station("XX", "A", 36 + north_km / 111.19, 137.0, 0.0, 0.0, "", RATE_HZ, 3, site)
    corner = float(corner_hz(moment_nm(mw), 3.0, 3.5))
    event = Event(
        time_ns=10**18, latitude_deg=36.0, longitude_deg=137.0, depth_km=depth_km, mw=mw, corner_hz=corner,
        strike_deg=20.0, dip_deg=70.0, rake_deg=15.0,
    )  # fmt: skip
    train = wave_train(event, station, earth, RATE_HZ, seed=1)
    ground = np.zeros((3, blocks * BLOCK_S * RATE_HZ))
    first = round(ONSET_S * RATE_HZ)
    if train:
        velocity = train.velocity_m_s[:, : ground.shape[1] - first]
        ground[:, first : first + velocity.shape[1]] = velocity
    return ground


def precursors() -> Figure:
    figure, axes = panels(1, 2, height_in=2.6)
    impulse = np.zeros((1, 2 * BLOCK_S * RATE_HZ))
    onset = round(ONSET_S * RATE_HZ)
    impulse[0, onset] = 1e-4
    ground = shake(1.0, 2.0, depth_km=3.0, earth=CRYSTAL, site=HARD)
    since_ms = (np.arange(impulse.shape[1]) - onset) * 1000 / RATE_HZ
    for is_causal, colour, name in ((False, ORANGE, "linear phase"), (True, BLUE, "minimum phase")):
        digitiser = Digitiser(noise_counts=0.0, is_causal=is_causal)
        instrument = Instrument(find_sensor("broadband-120s"), digitiser)
        coefficients = digitiser.coefficients() * OVERSAMPLING * 1e-4 * instrument.sensitivity
        filter_ms = (np.arange(coefficients.size) / (OVERSAMPLING * RATE_HZ) - digitiser.delay_s) * 1000
        axes[0].plot(filter_ms, coefficients, color=colour, lw=4, alpha=0.3, label="its FIR coefficients")
        axes[0].plot(since_ms, record(instrument, impulse)[0], color=colour, marker=".", label=f"{name}, recorded")
        z = np.abs(record(instrument, ground)[0])
        axes[1].semilogy(since_ms, np.maximum(z, 0.5) / z.max(), color=colour, marker=".", label=name)
    axes[0].set(xlim=(-120, 160), xlabel="ms after an impulse of the ground", ylabel="counts")
    axes[1].set(xlim=(-120, 160), xlabel="ms after P of an M1 at 4 km, on hard rock", ylabel="counts, over the largest")
    for panel in axes:
        panel.axvline(0, color="k", lw=0.6)
    axes[0].legend(loc="upper right", fontsize=6)
    axes[1].legend(loc="upper left")
    return figure


def rates() -> Figure:
    """The chain at each rate, and how training windows and recorded sets end at high frequencies."""
    figure, axes = panels(1, 2, height_in=2.6)
    for rate_hz, colour in zip((50, 100, 200, 250), COLOURS, strict=False):
        instrument = Instrument(find_sensor("geophone-4.5hz"), Digitiser(rate_hz, noise_counts=0.0))
        impulse = np.zeros((1, 2 * BLOCK_S * rate_hz))
        impulse[0, 30 * rate_hz] = 0.1
        counts = record(instrument, impulse)[0]
        hz = np.fft.rfftfreq(counts.size, 1 / rate_hz)
        axes[0].loglog(hz[1:], np.abs(np.fft.rfft(counts))[1:] / 0.1, color=colour, lw=3, alpha=0.3)
        closed = np.geomspace(0.5, 0.499 * rate_hz, 400)
        axes[0].loglog(closed, np.abs(instrument.response(closed)), color=colour, lw=0.8, label=f"{rate_hz} Hz")
    axes[0].set(xlabel="frequency, Hz", ylabel="counts per m/s", xlim=(0.5, 140), ylim=(1e5, 3e7))
    axes[0].set_title("recorded impulse (broad) and closed form (thin)")
    axes[0].legend()
    chance = np.random.default_rng(1)
    noises_of: list[tuple[str, str, Sequence[FloatArray]]] = [
        (name, colour, [window.samples[:, : int(window.p) - 50] for window in picked_windows(name)])
        for name, colour in zip(SETS, (ORANGE, PURPLE), strict=True)
    ]
    simulated = [simulate_window(chance) for _ in range(200)]
    before: Sequence[FloatArray] = [
        w.counts[:, : int(min((label.sample for label in w.labels), default=3000)) - 50].astype(np.float64)
        for w in simulated
    ]
    noises_of.append(("simulated windows", BLUE, before))
    for name, colour, noises in noises_of:
        spectra = [noise_shape(noise) for noise in noises if noise.shape[1] > 600]
        if spectra:
            hz = np.fft.rfftfreq(256, 1 / RATE_HZ)
            for quantile, width in ((0.1, 0.6), (0.5, 1.2), (0.9, 0.6)):
                label = name if quantile == 0.5 else None
                axes[1].plot(hz, np.quantile(spectra, quantile, axis=0), color=colour, lw=width, label=label)
    axes[1].set(xlabel="frequency, Hz", ylabel="noise over that at 10 to 15 Hz, dB", xlim=(5, 50), ylim=(-45, 25))
    axes[1].set_title("before P: 10, 50 and 90 % of windows at 100 Hz")
    axes[1].legend(loc="lower left")
    return figure


def noise_shape(noise: FloatArray) -> FloatArray:
    hz, power = scipy.signal.welch(noise, RATE_HZ, nperseg=256)
    level = 10 * np.log10(power.mean(axis=0) + 1e-30)
    return np.asarray(level - level[(hz > 10) & (hz < 15)].mean())


def quantisation() -> Figure:
    figure, axes = panels(1, 2, height_in=2.6)
    ground = np.concatenate(
        [GroundNoise(QUIET, 1, "XX.A", RATE_HZ, 1).block(block) for block in range(NOON, NOON + 10)], axis=1
    ).astype(np.float64)
    since_s = np.arange(200) / RATE_HZ
    for row, (gain, colour) in enumerate(((9.0, RED), (25.0, ORANGE), (300.0, BLUE))):
        instrument = Instrument(find_sensor("geophone-4.5hz"), Digitiser(gain=gain, noise_counts=0.0))
        counts = record(instrument, ground)[0]
        unit_nm_s = 1e9 / instrument.sensitivity
        label = f"a count is {unit_nm_s:.1f} nm/s: rms {counts.std():.1f} counts"
        axes[0].step(since_s, counts[3000:3200] * unit_nm_s - 50 * row, color=colour, lw=0.8, label=label)
        hz, power = scipy.signal.welch(counts, RATE_HZ, nperseg=512)
        axes[1].loglog(hz[1:], power[1:] * unit_nm_s**2, color=colour)
        floor = (1 / 12 + instrument.noise_counts**2) / (RATE_HZ / 2) * unit_nm_s**2
        axes[1].axhline(floor, color=colour, ls=":", lw=1)
    axes[0].set(xlabel="time, s", ylabel="ground velocity, nm/s, apart by 50", xlim=(0, 2), ylim=(-130, 60))
    axes[1].set(xlabel="frequency, Hz", ylabel="(nm/s)²/Hz", xlim=(0.5, 50))
    axes[1].set_title("dotted: (1/12 count² + electronics) / Nyquist frequency")
    axes[0].legend(loc="upper right", fontsize=6)
    return figure


def clipping() -> Figure:
    """A sensor that saturates, a converter that saturates, and what both would have shown."""
    figure, axes = panels(1, 2, height_in=2.4)
    ground = shake(5.0, 8.0)
    since_s = np.arange(ground.shape[1]) / RATE_HZ - ONSET_S
    for panel, sensor, gain, what in (
        (axes[0], "broadband-60s", 1.0, "sensor saturates"),
        (axes[1], "geophone-1hz", 16.0, "converter saturates"),
    ):
        clipped = Instrument(find_sensor(sensor), Digitiser(gain=gain))
        endless = Instrument(replace(clipped.sensor, clip=100.0), Digitiser(gain=gain, full_scale_v=1e6))
        for instrument, colour, label in ((endless, SKY, "without limits"), (clipped, RED, "recorded")):
            north = record(instrument, ground)[1] / instrument.sensitivity * 1e3
            panel.plot(since_s, north, color=colour, lw=0.8, label=label)
        full = clipped.full_scale * 1e3
        for sign in (-1, 1):
            panel.axhline(sign * full, color="k", ls=":", lw=0.8)
        panel.set(xlim=(0, 8), ylim=(-2.5 * full, 2.5 * full), xlabel="seconds after P", title=f"{sensor}: {what}")
    axes[0].set_ylabel("velocity, mm/s (dotted: full scale)")
    axes[0].legend(loc="upper right")
    return figure


def baselines() -> Figure:
    figure, axes = panels(1, 3, height_in=2.6)
    instrument = Instrument(find_sensor("accelerometer"), Digitiser())
    ground = shake(6.8, 15.0, blocks=3)
    since_s = np.arange(ground.shape[1]) / RATE_HZ - ONSET_S
    recorded = record(instrument, ground)[1] / instrument.sensitivity
    axes[0].plot(since_s, recorded, color=BLUE, lw=0.5)
    twice = np.cumsum(np.cumsum(recorded)) / RATE_HZ**2
    axes[1].plot(since_s, twice, color=RED, label="record, integrated twice")
    axes[1].plot(since_s, np.cumsum(ground[1]) / RATE_HZ, color=BLUE, label="ground")
    axes[0].set(xlabel="seconds after P", ylabel="acceleration, m/s²", title="M6.8 at 17 km, north")
    axes[1].set(xlabel="seconds after P", ylabel="displacement, m")
    axes[1].legend()
    peaks, shifts = [], []
    for number, (mw, north_km) in enumerate((mw, km) for mw in (5.5, 6.0, 6.5, 7.0, 7.3) for km in (6, 12, 20, 35, 60)):
        velocity = shake(mw, float(north_km) + 0.01 * number)
        counts = record(instrument, velocity) / instrument.sensitivity
        true = np.diff(velocity, axis=1, prepend=0) * RATE_HZ
        for component in (1, 2):
            peaks.append(np.abs(true[component]).max())
            shifts.append(abs((counts - true)[component, -1000:].mean()))
    axes[2].loglog(peaks, np.maximum(shifts, 1e-7), ".", color=BLUE, label="simulated horizontals")
    axes[2].axvline(SHIFTS_FROM_M_S2, color="k", ls=":", label="50 cm/s² (Iwan et al., 1985)")
    axes[2].axhspan(1e-3, 1e-2, color=ORANGE, alpha=0.3, lw=0, label="Chi-Chi 1999 (Boore, 2001)")
    axes[2].set(xlabel="peak acceleration, m/s²", ylabel="shift a minute later, m/s²", ylim=(1e-6, 1e-1))
    axes[2].legend(loc="upper left", fontsize=6)
    return figure


def disturbances() -> Figure:
    """One of each kind on a quiet broadband station, where the truth says."""
    figure, axes = panels(2, 3, height_in=3.6)
    instrument = Instrument(find_sensor("broadband-120s"))
    kinds = (Kind.FOOTSTEPS, Kind.VEHICLE, Kind.LIGHTNING, Kind.CALIBRATION, Kind.RECENTRING, Kind.BIT_ERROR)
    for panel, kind in zip(axes, kinds, strict=True):
        rates = Rates(**{kind.value: 200.0})
        noise = GroundNoise(Site(wind_db=None, culture_db=3.0, disturbances=rates), 1, "XX.A", RATE_HZ)
        before, minutes = instrument.warm_up_blocks, 60
        recorder = Recorder(instrument, 1, "XX.A", rates)
        found = [*noise.disturbances(NOON, NOON + minutes - 8), *recorder.disturbances(NOON, NOON + minutes - 8)]
        shown = max(found, key=lambda one: one.weights[0] * one.size)
        first = (shown.start_ns - 10**10) // BLOCK_NS
        blocks = [noise.block(block) for block in range(first - before, first + 8)]
        recorded = list(recorder.record(blocks, first - before))
        counts = np.concatenate([counts[0] for _, counts in recorded])
        since_s = np.arange(counts.size) / RATE_HZ + (recorded[0][0] - shown.start_ns) / 1e9
        lasts_s = max(shown.duration_s, 2.0)
        part = (since_s > -0.3 * lasts_s) & (since_s < 1.1 * lasts_s)
        panel.plot(since_s[part], counts[part], color=GREEN if kind in (Kind.FOOTSTEPS, Kind.VEHICLE) else BLUE, lw=0.5)
        panel.axvline(0, color="k", ls=":", lw=0.8)
        panel.set_title(kind.value.replace("_", " "))
    for panel in axes[3:]:
        panel.set_xlabel("seconds after the time in the truth")
    for panel in (axes[0], axes[3]):
        panel.set_ylabel("counts, vertical")
    return figure


FIGURES = {
    "instruments-precursors": precursors,
    "instruments-rates": rates,
    "instruments-quantisation": quantisation,
    "instruments-clipping": clipping,
    "instruments-baselines": baselines,
    "instruments-disturbances": disturbances,
}
