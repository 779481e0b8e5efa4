"""Waves: what distance, ground, boreholes and large ruptures do to them, beside recorded windows or a closed form."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import scipy.ndimage
import scipy.signal
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.drawing import BLUE, COLOURS, GREEN, ORANGE, PURPLE, RED, fill_quantiles, panels
from benchmarks.recorded import SETS, Picked, picked_windows
from kensoku.simulation.attenuation import quality
from kensoku.simulation.envelopes import Scattering
from kensoku.simulation.events import Event
from kensoku.simulation.networks import GROUND_CLASSES, SiteResponse, Station, draw_site_response
from kensoku.simulation.noise import GroundNoise
from kensoku.simulation.propagation import Earth, amplify, load_earth
from kensoku.simulation.randomness import BLOCK_S, FloatArray
from kensoku.simulation.scenario import Attenuation
from kensoku.simulation.sites import Site
from kensoku.simulation.sources import corner_hz, moment_nm, rupture_duration_s
from kensoku.simulation.waves import WaveTrain, wave_train
from kensoku.traveltime import Wave, load_model

RATE_HZ = 100
KM_A_SECOND = 8.2  # of distance, in the crust, over S-P
JAPAN = load_earth("japan")
HARD = SiteResponse("rock", 0.0, 0.0, 1.0, 10.0, 1.0, 3464.0, 0.0)
MONDAY = 1_602_460_800 // BLOCK_S
DISTANCE_EDGES_KM = np.array([3, 8, 14, 25, 40, 65, 110, 180.0])
BANDS_HZ = np.geomspace(0.5, 25.0, 50)


def send(event: Event, north_km: float, site: SiteResponse, *, earth: Earth = JAPAN, borehole_m: float = 0.0,
         seed: int = 1) -> WaveTrain | None:  # fmt: skip
    station = Station("XX", f"N{north_km:.0f}", 36 + north_km / 111.19, 137.0, 0.0, borehole_m, "", RATE_HZ, 3, site)
    return wave_train(event, station, earth, RATE_HZ, seed)


def quake(mw: float, chance: np.random.Generator | None = None, depth_km: float = 8.0) -> Event:
    strike, dip, rake = chance.uniform((0, 30, -180), (360, 90, 180)) if chance else (20.0, 70.0, 15.0)
    shift = chance.integers(10**9) if chance else 0
    return Event(
        time_ns=10**18 + int(shift) * 10_000_000, latitude_deg=36.0, longitude_deg=137.0, depth_km=depth_km, mw=mw,
        corner_hz=float(corner_hz(moment_nm(mw), 3.0, 3.5)), strike_deg=strike, dip_deg=dip, rake_deg=rake,
    )  # fmt: skip


def simulated_windows(count: int = 240) -> Iterator[Picked]:
    """Wave trains without noise, at distances and of magnitudes that recorded windows have."""
    chance = np.random.default_rng(3)
    for number in range(count):
        north_km = float(np.exp(chance.uniform(np.log(4), np.log(150))))
        site = draw_site_response(GROUND_CLASSES[number % len(GROUND_CLASSES)], 0.0, chance)
        event = quake(float(chance.uniform(1.0, 2.5) + 0.8 * np.log10(north_km / 10)), chance)
        train = send(event, north_km, site, seed=number)
        phases = [arrival for arrival in train.arrivals if arrival.phase != "Sp"] if train else []
        if train and len({arrival.phase[0] for arrival in phases}) == 2:
            p, s = (next(a.time_ns for a in phases if a.phase[0] == wave) - train.start_ns for wave in "PS")
            quiet = np.zeros((3, 500))
            yield Picked(np.concatenate([quiet, train.velocity_m_s, quiet], axis=1), 500 + p / 1e7, 500 + s / 1e7)


def clear(windows: Iterable[Picked]) -> list[Picked]:
    """P three times as loud as what is before it."""
    kept = []
    for window in windows:
        p = int(window.p)
        loud = envelope(window.samples, 2.0, 20.0)
        if p > 320 and window.s - window.p > 20 and loud[:, p : p + 100].mean() > 3 * loud[:, p - 300 : p - 20].mean():
            kept.append(window)
    return kept


def all_sets() -> Iterator[tuple[str, str, list[Picked]]]:
    for name, colour in zip(SETS, (ORANGE, PURPLE), strict=True):
        if windows := clear(picked_windows(name)):
            yield name, colour, windows
    yield "simulated", BLUE, clear(simulated_windows())


def envelope(samples: FloatArray, low_hz: float, high_hz: float) -> FloatArray:
    """Of each component, smoothed over a tenth of a second."""
    band = scipy.signal.butter(2, (low_hz, high_hz), "bandpass", fs=RATE_HZ, output="sos")
    power = scipy.ndimage.uniform_filter1d(scipy.signal.sosfilt(band, samples) ** 2, 10, axis=-1)
    return np.asarray(np.sqrt(np.maximum(power, 1e-40)))


# --- scattering -------------------------------------------------------------------------------------------------------


def peak_delay() -> Figure:
    figure, axes = panels(1, 2, height_in=2.8)
    for name, colour, windows in all_sets():
        distance = np.array([KM_A_SECOND * (window.s - window.p) / RATE_HZ for window in windows])
        for panel, wave in zip(axes, "PS", strict=True):
            plot_by_distance(panel, distance, np.array([delay_s(window, wave) for window in windows]), colour, name)
    for panel, wave in zip(axes, "PS", strict=True):
        panel.set(xscale="log", yscale="log", xlabel="8.2 km/s times S-P, km", title=wave, ylim=(0.03, 8))
    axes[0].set_ylabel("from onset to the largest, 2 to 8 Hz, s")
    axes[0].legend()
    return figure


def delay_s(window: Picked, wave: str) -> float:
    begin = int(window.p if wave == "P" else window.s)
    apart = window.s - window.p
    end = int(window.p + 0.8 * apart if wave == "P" else window.s + max(apart, 200))
    loud = np.sqrt(np.square(envelope(window.samples, 2.0, 8.0)).sum(axis=0))
    return float((np.argmax(loud[begin:end]) + 1) / RATE_HZ)


def plot_by_distance(axes: Axes, distance: FloatArray, values: FloatArray, colour: str, name: str) -> None:
    """Medians of classes of distance, and what lies between 25 and 75 %."""
    for low, high in zip(DISTANCE_EDGES_KM[:-1], DISTANCE_EDGES_KM[1:], strict=True):
        found = values[(distance >= low) & (distance < high)]
        if found.size >= 6:
            quarter, middle, three = np.quantile(found, [0.25, 0.5, 0.75])
            errors = [[middle - quarter], [three - middle]]
            at = np.sqrt(low * high) * (1 + 0.05 * COLOURS.index(colour))
            axes.errorbar(at, middle, errors, color=colour, fmt="o", ms=3, capsize=2, lw=1, label=name)
            name = "_"


def horizontals() -> Figure:
    """How P leaves the vertical, and what comes before S on it."""
    figure, axes = panels(1, 2, height_in=2.8)
    after_s, before_s = np.arange(0.05, 1.2, 0.03), np.arange(-0.9, 0.4, 0.03)
    for name, colour, windows in all_sets():
        far = [window for window in windows if window.s - window.p > 150]
        envelopes = [envelope(window.samples, 2.0, 10.0) for window in far]
        leaving, before = [], []
        for window, loud in zip(far, envelopes, strict=True):
            z, h = loud[0], np.hypot(loud[1], loud[2])
            places = (window.p + RATE_HZ * after_s).astype(int)
            leaving.append(20 * np.log10(h[places] / z[places]))
            around = (window.s + RATE_HZ * before_s).astype(int)
            ahead = slice(int(window.s) - 110, int(window.s) - 70)
            both = [20 * np.log10(level[around] / level[ahead].mean()) for level in (z, h)]
            before.append(both[0] - both[1])
        if len(far) < 10:
            continue
        fill_quantiles(axes[0], after_s, np.array(leaving), colour, f"{name}, {len(far)} windows")
        fill_quantiles(axes[1], before_s, np.array(before), colour, name)
    axes[0].set(xlabel="seconds after P", ylabel="horizontals over vertical, dB", title="P: 2 to 10 Hz, 10, 50, 90 %")
    axes[1].set(xlabel="seconds after S", ylabel="change of vertical over horizontals, dB")
    axes[1].set_title("before S: converted waves come up first")
    axes[0].legend(fontsize=6)
    return figure


def absorption() -> Figure:
    """Q and kappa of P and S against their closed form, and what they leave of recorded and simulated spectra."""
    figure, axes = panels(1, 2, height_in=2.8)
    clean = Earth(load_model("homogeneous"), Attenuation(far_km=1e4), Scattering(strength=0.0))
    hz = np.linspace(1.0, 40.0, 100)
    soft = replace(HARD, kappa_s_s=0.05, kappa_p_s=0.02)
    waves: tuple[Wave, Wave] = ("P", "S")
    for wave, colour in zip(waves, (BLUE, RED), strict=True):
        near, far = (arrived(clean, wave, km, HARD, hz) for km in (20.0, 100.0))
        ground = arrived(clean, wave, 20.0, soft, hz)
        (near_s, near_a), (far_s, far_a), (_, ground_a) = near, far, ground
        loss = np.log(far_a / near_a)
        closed = -np.pi * hz * (far_s - near_s) / quality(clean.attenuation, wave, hz)
        kappa = soft.kappa_p_s if wave == "P" else soft.kappa_s_s
        axes[0].plot(hz, loss - loss[0] + closed[0], ".", ms=3, color=colour, label=f"{wave}: 100 over 20 km")
        axes[0].plot(hz, closed, color=colour)
        axes[0].plot(hz, np.log(ground_a / near_a), "x", ms=3, color=colour, label=f"{wave}: soft ground over hard")
        axes[0].plot(hz, -np.pi * hz * kappa, color=colour, ls="--")
    axes[0].set(xlabel="frequency, Hz", ylabel="ln of what is left", title="lines: -πft/Q(f), dashed -πfκ")
    axes[0].legend(fontsize=6, loc="lower left")
    for name, colour, windows in all_sets():
        distance = np.array([KM_A_SECOND * (window.s - window.p) / RATE_HZ for window in windows])
        for phase, marker in zip("PS", ("o", "s"), strict=True):
            values = np.array([centroid_hz(window, phase) for window in windows])
            shown = [(np.median(values[part]), np.median(distance[part])) for part in fifths(distance)]
            level, at = np.array(shown).T
            style = "-" if phase == "P" else "--"
            axes[1].plot(at, level, style, marker=marker, ms=3, color=colour, label=f"{name}, {phase}")
    axes[1].set(xscale="log", xlabel="8.2 km/s times S-P, km", ylabel="centroid of 1 to 40 Hz, Hz", ylim=(0, 32))
    axes[1].set_title("medians of fifths of the windows")
    axes[1].legend(fontsize=6)
    return figure


def fifths(distance: FloatArray) -> list[FloatArray]:
    return np.array_split(np.argsort(distance), 5)


def arrived(earth: Earth, wave: Wave, north_km: float, site: SiteResponse, hz: FloatArray) -> tuple[float, FloatArray]:
    """Travel time and amplitude spectrum of a direct wave, on all components."""
    event = quake(3.0)
    train = send(event, north_km, site, earth=earth)
    assert train is not None
    arrival = next(arrival for arrival in train.arrivals if arrival.phase == f"{wave}g")
    begin = round((arrival.time_ns - train.start_ns) / 1e7)
    cut = train.velocity_m_s[:, begin : begin + 200].astype(np.float64)
    spectrum = np.linalg.norm(np.abs(np.fft.rfft(cut, 4096)), axis=0)
    return (arrival.time_ns - event.time_ns) / 1e9, np.interp(hz, np.fft.rfftfreq(4096, 0.01), spectrum)


def centroid_hz(window: Picked, wave: str) -> float:
    begin = int(window.p if wave == "P" else window.s)
    cut = window.samples[:, begin : begin + int(min(200, 0.9 * (window.s - window.p)))]
    power = (np.abs(np.fft.rfft(cut * scipy.signal.windows.tukey(cut.shape[1], 0.1), 1024)) ** 2).sum(axis=0)
    hz = np.fft.rfftfreq(1024, 1 / RATE_HZ)
    seen = (hz > 1) & (hz < 40)
    return float((hz * power)[seen].sum() / power[seen].sum())


# --- ground -----------------------------------------------------------------------------------------------------------


def h_over_v(samples: FloatArray) -> FloatArray:
    """Nakamura's ratio at `BANDS_HZ`: one horizontal over the vertical, spectra smoothed over a third of an octave."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(samples.shape[1], 1 / RATE_HZ)
    bands = [(hz > at / 2 ** (1 / 6)) & (hz < at * 2 ** (1 / 6)) for at in BANDS_HZ]
    z, n, e = (np.array([component[band].mean() for band in bands]) for component in power)
    return np.asarray(np.sqrt((n + e) / 2 / z))


