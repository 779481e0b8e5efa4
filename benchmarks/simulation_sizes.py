"""Whether records show the sizes of their catalogue: ML, and stress drops, as an agency reads them.

`python -m benchmarks.simulation_sizes [--json]`, some minutes; figures by `python -m benchmarks.simulation_figures`.
"""

import functools
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure

from benchmarks.drawing import BLUE, GREEN, ORANGE, RED, panels
from benchmarks.report import Figures, main
from benchmarks.sizes import (
    FEWEST_STATIONS,
    SourceSpectrum,
    fit_corner,
    make_ladder,
    read_ml,
    read_records,
    read_spectrum,
    stress_drop_mpa,
)
from kensoku.simulation.engine import World
from kensoku.simulation.randomness import FloatArray
from kensoku.traveltime import Wave

MAGNITUDES = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
EVENTS, STATIONS = 24, 16
CORNERS_MW = (2.9, 5.0)
FEWEST_BANDS = 10
WAVES: tuple[Wave, Wave] = ("P", "S")


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    ml: float
    row: int
    hypocentral_km: float
    is_borehole: bool
    over: float  # what is read less the catalogue's ML


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    world: World
    magnitudes: list[Reading] = field(default_factory=list)
    spectra: dict[tuple[int, Wave], list[SourceSpectrum]] = field(default_factory=dict)

    def stress_ratios(self, wave: Wave) -> dict[int, float]:
        """Stress drops that are read over the catalogue's, by row."""
        catalogue, ratios = self.world.catalogue, {}
        for (row, phase), spectra in self.spectra.items():
            wide = [spectrum for spectrum in spectra if np.isfinite(spectrum.log_amplitude).sum() >= FEWEST_BANDS]
            if phase == wave and len(wide) >= FEWEST_STATIONS:
                ratio = self.world.scenario.stress_drop.p_over_s_corner if wave == "P" else 1.0
                read_mpa = stress_drop_mpa(self.world, row, fit_corner(wide) / ratio)
                ratios[row] = read_mpa / float(catalogue.stress_drop_mpa[row])
        return ratios


def read_all(magnitudes: tuple[float, ...], events: int, stations: int) -> Readings:
    world = make_ladder(magnitudes, events, stations)
    catalogue, readings = world.catalogue, Readings(world)
    smallest, largest = CORNERS_MW
    for station in world.stations:
        for record in read_records(world, station, range(len(catalogue))):
            ml, row = float(catalogue.ml[record.row]), record.row
            if (found := read_ml(record)) is not None:
                reading = Reading(ml, row, record.hypocentral_km, bool(station.borehole_m), found - ml)
                readings.magnitudes.append(reading)
            if smallest <= catalogue.mw[row] <= largest and not station.borehole_m:
                for wave in WAVES:
                    readings.spectra.setdefault((row, wave), []).append(read_spectrum(world, record, wave))
    return readings


@functools.cache
def everything() -> Readings:
    return read_all(MAGNITUDES, EVENTS, STATIONS)


def measure() -> Figures:
    readings, figures = everything(), dict[str, float]()
    for ml in MAGNITUDES:
        over = np.array([reading.over for reading in readings.magnitudes if reading.ml == ml])
        below = np.array([reading.over for reading in readings.magnitudes if reading.ml == ml and reading.is_borehole])
        figures |= {
            f"ml_{ml}_readings": over.size,
            f"ml_{ml}_mean_error": float(over.mean()),
            f"ml_{ml}_scatter": float(over.std()),
            f"ml_{ml}_mean_error_of_boreholes": float(below.mean()),
        }
    over, km = np.array([(each.over, each.hypocentral_km) for each in readings.magnitudes if each.ml >= 2]).T
    figures |= {"mean_error": float(np.mean([each.over for each in readings.magnitudes]))}
    figures |= {"error_a_decade_of_distance": float(np.polyfit(np.log10(km), over, 1)[0])}
    for wave in WAVES:
        ratios = np.array(list(readings.stress_ratios(wave).values()))
        figures |= {f"stress_drop_ratio_median_{wave}": float(np.median(ratios)), f"stress_drops_{wave}": ratios.size}
    return figures


def errors() -> Figure:
    figure, axes = panels(1, 2, height_in=2.8)
    readings = everything().magnitudes
    for is_borehole, colour, label in ((False, BLUE, "surface"), (True, ORANGE, "boreholes")):
        ml, km, over = np.array(
            [(each.ml, each.hypocentral_km, each.over) for each in readings if each.is_borehole == is_borehole]
        ).T
        axes[0].plot(ml, over, ".", ms=2, color=colour, label=label)
        axes[1].plot(km, over, ".", ms=2, color=colour)
    means = [np.mean([each.over for each in readings if each.ml == ml]) for ml in MAGNITUDES]
    axes[0].plot(MAGNITUDES, means, "o-", color=RED, label="mean of all")
    axes[0].set(xlabel="ML of the catalogue", ylabel="ML of a station less the catalogue's", ylim=(-1.2, 1.2))
    axes[1].set(xlabel="hypocentral distance, km", xscale="log", ylim=(-1.2, 1.2))
    axes[1].set_xticks([5, 10, 20, 50], ["5", "10", "20", "50"])
    axes[1].minorticks_off()
    axes[0].legend()
    return figure


def corners() -> Figure:
    figure, axes = panels(1, 2, height_in=2.8)
    readings = everything()
    catalogue, ratios = readings.world.catalogue, readings.stress_ratios("S")
    rows = sorted(ratios, key=lambda row: float(catalogue.mw[row]))
    for row, colour in zip((rows[0], rows[len(rows) // 2], rows[-1]), (BLUE, GREEN, ORANGE), strict=True):
        spectra = readings.spectra[row, "S"]
        shifted = np.array([each.log_amplitude - np.nanmean(each.log_amplitude[:9]) for each in spectra])
        seen = np.isfinite(shifted).any(axis=0)
        label = f"Mw {catalogue.mw[row]:.1f}, {catalogue.corner_hz[row]:.1f} Hz"
        axes[0].semilogx(spectra[0].hz[seen], np.nanmedian(shifted[:, seen], axis=0), ".-", color=colour, label=label)
        brune = -np.log1p((spectra[0].hz / fit_corner(spectra)) ** 2)
        axes[0].semilogx(spectra[0].hz, brune - np.mean(brune[:9]), ":", color=colour)
    true: FloatArray = catalogue.stress_drop_mpa[rows]
    axes[1].loglog(true, true * np.array([ratios[row] for row in rows]), ".", color=BLUE)
    axes[1].loglog([0.3, 100], [0.3, 100], ":", color=RED)
    axes[0].set(xlabel="frequency, Hz", ylabel="ln of S at the source", title="dotted: Brune's source as fitted")
    axes[1].set(xlabel="stress drop of the catalogue, MPa", ylabel="as read, MPa")
    axes[0].legend()
    return figure


FIGURES = {"sizes-magnitudes": errors, "sizes-corners": corners}

if __name__ == "__main__":
    main("Sizes of simulated earthquakes, read from records as an agency does", measure)
