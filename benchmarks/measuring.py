"""Measure picks of simulated earthquakes of known size and first motion, beside ObsPy: amplitudes, ML, polarity.

`python -m benchmarks.measuring [--json]`, some minutes; the figure by `python -m benchmarks.simulation_figures`.
"""

import functools
import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import scipy.signal
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from obspy import Inventory, Stream, Trace, UTCDateTime

from benchmarks.drawing import BY_COMPONENT, ORANGE, RED, panels
from benchmarks.report import Figures, main
from benchmarks.sizes import WOOD_ANDERSON, hypocentral_km, make_ladder
from kensoku.inventory import read_inventory
from kensoku.measuring import FULL, LEAD, Amplitude, Channels, Measured, measure
from kensoku.simulation.engine import World, block_at, instrument_of, record
from kensoku.simulation.instruments import Instrument
from kensoku.simulation.magnitudes import local_magnitude, reach_km
from kensoku.simulation.metadata import published_inventory
from kensoku.simulation.networks import Station
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.recorder import Int32Array
from kensoku.simulation.stationxml import channel_codes
from kensoku.simulation.truth import judge_arrival
from kensoku.v1.inventory_pb2 import Station as Known
from kensoku.v1.pick_pb2 import (
    AMPLITUDE_KIND_PEAK_ACCELERATION,
    AMPLITUDE_KIND_PEAK_DISPLACEMENT,
    AMPLITUDE_KIND_PEAK_VELOCITY,
    AMPLITUDE_KIND_WOOD_ANDERSON,
)

MAGNITUDES, EACH, STATIONS = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0), 4, 5
ONE_IN = 3  # picks is compared with ObsPy's amplitudes, which take their time
RATE_HZ = 100
PICK_ERROR_S = 0.03  # standard deviation of the simulated picks, which is their stated uncertainty too
CLEAR, COMPARED = 3.0, 10.0  # over noise: for ML, and beside ObsPy
FIRST_SHARE = 0.05  # of the largest in 0.3 s: what of the waves alone is a first motion
HIGH_PASS_HZ = 0.075
LOAD = 200  # measurements that are timed
KINDS = {
    "displacement": AMPLITUDE_KIND_PEAK_DISPLACEMENT,
    "velocity": AMPLITUDE_KIND_PEAK_VELOCITY,
    "acceleration": AMPLITUDE_KIND_PEAK_ACCELERATION,
    "wood_anderson": AMPLITUDE_KIND_WOOD_ANDERSON,
}
OUTPUTS = {"displacement": "DISP", "velocity": "VEL", "acceleration": "ACC", "wood_anderson": "DISP"}