def resonance() -> Figure:
    figure, axes = panels(1, 2, height_in=2.8)
    for kind, colour in zip(GROUND_CLASSES, COLOURS, strict=False):
        chance = np.random.default_rng(5)
        site = draw_site_response(kind, 0.0, chance)
        trains = [send(quake(3.5, chance), 25.0, site, seed=number) for number in range(30)]
        coda = [h_over_v(train.velocity_m_s[:, 600:3000].astype(np.float64)) for train in trains if train]
        noise = GroundNoise(Site(ground=site, culture_db=0.0, wind_db=None), 1, "XX.A", RATE_HZ)
        quiet = [h_over_v(noise.block(MONDAY + minute).astype(np.float64)) for minute in range(30)]
        vertical, horizontal = amplify(site, BANDS_HZ)
        axes[0].loglog(BANDS_HZ, horizontal / vertical, color=colour, lw=3, alpha=0.3)
        axes[0].loglog(BANDS_HZ, np.median(coda, axis=0), color=colour, lw=1, label=kind)
        axes[0].loglog(BANDS_HZ, np.median(quiet, axis=0), color=colour, lw=1, ls=":")
    axes[0].set(xlabel="frequency, Hz", ylabel="H/V", ylim=(0.3, 20))
    axes[0].set_title("simulated: truth (broad), S and coda, noise (dotted)")
    axes[0].legend()
    for name, colour, windows in all_sets():
        ratios = [h_over_v(window.samples[:, int(window.s) : int(window.s) + 1000]) for window in windows]
        fill_quantiles(axes[1], BANDS_HZ, np.array(ratios), colour, f"{name}, {len(ratios)} windows")
    axes[1].set(xscale="log", yscale="log", xlabel="frequency, Hz", ylim=(0.3, 20), title="ten seconds from S on")
    axes[1].legend()
    return figure


