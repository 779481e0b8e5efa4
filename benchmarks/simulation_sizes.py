"""Whether records show the magnitudes of their catalogue: Wood-Anderson ML, as an agency measures it, beside ML.

`python -m benchmarks.simulation_sizes [--json]`. Counts of a simulated network; the response of each instrument is
taken off, a Wood-Anderson seismograph put on, and the larger of the two horizontals read (IASPEI, 2013).
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.report import Figures, main
from kensoku.simulation.engine import World, block_at, instrument_of, open_world, record
from kensoku.simulation.magnitudes import DAMPING, PERIOD_S, local_magnitude
from kensoku.simulation.networks import Station
from kensoku.simulation.propagation import measure
from kensoku.simulation.randomness import FloatArray

MAGNITUDES = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
LARGEST_KM = {0.5: 25.0, 1.0: 40.0}  # beyond, the smallest drown in noise
LONGEST_KM = 150.0
CLEAR = 5.0  # times the noise before P
EVENTS = 24
MINUTES = 6  # from one to the next
SCENARIO = """
name = "sizes"
seed = {seed}
start = 2024-05-14T00:00:00Z
duration_h = {hours}
[[networks]]
kind = "layout"
code = "XS"
count = 12
spacing_km = {spacing_km}
latitude_deg = 36.0
longitude_deg = 137.0
[networks.equipment]
sensors = [{sensor}]
[[sequences]]
kind = "background"
name = "crust"
rate_per_day = {rate}
magnitudes = {{ minimum = {smallest}, maximum = {largest} }}
outline = [[35.8, 136.8], [35.8, 137.2], [36.2, 137.2], [36.2, 136.8]]
[noise]
level = -0.2
"""


@dataclass(frozen=True, slots=True)
class Reading:
    row: int
    station: str
    distance_km: float
    ml: float
    measured: float


def make_world(magnitude: float, folder: Path) -> World:
    small = magnitude < 2
    text = SCENARIO.format(
        seed=round(10 * magnitude) + 1,
        hours=EVENTS * MINUTES / 60,
        rate=1440 / MINUTES,
        spacing_km=8 if small else 25,
        sensor='"geophone-1hz"' if small else '"broadband-120s"' if magnitude < 4 else '"accelerometer"',
        smallest=magnitude - 0.05,
        largest=magnitude + 0.05,
    )
    (folder / "sizes.toml").write_text(text)
    return open_world(folder / "sizes.toml")


def read_station(world: World, station: Station) -> Iterator[Reading]:
    """What of the sources of a world one station shows clearly and alone."""
    first = block_at(world.start_ns)
    blocks = list(islice(record(world, station, first), int((world.end_ns - world.start_ns) / 60e9) + 3))
    counts = np.concatenate([block.counts for block in blocks], axis=1).astype(np.float64)
    catalogue = world.catalogue
    arrivals = {(a.row, a.phase[0]): a.time_ns for block in blocks for a in reversed(block.arrivals)}
    for row in range(len(catalogue)):
        p_ns, s_ns = arrivals.get((row, "P")), arrivals.get((row, "S"))
        others = np.abs(np.delete(catalogue.time_ns, row) - catalogue.time_ns[row]).min()
        if not p_ns or not s_ns or others < 100e9:
            continue
        begin = round((p_ns - blocks[0].start_ns) / 1e9 * station.rate_hz)
        lasts = round(((s_ns - p_ns) / 1e9 + 40) * station.rate_hz)
        quiet = 12 * station.rate_hz
        if begin < quiet or begin + lasts > counts.shape[1]:
            continue
        shown = np.abs(show(counts[1:, begin - quiet : begin + lasts], world, station))
        noise, peak = shown[:, quiet // 3 : quiet - 50].max(), shown[:, quiet:].max()
        place = np.array([[catalogue.latitude_deg[row], catalogue.longitude_deg[row]]])
        (distance_km,), _, _ = measure(place, np.array([[station.latitude_deg, station.longitude_deg]]))
        reach_km = float(np.hypot(distance_km, catalogue.depth_km[row]))
        if peak > CLEAR * noise and reach_km < LONGEST_KM:
            measured = float(local_magnitude(np.array(1e9 * peak), np.array(reach_km)))
            yield Reading(row, station.name, reach_km, float(catalogue.ml[row]), measured)


def show(counts: FloatArray, world: World, station: Station) -> FloatArray:
    """Displacement (m) on a Wood-Anderson seismograph of magnification 1, above half a hertz for noise's sake."""
    count = 2 * counts.shape[1]
    hz = np.fft.rfftfreq(count, 1 / station.rate_hz)[1:]
    s, own = 2j * np.pi * hz, 2 * np.pi / PERIOD_S
    pendulum = s**2 / (s**2 + 2 * DAMPING * own * s + own**2)
    low_cut = (hz / 0.3) ** 4 / (1 + (hz / 0.3) ** 4)
    velocity = pendulum * low_cut / s / instrument_of(world.scenario.seed, station).response(hz)
    velocity[hz > 0.4 * station.rate_hz] = 0.0
    spectrum = np.fft.rfft(counts - counts[:, :100].mean(axis=1, keepdims=True), count)[:, 1:] * velocity
    shown: FloatArray = np.fft.irfft(np.pad(spectrum, ((0, 0), (1, 0))), count)[:, : counts.shape[1]]
    return shown


def read_magnitude(magnitude: float) -> list[Reading]:
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(magnitude, Path(folder))
        readings = [reading for station in world.stations for reading in read_station(world, station)]
    reach_km = LARGEST_KM.get(magnitude, LONGEST_KM)
    return [reading for reading in readings if reading.distance_km < reach_km]


def measure_sizes() -> Figures:
    figures: dict[str, float] = {}
    everything: list[float] = []
    for magnitude in MAGNITUDES:
        readings = read_magnitude(magnitude)
        over = np.array([reading.measured - reading.ml for reading in readings])
        figures |= {
            f"ml_{magnitude}_readings": over.size,
            f"ml_{magnitude}_mean_error": float(over.mean()),
            f"ml_{magnitude}_scatter": float(over.std()),
        }
        everything += over.tolist()
    return {**figures, "mean_error": float(np.mean(everything)), "scatter": float(np.std(everything))}


if __name__ == "__main__":
    main("Magnitudes of simulated records: Wood-Anderson ML over the catalogue's ML", measure_sizes)