@dataclass(frozen=True, slots=True, eq=False)
class Listener:
    """A station's whole record, and what is known of it."""

    station: Station
    start_ns: int
    counts: Int32Array
    waves_m_s: FloatArray
    p_ns: dict[int, int]  # by row of the catalogue
    instrument: Instrument
    inventory: Inventory
    known: Known

    @classmethod
    def of(cls, world: World, station: Station) -> "Listener":
        count = int((world.end_ns - world.start_ns) / 60e9) + 2
        blocks = list(islice(record(world, station, block_at(world.start_ns)), count))
        inventory, written = published_inventory(world, [station]), io.BytesIO()
        inventory.write(written, format="STATIONXML")
        return cls(
            station=station,
            start_ns=blocks[0].start_ns,
            counts=np.concatenate([block.counts for block in blocks], axis=1),
            waves_m_s=np.concatenate([block.waves_m_s for block in blocks], axis=1),
            p_ns={a.row: a.time_ns for block in blocks for a in reversed(block.arrivals) if a.phase[0] == "P"},
            instrument=instrument_of(world.scenario.seed, station),
            inventory=inventory,
            known=read_inventory({"stations.xml": written.getvalue()}).stations[station.name],
        )

    def measure(self, pick: float, time_ns: int) -> Measured:
        channels = Channels.of(self.known, "", channel_codes(self.instrument)[0][:2], time_ns)
        return measure(self.counts, pick, int(pick) + FULL, channels, "P", PICK_ERROR_S)

    def by_obspy(self, onset: int, kind: str) -> FloatArray:
        """The largest of Z, N and E."""
        begin = onset - 2 * LEAD
        heading = {"network": self.station.network, "station": self.station.code, "sampling_rate": RATE_HZ}
        heading["starttime"] = UTCDateTime(ns=self.start_ns + begin * 10**9 // RATE_HZ)
        codes = channel_codes(self.instrument)
        rows = self.counts[:, begin : onset + 2 * FULL]
        stream = Stream(
            [Trace(row.astype(np.float64), heading | {"channel": c}) for row, c in zip(rows, codes, strict=True)]
        )
        band = (0.02, 0.03, 0.42 * RATE_HZ, 0.47 * RATE_HZ)
        stream.remove_response(self.inventory, output=OUTPUTS[kind], pre_filt=band, water_level=None)
        stream.filter("highpass", freq=HIGH_PASS_HZ, corners=4)
        if kind == "wood_anderson":
            stream.simulate(paz_simulate=WOOD_ANDERSON)
            return np.array([_largest_swing(trace.data[2 * LEAD : 2 * LEAD + FULL]) for trace in stream])
        return np.array([np.abs(trace.data[2 * LEAD : 2 * LEAD + FULL]).max() for trace in stream])


def _largest_swing(trace: FloatArray) -> float:
    """Half of the way from an extreme to the next on the other side of zero."""
    sides = np.split(trace, np.flatnonzero(np.diff(np.sign(trace))) + 1)
    extremes = [side[np.abs(side).argmax()] for side in sides]
    return float(np.abs(np.diff(extremes)).max()) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One pick of P."""

    ml: float  # of the catalogue
    hypocentral_km: float
    measured: Measured
    has_same_snr: bool
    is_up: bool | None  # first motion of the waves alone; None: there is none
    over_obspy: dict[str, list[float]]  # of clear amplitudes, log10


def read_picks(world: World, listener: Listener, chance: np.random.Generator) -> Iterator[Reading]:
    for count, (row, time_ns) in enumerate(listener.p_ns.items()):
        onset = (time_ns - listener.start_ns) * RATE_HZ / 1e9
        pick = onset + RATE_HZ * PICK_ERROR_S * chance.standard_normal()
        reach = hypocentral_km(world, listener.station, row)
        within = 2 * LEAD < pick < listener.counts.shape[1] - 2 * FULL
        if not within or reach > reach_km(world.catalogue.mw[row]):
            continue
        measured, first = listener.measure(pick, time_ns), int(np.ceil(pick))
        truth = judge_arrival(listener.counts, listener.waves_m_s, listener.instrument, first)
        yield Reading(
            ml=float(world.catalogue.ml[row]),
            hypocentral_km=reach,
            measured=measured,
            has_same_snr=measured.snr == truth.record_snr,
            is_up=_is_up(listener.waves_m_s[0, int(np.ceil(onset)) :][:30]),
            over_obspy={} if count % ONE_IN else _compare(listener, measured, first),
        )


def _is_up(waves: FloatArray) -> bool | None:
    seen = np.flatnonzero(np.abs(waves) > FIRST_SHARE * np.abs(waves).max())
    return bool(waves[seen[0]] > 0) if len(seen) else None


def _compare(listener: Listener, measured: Measured, first: int) -> dict[str, list[float]]:
    over: dict[str, list[float]] = {}
    for name, kind in KINDS.items():
        ours = [a for a in measured.amplitudes if a.kind == kind]
        theirs = listener.by_obspy(first, name)
        over[name] = [
            float(np.log10(a.value / largest))
            for a, largest in zip(ours, theirs, strict=True)
            if a.value > COMPARED * a.noise and a.high_pass_hz == HIGH_PASS_HZ and not a.is_clipped
        ]
    return over


def read_ml(reading: Reading) -> float | None:
    """Of the larger horizontal; None where noise has nearly as large a one."""
    shown = [a for a in reading.measured.amplitudes if a.kind == AMPLITUDE_KIND_WOOD_ANDERSON and a.channel[-1] in "NE"]
    best = max(shown, key=lambda a: a.value)
    if best.value < CLEAR * best.noise or any(a.is_clipped for a in shown):
        return None
    return float(local_magnitude(1e9 * best.value, reading.hypocentral_km))


# --- figures ----------------------------------------------------------------------------------------------------------


@functools.cache
def everything() -> tuple[World, list[Listener], list[Reading]]:
    world, chance = make_ladder(MAGNITUDES, EACH, STATIONS), np.random.default_rng(7)
    listeners = [Listener.of(world, station) for station in world.stations]
    return world, listeners, [reading for one in listeners for reading in read_picks(world, one, chance)]


def measure_all() -> Figures:
    _, listeners, readings = everything()
    figures: dict[str, float] = {"picks": len(readings)}
    figures["same_snr_as_the_simulator"] = float(np.mean([reading.has_same_snr for reading in readings]))
    for name in KINDS:
        over = np.array([each for reading in readings for each in reading.over_obspy.get(name, [])])
        figures |= {f"{name}_compared": over.size, f"{name}_over_obspy_median": float(10 ** np.median(over))}
        low, high = 10 ** np.quantile(over, [0.05, 0.95])
        figures |= {f"{name}_over_obspy_5_percent": float(low), f"{name}_over_obspy_95_percent": float(high)}
    for ml in MAGNITUDES:
        read = [read_ml(reading) for reading in readings if reading.ml == ml]
        errors = np.array([each - ml for each in read if each is not None])
        figures |= {f"ml_{ml}_readings": errors.size, f"ml_{ml}_mean_error": float(errors.mean())}
        figures |= {f"ml_{ml}_scatter": float(errors.std())}
    return figures | _first_motions(readings) | _speed(listeners[0])


def _first_motions(readings: Sequence[Reading]) -> dict[str, float]:
    known = [r for r in readings if r.is_up is not None and r.measured.first_motion is not None]
    figures: dict[str, float] = {}
    for name, low, high in (("below_10", 0, 10), ("10_to_50", 10, 50), ("above_50", 50, np.inf)):
        here = [r for r in known if low <= r.measured.snr < high]
        motions = [(r.measured.first_motion, r.is_up) for r in here]
        told = [(m, is_up) for m, is_up in motions if m is not None and m.sense != "undecidable"]
        figures |= {f"polarity_snr_{name}_picks": len(here), f"polarity_snr_{name}_told": len(told)}
        if told:
            figures[f"polarity_snr_{name}_right"] = float(np.mean([(m.sense == "up") == up for m, up in told]))
            figures[f"polarity_snr_{name}_confidence"] = float(np.mean([m.confidence for m, _ in told]))
    return figures


def _speed(listener: Listener) -> dict[str, float]:
    """Least of many, for other programs run too; and as a multiple of one recursive filter of the same stretch."""
    time_ns = next(iter(listener.p_ns.values()))
    pick = max(2.0 * LEAD, (time_ns - listener.start_ns) * RATE_HZ / 1e9)
    channels = Channels.of(listener.known, "", channel_codes(listener.instrument)[0][:2], time_ns)
    sections, stretch = scipy.signal.butter(4, 0.1, "highpass", output="sos"), np.zeros((3, LEAD + FULL))

    def least_ms(length: int) -> float:
        took = []
        for _ in range(LOAD):
            start = time.perf_counter()
            measure(listener.counts, pick, int(pick) + length, channels, "P", PICK_ERROR_S)
            took.append(time.perf_counter() - start)
        return 1e3 * min(took)

    took = []
    for _ in range(LOAD):
        start = time.perf_counter()
        scipy.signal.sosfilt(sections, stretch)
        took.append(time.perf_counter() - start)
    full, so_far = least_ms(FULL), least_ms(RATE_HZ)
    return {"measurement_ms": full, "first_message_ms": so_far, "measurement_in_filters": full / (1e3 * min(took))}


def marked() -> Figure:
    """A record, and what was measured of it."""
    _, listeners, _ = everything()
    listener = listeners[0]
    row, time_ns = list(listener.p_ns.items())[3 * EACH]
    onset = (time_ns - listener.start_ns) * RATE_HZ / 1e9
    measured = listener.measure(onset, time_ns)
    figure, axes = panels(3, 1, height_in=3.6)
    shown = slice(int(onset) - 500, int(onset) + FULL)
    times_s = (np.arange(shown.start, shown.stop) - onset) / RATE_HZ
    for axis, counts, component in zip(axes, listener.counts, "ZNE", strict=True):
        velocity = (counts[shown] - counts[shown].mean()) / listener.instrument.sensitivity
        axis.plot(times_s, 1e6 * velocity, color=BY_COMPONENT[component], linewidth=0.6)
        axis.axvline(0, color=RED, linewidth=0.8)
        for kind, marker in ((AMPLITUDE_KIND_PEAK_VELOCITY, "v"), (AMPLITUDE_KIND_WOOD_ANDERSON, "s")):
            found = next(a for a in measured.amplitudes if a.kind == kind and a.channel[-1] == component)
            _mark(axis, found, measured.first - onset, marker)
        axis.set(ylabel=f"{component}, counts as um/s")
    axes[-1].set(xlabel="s after the onset")
    motion = measured.first_motion
    axes[0].set_title(
        f"ML {everything()[0].catalogue.ml[row]:.0f}, SNR {measured.snr:.0f}, first motion "
        f"{motion.sense if motion else 'unknown'} ({motion.confidence if motion else 0:.2f}), "
        f"tau_c {measured.tau_c_s:.2f} s"
    )
    return figure


def _mark(axis: Axes, found: Amplitude, shift: float, marker: str) -> None:
    is_velocity = found.kind == AMPLITUDE_KIND_PEAK_VELOCITY
    label = f"peak {1e6 * found.value:.3g} um/s" if is_velocity else f"Wood-Anderson {1e9 * found.value:.3g} nm"
    label += f", {found.period_s:.2f} s"
    height = 1e6 * found.value if is_velocity else 0.0
    axis.plot([(found.sample + shift) / RATE_HZ], [height], marker, color=ORANGE, markeredgecolor="black", label=label)
    axis.legend(loc="upper right")


FIGURES = {"measuring": marked}

if __name__ == "__main__":
    main("What is measured of picks of simulated earthquakes", measure_all)