def boreholes() -> Figure:
    figure, axes = panels(1, 2, height_in=2.8)
    site = replace(HARD, vs_m_s=600.0)
    clean = Earth(load_model("homogeneous"), Attenuation(), Scattering(strength=0.0))
    event = quake(2.0)
    trains = {depth_m: send(event, 20.0, site, earth=clean, borehole_m=depth_m) for depth_m in (0.0, 50.0, 200.0)}
    spectra: dict[float, FloatArray] = {}
    for (depth_m, train), colour in zip(trains.items(), (BLUE, ORANGE, GREEN), strict=True):
        assert train is not None
        s = next(arrival.time_ns for arrival in train.arrivals if arrival.phase == "Sg")
        after_s = (train.start_ns - event.time_ns) / 1e9 + np.arange(train.velocity_m_s.shape[1]) / RATE_HZ
        s_s = (s - event.time_ns) / 1e9
        east = train.velocity_m_s[2].astype(np.float64)
        part = (after_s > s_s - 0.2) & (after_s < s_s + 1.0)
        axes[0].plot(after_s[part], east[part] * 1e6 - 200 * len(spectra), color=colour, label=f"{depth_m:g} m deep")
        axes[0].axvline(s_s, color=colour, ls=":", lw=0.8)
        spectra[depth_m] = np.abs(np.fft.rfft(east[(after_s > s_s - 0.05) & (after_s < s_s + 2.5)], 2048))
    hz = np.fft.rfftfreq(2048, 1 / RATE_HZ)
    for depth_m, colour in ((50.0, ORANGE), (200.0, GREEN)):
        axes[1].plot(hz, spectra[depth_m] / spectra[0.0], color=colour, label=f"{depth_m:g} m over the surface")
        axes[1].plot(hz, np.abs(np.cos(2 * np.pi * hz * depth_m / 600.0)), color=colour, ls=":")
    axes[0].set(xlabel="seconds after the origin", ylabel="S, east, µm/s, apart by 200", title="dotted: time of S")
    axes[1].set(xlim=(0, 12), ylim=(0, 1.5), xlabel="frequency, Hz", ylabel="ratio", title="dotted: |cos 2πf h/v|")
    for panel in axes:
        panel.legend(fontsize=6)
    return figure


