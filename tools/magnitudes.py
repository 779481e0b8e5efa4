"""Measure how large the peaks of simulated waves are on Wood-Anderson seismographs: `python -m tools.magnitudes`.

Prints `PEAK_LOG` of kensoku.simulation.magnitudes: to be made again when waves have changed, as its tests tell.
"""

import sys

import numpy as np

from kensoku.simulation import sources
from kensoku.simulation.events import Event
from kensoku.simulation.geography import move
from kensoku.simulation.magnitudes import DEPTH_KM, PEAK_MW, local_magnitude, pendulum_response, reach_km, show_ml
from kensoku.simulation.networks import GROUND_CLASSES, Station, draw_site_response
from kensoku.simulation.propagation import Earth, load_earth
from kensoku.simulation.randomness import FloatArray, draw
from kensoku.simulation.sequences import Depths, Mechanism
from kensoku.simulation.sources import StressDrop
from kensoku.simulation.waves import wave_train

RATE_HZ = 100
RECORDS = 240  # of a magnitude: half as many more change the third digit
NEAREST_KM = 10.0
HOME = (36.0, 137.0)


def measure(mw: float, borehole_m: float = 0.0, records: int = RECORDS, seed: int = 1) -> FloatArray:
    """log10 of peaks over what their spectra are: of all grounds, distances, depths, mechanisms and stress drops."""
    earth, chance = load_earth("japan"), draw(seed, f"{mw}", "magnitudes", 0)
    farthest_km = max(float(reach_km(mw)), 2 * NEAREST_KM)
    over = [measure_one(mw, borehole_m, farthest_km, earth, number, chance) for number in range(records)]
    return np.array([value for value in over if value is not None])


def measure_one(
    mw: float, borehole_m: float, farthest_km: float, earth: Earth, number: int, chance: np.random.Generator
) -> float | None:
    depth_km = float(Depths().draw(1, chance)[0])
    hypocentral_km = max(farthest_km * (NEAREST_KM / farthest_km) ** chance.random(), 1.1 * depth_km)
    away_km, azimuth = np.sqrt(hypocentral_km**2 - depth_km**2), chance.uniform(0, 2 * np.pi)
    latitude, longitude = move(*HOME, away_km * np.cos(azimuth), away_km * np.sin(azimuth))
    ground = GROUND_CLASSES[number % len(GROUND_CLASSES)]
    site = draw_site_response(ground, borehole_m, chance)
    place = float(latitude), float(longitude)
    station = Station("XX", f"{number}", *place, 0.0, borehole_m, "broadband-120s", RATE_HZ, 3, site)
    strike, dip, rake = Mechanism(scatter_deg=90.0).draw(1, chance)
    moment_nm, beta_km_s = sources.moment_nm([mw]), earth.model.layer_at(depth_km).vs_km_s[0]
    stress_mpa = StressDrop().draw_mpa(np.array([mw]), chance)
    event = Event(
        time_ns=(1_700_000_000 + 1000 * number) * 10**9,
        latitude_deg=HOME[0],
        longitude_deg=HOME[1],
        depth_km=depth_km,
        mw=mw,
        corner_hz=float(sources.corner_hz(moment_nm, stress_mpa, beta_km_s)[0]),
        strike_deg=float(strike[0]),
        dip_deg=float(dip[0]),
        rake_deg=float(rake[0]),
    )
    train = wave_train(event, station, earth, RATE_HZ, seed=1)
    if train is None:
        return None
    shown = local_magnitude(1e9 * read_peak(train.velocity_m_s[1:].astype(np.float64)), hypocentral_km)
    corner_hz = sources.corner_hz(moment_nm, stress_mpa, earth.model.layer_at(DEPTH_KM).vs_km_s[0])
    return float(shown - show_ml(earth, [station], moment_nm, corner_hz, np.array([hypocentral_km]))[0, 0])


def read_peak(velocity_m_s: FloatArray) -> float:
    """Largest displacement of either horizontal on a Wood-Anderson seismograph."""
    count = 2 * velocity_m_s.shape[1]
    hz = np.fft.rfftfreq(count, 1 / RATE_HZ)[1:]
    spectrum = np.fft.rfft(velocity_m_s, count)[:, 1:] * pendulum_response(hz) / (2j * np.pi * hz)
    shown = np.fft.irfft(np.pad(spectrum, ((0, 0), (1, 0))), count)[:, : velocity_m_s.shape[1]]
    return float(np.abs(shown).max())


def main() -> None:
    means = []
    for mw in PEAK_MW:
        over = measure(mw)
        means.append(f"{over.mean():.2f}")
        error = over.std() / np.sqrt(over.size)
        print(f"Mw {mw}: ± {error:.3f}, scatter {over.std():.2f}, {over.size} records", file=sys.stderr)
    print(f"PEAK_LOG = ({', '.join(means)})")


if __name__ == "__main__":
    main()
