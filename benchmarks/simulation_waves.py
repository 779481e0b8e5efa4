"""How fast one core makes wave trains of a network and windows to train with.

`python -m benchmarks.simulation_waves [--json]`
"""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.report import Figures, main
from kensoku.simulation.events import Event
from kensoku.simulation.networks import Station, draw_site_response
from kensoku.simulation.propagation import load_earth
from kensoku.simulation.sources import corner_hz, moment_nm
from kensoku.simulation.waves import wave_trains
from kensoku.simulation.windows import simulate_window

EVENTS = 150
WINDOWS = 200


def make_events() -> list[Event]:
    """Magnitudes and places as a week of a regional network has them."""
    chance = np.random.default_rng(4)
    first = Event(
        time_ns=1_700_000_000 * 10**9, latitude_deg=36.0, longitude_deg=137.0, depth_km=8.0, mw=1.0, corner_hz=1.0
    )
    events = []
    for number, mw in enumerate(0.8 + chance.exponential(0.43, EVENTS)):
        latitude, longitude = 36.0 + chance.uniform(-0.5, 0.5), 137.0 + chance.uniform(-0.5, 0.5)
        corner = float(corner_hz(moment_nm(mw), 3.0, 3.4))
        time_ns = first.time_ns + number * 60 * 10**9
        place = replace(first, time_ns=time_ns, latitude_deg=latitude, longitude_deg=longitude)
        events.append(replace(place, mw=float(mw), corner_hz=corner))
    return events


def spend(work: Callable[[], object]) -> float:
    """Seconds of processor time, so that a busy machine does not count."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure() -> Figures:
    ground = draw_site_response("stiff", 0.0, np.random.default_rng(1))
    station = Station("XX", "A", 36.0, 137.0, 0.0, 0.0, "geophone-1hz", 100, 3, ground)
    events, earth, chance = make_events(), load_earth("japan"), np.random.default_rng(1)
    list(wave_trains(events[:5], station, earth, 1))
    trains = list(wave_trains(events, station, earth, 1))
    trains_s = spend(lambda: list(wave_trains(events, station, earth, 1)))
    made_s = sum(train.velocity_m_s.shape[1] for train in trains if train) / station.rate_hz
    for _ in range(40):
        simulate_window(chance)
    windows_s = spend(lambda: [simulate_window(chance) for _ in range(WINDOWS)])
    return {
        "wave_trains_per_s_one_core": EVENTS / trains_s,
        "ms_per_wave_train": 1e3 * trains_s / EVENTS,
        "mean_length_of_a_train_s": made_s / EVENTS,
        "station_seconds_of_waves_per_s_one_core": made_s / trains_s,
        "windows_of_30_s_per_s_one_core": WINDOWS / windows_s,
    }


if __name__ == "__main__":
    main("Simulated waves: three components at 100 Hz, local earthquakes, and training windows", measure)
