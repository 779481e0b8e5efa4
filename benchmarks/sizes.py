"""Read the size of earthquakes from simulated records as an agency would: from counts and published responses.

ObsPy takes the response off. ML is IASPEI's (2013), of the larger horizontal of a Wood-Anderson seismograph; corners
come from spectra without what Q, kappa and the ground of the stations make of them, which stand in the scenario.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy.signal
from obspy import Inventory, Stream, Trace, UTCDateTime

from kensoku.simulation import sources
from kensoku.simulation.attenuation import quality
from kensoku.simulation.catalogue import Conditions, Shocks, alone
from kensoku.simulation.engine import World, block_at, instrument_of, make_world, record
from kensoku.simulation.geography import move
from kensoku.simulation.magnitudes import local_magnitude, reach_km
from kensoku.simulation.metadata import published_inventory
from kensoku.simulation.networks import Station
from kensoku.simulation.propagation import amplify, measure
from kensoku.simulation.randomness import FloatArray, draw
from kensoku.simulation.scenario import BUNDLED, read_scenario
from kensoku.simulation.sequences import Depths, Mechanism
from kensoku.simulation.stationxml import channel_codes
from kensoku.traveltime import Wave

BoolArray = npt.NDArray[np.bool_]
Horizontal = Literal["larger", "mean"]

SCENARIO = """
name = "sizes"
seed = 5
start = 2024-05-14T00:00:00Z
duration_h = {hours}
[[networks]]
kind = "layout"
code = "XS"
count = {stations}
spacing_km = 22
latitude_deg = 36.0
longitude_deg = 137.0
[networks.equipment]
sensors = ["broadband-120s", "accelerometer"]
borehole_share = 0.25
"""
MIDDLE, AROUND_KM = (36.0, 137.0), 25.0
MINUTES = {4.0: 4.0, 5.0: 8.0, 6.0: 14.0}  # from one to the next: until coda has faded; of smaller ones:
FEWEST_MINUTES = 2.5
BEFORE_S, AFTER_S = 30.0, 40.0  # of P and of S
CLEAR = 3.0  # peak over that of the noise before P
CLEAR_SPECTRUM = 2.0  # the noise is taken off
HIGH_PASSES_HZ = (0.0, 0.5, 1.0, 2.0)  # the lowest that makes an earthquake clear
CLIPPED = 0.95
WOOD_ANDERSON = {
    "poles": [-5.49779 + 5.60886j, -5.49779 - 5.60886j],
    "zeros": [0j, 0j],
    "gain": 1.0,
    "sensitivity": 1.0,
}
BANDS_HZ = 2.0 ** np.arange(-2, 5.1, 1 / 3)  # edges: wide enough for a dozen oscillations of the lowest
TAPER = 0.1  # of a window; it opens before the onset
FEWEST_STATIONS = 3


@dataclass(frozen=True, slots=True)
class Ladder:
    """As many earthquakes of each magnitude, the small ones first, one after the other."""

    magnitudes: tuple[float, ...]
    each: int
    name: str = "ladder"
    kind: str = "ladder"

    @property
    def minutes(self) -> FloatArray:
        """At which they happen."""
        return np.cumsum(np.repeat([MINUTES.get(ml, FEWEST_MINUTES) for ml in self.magnitudes], self.each))

    def draw(self, conditions: Conditions) -> Shocks:
        chance = draw(conditions.seed, self.name, "ladder", 0)
        ml = np.repeat(self.magnitudes, self.each)
        away_km, azimuth = AROUND_KM * np.sqrt(chance.random(ml.size)), chance.uniform(0, 2 * np.pi, ml.size)
        latitude, longitude = move(*MIDDLE, away_km * np.cos(azimuth), away_km * np.sin(azimuth))
        mechanism = Mechanism(scatter_deg=90.0).draw(ml.size, chance)
        return alone(self.minutes / 1440, latitude, longitude, Depths().draw(ml.size, chance), ml, *mechanism)


def make_ladder(magnitudes: tuple[float, ...], each: int, stations: int) -> World:
    ladder = Ladder(magnitudes, each)
    hours = (float(ladder.minutes[-1]) + max(MINUTES.values())) / 60
    scenario = read_scenario(SCENARIO.format(hours=hours, stations=stations), "sizes", BUNDLED)
    # A ladder is a Happening, as make_catalogue wants them, but none that a scenario's file could name.
    return make_world(replace(scenario, sequences=(ladder,)), BUNDLED)  # type: ignore[arg-type]


# --- records ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """Ground displacement at one station around one earthquake, Z, N and E."""

    row: int  # of the catalogue
    station: Station
    hypocentral_km: float
    displacement: Stream  # m
    p: UTCDateTime
    s: UTCDateTime
    travel_s: dict[Wave, float]

    def cut(self, begin: UTCDateTime, lasts_s: float) -> FloatArray:
        return np.stack([trace.slice(begin, begin + lasts_s).data for trace in self.displacement])


def read_records(world: World, station: Station, rows: Sequence[int]) -> Iterator[Record]:
    """Of earthquakes of a catalogue, where the instrument did not clip."""
    count = int((world.end_ns - world.start_ns) / 60e9) + 2
    blocks = list(islice(record(world, station, block_at(world.start_ns)), count))
    counts, start = np.concatenate([block.counts for block in blocks], axis=1), UTCDateTime(ns=blocks[0].start_ns)
    arrivals = {(a.row, a.phase[0]): a.time_ns for block in blocks for a in reversed(block.arrivals)}
    instrument, inventory = instrument_of(world.scenario.seed, station), published_inventory(world, [station])
    largest = CLIPPED * instrument.full_scale * instrument.sensitivity
    for row in rows:
        reach = hypocentral_km(world, station, row)
        if (row, "S") not in arrivals or reach > reach_km(world.catalogue.mw[row]):
            continue
        p, s = (UTCDateTime(ns=arrivals[row, wave]) for wave in "PS")
        first, last = (round((t - start) * station.rate_hz) for t in (p - BEFORE_S, s + AFTER_S))
        if first < 0 or np.abs(found := counts[:, first:last]).max() > largest:
            continue
        begin = start + first / station.rate_hz
        displacement = remove_response(found, station, begin, inventory, channel_codes(instrument))
        origin = UTCDateTime(ns=int(world.catalogue.time_ns[row]))
        yield Record(row, station, reach, displacement, p, s, {"P": p - origin, "S": s - origin})


def hypocentral_km(world: World, station: Station, row: int) -> float:
    source = np.array([[world.catalogue.latitude_deg[row], world.catalogue.longitude_deg[row]]])
    (distance_km,), _, _ = measure(source, np.array([[station.latitude_deg, station.longitude_deg]]))
    return float(np.hypot(distance_km, world.catalogue.depth_km[row]))


def remove_response(
    counts: FloatArray, station: Station, start: UTCDateTime, inventory: Inventory, codes: Sequence[str]
) -> Stream:
    rate_hz = station.rate_hz
    heading = {"network": station.network, "station": station.code, "sampling_rate": rate_hz, "starttime": start}
    traces = [
        Trace(row.astype(np.float64), heading | {"channel": code}) for row, code in zip(counts, codes, strict=True)
    ]
    stream = Stream(traces)
    # A water level of 60 dB, which is usual, would take what an accelerometer has below 1 Hz.
    band = (0.05, 0.1, 0.42 * rate_hz, 0.47 * rate_hz)
    stream.remove_response(inventory, output="DISP", pre_filt=band, water_level=None)
    return stream


# --- magnitude --------------------------------------------------------------------------------------------------------


def read_ml(record: Record, horizontal: Horizontal = "larger") -> float | None:
    """None where noise has nearly as large a peak."""
    shown = record.displacement.copy().simulate(paz_simulate=WOOD_ANDERSON)
    for corner_hz in HIGH_PASSES_HZ:
        filtered = shown.copy().filter("highpass", freq=corner_hz, corners=2) if corner_hz else shown
        quiet = [np.abs(trace.slice(record.p - 20, record.p - 0.5).data).max() for trace in filtered[1:]]
        peaks = [np.abs(trace.slice(record.p).data).max() for trace in filtered[1:]]
        if max(peaks) > CLEAR * max(quiet):
            peak = max(peaks) if horizontal == "larger" else float(np.sqrt(np.prod(peaks)))
            return float(local_magnitude(1e9 * peak, record.hypocentral_km))
    return None


# --- corner -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class SourceSpectrum:
    """Of one station, in bands; not a number where noise is nearly as strong."""

    hz: FloatArray
    log_amplitude: FloatArray  # natural, without what way and ground made of it


def read_spectrum(world: World, record: Record, wave: Wave) -> SourceSpectrum:
    lasts_s = 5.0 + 0.12 * record.hypocentral_km
    if wave == "P":
        lasts_s = min(lasts_s, 0.7 * (record.s - record.p))
    begin = (record.p if wave == "P" else record.s) - TAPER / 2 * lasts_s
    part = slice(0, 1) if wave == "P" else slice(1, 3)
    hz = np.sqrt(BANDS_HZ[1:] * BANDS_HZ[:-1])
    rate_hz, site = record.station.rate_hz, record.station.site
    found = band_amplitudes(record.cut(begin, lasts_s)[part], rate_hz)
    before = record.cut(record.p - 3 - lasts_s, lasts_s) if wave == "P" else _before_s(record, lasts_s)
    noise = band_amplitudes(before[part], rate_hz)
    kappa_s = site.kappa_p_s if wave == "P" else site.kappa_s_s
    lost = np.pi * hz * (record.travel_s[wave] / quality(world.scenario.attenuation, wave, hz) + kappa_s)
    ground = amplify(site, hz)[0 if wave == "P" else 1]
    clear = (found > CLEAR_SPECTRUM * noise) & (hz > 2 / lasts_s) & (hz < 0.35 * rate_hz)
    log_amplitude = 0.5 * np.log(np.where(clear, found**2 - noise**2, 1.0)) + lost - np.log(ground)
    return SourceSpectrum(hz, np.where(_longest_run(clear), log_amplitude, np.nan))


def _longest_run(clear: BoolArray) -> BoolArray:
    """What is clear again beyond a band that is not is a freak of noise, which corrections would enlarge."""
    run = np.cumsum(~clear)
    runs = np.bincount(run[clear], minlength=1)
    longest: BoolArray = clear & (run == runs.argmax())
    return longest


def _before_s(record: Record, lasts_s: float) -> FloatArray:
    """The coda of P is the noise of S, above all at high frequencies; as if it lasted as long as the window of S."""
    shorter_s = min(lasts_s, 0.7 * (record.s - record.p))
    coda: FloatArray = record.cut(record.s - 0.2 - shorter_s, shorter_s) * np.sqrt(lasts_s / shorter_s)
    return coda


def band_amplitudes(displacement: FloatArray, rate_hz: int) -> FloatArray:
    """Root of the mean energy density of all components in each of BANDS_HZ; of acceleration, which leaks little."""
    acceleration = np.diff(displacement, 2, axis=1)
    size = 2 ** int(np.ceil(np.log2(max(20 * rate_hz, acceleration.shape[1]))))
    tapered = acceleration * scipy.signal.windows.tukey(acceleration.shape[1], TAPER)
    hz = np.fft.rfftfreq(size, 1 / rate_hz)[1:]
    spectra = np.fft.rfft(tapered, size)[:, 1:] / (2 - 2 * np.cos(2 * np.pi * hz / rate_hz))
    power = (np.abs(spectra) ** 2).sum(axis=0)
    band = np.digitize(hz, BANDS_HZ)
    means = np.bincount(band, power, BANDS_HZ.size + 1) / np.maximum(np.bincount(band, minlength=BANDS_HZ.size + 1), 1)
    amplitudes: FloatArray = np.sqrt(means[1:-1])
    return amplitudes


def fit_corner(spectra: Sequence[SourceSpectrum]) -> float:
    """Of Brune's source (Hz), the same for all stations, each of which has a plateau of its own; least squares."""
    corners_hz = np.geomspace(0.2, 30, 400)
    misfit = np.zeros(corners_hz.size)
    for spectrum in spectra:
        seen = np.isfinite(spectrum.log_amplitude)
        shapes = -np.log1p((spectrum.hz[seen] / corners_hz[:, np.newaxis]) ** 2)
        rest = spectrum.log_amplitude[seen] - shapes
        misfit += np.square(rest - rest.mean(axis=1, keepdims=True)).sum(axis=1)
    return float(corners_hz[misfit.argmin()])


def stress_drop_mpa(world: World, row: int, corner_hz: float) -> float:
    """Brune's, of the catalogue's moment."""
    beta_km_s = world.catalogue.corner_hz[row] / sources.corner_hz(
        sources.moment_nm(world.catalogue.mw[row]), world.catalogue.stress_drop_mpa[row], 1.0
    )
    one_mpa_hz = sources.corner_hz(sources.moment_nm(world.catalogue.mw[row]), 1.0, beta_km_s)
    return float((corner_hz / one_mpa_hz) ** 3)
