"""Picks whose grouping is known: of Ridgecrest, of simulated sequences and pairs, of noise, and planted in Italy's."""

import csv
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kensoku.errors import InputInvalid
from kensoku.locating import Site
from kensoku.traveltime import Wave, first_arrivals, load_model

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

PHASES: tuple[Wave, Wave] = ("P", "S")
KM_PER_DEG = 6371 * np.pi / 180
FALSE = -1  # no event made it
UNKNOWN_ERROR_S = (0.1, 0.1)  # of picks whose source tells none: the default of an onset
SIMULATED_ERROR_S = (0.05, 0.1)
SIMULATED_MODEL, RIDGECREST_MODEL, ITALY_MODEL = "japan", "southern-california", "iasp91"
FALSE_A_STATION_HOUR = 16.0
ROWS, COLUMNS, SPACING_KM, JITTER_KM = 6, 10, 18.0, 5.0
CORNER = (35.5, 136.0)  # latitude and longitude of the simulated network's middle
START_S = 1_500_000_000.0
MAGNITUDES = (1.0, 5.0)  # of simulated events, after Gutenberg and Richter with b = 1
REACH_KM, REACH_GROWS = 28.0, 0.3  # half of the stations at 28 km pick a magnitude of 1; log10 per magnitude
BLURRED = 0.07  # of log10 of the reach, from picking nearly all to nearly none
DETECTED = (0.95, 0.85)
DECAY, PER_KM, S_OVER_P, SCATTER = 1.4, 0.004, 0.5, 0.35  # log10 of amplitudes over distance in km
PAIRS, PAIR_EVERY_S, PAIR_APART_S, PAIR_APART_KM, PAIR_PICKS = 150, 120.0, (1.0, 5.0), (0.0, 10.0), 8
PLANTED, PLANTED_MAGNITUDE, DAY_S = 200, 0.0, 86_400.0  # the network is dense: the least events are heard at 14 km
ITALY_START = datetime.fromisoformat("2016-10-14T00:00:00+00:00").timestamp()
CUT_S = 7_213.7  # after the first pick; on no engine's grid
DEVELOPED, REPORTED = "phase_20190705-20190706.dat", "phase_20190706-20190707.dat"


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Picks in no order, with what each engine may know, and the event that made each, which it may not."""

    name: str
    sites: dict[str, Site]
    model: str
    stations: tuple[str, ...]  # what `station` counts
    station: IntArray
    phase: IntArray  # 0 for P, 1 for S
    onset_s: FloatArray
    error_s: FloatArray
    event: IntArray  # FALSE where none
    is_background: bool = False  # FALSE stands for what nobody has grouped
    cut_s: float | None = None  # associated once more without the picks before
    amplitude: FloatArray | None = None  # NaN where none is known

    def chosen(self, which: npt.NDArray[np.bool_] | IntArray) -> "Case":
        names: tuple[str, ...] = ("station", "phase", "onset_s", "error_s", "event")
        names += ("amplitude",) if self.amplitude is not None else ()
        return replace(self, **{name: getattr(self, name)[which] for name in names})


def _case(
    name: str, sites: dict[str, Site], model: str, picks: list[tuple[str, int, float, int]], errors: tuple[float, ...]
) -> Case:
    stations = tuple(sorted(sites))
    number = {station: index for index, station in enumerate(stations)}
    phase = np.array([pick[1] for pick in picks], dtype=np.int64)
    return Case(
        name=name,
        sites=sites,
        model=model,
        stations=stations,
        station=np.array([number[pick[0]] for pick in picks], dtype=np.int64),
        phase=phase,
        onset_s=np.array([pick[2] for pick in picks], dtype=np.float64),
        error_s=np.array(errors)[phase],
        event=np.array([pick[3] for pick in picks], dtype=np.int64),
    )


def spoil(case: Case, false_per_pick: float, swapped: float, seed: int = 1) -> Case:
    """With false picks at random moments and stations, and labels swapped, in a random order."""
    chance = np.random.default_rng(seed)
    real, false = len(case.onset_s), int(false_per_pick * len(case.onset_s))
    heard = np.unique(case.station)
    station = np.append(case.station, heard[chance.integers(len(heard), size=false)])
    phase = np.append(case.phase, chance.integers(2, size=false))
    onset = np.append(case.onset_s, chance.uniform(case.onset_s.min(), case.onset_s.max(), false))
    errors = np.array([case.error_s[case.phase == wave].mean() for wave in (0, 1)])
    event = np.append(case.event, np.full(false, FALSE))
    phase = np.where(chance.random(real + false) < swapped, 1 - phase, phase)
    spoilt = replace(case, station=station, phase=phase, onset_s=onset, error_s=errors[phase], event=event)
    if case.amplitude is not None:
        known = case.amplitude[np.isfinite(case.amplitude)]
        some = np.random.default_rng(seed + 1).choice(known, false)  # as earthquakes of any size
        spoilt = replace(spoilt, amplitude=np.append(case.amplitude, some))
    return _shuffled(spoilt, chance)


# --- Ridgecrest -------------------------------------------------------------------------------------------------------


def ridgecrest(folder: Path, name: str) -> Case:
    """A PAL catalogue: a line an event, then a line a station."""
    with (folder / "continuous/ridgecrest_stations.csv").open() as file:
        known = {
            row["id"]: Site(float(row["lat"]), float(row["lon"]), float(row["elev_m"]) / 1e3)
            for row in csv.DictReader(file)
        }
    picks, amplitudes, events = [], list[float](), -1
    for line in (folder / "catalogs" / name).read_text().split():
        fields = line.split(",")
        if fields[0] not in known:
            if "." in fields[0][:3]:
                raise InputInvalid(f"found picks of {fields[0]!r}; expected a station of ridgecrest_stations.csv")
            events += 1
            continue
        picks += [(fields[0], wave, _seconds(fields[1 + wave]), events) for wave in (0, 1)]
        amplitudes += [np.nan, float(fields[3])]  # of S
    heard = {station for station, *_ in picks}
    sites = {station: site for station, site in known.items() if station in heard}
    case = _case("ridgecrest", sites, RIDGECREST_MODEL, picks, UNKNOWN_ERROR_S)
    size = np.array(amplitudes)
    return replace(case, amplitude=np.where(size > 0, size, np.nan))


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


# --- simulated --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Shocks:
    latitude: FloatArray
    longitude: FloatArray
    depth_km: FloatArray
    time_s: FloatArray
    magnitude: FloatArray


def lay_out(chance: np.random.Generator) -> dict[str, Site]:
    north = (np.arange(ROWS) - (ROWS - 1) / 2) * SPACING_KM
    east = (np.arange(COLUMNS) - (COLUMNS - 1) / 2) * SPACING_KM
    y, x = (axis.ravel() + chance.uniform(-JITTER_KM, JITTER_KM, axis.size) for axis in np.meshgrid(north, east))
    latitude, longitude = _degrees(CORNER, y, x)
    return {f"XX.S{k:02}": Site(float(latitude[k]), float(longitude[k])) for k in range(len(x))}


def _degrees(middle: tuple[float, float], north_km: FloatArray, east_km: FloatArray) -> tuple[FloatArray, FloatArray]:
    latitude = middle[0] + north_km / KM_PER_DEG
    return latitude, middle[1] + east_km / (KM_PER_DEG * np.cos(np.radians(latitude)))


def draw_shocks(
    chance: np.random.Generator, middle: tuple[float, float], time_s: FloatArray, least_magnitude: float = MAGNITUDES[0]
) -> Shocks:
    """Four of five along a fault of 40 km, the fifth anywhere in the network."""
    count = len(time_s)
    along, across = chance.uniform(-20, 20, count), chance.normal(0, 2.5, count)
    north, east = along * np.sin(0.7) + across * np.cos(0.7), along * np.cos(0.7) - across * np.sin(0.7)
    away = chance.random(count) < 0.2
    north = np.where(away, chance.uniform(-45, 45, count), north)
    east = np.where(away, chance.uniform(-80, 80, count), east)
    magnitude = np.minimum(least_magnitude + chance.exponential(1 / np.log(10), count), MAGNITUDES[1])
    return Shocks(*_degrees(middle, north, east), chance.uniform(3, 15, count), np.sort(time_s), magnitude)


def distances_km(sites: Mapping[str, Site], shocks: Shocks) -> FloatArray:
    """Great circles by haversine, (event, station in alphabetical order)."""
    at = [(sites[name].latitude_deg, sites[name].longitude_deg) for name in sorted(sites)]
    there = np.radians(np.array(at)).T[:, None, :]
    here = np.radians(np.stack([shocks.latitude, shocks.longitude]))[:, :, None]
    half = np.sin((there[0] - here[0]) / 2) ** 2
    half = half + np.cos(there[0]) * np.cos(here[0]) * np.sin((there[1] - here[1]) / 2) ** 2
    return np.asarray(2 * 6371 * np.arcsin(np.sqrt(half)))


def pick(
    sites: dict[str, Site], model: str, shocks: Shocks, chance: np.random.Generator
) -> list[tuple[str, int, float, int]]:
    """Rays through the model, errors of picking, and detection that falls with distance."""
    distance, names, picks = distances_km(sites, shocks), sorted(sites), []
    log_reach = np.log10(REACH_KM) + REACH_GROWS * (shocks.magnitude[:, None] - MAGNITUDES[0])
    excess = (np.log10(np.hypot(distance, shocks.depth_km[:, None])) - log_reach) / BLURRED
    earth = load_model(model)
    for wave, phase in enumerate(PHASES):
        times = first_arrivals(earth, phase, distance, shocks.depth_km[:, None]).time_s
        onset = shocks.time_s[:, None] + times + chance.normal(0, SIMULATED_ERROR_S[wave], times.shape)
        is_picked = chance.random(times.shape) < DETECTED[wave] / (1 + np.exp(excess))
        picks += [(names[s], wave, float(onset[e, s]), int(e)) for e, s in zip(*np.nonzero(is_picked), strict=True)]
    return picks


def noise(
    sites: dict[str, Site], start_s: float, length_s: float, chance: np.random.Generator, an_hour: float = 0.0
) -> list[tuple[str, int, float, int]]:
    """So many a station and hour."""
    count = chance.poisson((an_hour or FALSE_A_STATION_HOUR) * length_s / 3600 * len(sites))
    names, when = sorted(sites), start_s + chance.uniform(0, length_s, count)
    where, wave = chance.integers(len(names), size=count), chance.integers(2, size=count)
    return [(names[s], int(w), float(t), FALSE) for s, w, t in zip(where, wave, when, strict=True)]


def sequence(name: str, every_s: float, length_s: float, seed: int = 7) -> Case:
    chance = np.random.default_rng(int(every_s) + seed)
    sites = lay_out(chance)
    shocks = draw_shocks(chance, CORNER, START_S + chance.uniform(0, length_s, int(length_s / every_s)))
    picks = pick(sites, SIMULATED_MODEL, shocks, chance) + noise(sites, START_S, length_s + 60, chance)
    case = _case(name, sites, SIMULATED_MODEL, picks, SIMULATED_ERROR_S)
    return _shuffled(replace(case, amplitude=amplitudes(case, shocks)), chance)


def amplitudes(case: Case, shocks: Shocks) -> FloatArray:
    """Of any unit; false picks have those of earthquakes of any size and distance."""
    chance, is_real = np.random.default_rng(23), case.event >= 0
    event, station = case.event[is_real], case.station[is_real]
    r = np.hypot(distances_km(case.sites, shocks)[event, station], shocks.depth_km[event])
    size = shocks.magnitude[event] - DECAY * np.log10(r) - PER_KM * r + S_OVER_P * case.phase[is_real]
    found = np.full(len(case.event), np.nan)
    found[is_real] = size + chance.normal(0, SCATTER, len(size))
    found[~is_real] = chance.choice(size, (~is_real).sum())
    return np.asarray(10**found)


def pairs(name: str) -> Case:
    """Events 2k and 2k + 1 lie 1 to 5 s and 0 to 10 km apart; each is picked eight times at least."""
    chance = np.random.default_rng(11)
    sites, drawn = lay_out(chance), 3 * PAIRS
    one = draw_shocks(chance, CORNER, START_S + PAIR_EVERY_S * np.arange(drawn))
    other = _partners(one, chance)
    both = Shocks(*(np.stack([getattr(each, f) for each in (one, other)], axis=1).ravel() for f in Shocks.__slots__))
    picks = pick(sites, SIMULATED_MODEL, both, chance)
    counts = np.bincount([event for *_, event in picks], minlength=2 * drawn).reshape(-1, 2)
    kept = np.flatnonzero((counts >= PAIR_PICKS).all(axis=1))[:PAIRS]
    number = {2 * pair + k: 2 * index + k for index, pair in enumerate(kept.tolist()) for k in (0, 1)}
    picks = [(station, wave, onset, number[event]) for station, wave, onset, event in picks if event in number]
    picks += noise(sites, START_S, PAIR_EVERY_S * float(kept[-1] + 1), chance)
    case = _case(name, sites, SIMULATED_MODEL, picks, SIMULATED_ERROR_S)
    own = (2 * kept[:, None] + [0, 1]).ravel()
    shocks = Shocks(*(getattr(both, field)[own] for field in Shocks.__slots__))
    return _shuffled(replace(case, amplitude=amplitudes(case, shocks)), chance)


def _partners(one: Shocks, chance: np.random.Generator) -> Shocks:
    count = len(one.time_s)
    away, direction = chance.uniform(*PAIR_APART_KM, count), chance.uniform(0, 2 * np.pi, count)
    latitude = one.latitude + away * np.cos(direction) / KM_PER_DEG
    return Shocks(
        latitude,
        one.longitude + away * np.sin(direction) / (KM_PER_DEG * np.cos(np.radians(latitude))),
        np.clip(one.depth_km + chance.normal(0, 2, count), 2, 16),
        one.time_s + chance.uniform(*PAIR_APART_S, count),
        np.clip(one.magnitude + chance.normal(0, 0.3, count), *MAGNITUDES),
    )


def quiet(name: str) -> Case:
    chance = np.random.default_rng(13)
    sites = lay_out(chance)
    return _case(name, sites, SIMULATED_MODEL, noise(sites, START_S, DAY_S, chance), SIMULATED_ERROR_S)


def _shuffled(case: Case, chance: np.random.Generator) -> Case:
    return case.chosen(chance.permutation(len(case.onset_s)))


# --- Italy ------------------------------------------------------------------------------------------------------------


def italy(folder: Path, name: str, hours: float = 24) -> Case:
    """A day of picks that nobody has grouped, in which 200 events are planted; or its first hours."""
    here = folder / "catalogs/italy_20161014"
    sites = {}
    for line in (here / "station.dat").read_text().splitlines():
        longitude, latitude, network, station, _, elevation = line.split()
        sites[f"{network}.{station}"] = Site(float(latitude), float(longitude), float(elevation))
    chance, picks = np.random.default_rng(17), list(_italian_picks(here / "20161014.zip", sites))
    middle = tuple(np.median([(site.latitude_deg, site.longitude_deg) for site in sites.values()], axis=0).tolist())
    when = ITALY_START + chance.uniform(60, DAY_S - 60, PLANTED)
    shocks = draw_shocks(chance, (middle[0], middle[1]), when, PLANTED_MAGNITUDE)
    planted = pick(sites, ITALY_MODEL, shocks, chance)
    case = _case(name, sites, ITALY_MODEL, picks + planted, UNKNOWN_ERROR_S)
    early = case.chosen(case.onset_s < ITALY_START + 3600 * hours)
    return replace(_shuffled(early, chance), is_background=True)


def _italian_picks(path: Path, sites: Mapping[str, Site]) -> Iterator[tuple[str, int, float, int]]:
    """Of NET.STA.P.txt and NET.STA.S.txt: seconds of the day, weight, amplitude."""
    with zipfile.ZipFile(path) as archive:
        for member in sorted(archive.namelist()):
            parts = Path(member).name.split(".")
            if member.startswith("__") or len(parts) != 4 or f"{parts[0]}.{parts[1]}" not in sites:
                continue
            for line in archive.read(member).decode().splitlines():
                onset = ITALY_START + float(line.split()[0])
                yield f"{parts[0]}.{parts[1]}", PHASES.index(parts[2]), onset, FALSE


# --- all --------------------------------------------------------------------------------------------------------------

RIDGECREST = tuple((false, swapped) for swapped in (0.0, 0.05) for false in (0, 1, 3))


def _ridgecrest_case(name: str, false: int, swapped: float) -> Callable[[Path], Case]:
    def make(folder: Path) -> Case:
        case = ridgecrest(folder, REPORTED)
        cut_s = None if false or swapped else float(case.onset_s.min()) + CUT_S
        return replace(spoil(case, false, swapped), name=name, cut_s=cut_s)

    return make


def _ridgecrest_cases() -> dict[str, Callable[[Path], Case]]:
    names = {f"ridgecrest_{false}_false_{swapped:.0%}_swapped": (false, swapped) for false, swapped in RIDGECREST}
    return {name.replace("%", ""): _ridgecrest_case(name.replace("%", ""), *how) for name, how in names.items()}


RECORDED: dict[str, Callable[[Path], Case]] = {
    **_ridgecrest_cases(),
    "italy": lambda folder: italy(folder, "italy"),
    "italy_2_h": lambda folder: italy(folder, "italy_2_h", 2),
}
SIMULATED: dict[str, Callable[[], Case]] = {
    "every_60_s": lambda: sequence("every_60_s", 60, 3600),
    "every_10_s": lambda: sequence("every_10_s", 10, 1800),
    "every_3_s": lambda: sequence("every_3_s", 3, 600),
    "pairs": lambda: pairs("pairs"),
    "quiet": lambda: quiet("quiet"),
}