def subevents() -> Figure:
    figure, axes = panels(1, 2, height_in=2.6)
    clean = Earth(
        load_model("homogeneous"), Attenuation(far_km=1e4, q_s_1hz=1e9, q_p_1hz=1e9), Scattering(strength=0.0)
    )
    for mw, colour in ((5.5, BLUE), (6.5, ORANGE), (7.2, RED)):
        event = quake(mw)
        train = send(event, 150.0, HARD, earth=clean)
        assert train is not None
        s = next(arrival.time_ns for arrival in train.arrivals if arrival.phase == "Sg")
        begin = round((s - train.start_ns) / 1e7) - 100
        displacement = np.abs(np.cumsum(train.velocity_m_s[2, begin : begin + 4500].astype(np.float64))) / RATE_HZ
        rate = displacement / displacement.sum() * RATE_HZ
        axes[0].plot(np.arange(rate.size) / RATE_HZ - 1, rate, color=colour, label=f"M{mw}")
        axes[0].axvline(float(rupture_duration_s(mw, event.corner_hz, 3.46)), color=colour, ls=":", lw=0.8)
        spectrum = np.abs(np.fft.rfft(displacement, 8192))
        hz = np.fft.rfftfreq(8192, 1 / RATE_HZ)
        axes[1].loglog(hz[2:], spectrum[2:] / spectrum[2], color=colour)
        axes[1].loglog(hz[2:], 1 / (1 + (hz[2:] / event.corner_hz) ** 2), color=colour, ls=":")
    axes[0].set(xlim=(-1, 40), xlabel="seconds after S", ylabel="moment rate over the moment, 1/s")
    axes[0].set_title("dotted: duration of the rupture")
    axes[1].set(xlim=(0.02, 20), ylim=(1e-5, 2), xlabel="frequency, Hz", ylabel="spectrum over the plateau")
    axes[1].set_title("dotted: one Brune source of the same moment")
    axes[0].legend()
    return figure


FIGURES = {
    "physics-peak-delay": peak_delay,
    "physics-horizontals": horizontals,
    "physics-absorption": absorption,
    "physics-resonance": resonance,
    "physics-boreholes": boreholes,
    "physics-subevents": subevents,
}
