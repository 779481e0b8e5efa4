"""Write a small synthetic archive in a moment, so that tests have something to replay. Nothing in it was recorded.

Six made-up stations in made-up network ZZ, coloured noise, and a made-up earthquake now and then, whose P and S waves
travel along straight lines at 6.0 and 3.5 km/s. The same seed gives the same archive.
"""

from io import BytesIO
from pathlib import Path

import numpy as np
from obspy import Stream, Trace, UTCDateTime

from kensoku.packets import Samples

NETWORK = "ZZ"
RATE_HZ = 100.0
START = UTCDateTime(2030, 1, 1)
P_KM_S, S_KM_S = 6.0, 3.5  # upper crust
STATIONS_KM = {
    "SYN1": (0, 0),
    "SYN2": (25, 5),
    "SYN3": (10, 30),
    "SYN4": (-20, 15),
    "SYN5": (-15, -25),
    "SYN6": (30, -20),
}
EARTHQUAKE_PERIOD_S = 40.0
P_SHARE = {"Z": 1.0, "N": 0.4, "E": 0.3}  # P moves the ground up and down, S to the sides
S_SHARE = {"Z": 0.4, "N": 1.0, "E": 0.9}


def write_synthetic_archive(folder: Path, duration_s: float = 300.0, seed: int = 1) -> None:
    """One miniSEED file a channel, below the folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    times_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    origins_s = np.arange(10.0, duration_s - 20.0, EARTHQUAKE_PERIOD_S)
    sources_km = random.uniform(-25, 25, (origins_s.size, 2))
    depths_km = random.uniform(5, 15, origins_s.size)
    amplitudes = 10 ** random.uniform(3.5, 5.0, origins_s.size)
    for station, place_km in STATIONS_KM.items():
        distances_km = np.hypot(np.hypot(*(sources_km - place_km).T), depths_km)
        for component in "ZNE":
            counts = coloured_noise(random, times_s.size)
            for origin_s, distance_km, amplitude in zip(
                origins_s, distances_km, amplitudes / distances_km, strict=True
            ):
                counts += amplitude * P_SHARE[component] * wavelet(times_s - origin_s - distance_km / P_KM_S, 8.0, 0.8)
                counts += (
                    amplitude * S_SHARE[component] * 2 * wavelet(times_s - origin_s - distance_km / S_KM_S, 4.0, 2.0)
                )
            channel = {"network": NETWORK, "station": station, "channel": f"HH{component}"}
            trace = Trace(counts.astype(np.int32), {**channel, "sampling_rate": RATE_HZ, "starttime": START})
            records = BytesIO()  # and not the file: a full disk cannot be told from within ObsPy's writer
            Stream([trace]).write(records, format="MSEED", encoding="STEIM2")
            (folder / f"{NETWORK}.{station}..HH{component}.synthetic.mseed").write_bytes(records.getvalue())


def coloured_noise(random: np.random.Generator, size: int, counts: float = 40.0) -> Samples:
    """Noise whose slow part is the stronger, as that of the ground: half a second's moving average, and some white."""
    slow = np.convolve(random.normal(0, 4 * counts, size + 49), np.ones(50) / 50, "valid")
    noise: Samples = slow + random.normal(0, counts / 4, size)
    return noise


def wavelet(time_s: Samples, frequency_hz: float, decay_s: float) -> Samples:
    """A sudden onset that rings and dies away; nothing before time zero."""
    after_s = np.maximum(time_s, 0.0)
    ringing: Samples = np.sin(2 * np.pi * frequency_hz * after_s) * np.exp(-after_s / decay_s)
    return ringing
